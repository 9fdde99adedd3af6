"""`find_candidates`: from the frames of a clip to ranked candidates."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from veinscan.candidates import joint_score
from veinscan.candidates.checked import checked_settings
from veinscan.candidates.describe import described
from veinscan.candidates.detect import Lumen
from veinscan.candidates.model import Candidate, FinderSettings
from veinscan.candidates.per_frame import TOGETHER, FrameSearch
from veinscan.candidates.pipeline import in_order
from veinscan.candidates.score import PARTS, logistic
from veinscan.candidates.shapes import near_wall
from veinscan.candidates.stitch import stitched
from veinscan.candidates.survey import Survey
from veinscan.candidates.track import Track, Tracker
from veinscan.enhance.checks import MAX_PIXELS, checked_array, checked_number, checked_spacing
from veinscan.enhance.graphics import always_burned_in
from veinscan.enhance.grid import AnalysisGrid, analysis_grid
from veinscan.errors import InvalidInputError

Progress = Callable[[int, int], None]
"""`progress(done, total)` after every frame; may raise CancelledError, which ends the search."""

FrameSource = Callable[[int], npt.NDArray[np.uint8]]
MaskSource = Callable[[int], npt.NDArray[np.bool_]]

MIN_SCORE = 0.05
"""Score below which `find_candidates` reports nothing on a still."""

MIN_SCORE_OF_CLIP = 0.2
"""The same in a clip: what stays below it on several frames is rarely a vessel (docs/finding-veins.md)."""

MAX_CANDIDATES = 40
"""Most candidates of a clip that `find_candidates` reports."""

LONG_ENOUGH = 8
"""Clips of at least so many frames are asked for persistence."""

MIN_SEEN = 3
"""Frames on which a candidate of such a clip must be seen."""

FLASH_LOGIT = -3.5
"""Largest logit of what is seen on fewer (a score of 0.03)."""

PERSISTENCE_WEIGHT = 1.0
"""Most that being seen on few frames takes from the logit.  Being there on every frame adds nothing: what is
no vessel mostly is as well (`training/clip_scores.py`); and a vein pressed shut is missing on some."""


def find_candidates(
    frames: npt.ArrayLike,
    spacing_mm: float | Sequence[float],
    *,
    diameters_mm: Sequence[float] = (0.5, 8.0),
    max_depth_mm: float = 40.0,
    flow_cm_s: npt.ArrayLike | None = None,
    skin_row: float = 0,
    method: Literal["joint", "classical"] = "joint",
    progress: Progress | None = None,
) -> list[Candidate]:
    """Vessel-like structures of a clip, best first.

    Parameters
    ----------
    frames : (n, rows, cols) uint8
        B-mode frames, cropped to the picture.
    spacing_mm : float or (row, col)
        Sides of a pixel in mm.
    diameters_mm : (smallest, largest)
        Inner diameters looked for, in mm.
    max_depth_mm : float
        Largest depth of the near wall below the skin, in mm.
    flow_cm_s : (n, rows, cols) float, optional
        Velocity where there is colour, NaN elsewhere.
    skin_row : float
        Row of the skin in the frames; nothing above it is searched.
    method : "joint" or "classical"
        With the trained network, or by the wall fit alone.
    progress : callable, optional
        Called as `progress(done, total)` after every frame; CancelledError raised in it comes out.

    Returns
    -------
    list of Candidate
        With coordinates in pixels of the frames; the same input gives the same list and ids.  Scores are at
        least 0.05, in a clip of three frames or more 0.2.

    Raises
    ------
    InvalidInputError
        When a value cannot be used; the sentence says what to pass.
    """
    array = checked_array(frames, "frames")
    if array.ndim != 3:
        raise InvalidInputError(
            f"the frames have shape {array.shape}",
            do="pass grey frames (n, rows, cols); one frame as image[None]",
        )
    if array.dtype != np.uint8:
        raise InvalidInputError(
            f"the frames have values of type {array.dtype}", do="pass grey levels from 0 to 255 as uint8"
        )
    flow: npt.NDArray[np.floating] | None = None
    if flow_cm_s is not None:
        flow = checked_array(flow_cm_s, "velocities")
        if flow.shape != array.shape or flow.dtype.kind != "f":
            raise InvalidInputError(
                f"flow_cm_s has shape {flow.shape} of {flow.dtype} and the frames {array.shape}",
                do="pass cm/s as floats for every pixel of the frames, NaN where no colour is",
            )
    settings = FinderSettings(
        diameters_mm=diameters_mm,  # type: ignore[arg-type]  # the search looks at it
        max_depth_mm=max_depth_mm,
        min_score=MIN_SCORE_OF_CLIP if len(array) >= MIN_SEEN else MIN_SCORE,
        max_candidates=MAX_CANDIDATES,
        method=method,
    )
    colour = None if flow is None else (lambda index: np.isfinite(flow[index]))
    return search(
        lambda index: array[index],
        array.shape,
        checked_spacing(spacing_mm),
        settings,
        skin_row=skin_row,
        colour_at=colour,
        progress=progress,
    )


def search(
    frame_at: FrameSource,
    shape: tuple[int, ...],
    spacing_mm: tuple[float, float],
    settings: FinderSettings,
    *,
    skin_row: float = 0.0,
    colour_at: MaskSource | None = None,
    progress: Progress | None = None,
    id_seed: str = "",
) -> list[Candidate]:
    """The search behind `find_candidates`, reading one frame at a time and keeping a few in memory.

    `shape` is `(n, rows, cols)`; `id_seed` makes ids of different clips differ.
    """
    count, rows, cols = shape
    settings = checked_settings(settings)
    joint, diameters, depth = settings.method == "joint", settings.diameters_mm, settings.max_depth_mm
    skin_row = checked_number(
        skin_row, "skin_row", -1e9, 1e9, "pass the row of the skin, 0 when it is the first"
    )
    if rows * cols > MAX_PIXELS:
        raise InvalidInputError(
            f"a frame has {rows} x {cols} pixels", do=f"pass at most {MAX_PIXELS}: crop it or shrink it"
        )
    first = min(max(math.floor(skin_row), 0), rows)
    last = min(math.ceil(skin_row + (depth + diameters[1]) / spacing_mm[0]) + 1, rows)
    if count == 0 or last - first < 1 or cols < 1:
        return []
    grid = analysis_grid((rows, cols), spacing_mm, diameters[0])
    searched = math.floor(first / grid.steps[0]), min(math.ceil(last / grid.steps[0]), grid.grid_shape[0])
    if min(searched[1] - searched[0], grid.grid_shape[1]) * grid.pixel_mm < diameters[0]:
        return []

    looked = {index: frame_at(index) for index in sorted({0, count // 2, count - 1})}
    marks = always_burned_in(looked.values())
    survey = Survey(count, skin_row / grid.steps[0] - searched[0], grid.pixel_mm)

    frame_search = FrameSearch(grid, spacing_mm, (first, last), searched, diameters, joint, marks, survey)
    tracker = Tracker(grid.pixel_mm)
    together = TOGETHER if joint else 1
    batches = [range(start, min(start + together, count)) for start in range(0, count, together)]

    def read(number: int) -> list[tuple[int, npt.NDArray[np.uint8]]]:
        return [
            (index, looked.pop(index) if index in looked else frame_at(index)) for index in batches[number]
        ]

    results = in_order(len(batches), read, frame_search.lumens_of)
    with closing(results):
        for batch, found in zip(batches, results, strict=True):
            for index, lumens in zip(batch, found, strict=True):
                tracker.add_frame(index, lumens)
                if progress is not None:
                    progress(index + 1, count)
    names = joint_score.NAMES if joint else (*PARTS, "prior")
    shorter = survey.shortening()
    tracks = stitched(tracker.tracks, shorter, survey.skin_row, grid.pixel_mm)
    scored = [(*track_logit(track, count, names), track) for track in tracks]
    scored = [entry for entry in scored if logistic(entry[0]) >= settings.min_score]
    scored.sort(
        key=lambda entry: (
            -entry[0],
            next(iter(entry[2].lumens)),
            entry[2].lumens[entry[2].last_frame].centre,
        )
    )
    out: list[Candidate] = []
    used: set[str] = set()
    for logit, evidence, track in scored:
        if len(out) >= settings.max_candidates:
            break
        made = _candidate(
            track, grid, searched[0], spacing_mm, skin_row, logit, evidence, id_seed, used, len(out) + 1
        )
        if settings.min_depth_mm <= made.depth_mm <= depth:
            used.add(made.id)
            out.append(described(made, track, survey, shorter, grid, searched[0], spacing_mm))
    return out if colour_at is None else _with_flow(out, colour_at, (rows, cols))


def track_logit(track: Track, count: int, names: Sequence[str]) -> tuple[float, dict[str, float]]:
    """The sum behind the score of a track in a clip of `count` frames, and its summands by name."""
    lumens = sorted(track.lumens.values(), key=lambda lumen: -lumen.logit)
    # the better half speaks: a vein is not less of one for the frames on which it is hard to see
    best = lumens[: max(1, (len(lumens) + 1) // 2)]
    parts = np.mean([lumen.parts for lumen in best], axis=0)
    evidence = {name: round(float(value), 4) for name, value in zip(names, parts, strict=True)}
    logit = float(parts.sum())
    if count >= LONG_ENOUGH:
        seen = len(track.lumens)
        share = math.log2(seen) / math.log2(count)
        persistence = PERSISTENCE_WEIGHT * (share - 1.0)
        if seen < MIN_SEEN:  # speckle flashes up once, a vein does not, however good it looks
            persistence = min(FLASH_LOGIT - logit, 0.0)
        evidence["persistence"] = round(persistence, 4)
        logit += persistence
    return logit, evidence


def _candidate(
    track: Track,
    grid: AnalysisGrid,
    first_row: int,
    spacing_mm: tuple[float, float],
    skin_row: float,
    logit: float,
    evidence: dict[str, float],
    id_seed: str,
    used: set[str],
    rank: int,
) -> Candidate:
    """A track in the pixels of the frames; `first_row` is the first row of the grid that was searched."""
    offset = np.array([first_row, 0.0])
    limit = np.array(grid.shape) - 0.5

    def in_frame(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
        return np.asarray(np.clip(grid.to_frame(points + offset), -0.5, limit), np.float32)

    outlines = {index: in_frame(lumen.outline) for index, lumen in track.lumens.items()}
    centres = {}
    for index, lumen in track.lumens.items():
        row, col = in_frame(np.array(lumen.centre))
        centres[index] = (float(row), float(col))
    best_frame = max(track.lumens, key=lambda index: (track.lumens[index].logit, -index))
    best: Lumen = track.lumens[best_frame]
    diameter = best.diameter_px * grid.pixel_mm
    depth = (near_wall(outlines[best_frame].astype(np.float64)) - skin_row) * spacing_mm[0]
    row, col = centres[best_frame]
    key = f"{id_seed}|{best_frame}|{row:.1f}|{col:.1f}|{diameter:.2f}"
    digest = hashlib.blake2s(key.encode(), digest_size=5).hexdigest()
    name = f"c{digest}"
    while name in used:
        name += "x"
    return Candidate(
        id=name,
        frame_indices=tuple(track.lumens),
        best_frame=best_frame,
        outlines=outlines,
        centres=centres,
        diameter_mm=round(diameter, 3),
        major_mm=round(best.major_px * grid.pixel_mm, 3),
        depth_mm=round(depth, 3),
        length_mm=None if best.length_px is None else round(best.length_px * grid.pixel_mm, 3),
        score=round(logistic(logit), 4),
        rank=rank,
        evidence=evidence,
    )


def _with_flow(candidates: list[Candidate], colour_at: MaskSource, shape: tuple[int, int]) -> list[Candidate]:
    """The candidates with the largest share of their lumen that is coloured on any of their frames."""
    most = [0.0] * len(candidates)
    for index in sorted({frame for one in candidates for frame in one.frame_indices}):
        colour = colour_at(index)
        for place, one in enumerate(candidates):
            if index in one.outlines:
                lumen = np.zeros(shape, np.uint8)
                vertices = np.round(one.outline(index)[:, ::-1]).astype(np.int32)
                cv2.fillPoly(lumen, [vertices], (1,))
                inside = lumen > 0
                if inside.any():
                    most[place] = max(most[place], float(colour[inside].mean()))
    return [replace(one, flow_fraction=round(share, 3)) for one, share in zip(candidates, most, strict=True)]
