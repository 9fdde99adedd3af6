"""The saphenous eye: two bright lines that part around a vein and meet again beside it.

The floor is the muscular fascia: bright, thin and seen far to both sides.  The roof, the saphenous
fascia, leaves it on one side of the vein, runs over it and comes back on the other.  A single bright
line says nothing: septa in fat and between muscles are bright lines too.  So an eye is looked for
around each lumen, and where none is seen clearly the compartment stays unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from veinscan.candidates.model import Compartment
from veinscan.candidates.paths import cheapest_paths

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

COLUMN_MM = 0.5
"""Width of the columns lines are read in."""

BESIDE_MM = 0.55
"""A line is brighter than what lies so far above and below it."""

SKIP_MM = 2.0
"""Depth under the skin from which fasciae are looked for: above it lie the dermis and its border."""

WALL_MM = 0.5
"""So far above and below a lumen bright lines are its walls."""

LINES = 4
"""Most floors tried on a frame, strongest first."""

APART_MM = 0.6
"""Floors are at least so far apart."""

JUMPS = (-2, -1, 0, 1, 2)
BEND_COST = 0.02
"""Rows of the grid that a floor may move from column to column, and the cost of one, with the square."""

FULL_LINE = 48.0
"""Grey levels of a full line above its surroundings."""

SEEN = 0.18
"""Part of a full line from which a line is seen in a column."""

FLOOR_SEEN, FLOOR_STRENGTH = 0.9, 0.65
"""A floor stands out in this share of the columns within `FLOOR_MM` of the lumen, and is so bright there."""
FLOOR_MM = 9.0
NEARLY = 0.8
"""A floor is at least this part as bright as the brightest line: a fascia outshines the septa of fat."""

ROOF_MM, ROOM_MM = 4.0, 0.3
"""The roof runs at most so far above the near wall; the second is for rounding."""

FLOOR_BELOW_MM = 3.0
"""The floor runs at most so far below the far wall."""

MERGED_MM = 0.7
"""Roof and floor that are so near are one line."""

WIDEST_MM = 18.0
"""The roof meets the floor within this distance of the vein."""

WORTH, MOST = 0.3, 0.8
"""Brightness from which a column speaks for the roof, and above which it says no more."""

SINKS = (1, 0, -1, -2, -3, -4)
"""Rows of the grid that a roof may rise or sink from column to column, outwards from its top."""
SINKS_MOSTLY, SINK_COST = -1.0, 0.015
"""Its usual slope (a quarter), and the cost of a row more or less, with the square."""

CUT_COST = 1.0
"""Cost, in columns of a full line, of every mm above the floor at which a roof leaves the picture."""

LEAST_SINK = 0.5
"""Part of its height by which a roof has sunk where the picture cuts it."""

LEAST_FLANK, LEAST_SEEN, LEAST_COLUMNS = 0.35, 0.75, 6
"""Brightness of the fainter side of the roof, share of its columns in which it is seen, their number."""

CLEARLY = 0.8
"""Eyes nearly as clear as the best (this part of it) must say the same."""

OWN_MM = 3.0
"""What lies further beside the vein that an eye was found around is not said to lie in it."""

MARGIN_MM = 0.2
"""What lies this near to a line is on neither side of it."""


@dataclass(frozen=True, slots=True)
class Eye:
    """Roof and floor of a saphenous compartment on one frame, in pixels of the grid."""

    cols: Array
    """(columns,)"""
    floor: Array
    """(columns,) row of the muscular fascia."""
    floor_seen: npt.NDArray[np.bool_]
    """(columns,) where it stands out."""
    roof: Array
    """(columns,) row of the saphenous fascia; that of the floor beside the eye."""
    clearness: float
    """Mean brightness of the fainter side of the roof, 1 being a full line."""
    around: tuple[float, float]
    """`(row, col)` of the lumen it was found around."""

    def place_of(self, outline: Array, pixel_mm: float) -> Compartment:
        """'epifascial', 'saphenous', 'subfascial', or 'unknown' for a (k, 2) lumen on or off the lines."""
        top, bottom = float(outline[:, 0].min()), float(outline[:, 0].max())
        row, col = (top + bottom) / 2, float(outline[:, 1].mean())
        if not self.cols[0] <= col <= self.cols[-1]:
            return "unknown"
        here = int(np.abs(self.cols - col).argmin())
        near = slice(max(0, here - 4), here + 5)
        if not self.floor_seen[near].mean() >= 0.6:
            return "unknown"
        margin = MARGIN_MM / pixel_mm
        floor, roof = float(self.floor[here]), float(self.roof[here])
        if row > floor + margin:
            return "subfascial" if top > floor - 3 * margin else "unknown"
        if row < roof - margin:
            return "epifascial" if bottom < roof + 3 * margin else "unknown"
        inside = (
            roof + margin < row < floor - margin and top > roof - 3 * margin and bottom < floor + 3 * margin
        )
        # far from the vein that the roof was drawn over, a septum is easily taken for its end
        own = abs(col - self.around[1]) * pixel_mm < OWN_MM
        return "saphenous" if inside and own else "unknown"


def line_response(
    image: Floats, pixel_mm: float, lumens: Sequence[Array] = ()
) -> tuple[Array, npt.NDArray[np.bool_]]:
    """(rows, columns) how much brighter than above and below, 1 a full line; and where walls of lumens lie.

    `image` (rows, cols) grey levels on the grid; `lumens` (k, 2) outlines on it, whose walls are no fasciae.
    """
    rows, cols = image.shape
    count = max(4, round(cols * pixel_mm / COLUMN_MM))
    narrow = cv2.resize(image, (count, rows), interpolation=cv2.INTER_AREA)
    line = cv2.GaussianBlur(narrow, (0, 0), sigmaX=0.5, sigmaY=max(0.12 / pixel_mm, 0.5))
    shift = max(1, round(BESIDE_MM / pixel_mm))
    beside = cv2.blur(narrow, (1, 2 * (shift // 2) + 1))
    padded = np.pad(beside, ((shift, shift), (0, 0)), mode="edge")
    response = np.minimum(line - padded[: -2 * shift], line - padded[2 * shift :]) / FULL_LINE
    walls = np.zeros((rows, count), np.uint8)
    scale = np.array([1.0, count / cols])
    for outline in lumens:
        cv2.fillPoly(walls, [np.round(((outline + 0.5) * scale - 0.5)[:, ::-1]).astype(np.int32)], (1,))
    walls = cv2.dilate(walls, np.ones((2 * max(1, round(WALL_MM / pixel_mm)) + 1, 3), np.uint8))
    return np.clip(response, -0.2, 1.0).astype(np.float64), np.asarray(walls > 0, bool)


def find_eyes(image: Floats, skin_row: float, pixel_mm: float, lumens: Sequence[Array]) -> list[Eye]:
    """The eyes around the lumens of a frame, clearest first; mostly none or one.

    `image` (rows, cols) grey levels on the grid, `skin_row` in its pixels, `lumens` (k, 2) outlines.
    """
    first = max(0, round(skin_row + SKIP_MM / pixel_mm))
    if not lumens or (len(image) - first) * pixel_mm < 4.0 or image.shape[1] * pixel_mm < 10.0:
        return []
    response, walls = line_response(image, pixel_mm, lumens)
    response[:first] = -0.2
    count = response.shape[1]
    cols = (np.arange(count) + 0.5) * image.shape[1] / count - 0.5
    eyes = []
    brightest = 0.0
    for floor in _floors(np.where(walls, 0.0, response), pixel_mm):
        strength = response[floor, np.arange(count)]
        brightest = max(brightest, float(strength.mean()))
        if strength.mean() < NEARLY * brightest:
            break
        for outline in lumens:
            eye = _eye_around(outline, floor, strength, response, walls, cols, pixel_mm)
            if eye is not None:
                eyes.append(eye)
    return sorted(eyes, key=lambda eye: -eye.clearness)


def compartment_of(outline: Array, eyes: Sequence[Eye], pixel_mm: float) -> Compartment:
    """What the eyes of a frame, clearest first, say of a (k, 2) lumen: a compartment, or 'unknown'."""
    if not eyes:
        return "unknown"
    said = {eye.place_of(outline, pixel_mm) for eye in eyes if eye.clearness >= CLEARLY * eyes[0].clearness}
    return said.pop() if len(said) == 1 else "unknown"


def _floors(response: Array, pixel_mm: float) -> Iterator[npt.NDArray[np.int64]]:
    """(columns,) rows of each of the strongest paths from side to side, strongest first."""
    apart = max(1, round(APART_MM / pixel_mm))
    near = np.arange(len(response))[:, None]
    for _ in range(LINES):
        path = cheapest_paths(-response.T[None], JUMPS, BEND_COST)[0]
        yield path
        response = np.where(np.abs(near - path) <= apart, np.minimum(response, 0.0), response)


def _eye_around(
    outline: Array,
    floor: npt.NDArray[np.int64],
    strength: Array,
    response: Array,
    walls: npt.NDArray[np.bool_],
    cols: Array,
    pixel_mm: float,
) -> Eye | None:
    """The clearest eye with this floor around a lumen, or None where none is clear enough."""
    top, bottom = float(outline[:, 0].min()), float(outline[:, 0].max())
    middle = float(outline[:, 1].mean())
    wide = float(np.ptp(outline[:, 1])) * pixel_mm
    away = (cols - middle) * pixel_mm
    under = np.abs(away) <= FLOOR_MM
    if under.sum() < 8 or wide > WIDEST_MM:
        return None
    here = int(np.abs(away).argmin())
    gap = (floor[here] - bottom) * pixel_mm
    if not -0.3 <= gap <= FLOOR_BELOW_MM:
        return None
    if (strength[under] >= SEEN).mean() < FLOOR_SEEN or strength[under].mean() < FLOOR_STRENGTH:
        return None
    tops = np.arange(round((ROOF_MM + ROOM_MM) / pixel_mm)) + floor[here] - top
    heights = np.arange(int(tops.max()) + 1)
    rows = floor[:, None] - heights
    inside = (rows > top) & (rows < bottom) & (np.abs(away) <= 0.5 * wide)[:, None]
    read = ~walls[np.clip(rows, 0, None), np.arange(len(cols))[:, None]] & (rows >= 0)
    bright = np.where(rows >= 0, response[np.clip(rows, 0, None), np.arange(len(cols))[:, None]], -0.2)
    gain = np.where(inside, -5.0, np.where(read, np.minimum(bright, MOST) - WORTH, 0.0))
    merged = round(MERGED_MM / pixel_mm)
    right, left = _flank(gain[here:], merged, pixel_mm), _flank(gain[here::-1], merged, pixel_mm)
    both = np.where(heights >= floor[here] - top + 1, right[0] + left[0], -np.inf)
    apex = int(both.argmax())
    if not np.isfinite(both[apex]) or both[apex] <= 0:
        return None
    height = np.zeros(len(cols), np.int64)
    for way, flank in ((slice(here, None), right), (slice(here, None, -1), left)):
        sinking = _followed(flank[1], apex)
        height[way][: len(sinking)] = sinking
    apart = height > merged
    at = np.arange(len(cols)), height
    clear = 1.0
    for side in (away <= 0, away >= 0):
        values = bright[at][apart & read[at] & side]
        if len(values) < LEAST_COLUMNS or (values >= SEEN).mean() < LEAST_SEEN:
            return None
        clear = min(clear, float(np.clip(values, 0.0, MOST).mean()))
    if clear < LEAST_FLANK or max(height[0], height[-1]) > (1.0 - LEAST_SINK) * height.max():
        return None
    roof = floor - np.where(apart, height, 0)
    middle_of = (top + bottom) / 2, middle
    return Eye(cols, floor.astype(np.float64), strength >= SEEN, roof.astype(np.float64), clear, middle_of)


def _flank(gain: Array, merged: int, pixel_mm: float) -> tuple[Array, npt.NDArray[np.int64]]:
    """Best sum outwards from the first column for every height, and the (columns, heights) next heights.

    `gain` (columns, heights above the floor).  A roof sinks outwards; once `merged` it stays on the floor.
    """
    columns, heights = gain.shape
    limit = round(WIDEST_MM / COLUMN_MM)
    value = -CUT_COST * pixel_mm * np.arange(heights) if columns <= limit else np.full(heights, -np.inf)
    value[: merged + 1] = 0.0
    columns = min(columns, limit)
    sunk = np.zeros((columns, heights), np.int64)
    pad = max(abs(jump) for jump in SINKS)
    at = np.arange(heights)
    sinks = np.array(SINKS)
    prices = SINK_COST * (sinks[:, None] - SINKS_MOSTLY) ** 2
    padded = np.full(heights + 2 * pad, -np.inf)
    reached = pad + sinks[:, None] + at
    for column in range(columns - 1, -1, -1):
        padded[pad : pad + heights] = value
        options = padded[reached] - prices
        sunk[column] = options.argmax(axis=0)
        value = gain[column] + options.max(axis=0)
        value[: merged + 1] = 0.0
    follows = np.clip(at + sinks[sunk], 0, heights - 1)
    follows[:, : merged + 1] = 0
    return np.asarray(value, np.float64), follows


def _followed(follows: npt.NDArray[np.int64], height: int) -> npt.NDArray[np.int64]:
    """(columns,) heights from the first column outwards; 0 beyond what was searched."""
    out = np.zeros(len(follows), np.int64)
    for column in range(len(follows)):
        out[column] = height
        height = int(follows[column, height])
    return out
