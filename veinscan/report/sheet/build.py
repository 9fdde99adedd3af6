"""A record and its study as a `Sheet`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

import veinscan
from veinscan.follow_up import Comparison
from veinscan.plan import thresholds
from veinscan.plan.checks import CheckLevel, check_record
from veinscan.plan.model import Acknowledgement, InjectionTarget, Record, TargetStatus
from veinscan.plan.planned import planned_sum
from veinscan.plan.products import product
from veinscan.plan.treatment import TreatmentSession
from veinscan.record.table import SCHEMA
from veinscan.report.leg_map import LegMap, leg_map
from veinscan.report.sheet import study as about
from veinscan.report.sheet.model import Row, Sheet, Table, TargetSheet, WarningLine
from veinscan.report.sheet.shots import close_up_of, whole_of
from veinscan.report.sheet.tables import flow_line, measurement_tables, reflux_table, where
from veinscan.report.sheet.visits import (
    compared_targets,
    comparison_facts,
    comparison_table,
    visit_sheets,
)
from veinscan.report.sheet.words import (
    by_whom,
    how,
    how_short,
    more_words,
    number,
    place_words,
    side_words,
    vein_words,
    word,
)
from veinscan.report.text.characters import isolated

if TYPE_CHECKING:
    from veinscan.dicom import Clip, Study


def make_sheet(
    study: Study,
    record: Record,
    *,
    printed_at: datetime,
    profile: str = thresholds.DEFAULT_PROFILE,
    baseline: tuple[Study, Record] | None = None,
    compared: Comparison | None = None,
) -> Sheet:
    """Everything that a report says.

    Parameters
    ----------
    study, record
        What is reported; of a follow-up, the follow-up's.
    printed_at : datetime
        With time zone.
    profile : str
        Thresholds of reflux (`plan.thresholds.profiles()`).
    baseline, compared
        Of a follow-up: the earlier study with its record, and the comparison with it.

    Raises
    ------
    InvalidInputError
        The profile is not known.
    """
    thresholds.threshold(profile, "superficial")  # refuses an unknown profile
    clips = {clip.sop_instance_uid: clip for clip in study.clips}
    targets = sorted(record.targets, key=lambda t: t.order)
    planned = planned_sum(record)
    sheets = tuple(_target_sheet(target, record, clips, profile) for target in targets)
    sessions: Sequence[TreatmentSession] = ()
    earlier: Sequence[InjectionTarget] = ()
    comparison: Table | None = None
    facts: tuple[tuple[str, str], ...] = ()
    drawn = record
    if baseline is not None and compared is not None:
        before = {clip.sop_instance_uid: clip for clip in baseline[0].clips}
        sheets = (*compared_targets(compared, before, clips), *sheets)
        comparison, facts, drawn = comparison_table(compared), comparison_facts(compared), baseline[1]
        sessions, earlier = compared.sessions, baseline[1].targets
    legs = leg_map(drawn)
    return Sheet(
        title="Injection plan" if comparison is None else "Follow-up",
        person=about.person_of(study),
        study_uid=study.study_instance_uid,
        study_line=about.study_line(study),
        record_line=about.record_line(record),
        version_line=about.version_line(record),
        saved_line=about.saved_line(study, record),
        marked_line=about.marked_line(record),
        printed_line=about.printed_line(printed_at),
        mark=about.mark_across(record),
        heads=record.heads if record.version else (),
        conflicts=record.conflicts,
        legs=legs,
        map_note=_map_note(legs),
        rows=tuple(_row(target) for target in targets),
        close_ups=tuple(close_up_of(clips, target) for target in targets),
        sums=planned.words() if targets else "",
        limits=planned.limits,
        warnings=_warnings(record, study, sessions, printed_at.date()),
        targets=sheets,
        visits=visit_sheets(record, sessions, earlier),
        comparison=comparison,
        comparison_facts=facts,
        measurements=measurement_tables(record, clips, profile),
        computed_with=_computed_with(profile),
    )


def _map_note(legs: LegMap) -> str:
    said = []
    if any(mark.is_estimated for mark in legs.marks):
        said.append("A dashed number stands where the target's words lead to on a drawn leg of 170 cm.")
    reasons = dict.fromkeys(why for _, why in legs.not_placed)
    missing = [
        f"{', '.join(str(order) for order, other in legs.not_placed if other == why)}: {why}"
        for why in reasons
    ]
    if missing:
        said.append(f"Not on the leg map: {'; '.join(missing)}.")
    return " ".join(said)


def _row(target: InjectionTarget) -> Row:
    return Row(
        target=target,
        number=target.order,
        side=side_words(target.side),
        vein=vein_words(target.vein),
        place=place_words(target),
        diameter=number(target.diameter_mm),
        diameter_how=how_short(target.diameter_source),
        depth=number(target.depth_mm),
        depth_how=how_short(target.depth_source),
        modality=word(target.modality),
        product=product(target.product).name if target.product else "",
        concentration="" if target.concentration_percent is None else f"{target.concentration_percent:g} %",
        volume="" if target.planned_volume_ml is None else f"{target.planned_volume_ml:g} mL",
        more=more_words(target),
        status="" if target.status is TargetStatus.PLANNED else target.status.value,
        notes=target.notes.strip(),
    )


def _target_sheet(
    target: InjectionTarget, record: Record, clips: Mapping[str, Clip], profile: str
) -> TargetSheet:
    names = {one.id: one.order for one in record.targets}
    feeds = ", ".join(f"target {names[uid]}" for uid in target.feeds if uid in names)
    facts = [
        ("Planned", _planned(target)),
        ("Segment", word(target.segment)),
        ("Level, aspect", ", ".join(p for p in (word(target.level), word(target.aspect)) if p)),
        ("Class", word(target.vein_class)),
        ("Compartment", word(target.compartment)),
        ("Vessel", word(target.vessel_type)),
        ("Diameter", _measured(target.diameter_mm, how(target.diameter_source), word(target.posture))),
        ("Depth, skin to near wall", _measured(target.depth_mm, how(target.depth_source))),
        ("Visible course", number(target.length_mm, "mm", 0)),
        ("Plane", word(target.plane)),
        ("Compressible", word(target.compressible)),
        ("Feeder", word(target.is_feeder)),
        ("Feeds", "; ".join(part for part in (feeds, isolated(target.feeds_text)) if part)),
        ("Artery checked", word(target.artery_checked)),
        ("Nearest artery", number(target.artery_distance_mm, "mm")),
        ("Flow", flow_line(target.flow)),
        ("Status", "" if target.status is TargetStatus.PLANNED else target.status.value),
        ("Candidate", _candidate(target)),
        ("Marked by", by_whom(target.marked_by, target.marked_at)),
        ("Picture", where(clips, target.sop_instance_uid, target.frame_index) if target.has_place else ""),
        ("Clip's UID", target.sop_instance_uid),
        ("Tracking UID", target.id),
    ]
    title = f"Target {target.order}: {side_words(target.side)}, {vein_words(target.vein)}"
    if where_ := place_words(target):
        title += f", {where_}"
    attempts = [(target, value) for value in target.reflux]
    return TargetSheet(
        number=target.order,
        title=title,
        shots=(close_up_of(clips, target), whole_of(clips, target)),
        facts=tuple((name, text) for name, text in facts if text),
        tables=(reflux_table(attempts, clips, profile),) if attempts else (),
        notes=target.notes.strip(),
    )


def _planned(target: InjectionTarget) -> str:
    row = _row(target)
    parts = (row.modality, row.product, row.concentration, row.volume, row.more)
    return ", ".join(part for part in parts if part)


def _measured(value: float | None, *said: str) -> str:
    return ", ".join([number(value, "mm"), *(part for part in said if part)]) if value is not None else ""


def _candidate(target: InjectionTarget) -> str:
    if target.candidate_id is None:
        return ""
    parts = [target.candidate_id]
    if target.candidate_score is not None:
        parts.append(f"score {target.candidate_score:.2f}")
    parts += [f"{key} {value}" for key, value in _settings(target.candidate_settings).items()]
    return ", ".join(parts)


def _settings(text: str) -> dict[str, str]:
    """Settings of the search that found it, those that are one value."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {
        str(key).replace("_", " "): f"{value:g}" if isinstance(value, float) else str(value)
        for key, value in found.items()
        if isinstance(value, (str, int, float))
    }


def _warnings(
    record: Record, study: Study, sessions: Sequence[TreatmentSession], today: date
) -> tuple[WarningLine, ...]:
    said: dict[tuple[str, str, str], Acknowledgement] = {
        (one.rule, one.subject, one.sentence): one for one in record.acknowledgements
    }
    lines = []
    for result in check_record(record, study, today=today, other_sessions=sessions):
        if result.level is CheckLevel.INFORMATION:
            continue
        entry = said.get((result.rule, result.subject, result.sentence))
        acknowledged = ""
        if result.acknowledged_by and entry is not None:
            acknowledged = f"by {by_whom(entry.acknowledged_by, entry.acknowledged_at)}"
            acknowledged += f": {isolated(entry.reason)}" if entry.reason else ""
        lines.append(
            WarningLine(
                rule=result.rule,
                level=result.level.value,
                sentence=result.sentence,
                acknowledged=acknowledged,
            )
        )
    return tuple(sorted(lines, key=lambda line: bool(line.acknowledged)))


def _computed_with(profile: str) -> tuple[str, ...]:
    name = thresholds.profiles()[profile]
    return (
        f"veinscan {veinscan.__version__}; record schema {SCHEMA}.",
        f"Reflux by profile {name} ({profile}); limits and checks by table of thresholds "
        f"{thresholds.version()}.",
        "Depth: skin to the near wall. Diameter: inner wall to inner wall. Frames count from 0.",
    )
