"""What a person adds to `veinscan reflux`: clicks on the axes, marks moved, values kept on a target."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from veinscan.cli.output import WrongCallError

if TYPE_CHECKING:
    from veinscan.dicom import Clip
    from veinscan.doppler import RefluxMeasurement, Strip
    from veinscan.plan.model import InjectionTarget, Reader, Record


@dataclass(frozen=True, slots=True)
class Marks:
    """Onset and end as a person puts them, and on which attempt."""

    attempt: int | None
    onset_s: float | None
    end_s: float | None

    @property
    def given(self) -> bool:
        """Whether any mark is moved."""
        return self.onset_s is not None or self.end_s is not None

    def put(self, strip: Strip, found: RefluxMeasurement, reader: Reader) -> RefluxMeasurement:
        """The measurements of a strip with the marks moved on one attempt, the longest by default."""
        from veinscan.doppler import move_marks

        number = found.attempt if self.attempt is None else self.attempt
        own = next((one for one in found.attempts if one.attempt == number), None)
        if own is None:
            raise WrongCallError(
                f"the strip has no attempt {number}", where="--attempt", do=f"give 1 to {len(found.attempts)}"
            )
        moved = move_marks(strip, own, reader.name, onset_s=self.onset_s, end_s=self.end_s)
        attempts = tuple(moved if one.attempt == number else one for one in found.attempts)
        longest = max(attempts, key=lambda one: (one.adequate, one.duration_s or 0.0))
        return replace(longest, attempts=attempts)


def numbers(text: str, count: int, option: str, example: str) -> tuple[float, ...]:
    """Numbers between commas.

    Raises
    ------
    WrongCallError
        Not so many finite numbers.
    """
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = ()
    if len(values) != count or not all(math.isfinite(value) for value in values):
        raise WrongCallError(f"'{text}' is not {count} numbers", where=option, do=f"such as {example}")
    return values


def calibrated(
    record: Record, clip: Clip, reader: Reader, box: str, clicks: list[str], unit: str, wrap: int | None
) -> Record:
    """The record with two clicks on the axes of a strip of a clip."""
    from veinscan.plan.strips import set_strip_calibration

    row0, col0, row1, col1 = (round(v) for v in numbers(box, 4, "--box", "--box 300,40,500,700"))
    if len(clicks) != 2:
        raise WrongCallError(
            f"there are {len(clicks)} clicks", where="--click", do="give two, ROW,COLUMN,VALUE,SECONDS each"
        )
    one, two = (numbers(text, 4, "--click", "--click 320,40,60,-6") for text in clicks)
    return set_strip_calibration(
        record,
        clip,
        reader,
        box=(row0, col0, row1, col1),
        point_a=(one[0], one[1]),
        value_a=one[2],
        time_a_s=one[3],
        point_b=(two[0], two[1]),
        value_b=two[2],
        time_b_s=two[3],
        unit=unit,
        wrap_column=wrap,
    )


def target_named(record: Record, name: str) -> InjectionTarget:
    """The target of an order, counted from 1, or of an id."""
    for target in record.targets:
        if name in (str(target.order), target.id):
            return target
    raise WrongCallError(
        f"the record has no target '{name}'",
        where="--target",
        do="give its number, as 'targets list' shows it",
    )


def kept(record: Record, target: str, clip: Clip, found: RefluxMeasurement, reader: Reader) -> Record:
    """The record with the attempts of a strip on a target.

    An attempt that was measured before on the same clip is replaced; one
    whose marks a person moved is replaced only by one with moved marks.
    """
    from veinscan.plan.editing import find_target
    from veinscan.plan.flow_edits import put_reflux, reflux_value
    from veinscan.plan.vocabulary import FlowSource

    for one in found.attempts:
        value: Any = reflux_value(one, clip, reader)
        known = next(
            (
                old
                for old in find_target(record, target).reflux
                if (old.sop_instance_uid, old.attempt) == (value.sop_instance_uid, value.attempt)
            ),
            None,
        )
        if known is not None:
            if known.source is FlowSource.CORRECTED and not one.is_corrected:
                continue
            value = replace(value, id=known.id)
        record = put_reflux(record, target, value, reader)
    return record
