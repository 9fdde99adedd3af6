"""What is planned in all: volumes of the targets, and the drug in them where that can be worked out.

Arithmetic only; what is missing is said.  The limits of the labels are for a
day's sum of what is given (see `doses`); they are shown beside, not applied.
"""

from __future__ import annotations

from dataclasses import dataclass

from veinscan.plan.doses import polidocanol_mg
from veinscan.plan.model import InjectionTarget, Record, TargetStatus
from veinscan.plan.products import product
from veinscan.plan.treatment import Injection
from veinscan.plan.vocabulary import Agent, Form, Modality

_FORMS = {Modality.LIQUID: Form.LIQUID, Modality.FOAM: Form.FOAM}
_SHOWN_LIMITS = ("injection_volume", "session_volume", "foam_injection_gsv", "least_interval")


@dataclass(frozen=True, slots=True)
class PlannedSum:
    """Sums over the targets that are still planned."""

    targets: int
    """Targets with a planned volume."""
    without_volume: int
    """Planned targets that a volume belongs to and that have none."""
    liquid_ml: float
    foam_ml: float
    other_ml: float
    """Of targets where liquid or foam is not said."""
    polidocanol_mg: float | None
    """None where it cannot be worked out for all of them."""
    missing: tuple[str, ...]
    """Why it cannot."""
    limits: tuple[str, ...]
    """The numbers of the chosen products' labels, each with its source."""

    def words(self) -> str:
        """One sentence: '1.5 mL liquid and 2 mL foam planned at 4 targets; ...'."""
        volumes = {"liquid": self.liquid_ml, "foam": self.foam_ml, "(form unknown)": self.other_ml}
        parts = [f"{volume:g} mL {what}" for what, volume in volumes.items() if volume]
        if not parts:
            return "No volume is planned."
        text = f"{' and '.join(parts)} planned at {self.targets} target{'s' * (self.targets != 1)}"
        if self.without_volume:
            text += f", {self.without_volume} without a volume"
        if self.polidocanol_mg:
            text += f"; {self.polidocanol_mg:.3g} mg polidocanol"
        elif self.polidocanol_mg is None:
            text += f"; mass of polidocanol not computed ({'; '.join(self.missing)})"
        return text + "."


def planned_sum(record: Record) -> PlannedSum:
    """The sums over a record's targets with status 'planned'."""
    planned = [t for t in record.targets if t.status is TargetStatus.PLANNED]
    injected = [t for t in planned if t.modality not in (Modality.LASER, Modality.NONE)]
    with_volume = [t for t in injected if t.planned_volume_ml is not None]
    masses = [_mass(target) for target in with_volume]
    reasons = tuple(dict.fromkeys(reason for _, reason in masses if reason))
    known = [mass for mass, _ in masses if mass is not None]

    def volume(*modalities: Modality) -> float:
        return round(sum(t.planned_volume_ml or 0.0 for t in with_volume if t.modality in modalities), 6)

    names = sorted({t.product for t in planned if t.product})
    return PlannedSum(
        targets=len(with_volume),
        without_volume=len(injected) - len(with_volume),
        liquid_ml=volume(Modality.LIQUID),
        foam_ml=volume(Modality.FOAM),
        other_ml=volume(Modality.UNKNOWN, Modality.LASER_PLUS_INJECTION),
        polidocanol_mg=None if len(known) < len(masses) else sum(known),
        missing=reasons,
        limits=tuple(text for name in names for text in label_numbers(name)),
    )


def label_numbers(name: str) -> tuple[str, ...]:
    """The volumes and intervals of a product's label, each with its source, as text."""
    chosen = product(name)
    return tuple(
        f"{chosen.name}: {key.replace('_', ' ')} {limit}"
        for key in _SHOWN_LIMITS
        if (limit := chosen.limit(key)) is not None
    )


def _mass(target: InjectionTarget) -> tuple[float | None, str]:
    if not target.product:
        return None, "no product is chosen"
    form = _FORMS.get(target.modality, Form.UNKNOWN)
    if product(target.product).agent is Agent.POLIDOCANOL and form is Form.UNKNOWN:
        return None, "liquid or foam is not said"
    return polidocanol_mg(
        Injection(
            id=target.id,
            product=target.product,
            form=form,
            concentration_percent=target.concentration_percent,
            volume_ml=target.planned_volume_ml,
        )
    )
