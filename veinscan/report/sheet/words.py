"""Values of the record in words, as a page shows them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from veinscan.plan.flow import RefluxValue
from veinscan.plan.model import InjectionTarget, Side, ValueSource
from veinscan.plan.treatment import LaserSettings
from veinscan.plan.vocabulary import Checked, Landmark
from veinscan.report.text.characters import isolated

_HOW = {
    ValueSource.CANDIDATE: "measured by program",
    ValueSource.CLICK: "measured by program at a click",
    ValueSource.CALIPER: "measured by hand",
    ValueSource.ENTERED: "typed",
}

_HOW_SHORT = {
    ValueSource.CANDIDATE: "program",
    ValueSource.CLICK: "program, click",
    ValueSource.CALIPER: "by hand",
    ValueSource.ENTERED: "typed",
}

_UNSAID = ("unknown", "not_judged", "")


def word(value: StrEnum | str) -> str:
    """'thigh mid' for `Level.THIGH_MID`; empty for what is unknown."""
    text = str(value)
    return "" if text in _UNSAID else text.replace("_", " ")


def side_words(side: Side) -> str:
    """'LEFT', 'RIGHT' or 'side unknown'."""
    return "side unknown" if side is Side.UNKNOWN else side.value.upper()


def vein_words(vein: str) -> str:
    """The vein's name, or 'vein unknown'."""
    return isolated(vein) if word(vein) else "vein unknown"


def number(value: float | None, unit: str = "", digits: int = 1) -> str:
    """'5.1 mm'; empty where there is none."""
    if value is None:
        return ""
    return f"{value:.{digits}f} {unit}".rstrip()


def how(source: ValueSource | None) -> str:
    """Where a value comes from."""
    return "" if source is None else _HOW[source]


def how_short(source: ValueSource | None) -> str:
    """The same for a narrow column."""
    return "" if source is None else _HOW_SHORT[source]


def when(moment: datetime | None) -> str:
    """'2026-01-03 09:30 UTC'."""
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M %Z}".rstrip()


def person_words(name: str) -> str:
    """'Doe Jane' for DICOM's 'Doe^Jane'."""
    groups = (" ".join(group.replace("^", " ").split()) for group in name.split("="))
    return " / ".join(isolated(group) for group in groups if group)


def by_whom(name: str, moment: datetime | None = None) -> str:
    """'Doe Jane, 2026-01-03 09:30 UTC'."""
    return ", ".join(part for part in (person_words(name), when(moment)) if part)


def landmark_words(landmark: Landmark, distance_cm: float | None) -> str:
    """'12 cm from SFJ'; empty where either is unknown."""
    if landmark is Landmark.UNKNOWN or distance_cm is None:
        return ""
    name = landmark.value
    shown = name.upper() if name in ("sfj", "spj") else name.replace("_", " ")
    return f"{distance_cm:g} cm from {shown}"


def place_words(target: InjectionTarget) -> str:
    """'12 cm from SFJ', else the level and aspect in words; empty where neither is known."""
    exact = landmark_words(target.landmark, target.landmark_cm)
    return exact or ", ".join(part for part in (word(target.level), word(target.aspect)) if part)


def laser_words(laser: LaserSettings | None) -> str:
    """'1064 nm, 6 mm spot, 80 J/cm², 15 ms, 2 passes'."""
    if laser is None:
        return ""
    units = (
        ("wavelength_nm", "nm"), ("spot_mm", "mm spot"), ("fluence_j_cm2", "J/cm²"), ("pulse_ms", "ms"),
        ("passes", "passes"),
    )  # fmt: skip
    said = [f"{value:g} {unit}" for name, unit in units if (value := getattr(laser, name)) is not None]
    return ", ".join([*said, *([f"cooling {isolated(laser.cooling)}"] if laser.cooling else [])])


def more_words(target: InjectionTarget) -> str:
    """Needle, guidance and the laser's settings on one line."""
    parts = [f"{target.needle_gauge} G" if target.needle_gauge is not None else ""]
    parts.append("ultrasound-guided" if target.ultrasound_guided is Checked.YES else "")
    parts.append(laser_words(target.laser))
    return ", ".join(part for part in parts if part)


def reflux_words(value: RefluxValue) -> str:
    """'0.62 s', '> 3.80 s' (ran off the strip), 'inadequate'."""
    if value.adequate is Checked.NO:
        return "inadequate"
    if value.reflux_s is None:
        return "not measured"
    return f"{'> ' if value.is_lower_bound else ''}{value.reflux_s:.2f} s"
