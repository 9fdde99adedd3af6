"""Candidates of a follow-up clip by their likeness to a target.  It helps a person look; it never decides.

'Not seen' always comes first: a closed vein is echogenic or gone, and a
search for dark lumens finds its neighbour.  Weights and widths are choices of
the program and are in the table of thresholds (`[likeness]`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from veinscan.candidates.model import Candidate
from veinscan.follow_up.pairs import value_words
from veinscan.follow_up.states import TargetState
from veinscan.plan import thresholds
from veinscan.plan.context import ClipContext
from veinscan.plan.model import InjectionTarget
from veinscan.plan.vocabulary import Compartment, Landmark

NOT_SEEN = "not seen"


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that was compared."""

    name: str
    """'diameter', 'depth', 'fascia' or 'landmark'."""
    likeness: float | None
    """0..1; None where one side is not known, which counts neither way."""
    sentence: str
    """'4.1 mm deep, the target 3.8 mm'."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer offered for a target on a follow-up clip."""

    candidate: Candidate | None
    """None for 'not seen'."""
    likeness: float | None
    """0..1; None for 'not seen', and where nothing could be compared."""
    reasons: tuple[Reason, ...]
    title: str

    @property
    def is_not_seen(self) -> bool:
        """Whether it is the first answer: the vein is not seen on this clip."""
        return self.candidate is None

    @property
    def sentence(self) -> str:
        """The reasons in one line."""
        return "; ".join(one.sentence for one in self.reasons)


def choices_for(
    target: TargetState | InjectionTarget,
    candidates: Iterable[Candidate],
    *,
    context: ClipContext | None = None,
    baseline_candidates: Iterable[Candidate] = (),
) -> tuple[Choice, ...]:
    """'Not seen', then the candidates of a clip, most alike first.

    Parameters
    ----------
    target : TargetState or InjectionTarget
        As the baseline has it.
    candidates : iterable of Candidate
        Of one follow-up clip.
    context : ClipContext, optional
        Of that clip, for the distance to the landmark.
    baseline_candidates : iterable of Candidate, optional
        Of the target's own clip, where it was searched: the one that the
        target lies in says its place in the fascia layers where nobody set it.

    A likeness is the weighted mean of what is known on both sides: Gaussian
    in the logarithm of the diameter, in the depth and in the distance along
    the leg; 1 or a fixed share for the same or another place in the fascia
    layers.  Candidates with nothing to compare come last, in their own order.
    """
    fascia = fascia_of(target, baseline_candidates)
    found = [_choice(target, one, context, fascia) for one in candidates]
    found.sort(key=lambda one: (one.likeness is None, -(one.likeness or 0.0), _rank(one)))
    first = Choice(
        None,
        None,
        (Reason("not seen", None, "a closed vein is echogenic or gone: a candidate may be its neighbour"),),
        NOT_SEEN,
    )
    return (first, *found)


def fascia_of(target: TargetState | InjectionTarget, candidates: Iterable[Candidate]) -> Compartment:
    """A target's place in the fascia layers: as a person set it, else that of the candidate it lies in."""
    if target.compartment is not Compartment.UNKNOWN or not target.has_place:
        return target.compartment
    for one in candidates:
        outline = one.outlines.get(target.frame_index)
        if (
            outline is not None
            and cv2.pointPolygonTest(np.asarray(outline, np.float32), target.point, False) >= 0
        ):
            return Compartment(one.compartment)
    return Compartment.UNKNOWN


def _choice(
    target: TargetState | InjectionTarget,
    candidate: Candidate,
    context: ClipContext | None,
    fascia: Compartment,
) -> Choice:
    reasons = (
        _diameter(target.diameter_mm, candidate.diameter_mm),
        _depth(target.depth_mm, candidate.depth_mm),
        _fascia(fascia, candidate.compartment),
        _landmark(target, context),
    )
    known = [(_value(f"weight_{one.name}"), one.likeness) for one in reasons if one.likeness is not None]
    total = sum(weight for weight, _ in known)
    likeness = sum(weight * value for weight, value in known) / total if total else None
    return Choice(candidate, likeness, reasons, f"candidate {candidate.rank}")


def _diameter(wanted: float | None, found: float) -> Reason:
    if wanted is None or wanted <= 0 or found <= 0:
        return Reason("diameter", None, f"{found:.1f} mm wide, the target's diameter is not recorded")
    alike = _bell(math.log(found / wanted), _value("diameter_width"))
    return Reason("diameter", alike, f"{found:.1f} mm wide, the target was {wanted:.1f} mm")


def _depth(wanted: float | None, found: float) -> Reason:
    if wanted is None:
        return Reason("depth", None, f"{found:.1f} mm deep, the target's depth is not recorded")
    width = max(_value("depth_width"), _value("depth_share") * wanted)
    return Reason(
        "depth", _bell(found - wanted, width), f"{found:.1f} mm deep, the target was {wanted:.1f} mm"
    )


def _fascia(wanted: Compartment, found: str) -> Reason:
    if wanted is Compartment.UNKNOWN or found == "unknown":
        which = "the target's" if wanted is Compartment.UNKNOWN else "its"
        return Reason("fascia", None, f"{which} place in the fascia layers is not known")
    if wanted.value == found:
        return Reason("fascia", 1.0, f"{found} like the target")
    return Reason("fascia", _value("other_fascia"), f"{found}, the target was {wanted.value}")


def _landmark(target: TargetState | InjectionTarget, context: ClipContext | None) -> Reason:
    here, there = None if context is None else context.landmark_cm, target.landmark_cm
    if (
        context is None
        or here is None
        or there is None
        or Landmark.UNKNOWN in (context.landmark, target.landmark)
    ):
        return Reason("landmark", None, "the distance to a landmark is not recorded on both sides")
    if context.landmark is not target.landmark:
        return Reason("landmark", None, "the distances are to different landmarks")
    name = value_words(target.landmark)
    alike = _bell(here - there, _value("landmark_width"))
    return Reason("landmark", alike, f"{here:g} cm from {name}, the target was {there:g} cm")


def _bell(difference: float, width: float) -> float:
    return math.exp(-0.5 * (difference / width) ** 2)


@cache
def _value(name: str) -> float:
    return float(thresholds.section("likeness")[name]["value"])


def _rank(choice: Choice) -> int:
    return 0 if choice.candidate is None else choice.candidate.rank
