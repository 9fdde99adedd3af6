"""What the follow-up says in words: places, values, differences, outcomes, days."""

from __future__ import annotations

from collections.abc import Iterable

from napari_veinscan.words import words_of
from veinscan.follow_up.compare import Comparison
from veinscan.follow_up.pairs import Pair
from veinscan.follow_up.states import TargetState
from veinscan.plan.model import InjectionTarget
from veinscan.plan.vocabulary import Landmark, Outcome, Posture

NOT_SEEN = "not seen"
OUTCOMES: tuple[tuple[str, Outcome], ...] = (
    (NOT_SEEN, Outcome.NOT_VISIBLE),
    ("occluded, whole length", Outcome.OCCLUDED_FULL),
    ("occluded in part", Outcome.OCCLUDED_PARTIAL),
    ("open, no reflux", Outcome.PATENT_NO_REFLUX),
    ("open, reflux", Outcome.PATENT_REFLUX),
    ("recanalised", Outcome.RECANALISED),
    ("not assessed", Outcome.NOT_ASSESSED),
)
"""'Not seen' first, always: a closed vein is echogenic or gone."""
OUTCOME_WORDS = {outcome: words for words, outcome in OUTCOMES}
SIGNS: dict[Outcome | None, str] = {
    None: "●",
    Outcome.NOT_VISIBLE: "✕",
    Outcome.OCCLUDED_FULL: "■",
    Outcome.OCCLUDED_PARTIAL: "◧",
    Outcome.PATENT_NO_REFLUX: "○",
    Outcome.PATENT_REFLUX: "◉",
    Outcome.RECANALISED: "↺",
    Outcome.NOT_ASSESSED: "·",
}
"""Outcome as a sign in plot and table; None is the plan, before treatment."""
QUANTITIES = {
    "diameter_mm": "diameter",
    "depth_mm": "depth",
    "compressible": "compressibility",
    "reflux_s": "reflux",
    "flow_cm_s": "flow",
}


def outcome_words(outcome: Outcome | None) -> str:
    """'✕ not seen'; a dash where nothing was said."""
    if outcome is None or outcome is Outcome.NOT_ASSESSED:
        return "–"
    return f"{SIGNS[outcome]} {OUTCOME_WORDS[outcome]}"


def place_words(one: TargetState | InjectionTarget) -> str:
    """'right, tributary, calf, middle third'."""
    known = (one.side, one.vein, one.level, one.aspect)
    return ", ".join(words_of(part) for part in known if str(part) not in ("", "unknown")) or "place not said"


def taken_words(one: TargetState) -> str:
    """'standing, patella 8 cm': how it was taken, by the target, its clip's label or the visit."""
    where = words_of(one.landmark) if one.landmark is not Landmark.UNKNOWN else "no landmark"
    distance = f" {one.landmark_cm:g} cm" if one.landmark_cm is not None else ""
    posture = words_of(one.posture) if one.posture is not Posture.UNKNOWN else "posture unknown"
    return f"{posture}, {where}{distance}"


def value_words(pair: Pair, *, after: bool) -> str:
    """One side of a pair: '> 0.84 s', 'full', a dash."""
    value = pair.follow_up if after else pair.baseline
    bound = pair.follow_up_is_lower_bound if after else pair.baseline_is_lower_bound
    if value is None or value == "not_tested":
        return "–"
    if isinstance(value, str):
        return words_of(value)
    return f"{'> ' * bound}{value:.{pair.digits}f} {pair.unit}"


def change_words(pair: Pair) -> str:
    """'−1.3 (−54 %)', in the pair's unit, where the two may be compared; else nothing."""
    change, share = pair.shown_change
    if not change:
        return "" if pair.changed is None or pair.unit else ("changed" if pair.changed else "the same")
    return f"{change} ({share})".replace(" ()", "").replace("-", "−")


def reason_words(pairs: Iterable[Pair]) -> str:
    """Why differences are missing where both values are there: 'No difference of diameter: other posture'."""
    by_reason: dict[str, list[str]] = {}
    for pair in pairs:
        both = None not in (pair.baseline, pair.follow_up) and "not_tested" not in (
            pair.baseline,
            pair.follow_up,
        )
        if both and pair.reason:
            by_reason.setdefault(pair.reason, []).append(QUANTITIES[pair.quantity])
    return "\n".join(f"No difference of {', '.join(names)}: {why}." for why, names in by_reason.items())


def window_words(result: Comparison | None) -> str:
    """Days since the treatment with the windows of both calendars, or why there are none."""
    if result is None:
        return ""
    windows = result.windows
    if windows is None:
        missing = "no day of treatment" if result.treated_on is None else "no day of this visit"
        return f"Windows: {missing} is recorded."
    return (
        f"{windows.days} days after the treatment of {result.treated_on}. "
        f"Clinic: {windows.clinic_words}. UIP: {windows.uip_words}."
    )
