"""Candidates of a follow-up clip by their likeness to a target.  It helps a person look; it never decides.

'Not seen' always comes first: a closed vein is echogenic or gone, and a
search for dark lumens finds its neighbour.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from veinscan.candidates.model import Candidate
from veinscan.follow_up.states import TargetState
from veinscan.plan.context import ClipContext
from veinscan.plan.model import InjectionTarget

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


def choices_for(
    target: TargetState | InjectionTarget,
    candidates: Iterable[Candidate],
    *,
    context: ClipContext | None = None,
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
    """
    first = Choice(None, None, (), NOT_SEEN)
    return (first, *(Choice(one, None, (), f"candidate {one.rank}") for one in candidates))
