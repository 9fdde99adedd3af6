"""What a comparison holds: a row for each target of the baseline, and what belongs to the visit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from veinscan.dicom.patients import PatientMatch
from veinscan.errors import InvalidInputError
from veinscan.follow_up.pairs import Pair, value_words, words_pair
from veinscan.follow_up.states import TargetState, target_label
from veinscan.follow_up.windows import Windows
from veinscan.plan.follow_up import FollowUp
from veinscan.plan.model import InjectionTarget
from veinscan.plan.treatment import TreatmentSession
from veinscan.plan.vocabulary import DeepVeins, Outcome

NOT_EXAMINED = "not examined"
"""What stands for the deep veins until a person enters something."""


@dataclass(frozen=True, slots=True)
class Recanalised:
    """A target found closed at one dated visit and open at a later one: a suggestion, set by a person."""

    target_id: str
    closed_on: date
    open_on: date

    @property
    def sentence(self) -> str:
        """For a person."""
        return (
            f"closed on {self.closed_on}, open on {self.open_on}: recanalised? "
            "It is only recorded when a person sets it."
        )


@dataclass(frozen=True, slots=True)
class TargetComparison:
    """One target of the baseline beside what the follow-up found."""

    target_id: str
    """Tracking UID."""
    order: int | None
    """Place in the order of injection; None for a target that only an earlier follow-up speaks of."""
    target: InjectionTarget | None
    """As the baseline planned it."""
    baseline: TargetState
    follow_up: TargetState | None
    """None while nobody has looked at it."""
    outcome: Outcome
    """At the follow-up; 'not_assessed' until a person sets it."""
    diameter: Pair
    depth: Pair
    compressible: Pair
    reflux: Pair
    flow: Pair
    maybe_recanalised: Recanalised | None = None
    conflicts: tuple[str, ...] = ()
    """What two readers of a record said differently of this target, a sentence each."""

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """Every quantity, in the order to show them."""
        return (self.diameter, self.depth, self.compressible, self.reflux, self.flow)

    @property
    def outcome_pair(self) -> Pair:
        """The outcome beside the one an earlier follow-up gave; no baseline value for a plan."""
        return words_pair("outcome", self.baseline.outcome, self.outcome, "")

    @property
    def label(self) -> str:
        """'target 2, left GSV'."""
        return target_label(self.order, self.baseline.side, self.baseline.vein)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A baseline and a follow-up of one patient."""

    baseline_study_uid: str
    follow_up_study_uid: str
    baseline_on: date | None
    """Day of the baseline study, by its header."""
    follow_up_on: date | None
    """Day of the visit, else of the follow-up study."""
    treated_on: date | None
    """Last day of treatment before the follow-up; None where no session with a day is recorded."""
    targets: tuple[TargetComparison, ...]
    """In order of injection, then those that only an earlier follow-up speaks of."""
    new_findings: tuple[InjectionTarget, ...]
    """Targets of the follow-up's record that the baseline does not have: no match is looked for."""
    visit: FollowUp | None
    """The follow-up that is shown; None where none was entered."""
    windows: Windows | None
    """Since the last day of treatment; None without one."""
    sessions: tuple[TreatmentSession, ...]
    """Of both records, each once, by day."""
    warnings: tuple[str, ...]
    """One sentence each: two heads, open conflicts, no calibration, outcomes without a target."""
    profile: str
    """Of reflux thresholds."""
    thresholds_version: str
    rvcss: tuple[Pair, ...] = ()
    """Severity score of each leg that was scored, 'rvcss_left' and 'rvcss_right'."""
    patient: PatientMatch | None = None
    """How sure it is that both are of one patient; None where only records were given."""

    @property
    def days_since_treatment(self) -> int | None:
        """Days from the last treatment to the follow-up."""
        return None if self.windows is None else self.windows.days

    @property
    def days_between(self) -> int | None:
        """Days from the baseline study to the follow-up."""
        if self.baseline_on is None or self.follow_up_on is None:
            return None
        return (self.follow_up_on - self.baseline_on).days

    @property
    def deep_veins(self) -> str:
        """In words; 'not examined' until a person enters something."""
        if self.visit is None or self.visit.deep_veins is DeepVeins.NOT_EXAMINED:
            return NOT_EXAMINED
        return value_words(self.visit.deep_veins)

    def row(self, target_id: str) -> TargetComparison:
        """The row of a target; InvalidInputError where the baseline has none of that id."""
        for one in self.targets:
            if one.target_id == target_id:
                return one
        raise InvalidInputError(
            f"the comparison has no target {target_id!r}", do="list its targets to see their ids"
        )
