"""What a field of the plan accepts from a person: names, plausible limits, one sentence for what is refused.

The limits only catch typing errors (cm for mm, a lost point); they are not
clinical thresholds, which live in thresholds.toml.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from veinscan.errors import InvalidInputError
from veinscan.plan import vocabulary as v
from veinscan.plan.model import TargetStatus
from veinscan.plan.normal import is_uid, stored_number, stored_point
from veinscan.plan.treatment import LaserSettings
from veinscan.plan.veins import vein_name

ENUMS: Mapping[str, type[StrEnum]] = {
    "side": v.Side,
    "segment": v.Segment,
    "level": v.Level,
    "aspect": v.Aspect,
    "landmark": v.Landmark,
    "map_view": v.MapView,
    "vein_class": v.VeinClass,
    "compartment": v.Compartment,
    "vessel_type": v.VesselType,
    "artery_checked": v.Checked,
    "plane": v.Plane,
    "posture": v.Posture,
    "manoeuvre": v.Manoeuvre,
    "compressible": v.Compressible,
    "is_feeder": v.IsFeeder,
    "modality": v.Modality,
    "ultrasound_guided": v.Checked,
    "status": TargetStatus,
    "diameter_source": v.ValueSource,
    "depth_source": v.ValueSource,
}
"""Coded fields of a target and of a clip's context."""

LIMITS: Mapping[str, tuple[float, float, str]] = {
    "diameter_mm": (0.0, 40.0, "mm"),
    "depth_mm": (0.0, 300.0, "mm"),
    "length_mm": (0.0, 2000.0, "mm"),
    "artery_distance_mm": (0.0, 50.0, "mm"),
    "landmark_cm": (0.0, 120.0, "cm"),
    "concentration_percent": (0.05, 75.0, "%"),
    "planned_concentration_percent": (0.05, 75.0, "%"),
    "planned_volume_ml": (0.01, 20.0, "mL"),
    "volume_ml": (0.01, 20.0, "mL"),
    "needle_gauge": (14, 34, "G"),
    "known_mm": (0.0, 500.0, "mm"),
    "wavelength_nm": (200.0, 12000.0, "nm"),
    "spot_mm": (0.1, 50.0, "mm"),
    "fluence_j_cm2": (0.1, 2000.0, "J/cm2"),
    "pulse_ms": (0.0, 10000.0, "ms"),
    "passes": (1, 50, "passes"),
    "liquid_parts": (0.0, 20.0, "parts"),
    "gas_parts": (0.0, 20.0, "parts"),
    "age_s": (0.0, 3600.0, "s"),
    "weight_kg": (20.0, 350.0, "kg"),
    "pressure_mmhg": (0.0, 100.0, "mmHg"),
    "days": (0.0, 90.0, "days"),
    "compression_worn_days": (0.0, 90.0, "days"),
    "downtime_days": (0.0, 90.0, "days"),
    "observation_min": (0.0, 1440.0, "min"),
    "onset_min": (0.0, 100000.0, "min"),
    "duration_min": (0.0, 100000.0, "min"),
    "pain_score": (0, 10, "of 10"),
    "satisfaction": (0, 10, "of 10"),
    "appearance_percent": (-100, 100, "%"),
    "number": (1, 30, ""),
    "planned_total": (1, 30, ""),
    "investigation": (1, 3, ""),
    "treated_length_cm": (0.0, 110.0, "cm"),
    "occluded_length_cm": (0.0, 110.0, "cm"),
    "size_mm": (0.0, 1000.0, "mm"),
    "shade": (0, 3, "of 3"),
    "junction_stump_mm": (0.0, 300.0, "mm"),
    "distance_mm": (0.0, 500.0, "mm"),
    "time_s": (0.0, 60.0, "s"),
    "velocity_cm_s": (-500.0, 500.0, "cm/s"),
    "reflux_s": (0.0, 30.0, "s"),
    "measured_reflux_s": (0.0, 30.0, "s"),
    "peak_reflux_cm_s": (0.0, 500.0, "cm/s"),
    "mean_reflux_cm_s": (0.0, 500.0, "cm/s"),
    "antegrade_peak_cm_s": (0.0, 500.0, "cm/s"),
    "peak_cm_s": (0.0, 500.0, "cm/s"),
    "mean_cm_s": (0.0, 500.0, "cm/s"),
    "angle_deg": (0.0, 90.0, "degrees"),
    **dict.fromkeys(
        ("pain", "varicose_veins", "oedema", "pigmentation", "inflammation", "induration", "ulcers",
         "ulcer_duration", "ulcer_size", "compression_use"),
        (0, 3, "of 3"),
    ),
}  # fmt: skip
"""Smallest and largest value of a field by its name, both allowed, and the unit to say."""

_ABOVE = ("diameter_mm", "depth_mm", "length_mm", "known_mm", "distance_mm", "time_s")
"""Fields whose smallest value is itself refused."""
_WHOLE = {name for name, (low, _, _) in LIMITS.items() if isinstance(low, int)}
_TEXTS = ("notes", "feeds_text")

EDITABLE_FIELDS: tuple[str, ...] = (
    "side", "vein", "diameter_mm", "depth_mm", "length_mm", "diameter_source", "depth_source",
    "artery_checked", "status", "notes", "order", "segment", "level", "aspect", "landmark", "landmark_cm",
    "map_view", "map_point", "vein_class", "compartment", "vessel_type", "artery_distance_mm", "skin_entry",
    "plane", "posture", "compressible", "feeds_text", "feeds", "is_feeder", "modality", "ultrasound_guided",
    "product", "concentration_percent", "planned_volume_ml", "needle_gauge", "laser",
)  # fmt: skip
"""What `update_target` and the makers accept; values may be text, as a command line gives them."""


def parsed(name: str, value: Any) -> Any:
    """The value of a field of a target or a context, from what a person gave; InvalidInputError else."""
    if name in ENUMS:
        if name.endswith("_source") and (value is None or value == ""):
            return None
        return enum_value(ENUMS[name], value, name)
    if name == "vein":
        return vein_name(value)
    if name in LIMITS:
        return number(name, value)
    if name == "order":
        return _order(value)
    if name == "product":
        return _product(value)
    if name in ("map_point", "skin_entry"):
        return _point(name, value)
    if name == "feeds":
        return _feeds(value)
    if name == "laser":
        return _laser(value)
    if not isinstance(value, str):
        raise InvalidInputError(f"{name} is {value!r}", do="pass a text")
    return value


def number(name: str, value: Any) -> float | int | None:
    """A number within the limits of its field, or None for nothing."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    low, high, unit = LIMITS[name]
    try:
        if isinstance(value, bool):
            raise ValueError
        found = stored_number(float(value), name)
        if name in _WHOLE and not found.is_integer():
            raise ValueError
    except (TypeError, ValueError, OverflowError) as error:
        if isinstance(error, InvalidInputError):
            raise
        what = "a whole number" if name in _WHOLE else "a number"
        raise InvalidInputError(f"{name} is {value!r}", do=f"pass {what} in {unit}, with a point") from None
    if not low <= found <= high or (name in _ABOVE and found == low):
        limits = f"above {low:g} and up to {high:g}" if name in _ABOVE else f"from {low:g} to {high:g}"
        raise InvalidInputError(f"{name} is {value}", do=f"pass {unit} {limits}".replace("  ", " "))
    return int(found) if name in _WHOLE else found


def enum_value(kind: type[Any], value: Any, name: str) -> Any:
    """A member of a vocabulary from its value as text."""
    try:
        return kind(
            value.strip().lower() if isinstance(value, str) and not isinstance(value, kind) else value
        )
    except ValueError:
        raise InvalidInputError(
            f"{name} is {value!r}", do=f"pass one of: {', '.join(member.value for member in kind)}"
        ) from None


def check(value: Any, where: str = "") -> None:
    """Refuse what is malformed anywhere in a session, a follow-up or another part of a record.

    Raises InvalidInputError: a number outside its limits, a product that is
    not in the table, a day before 1900, a text that is not one.
    """
    for field in fields(value):
        found = getattr(value, field.name)
        if isinstance(found, tuple):
            for member in found:
                if is_dataclass(member):
                    check(member, where)
        elif is_dataclass(found):
            check(found, where)
        elif field.name in LIMITS and found is not None:
            number(field.name, found)
        elif field.name == "product":
            _product(found)
        elif field.name == "id" and not is_uid(found):
            raise InvalidInputError(f"the id {found!r} is not a UID", do="let veinscan make it")
        elif isinstance(found, date) and not 1900 <= found.year <= 2999:
            raise InvalidInputError(f"{field.name} is {found}", do="pass a day from 1900 to 2999")


def _laser(value: Any) -> LaserSettings | None:
    """Settings, or a text such as 'wavelength_nm=1064; spot_mm=6'."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        known = {field.name for field in fields(LaserSettings)}
        found: dict[str, Any] = {}
        for pair in value.split(";"):
            name, _, text = (part.strip() for part in pair.partition("="))
            if name not in known:
                raise InvalidInputError(
                    f"laser has no setting {name!r}",
                    do=f"pass pairs like wavelength_nm=1064; of {sorted(known)}",
                )
            found[name] = number(name, text) if name in LIMITS else text
        value = LaserSettings(**found)
    if not isinstance(value, LaserSettings):
        raise InvalidInputError(f"laser is {value!r}", do="pass LaserSettings")
    check(value)
    return value


def _order(value: Any) -> int:
    try:
        order = int(value)
    except (TypeError, ValueError):
        order = 0
    if order < 1:
        raise InvalidInputError(f"order is {value!r}", do="pass a whole number from 1")
    return order


def _product(value: Any) -> str:
    from veinscan.plan.products import product_names

    if value in (None, ""):
        return ""
    if value not in product_names():
        raise InvalidInputError(
            f"product is {value!r}", do=f"pass one of: {', '.join(product_names())}, or nothing"
        )
    return str(value)


def _point(name: str, value: Any) -> tuple[float, float] | None:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        value = value.split(",")
    if name == "skin_entry":
        return stored_point(value)
    try:
        row, col = (stored_number(float(part), name) for part in value)
    except (TypeError, ValueError):
        row = col = -1.0
    if not (0 <= row <= 1 and 0 <= col <= 1):
        raise InvalidInputError(f"map_point is {value!r}", do="pass row and column of the leg map, 0 to 1")
    return row, col


def _feeds(value: Any) -> tuple[str, ...]:
    parts = value.replace(",", " ").split() if isinstance(value, str) else tuple(value or ())
    for uid in parts:
        if not is_uid(uid):
            raise InvalidInputError(f"feeds holds {uid!r}", do="pass ids of targets")
    return tuple(dict.fromkeys(parts))
