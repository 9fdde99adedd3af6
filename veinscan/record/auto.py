"""Tables and codes of the model's classes, worked out from their fields.

The code of a field is its name with '-' for '_', the unit comes from the end
of the name, and the kind of content item from its type; what has a public
code, or a name too long for VR SH, is listed here.  `published_codes` is the
whole list, which docs/private-codes.md holds and a test compares: a code once
published never changes its meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from veinscan.plan import vocabulary as v
from veinscan.record import concepts as c
from veinscan.record import kinds
from veinscan.record.fields import Field, Table
from veinscan.record.tree import Concept

UNITS = {
    "_j_cm2": Concept("J/cm2", "UCUM", "J/cm2"),
    "_cm_s": Concept("cm/s", "UCUM", "cm/s"),
    "_mm": c.MILLIMETRE,
    "_cm": Concept("cm", "UCUM", "cm"),
    "_nm": Concept("nm", "UCUM", "nm"),
    "_ml": Concept("mL", "UCUM", "mL"),
    "_kg": Concept("kg", "UCUM", "kg"),
    "_percent": Concept("%", "UCUM", "%"),
    "_mmhg": Concept("mm[Hg]", "UCUM", "mmHg"),
    "_ms": Concept("ms", "UCUM", "ms"),
    "_min": Concept("min", "UCUM", "min"),
    "_deg": Concept("deg", "UCUM", "deg"),
    "_days": Concept("d", "UCUM", "d"),
    "days": Concept("d", "UCUM", "d"),
    "_s": Concept("s", "UCUM", "s"),
}
"""By the end of a field's name; longer endings first."""

_SHORT = {
    "antegrade_peak_cm_s": "antegrade-peak",
    "appearance_percent": "appearance",
    "artery_distance_mm": "artery-distance",
    "baseline_record_uids": "baseline-record",
    "baseline_study_uid": "baseline-study",
    "junction_stump_mm": "junction-stump",
    "series_instance_uid": "baseline-series",
    "study_instance_uid": "baseline-of",
    "candidate_settings": "search-settings",
    "compression_worn_days": "compression-worn",
    "concentration_percent": "concentration",
    "confirmed_intravenous": "intravenous",
    "contraindications": "contraindicatn",
    "deep_veins_action": "deep-vein-action",
    "measured_reflux_s": "reflux-measured",
    "next_step_text": "next-step-text",
    "occluded_length_cm": "occluded-length",
    "planned_concentration_percent": "plan-concentr",
    "planned_volume_ml": "planned-volume",
    "polarity_confirmed": "polarity-confirm",
    "threshold_profile": "reflux-profile",
    "treated_length_cm": "treated-length",
    "ultrasound_guided": "us-guided",
    "acknowledgements": "acknowledgement",
    "pathophysiology": "ceap-p",
    "etiology": "ceap-e",
    "anatomy": "ceap-a",
    "clinical": "ceap-c",
    "segment": "vein-segment",
    "sources": "reading-source",
    "number": "session-number",
    "values": "clinical-values",
    "compression": "compression-plan",
    "acknowledged_by": "acknowledged-by",
    "acknowledged_at": "acknowledged-at",
    "intra_arterial_suspected": "intra-arterial",
    "reverse_trendelenburg": "rev-trendelenbg",
    "supine_legs_elevated": "supine-elevated",
    "laser_plus_injection": "laser-plus-inj",
    "medical_complication": "med-complication",
    "acute_thromboembolism": "acute-thromboemb",
    "pregnancy_breast_feeding": "pregnancy",
    "acute_superficial_thrombosis": "acute-svt",
    "earlier_neurological": "earlier-neuro",
    "anticoagulation_travel_age": "anticoagul-other",
    "symptomatic_shunt": "sympt-shunt",
    "deep_incompetence": "deep-incompet",
    "hyperpigmentation": "hyperpigment",
    "manual_compression": "manual-compr",
    "lateral_malleolus": "lat-malleolus",
    "transillumination": "transilluminatn",
}  # fmt: skip
"""Codes for names longer than the 16 characters of VR SH, or that would say too little alone."""

_PREFIXES: dict[type[StrEnum], str] = {
    v.CeapC: "ceap-",
    v.CeapE: "ceap-",
    v.CeapP: "ceap-",
    v.JunctionClass: "junction-",
    v.Outcome: "out-",
    v.RecordState: "state-",
    v.FlowSource: "flow-",
    v.DeepVeins: "deep-",
    v.Agent: "agent-",
    v.Segment: "segment-",
    v.MapView: "map-",
    v.Searched: "searched-",
}
"""For values that would say too little alone."""

_PUBLIC: dict[tuple[type[StrEnum], str], Concept] = {
    (v.Posture, "standing"): Concept("10904000", "SCT", "Standing"),
    (v.Posture, "sitting"): Concept("33586001", "SCT", "Sitting"),
    (v.Posture, "supine"): Concept("40199007", "SCT", "Supine"),
    (v.Posture, "prone"): Concept("1240000", "SCT", "Prone"),
    (v.PatientPosition, "supine"): Concept("40199007", "SCT", "Supine"),
    (v.PatientPosition, "prone"): Concept("1240000", "SCT", "Prone"),
    (v.Plane, "transverse"): Concept("62824007", "SCT", "Transverse"),
    (v.Plane, "longitudinal"): Concept("38717003", "SCT", "Longitudinal"),
    (v.Segment, "origin"): Concept("397421006", "SCT", "Vessel origin"),
    (v.Segment, "proximal"): Concept("40415009", "SCT", "Proximal"),
    (v.Segment, "middle"): Concept("C25569", "NCIt", "Middle"),
    (v.Segment, "distal"): Concept("46053002", "SCT", "Distal"),
    (v.FlowDirection, "antegrade"): Concept("263677008", "SCT", "Antegrade flow"),
    (v.FlowDirection, "retrograde"): Concept("312004007", "SCT", "Retrograde flow"),
    (v.Side, "left"): c.SIDES[v.Side.LEFT],
    (v.Side, "right"): c.SIDES[v.Side.RIGHT],
    (v.Legs, "left"): c.SIDES[v.Side.LEFT],
    (v.Legs, "right"): c.SIDES[v.Side.RIGHT],
    (v.Legs, "both"): Concept("51440002", "SCT", "Right and left"),
}

_FIELDS: dict[str, Concept] = {
    "artery_checked": c.ARTERY_CHECKED,
    "diameter_mm": c.LUMEN_DIAMETER,
    "depth_mm": c.VESSEL_DEPTH,
    "notes": c.COMMENT,
    "vein": c.VEIN_NAME,
    "side": Concept("272741003", "SCT", "Laterality"),
}
"""Fields whose concept is there already."""

_ITEMS = {
    "injections": "injection", "lasers": "laser-treatment", "findings": "finding-at-once",
    "outcomes": "target-outcome", "complications": "complication", "contexts": "clip-context",
    "searches": "clip-search", "calibrations": "clip-calibration", "sessions": "session",
    "strip_calibrations": "strip-calibrat", "colour_scales": "colour-scale",
    "measurements": "measurement", "strip": "strip-scale",
    "follow_ups": "follow-up", "acknowledgements": "acknowledgement", "status": "record-status",
    "laser": "laser-settings", "settings": "laser-settings", "foam": "foam-recipe", "flow": "flow-value",
    "reflux": "reflux-value", "deep_vein_findings": "deep-vein-found",
    "place": "follow-up-place", "baseline": "baseline-place", "ceap": "ceap", "rvcss": "rvcss",
}  # fmt: skip
"""Containers, by the field that holds them."""


def _human(name: str) -> str:
    text = name.replace("_", " ")
    return text[:1].upper() + text[1:]


def _private(code: str, meaning: str) -> Concept:
    if not 0 < len(code) <= 16:
        raise ValueError(f"{code!r} does not fit VR SH")
    return Concept(code, c.PRIVATE_SCHEME, meaning)


def unit_of(name: str) -> Concept:
    """Unit of a field, by the end of its name."""
    return next((unit for ending, unit in UNITS.items() if name.endswith(ending)), c.ONE)


@cache
def concept_of(name: str) -> Concept:
    """The concept of a field of the model, by its name."""
    if name in _FIELDS:
        return _FIELDS[name]
    code = _ITEMS.get(name) or _SHORT.get(name)
    plain = name
    if code is None:
        for ending in UNITS:
            if ending.startswith("_") and name.endswith(ending):
                plain = name.removesuffix(ending)
                break
        code = plain.replace("_", "-")
    elif name in _ITEMS:
        plain = _ITEMS[name].replace("-", "_")
    return _private(code, f"{_human(plain)}"[:64])


@cache
def codes_of(kind: type[StrEnum]) -> dict[Any, Concept]:
    """The concept of every value of a coded field."""
    found: dict[Any, Concept] = {}
    for member in kind:
        value = member.value
        if (kind, value) in _PUBLIC:
            found[member] = _PUBLIC[kind, value]
        elif value == "unknown":
            found[member] = c.UNKNOWN
        elif value in ("yes", "no"):
            found[member] = c.YES if value == "yes" else c.NO
        elif value == "other":
            found[member] = c.REJECT_REASONS[next(r for r in c.REJECT_REASONS if r.value == "other")]
        else:
            prefix = _PREFIXES.get(kind, "")
            stem = _SHORT.get(value, value.replace("_", "-").replace(",", ""))
            found[member] = _private(f"{prefix}{stem}"[:16], _human(f"{prefix}{value}".replace("-", " ")))
    return found


def table(make: type[Any], **special: Field) -> Table:
    """The table of a dataclass.

    `special` holds the fields that are not what their type says; a field that
    is an attribute of one of those under another name is left out.
    """
    hints = get_type_hints(make)
    covered = {name for field in special.values() for name in field.attributes}
    found: list[Field] = []
    for field in fields(make):
        if field.name in special:
            found.append(special[field.name])
        elif field.name not in covered:
            default = None if field.default is MISSING else field.default
            required = field.default is MISSING and field.default_factory is MISSING
            found.append(_field(field.name, hints[field.name], default, required))
    return Table(make, tuple(found))


def _field(name: str, hint: Any, default: Any, required: bool) -> Field:
    concept = concept_of(name)
    kind = hint
    if get_origin(hint) in (Union, UnionType):
        (kind,) = (part for part in get_args(hint) if part is not NoneType)
    if get_origin(kind) is tuple:
        (element, _) = get_args(kind)
        return _tuple(name, concept, element)
    if name == "id" or (name.endswith("_uid") and required):
        return kinds.uid(name, c.TRACKING_UID if name == "id" else concept)
    if name.endswith(("_id", "_uid")):
        return kinds.optional_uid(name, concept)
    if kind is str:
        return kinds.text(name, concept, empty=default)
    if kind is bool:
        return kinds.code(name, concept, c.YES_NO, default)
    if kind in (int, float):
        return kinds.Number(name, concept, unit_of(name), whole=kind is int, required=required)
    if kind is datetime:
        return kinds.moment(name, concept)
    if kind is date:
        return kinds.day(name, concept)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        values = codes_of(kind)
        if required:
            return kinds.required_code(name, concept, values)
        return kinds.code(name, concept, values, default)
    if is_dataclass(kind):
        return kinds.nested(name, concept, table(kind))  # type: ignore[arg-type]
    raise TypeError(f"no kind of field for {name}: {hint}")


def _tuple(name: str, concept: Concept, element: Any) -> Field:
    if element is str:
        if name.endswith(("_ids", "_uids")) or name == "feeds":
            return kinds.uids(name, concept)
        return kinds.texts(name, concept)
    if isinstance(element, type) and issubclass(element, StrEnum):
        return kinds.codes(name, concept, codes_of(element))
    return kinds.many(name, concept, table(element))


def published_codes(tables: Mapping[str, Table]) -> dict[str, str]:
    """Every private code that tables use: code to meaning."""
    found: dict[str, str] = {}

    def add(concept: Concept) -> None:
        if concept.scheme == c.PRIVATE_SCHEME:
            other = found.setdefault(concept.value, concept.meaning)
            if other != concept.meaning:
                raise ValueError(f"{concept.value} means {other!r} and {concept.meaning!r}")

    def walk(one: Table) -> None:
        for field in one.fields:
            shape = getattr(field, "shape", None)
            for owner, name in ((field, "concept"), (field, "names"), (shape, "values"), (shape, "table")):
                value = getattr(owner, name, None)
                if isinstance(value, Concept):
                    add(value)
                elif isinstance(value, Table):
                    walk(value)
                elif isinstance(value, Mapping):
                    for entry in value.values():
                        add(entry)
                elif isinstance(value, tuple):
                    for entry in value:
                        add(entry)

    for one in tables.values():
        walk(one)
    return found
