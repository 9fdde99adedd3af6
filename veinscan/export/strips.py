"""Reflux that the program measures on the calibrated strips of a study, as rows of the measurements."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from veinscan.errors import VeinscanError
from veinscan.export.tables import head_of, of_reading, quantity_rows

if TYPE_CHECKING:
    from veinscan.doppler import RefluxMeasurement
    from veinscan.export.study import ClipCase, StudyCase

SOURCE = "reflux by the program"


def strip_rows(case: StudyCase) -> list[list[Any]]:
    """Rows for every attempt on every strip that its file calibrates; a strip that fails has none."""
    return [
        [*head_of(case, clip), *of_reading(None), *row] for clip in case.clips for row in _of_clip(clip, case)
    ]


def _of_clip(clip: ClipCase, case: StudyCase) -> Iterator[tuple[Any, ...]]:
    from veinscan.doppler import measure_reflux, spectral_regions

    for number, region in enumerate(spectral_regions(clip.clip)):
        try:
            measured = measure_reflux(clip.clip, region=region)
        except VeinscanError:
            continue
        for one in measured.attempts or (measured,):
            label = case.identity.key.uid(f"made|reflux|{clip.sop_instance_uid}|{number}|{one.attempt}")
            yield from quantity_rows(_value(one, label), None, SOURCE)


def _value(measured: RefluxMeasurement, uid: str) -> Any:
    from veinscan.plan.flow import RefluxValue
    from veinscan.plan.vocabulary import Checked, Manoeuvre

    def rounded(value: float | None, digits: int) -> float | None:
        return None if value is None else round(float(value), digits)

    return RefluxValue(
        id=uid,
        attempt=measured.attempt,
        adequate=Checked.YES if measured.adequate else Checked.NO,
        reflux_s=rounded(measured.duration_s, 3),
        is_lower_bound=measured.duration_is_lower_bound,
        peak_reflux_cm_s=rounded(measured.peak_reflux_cm_s, 1),
        mean_reflux_cm_s=rounded(measured.mean_reflux_cm_s, 1),
        antegrade_peak_cm_s=rounded(measured.antegrade_peak_cm_s, 1),
        angle_deg=rounded(measured.angle_deg, 1),
        manoeuvre=Manoeuvre(measured.manoeuvre),
        polarity_confirmed=measured.polarity_confirmed,
        threshold_profile=measured.threshold_profile,
    )
