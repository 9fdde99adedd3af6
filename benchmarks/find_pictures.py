"""Pictures of docs/finding-veins.md: what a candidate says of itself, and failures.  All are of phantoms.

python -m benchmarks.find_pictures docs/images
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from veinscan.candidates import Candidate, find_candidates
from veinscan.candidates.fascia import find_eyes
from veinscan.enhance.grid import analysis_grid
from veinscan.phantom.clips import make_clip

SPACING = 0.07
SKY, ORANGE, GREEN, YELLOW, WHITE = (233, 180, 86), (0, 159, 230), (115, 158, 0), (66, 228, 240), (255,) * 3
"""Blue, green, red."""
LINES = (SKY, ORANGE, GREEN, YELLOW, (167, 121, 204), (178, 114, 0))
FONT = cv2.FONT_HERSHEY_SIMPLEX
TITLE = 28

Picture = npt.NDArray[np.uint8]
Found = tuple[npt.NDArray[np.uint8], dict[str, Any], list[Candidate]]


def searched(seed: int, kind: str = "transverse", **options: Any) -> Found:
    """Frames, truth and the candidates above 0.3 of a phantom clip."""
    frames, truth = make_clip(seed, kind, **{"n_frames": 1, "compression": False} | options)
    found = find_candidates(frames, SPACING, skin_row=truth["skin_row"])
    return frames, truth, [one for one in found if one.score >= 0.3]


def panel(frame: npt.NDArray[np.uint8], title: str) -> Picture:
    """A frame in colour with a title above it."""
    top = np.full((TITLE, frame.shape[1], 3), 255, np.uint8)
    cv2.putText(top, title, (4, 19), FONT, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    return np.vstack([top, cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR)])


def line(picture: Picture, points: npt.ArrayLike, colour: tuple[int, ...], *, closed: bool = False) -> None:
    """A polyline of `(row, col)` pixels of the frame."""
    at = np.asarray(points, np.float64)[:, ::-1] + [0, TITLE]
    cv2.polylines(picture, [np.round(at * 16).astype(np.int32)], closed, colour, 1, cv2.LINE_AA, 4)


def write(picture: Picture, at: tuple[float, float], words: str) -> None:
    """Small words centred on a `(row, col)`."""
    (width, _), _ = cv2.getTextSize(words, FONT, 0.36, 1)
    place = (round(at[1] - width / 2), round(at[0] + TITLE + 4))
    cv2.putText(picture, words, place, FONT, 0.36, (0, 0, 0), 3, cv2.LINE_AA)
    cv2.putText(picture, words, place, FONT, 0.36, YELLOW, 1, cv2.LINE_AA)


def with_compartments(found: Found, title: str) -> Picture:
    """Outlines with their compartments, and the fasciae they are said on."""
    frames, truth, candidates = found
    picture = panel(frames[0], title)
    grid = analysis_grid(frames[0].shape, (SPACING, SPACING))
    outlines = [grid.to_grid(one.outline(0)) for one in candidates]
    image = grid.resample(frames[0].astype(np.float32))
    for eye in find_eyes(image, truth["skin_row"] / grid.steps[0], grid.pixel_mm, outlines)[:1]:
        for rows in (eye.floor, eye.roof):
            line(picture, grid.to_frame(np.stack([rows, eye.cols], axis=1)), ORANGE)
    for one in candidates:
        line(picture, one.outline(0), SKY, closed=True)
        write(picture, one.centre(0), one.compartment)
    return picture


def with_courses(found: Found, title: str) -> Picture:
    """Walls and middles of veins seen lengthwise, with length and width."""
    frames, _, candidates = found
    picture = panel(frames[0], title)
    for one in candidates:
        line(picture, one.outline(0), SKY, closed=True)
        if one.course is not None and one.length_mm is not None:
            line(picture, one.course.points, GREEN)
            middle = one.course.points[len(one.course.points) // 2]
            words = f"{one.length_mm:.1f} mm long, {one.diameter_mm:.1f} mm wide"
            write(picture, (float(middle[0]) - 10, float(middle[1])), words)
    return picture


def with_truth(picture: Picture, truth: dict[str, Any], *names: str) -> Picture:
    """The drawn lumens of those names in white."""
    for vessel in truth["vessels"]:
        if vessel["name"] in names and "0" in vessel["frames"]:
            line(picture, vessel["frames"]["0"]["outline"], WHITE, closed=True)
    return picture


def diameters(found: Found, shape: tuple[int, int], title: str) -> Picture:
    """Diameter against time of the candidates of a clip with a compression."""
    frames, truth, candidates = found
    rows, cols = shape
    picture = panel(np.full((rows, cols), 255, np.uint8), title)
    left, bottom, right, top = 46, rows - 40, cols - 12, 14
    most = max(one.diameter_mm for one in candidates) * 1.1

    def at(frame: float, width: float) -> tuple[int, int]:
        x = left + (right - left) * frame / (len(frames) - 1)
        return round(x), round(TITLE + bottom - (bottom - top) * width / most)

    pressure = [at(k, 0.9 * most * value) for k, value in enumerate(truth["pressure"])]
    area = np.array([at(0, 0), *pressure, at(len(frames) - 1, 0)], np.int32)
    cv2.fillPoly(picture, [area], (235, 235, 235))
    cv2.rectangle(picture, (left, TITLE + top), (right, TITLE + bottom), (0, 0, 0), 1)
    for mark in range(int(most) + 1):
        cv2.putText(
            picture, f"{mark}", (left - 16, at(0, mark)[1] + 4), FONT, 0.36, (0, 0, 0), 1, cv2.LINE_AA
        )
    words = "inner diameter in mm, by frame; grey: pressure; no dot: no lumen seen"
    cv2.putText(picture, words, (left, TITLE + rows - 14), FONT, 0.4, (0, 0, 0), 1, cv2.LINE_AA)
    for number, one in enumerate(candidates[: len(LINES)]):
        if one.compression is None:
            continue
        pairs = list(zip(one.compression.frame_indices, one.compression.diameters_mm, strict=True))
        for (frame, width), (after, then) in zip(pairs, [*pairs[1:], (0, None)], strict=True):
            if width is not None:
                cv2.circle(picture, at(frame, width), 3, LINES[number], -1, cv2.LINE_AA)
                if then is not None:
                    cv2.line(picture, at(frame, width), at(after, then), LINES[number], 1, cv2.LINE_AA)
        words = f"{one.depth_mm:.0f} mm deep: closes by {one.compressibility:.0%}"
        place = left + 8, TITLE + top + 16 + 14 * number
        cv2.putText(picture, words, place, FONT, 0.36, LINES[number], 1, cv2.LINE_AA)
    return picture


def features(path: Path) -> None:
    """Compartments, diameter under compression, course of a vein seen lengthwise."""
    still = searched(503)
    parts = [
        with_compartments(still, "compartments, and the fasciae they are said on"),
        diameters(searched(7201, n_frames=26, compression=True), still[0][0].shape, "compression"),
        with_courses(searched(3111, "longitudinal"), "course: walls, middle, length, width"),
    ]
    cv2.imwrite(str(path), np.hstack(parts))


def failures(path: Path) -> None:
    """What goes wrong, each on a phantom of known truth."""
    small, course = searched(3107), searched(3105, "longitudinal")
    parts = [
        with_truth(with_compartments(small, "missed: a vein of 1.1 mm (white)"), small[1], "reticular 1"),
        with_compartments(searched(604), "roof drawn over a septum: two veins 'unknown'"),
        with_compartments(searched(502), "two lines above the vein: no eye is found"),
        with_truth(
            with_courses(course, "artery leaves the plane: a third is followed"),
            course[1],
            "artery",
            "tributary",
        ),
    ]
    cv2.imwrite(str(path), np.vstack([np.hstack(parts[:2]), np.hstack(parts[2:])]))


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images")
    features(folder / "finding-features.png")
    failures(folder / "finding-failures.png")
