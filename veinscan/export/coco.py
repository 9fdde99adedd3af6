"""COCO: boxes, polygons or RLE, tracks over frames.

`instances.json` holds polygons, `instances_rle.json` the same with run-length
masks, `instances_<split>.json` the polygons of one split.  A video is a clip,
an image one of its frames, and annotations with equal `track_id` in a video
are one structure.

COCO counts from the corner of the top left pixel, `(x, y)`; veinscan from its
centre, `(row, col)`: half a pixel is added.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from veinscan.export.folder import ExportFolder
from veinscan.export.model import Category, Mark, Split, WrittenFile
from veinscan.export.names import frame_name
from veinscan.export.pictures import clean_frame, png
from veinscan.export.study import StudyCase
from veinscan.record.segmentation import mask_of

FOLDER = "coco"
CATEGORIES = [
    {"id": number, "name": category.value, "supercategory": "vessel"}
    for number, category in enumerate(Category, start=1)
]
_NUMBERS = {entry["name"]: entry["id"] for entry in CATEGORIES}


def write_case(case: StudyCase, folder: ExportFolder) -> tuple[list[WrittenFile], list[dict[str, Any]]]:
    """Pictures of the labelled frames of a study, and its fragment: one entry a clip."""
    files, entries = [], []
    for clip in case.clips:
        if not clip.frames or not clip.has_pixels:
            continue
        times = clip.clip.frame_times_s
        images = []
        for index in clip.frames:
            name = f"{frame_name(clip.name, index)}.png"
            files.append(folder.write(f"{FOLDER}/images/{name}", png(clean_frame(clip, index))))
            marks = [mark for mark in clip.marks if mark.frame_index == index]
            images.append(
                {
                    "file_name": name,
                    "frame_index": index,
                    "time_s": None if times is None else round(float(times[index]), 6),
                    "annotations": [_annotation(mark, clip.clip.rows, clip.clip.columns) for mark in marks],
                }
            )
        spacing = clip.clip.spacing_mm
        entries.append(
            {
                "name": clip.name,
                "patient": case.identity.patient,
                "study": case.name,
                "split": case.split.value,
                "height": clip.clip.rows,
                "width": clip.clip.columns,
                "spacing_mm": None if spacing is None else list(spacing),
                "negative": clip.negative,
                "images": images,
            }
        )
    return files, entries


def _annotation(mark: Mark, rows: int, columns: int) -> dict[str, Any]:
    points = np.asarray(mark.outline, dtype=np.float64)
    xs = np.clip(points[:, 1] + 0.5, 0, columns)
    ys = np.clip(points[:, 0] + 0.5, 0, rows)
    polygon = np.round(np.stack([xs, ys], axis=1), 2).ravel().tolist()
    mask = mask_of(mark.outline, rows, columns)
    box = [float(xs.min()), float(ys.min()), float(xs.max() - xs.min()), float(ys.max() - ys.min())]
    return {
        "category_id": _NUMBERS[mark.category.value],
        "bbox": [round(value, 2) for value in box],
        "area": int(mask.sum()),
        "iscrowd": 0,
        "segmentation": [polygon],
        "rle": {"size": [rows, columns], "counts": run_lengths(mask)},
        "track": mark.track,
        "attributes": {"source": mark.source, **mark.attributes},
    }


def run_lengths(mask: npt.NDArray[np.bool_]) -> list[int]:
    """Uncompressed COCO RLE of a (rows, cols) mask: lengths of runs down the columns, zeros first."""
    flat = mask.ravel(order="F")
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    bounds = np.concatenate(([0], edges, [flat.size]))
    lengths = np.diff(bounds).tolist()
    return [0, *lengths] if flat.size and flat[0] else lengths


def write_dataset(
    folder: ExportFolder, parts: Callable[[], Iterable[dict[str, Any]]], info: dict[str, Any]
) -> list[WrittenFile]:
    """The annotation files, from the fragments of all studies; `parts` gives them anew at every call."""
    written = []
    for name, split, rle in (
        ("instances", None, False),
        ("instances_rle", None, True),
        *((f"instances_{split.value}", split, False) for split in Split),
    ):
        path = f"{FOLDER}/{name}.json"
        _write_stream(
            folder.root / path,
            {
                "info": info,
                "licenses": [],
                "categories": CATEGORIES,
                "videos": _videos(parts(), split),
                "images": _images(parts(), split),
                "annotations": _annotations(parts(), split, rle),
            },
        )
        written.append(folder.note(path))
    return written


def _clips(parts: Iterable[dict[str, Any]]) -> Iterator[tuple[int, dict[str, Any]]]:
    """(video id, entry) of every clip: ids are the same in all files."""
    return enumerate(itertools.chain.from_iterable(part.get("coco", ()) for part in parts), start=1)


def _in(entry: dict[str, Any], split: Split | None) -> bool:
    return split is None or entry["split"] == split.value


def _videos(parts: Iterable[dict[str, Any]], split: Split | None) -> Iterator[dict[str, Any]]:
    for number, entry in _clips(parts):
        if _in(entry, split):
            yield {"id": number, **{key: value for key, value in entry.items() if key != "images"}}


def _numbered(
    parts: Iterable[dict[str, Any]],
) -> Iterator[tuple[int, int, dict[str, Any], dict[str, Any]]]:
    count = itertools.count(1)
    for number, entry in _clips(parts):
        for image in entry["images"]:
            yield next(count), number, entry, image


def _images(parts: Iterable[dict[str, Any]], split: Split | None) -> Iterator[dict[str, Any]]:
    for image_id, video, entry, image in _numbered(parts):
        if _in(entry, split):
            yield {
                "id": image_id,
                "file_name": image["file_name"],
                "height": entry["height"],
                "width": entry["width"],
                "video_id": video,
                "frame_index": image["frame_index"],
                "time_s": image["time_s"],
                "split": entry["split"],
                "patient": entry["patient"],
            }


def _annotations(parts: Iterable[dict[str, Any]], split: Split | None, rle: bool) -> Iterator[dict[str, Any]]:
    count, tracks = itertools.count(1), itertools.count(1)
    ids: dict[str, int] = {}
    seen = 0
    for image_id, video, entry, image in _numbered(parts):
        if video != seen:
            ids, seen = {}, video  # tracks do not reach beyond their clip
        for annotation in image["annotations"]:
            number = next(count)
            track = annotation["track"]
            if track not in ids:
                ids[track] = next(tracks)
            if _in(entry, split):
                yield {
                    "id": number,
                    "image_id": image_id,
                    "video_id": video,
                    "track_id": ids[track],
                    "category_id": annotation["category_id"],
                    "bbox": annotation["bbox"],
                    "area": annotation["area"],
                    "iscrowd": 0,
                    "segmentation": annotation["rle"] if rle else annotation["segmentation"],
                    "attributes": annotation["attributes"],
                }


def _write_stream(path: Path, content: dict[str, Any]) -> None:
    """A JSON object whose lists may be longer than memory."""
    temporary = path.with_name(path.name + ".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    with temporary.open("w", encoding="ascii", newline="\n") as file:
        for first, (key, value) in zip(
            itertools.chain("{", itertools.repeat(",\n")), content.items(), strict=False
        ):
            file.write(f"{first}{json.dumps(key)}:")
            if isinstance(value, Iterator):
                file.write("[")
                for separator, member in zip(
                    itertools.chain([""], itertools.repeat(",\n")), value, strict=False
                ):
                    file.write(separator + json.dumps(member, separators=(",", ":"), allow_nan=False))
                file.write("]")
            else:
                file.write(json.dumps(value, separators=(",", ":"), allow_nan=False))
        file.write("}\n")
    temporary.replace(path)
