"""`veinscan sample DIR`: a phantom study with known truth, to try everything on."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from veinscan.cli.common import JsonOption, start
from veinscan.cli.output import Result, count, say
from veinscan.errors import InvalidInputError


def sample(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.", show_default=False)],
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="The same seed gives the same bytes.")] = 0,
    follow_up: Annotated[
        Path | None,
        typer.Option(metavar="DIR2", help="A new or empty folder for the follow-up.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> Result:
    """Make DIR one phantom study: clips as DICOM files, and truth.json."""
    start()
    folders = [Path(os.path.abspath(f)) for f in (folder, follow_up) if f is not None]  # noqa: PTH100
    for one in folders:
        _check_empty(one)
    if len(folders) == 2 and (folders[0].is_relative_to(folders[1]) or folders[1].is_relative_to(folders[0])):
        raise InvalidInputError(
            "the study and its follow-up would lie in one folder",
            where=str(follow_up),
            do="give --follow-up a folder beside DIR",
        )
    with contextlib.ExitStack() as stack:
        scratch = [stack.enter_context(_beside(one)) for one in folders]
        from veinscan.phantom import make_study

        if sys.stderr.isatty():
            say("Making a phantom study; this takes some seconds.")

        written = make_study(scratch[0], seed=seed, follow_up=scratch[1] if len(scratch) == 2 else None)
        files = [_moved(path, scratch, folders) for path in written]
        for source, target in zip(scratch, folders, strict=True):
            with contextlib.suppress(FileNotFoundError):
                target.rmdir()
            source.rename(target)
    lines = [f"{folder}: {_clips_in(files, folders[0])}, made up from seed {seed}"]
    if follow_up is not None:
        lines.append(f"{follow_up}: {_clips_in(files, folders[1])}, its follow-up")
    lines.append(f"Now try: veinscan find {folder} -o {folder}-overlays")
    return Result({"files": [str(path) for path in files]}, "\n".join(lines))


def _clips_in(files: list[Path], folder: Path) -> str:
    return count(sum(1 for path in files if path.suffix == ".dcm" and path.is_relative_to(folder)), "clip")


def _check_empty(folder: Path) -> None:
    if folder.is_symlink() and not folder.exists():
        raise InvalidInputError("this is a broken link", where=str(folder), do="give another folder")
    if folder.exists() and not folder.is_dir():
        raise InvalidInputError("this is a file", where=str(folder), do="give a new or empty folder")
    if folder.is_dir() and any(folder.iterdir()):
        raise InvalidInputError("the folder is not empty", where=str(folder), do="give a new or empty folder")


@contextlib.contextmanager
def _beside(folder: Path) -> Iterator[Path]:
    """A scratch folder on the same disk, gone when anything fails: DIR is a whole study or nothing."""
    made = [p for p in (folder.parent, *folder.parent.parents) if not p.exists()]
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".veinscan-", dir=folder.parent))
    scratch.chmod(0o777 & ~_umask())
    try:
        yield scratch
    finally:
        if scratch.exists():
            shutil.rmtree(scratch, ignore_errors=True)
            for parent in made:
                with contextlib.suppress(OSError):
                    parent.rmdir()


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _moved(path: Path, scratch: list[Path], folders: list[Path]) -> Path:
    for source, target in zip(scratch, folders, strict=True):
        if path.is_relative_to(source):
            return target / path.relative_to(source)
    return path
