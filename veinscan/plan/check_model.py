"""What a check says: rule, level, what it is about, one sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from veinscan.plan.follow_up import FollowUp
from veinscan.plan.model import InjectionTarget, Record
from veinscan.plan.treatment import TreatmentSession


class CheckLevel(StrEnum):
    """How much a check asks of a person."""

    INFORMATION = "information"
    """Shown."""
    WARNING = "warning"
    """Needs an acknowledgement, which is kept."""
    ERROR = "error"
    """A data error: the record cannot be finalised with it; it can always be saved."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One thing that a check found.  It never proposes or changes a dose."""

    rule: str
    """'R01' to 'R33'."""
    level: CheckLevel
    subject: str
    """UID of the target, session or follow-up; empty for the record."""
    sentence: str
    acknowledged_by: str = ""


@dataclass(frozen=True)
class CheckContext:
    """What the checks look at."""

    record: Record
    study: Any = None
    """With it, places are looked up in the clips (R01, R02)."""
    today: date | None = None
    other_sessions: Sequence[TreatmentSession] = ()
    """Sessions of the same patient in other studies: sums and intervals go over them too."""
    other_follow_ups: Sequence[FollowUp] = ()
    """Follow-ups of the same patient in other studies."""
    targets: dict[str, InjectionTarget] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.targets.update({target.id: target for target in self.record.targets})

    @property
    def sessions(self) -> tuple[TreatmentSession, ...]:
        """Every session known, of this study and of others, each once."""
        known = {session.id: session for session in self.other_sessions}
        known |= {session.id: session for session in self.record.sessions}
        return tuple(known.values())


Check = Callable[[CheckContext], Iterator[CheckResult]]


def error(rule: str, subject: str, sentence: str) -> CheckResult:
    """A data error."""
    return CheckResult(rule, CheckLevel.ERROR, subject, sentence)


def warning(rule: str, subject: str, sentence: str) -> CheckResult:
    """A warning."""
    return CheckResult(rule, CheckLevel.WARNING, subject, sentence)


def information(rule: str, subject: str, sentence: str) -> CheckResult:
    """An information."""
    return CheckResult(rule, CheckLevel.INFORMATION, subject, sentence)
