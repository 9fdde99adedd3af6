"""Small pictures of candidates: the lumen with its outline on its best frame, always at one scale."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from veinscan.candidates.model import Candidate
from veinscan.dicom import Clip

AROUND = 1.6
"""Side of the picture in lengths of the outline."""

LEAST_MM = 8.0
"""Least side of the picture: a small vein must not look like a large one."""

LEAST_PX = 24


def candidate_picture(clip: Clip, candidate: Candidate, side: int) -> npt.NDArray[np.uint8]:
    """(side, side, 3) uint8 RGB of a candidate on its best frame, black beyond the picture region.

    Raises `DecodeError` where the frame is damaged.
    """
    frame = clip.frame(candidate.best_frame)
    outline = np.asarray(candidate.outline(candidate.best_frame), np.float64)
    region = clip.picture_region
    spacing = (1.0, 1.0) if region is None or region.spacing_mm is None else region.spacing_mm
    rgb = frame if frame.ndim == 3 else np.repeat(frame[:, :, None], 3, axis=2)
    if region is not None:  # what stands round the picture may hold a name
        row0, col0, row1, col1 = region.box
        rgb, outline = rgb[row0:row1, col0:col1], outline - (row0, col0)
    low, high = outline.min(axis=0), outline.max(axis=0)
    middle = (low + high) / 2
    least = LEAST_MM if region is not None and region.spacing_mm is not None else LEAST_PX
    size_mm = max(least, AROUND * float(np.max((high - low) * spacing)))
    per_px = size_mm / side / np.asarray(spacing)  # pixels of the clip for each of the picture
    to_clip = np.array(
        [
            [per_px[1], 0.0, middle[1] - per_px[1] * (side - 1) / 2],
            [0.0, per_px[0], middle[0] - per_px[0] * (side - 1) / 2],
        ]
    )
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    small = cv2.warpAffine(np.ascontiguousarray(rgb), to_clip, (side, side), flags=how)
    ring = (outline - middle) / per_px + (side - 1) / 2
    points = np.rint(ring[:, ::-1] * 16).astype(np.int32)[:, None]
    cv2.polylines(small, [points], True, (240, 228, 66), 1, cv2.LINE_AA, 4)
    return np.asarray(small, np.uint8)
