"""How each thing looks and what it is called on the screen; the only place that knows.

Colours are those of Okabe and Ito (Color Universal Design, 2008), which stay
apart for colour-blind readers.  No meaning hangs on colour alone: line style
and symbol differ as well.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from veinscan.dicom.model import ClipKind, RegionKind
from veinscan.plan.model import CandidateReview, Checked, Decision, RejectReason, Side, ValueSource
from veinscan.plan.vocabulary import Searched


class Look(StrEnum):
    """What a mark in the picture stands for."""

    UNREVIEWED = "unreviewed"
    VEIN = "vein"
    REJECTED = "rejected"
    TARGET = "target"
    SELECTED = "selected"
    MEASURE = "measure"


@dataclass(frozen=True, slots=True)
class Style:
    """Colour, napari point symbol, the sign used in tables, and the dashes of an outline."""

    colour: str
    symbol: str
    sign: str
    dash: tuple[int, int]
    """Drawn and skipped pieces of an outline in turn; (1, 0) is a full line."""


STYLES: dict[Look, Style] = {
    Look.UNREVIEWED: Style("#56B4E9", "ring", "○", (2, 1)),
    Look.VEIN: Style("#009E73", "disc", "●", (1, 0)),
    Look.REJECTED: Style("#CC79A7", "x", "✕", (1, 2)),
    Look.TARGET: Style("#E69F00", "diamond", "◆", (1, 0)),
    Look.SELECTED: Style("#F0E442", "ring", "▸", (1, 0)),
    Look.MEASURE: Style("#F0E442", "cross", "+", (1, 0)),
}

KIND_WORDS: dict[ClipKind, str] = {
    ClipKind.BMODE: "B-mode",
    ClipKind.COLOUR: "Colour Doppler",
    ClipKind.POWER: "Power Doppler",
    ClipKind.SPECTRAL: "Spectrum",
    ClipKind.DUPLEX: "Duplex",
    ClipKind.M_MODE: "M-mode",
    ClipKind.PAGE: "Page of text",
    ClipKind.OTHER: "Other",
}

SIDE_WORDS: dict[Side, str] = {Side.UNKNOWN: "unknown", Side.LEFT: "left", Side.RIGHT: "right"}

CHECKED_WORDS: dict[Checked, str] = {Checked.UNKNOWN: "unknown", Checked.YES: "yes", Checked.NO: "no"}

REASON_WORDS: dict[RejectReason, str] = {
    RejectReason.ARTERY: "artery",
    RejectReason.NERVE: "nerve",
    RejectReason.LYMPH: "lymph node or vessel",
    RejectReason.SHADOW: "shadow",
    RejectReason.OTHER: "something else",
}

SEARCHED_WORDS: dict[Searched, str] = {
    Searched.UNKNOWN: "not said",
    Searched.COMPLETE: "completely",
    Searched.PARTLY: "partly",
    Searched.UNREADABLE: "unreadable",
}
"""How far a clip was looked through."""

SOURCE_WORDS: dict[ValueSource, tuple[str, str]] = {
    ValueSource.CANDIDATE: ("program", "Measured by the program on the candidate"),
    ValueSource.CLICK: ("your click", "Measured by the program in the lumen you clicked"),
    ValueSource.CALIPER: ("caliper", "Measured by a person with two clicks"),
    ValueSource.ENTERED: ("typed", "Typed by a person"),
}
"""Where a number comes from: for the form, and in full."""

REGION_LOOKS: dict[RegionKind, tuple[str, str]] = {
    RegionKind.TISSUE: ("#56B4E9", "B-mode"),
    RegionKind.COLOR_FLOW: ("#E69F00", "colour Doppler"),
    RegionKind.SPECTRAL_PW: ("#009E73", "spectrum (PW)"),
    RegionKind.SPECTRAL_CW: ("#009E73", "spectrum (CW)"),
    RegionKind.M_MODE: ("#F0E442", "M-mode"),
    RegionKind.WAVEFORM: ("#CC79A7", "waveform"),
    RegionKind.COLOR_BAR: ("#D55E00", "colour bar"),
    RegionKind.GREY_BAR: ("#999999", "grey bar"),
    RegionKind.GRAPHICS: ("#999999", "graphics"),
}
"""Colour and name of the scanner's regions."""

VESSELNESS_COLOURS: dict[str, tuple[str, ...]] = {
    "cividis": ("#00204D", "#31446B", "#666870", "#958F78", "#CAB969", "#FFEA46"),
    "viridis": ("#440154", "#3B528B", "#21908C", "#5DC863", "#FDE725"),
    "orange": ("#E69F00", "#E69F00"),
    "sky blue": ("#56B4E9", "#56B4E9"),
}
"""Colours of vesselness from none to most; all grow evenly in brightness or differ in opacity alone."""

WARNING_COLOUR = "#D55E00"
"""Text that says something is not as it should be."""

STATE_COLOURS: dict[str, str] = {"dirty": "#E69F00", "problem": "#FF6E6E", "signed": "#56B4E9"}
"""Of words on what became of the edits; the sign before them says it too."""

_ON_LIGHT = {"#E69F00": "#7A5200", "#FF6E6E": "#B3001B", "#56B4E9": "#00547F"}
"""The same hues on a light ground: at least 4.5 to 1 on napari's light theme (WCAG 2.1, 1.4.3)."""


def on_ground(colour: str, is_light: bool) -> str:
    """A state's colour as it can be read on a dark or a light ground."""
    return _ON_LIGHT.get(colour, colour) if is_light else colour


NOT_A_DEVICE = "Records and supports a clinician's decision. Not a medical device."


def look_of(review: CandidateReview | None) -> Look:
    """How a candidate with this verdict looks."""
    if review is None or review.decision is Decision.UNREVIEWED:
        return Look.UNREVIEWED
    return Look.VEIN if review.decision is Decision.VEIN else Look.REJECTED


def verdict_words(review: CandidateReview | None) -> str:
    """The verdict in words, e.g. 'rejected: artery'; empty before a person gave one."""
    if review is None or review.decision is Decision.UNREVIEWED:
        return ""
    if review.decision is Decision.VEIN:
        return "a vein"
    if review.reason is None or review.reason is RejectReason.UNSTATED:
        return "rejected"
    return f"rejected: {review.reason.value}"


def mm(value: float | None) -> str:
    """Millimetres with one decimal for a table, a dash where there is no number."""
    return "–" if value is None or math.isnan(value) else f"{value:.1f}"
