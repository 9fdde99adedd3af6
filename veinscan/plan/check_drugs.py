"""R13, R14: strength and volume of one injection, planned or given, against the chosen product's label."""

from __future__ import annotations

from collections.abc import Iterator

from veinscan.plan.check_model import CheckResult, information, warning
from veinscan.plan.model import InjectionTarget
from veinscan.plan.products import product
from veinscan.plan.vocabulary import Form, VeinClass


def strength_checks(
    subject: str, what: str, key: str, percent: float | None, form: Form, target: InjectionTarget | None
) -> Iterator[CheckResult]:
    """R13: strength outside the profile for the class, a vein larger than was studied, foam off label."""
    if not key:
        return
    profile = product(key)
    vein_class = VeinClass.UNKNOWN if target is None else target.vein_class
    limit = profile.limit(f"strength_{vein_class}")
    if percent is not None and limit is not None and limit.differs_from(percent):
        yield warning(
            "R13",
            subject,
            f"{what}: {percent:g} % differs from what {profile.name} states for {vein_class}: {limit}",
        )
    least = profile.limit("least_foam_strength")
    if form is Form.FOAM and percent is not None and least is not None and least.missed_by(percent):
        yield warning("R13", subject, f"{what}: {percent:g} % as foam is below {least} of {profile.name}")
    largest = profile.limit("largest_diameter")
    diameter = None if target is None else target.diameter_mm
    if largest is not None and diameter is not None and largest.exceeded_by(diameter):
        yield warning(
            "R13", subject, f"{what}: a vein of {diameter:.1f} mm exceeds {largest} of {profile.name}"
        )
    if form is Form.FOAM and profile.foam_on_label is False:
        yield warning("R13", subject, f"{what}: foam is not on the label of {profile.name}")


def volume_checks(
    subject: str, what: str, key: str, volume: float | None, form: Form, target: InjectionTarget | None
) -> Iterator[CheckResult]:
    """R14: volume of one injection over the profile."""
    if not key or volume is None:
        return
    profile = product(key)
    limit = profile.limit("injection_volume")
    if limit is None and form is Form.FOAM and target is not None:
        if target.vein in ("GSV", "GSV thigh", "GSV calf"):
            limit = profile.limit("foam_injection_gsv")
        elif target.vein_class in (VeinClass.PERFORATOR, VeinClass.TRUNK):
            limit = profile.limit(f"foam_injection_{target.vein_class}")
    preferred = profile.limit("injection_volume_preferred")
    if limit is not None and limit.exceeded_by(volume):
        yield warning("R14", subject, f"{what}: {volume:g} mL exceeds the limit of {profile.name}: {limit}")
    elif preferred is not None and preferred.exceeded_by(volume):
        yield information(
            "R14", subject, f"{what}: {volume:g} mL is more than {profile.name} prefers: {preferred}"
        )
