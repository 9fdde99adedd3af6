"""Tables of what was measured: calipers, reflux on strips, flow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from veinscan.plan.flow import FlowValue, RefluxValue
from veinscan.plan.model import InjectionTarget, Record
from veinscan.plan.thresholds import classify
from veinscan.plan.vocabulary import FlowSource
from veinscan.report.sheet.model import Table
from veinscan.report.sheet.words import (
    by_whom,
    number,
    person_words,
    reflux_words,
    side_words,
    vein_words,
    word,
)
from veinscan.report.text.characters import isolated

if TYPE_CHECKING:
    from veinscan.dicom import Clip

_DIGITS = {"s": 2, "cm/s": 1, "mm": 1}
_SOURCE = {FlowSource.MEASURED: "program", FlowSource.CORRECTED: "corrected", FlowSource.ENTERED: "typed"}


def measurement_tables(record: Record, clips: Mapping[str, Clip], profile: str) -> tuple[Table, ...]:
    """Caliper and reflux measurements of a record; nothing where there are none."""
    tables = []
    if record.measurements:
        rows = tuple(
            (
                word(one.kind),
                number(one.value, one.unit, _DIGITS[one.unit]),
                where(clips, one.sop_instance_uid, one.frame_index),
                by_whom(one.set_by, one.set_at),
                one.notes,
            )
            for one in record.measurements
        )
        headers = ("Kind", "Value", "Clip and frame", "By", "Notes")
        tables.append(
            Table(
                title="Measured with calipers",
                headers=headers,
                rows=rows,
                widths=(0.12, 0.12, 0.26, 0.26, 0.24),
            )
        )
    attempts = [(target, value) for target in record.targets for value in target.reflux]
    if attempts:
        tables.append(reflux_table(attempts, clips, profile))
    return tuple(tables)


def reflux_table(
    attempts: Sequence[tuple[InjectionTarget, RefluxValue]], clips: Mapping[str, Clip], profile: str
) -> Table:
    """Every attempt, the longest of a strip told; the class by the profile worked out as it is shown."""
    rows = []
    strips: dict[tuple[str, str], list[RefluxValue]] = {}
    for target, value in attempts:
        strips.setdefault((target.id, value.sop_instance_uid), []).append(value)
    for target, value in attempts:
        verdict = classify(
            value.reflux_s,
            profile,
            target.vein,
            is_lower_bound=value.is_lower_bound,
            time_step_s=value.time_step_s or 0.0,
        )
        said = [reflux_words(value)]
        same = strips[target.id, value.sop_instance_uid] if value.sop_instance_uid else [value]
        if len(same) > 1 and value is max(same, key=lambda one: one.reflux_s or 0.0):
            said.append(f"longest of {len(same)} attempts")
        if value.interrupted:
            said.append("interrupted")
        if value.source is not FlowSource.ENTERED and not value.polarity_confirmed:
            said.append("polarity unconfirmed")
        if value.corrected_by:
            said.append(f"corrected by {person_words(value.corrected_by)}")
        rows.append(
            (
                f"{target.order}, {side_words(target.side)} {vein_words(target.vein)}",
                ", ".join(said),
                number(value.peak_reflux_cm_s, "cm/s", 0),
                ", ".join(part for part in (word(value.manoeuvre), word(value.posture)) if part),
                verdict.sentence,
                ", ".join(
                    part
                    for part in (
                        where(clips, value.sop_instance_uid) if value.sop_instance_uid else "no strip",
                        _SOURCE[value.source],
                        by_whom(value.set_by, value.set_at),
                    )
                    if part
                ),
            )
        )
    return Table(
        title="Reflux",
        headers=("Target", "Duration", "Peak", "Manoeuvre, posture", "Class", "Strip, source"),
        rows=tuple(rows),
        widths=(0.15, 0.15, 0.08, 0.17, 0.22, 0.23),
    )


def flow_line(values: Iterable[FlowValue]) -> str:
    """'peak 12 cm/s, antegrade (program)' for each velocity at a target."""
    said = []
    for value in values:
        parts = [
            f"peak {number(value.peak_cm_s, 'cm/s', 0)}" if value.peak_cm_s is not None else "",
            f"mean {number(value.mean_cm_s, 'cm/s', 0)}" if value.mean_cm_s is not None else "",
            f"angle {value.angle_deg:.0f}°" if value.angle_deg is not None else "",
            word(value.direction),
        ]
        said.append(f"{', '.join(part for part in parts if part)} ({_SOURCE[value.source]})")
    return "; ".join(said)


def where(clips: Mapping[str, Clip], sop_instance_uid: str, frame_index: int | None = None) -> str:
    """'IM_0001, frame 12'."""
    clip = clips.get(sop_instance_uid)
    name = isolated(clip.file) if clip is not None else "clip not found"
    return name if frame_index is None else f"{name}, frame {frame_index}"
