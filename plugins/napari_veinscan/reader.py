"""napari reader for single ultrasound files: true colours, millimetres, frames on demand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from napari_veinscan.layer_parts import image_layer_data
from veinscan.dicom import open_study
from veinscan.errors import NoStudyError

LayerData = tuple[Any, dict[str, Any], str]


def get_reader(path: str | Sequence[str]) -> Callable[[str | Sequence[str]], list[LayerData]] | None:
    """napari's hook: a function that reads `path`, or None when it is not for us.

    Only the name is looked at here: napari asks every reader about every file.
    """
    paths = _paths(path)
    if paths and all(p.suffix.lower() == ".dcm" for p in paths):
        return read
    return None


def read(path: str | Sequence[str]) -> list[LayerData]:
    """One image layer per clip: (frames, rows, cols) grey or (frames, rows, cols, 3) RGB, scale in mm.

    Raises `NoStudyError` with the reason when a file holds no ultrasound clip.
    """
    layers: list[LayerData] = []
    for one in _paths(path):
        study = open_study(one)
        if not study.clips:
            reason = study.skipped[0].reason if study.skipped else "there is no ultrasound clip in it"
            raise NoStudyError(reason, where=one.name, do="open an ultrasound image or clip")
        layers += [image_layer_data(clip) for clip in study.clips]
    return layers


def _paths(path: str | Sequence[str]) -> list[Path]:
    return [Path(path)] if isinstance(path, str | Path) else [Path(one) for one in path]
