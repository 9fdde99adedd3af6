"""Calibrations of the record put back onto the clips of its study."""

from __future__ import annotations

from collections.abc import Iterable

from veinscan.dicom import Study
from veinscan.dicom.calibration import ManualCalibration
from veinscan.errors import VeinscanError
from veinscan.plan.context import ClipCalibration


def with_record_calibrations(
    study: Study, calibrations: Iterable[ClipCalibration]
) -> tuple[Study, list[VeinscanError]]:
    """The study as opened, with what readers calibrated; and why one of them could not be put back."""
    problems: list[VeinscanError] = []
    for one in calibrations:
        try:
            study = study.with_calibrations([manual_of(one)])
        except VeinscanError as error:
            problems.append(error)
    return study, problems


def manual_of(one: ClipCalibration) -> ManualCalibration:
    """A calibration of the record as the reader of DICOM takes it."""
    return ManualCalibration(
        sop_instance_uid=one.sop_instance_uid,
        box=one.box,
        spacing_mm=one.spacing_mm,
        set_by=one.set_by,
        set_at=one.set_at.isoformat() if one.set_at is not None else "",
        points=(one.point_a, one.point_b),
        known_mm=one.known_mm,
    )
