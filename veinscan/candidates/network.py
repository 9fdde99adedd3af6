"""Where lumens are, by a small trained network: maps of vessel, nerve and core, and proposals read off them.

The network (a U-Net; `training/` in the source tree trains it) sees the image at 0.08 mm per pixel, the
resolution it was trained at (coarser alone, and lumens under 2 mm are missed), and once more at about half
of it, where it sees more around.  It runs in OpenCV's dnn module.
It says where; the wall fit says how wide.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from skimage import measure, segmentation

from veinscan.candidates.model import Outline
from veinscan.errors import InvalidInputError

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

NETWORK_MM = 0.08
"""Pixel size at the network's input, in mm."""
MAP_MM = 2 * NETWORK_MM
"""Pixel size of the maps it gives, in mm."""
STRIDE = 64
"""Its input's rows and columns are multiples of this."""
COARSE = 0.55
"""The picture is looked at once more at this part of its size, and the maps are averaged: what is a vessel
in its surroundings shows better there (cross-entropy of the map .069 at full size, .057 for both)."""
SQUEEZE = 0.06
"""Part of its rows or columns that the picture may lose where that spares a stride of padding."""
LARGEST_INPUT = 2048
"""Rows or columns at the network; a larger field is looked at in coarser pixels."""
WEIGHTS = "lumen.onnx"

SEED_LEVELS = (0.75, 0.53, 0.37, 0.26, 0.18, 0.13, 0.09, 0.06, 0.04, 0.025)
"""Falling levels of vessel x core; a peak that stands apart at one of them is a lumen of its own."""
SEED_PIXELS = 3
"""Smallest seed in pixels of the maps."""
FLOOR = 0.06
"""Vessel probability below which nothing belongs to a lumen."""
WALL_SHARE = 0.5
"""The outline runs where the probability falls to this share of the lumen's own level."""
LEAST_MM2 = 0.25
"""Smaller regions (a disc of 0.56 mm) are below what the maps resolve."""


@dataclass(frozen=True, slots=True)
class LumenMaps:
    """What the network says, on its own grid of `MAP_MM`; (rows, cols) float32 in 0..1 each."""

    vessel: Floats
    nerve: Floats
    core: Floats
    """High in the middle of each lumen, low between two that touch."""
    scale: tuple[float, float]
    """Map pixels to an image pixel along rows and columns."""

    def to_image(self, points: npt.NDArray[np.floating[Any]]) -> Outline:
        """(k, 2) map positions to `(row, col)` of the image."""
        return np.asarray((points + 0.5) / np.asarray(self.scale) - 0.5, np.float32)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A place that looks like a lumen, in pixels of the image."""

    outline: Outline
    """(k, 2) float32 `(row, col)`."""
    score: float
    """0..1: share of such proposals that were vessels on held-out images."""
    nerve_probability: float
    """Mean of the nerve map inside, 0..1."""
    vessel_probability: float
    """Mean of the vessel map inside, 0..1."""


def checked(
    image: npt.NDArray[Any], spacing_mm: float | tuple[float, float]
) -> tuple[Bytes, tuple[float, float]]:
    """The image and its (row, col) spacing; InvalidInputError says what to pass instead."""
    if not isinstance(image, np.ndarray) or image.ndim != 2 or image.dtype != np.uint8:
        seen = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise InvalidInputError(f"an image of {seen}", do="pass one grey frame: uint8 of (rows, columns)")
    try:
        pair = np.broadcast_to(np.asarray(spacing_mm, float), (2,))
    except (TypeError, ValueError) as error:
        raise InvalidInputError(
            f"a pixel spacing of {spacing_mm!r}", do="pass mm, or (row, col) in mm"
        ) from error
    if not np.all(np.isfinite(pair)) or pair.min() <= 0 or pair.max() > 10:
        raise InvalidInputError(
            f"a pixel spacing of {spacing_mm!r} mm", do="pass mm per pixel above 0 and up to 10"
        )
    return image, (float(pair[0]), float(pair[1]))


def network_input(
    image: Bytes, spacing_mm: tuple[float, float]
) -> tuple[Floats, tuple[int, int], tuple[float, float]]:
    """The image in 0..1 at the network's resolution, padded with 0 to whole strides.

    Returns the input, the (rows, cols) that hold the image, and input pixels to an image pixel.
    """
    wanted = [extent * mm / NETWORK_MM for extent, mm in zip(image.shape, spacing_mm, strict=True)]
    shrink = min(1.0, LARGEST_INPUT / max(wanted))
    rows, cols = (_fitted(value * shrink) for value in wanted)
    scale = (rows / image.shape[0], cols / image.shape[1])
    method = cv2.INTER_AREA if min(scale) < 1 else cv2.INTER_LINEAR
    small = cv2.resize(image, (cols, rows), interpolation=method)
    padded = np.zeros((math.ceil(rows / STRIDE) * STRIDE, math.ceil(cols / STRIDE) * STRIDE), np.float32)
    padded[:rows, :cols] = small.astype(np.float32) / 255
    return padded, (rows, cols), scale


def _fitted(wanted: float) -> int:
    """Even number of rows or columns at the network for so many wanted."""
    count = max(2 * round(wanted / 2), 2)
    over = count % STRIDE
    return count - over if count > STRIDE and over <= SQUEEZE * count else count


class Network:
    """The shipped weights in OpenCV's dnn; threads that ask at once each get a copy of it."""

    def __init__(self, weights: bytes) -> None:
        self._weights = np.frombuffer(weights, np.uint8)
        self._idle: list[Any] = [cv2.dnn.readNetFromONNX(self._weights)]
        self._lock = threading.Lock()

    def forward(self, padded: Floats) -> Floats:
        """(rows, cols) in 0..1 to (4, rows / 2, cols / 2): background, vessel, nerve, core."""
        with self._lock:
            net = self._idle.pop() if self._idle else None
        if net is None:
            net = cv2.dnn.readNetFromONNX(self._weights)
        try:
            net.setInput(padded[None, None])
            return np.array(net.forward()[0], np.float32)
        finally:
            with self._lock:
                self._idle.append(net)


@cache
def shipped_network() -> Network:
    """The weights that come with veinscan, read once in a process."""
    return Network(files("veinscan.candidates").joinpath("weights", WEIGHTS).read_bytes())


def lumen_maps(image: npt.NDArray[Any], spacing_mm: float | tuple[float, float]) -> LumenMaps:
    """Vessel, nerve and core on the network's own grid.

    Parameters
    ----------
    image : (rows, cols) uint8
        One grey frame of the tissue region.
    spacing_mm : float or (row, col)
        Pixel size in mm.

    Raises
    ------
    InvalidInputError
        Another kind of image, or a spacing that is not above 0.
    """
    frame, spacing = checked(image, spacing_mm)
    if not frame.size:
        raise InvalidInputError("an image without pixels", do="pass one grey frame: uint8 of (rows, columns)")
    return averaged_maps(frame, spacing, shipped_network().forward)


def averaged_maps(
    image: Bytes, spacing_mm: tuple[float, float], forward: Callable[[Floats], Floats]
) -> LumenMaps:
    """Mean of what `forward` says at full size and at `COARSE` of it, on the grid of the former."""
    padded, (rows, cols), scale = network_input(image, spacing_mm)
    maps = forward(padded)[1:, : rows // 2, : cols // 2]
    padded, (low_rows, low_cols), _ = network_input(image, (spacing_mm[0] * COARSE, spacing_mm[1] * COARSE))
    coarse = forward(padded)[1:, : low_rows // 2, : low_cols // 2]
    size = (cols // 2, rows // 2)
    vessel, nerve, core = (
        np.asarray(0.5 * (fine + cv2.resize(low, size, interpolation=cv2.INTER_LINEAR)), np.float32)
        for fine, low in zip(maps, coarse, strict=True)
    )
    return LumenMaps(vessel, nerve, core, (scale[0] / 2, scale[1] / 2))


def lumen_probability(image: npt.NDArray[Any], spacing_mm: float | tuple[float, float]) -> Floats:
    """(rows, cols) float32 in 0..1: how likely each pixel lies in a vessel; arguments as `lumen_maps`."""
    maps = lumen_maps(image, spacing_mm)
    rows, cols = np.asarray(image).shape
    return np.asarray(cv2.resize(maps.vessel, (cols, rows), interpolation=cv2.INTER_LINEAR), np.float32)


def seeds_of(maps: LumenMaps) -> Labels:
    """(rows, cols) int32: 0, or the number of the lumen whose middle lies here."""
    peak_map = cv2.GaussianBlur(maps.vessel * maps.core, (0, 0), 0.7)
    seeds = np.zeros(peak_map.shape, np.int32)
    # nothing grows together across what is below the lowest level: each island is looked at by itself
    lowest = (peak_map > SEED_LEVELS[-1]).astype(np.uint8)
    count, islands, stats, _ = cv2.connectedComponentsWithStats(lowest, connectivity=8)
    number = 0
    for island in range(1, count):
        left, top, width, height = (int(value) for value in stats[island, :4])
        box = np.s_[top : top + height, left : left + width]
        own = islands[box] == island
        here = _seeds_on(np.where(own, peak_map[box], 0.0), number)
        seeds[box][own] = here[own]
        number = max(number, int(here.max()))
    return seeds


def _seeds_on(peaks: Floats, last: int) -> Labels:
    """The seeds of one island of the peak map, numbered on from `last`."""
    seeds = np.zeros(peaks.shape, np.int32)
    highest = float(peaks.max())
    for level in SEED_LEVELS:
        if highest <= level:
            continue
        count, parts, stats, _ = cv2.connectedComponentsWithStats(
            (peaks > level).astype(np.uint8), connectivity=8
        )
        held = np.zeros(count, bool)
        held[parts[seeds > 0]] = True
        held[0] = True
        for part in np.flatnonzero(~held & (stats[:, cv2.CC_STAT_AREA] >= SEED_PIXELS)):
            last += 1
            seeds[parts == part] = last
    return seeds


def regions_of(maps: LumenMaps, seeds: Labels) -> list[tuple[tuple[slice, slice], Flags, float]]:
    """Box, basin and level of each seed: basins of touching lumens are parted by a watershed."""
    mask = (maps.vessel > FLOOR) | (seeds > 0)
    count, parts, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    found: list[tuple[tuple[slice, slice], Flags, float]] = []
    for part in range(1, count):
        left, top, width, height = (int(value) for value in stats[part, :4])
        box = (slice(top, top + height), slice(left, left + width))
        inside = parts[box] == part
        local = np.where(inside, seeds[box], 0)
        numbers = np.unique(local[local > 0])
        basins = None
        if len(numbers) > 1:
            height_map = -maps.vessel[box] * (0.5 + maps.core[box])
            basins = segmentation.watershed(height_map, local, mask=inside)  # type: ignore[no-untyped-call]
        for number in numbers:
            basin = inside if basins is None else basins == number
            level = float(np.median(maps.vessel[box][local == number]))
            found.append((box, np.asarray(basin, bool), level))
    return found


def outline_of(
    maps: LumenMaps, box: tuple[slice, slice], basin: Flags, level: float
) -> tuple[Outline, Flags] | None:
    """The line where the vessel map falls to its share of the level, and the pixels within."""
    field = np.pad(np.where(basin, maps.vessel[box], 0.0), 1)
    cut = max(WALL_SHARE * level, FLOOR)
    count, parts = cv2.connectedComponents((field > cut).astype(np.uint8), connectivity=4)
    if count < 2:
        return None
    largest = 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))
    field = np.where(
        cv2.dilate((parts == largest).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0, field, 0.0
    )
    lines = measure.find_contours(field, cut)  # type: ignore[no-untyped-call]
    if not lines:
        return None
    line = max(lines, key=len)[:-1]
    rims, _ = cv2.findContours((parts == largest).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    inside = cv2.fillPoly(np.zeros(field.shape, np.uint8), rims, 1)[1:-1, 1:-1] > 0
    offset = np.array([box[0].start - 1, box[1].start - 1])
    return np.asarray(line + offset, np.float32), np.asarray(inside, bool)


def logistic(value: float) -> float:
    """1 / (1 + exp(-value)) without overflow."""
    return 0.5 * (1 + math.tanh(0.5 * value))


def log_odds(probability: float) -> float:
    """Log of p / (1 - p), cut at 2 % and 98 %."""
    p = min(max(probability, 0.02), 0.98)
    return math.log(p / (1 - p))


WEIGHTS_OF_SCORE = {
    "one": -5.915,
    "vessel": 0.483,
    "core": 0.183,
    "nerve": -2.378,
    "size": -0.136,
    "size_squared": 0.103,
    "solidity": 4.661,
    "sharpness": 3.665,
    "border": -0.404,
}
"""Logistic weights of `features_of`, fitted on the held-out blocks of the cross-validation."""


def features_of(maps: LumenMaps, box: tuple[slice, slice], inside: Flags, line: Outline) -> dict[str, float]:
    """What the score is made of: log odds, shares, and the logarithm of the area in mm2."""
    vessel, core, nerve = maps.vessel[box], maps.core[box], maps.nerve[box]
    hull = cv2.contourArea(cv2.convexHull(line.reshape(-1, 1, 2)))
    area = cv2.contourArea(line.reshape(-1, 1, 2))
    ring = (cv2.dilate(inside.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0) & ~inside
    rows, cols = maps.vessel.shape
    edge = (line[:, 0] < 1.5) | (line[:, 1] < 1.5) | (line[:, 0] > rows - 2.5) | (line[:, 1] > cols - 2.5)
    size = math.log(max(area, 1.0) * MAP_MM**2)
    return {
        "one": 1.0,
        "vessel": log_odds(float(vessel[inside].mean())),
        "core": log_odds(float(np.percentile(core[inside], 90))),
        "nerve": float(nerve[inside].mean()),
        "size": size,
        "size_squared": (size - 2) ** 2,
        "solidity": area / hull if hull > 0 else 1.0,
        "sharpness": float(vessel[inside].mean() - (vessel[ring].mean() if ring.any() else 0.0)),
        "border": float(edge.mean()),
    }


def proposals_of(maps: LumenMaps) -> list[tuple[Proposal, dict[str, float]]]:
    """Every lumen that the maps hint at with the features of its score, best first."""
    found: list[tuple[Proposal, dict[str, float]]] = []
    for box, basin, level in regions_of(maps, seeds_of(maps)):
        traced = outline_of(maps, box, basin, level)
        if traced is None or traced[1].sum() * MAP_MM**2 < LEAST_MM2 or len(traced[0]) < 4:
            continue
        line, inside = traced
        features = features_of(maps, box, inside, line)
        score = logistic(sum(WEIGHTS_OF_SCORE[name] * value for name, value in features.items()))
        found.append((Proposal(maps.to_image(line), score, features["nerve"], features["vessel"]), features))
    return sorted(found, key=lambda pair: -pair[0].score)


def propose(
    image: npt.NDArray[Any], spacing_mm: float | tuple[float, float], *, min_score: float = 0.02
) -> list[Proposal]:
    """Places that look like a lumen, best first; arguments and errors as `lumen_maps`."""
    return [found for found, _ in proposals_of(lumen_maps(image, spacing_mm)) if found.score >= min_score]
