"""One frame: scored lumens that do not overlap."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from veinscan.candidates.propose import PreparedFrame, propose
from veinscan.candidates.score import contributions

OVERLAP = 0.3
"""Of two rings that share more than this part of the smaller one, the weaker goes."""

MIN_LOGIT = -3.0
"""Rings with a weaker sum are not kept on a frame (a score of 0.05)."""

PER_FRAME = 16
"""Most lumens kept on a frame."""

SIZE_MARGIN = 1.1
"""A fitted diameter may leave the range looked for by this factor."""


@dataclass(frozen=True, slots=True)
class Lumen:
    """A dark ring-walled place on one frame, in pixels of the grid."""

    outline: npt.NDArray[np.float64]
    """(k, 2) `(row, col)`."""
    centre: tuple[float, float]
    minor_px: float
    major_px: float
    angle: float
    """Direction of the major axis, 0 lateral."""
    logit: float
    parts: npt.NDArray[np.float64]
    """Summands of the logit."""


def overlap(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float:
    """Shared area of two polygons as a part of the smaller one, on a raster of about 1/40 of their extent."""
    if (one.max(axis=0) < other.min(axis=0)).any() or (other.max(axis=0) < one.min(axis=0)).any():
        return 0.0
    low = np.minimum(one.min(axis=0), other.min(axis=0))
    extent = float((np.maximum(one.max(axis=0), other.max(axis=0)) - low).max())
    scale = 40.0 / max(extent, 1e-6)
    masks = []
    for polygon in (one, other):
        mask = np.zeros((42, 42), np.uint8)
        vertices = np.round((polygon - low) * scale)[:, ::-1].astype(np.int32)
        cv2.fillPoly(mask, [vertices], 1)
        masks.append(mask)
    smaller = min(int(masks[0].sum()), int(masks[1].sum()))
    return float((masks[0] & masks[1]).sum() / max(smaller, 1))


def detect(prepared: PreparedFrame, diameters_mm: tuple[float, float]) -> list[Lumen]:
    """The lumens of a frame, strongest first; equal scores keep the order of size and place."""
    found = propose(prepared, diameters_mm)
    if not len(found.features):
        return []
    parts = contributions(found.features)
    logits = parts.sum(axis=1)
    size_mm = found.shapes.minor * prepared.pixel_mm
    fits = (size_mm >= diameters_mm[0] / SIZE_MARGIN) & (size_mm <= diameters_mm[1] * SIZE_MARGIN)
    kept: list[Lumen] = []
    for index in np.argsort(-logits, kind="stable"):
        if logits[index] < MIN_LOGIT or len(kept) >= PER_FRAME:
            break
        outline = found.outlines[index]
        if not fits[index] or any(overlap(outline, other.outline) > OVERLAP for other in kept):
            continue
        row, col = found.shapes.centre[index]
        kept.append(
            Lumen(
                outline,
                (float(row), float(col)),
                float(found.shapes.minor[index]),
                float(found.shapes.major[index]),
                float(found.shapes.angle[index]),
                float(logits[index]),
                parts[index],
            )
        )
    return kept
