"""Pictures without banners: everything outside the usable regions is black.

Scanners write names, dates and the hospital around the picture, and say in
the header where the picture is (PS3.3 C.8.5.5).  Only what lies inside those
regions is kept.  A region over the whole screen tells nothing and never
counts, whatever it calls itself, and neither do several that together are the
screen, nor one of a picture of another size.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from veinscan.dicom.model import Box, ClipKind, Region, RegionKind
from veinscan.dicom.regions import RESIZED

if TYPE_CHECKING:
    from veinscan.dicom import Clip

Frame = npt.NDArray[np.uint8]

KEPT_KINDS = frozenset(
    {
        RegionKind.TISSUE,
        RegionKind.COLOR_FLOW,
        RegionKind.SPECTRAL_PW,
        RegionKind.SPECTRAL_CW,
        RegionKind.M_MODE,
        RegionKind.WAVEFORM,
        RegionKind.COLOR_BAR,
        RegionKind.GREY_BAR,
    }
)
"""A region of graphics (format 5) may hold anything, so it is not among them."""

WHOLE_SCREEN = 0.95
"""Share of the screen from which on a region is the screen: its banner would be kept with it."""


@dataclass(frozen=True, slots=True)
class Keep:
    """What of a clip's screen is kept."""

    boxes: tuple[Box, ...]
    """Empty: nothing is, and the clip is exported without pictures."""
    source: str = "header"
    """'header', 'pixels' (the picture that the program found), 'person' or 'whole' (nothing is cleaned)."""
    doubts: tuple[str, ...] = ()
    """What a person has to judge, one sentence each."""
    black: tuple[Box, ...] = ()
    """Blacked inside the boxes: text that a person marked."""

    def mask(self, rows: int, columns: int) -> npt.NDArray[np.bool_]:
        """(rows, columns) bool, true where pixels are kept."""
        kept = np.zeros((rows, columns), np.bool_)
        for row0, col0, row1, col1 in self.boxes:
            kept[row0:row1, col0:col1] = True
        for row0, col0, row1, col1 in self.black:
            kept[row0:row1, col0:col1] = False
        return kept


def keep_of(clip: Clip) -> Keep:
    """Which boxes of a clip's screen are kept, and what is in doubt."""
    if clip.kind is ClipKind.PAGE:
        return Keep((), doubts=("it is a page of text: its pixels are left out",))
    boxes = usable_boxes(clip.regions, clip.rows, clip.columns)
    if boxes:
        return Keep(boxes)
    doubt = "the header has no usable region (or only such as are the whole screen or do not fit it)"
    found = usable_boxes(clip.found_regions, clip.rows, clip.columns)
    if not found:
        return Keep((), "pixels", (f"{doubt}, and no picture was found in its pixels: they are left out",))
    return Keep(found, "pixels", (f"{doubt}: the picture that was found in its pixels is kept",))


def whole_of(clip: Clip) -> Keep:
    """The whole screen of a clip, where its pixels are not to be cleaned."""
    box = (0, 0, clip.rows, clip.columns)
    return Keep(
        (box,), "whole", ("its pixels were not cleaned: the banner and all else on the screen is kept",)
    )


def usable_boxes(regions: Iterable[Region], rows: int, columns: int) -> tuple[Box, ...]:
    """Boxes of the regions that are kept: of a kind that shows a picture or a curve, and not the screen.

    None where they are the screen together: there is no telling which of them holds the banner.
    """
    screen = rows * columns
    boxes = tuple(
        region.box
        for region in regions
        if region.kind in KEPT_KINDS
        and region.shape[0] * region.shape[1] < WHOLE_SCREEN * screen
        and not any(note.endswith(RESIZED) for note in region.warnings)
    )
    if boxes and Keep(boxes).mask(rows, columns).mean() >= WHOLE_SCREEN:
        return ()
    return boxes


def blacked(frame: Frame, mask: npt.NDArray[np.bool_]) -> Frame:
    """A copy of a frame, (rows, cols) or (rows, cols, 3), that is 0 outside the mask."""
    out = np.zeros_like(frame)
    out[mask] = frame[mask]
    return out
