"""The plan's coded values as words for the screen."""

from __future__ import annotations

from enum import StrEnum

_WORDS = {
    "thigh_prox": "thigh, upper third",
    "thigh_mid": "thigh, middle third",
    "thigh_dist": "thigh, lower third",
    "calf_prox": "calf, upper third",
    "calf_mid": "calf, middle third",
    "calf_dist": "calf, lower third",
    "sfj": "saphenofemoral junction",
    "spj": "saphenopopliteal junction",
    "pregnancy_breast_feeding": "pregnancy, breast-feeding",
    "anticoagulation_travel_age": "anticoagulation, travel, age",
    "migraine_aura": "migraine with aura",
    "earlier_neurological": "earlier neurological signs",
    "co2": "CO₂",
    "co2_o2": "CO₂ and O₂",
    "sts": "sodium tetradecyl sulfate",
    "dss": "DSS",
    "tessari": "Tessari",
    "tia": "TIA",
    "augmentation": "compression and release",
}


def words_of(value: StrEnum | str) -> str:
    """'thigh_mid' as 'thigh, middle third', 'reverse_trendelenburg' as 'reverse trendelenburg'."""
    text = str(value)
    return _WORDS.get(text, text.replace("_", " "))
