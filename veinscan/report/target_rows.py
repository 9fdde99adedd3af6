"""The table of targets on paper, a row each in the order of injection.

It prints what the record holds and nothing else.  What a person fills in on
the day ('given', 'artery checked') is left blank, whatever the record says.
"""

# reportlab has no types
# mypy: allow-untyped-calls
from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from reportlab.lib.units import mm
from reportlab.platypus import LongTable
from reportlab.platypus.flowables import Flowable, Image

from veinscan.errors import VeinscanError
from veinscan.plan.model import Checked, InjectionTarget, Side, TargetStatus, ValueSource
from veinscan.plan.products import product
from veinscan.plan.vocabulary import Landmark, Modality
from veinscan.report.fonts import BOLD, Typesetter
from veinscan.report.paper import GREY, HEAD, LINE, padding, paragraph
from veinscan.report.pictures import encode, target_picture

if TYPE_CHECKING:
    from veinscan.dicom import Clip

_COLUMNS_MM = (8, 34, 32, 14, 19, 28, 25, 14, 16)
_TITLES = (
    "", "Picture", "Side, vein, place", "Depth<br/>mm", "Diameter<br/>mm", "Planned", "Notes", "Given",
    "Artery<br/>checked",
)  # fmt: skip
_ASPECT = 4 / 3
_PICTURE_MM = (14.0, 25.0)
"""Height of a picture: from the smallest that is still of use to what the column holds."""
LEAST_ROW_MM = _PICTURE_MM[0] + 3
"""Height of a row with the smallest picture."""
_NOTE_LENGTH = 160
"""A longer note is printed in full below the table."""

_SOURCES = {
    ValueSource.CANDIDATE: "measured by program",
    ValueSource.CLICK: "measured by program at a click",
    ValueSource.CALIPER: "measured by hand",
    ValueSource.ENTERED: "typed",
}


class TargetRows:
    """Makes the table; afterwards `long_notes` holds (order, text) of notes too long for it."""

    def __init__(self, typesetter: Typesetter, clips: Mapping[str, Clip], width: float) -> None:
        self._type = typesetter
        self._clips = clips
        self._width = width
        self.long_notes: list[tuple[int, str]] = []

    def table(self, targets: Sequence[InjectionTarget], available: float) -> Flowable:
        """The table, its pictures as large as lets all rows stay within `available` points where they can."""
        if not targets:
            return paragraph("There are no targets in this record.", 10)
        header = [paragraph(title, 8, bold=True) for title in _TITLES]
        share = (available - 14 * mm) / len(targets) / mm - 3
        smallest, largest = _PICTURE_MM
        height = min(share, largest) if share >= smallest else 22.0
        rows = [header, *(self._row(target, height * mm) for target in targets)]
        scale = self._width / (sum(_COLUMNS_MM) * mm)
        table = LongTable(rows, colWidths=[w * mm * scale for w in _COLUMNS_MM], repeatRows=1, hAlign="LEFT")
        table.setStyle(
            [
                ("GRID", (0, 0), (-1, -1), 0.5, LINE),
                ("BACKGROUND", (0, 0), (-1, 0), HEAD),
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
                ("VALIGN", (2, 1), (6, -1), "TOP"),
                *padding(1.2, 1.2),
            ]
        )
        return table

    def _row(self, target: InjectionTarget, height: float) -> list[Flowable | list[Flowable] | str]:
        clip = self._clips.get(target.sop_instance_uid)
        return [
            paragraph(str(target.order), 11, bold=True, align=1),
            self._picture(clip, target, height),
            self._place(clip, target),
            self._number(target.depth_mm, target.depth_source),
            self._number(target.diameter_mm, target.diameter_source),
            self._planned(target),
            self._notes(target),
            "",
            "",
        ]

    def _picture(self, clip: Clip | None, target: InjectionTarget, height: float) -> Flowable:
        if not target.has_place:
            return paragraph("no picture: on the leg map alone", 7, colour=GREY)
        if clip is None:
            return paragraph("no picture: its clip is not among these files", 7, colour=GREY)
        try:
            rgb = target_picture(clip, target, aspect=_ASPECT)
        except VeinscanError as error:
            return paragraph(self._type.markup(f"no picture: {error.what}"), 7, colour=GREY)
        return Image(io.BytesIO(encode(rgb, ".jpg")), width=height * _ASPECT, height=height)

    def _place(self, clip: Clip | None, target: InjectionTarget) -> Flowable:
        side = "side unknown" if target.side is Side.UNKNOWN else target.side.value.upper()
        vein = "vein unknown" if target.vein in ("", "unknown") else target.vein
        lines = [
            f'<font name="{BOLD}" size="9">{side}</font>',
            f'<font size="9">{self._type.markup(vein)}</font>',
        ]
        if where := place_words(target):
            lines.append(f'<font size="7">{self._type.markup(where)}</font>')
        if target.status is not TargetStatus.PLANNED:
            lines.append(f'<font name="{BOLD}">{target.status.value}</font>')
        if target.has_place:
            shown = f"{clip.file if clip else 'clip not found'}, frame\u00a0{target.frame_index}"
            lines.append(f'<font size="6" color="#555555">{self._type.markup(shown)}</font>')
        return paragraph("<br/>".join(lines), 8)

    def _number(self, value: float | None, source: ValueSource | None) -> Flowable | list[Flowable]:
        if value is None:
            return paragraph("not measured", 6.5, colour=GREY)
        number = paragraph(f"{value:.1f}", 10)
        return [number, paragraph(_SOURCES[source], 6, colour=GREY)] if source is not None else number

    def _planned(self, target: InjectionTarget) -> Flowable:
        return paragraph(self._type.markup("\n".join(planned_lines(target))), 7.5)

    def _notes(self, target: InjectionTarget) -> Flowable:
        parts = []
        if target.length_mm is not None:
            parts.append(f"visible course {target.length_mm:.0f} mm")
        if target.artery_checked is not Checked.UNKNOWN:
            parts.append(f"artery checked at planning: {target.artery_checked.value}")
        notes = target.notes.strip()
        if len(notes) > _NOTE_LENGTH or notes.count("\n") > 4:
            self.long_notes.append((target.order, notes))
            start = " ".join(notes[:_NOTE_LENGTH].split("\n")[:3])
            notes = f"{start} … (in full below the table)"
        if notes:
            parts.append(notes)
        return paragraph(self._type.markup("\n".join(parts)), 7.5)


def place_words(target: InjectionTarget) -> str:
    """'12 cm from SFJ', else the level and aspect in words; empty where neither is known."""
    if target.landmark is not Landmark.UNKNOWN and target.landmark_cm is not None:
        name = target.landmark.value
        shown = name.upper() if name in ("sfj", "spj") else name.replace("_", " ")
        return f"{target.landmark_cm:g} cm from {shown}"
    known = (value.value for value in (target.level, target.aspect) if value.value != "unknown")
    return ", ".join(value.replace("_", " ") for value in known)


def planned_lines(target: InjectionTarget) -> list[str]:
    """Modality, product, concentration and volume (or the laser's settings), a line each."""
    lines = []
    if target.modality is not Modality.UNKNOWN:
        guided = ", ultrasound-guided" if target.ultrasound_guided is Checked.YES else ""
        lines.append(target.modality.value.replace("_", " ") + guided)
    if target.product:
        lines.append(product(target.product).name)
    amounts = []
    if target.concentration_percent is not None:
        amounts.append(f"{target.concentration_percent:g} %")
    if target.planned_volume_ml is not None:
        amounts.append(f"{target.planned_volume_ml:g} mL")
    if target.needle_gauge is not None:
        amounts.append(f"{target.needle_gauge} G")
    if amounts:
        lines.append(", ".join(amounts))
    if target.laser is not None:
        units = (
            ("wavelength_nm", "nm"), ("spot_mm", "mm"), ("fluence_j_cm2", "J/cm²"), ("pulse_ms", "ms"),
            ("passes", "passes"),
        )  # fmt: skip
        settings = [
            f"{value:g} {unit}"
            for name, unit in units
            if (value := getattr(target.laser, name)) is not None
        ]  # fmt: skip
        lines.append(", ".join(settings))
    return [line for line in lines if line]
