"""Pictures without masks, with what earlier networks make of them as their targets."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from training.data import Sample, sample_with
from training.evaluate import maps_of
from training.export import load
from training.model import Probabilities

SHARPENED = 1.5
"""Power that draws a probability towards 0 or 1, so that what is sure is surely learnt."""


def sharpened(probability: np.ndarray) -> np.ndarray:
    """The same order, further from a half."""
    yes, no = probability**SHARPENED, (1 - probability) ** SHARPENED
    return np.asarray(yes / np.maximum(yes + no, 1e-9), np.float32)


def read_unlabelled(folder: Path, teachers: list[Path], width_mm: float) -> list[Sample]:
    """Every picture of a folder, taken as `width_mm` wide; targets are the mean of the teachers' maps."""
    nets = [load(path) for path in teachers]
    return [_sample(path, nets, width_mm) for path in sorted(folder.glob("*.jpg"))]


def _sample(path: Path, nets: list[Probabilities], width_mm: float) -> Sample:
    image = np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE))
    size = image.shape[1], image.shape[0]
    spacing = width_mm / size[0]
    seen = [maps_of(net, image, spacing, flip=False) for net in nets]
    vessel, nerve, core = (
        sharpened(cv2.resize(np.mean(maps, axis=0), size, interpolation=cv2.INTER_LINEAR))
        for maps in zip(*((one.vessel, one.nerve, one.core) for one in seen), strict=True)
    )
    # as the loss reads them: nerve where there is no vessel, core from a depth of 0.4 to 0.6
    target = np.dstack([vessel, np.clip(nerve / np.maximum(1 - vessel, 1e-3), 0, 1), 0.4 + 0.2 * core])
    nothing = np.zeros(image.shape, np.int32)
    return sample_with(path.stem, image, nothing, nothing > 0, target.astype(np.float32), spacing)
