"""R01 to R14 and R24: checks of single targets."""

from __future__ import annotations

from collections.abc import Iterator

from veinscan.errors import VeinscanError
from veinscan.plan.check_drugs import strength_checks, volume_checks
from veinscan.plan.check_model import CheckContext, CheckResult, error, information, warning
from veinscan.plan.geometry import checked_frame, checked_point
from veinscan.plan.model import InjectionTarget, Side, TargetStatus, ValueSource
from veinscan.plan.places import ImagePlace
from veinscan.plan.products import general
from veinscan.plan.veins import VEINS
from veinscan.plan.vocabulary import (
    Checked,
    Compartment,
    Compressible,
    Form,
    IsFeeder,
    Modality,
    Posture,
    VeinClass,
    VesselType,
)

_DEEP = {vein.name for vein in VEINS if vein.deep}
_DRUG = (Modality.LIQUID, Modality.FOAM, Modality.LASER_PLUS_INJECTION)


def target_checks(context: CheckContext) -> Iterator[CheckResult]:
    """Every check of every target."""
    for target in context.record.targets:
        yield from place_checks(context, target)
        yield from measure_checks(target)
        yield from identity_checks(target)
        yield from plan_checks(target)


def place_checks(context: CheckContext, target: InjectionTarget) -> Iterator[CheckResult]:
    """R01, R02, R03, R05."""
    what = _what(target)
    if target.has_place:
        yield from spot_checks(context, target.id, what, target)
    for uid in target.feeds:
        if uid not in context.targets:
            yield error("R01", target.id, f"{what}: it feeds a target that is not in the record")
    for name in ("diameter", "depth"):
        source = getattr(target, f"{name}_source")
        if target.calibration is None and source not in (None, ValueSource.ENTERED):
            yield error("R03", target.id, f"{what}: {name}_mm was measured without a calibration")
    if target.side is Side.UNKNOWN:
        yield error("R05", target.id, f"{what}: the side is missing")


def spot_checks(
    context: CheckContext, subject: str, what: str, mark: InjectionTarget | ImagePlace
) -> Iterator[CheckResult]:
    """R01 and R02 of a place on a frame, where the study is at hand."""
    if context.study is None:
        return
    clip = next(
        (one for one in context.study.clips if str(one.sop_instance_uid) == mark.sop_instance_uid), None
    )
    if clip is None:
        yield error("R01", subject, f"{what}: its clip is not in the study")
        return
    try:
        checked_frame(clip, mark.frame_index)
    except VeinscanError:
        yield error("R01", subject, f"{what}: its clip has no frame {mark.frame_index}")
    try:
        checked_point(clip, mark.point)
    except VeinscanError:
        yield error("R02", subject, f"{what}: its point is outside the ultrasound picture")


def measure_checks(target: InjectionTarget) -> Iterator[CheckResult]:
    """R04, R06, R09, R10."""
    what = _what(target)
    if target.skin_entry is not None and target.calibration is not None and target.depth_mm is not None:
        vertical = abs(target.point[0] - target.skin_entry[0]) * target.calibration.spacing_mm[0]
        if general("depth_tolerance").exceeded_by(abs(vertical - target.depth_mm)):
            yield warning(
                "R04",
                target.id,
                f"{what}: depth {target.depth_mm:.1f} mm, but {vertical:.1f} mm below the skin entry",
            )
    expected = class_by_diameter(target.diameter_mm)
    if expected is not None and target.vein_class in _BY_SIZE and target.vein_class is not expected:
        note = "" if target.posture is Posture.STANDING else f" (measured {_posture(target.posture)})"
        yield warning(
            "R06",
            target.id,
            f"{what}: {target.vein_class}, but {target.diameter_mm:g} mm{note} is {expected} by CEAP",
        )
    if target.compressible is Compressible.NONE and target.status is not TargetStatus.TREATED:
        yield warning("R09", target.id, f"{what}: not compressible before treatment: possible thrombus")
    if target.compartment is Compartment.SUBFASCIAL or target.vein in _DEEP:
        yield warning("R10", target.id, f"{what}: it lies below the fascia or is a deep vein")


_BY_SIZE = (VeinClass.TELANGIECTASIA, VeinClass.RETICULAR, VeinClass.VARICOSE)


def class_by_diameter(diameter_mm: float | None) -> VeinClass | None:
    """The class that the CEAP definitions give to a diameter: below 1 mm, below 3 mm, from 3 mm."""
    if diameter_mm is None:
        return None
    if general("telangiectasia_below").missed_by(diameter_mm):
        return VeinClass.TELANGIECTASIA
    return VeinClass.RETICULAR if general("varicose_from").missed_by(diameter_mm) else VeinClass.VARICOSE


def identity_checks(target: InjectionTarget) -> Iterator[CheckResult]:
    """R07, R11."""
    what = _what(target)
    wrong = target.vessel_type in (VesselType.ARTERY, VesselType.NERVE)
    if wrong and target.status is not TargetStatus.SKIPPED:
        yield error("R07", target.id, f"{what}: {target.vessel_type}, and {target.status}")
    by_program = target.candidate_id is not None and not target.marked_by.strip()
    if by_program and target.status is not TargetStatus.SKIPPED:
        yield error("R11", target.id, f"{what}: proposed by the program and confirmed by nobody")
    elif not target.marked_by.strip() and target.is_feeder is IsFeeder.YES:
        yield error("R11", target.id, f"{what}: called a feeder by nobody")


def plan_checks(target: InjectionTarget) -> Iterator[CheckResult]:
    """R12, R13, R14, R24 of what is planned."""
    if target.status is TargetStatus.SKIPPED:
        return
    what = _what(target)
    if target.modality in _DRUG and target.artery_checked is not Checked.YES:
        yield warning("R12", target.id, f"{what}: a drug is planned and no artery check is recorded")
    has_drug = bool(target.product) or None not in (target.concentration_percent,)
    has_drug = has_drug or target.planned_volume_ml is not None
    if target.modality is Modality.LASER and has_drug:
        yield error("R24", target.id, f"{what}: laser is planned with fields of a drug")
    if target.modality in (Modality.LIQUID, Modality.FOAM) and target.laser is not None:
        yield error("R24", target.id, f"{what}: an injection is planned with fields of a laser")
    form = {Modality.FOAM: Form.FOAM, Modality.LIQUID: Form.LIQUID}.get(target.modality, Form.UNKNOWN)
    yield from strength_checks(
        target.id, f"{what}, planned", target.product, target.concentration_percent, form, target
    )
    yield from volume_checks(
        target.id, f"{what}, planned", target.product, target.planned_volume_ml, form, target
    )
    if target.modality is Modality.UNKNOWN and target.planned_volume_ml is not None:
        yield information("R24", target.id, f"{what}: a volume is planned, but not how it is given")


def _what(target: InjectionTarget) -> str:
    return f"target {target.order}"


def _posture(posture: Posture) -> str:
    return "in unknown posture" if posture is Posture.UNKNOWN else posture.value.replace("_", " ")
