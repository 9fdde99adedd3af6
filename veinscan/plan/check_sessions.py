"""R12 to R26 and R29: checks of treatment sessions; sums go over the calendar day."""

from __future__ import annotations

from collections.abc import Iterator

from veinscan.plan.check_drugs import strength_checks, volume_checks
from veinscan.plan.check_model import CheckContext, CheckResult, error, information, warning
from veinscan.plan.doses import NOT_COMPUTED, agent_of, day_sums, product_of
from veinscan.plan.model import InjectionTarget
from veinscan.plan.products import general, product
from veinscan.plan.treatment import Injection, TreatmentSession
from veinscan.plan.vocabulary import (
    Agent,
    Answer,
    Checked,
    CompressionKind,
    ContraindicationItem,
    FoamMethod,
    Form,
    Guidance,
    ImmediateEvent,
)

_DETAILS_NEEDED = (
    ImmediateEvent.ANAPHYLAXIS,
    ImmediateEvent.INTRA_ARTERIAL_SUSPECTED,
    ImmediateEvent.VISUAL,
    ImmediateEvent.MIGRAINE,
    ImmediateEvent.TIA,
)


def session_checks(context: CheckContext) -> Iterator[CheckResult]:
    """Every check of every session of this record."""
    for session in context.record.sessions:
        for injection in session.injections:
            yield from _injection(context, session, injection)
        for laser in session.lasers:
            if laser.target_id and laser.target_id not in context.targets:
                yield error("R01", session.id, f"{_what(session)}: a laser treatment names no known target")
        yield from _volumes(session)
        yield from _dates(context, session)
        yield from _findings(session)
        yield from _contraindications(session)
        yield from _compression(context, session)
        if Guidance.ULTRASOUND in session.guidance and not _has_image(context, session):
            yield information("R29", session.id, f"{_what(session)}: guided by ultrasound, no image linked")
    yield from _days(context)


def _injection(
    context: CheckContext, session: TreatmentSession, injection: Injection
) -> Iterator[CheckResult]:
    target = context.targets.get(injection.target_id)
    what = f"{_what(session)}, injection into {_target(target)}"
    if injection.target_id and target is None:
        yield error("R01", session.id, f"{what}: the target is not in the record")
    checked = injection.artery_checked
    if checked is not Checked.YES and (target is None or target.artery_checked is not Checked.YES):
        yield warning("R12", session.id, f"{what}: a drug was given and no artery check is recorded")
    key = product_of(injection, session)
    yield from strength_checks(session.id, what, key, injection.concentration_percent, injection.form, target)
    yield from volume_checks(session.id, what, key, injection.volume_ml, injection.form, target)
    foam = injection.foam
    if foam is None:
        return
    is_micro = bool(key) and product(key).limit("drug_in_foam") is not None
    age = (product(key).limit("foam_age") if key else None) or general("foam_age")
    if foam.age_s is not None and age.exceeded_by(foam.age_s):
        yield warning("R18", session.id, f"{what}: foam of {foam.age_s:g} s exceeds {age}")
    if foam.gas_parts is not None and not is_micro and foam.method is not FoamMethod.MICROFOAM:
        ratio = foam.gas_parts / (foam.liquid_parts or 1.0)
        least, most = general("least_gas_parts"), general("most_gas_parts")
        if least.missed_by(ratio):
            yield warning("R19", session.id, f"{what}: 1 + {ratio:g} parts of gas is below {least}")
        if most.exceeded_by(ratio):
            yield warning("R19", session.id, f"{what}: 1 + {ratio:g} parts of gas exceeds {most}")


def _volumes(session: TreatmentSession) -> Iterator[CheckResult]:
    by_product: dict[str, float] = {}
    for injection in session.injections:
        key = product_of(injection, session)
        if key:
            by_product[key] = by_product.get(key, 0.0) + (injection.volume_ml or 0.0)
    for key, volume in by_product.items():
        limit = product(key).limit("session_volume")
        if limit is not None and limit.exceeded_by(volume):
            yield warning(
                "R15", session.id, f"{_what(session)}: {volume:g} mL exceeds {limit} of {product(key).name}"
            )


def _days(context: CheckContext) -> Iterator[CheckResult]:
    mine = {session.id for session in context.record.sessions}
    for one in day_sums(context.sessions):
        here = [uid for uid in one.session_ids if uid in mine]
        if not here:
            continue
        when = f"{one.on}" if one.on is not None else "session without a day"
        foam = general("foam_per_day")
        if foam.exceeded_by(one.foam_ml):
            yield warning("R16", here[0], f"{when}: {one.foam_ml:g} mL of foam exceeds {foam}")
        dose = general("polidocanol_per_day")
        if one.mg_per_kg is not None and dose.exceeded_by(one.mg_per_kg):
            yield warning(
                "R17",
                here[0],
                f"{when}: polidocanol {one.mg_per_kg:.2f} mg/kg, summed over the day, exceeds {dose}",
            )
        if one.used_polidocanol and one.mg_per_kg is None:
            yield warning(
                "R22", here[0], f"{when}: polidocanol per kg {NOT_COMPUTED}: {'; '.join(one.missing)}"
            )


def _dates(context: CheckContext, session: TreatmentSession) -> Iterator[CheckResult]:
    what = _what(session)
    if None not in (session.number, session.planned_total) and session.number > session.planned_total:  # type: ignore[operator]
        yield information(
            "R20", session.id, f"{what}: number {session.number} of {session.planned_total} planned"
        )
    if session.on is None:
        return
    if context.today is not None and session.on > context.today:
        yield error("R21", session.id, f"{what}: the day lies in the future")
    before = [one.on for one in context.sessions if one.on is not None and one.on < session.on]
    keys = dict.fromkeys(product_of(injection, session) for injection in session.injections)
    for key in keys:
        least = product(key).limit("least_interval") if key else None
        if before and least is not None and least.missed_by((session.on - max(before)).days):
            yield warning(
                "R21",
                session.id,
                f"{what}: {(session.on - max(before)).days} d after the session before, "
                f"shorter than {least} of {product(key).name}",
            )


def _findings(session: TreatmentSession) -> Iterator[CheckResult]:
    for finding in session.findings:
        if finding.event in _DETAILS_NEEDED and not finding.details.strip():
            yield error(
                "R25",
                session.id,
                f"{_what(session)}: {finding.event.value.replace('_', ' ')} is recorded without details",
            )


def _contraindications(session: TreatmentSession) -> Iterator[CheckResult]:
    what = _what(session)
    values = session.values
    answers = {} if values is None else {one.item: one for one in values.contraindications}
    for item, one in answers.items():
        if one.answer is Answer.YES:
            text = f" ({one.text})" if one.text else ""
            yield warning("R23", session.id, f"{what}: {item.value.replace('_', ' ')}: yes{text}")
    foam = any(injection.form is Form.FOAM for injection in session.injections)
    shunt = answers.get(ContraindicationItem.SYMPTOMATIC_SHUNT)
    if foam and shunt is not None and shunt.answer is Answer.YES:
        yield warning("R23", session.id, f"{what}: foam, and a symptomatic right-to-left shunt")
    if session.injections:
        open_items = [
            item.value.replace("_", " ")
            for item in ContraindicationItem
            if item is not ContraindicationItem.OTHER
            and (item not in answers or answers[item].answer is Answer.NOT_ASKED)
        ]
        if open_items:
            yield warning("R23", session.id, f"{what}: checklist incomplete: {', '.join(open_items)}")


def _compression(context: CheckContext, session: TreatmentSession) -> Iterator[CheckResult]:
    worn = session.compression
    if worn is None or worn.days is None or worn.kind is CompressionKind.NOT_REQUIRED:
        return
    told = set()
    for injection in session.injections:
        key = product_of(injection, session)
        target = context.targets.get(injection.target_id)
        if not key:
            continue
        least = product(key).limit("compression")
        if least is None and target is not None:
            least = product(key).limit(f"compression_{target.vein_class}")
        if least is not None and least.missed_by(worn.days) and least not in told:
            told.add(least)
            yield information(
                "R26",
                session.id,
                f"{_what(session)}: compression for {worn.days:g} d is shorter than {least} of "
                f"{product(key).name}",
            )


def _has_image(context: CheckContext, session: TreatmentSession) -> bool:
    uids = {one.target_id for one in session.injections} | {one.target_id for one in session.lasers}
    return any(uid in context.targets and context.targets[uid].has_place for uid in uids)


def uses_polidocanol(session: TreatmentSession) -> bool:
    """Whether polidocanol was given."""
    return any(agent_of(one, session) is Agent.POLIDOCANOL for one in session.injections)


def _what(session: TreatmentSession) -> str:
    if session.on is not None:
        return f"session of {session.on}"
    return f"session {session.number}" if session.number is not None else "session without a day"


def _target(target: InjectionTarget | None) -> str:
    return "an unknown target" if target is None else f"target {target.order}"
