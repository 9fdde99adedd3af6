"""From a folder of studies to a trained toy segmenter: the walk of docs/research.md, runnable.

    python docs/examples/toy_segmenter.py FOLDER [--patients 6]

Makes phantom studies in FOLDER/studies, lets a made-up reader outline what is
known to be a vein, exports a COCO data set into FOLDER/set, and trains a
random forest on its pixels.  It shows the way of the data; it is no detector.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
from pycocotools.coco import COCO
from sklearn.ensemble import RandomForestClassifier

import veinscan
from veinscan.deidentify import project_key
from veinscan.export import ExportOptions, Format, export_studies, item_of
from veinscan.phantom import make_clip
from veinscan.phantom.writing import Patient, StudyInfo, region, write_clip
from veinscan.plan.editing import new_record
from veinscan.plan.model import CandidateReview, Decision, Reader
from veinscan.record import save_record

SHAPE, SPACING_MM, FRAMES = (220, 280), 0.1, 3


def make_study(folder: Path, seed: int) -> list[dict]:
    """One clip of a made-up patient; returns what is true of its vessels."""
    frames, truth = make_clip(
        seed, "transverse", spacing_mm=SPACING_MM, shape=SHAPE, n_frames=FRAMES, compression=False
    )
    folder.mkdir(parents=True)
    info = StudyInfo(
        seed=seed,
        session=0,
        patient=Patient(name=f"Toy^N{seed}", patient_id=f"T{seed}", sex="O", birth_date="19700101"),
        begun=datetime(2025, 1, 6),
        side="left",
    )
    picture = region(  # a region that is the whole screen would not be believed
        (14, 0, SHAPE[0] - 6, SHAPE[1]), space=1, data=1, units=(3, 3), deltas=(SPACING_MM / 10,) * 2
    )
    write_clip(
        folder / "clip.dcm", frames, info, number=1, when=datetime(2025, 1, 6), syntax="1.2.840.10008.1.2.5",
        regions=[picture], image_flags="0001", description="toy", frame_time_ms=60.0,
    )  # fmt: skip
    return truth["vessels"]


def read_study(folder: Path, vessels: list[dict]) -> None:
    """What a reader does in the window: every vein is outlined, on every frame, and the reading is saved."""
    study = veinscan.open_study(folder)
    clip = study.clips[0]
    reviews = tuple(
        CandidateReview(
            candidate_id=f"{vessel['name']}-{frame}", sop_instance_uid=clip.sop_instance_uid,
            frame_index=int(frame), centre=tuple(seen["centre"]), diameter_mm=seen["diameter_mm"],
            outline=tuple(map(tuple, seen["outline"])), depth_mm=seen["depth_mm"], score=1.0,
            decision=Decision.VEIN, reviewed_by="Toy Reader", outlined_by="Toy Reader",
        )
        for vessel in vessels if vessel["type"] == "vein"
        for frame, seen in vessel["frames"].items()
    )  # fmt: skip
    record = replace(new_record(study, purpose="research"), reviews=reviews)
    save_record(study, record, Reader(name="Toy Reader"))


def features(picture: np.ndarray) -> np.ndarray:
    """(rows, cols, k): grey, its means around at four sizes, and how far down the pixel lies."""
    grey = picture.astype(np.float32)
    blurred = [cv2.GaussianBlur(grey, (0, 0), sigma) for sigma in (1.5, 3, 6, 12)]
    rows = np.broadcast_to(np.arange(grey.shape[0], dtype=np.float32)[:, None], grey.shape)
    return np.stack([grey, *blurred, blurred[0] - blurred[3], rows], axis=-1)


def load(folder: Path, split: str) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Pixels and labels of one split of a COCO data set, and its masks."""
    coco = COCO(str(folder / f"instances_{split}.json"))
    pixels, labels, masks = [], [], []
    for image in coco.loadImgs(coco.getImgIds()):
        picture = cv2.imread(str(folder / "images" / image["file_name"]), cv2.IMREAD_GRAYSCALE)
        mask = np.zeros(picture.shape, bool)
        for annotation in coco.loadAnns(coco.getAnnIds(imgIds=image["id"])):
            polygon = np.array(annotation["segmentation"][0]).reshape(-1, 2)
            mask |= (
                cv2.fillPoly(np.zeros(picture.shape, np.uint8), [np.int32(np.round(polygon - 0.5))], 1) > 0
            )
        pixels.append(features(picture))
        labels.append(mask)
        masks.append(mask)
    return np.array(pixels), np.array(labels), masks


def train(folder: Path) -> dict[str, float]:
    """Fit on the training patients, and Dice on those of the test."""
    x, y, _ = load(folder, "train")
    rng = np.random.default_rng(0)
    inside, outside = np.flatnonzero(y.ravel()), np.flatnonzero(~y.ravel())
    chosen = np.concatenate([inside, rng.choice(outside, min(len(outside), 4 * len(inside)), replace=False)])
    forest = RandomForestClassifier(40, max_depth=12, n_jobs=1, random_state=0, class_weight="balanced")
    forest.fit(x.reshape(-1, x.shape[-1])[chosen], y.ravel()[chosen])
    pictures, truth, _ = load(folder, "test")
    found = forest.predict_proba(pictures.reshape(-1, x.shape[-1]))[:, 1].reshape(truth.shape) > 0.8
    dice = 2 * (found & truth).sum() / max(1, found.sum() + truth.sum())
    blind = 2 * truth.sum() / (truth.size + truth.sum())
    return {"dice": round(float(dice), 3), "dice_of_all_vein": round(float(blind), 3)}


def main(argv: list[str] | None = None) -> dict[str, float]:
    """The whole way; returns how well the segmenter does on the test patients."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--patients", type=int, default=6)
    asked = parser.parse_args(argv)

    studies = asked.folder / "studies"
    for seed in range(asked.patients):
        read_study(studies / f"{seed:03d}", make_study(studies / f"{seed:03d}", seed))

    key = project_key("toy")
    items = [item_of(veinscan.open_study(place), key) for place in sorted(studies.iterdir())]
    options = ExportOptions(formats=(Format.COCO, Format.CSV), fractions=(0.67, 0.0, 0.33))
    exported = export_studies(items, asked.folder / "set", options, key)
    print(json.dumps(json.loads((exported.folder / "dataset.json").read_text())["counts"]))

    result = train(exported.folder / "coco")
    print(json.dumps(result))
    return result


if __name__ == "__main__":
    main()
