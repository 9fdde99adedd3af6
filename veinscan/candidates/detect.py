"""One frame: scored lumens that do not overlap."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from veinscan.candidates import joint_score
from veinscan.candidates.agreed import agreed_outlines
from veinscan.candidates.join import joined_pieces
from veinscan.candidates.joint import NetworkView, pool_of
from veinscan.candidates.propose import PreparedFrame, propose
from veinscan.candidates.refine import refine_outlines
from veinscan.candidates.score import shipped_scorer
from veinscan.candidates.seeds import Seeds
from veinscan.candidates.shapes import BAND_FROM, inner_diameters, measure_polygons
from veinscan.candidates.tube import Tube, trace_tube
from veinscan.candidates.walls import RAYS

OVERLAP = 0.3
"""Of two rings that share more than this part of the smaller one, the weaker goes."""

MIN_LOGIT = -3.0
"""Rings with a weaker sum are not kept on a frame (a score of 0.05)."""

PER_FRAME = 16
"""Most lumens kept on a frame."""

PIECE_RATIO = 1.7
"""A ring that a tube covers is a piece of it when their widths differ by no more."""

SIZE_MARGIN = 1.1
"""A fitted diameter may leave the range looked for by this factor."""


@dataclass(frozen=True, slots=True)
class Lumen:
    """A dark ring-walled place on one frame, in pixels of the grid."""

    outline: npt.NDArray[np.float64]
    """(k, 2) `(row, col)`."""
    centre: tuple[float, float]
    diameter_px: float
    """Inner diameter: minor axis, or the width of a band."""
    logit: float
    parts: npt.NDArray[np.float64]
    """Summands of the logit."""
    major_px: float = 0.0
    """The longer axis; of a tube seen lengthwise its length."""
    tube: Tube | None = None
    """Course and walls of a tube seen lengthwise, else None."""

    @property
    def length_px(self) -> float | None:
        """Length of a tube seen lengthwise along its axis, else None."""
        return None if self.tube is None else self.tube.length_px


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
    """The lumens of a frame by the classical path, strongest first; equal ones by size and place."""
    found = propose(prepared, diameters_mm)
    if not len(found.features):
        return []
    scorer = shipped_scorer()
    logits = scorer.logits(found.features)
    kept = picked(prepared, found.outlines, logits, diameters_mm)
    outlines = agreed_outlines(prepared, found.outlines[kept], np.zeros((0, RAYS, 2)))
    return _lumens(prepared, outlines, logits[kept], scorer.parts(found.features[kept]))


def detect_jointly(
    prepared: PreparedFrame, view: NetworkView, diameters_mm: tuple[float, float], seeds: Seeds
) -> list[Lumen]:
    """The lumens of a frame by the network and the classical path together, strongest first.

    `seeds` are the maxima of the classical response.
    """
    pool = pool_of(prepared, view, diameters_mm, seeds)
    if not len(pool.outlines):
        return []
    logits = joint_score.logits(pool)
    kept = picked(prepared, pool.outlines, logits, diameters_mm)
    outlines = agreed_outlines(prepared, pool.outlines[kept], pool.places)
    # two halves of one of the network's outlines have both become the whole, in other sizes
    fits = of_size(prepared, outlines, diameters_mm)
    alone = [place for place in apart(outlines) if fits[place]]
    kept = [kept[place] for place in alone]
    return _lumens(prepared, outlines[alone], logits[kept], joint_score.parts(pool.only(kept)))


def of_size(
    prepared: PreparedFrame, outlines: npt.NDArray[np.float64], diameters_mm: tuple[float, float]
) -> npt.NDArray[np.bool_]:
    """(n,) which outlines are of the sizes looked for."""
    size_mm = inner_diameters(outlines, measure_polygons(outlines)) * prepared.pixel_mm
    fits = (size_mm >= diameters_mm[0] / SIZE_MARGIN) & (size_mm <= diameters_mm[1] * SIZE_MARGIN)
    return np.asarray(fits, bool)


def apart(outlines: npt.NDArray[np.float64]) -> list[int]:
    """Places of outlines, strongest first, that share little with every stronger one."""
    kept: list[int] = []
    for index, outline in enumerate(outlines):
        if all(overlap(outline, outlines[stronger]) <= OVERLAP for stronger in kept):
            kept.append(index)
    return kept


def picked(
    prepared: PreparedFrame,
    outlines: npt.NDArray[np.float64],
    logits: npt.NDArray[np.float64],
    diameters_mm: tuple[float, float],
) -> list[int]:
    """Indices of the strongest outlines of the sizes looked for that do not share much area."""
    fits = of_size(prepared, outlines, diameters_mm)
    low, high = outlines.min(axis=1), outlines.max(axis=1)
    kept: list[int] = []
    for index in np.argsort(-logits, kind="stable").tolist():
        if logits[index] < MIN_LOGIT or len(kept) >= PER_FRAME:
            break
        if not fits[index]:
            continue
        meets = (low[kept] <= high[index]).all(axis=1) & (low[index] <= high[kept]).all(axis=1)
        if all(overlap(outlines[index], outlines[kept[place]]) <= OVERLAP for place in np.flatnonzero(meets)):
            kept.append(index)
    return kept


def _lumens(
    prepared: PreparedFrame,
    outlines: npt.NDArray[np.float64],
    logits: npt.NDArray[np.float64],
    parts: npt.NDArray[np.float64],
) -> list[Lumen]:
    """Final outlines, strongest first, with the pieces of one tube joined."""
    if not len(outlines):
        return []
    lumens: list[Lumen] = []
    for group, outline in zip(*joined_pieces(prepared.image, list(outlines), logits), strict=True):
        best = group[0]
        made = _lumen(prepared, outline, float(logits[best]), parts[best], joined=len(group) > 1)
        _add(lumens, made)
    return lumens


def _add(lumens: list[Lumen], made: Lumen) -> None:
    """Append a lumen, weaker than all before it, unless it and one of them are pieces of the same tube."""
    for place, one in enumerate(lumens):
        if (one.tube is None and made.tube is None) or overlap(one.outline, made.outline) <= OVERLAP:
            continue
        if one.tube is not None:
            return
        wide, narrow = max(one.diameter_px, made.diameter_px), min(one.diameter_px, made.diameter_px)
        if wide <= PIECE_RATIO * narrow:
            lumens[place] = replace(made, logit=one.logit, parts=one.parts)
            return
    lumens.append(made)


def _lumen(
    prepared: PreparedFrame,
    outline: npt.NDArray[np.float64],
    logit: float,
    parts: npt.NDArray[np.float64],
    *,
    joined: bool,
) -> Lumen:
    """An outline with its measures; a long one is followed along its walls."""
    shape = measure_polygons(outline[None])
    if joined or shape.major[0] >= BAND_FROM * shape.minor[0]:
        tube = trace_tube(prepared.raw, outline, prepared.pixel_mm)
        if tube is not None:
            row, col = tube.axis[len(tube.axis) // 2]
            return Lumen(
                tube.outline, (float(row), float(col)), tube.diameter_px, logit, parts, tube.length_px, tube
            )
    if joined:
        for _ in range(2):  # a hull lies further off the walls than one step reaches
            outline = refine_outlines(prepared.image, outline[None], shape.centre, prepared.pixel_mm)[0]
        shape = measure_polygons(outline[None])
    return Lumen(
        outline,
        (float(shape.centre[0, 0]), float(shape.centre[0, 1])),
        float(inner_diameters(outline[None], shape)[0]),
        logit,
        parts,
        float(shape.major[0]),
    )
