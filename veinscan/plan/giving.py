"""The day of treatment, row by row: what was planned beside what was given, and the acts of who gives it.

Each act is a pure function on the record.  A target becomes 'treated' in the
same act in which something is recorded as given to it, and 'planned' again
when that is taken back.  Whether the artery was looked for and whether the
needle lies in the vein is said for one injection at a time: neither 'given as
planned' nor a copy fills it in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any

from veinscan.errors import InvalidInputError, RecordError
from veinscan.plan.doses import DaySum, day_sums, product_of
from veinscan.plan.editing import find_target, update_target
from veinscan.plan.ids import new_uid
from veinscan.plan.model import InjectionTarget, Reader, Record, TargetStatus
from veinscan.plan.planned import label_numbers
from veinscan.plan.products import general
from veinscan.plan.treatment import FoamRecipe, Injection, LaserSettings, LaserTreatment, TreatmentSession
from veinscan.plan.visits import put_session, remove_session
from veinscan.plan.vocabulary import Form, Modality

_FORMS = {Modality.LIQUID: Form.LIQUID, Modality.FOAM: Form.FOAM}
_COPIED = ("product", "agent", "form", "concentration_percent", "volume_ml", "lot", "needle_gauge")
"""Of an injection; what was checked at one needle says nothing of the next."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a session: a target with one injection or laser treatment, or with none yet."""

    target_id: str
    target: InjectionTarget | None
    """None where it is not in the record any more."""
    is_laser: bool
    entry: Injection | LaserTreatment | None

    @property
    def key(self) -> tuple[str, bool, str]:
        """Which row it is; stays the same while its entry does."""
        return self.target_id, self.is_laser, self.entry.id if self.entry is not None else ""

    @property
    def is_given(self) -> bool:
        """Whether a volume, or a setting of the laser, is recorded as given."""
        return self.entry is not None and _is_given(self.entry)

    @property
    def as_planned(self) -> bool | None:
        """Whether what was given is what was planned; None where one of both is not recorded."""
        if isinstance(self.entry, Injection):
            one = self.entry
            pairs = (
                (one.planned_volume_ml, one.volume_ml),
                (one.planned_concentration_percent, one.concentration_percent),
            )
            if one.planned_volume_ml is None or one.volume_ml is None:
                return None
            return all(planned == given for planned, given in pairs)
        if self.entry is None or self.target is None or None in (self.entry.settings, self.target.laser):
            return None
        return self.entry.settings == self.target.laser


def new_session(on: date | None = None) -> TreatmentSession:
    """An empty session, of a day where one is given."""
    return TreatmentSession(id=new_uid(), on=on)


def find_session(record: Record, session_id: str) -> TreatmentSession:
    """The session with an id; RecordError where there is none."""
    for session in record.sessions:
        if session.id == session_id:
            return session
    raise RecordError("there is no such session in the record", do="choose one, or make a new one")


def rows(record: Record, session: TreatmentSession) -> tuple[Row, ...]:
    """Targets in the order of injection with what was given to each; entries without a target stand last."""
    found: list[Row] = []
    for target in record.targets:
        injections = [one for one in session.injections if one.target_id == target.id]
        lasers = [one for one in session.lasers if one.target_id == target.id]
        is_laser = target.modality in (Modality.LASER, Modality.LASER_PLUS_INJECTION)
        if injections or target.modality is not Modality.LASER:
            found += [Row(target.id, target, False, one) for one in injections or (None,)]
        if lasers or is_laser:
            found += [Row(target.id, target, True, one) for one in lasers or (None,)]
    known = {target.id for target in record.targets}
    found += [Row(i.target_id, None, False, i) for i in session.injections if i.target_id not in known]
    found += [Row(i.target_id, None, True, i) for i in session.lasers if i.target_id not in known]
    return tuple(found)


def give_as_planned(record: Record, session_id: str, row: Row, reader: Reader) -> Record:
    """What the plan of the target says was given; the plan is kept beside it.

    Raises InvalidInputError where the plan says neither a volume nor settings
    of a laser, and where something else than a copy is recorded already.
    """
    _check_free(row)
    target = find_target(record, row.target_id)
    if row.is_laser:
        if target.laser is None:
            raise InvalidInputError(
                f"no laser settings are planned for target {target.order}", do="type what was used"
            )
        return change_entry(record, session_id, row, reader, settings=target.laser, copied=False)
    if target.planned_volume_ml is None:
        raise InvalidInputError(
            f"no volume is planned for target {target.order}", do="type what was given, or plan it first"
        )
    planned: dict[str, Any] = {
        "product": target.product,
        "concentration_percent": target.concentration_percent,
        "volume_ml": target.planned_volume_ml,
        "planned_concentration_percent": target.concentration_percent,
        "planned_volume_ml": target.planned_volume_ml,
        "needle_gauge": target.needle_gauge,
        "copied": False,
    }
    if target.modality in _FORMS:
        planned["form"] = _FORMS[target.modality]
    return change_entry(record, session_id, row, reader, **planned)


def copy_previous(record: Record, session_id: str, row: Row, reader: Reader) -> tuple[Record, Row]:
    """The values of the nearest earlier row of its kind that was given, marked as copied; and that row.

    Raises InvalidInputError where there is none, and where something else than a copy is recorded already.
    """
    _check_free(row)
    session = find_session(record, session_id)
    before: list[Row] = []
    for one in rows(record, session):
        if one.key == row.key:
            break
        if one.is_laser == row.is_laser and one.is_given and one.target_id != row.target_id:
            before.append(one)
    if not before:
        raise InvalidInputError(
            "no target before this one has been given anything", do="press G for 'given as planned', or type"
        )
    source = before[-1].entry
    values: dict[str, Any] = {"copied": True}
    if isinstance(source, Injection):
        values |= {name: getattr(source, name) for name in _COPIED}
        # how old the foam was is of that one injection
        values["foam"] = None if source.foam is None else replace(source.foam, age_s=None)
    elif source is not None:
        values["settings"] = source.settings
    return change_entry(record, session_id, row, reader, **values), before[-1]


def change_entry(record: Record, session_id: str, row: Row, reader: Reader, **values: Any) -> Record:
    """The record with some fields of what was given changed; the entry is made where there is none yet.

    Raises InvalidInputError for malformed values, RecordError for an unknown session.
    """
    session = find_session(record, session_id)
    entry = row.entry
    if entry is None and row.is_laser:
        entry = LaserTreatment(id=new_uid(), target_id=row.target_id)
    elif entry is None:
        target = find_target(record, row.target_id)
        entry = Injection(id=new_uid(), target_id=target.id, side=target.side)
    changed: Any = replace(entry, **values)
    if isinstance(changed, LaserTreatment) and changed.settings == LaserSettings():
        changed = replace(changed, settings=None)
    if isinstance(changed, Injection) and changed.foam == FoamRecipe():
        changed = replace(changed, foam=None)
    return _put_entry(record, session, changed, reader)


def another_injection(record: Record, session_id: str, row: Row, reader: Reader) -> Record:
    """The record with one more, empty, entry for the same target: a vein is injected at several places."""
    return change_entry(record, session_id, replace(row, entry=None), reader)


def take_back(record: Record, session_id: str, row: Row, reader: Reader) -> Record:
    """The record without the entry of a row."""
    session = find_session(record, session_id)
    uid = row.entry.id if row.entry is not None else ""
    less = replace(
        session,
        injections=tuple(one for one in session.injections if one.id != uid),
        lasers=tuple(one for one in session.lasers if one.id != uid),
    )
    return _followed(record, put_session(record, less, reader))


def same_foam(record: Record, session_id: str, row: Row, reader: Reader) -> Record:
    """The record with the recipe of one foam for every foam of the session; the age of each stays its own."""
    session = find_session(record, session_id)
    recipe = row.entry.foam if isinstance(row.entry, Injection) else None
    if recipe is None:
        raise InvalidInputError("this foam has no recipe yet", do="say how it was made first")

    def made(one: Injection) -> Injection:
        if one.form is not Form.FOAM:
            return one
        return replace(one, foam=replace(recipe, age_s=one.foam.age_s if one.foam else None))

    return put_session(
        record, replace(session, injections=tuple(made(one) for one in session.injections)), reader
    )


def drop_session(record: Record, session_id: str) -> Record:
    """The record without a session; targets to which only it gave something are planned again."""
    return _followed(record, remove_session(record, session_id))


def day_of(record: Record, session: TreatmentSession, others: Iterable[TreatmentSession] = ()) -> DaySum:
    """The sums of the calendar day of a session, over all sessions of the record and the patient's others."""
    sessions = _all_sessions(record, others)
    return next(one for one in day_sums(sessions) if session.id in one.session_ids)


def _all_sessions(record: Record, others: Iterable[TreatmentSession]) -> tuple[TreatmentSession, ...]:
    """Those of a record and of the patient's other studies; one that both hold counts once."""
    return tuple(({one.id: one for one in others} | {one.id: one for one in record.sessions}).values())


def sum_words(day: DaySum) -> str:
    """'2026-11-02: 2 mL liquid; polidocanol 20 mg, 0.40 mg/kg', with the reason for what is not computed."""
    volumes = {"liquid": day.liquid_ml, "foam": day.foam_ml, "microfoam": day.microfoam_ml}
    given = ", ".join(f"{volume:.4g} mL {what}" for what, volume in volumes.items() if volume)
    count = len(day.session_ids)
    over = f" in {count} sessions" if count > 1 else ""
    text = f"{day.on or 'Day not said'}{over}: {given or 'nothing given yet'}"
    if not day.used_polidocanol:
        return text
    mass = f"{day.polidocanol_mg:.3g} mg, " if day.polidocanol_mg is not None else ""
    return f"{text}; polidocanol {mass}{day.dose_text}"


def day_words(
    record: Record, session: TreatmentSession, others: Iterable[TreatmentSession] = ()
) -> tuple[str, ...]:
    """The day's sums and the limits that belong to them, each with its source, a line each.

    `others` are the sessions of the patient's other studies, as far as they are open.
    """
    others = tuple(others)
    day = day_of(record, session, others)
    lines = [sum_words(day)]
    if day.used_polidocanol:
        lines.append(f"polidocanol of a day: limit {general('polidocanol_per_day')}")
    if day.foam_ml:
        lines.append(f"foam of a day: limit {general('foam_per_day')}")
    members = [one for one in _all_sessions(record, others) if one.id in day.session_ids]
    keys = {product_of(one, member) for member in members for one in member.injections}
    lines += [text for key in sorted(keys - {""}) for text in label_numbers(key)]
    return tuple(lines)


def _check_free(row: Row) -> None:
    """Refuse to write over what a person recorded."""
    if row.entry is not None and row.is_given and not row.entry.copied:
        raise InvalidInputError(
            "something is recorded as given here already", do="type the change, or press 'Not given' first"
        )


def _is_given(entry: Injection | LaserTreatment) -> bool:
    if isinstance(entry, Injection):
        return entry.volume_ml is not None
    return entry.settings is not None and any(
        getattr(entry.settings, field.name) not in (None, "") for field in fields(entry.settings)
    )


def _put_entry(record: Record, session: TreatmentSession, entry: Any, reader: Reader) -> Record:
    name = "injections" if isinstance(entry, Injection) else "lasers"
    members = getattr(session, name)
    if any(one.id == entry.id for one in members):
        members = tuple(entry if one.id == entry.id else one for one in members)
    else:
        members = (*members, entry)
    changed: dict[str, Any] = {name: members}
    return _followed(record, put_session(record, replace(session, **changed), reader))


def _followed(before: Record, after: Record) -> Record:
    """The record with the status of each target brought after what was given or taken back just now."""
    was, now = _given_targets(before), _given_targets(after)
    for target in after.targets:
        if target.id in now - was and target.status is not TargetStatus.TREATED:
            after = update_target(after, target.id, status=TargetStatus.TREATED)
        elif target.id in was - now and target.status is TargetStatus.TREATED:
            after = update_target(after, target.id, status=TargetStatus.PLANNED)
    return after


def _given_targets(record: Record) -> set[str]:
    found: set[str] = set()
    for session in record.sessions:
        found |= {one.target_id for one in session.injections if _is_given(one)}
        found |= {one.target_id for one in session.lasers if _is_given(one)}
    return found
