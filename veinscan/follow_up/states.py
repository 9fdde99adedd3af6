"""What one record says of a target: its place, its values, and how they were taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from veinscan.errors import InvalidInputError
from veinscan.plan.clips import context_of, inherited
from veinscan.plan.flow import FlowValue, RefluxValue
from veinscan.plan.follow_up import FollowUp, TargetOutcome
from veinscan.plan.model import InjectionTarget, Record
from veinscan.plan.places import Calibration, Point
from veinscan.plan.vocabulary import (
    Aspect,
    Compartment,
    Compressible,
    Landmark,
    Level,
    Outcome,
    Posture,
    RecordState,
    Segment,
    Side,
    ValueSource,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetState:
    """A target as one record has it: marked in a plan, or looked at in a follow-up."""

    target_id: str
    kind: str
    """'plan' (marked for injection) or 'follow_up' (an outcome)."""
    visit_id: str = ""
    """The follow-up that says so; empty for a plan."""
    on: date | None = None
    """Day of the visit."""
    set_by: str = ""
    outcome: Outcome | None = None
    """None for a plan."""
    sop_instance_uid: str = ""
    """Clip it was marked on; empty where it has no place in a picture."""
    frame_index: int = 0
    point: Point = (0.0, 0.0)
    outline: tuple[Point, ...] = ()
    calibration: Calibration | None = None
    diameter_mm: float | None = None
    diameter_source: ValueSource | None = None
    depth_mm: float | None = None
    depth_source: ValueSource | None = None
    compressible: Compressible = Compressible.NOT_TESTED
    reflux: tuple[RefluxValue, ...] = ()
    flow: tuple[FlowValue, ...] = ()
    treated_length_cm: float | None = None
    occluded_length_cm: float | None = None
    posture: Posture = Posture.UNKNOWN
    side: Side = Side.UNKNOWN
    vein: str = "unknown"
    segment: Segment = Segment.UNKNOWN
    level: Level = Level.UNKNOWN
    aspect: Aspect = Aspect.UNKNOWN
    compartment: Compartment = Compartment.UNKNOWN
    landmark: Landmark = Landmark.UNKNOWN
    landmark_cm: float | None = None
    notes: str = ""

    @property
    def has_place(self) -> bool:
        """Whether it lies on a frame of a clip."""
        return bool(self.sop_instance_uid)


def planned_state(record: Record, target: InjectionTarget) -> TargetState:
    """A target of a plan."""
    one = inherited(record, target)
    return TargetState(
        target_id=one.id,
        kind="plan",
        set_by=one.marked_by,
        **{name: getattr(one, name) for name in _SHARED},
    )


_SHARED = (
    "sop_instance_uid", "frame_index", "point", "outline", "calibration", "diameter_mm", "diameter_source",
    "depth_mm", "depth_source", "compressible", "reflux", "flow", "posture", "side", "vein", "segment",
    "level", "aspect", "compartment", "landmark", "landmark_cm", "notes",
)  # fmt: skip


def seen_state(record: Record, visit: FollowUp, outcome: TargetOutcome) -> TargetState:
    """A target as a follow-up found it; what the outcome does not say comes from its clip, then the visit."""
    place = outcome.place
    context = None if place is None else context_of(record, place.sop_instance_uid)
    posture = outcome.posture
    if posture is Posture.UNKNOWN and context is not None:
        posture = context.posture
    if posture is Posture.UNKNOWN:
        posture = visit.posture
    landmark, landmark_cm = outcome.landmark, outcome.landmark_cm
    if landmark is Landmark.UNKNOWN and context is not None:
        landmark, landmark_cm = context.landmark, context.landmark_cm
    return TargetState(
        target_id=outcome.target_id,
        kind="follow_up",
        visit_id=visit.id,
        on=visit.on,
        set_by=outcome.set_by,
        outcome=outcome.outcome,
        sop_instance_uid="" if place is None else place.sop_instance_uid,
        frame_index=0 if place is None else place.frame_index,
        point=(0.0, 0.0) if place is None else place.point,
        outline=() if place is None else place.outline,
        calibration=None if place is None else place.calibration,
        diameter_mm=outcome.diameter_mm,
        diameter_source=outcome.diameter_source,
        depth_mm=outcome.depth_mm,
        depth_source=outcome.depth_source,
        compressible=outcome.compressible,
        reflux=() if outcome.reflux is None else (outcome.reflux,),
        flow=outcome.flow,
        treated_length_cm=outcome.treated_length_cm,
        occluded_length_cm=outcome.occluded_length_cm,
        posture=posture,
        side=Side.UNKNOWN if context is None else context.side,
        vein="unknown" if context is None else context.vein,
        level=Level.UNKNOWN if context is None else context.level,
        aspect=Aspect.UNKNOWN if context is None else context.aspect,
        compartment=outcome.compartment,
        landmark=landmark,
        landmark_cm=landmark_cm,
        notes=outcome.notes,
    )


def latest_outcomes(record: Record, visits: Iterable[FollowUp]) -> dict[str, TargetState]:
    """By target, what the last of some visits that looked at it found."""
    found: dict[str, TargetState] = {}
    for visit in visits:
        found |= {one.target_id: seen_state(record, visit, one) for one in visit.outcomes}
    return found


def in_order(visits: Iterable[FollowUp]) -> list[FollowUp]:
    """Visits by their day, those without one last."""
    return sorted(visits, key=lambda one: (one.on is None, one.on or date.min))


def states_of(record: Record) -> Mapping[str, TargetState]:
    """Every target that a record speaks of, as a baseline: its plan, else what its latest visit found."""
    planned = {target.id: planned_state(record, target) for target in record.targets}
    seen = latest_outcomes(record, in_order(record.follow_ups))
    return planned | {uid: state for uid, state in seen.items() if uid not in planned}


def check_not_withdrawn(what: str, record: Record) -> None:
    """InvalidInputError for a record that was withdrawn; `what` is 'baseline' or 'follow-up'."""
    if record.status.state is RecordState.WITHDRAWN:
        raise InvalidInputError(
            f"the record of the {what} was withdrawn", do="amend it first, or choose another study"
        )


def target_label(order: int | None, side: Side, vein: str) -> str:
    """'target 2, left GSV'."""
    number = "target" if order is None else f"target {order}"
    of_side = "" if side is Side.UNKNOWN else f"{side.value} "
    return f"{number}, {of_side}{'vein unknown' if vein in ('', 'unknown') else vein}"
