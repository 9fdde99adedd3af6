"""The scale of a colour bar that a person gives `veinscan find`, and what is said of the scale used."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from veinscan.cli.common import choose_clips, open_with_record
from veinscan.cli.output import WrongCallError
from veinscan.cli.reflux_by_hand import numbers
from veinscan.cli.saving import save

if TYPE_CHECKING:
    from veinscan.dicom import Clip, Study
    from veinscan.dicom.model import Box
    from veinscan.plan.model import Reader


@dataclass(frozen=True, slots=True)
class GivenScale:
    """What the options say."""

    file: str
    top: float
    bottom: float
    unit: str
    box: Box | None


def given_scale(scale: str | None, unit: str, box: str | None, file: str | None) -> GivenScale | None:
    """The options as values; None where no scale is given.

    Raises
    ------
    WrongCallError
        The numbers make no scale, or it is not said of which clip.
    """
    from veinscan.errors import InvalidInputError
    from veinscan.plan.colour_scales import check_ends

    if scale is None:
        if box is not None:
            raise WrongCallError(
                "a colour bar without its scale", where="--colour-bar", do="give --colour-scale"
            )
        return None
    if file is None:
        raise WrongCallError(
            "a colour scale belongs to one clip", where="--colour-scale", do="say which with --file"
        )
    top, bottom = numbers(scale, 2, "--colour-scale", "--colour-scale 20,-20")
    try:
        check_ends(top, bottom, unit)
    except InvalidInputError as error:
        raise WrongCallError(error.what, where="--colour-scale", do=error.do) from error
    place: Box | None = None
    if box is not None:
        row0, col0, row1, col1 = (
            round(v) for v in numbers(box, 4, "--colour-bar", "--colour-bar 60,700,220,716")
        )
        place = (row0, col0, row1, col1)
    return GivenScale(file, top, bottom, unit, place)


def with_given_scale(
    path: Path, study_uid: str | None, given: GivenScale, reader: Reader
) -> tuple[Study, dict[str, Any]]:
    """The study with a scale on its clip, saved in the record, and what JSON says of the save."""
    from veinscan.plan.colour_scales import set_colour_scale
    from veinscan.record.opening import with_calibrations

    study, record = open_with_record(path, study_uid)
    (clip,) = choose_clips(study, given.file)
    record = set_colour_scale(
        record, clip, reader, top=given.top, bottom=given.bottom, unit=given.unit, box=given.box
    )
    saved = save(study, record, reader)
    study, problems = with_calibrations(study, (), saved.record.colour_scales)
    if problems:
        raise problems[0]
    return study, {"saved": str(saved.path), "version": saved.record.version}


def scale_json(clip: Clip) -> dict[str, Any]:
    """`colour_scale` of a clip with colour: its ends and where they are from; nothing for other clips."""
    from veinscan.candidates.clip import COLOURED
    from veinscan.doppler.colour_bar import bar_of
    from veinscan.doppler.pixel_component import component_table
    from veinscan.errors import VeinscanError

    if clip.kind not in COLOURED:
        return {}
    try:
        if component_table(clip) is not None:
            return {"colour_scale": {"source": "pixel component"}}
        bar = bar_of(clip)
    except VeinscanError:
        return {}
    if bar is None:
        return {"colour_scale": None}
    return {
        "colour_scale": {
            "kind": bar.kind,
            "top": bar.top,
            "bottom": bar.bottom,
            "unit": bar.unit,
            "source": bar.source or None,
            "note": bar.note or None,
        }
    }
