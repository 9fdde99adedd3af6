"""A row of evenly spaced marks on the screen: the depth scale that scanners burn in.

Found without knowing the maker: small bright marks, alone in their place, that
stand on a straight line at even distances.  The line may be upright beside the
picture or lean along the edge of a sector.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from veinscan.dicom.colour import Frame, grey_of

CONTRAST = 32
"""Grey levels by which a mark stands out; the dimmest scale on the real screens has 45."""
LEAST_MARKS = 4
MAX_MARKS_LOOKED_AT = 1200
"""Marks beyond this come from speckle; the strongest are kept."""
MAX_LEAN = 1.5
"""Columns by row of a leaning line: sectors open by up to 110 degrees."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Marks:
    """Small marks of a screen."""

    rows: Floats
    """Middle row of each."""
    lefts: Floats
    rights: Floats
    size: Floats
    """Bright pixels of each."""


@dataclass(frozen=True, slots=True)
class TickLine:
    """Evenly spaced marks on one line."""

    points: tuple[tuple[float, float], ...]
    """`(row, col)` of every place on the line, from the top; some may hold no mark."""
    present: tuple[bool, ...]
    sizes: tuple[float, ...]
    """Bright pixels of each mark; 0 where there is none."""
    sides: tuple[tuple[float, float], ...]
    """First and last column of each mark; its middle where there is none."""
    pitch_px: float
    """Pixels between two places."""
    score: float

    @property
    def leans(self) -> bool:
        """Whether the line is not upright."""
        return abs(self.points[-1][1] - self.points[0][1]) > 0.05 * (self.points[-1][0] - self.points[0][0])


def still_parts(frames: Sequence[Frame]) -> Frame:
    """(rows, cols) uint8: what stays the same in all frames, the darkest value of each pixel."""
    grey = [grey_of(f) if f.ndim == 2 else np.asarray(f.max(axis=2)) for f in frames]
    return np.asarray(np.min(grey, axis=0), dtype=np.uint8)


def small_marks(grey: Frame) -> Marks:
    """Bright marks that are small, and thinner than any letter is high."""
    rows, columns = grey.shape
    tallest = max(6, rows // 75)
    reach = 4 * tallest + 1
    # an upright opening leaves long lines (the axis that ticks stand on) and takes out what is shorter
    ground = cv2.morphologyEx(grey, cv2.MORPH_OPEN, np.ones((reach, 1), np.uint8))
    bright = cv2.subtract(grey, ground) > CONTRAST
    stats = cv2.connectedComponentsWithStats(bright.astype(np.uint8), connectivity=8)[2]
    left, top, width, height, area = (stats[1:, i].astype(np.int64) for i in range(5))
    keep = (height <= tallest) & (width <= max(12, columns // 22)) & (area >= 2) & (height <= width + tallest)
    order = np.flatnonzero(keep)
    if order.size > MAX_MARKS_LOOKED_AT:
        strength = np.array(
            [_strength(bright, grey, left[i], top[i], width[i], height[i]) for i in order], dtype=float
        )
        order = np.sort(order[np.argsort(strength)[::-1][:MAX_MARKS_LOOKED_AT]])
    left, top, width, height, area = (v[order] for v in (left, top, width, height, area))
    return Marks(
        rows=top + (height - 1) / 2.0,
        lefts=left.astype(float),
        rights=(left + width - 1).astype(float),
        size=area.astype(float),
    )


def _strength(
    bright: npt.NDArray[np.bool_], grey: Frame, left: int, top: int, width: int, height: int
) -> float:
    """How alone a mark stands: its brightness less that of the pixels around."""
    around = grey[max(0, top - 4) : top + height + 4, max(0, left - 2) : left + width + 2]
    own = bright[max(0, top - 4) : top + height + 4, max(0, left - 2) : left + width + 2]
    inside = grey[top : top + height, left : left + width].max()
    return float(inside) - float(around[~own].mean() if (~own).any() else inside)


def find_tick_lines(frames: Sequence[Frame]) -> list[TickLine]:
    """Lines of evenly spaced marks, best first.

    Parameters
    ----------
    frames : sequence of (rows, cols) or (rows, cols, 3) uint8
        Frames of one clip; what moves is not part of a scale.
    """
    grey = still_parts(frames)
    marks = small_marks(grey)
    found = [*_upright(marks, grey.shape), *_leaning(marks, grey.shape)]
    found.sort(key=lambda line: -line.score)
    out: list[TickLine] = []
    for line in found:
        if all(_apart(line, other) for other in out) and not _is_text(line, grey):
            out.append(line)
    return out[:6]


def _is_text(line: TickLine, grey: Frame) -> bool:
    """Whether most marks have ink close to their right: strokes of the first letters of lines of text."""
    if line.leans:
        return False
    count = 0
    for (row, _), (first, last), here in zip(line.points, line.sides, line.present, strict=True):
        if here:
            rows = slice(max(0, round(row) - 3), round(row) + 4)
            bright = 0.5 * float(grey[rows, round(first) : round(last) + 1].max(initial=0))
            count += bool((grey[rows, round(last) + 3 : round(last) + 13] > bright).any())
    return count > 0.6 * sum(line.present)


def _apart(a: TickLine, b: TickLine) -> bool:
    """Whether two lines share fewer than half of their marks."""
    ours = {(round(r / 3), round(c / 6)) for r, c in a.points}
    theirs = {(round(r / 3), round(c / 6)) for r, c in b.points}
    return len(ours & theirs) < 0.4 * len(ours)


def _upright(marks: Marks, shape: tuple[int, int]) -> list[TickLine]:
    out = []
    middles = (marks.lefts + marks.rights) / 2
    for edge in (marks.lefts, marks.rights, middles):
        for column in np.unique(np.round(edge)):
            here = np.flatnonzero(np.abs(edge - column) <= 1.5)
            if len(here) >= LEAST_MARKS:
                line = _even(marks, here, float(column), shape)
                if line is not None:
                    out.append(line)
    return out


def _even(
    marks: Marks, here: npt.NDArray[np.int64], column: float, shape: tuple[int, int]
) -> TickLine | None:
    """The best even series among the marks `here` of one column, by their rows."""
    here = here[np.argsort(marks.rows[here])]
    rows = marks.rows[here]
    least, most = max(6.0, shape[0] / 110), shape[0] / 3
    best: tuple[float, float, float, npt.NDArray[np.int64]] | None = None
    for i in range(len(rows)):
        for j in range(i + 1, len(rows)):
            pitch = float(rows[j] - rows[i])
            if not least <= pitch <= most:
                continue
            tried = _fit(rows, rows[i], pitch)
            if tried is not None and (best is None or tried[0] > best[0]):
                best = tried
    if best is None:
        return None
    score, start, pitch, places = best
    taken: list[int | None] = [None] * (int(places.max()) + 1)
    for n, k in enumerate(places):
        if k >= 0:
            taken[int(k)] = int(here[n])
    points = [(start + k * pitch, column) for k in range(len(taken))]
    return _made(marks, taken, points, pitch, score)


def _made(
    marks: Marks, taken: list[int | None], points: list[tuple[float, float]], pitch: float, score: float
) -> TickLine:
    """A line from the marks at its places."""
    sides = [
        (col, col) if n is None else (float(marks.lefts[n]), float(marks.rights[n]))
        for n, (_, col) in zip(taken, points, strict=True)
    ]
    return TickLine(
        points=tuple(points),
        present=tuple(n is not None for n in taken),
        sizes=tuple(0.0 if n is None else float(marks.size[n]) for n in taken),
        sides=tuple(sides),
        pitch_px=pitch,
        score=score,
    )


def _fit(
    rows: Floats, first: float, pitch: float
) -> tuple[float, float, float, npt.NDArray[np.int64]] | None:
    """(score, start, pitch, place of each mark or -1) of the series through `first`."""
    for _ in range(2):
        steps = (rows - first) / pitch
        places = np.round(steps)
        good = np.abs(steps - places) * pitch <= max(1.0, 0.03 * pitch)
        if good.sum() < LEAST_MARKS:
            return None
        pitch, first = (float(v) for v in np.polyfit(places[good], rows[good], 1))
        if pitch < 4:
            return None
    low = places[good].min()
    ks = np.where(good, places - low, -1).astype(np.int64)
    unique = np.unique(ks[ks >= 0])
    span = int(unique.max()) + 1
    missing = span - len(unique)
    stray = int((~good & (rows >= rows[good].min()) & (rows <= rows[good].max())).sum())
    if len(unique) < LEAST_MARKS or missing > 0.35 * span or stray > len(unique):
        return None
    spread = float(np.abs(rows[good] - (first + pitch * places[good])).mean())
    score = len(unique) - 1.5 * missing - 0.7 * stray - 2.0 * spread
    # a short series may be chance; one that spans much of the screen is not
    score += 6.0 * (span - 1) * pitch / 480 if len(unique) >= 5 or missing == 0 else 0.0
    return score, first + low * pitch, pitch, ks


def _leaning(marks: Marks, shape: tuple[int, int]) -> list[TickLine]:
    """Series of dots along the edge of a sector, found from pairs of neighbours."""
    rows, cols = marks.rows, (marks.lefts + marks.rights) / 2
    count = len(rows)
    if count < LEAST_MARKS + 1:
        return []
    tree: dict[tuple[int, int], list[int]] = {}
    for n, (r, c) in enumerate(zip(rows, cols, strict=True)):
        tree.setdefault((int(r) // 4, int(c) // 4), []).append(n)
    best: dict[tuple[int, int], TickLine] = {}
    least, most = max(8.0, shape[0] / 80), shape[0] / 6
    for i in range(count):
        dr, dc = rows - rows[i], cols - cols[i]
        length = np.hypot(dr, dc)
        near = np.flatnonzero(
            (length >= least)
            & (length <= most)
            & (dr > 0)
            & (np.abs(dc) <= MAX_LEAN * dr)
            & (np.abs(dc) > 0.15 * dr)
        )
        for j in near:
            chain = _walk(tree, rows, cols, i, int(j))
            if len(chain) >= LEAST_MARKS + 2:
                line = _line(chain, marks)
                key = (i, round(line.pitch_px))
                if line.score > 0 and (key not in best or line.score > best[key].score):
                    best[key] = line
    return list(best.values())


def _walk(
    tree: dict[tuple[int, int], list[int]], rows: Floats, cols: Floats, i: int, j: int
) -> list[int | None]:
    """Marks met from i over j on in equal steps, None for one missing; two missing in a row end it."""
    start = np.array([rows[i], cols[i]])
    chain: list[int | None] = [i, j]
    while True:
        known = [(k, n) for k, n in enumerate(chain) if n is not None]
        last_k, last_n = known[-1]
        step = (np.array([rows[last_n], cols[last_n]]) - start) / last_k
        at = start + step * len(chain)
        n = _nearest(tree, rows, cols, at, max(1.6, 0.05 * float(np.hypot(*step))))
        if n is None and chain[-1] is None:
            break
        chain.append(n)
        if len(chain) > 200:
            break
    while chain and chain[-1] is None:
        chain.pop()
    return chain


def _nearest(
    tree: dict[tuple[int, int], list[int]], rows: Floats, cols: Floats, at: Floats, reach: float
) -> int | None:
    best, found = reach, None
    for r in range(int((at[0] - reach) // 4), int((at[0] + reach) // 4) + 1):
        for c in range(int((at[1] - reach) // 4), int((at[1] + reach) // 4) + 1):
            for n in tree.get((r, c), ()):
                distance = float(np.hypot(rows[n] - at[0], cols[n] - at[1]))
                if distance <= best:
                    best, found = distance, n
    return found


def _line(chain: list[int | None], marks: Marks) -> TickLine:
    rows, cols = marks.rows, (marks.lefts + marks.rights) / 2
    ks = np.array([k for k, n in enumerate(chain) if n is not None])
    ns = np.array([n for n in chain if n is not None])
    row_step, row0 = np.polyfit(ks, rows[ns], 1)
    col_step, col0 = np.polyfit(ks, cols[ns], 1)
    spread = float(np.hypot(rows[ns] - row0 - ks * row_step, cols[ns] - col0 - ks * col_step).mean())
    pitch = float(np.hypot(row_step, col_step))
    missing = len(chain) - len(ns)
    score = len(ns) - 2.0 * missing - 3.0 * spread - 2.0
    score += 6.0 * len(chain) * row_step / 480 if len(ns) >= 7 else -2.0
    points = [(float(row0 + k * row_step), float(col0 + k * col_step)) for k in range(len(chain))]
    return _made(marks, chain, points, pitch, float(score))


def hierarchy(line: TickLine) -> int | None:
    """Every how many places a mark is larger: 2, 4, 5, 10; 1 where all are alike, None where unclear."""
    sizes, here = np.array(line.sizes), np.array(line.present)
    place = np.arange(len(sizes))
    best: tuple[float, int] | None = None
    for every in (2, 4, 5, 10):
        for first in range(every):
            # the first place may be drawn like any: zero is often not marked
            major = (place % every == first) & (place > 0)
            minor = (place % every != first) & here
            large, small = sizes[major & here], sizes[minor]
            if len(large) < 2 or len(small) < 2 or len(large) < 0.6 * major.sum():
                continue
            others = np.sort(small)[: max(2, len(small) - (len(small) >= 8))]  # one may carry a label
            if large.min() >= 1.25 * others.max() and np.median(large) >= 1.4 * np.median(small):
                score = float(np.median(large) / np.median(small)) + 0.1 * len(large)
                if best is None or score > best[0]:
                    best = (score, every)
    if best is not None:
        return best[1]
    usual = float(np.median(sizes[here]))
    larger = int(((sizes[here] > 1.6 * usual) & (sizes[here] > usual + 4)).sum())
    return 1 if larger <= max(1, 0.15 * here.sum()) else None
