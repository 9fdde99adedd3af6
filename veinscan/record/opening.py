"""A study with its record: what readers calibrated by hand is on the clips again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from veinscan.dicom import Study, open_study
from veinscan.dicom.calibration import ManualCalibration, ManualColourScale
from veinscan.errors import VeinscanError
from veinscan.plan.context import ClipCalibration, ColourScale
from veinscan.plan.model import Record
from veinscan.record.store import load_record


class Opened(NamedTuple):
    """A study as its readers left it."""

    study: Study
    """With the calibrations of the record on its clips."""
    record: Record
    problems: tuple[VeinscanError, ...] = ()
    """Why a calibration of the record could not be put back (the clip changed since)."""


def open_with_record(
    path: str | Path,
    *,
    study_uid: str | None = None,
    reading_id: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Opened:
    """Open a study and its record together.

    Parameters and errors are those of `open_study` and `load_record`.
    """
    return with_record(open_study(path, study_uid=study_uid, progress=progress), reading_id=reading_id)


def with_record(study: Study, *, reading_id: str | None = None) -> Opened:
    """An opened study with its record."""
    record = load_record(study, reading_id=reading_id)
    study, problems = with_calibrations(study, record.calibrations, record.colour_scales)
    return Opened(study, record, problems)


def with_calibrations(
    study: Study, calibrations: Iterable[ClipCalibration], colour_scales: Iterable[ColourScale] = ()
) -> tuple[Study, tuple[VeinscanError, ...]]:
    """The study with calibrations and colour scales of a record on its clips, and why one could not be."""
    problems = []
    for one in calibrations:
        try:
            study = study.with_calibrations([_manual(one)])
        except VeinscanError as error:
            problems.append(error)
    for scale in colour_scales:
        try:
            study = study.with_colour_scales([_manual_scale(scale)])
        except VeinscanError as error:
            problems.append(error)
    return study, tuple(problems)


def _manual_scale(one: ColourScale) -> ManualColourScale:
    return ManualColourScale(
        sop_instance_uid=one.sop_instance_uid,
        box=one.box,
        top=one.top,
        bottom=one.bottom,
        unit=one.unit,
        set_by=one.set_by,
    )


def _manual(one: ClipCalibration) -> ManualCalibration:
    return ManualCalibration(
        sop_instance_uid=one.sop_instance_uid,
        box=one.box,
        spacing_mm=one.spacing_mm,
        set_by=one.set_by,
        set_at="" if one.set_at is None else one.set_at.isoformat(),
        points=(one.point_a, one.point_b),
        known_mm=one.known_mm,
    )
