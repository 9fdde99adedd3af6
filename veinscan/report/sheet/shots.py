"""Pictures for the pages, each with its words; where there is none, the reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from veinscan.errors import VeinscanError
from veinscan.follow_up import TargetState
from veinscan.plan.model import InjectionTarget
from veinscan.report.pictures import ORANGE, SKY_BLUE, Rgb, encode
from veinscan.report.sheet.model import Shot
from veinscan.report.sheet.words import number
from veinscan.report.target_pictures import Spot, close_up, close_up_mm, whole_picture
from veinscan.report.text.characters import isolated

if TYPE_CHECKING:
    from veinscan.dicom import Clip

_QUALITY = 80
"""Of the JPEG; the clip itself stays as it is."""


def close_up_of(clips: Mapping[str, Clip], target: InjectionTarget) -> Shot:
    """The surroundings of a target."""
    return _shot(clips, target.sop_instance_uid, Spot.of_target(target), "close up", close_up)


def whole_of(clips: Mapping[str, Clip], target: InjectionTarget) -> Shot:
    """The picture that a target was marked on."""
    return _shot(clips, target.sop_instance_uid, Spot.of_target(target), "whole picture", whole_picture)


def before_and_after(
    before: tuple[Mapping[str, Clip], TargetState | None, str],
    after: tuple[Mapping[str, Clip], TargetState | None, str],
    label: str,
) -> tuple[Shot, ...]:
    """The close-ups of a target before and after, at one scale, then the whole pictures.

    `before` and `after` are the clips of the study, the target as it was then,
    and the words that begin a caption.
    """
    spots = [_spot(state, label) for _, state, _ in (before, after)]
    height_mm = max((close_up_mm(spot) for spot in spots if spot is not None), default=None)
    near, far = [], []
    for (clips, state, words), spot in zip((before, after), spots, strict=True):
        if state is None or spot is None:
            why = "nobody has looked at it yet" if state is None else "it was not marked on a picture"
            near.append(Shot(caption=words, alt=f"{words}: no picture", problem=f"no picture: {why}"))
            continue
        near.append(_shot(clips, state.sop_instance_uid, spot, words, partial(close_up, height_mm=height_mm)))
        far.append(_shot(clips, state.sop_instance_uid, spot, f"{words}, whole picture", whole_picture))
    return (*near, *far)


def _spot(state: TargetState | None, label: str) -> Spot | None:
    if state is None or not state.has_place:
        return None
    return Spot(
        frame_index=state.frame_index,
        point=state.point,
        label=label,
        outline=state.outline,
        calibration=state.calibration,
        diameter_mm=state.diameter_mm,
        depth_mm=state.depth_mm,
        colour=ORANGE if state.kind == "plan" else SKY_BLUE,
    )


def _shot(
    clips: Mapping[str, Clip], sop_instance_uid: str, spot: Spot, what: str, draw: Callable[..., Rgb]
) -> Shot:
    if not sop_instance_uid:
        return Shot(caption=what, alt="no picture", problem="no picture: on the leg map alone")
    clip = clips.get(sop_instance_uid)
    if clip is None:
        return Shot(caption=what, alt="no picture", problem="no picture: its clip is not among these files")
    caption = f"{what}: {isolated(clip.file)}, frame {spot.frame_index}"
    try:
        rgb = draw(clip, spot)
    except VeinscanError as error:
        return Shot(caption=caption, alt="no picture", problem=f"no picture: {error.what}")
    said = [
        f"diameter {number(spot.diameter_mm, 'mm')}" if spot.diameter_mm is not None else "",
        f"depth {number(spot.depth_mm, 'mm')}" if spot.depth_mm is not None else "",
        "outlined" if spot.outline else "",
        "not calibrated: no scale" if spot.calibration is None else "",
    ]
    words = ", ".join(part for part in said if part)
    return Shot(
        caption=f"{caption}; {words}" if words else caption,
        alt=f"Ultrasound picture, {what}, target {spot.label}" + (f": {words}" if words else ""),
        jpeg=encode(rgb, ".jpg", _QUALITY),
        size=(rgb.shape[1], rgb.shape[0]),
    )
