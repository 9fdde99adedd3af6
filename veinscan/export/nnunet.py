"""nnU-Net v2, 2D natural images: `Dataset001_veinscan/imagesTr`, `labelsTr`, `imagesTs`, `labelsTs`.

One case is one labelled frame, as a PNG of three channels (grey repeated:
all cases of a data set need the same number).  Training and validation lie
together, as nnU-Net wants it, and `splits_final.json` says which is which; it
goes into the folder of the preprocessed data set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from veinscan.export.folder import ExportFolder, json_bytes
from veinscan.export.model import Split, WrittenFile
from veinscan.export.names import frame_name
from veinscan.export.pictures import LABELS, clean_frame, label_mask, png, rgb
from veinscan.export.study import StudyCase


def folder_name(number: int) -> str:
    """'Dataset001_veinscan'."""
    return f"Dataset{number:03d}_veinscan"


def write_case(case: StudyCase, folder: ExportFolder, number: int) -> tuple[list[WrittenFile], list[str]]:
    """Pictures and masks of the labelled frames of a study, and their names."""
    files, names = [], []
    end = "Ts" if case.split is Split.TEST else "Tr"
    root = folder_name(number)
    for clip in case.clips:
        if not clip.has_pixels:
            continue
        for index in clip.frames:
            name = frame_name(clip.name, index)
            marks = [mark for mark in clip.marks if mark.frame_index == index]
            mask = label_mask(marks, clip.clip.rows, clip.clip.columns)
            files.append(
                folder.write(f"{root}/images{end}/{name}_0000.png", png(rgb(clean_frame(clip, index))))
            )
            files.append(folder.write(f"{root}/labels{end}/{name}.png", png(mask)))
            names.append(name)
    return files, names


def write_dataset(
    folder: ExportFolder, parts: Callable[[], Iterable[dict[str, Any]]], number: int
) -> list[WrittenFile]:
    """`dataset.json` and `splits_final.json`."""
    root = folder_name(number)
    names: dict[str, list[str]] = {split.value: [] for split in Split}
    for part in parts():
        names[part["split"]] += part.get("nnunet", [])
    training = len(names["train"]) + len(names["validation"])
    dataset = {
        "channel_names": {"0": "R", "1": "G", "2": "B"},
        "labels": LABELS,
        "numTraining": training,
        "file_ending": ".png",
        "overwrite_image_reader_writer": "NaturalImage2DIO",
        "name": "veinscan",
    }
    splits = [{"train": names["train"], "val": names["validation"]}]
    return [
        folder.write(f"{root}/dataset.json", json_bytes(dataset, indent=1)),
        folder.write(f"{root}/splits_final.json", json_bytes(splits, indent=1)),
    ]
