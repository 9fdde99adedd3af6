"""Follow-ups on paper: what a person entered, and each target beside its baseline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from veinscan.follow_up import Comparison, TargetComparison, TargetState, Windows, windows_at
from veinscan.plan.follow_up import FollowUp
from veinscan.plan.model import InjectionTarget, Record
from veinscan.plan.treatment import TreatmentSession
from veinscan.plan.visit_vocabulary import DeepVeins, JunctionClass
from veinscan.report.sheet.model import Table, TargetSheet, Visit
from veinscan.report.sheet.shots import before_and_after
from veinscan.report.sheet.words import by_whom, landmark_words, number, reflux_words, vein_words, word
from veinscan.report.text.characters import isolated

if TYPE_CHECKING:
    from veinscan.dicom import Clip

Clips = Mapping[str, "Clip"]

_NOT_ASSESSED = "not assessed"
_QUANTITIES = (
    ("Diameter", "diameter"),
    ("Depth", "depth"),
    ("Compressible", "compressible"),
    ("Reflux", "reflux"),
    ("Flow", "flow"),
)


def visit_sheets(
    record: Record,
    sessions: Iterable[TreatmentSession] = (),
    earlier: Iterable[InjectionTarget] = (),
) -> tuple[Visit, ...]:
    """Every follow-up of a record, by day; `earlier` are the targets of the study that it looks back on."""
    known = {session.id: session for session in (*sessions, *record.sessions)}
    targets = {target.id: target for target in (*earlier, *record.targets)}
    ordered = sorted(record.follow_ups, key=lambda one: (one.on is None, str(one.on)))
    return tuple(_visit(one, targets, known) for one in ordered)


def comparison_table(compared: Comparison) -> Table:
    """Each target of the baseline with what was found, a line each."""
    rows = [
        (
            "" if one.order is None else str(one.order),
            _name(one),
            word(one.outcome) or _NOT_ASSESSED,
            one.diameter.words(),
            one.reflux.words(),
            one.compressible.words(),
        )
        for one in compared.targets
    ]
    return Table(
        title=f"Beside the baseline of {compared.baseline_on or 'an unknown day'}",
        headers=("", "Side, vein", "Outcome", "Diameter", "Reflux", "Compressible"),
        rows=tuple(rows),
        widths=(0.05, 0.17, 0.16, 0.24, 0.21, 0.17),
    )


def compared_targets(compared: Comparison, before: Clips, after: Clips) -> tuple[TargetSheet, ...]:
    """A sheet for each target of the baseline: both pictures, every quantity beside the other."""
    return tuple(_compared(one, compared, before, after) for one in compared.targets)


def comparison_facts(compared: Comparison) -> tuple[tuple[str, str], ...]:
    """What holds for the whole comparison."""
    facts = [
        ("Baseline", f"{compared.baseline_on or 'day unknown'}, study {compared.baseline_study_uid}"),
        ("Treated on", str(compared.treated_on or "no day of treatment is recorded")),
        ("Follow-up", str(compared.follow_up_on or "day unknown")),
        ("Deep veins", compared.deep_veins),
        *_window_facts(compared.windows),
    ]
    facts += [("Note", text) for text in compared.warnings]
    return tuple(facts)


def _compared(one: TargetComparison, compared: Comparison, before: Clips, after: Clips) -> TargetSheet:
    label = "" if one.order is None else str(one.order)
    facts = [("Outcome", word(one.outcome) or _NOT_ASSESSED)]
    facts += [(title, getattr(one, name).words()) for title, name in _QUANTITIES]
    facts += _state_facts("Baseline", one.baseline)
    if one.follow_up is not None:
        facts += _state_facts("Follow-up", one.follow_up)
    if one.maybe_recanalised is not None:
        facts.append(("Suggestion", one.maybe_recanalised.sentence))
    facts += [("Conflict", text) for text in one.conflicts]
    return TargetSheet(
        number=one.order or 0,
        title=f"Target {label}, {_name(one)}" if label else _name(one).capitalize(),
        shots=before_and_after(
            (before, one.baseline, f"Before, {compared.baseline_on or 'day unknown'}"),
            (after, one.follow_up, f"After, {compared.follow_up_on or 'day unknown'}"),
            label,
        ),
        facts=tuple(facts),
        tables=(),
        notes="" if one.follow_up is None else one.follow_up.notes,
    )


def _state_facts(what: str, state: TargetState) -> list[tuple[str, str]]:
    said = [
        word(state.posture),
        landmark_words(state.landmark, state.landmark_cm),
        f"by {by_whom(state.set_by)}" if state.set_by else "",
    ]
    text = ", ".join(part for part in said if part)
    return [(what, text)] if text else []


def _name(one: TargetComparison) -> str:
    side = word(one.baseline.side)
    return f"{side} {vein_words(one.baseline.vein)}".strip()


def _window_facts(windows: Windows | None) -> list[tuple[str, str]]:
    if windows is None:
        return []
    return [
        ("Days since treatment", str(windows.days)),
        ("Window, clinic", windows.clinic_words),
        ("Window, UIP 2011", windows.uip_words),
    ]


def _visit(
    visit: FollowUp, targets: Mapping[str, InjectionTarget], sessions: Mapping[str, TreatmentSession]
) -> Visit:
    treated = max((s.on for uid in visit.session_ids if (s := sessions.get(uid)) and s.on), default=None)
    deep = "not examined" if visit.deep_veins is DeepVeins.NOT_EXAMINED else word(visit.deep_veins)
    facts = [
        ("Duplex done", word(visit.duplex_done)),
        ("Posture", word(visit.posture)),
        *_window_facts(windows_at(treated, visit.on)),
        ("Deep veins", ": ".join(part for part in (deep, isolated(visit.deep_veins_action)) if part)),
        ("Junction", _junction(visit)),
        ("Evacuation of clots", _evacuation(visit)),
        ("Compression worn", number(visit.compression_worn_days, "days", 0)),
        ("Change of appearance", _appearance(visit)),
        ("Satisfaction", "" if visit.satisfaction is None else f"{visit.satisfaction} of 10"),
        (
            "Next step",
            ": ".join(part for part in (word(visit.next_step), isolated(visit.next_step_text)) if part),
        ),
        ("Notes", visit.notes),
        ("Entered by", by_whom(visit.set_by, visit.set_at)),
    ]
    tables = []
    if visit.outcomes:
        tables.append(_outcomes(visit, targets))
    if visit.complications:
        tables.append(_complications(visit, targets))
    return Visit(
        title=f"Follow-up of {visit.on or 'an unknown day'}",
        facts=tuple((name, text) for name, text in facts if text),
        tables=tuple(tables),
    )


def _outcomes(visit: FollowUp, targets: Mapping[str, InjectionTarget]) -> Table:
    rows = [
        (
            _target(one.target_id, targets),
            word(one.outcome),
            number(one.diameter_mm, "mm"),
            word(one.compressible),
            "" if one.reflux is None else reflux_words(one.reflux),
            one.notes,
        )
        for one in visit.outcomes
    ]
    return Table(
        title="Outcomes",
        headers=("Target", "Outcome", "Diameter", "Compressible", "Reflux", "Notes"),
        rows=tuple(rows),
        widths=(0.18, 0.2, 0.12, 0.14, 0.14, 0.22),
    )


def _complications(visit: FollowUp, targets: Mapping[str, InjectionTarget]) -> Table:
    rows = [
        (
            word(one.kind),
            ", ".join(
                p for p in (isolated(one.site), _target(one.target_id, targets) if one.target_id else "") if p
            ),
            number(one.size_mm, "mm", 0),
            ", ".join(part for part in (word(one.severity), word(one.course)) if part),
            " to ".join(str(day) for day in (one.onset_on, one.resolved_on) if day),
            one.action,
        )
        for one in visit.complications
    ]
    return Table(
        title="Complications and side effects",
        headers=("Kind", "Site", "Size", "Severity, course", "From, to", "Action"),
        rows=tuple(rows),
        widths=(0.2, 0.18, 0.1, 0.16, 0.16, 0.2),
    )


def _target(target_id: str, targets: Mapping[str, InjectionTarget]) -> str:
    found = targets.get(target_id)
    return "of an earlier study" if found is None else f"target {found.order}, {vein_words(found.vein)}"


def _junction(visit: FollowUp) -> str:
    if visit.junction_class is JunctionClass.NOT_ASSESSED:
        return ""
    return ": ".join(part for part in (word(visit.junction_class), isolated(visit.junction_action)) if part)


def _evacuation(visit: FollowUp) -> str:
    one = visit.evacuation
    if one is None or not word(one.done):
        return ""
    parts = [
        word(one.done),
        str(one.on or ""),
        ", ".join(isolated(site) for site in one.sites),
        number(one.volume_ml, "mL"),
    ]
    return ", ".join(part for part in parts if part)


def _appearance(visit: FollowUp) -> str:
    if visit.appearance_percent is None:
        return ""
    rater = word(visit.rater)
    return f"{visit.appearance_percent:+d} %" + (f", judged by the {rater}" if rater else "")
