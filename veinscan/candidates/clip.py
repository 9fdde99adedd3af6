"""`find_in_clip`: the search on a clip as it comes from the file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from veinscan.candidates.checked import checked_settings
from veinscan.candidates.finder import Progress, search
from veinscan.candidates.flow import with_flow
from veinscan.candidates.model import Candidate, ClipCandidates, FinderSettings
from veinscan.candidates.validated import WORDS as NOT_VALIDATED
from veinscan.candidates.validated import outside_tested
from veinscan.dicom.model import ClipKind, RegionKind
from veinscan.dicom.skin import depth_origin

if TYPE_CHECKING:
    from veinscan.dicom import Clip
    from veinscan.doppler.colour_bar import ColourBar

COLOURED = (ClipKind.COLOUR, ClipKind.POWER, ClipKind.DUPLEX)
"""Kinds of clip whose picture may carry colour."""


def find_in_clip(
    clip: Clip,
    settings: FinderSettings | None = None,
    *,
    bar: ColourBar | None = None,
    progress: Progress | None = None,
) -> ClipCandidates:
    """Candidates of a clip's picture region, in whole-frame pixels, best first.

    Without a picture region or without a calibration in mm there are no candidates,
    and a warning says why.  Reads one frame at a time.  A colour clip gives flow too: with
    velocities where its colour bar can be read, or by `bar`, whose scale a person gave.

    Raises
    ------
    InvalidInputError
        When a setting cannot be used.
    DecodeError
        When a frame cannot be decoded.
    CancelledError
        When `progress` raises it.
    """
    chosen = checked_settings(settings or FinderSettings())
    region = clip.picture_region
    if region is None:
        reason = f"no candidates: {clip.kind} clip without a picture region"
        return ClipCandidates(candidates=(), warnings=(reason,), settings=chosen)
    if region.spacing_mm is None:
        reason = "no candidates: the picture has no calibration in mm; calibrate it by hand"
        return ClipCandidates(candidates=(), warnings=(reason,), settings=chosen)
    row0, col0, row1, col1 = region.box
    warnings: list[str] = []
    skin, is_skin = depth_origin(clip, region)
    if not is_skin:
        warnings.append("nothing tells where the skin is: depth counts from the top of the picture")

    untested = outside_tested(None, None, region.spacing_mm)
    warnings += [f"scores and measures are {NOT_VALIDATED}: {reason}" for reason in untested]

    def frame_at(index: int) -> npt.NDArray[np.uint8]:
        return np.asarray(clip.bmode(index)[row0:row1, col0:col1], np.uint8)

    def colour_at(index: int) -> npt.NDArray[np.bool_]:
        return np.asarray(clip.colour_mask(index)[row0:row1, col0:col1], bool)

    has_colour = region.kind is RegionKind.COLOR_FLOW or clip.kind in COLOURED
    found = search(
        frame_at,
        (clip.n_frames, row1 - row0, col1 - col0),
        region.spacing_mm,
        chosen,
        skin_row=skin - row0,
        colour_at=colour_at if has_colour else None,
        progress=progress,
        id_seed=clip.sop_instance_uid,
    )
    moved = tuple(_moved(candidate, row0, col0) for candidate in found)
    if has_colour and moved:
        moved, why = with_flow(clip, moved, bar=bar)
        warnings += why
    return ClipCandidates(
        candidates=moved,
        warnings=tuple(warnings),
        settings=chosen,
        spacing_mm=region.spacing_mm,
        not_validated=untested,
    )


def _moved(candidate: Candidate, row0: int, col0: int) -> Candidate:
    """The candidate with a region's pixels turned into whole-frame pixels."""
    offset = np.array([row0, col0], np.float32)
    course = candidate.course
    return replace(
        candidate,
        course=None if course is None else replace(course, points=course.points + offset),
        outlines={index: outline + offset for index, outline in candidate.outlines.items()},
        centres={index: (row + row0, col + col0) for index, (row, col) in candidate.centres.items()},
    )
