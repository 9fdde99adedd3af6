"""Clips of the follow-up in the order in which to look for a target: same side and segment first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from veinscan.follow_up.states import TargetState
from veinscan.plan.clips import context_of
from veinscan.plan.context import ClipContext
from veinscan.plan.geometry import PICTURES
from veinscan.plan.model import InjectionTarget, Record
from veinscan.plan.products import general
from veinscan.plan.vocabulary import Landmark, Level, Side

_UNKNOWN = ("", "unknown")
_LEVELS: list[Level] = [level for level in Level if level is not Level.UNKNOWN]
"""From the groin down."""
_WORDS = ("side", "level", "vein", "aspect", "landmark", "posture", "plane")
"""What is compared; what comes first weighs more than all that follows."""


@dataclass(frozen=True, slots=True)
class ClipMatch:
    """A clip of the follow-up and how its place agrees with the target's."""

    sop_instance_uid: str
    file: str
    agrees: tuple[str, ...]
    """What agrees, in words: 'side', 'level', 'vein' ..."""
    differs: tuple[str, ...]
    """What is known on both sides and differs."""
    other_side: bool
    """The clip is of the other leg."""


def clips_for(
    target: TargetState | InjectionTarget, clips: Iterable[Any], record: Record
) -> tuple[ClipMatch, ...]:
    """The clips of a follow-up study, those of the target's side and segment first.

    Parameters
    ----------
    target : TargetState or InjectionTarget
        As the baseline has it.
    clips : iterable of Clip
        Of the follow-up study, in acquisition order, which equal ones keep.
    record : Record
        Of the follow-up study: its clips' places on the leg.

    None is left out: clips of the other leg and those that show no picture
    come last, since a label may be wrong.
    """
    ranked = []
    for place, clip in enumerate(clips):
        match = _match(target, clip, context_of(record, clip))
        shows = not clip.regions or any(region.kind in PICTURES for region in clip.regions)
        key = [(word not in match.agrees) + (word in match.differs) for word in _WORDS]
        if "level" in match.differs:
            key[1] += _apart(target.level, context_of(record, clip).level)
        ranked.append(((match.other_side, not shows, *key, place), match))
    return tuple(match for _, match in sorted(ranked, key=lambda pair: pair[0]))


def _match(target: TargetState | InjectionTarget, clip: Any, context: ClipContext) -> ClipMatch:
    agrees: list[str] = []
    differs: list[str] = []
    for word in _WORDS:
        verdict = _landmark(target, context) if word == "landmark" else _same(target, clip, context, word)
        if verdict is not None:
            (agrees if verdict else differs).append(word)
    return ClipMatch(
        str(clip.sop_instance_uid), str(clip.file), tuple(agrees), tuple(differs), "side" in differs
    )


def _same(target: TargetState | InjectionTarget, clip: Any, context: ClipContext, word: str) -> bool | None:
    wanted, found = str(getattr(target, word, "unknown")), str(getattr(context, word))
    if word == "side" and context.side is Side.UNKNOWN:
        found = _side_of_header(clip)
    if wanted in _UNKNOWN or found in _UNKNOWN:
        return None
    return wanted == found


def _side_of_header(clip: Any) -> str:
    return str(getattr(clip, "laterality", "unknown"))


def _landmark(target: TargetState | InjectionTarget, context: ClipContext) -> bool | None:
    if target.landmark is Landmark.UNKNOWN or target.landmark is not context.landmark:
        return None
    if target.landmark_cm is None or context.landmark_cm is None:
        return None
    return not general("landmark_tolerance").exceeded_by(abs(target.landmark_cm - context.landmark_cm))


def _apart(one: Level, other: Level) -> int:
    return abs(_LEVELS.index(one) - _LEVELS.index(other))
