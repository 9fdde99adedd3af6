"""What is known of a target in words: its measurements of flow, and the headings of its groups."""

from __future__ import annotations

from napari_veinscan.words import words_of
from veinscan.plan.model import InjectionTarget
from veinscan.plan.vocabulary import Modality


def flow_words(target: InjectionTarget) -> list[tuple[str, str]]:
    """The measurements of flow of a target: what to print, and their ids."""
    found: list[tuple[str, str]] = []
    for reflux in target.reflux:
        if reflux.reflux_s is None:
            text = "reflux: strip inadequate"
        else:
            text = f"reflux {'≥ ' * reflux.is_lower_bound}{reflux.reflux_s:.2f} s"
        if reflux.peak_reflux_cm_s is not None:
            text += f", peak {reflux.peak_reflux_cm_s:.0f} cm/s"
        text += f" ({words_of(reflux.source)}{'' if reflux.polarity_confirmed else ', polarity unconfirmed'})"
        found.append((text, reflux.id))
    for flow in target.flow:
        numbers = [
            f"{name} {value:.0f} cm/s"
            for name, value in (("peak", flow.peak_cm_s), ("mean", flow.mean_cm_s))
            if value is not None
        ]
        found.append((f"flow {', '.join(numbers)} ({words_of(flow.source)})", flow.id))
    return found


def summary(target: InjectionTarget, *names: str) -> str:
    """What is known of some fields, for the heading of their group."""
    values = (str(getattr(target, name)) for name in names)
    return ", ".join(words_of(v) for v in values if v not in ("", "unknown", "not_judged", "not_tested"))


def plan_words(target: InjectionTarget) -> str:
    """Status, modality, concentration and volume: 'planned, foam, 1 %, 0.8 mL'."""
    parts = [words_of(target.status)]
    if target.modality is not Modality.UNKNOWN:
        parts.append(words_of(target.modality))
    if target.concentration_percent is not None:
        parts.append(f"{target.concentration_percent:g} %")
    if target.planned_volume_ml is not None:
        parts.append(f"{target.planned_volume_ml:g} mL")
    return ", ".join(parts)
