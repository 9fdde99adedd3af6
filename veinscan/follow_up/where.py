"""Where records and pictures lie in a folder, as far as names tell, and what of it to open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from veinscan.dicom.guard import Limits, only_veinscan_errors
from veinscan.dicom.sources import Bytes, FolderSource
from veinscan.dicom.study import RECORD_FOLDER
from veinscan.errors import UnreadableError
from veinscan.settings import data_dir


def own_records(limits: Limits) -> Iterator[Bytes]:
    """Records that the user's data directory holds, of studies whose own folder could not be written."""
    folder = data_dir() / "records"
    try:
        with only_veinscan_errors("it cannot be looked at", where="records"):
            if folder.is_dir():
                yield from (
                    one for one in FolderSource(folder, limits).entries() if one.name.endswith(".dcm")
                )
    except UnreadableError:
        return


def one_of_each_folder(entries: Iterable[Bytes], folder: Path | None) -> tuple[list[Bytes], list[Bytes]]:
    """What lies in the folder itself and one file of every other, then the rest: most hold one study."""
    seen: set[Path] = set()
    first: list[Bytes] = []
    rest: list[Bytes] = []
    for entry in entries:
        (rest if entry.path.parent in seen and entry.path.parent != folder else first).append(entry)
        seen.add(entry.path.parent)
    return sorted(first, key=lambda one: one.path.parent != folder), rest


def to_open(place: Path, folder: Path | None, path: Path) -> Path:
    """What to open for a picture: the folder that its record lies beside, else the one under the place."""
    if place.is_file():
        return place
    if folder is not None:
        return folder
    parts = path.relative_to(place).parts
    return place / parts[0] if len(parts) > 1 else place


def in_record_folder(entry: Bytes) -> bool:
    """Whether it may be one of veinscan's own records."""
    return entry.path.parent.name == RECORD_FOLDER and entry.name.lower().endswith(".dcm")


def is_zip(entry: Bytes) -> bool:
    """Whether it is named as a zip."""
    return entry.path.suffix.lower() == ".zip"
