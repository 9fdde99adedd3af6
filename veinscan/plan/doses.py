"""Arithmetic of what was given: masses of polidocanol, sums over a calendar day.

Strength in percent is 10 mg/mL for each percent.  Of a foam only the liquid
share holds drug: foam volume / (1 + gas parts per part of liquid).  Sums go
over all sessions of a day, both legs, liquid and foam.  What cannot be worked
out is None with the reason, never a guess.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from veinscan.plan.products import product
from veinscan.plan.treatment import FoamRecipe, Injection, TreatmentSession
from veinscan.plan.vocabulary import Agent, Form

NOT_COMPUTED = "not computed"


@dataclass(frozen=True, slots=True)
class DaySum:
    """What was given on one calendar day."""

    on: date | None
    """None for sessions without a day, each of which stands for itself."""
    session_ids: tuple[str, ...]
    liquid_ml: float
    foam_ml: float
    """Without microfoam."""
    microfoam_ml: float
    polidocanol_mg: float | None
    """None where a volume, strength or recipe is missing."""
    weight_kg: float | None
    mg_per_kg: float | None
    missing: tuple[str, ...]
    """Why a number is None or not the whole, one sentence each."""
    used_polidocanol: bool

    @property
    def dose_text(self) -> str:
        """'1.23 mg/kg' or 'not computed' with the reason."""
        if self.mg_per_kg is not None:
            return f"{self.mg_per_kg:.2f} mg/kg"
        return f"{NOT_COMPUTED} ({'; '.join(self.missing)})" if self.missing else NOT_COMPUTED


def liquid_ml(foam_ml: float, gas_parts: float, liquid_parts: float = 1.0) -> float:
    """The liquid in a foam, in mL."""
    return foam_ml * liquid_parts / (liquid_parts + gas_parts)


def mass_mg(volume_ml: float, concentration_percent: float) -> float:
    """Mass of a drug in a liquid, in mg: 1 % is 10 mg/mL."""
    return volume_ml * concentration_percent * 10.0


def agent_of(injection: Injection, session: TreatmentSession | None = None) -> Agent:
    """The drug of an injection: as entered, else that of its product (its own, or the session's)."""
    if injection.agent is not Agent.UNKNOWN:
        return injection.agent
    key = product_of(injection, session)
    return product(key).agent if key else Agent.UNKNOWN


def product_of(injection: Injection, session: TreatmentSession | None = None) -> str:
    """The product profile of an injection: its own, else that of its session, else ''."""
    return injection.product or (session.product if session is not None else "")


def polidocanol_mg(injection: Injection, session: TreatmentSession | None = None) -> tuple[float | None, str]:
    """Mass of polidocanol in one injection, in mg, and why not where there is none to say."""
    if agent_of(injection, session) is not Agent.POLIDOCANOL:
        return 0.0, ""
    if injection.volume_ml is None:
        return None, "a volume is missing"
    key = product_of(injection, session)
    strength = product(key).limit("drug_in_foam") if key else None
    if strength is not None:
        return injection.volume_ml * strength.value, ""
    if injection.concentration_percent is None:
        return None, "a concentration is missing"
    if injection.form is Form.UNKNOWN:
        return None, "liquid or foam is not said"
    volume = injection.volume_ml
    if injection.form is Form.FOAM:
        foam = injection.foam or FoamRecipe()
        if foam.gas_parts is None:
            return None, "the gas share of a foam is missing"
        volume = liquid_ml(volume, foam.gas_parts, foam.liquid_parts or 1.0)
    return mass_mg(volume, injection.concentration_percent), ""


def day_sums(sessions: Iterable[TreatmentSession]) -> tuple[DaySum, ...]:
    """What was given on each calendar day, in order; sessions without a day stand last, each for itself."""
    groups: dict[object, list[TreatmentSession]] = {}
    for session in sessions:
        groups.setdefault(session.on or session.id, []).append(session)
    sums = [_sum(members) for members in groups.values()]
    return tuple(sorted(sums, key=lambda one: (one.on is None, one.on or date.min)))


def weight_on(sessions: Iterable[TreatmentSession], day: date | None) -> float | None:
    """The weight that the sessions of a day recorded (the lower of two); None where none did."""
    weights = [
        session.values.weight_kg
        for session in sessions
        if session.on == day and session.values is not None and session.values.weight_kg is not None
    ]
    return min(weights, default=None)


def _sum(members: list[TreatmentSession]) -> DaySum:
    liquid = foam = microfoam = 0.0
    mass: float | None = 0.0
    missing: list[str] = []
    used = False
    for session in members:
        for injection in session.injections:
            key = product_of(injection, session)
            is_micro = bool(key) and product(key).limit("drug_in_foam") is not None
            volume = injection.volume_ml or 0.0
            if is_micro:
                microfoam += volume
            elif injection.form is Form.FOAM:
                foam += volume
            elif injection.form is Form.LIQUID:
                liquid += volume
            used = used or agent_of(injection, session) is Agent.POLIDOCANOL
            given, why = polidocanol_mg(injection, session)
            if given is None:
                mass = None
                missing.append(why)
            elif mass is not None:
                mass += given
    weight = weight_on(members, members[0].on)
    if used and weight is None:
        missing.append("the weight is missing")
    return DaySum(
        on=members[0].on,
        session_ids=tuple(session.id for session in members),
        liquid_ml=liquid,
        foam_ml=foam,
        microfoam_ml=microfoam,
        polidocanol_mg=mass,
        weight_kg=weight,
        mg_per_kg=None if mass is None or weight is None or not used else mass / weight,
        missing=tuple(dict.fromkeys(missing)),
        used_polidocanol=used,
    )
