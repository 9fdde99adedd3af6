"""What a clip shows: from its regions and header first, from its pixels where those are silent."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from veinscan.dicom.colour import Frame
from veinscan.dicom.model import ClipKind, Region, RegionKind


@dataclass(frozen=True, slots=True)
class KindFinding:
    """A kind and whether it was read from pixels."""

    kind: ClipKind
    from_pixels: bool = False


def kind_from_header(
    regions: tuple[Region, ...], image_type: tuple[str, ...], *, colour: bool
) -> KindFinding | None:
    """Kind from calibrated regions (C.8.5.5) and the fourth value of ImageType (C.8.5.6.1.1), or None."""
    kinds = {region.kind for region in regions}
    picture = bool(kinds & {RegionKind.TISSUE, RegionKind.COLOR_FLOW})
    spectrum = bool(kinds & {RegionKind.SPECTRAL_PW, RegionKind.SPECTRAL_CW})
    modes = _modes(image_type)
    if spectrum:
        return KindFinding(ClipKind.DUPLEX if picture else ClipKind.SPECTRAL)
    if RegionKind.M_MODE in kinds:
        return KindFinding(ClipKind.M_MODE)
    if modes & 0x0C:
        # The type names a spectrum but no region does: with a picture region it is that picture
        return KindFinding(ClipKind.DUPLEX if modes & 0x11 else ClipKind.SPECTRAL) if not picture else None
    if modes & 0x22 and not picture:
        return KindFinding(ClipKind.M_MODE)
    if not colour and picture:
        return KindFinding(ClipKind.BMODE)
    if modes & 0x100:
        return KindFinding(ClipKind.POWER)
    if RegionKind.COLOR_FLOW in kinds or modes & 0x10:
        return KindFinding(ClipKind.COLOUR)
    if modes & 0x01:
        return KindFinding(ClipKind.BMODE)
    return None


def _modes(image_type: tuple[str, ...]) -> int:
    try:
        return int(image_type[3], 16) if len(image_type) > 3 and len(image_type[3]) == 4 else 0
    except ValueError:
        return 0


def colour_pixels(frame: Frame, region: Region | None) -> npt.NDArray[np.bool_]:
    """(rows, cols) bool: coloured pixels of a frame (first version: saturation alone)."""
    if frame.ndim == 2:
        return np.zeros(frame.shape, dtype=bool)
    spread = frame.max(axis=2).astype(np.int16) - frame.min(axis=2)
    mask = (spread > 40).astype(np.uint8)
    return cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)).astype(bool)


def kind_from_pixels(frame: Frame, region: Region | None) -> KindFinding:
    """Kind from one frame."""
    mask = colour_pixels(frame, region)
    if region is not None:
        row0, col0, row1, col1 = region.box
        mask = mask[row0:row1, col0:col1]
    share = float(mask.mean()) if mask.size else 0.0
    return KindFinding(ClipKind.COLOUR if share > 0.005 else ClipKind.BMODE, from_pixels=True)
