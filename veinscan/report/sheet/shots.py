"""Pictures for the pages, each with its words; where there is none, the reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from veinscan.errors import VeinscanError
from veinscan.follow_up import TargetState
from veinscan.plan.model import InjectionTarget
from veinscan.report.pictures import SKY_BLUE, Rgb, encode
from veinscan.report.sheet.model import Shot
from veinscan.report.sheet.words import number
from veinscan.report.target_pictures import Spot, close_up, whole_picture

if TYPE_CHECKING:
    from veinscan.dicom import Clip

ASPECT = 4 / 3
"""Of a close-up."""
_QUALITY = 85
"""Of the JPEG; the clip itself stays as it is."""


def close_up_of(clips: Mapping[str, Clip], target: InjectionTarget) -> Shot:
    """The surroundings of a target."""
    return _shot(clips, target.sop_instance_uid, Spot.of_target(target), "close up", close_up)


def whole_of(clips: Mapping[str, Clip], target: InjectionTarget) -> Shot:
    """The picture that a target was marked on."""
    return _shot(clips, target.sop_instance_uid, Spot.of_target(target), "whole picture", whole_picture)


def state_shot(clips: Mapping[str, Clip], state: TargetState | None, label: str, when: str) -> Shot:
    """The picture that a target was marked on before, or seen on after; `when` begins its caption."""
    if state is None or not state.has_place:
        why = "nobody has looked at it yet" if state is None else "it was not marked on a picture"
        return Shot(caption=when, alt=f"{when}: no picture", problem=f"no picture: {why}")
    spot = Spot(
        frame_index=state.frame_index,
        point=state.point,
        label=label,
        outline=state.outline,
        calibration=state.calibration,
        diameter_mm=state.diameter_mm,
        depth_mm=state.depth_mm,
    )
    if state.kind != "plan":
        spot = spot.recoloured(SKY_BLUE)
    return _shot(clips, state.sop_instance_uid, spot, when, whole_picture)


def _shot(
    clips: Mapping[str, Clip], sop_instance_uid: str, spot: Spot, what: str, draw: Callable[..., Rgb]
) -> Shot:
    if not sop_instance_uid:
        return Shot(caption=what, alt="no picture", problem="no picture: on the leg map alone")
    clip = clips.get(sop_instance_uid)
    if clip is None:
        return Shot(caption=what, alt="no picture", problem="no picture: its clip is not among these files")
    caption = f"{what}: {clip.file}, frame {spot.frame_index}"
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
