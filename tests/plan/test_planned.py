"""What is planned in all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from veinscan.plan.model import InjectionTarget, Reading, Record, TargetStatus
from veinscan.plan.planned import planned_sum
from veinscan.plan.vocabulary import Modality


def target(n: int, **fields: Any) -> InjectionTarget:
    return replace(InjectionTarget(id=f"1.2.{n}", order=n), **fields)


def plan(*targets: InjectionTarget) -> Record:
    return Record(reading=Reading(id="1.2.3"), targets=targets)


def test_nothing_planned() -> None:
    found = planned_sum(plan(target(1), target(2, modality=Modality.LASER)))
    assert (found.targets, found.without_volume) == (0, 1)
    assert found.words() == "No volume is planned."


def test_liquid_and_foam_apart_and_what_is_treated_left_out() -> None:
    found = planned_sum(
        plan(
            target(1, modality=Modality.LIQUID, planned_volume_ml=0.1),
            target(2, modality=Modality.LIQUID, planned_volume_ml=0.2),
            target(3, modality=Modality.FOAM, planned_volume_ml=2.0),
            target(4, planned_volume_ml=1.0),
            target(5, modality=Modality.FOAM, planned_volume_ml=4.0, status=TargetStatus.TREATED),
            target(6, modality=Modality.FOAM),
            target(7, modality=Modality.NONE),
        )
    )
    assert (found.liquid_ml, found.foam_ml, found.other_ml) == (0.3, 2.0, 1.0)
    assert (found.targets, found.without_volume) == (4, 1)
    assert "4 targets, 1 without a volume" in found.words()


def test_mass_is_worked_out_or_the_reason_is_said() -> None:
    liquid = target(
        1, modality=Modality.LIQUID, planned_volume_ml=1.5, concentration_percent=1.0, product="asclera_us"
    )
    found = planned_sum(plan(liquid))
    assert found.polidocanol_mg == pytest.approx(15.0)
    assert any("session volume 10 mL" in text and "Asclera" in text for text in found.limits)
    foam = replace(liquid, id="1.2.9", order=2, modality=Modality.FOAM)
    assert planned_sum(plan(liquid, foam)).polidocanol_mg is None
    assert "gas share" in planned_sum(plan(foam)).words()
    bare = replace(liquid, product="")
    assert planned_sum(plan(bare)).missing == ("no product is chosen",)
    other = replace(liquid, product="sotradecol_us")
    assert planned_sum(plan(other)).polidocanol_mg == 0.0
    assert "polidocanol" not in planned_sum(plan(other)).words()
