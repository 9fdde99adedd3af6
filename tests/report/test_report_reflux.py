"""Reflux on the report: the longest of several attempts and how many, and polarity nobody confirmed."""

from __future__ import annotations

from veinscan.plan.flow import RefluxValue
from veinscan.plan.model import InjectionTarget
from veinscan.plan.vocabulary import FlowSource
from veinscan.report.sheet.tables import reflux_table


def attempt(number: int, seconds: float | None, **changes: object) -> RefluxValue:
    return RefluxValue(
        id=f"1.2.{number}", sop_instance_uid="1.9", attempt=number, reflux_s=seconds,
        **({"source": FlowSource.MEASURED} | changes),
    )  # fmt: skip


def durations(*values: RefluxValue) -> list[str]:
    one = InjectionTarget(id="1.1", sop_instance_uid="1.9", frame_index=0, point=(1.0, 1.0), order=1)
    return [row[1] for row in reflux_table([(one, value) for value in values], {}, "svs_avf_avls_2022").rows]


def test_the_longest_attempt_and_how_many_there_were() -> None:
    first, second, third = durations(attempt(1, 0.4), attempt(2, 1.25), attempt(3, None))
    assert "1.25 s" in second and "longest of 3 attempts" in second
    assert "attempts" not in first + third
    assert "attempts" not in durations(attempt(1, 0.4))[0]


def test_unconfirmed_polarity_is_printed() -> None:
    assert "polarity unconfirmed" in durations(attempt(1, 0.4))[0]
    assert "unconfirmed" not in durations(attempt(1, 0.4, polarity_confirmed=True))[0]
    assert "unconfirmed" not in durations(attempt(1, 0.4, source=FlowSource.ENTERED))[0]
