"""The folder of an export: refused when it holds something else, gone on with after an interruption.

What is under way is told by `.export.json`: a mark of what was asked for (of
options, studies and key, and nothing that names one).  Every file is whole or
not there; what a study gave is complete once its part lies in `.parts`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from veinscan.errors import InvalidInputError, VeinscanError
from veinscan.export.model import WrittenFile
from veinscan.record.files import TEMPORARY, replace_file

STATE = ".export.json"
PARTS = ".parts"
DATASET = "dataset.json"
CHECKSUMS = "checksums.sha256"
SCHEMA = 1


class ExportFolder:
    """A folder that an export is written into."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, path: str, data: bytes) -> WrittenFile:
        """Put a file there, whole; `path` is relative, with `/`."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        replace_file(place, data)
        return WrittenFile(path, hashlib.sha256(data).hexdigest(), len(data))

    def note(self, path: str) -> WrittenFile:
        """Name a file that was written there in pieces."""
        digest, size = hashlib.sha256(), 0
        with (self.root / path).open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
                size += len(chunk)
        return WrittenFile(path, digest.hexdigest(), size)

    def finish_part(self, name: str, part: dict[str, Any]) -> None:
        """Keep what a study gave: from now on it is done."""
        self.write(f"{PARTS}/{name}.json", json_bytes(part))

    def _sweep(self) -> None:
        """Remove what a killed process left half written, on whatever machine: nobody works here now."""
        for folder, _, files in os.walk(self.root):
            for name in files:
                if TEMPORARY.fullmatch(name):
                    (Path(folder) / name).unlink(missing_ok=True)

    def forget(self, names: Iterable[str]) -> None:
        """Remove what studies left that failed: files that no checksum and no contact sheet tells of."""
        gone = frozenset(names)
        ends = tuple(name + end for name in gone for end in "_.")
        for folder, _, files in os.walk(self.root) if gone else ():
            for file in files:
                path = Path(folder, file)
                parts = path.relative_to(self.root).parts
                if any(part in gone or part.startswith(ends) for part in parts):
                    path.unlink(missing_ok=True)

    def part(self, name: str) -> dict[str, Any] | None:
        """What a study gave; None where it is not done."""
        try:
            found = json.loads((self.root / PARTS / f"{name}.json").read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise VeinscanError(
                "a part of the interrupted export cannot be read",
                where=f"{PARTS}/{name}.json",
                do="remove that file and start again",
            ) from error
        return dict(found)

    def parts(self, names: Iterable[str]) -> Iterator[dict[str, Any]]:
        """What the studies gave, in the order of `names`; those not done are left out."""
        for name in names:
            part = self.part(name)
            if part is not None:
                yield part

    def finish(self, dataset: dict[str, Any], *, complete: bool) -> WrittenFile:
        """Write what the data set is; when nothing is left to do, forget the way to it."""
        self._sweep()
        written = self.write(DATASET, json_bytes(dataset, indent=1))
        if not complete:
            return written
        shutil.rmtree(self.root / PARTS, ignore_errors=True)
        (self.root / STATE).unlink(missing_ok=True)
        return written


def open_folder(root: Path, asked: str) -> ExportFolder:
    """The folder for a new export, or for one that was interrupted.

    Parameters
    ----------
    root : Path
        New, empty, or of an interrupted export that was asked for the same.
    asked : str
        Mark of what is asked for.

    Raises
    ------
    InvalidInputError
        It is a file, holds something else, or a finished or another export.
    VeinscanError
        It cannot be written.
    """
    where = str(root)
    try:
        if root.exists() and not root.is_dir():
            raise InvalidInputError("this is a file", where=where, do="give a new or empty folder")
        root.mkdir(parents=True, exist_ok=True)
        state = root / STATE
        if state.is_file():
            _check_same(state, asked)
        elif any(TEMPORARY.fullmatch(path.name) is None for path in root.iterdir()):
            what = "holds a finished export" if (root / DATASET).is_file() else "is not empty"
            raise InvalidInputError(f"the folder {what}", where=where, do="give a new or empty folder")
        else:
            replace_file(state, json_bytes({"schema": SCHEMA, "asked": asked}))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise VeinscanError(
            f"the folder cannot be used: {reason}", where=where, do="choose one you may write to"
        ) from error
    return ExportFolder(root)


def _check_same(state: Path, asked: str) -> None:
    try:
        found = json.loads(state.read_bytes())
        same = found["schema"] == SCHEMA and found["asked"] == asked
    except (ValueError, KeyError, TypeError):
        same = False
    if not same:
        raise InvalidInputError(
            "the folder holds an interrupted export of other studies or options",
            where=str(state.parent),
            do="call it again as before, or give a new folder",
        )


def json_bytes(data: Any, indent: int | None = None) -> bytes:
    """An object as JSON in ASCII, with its keys as they come; the same object gives the same bytes."""
    separators = None if indent else (",", ":")
    text = json.dumps(data, indent=indent, separators=separators, allow_nan=False, ensure_ascii=True)
    return text.encode("ascii") + b"\n"
