"""What a clip shows: from its regions and header first, from its pixels where those are silent."""

from __future__ import annotations

import cv2
import numpy as np

from veinscan.dicom.chroma import Mask, colour_parts
from veinscan.dicom.colour import Frame, grey_of
from veinscan.dicom.model import Box, ClipKind, Region, RegionKind
from veinscan.dicom.screen import find_m_mode, find_pictures, find_strip
from veinscan.dicom.texture import textured

_FLOW_SHARE = 0.002
"""Share of the picture with Doppler colour from which it is a colour clip."""
_TEXTURE_SHARE = 0.01
"""Share of the screen with the texture of tissue below which it is a page."""


def kind_from_header(
    regions: tuple[Region, ...], image_type: tuple[str, ...], *, colour: bool
) -> ClipKind | None:
    """Kind from calibrated regions (C.8.5.5) and the fourth value of ImageType (C.8.5.6.1.1).

    None where they do not tell, as when a scanner calls every picture tissue.
    `colour`: whether the pixels can hold colour at all.
    """
    kinds = {region.kind for region in regions}
    picture = bool(kinds & {RegionKind.TISSUE, RegionKind.COLOR_FLOW})
    modes = _modes(image_type)
    if kinds & {RegionKind.SPECTRAL_PW, RegionKind.SPECTRAL_CW}:
        return ClipKind.DUPLEX if picture else ClipKind.SPECTRAL
    if RegionKind.M_MODE in kinds:
        return ClipKind.M_MODE
    if not picture and modes & 0x0C:
        return ClipKind.DUPLEX if modes & 0x11 else ClipKind.SPECTRAL
    if not picture and modes & 0x22:
        return ClipKind.M_MODE
    if not colour:
        return ClipKind.BMODE if picture or modes & 0x01 else None
    if modes & 0x100:
        return ClipKind.POWER
    if modes & 0x10:
        return ClipKind.COLOUR
    if RegionKind.COLOR_FLOW in kinds:
        return None  # colour or power: the bar tells
    return ClipKind.BMODE if modes & 0x01 and picture else None


def _modes(image_type: tuple[str, ...]) -> int:
    """The mode bits: 1 2D, 2 M, 4 CW, 8 PW, 10 colour, 20 colour M, 100 power (hexadecimal)."""
    try:
        return int(image_type[3], 16) if len(image_type) > 3 and len(image_type[3]) == 4 else 0
    except ValueError:
        return 0


def kind_from_pixels(frame: Frame, regions: tuple[Region, ...], region: Region | None) -> ClipKind:
    """Kind from one frame, uint8 (rows, cols) or (rows, cols, 3)."""
    named_flow = any(r.kind == RegionKind.COLOR_FLOW for r in regions)
    if not regions:
        strip = find_strip(frame)
        if strip is not None:
            return ClipKind.DUPLEX if find_pictures([frame], strip) else ClipKind.SPECTRAL
        if find_m_mode(frame) is not None:
            return ClipKind.M_MODE
    if region is None and not has_picture(frame):
        return ClipKind.PAGE
    parts = colour_parts(frame, region)
    flow, area = parts.flow, frame.shape[0] * frame.shape[1]
    if region is not None:
        area = region.shape[0] * region.shape[1]
    else:
        flow, area = _in_pictures(flow, find_pictures([frame]))
    if not named_flow and flow.sum() < _FLOW_SHARE * area:
        return ClipKind.BMODE
    if parts.bar_is_warm is None:
        parts = colour_parts(frame)  # the bar may stand outside the region
    return ClipKind.POWER if parts.bar_is_warm else ClipKind.COLOUR


def _in_pictures(flow: Mask, pictures: list[Box]) -> tuple[Mask, int]:
    """(flow inside the pictures, their area): a scanner colours its writing too.

    Where the picture is too dark to be found, what is thin is left out instead.
    """
    if not pictures:
        solid = cv2.morphologyEx(flow.astype(np.uint8), cv2.MORPH_OPEN, np.ones((7, 7), np.uint8))
        return solid.astype(bool), flow.size
    inside = np.zeros_like(flow)
    for row0, col0, row1, col1 in pictures:
        inside[row0:row1, col0:col1] = True
    return flow & inside, int(inside.sum())


def has_picture(frame: Frame) -> bool:
    """Whether a screen holds an ultrasound picture, not text, tables and marks alone."""
    return bool(textured(grey_of(frame)).mean() >= _TEXTURE_SHARE)
