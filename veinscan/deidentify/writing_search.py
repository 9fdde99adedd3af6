"""Text and calipers inside the kept picture: found so that a person looks there, never cleared unasked.

Burned-in strokes are hard-edged, of one level and stand still while echoes
move (`enhance.graphics`).  Those that lie close together in a line are told
as one box.  What is not found is not thereby absent: every clip is on the
contact sheet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from veinscan.deidentify.pixels import Keep
from veinscan.dicom.model import Box
from veinscan.enhance.graphics import always_burned_in, burned_in
from veinscan.errors import DecodeError, UnreadableError

if TYPE_CHECKING:
    from veinscan.dicom import Clip

MOST_FRAMES = 4
"""Frames of a clip that are looked at, spread evenly."""
JOIN_ROWS, JOIN_COLUMNS = 5, 17
"""Pixels by which strokes are joined into one piece of writing: letters of a word, ticks of a caliper."""
LEAST_STROKES = 10
"""Pixels of strokes in a box below which it is a speckle."""
MOST_BOXES = 50


def writing_in(clip: Clip, keep: Keep) -> tuple[Box, ...]:
    """Boxes, in whole-frame pixels, of what looks like writing or calipers in the kept part of a clip.

    A frame that cannot be decoded is passed over.
    """
    indices = sorted({round(i) for i in np.linspace(0, clip.n_frames - 1, min(MOST_FRAMES, clip.n_frames))})
    frames = []
    for index in indices:
        try:
            frames.append(np.ascontiguousarray(clip.grey(index)))
        except (DecodeError, UnreadableError):
            continue
    if not frames:
        return ()
    marks = np.zeros((clip.rows, clip.columns), bool)
    for row0, col0, row1, col1 in keep.boxes:
        parts = [frame[row0:row1, col0:col1] for frame in frames]
        if min(parts[0].shape) < 16:
            continue
        here = always_burned_in(parts) if len(parts) > 1 else burned_in(parts[0])
        marks[row0:row1, col0:col1] |= here
    marks &= keep.mask(clip.rows, clip.columns)
    return _boxes(marks)


def _boxes(marks: np.ndarray) -> tuple[Box, ...]:
    if not marks.any():
        return ()
    kernel = np.ones((JOIN_ROWS, JOIN_COLUMNS), np.uint8)
    joined = cv2.morphologyEx(marks.astype(np.uint8), cv2.MORPH_CLOSE, kernel)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    found = []
    for label in range(1, count):
        col0, row0, width, height = (int(v) for v in stats[label, :4])
        strokes = int(marks[labels == label].sum())
        if strokes >= LEAST_STROKES:
            found.append((strokes, (row0, col0, row0 + height, col0 + width)))
    found.sort(key=lambda entry: (-entry[0], entry[1]))
    return tuple(sorted(box for _, box in found[:MOST_BOXES]))
