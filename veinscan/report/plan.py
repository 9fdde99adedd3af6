"""The plan on paper: the targets in order, on one page wherever they fit.

It prints what the record holds and nothing else.  What a person fills in on
the day ('given', 'artery checked') is left blank, whatever the record says.
"""

# reportlab has no types
# mypy: allow-untyped-calls
from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4, letter
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import BaseDocTemplate, Frame, LongTable, PageTemplate, Paragraph
from reportlab.platypus import Table as PdfTable
from reportlab.platypus.flowables import Flowable, Image, Spacer

import veinscan
from veinscan.errors import InvalidInputError, NotSavedError, VeinscanError
from veinscan.plan.model import Checked, InjectionTarget, Record, Side, TargetStatus, ValueSource
from veinscan.report.canvas import PageCanvas, page_marks
from veinscan.report.files import write_whole
from veinscan.report.fonts import BOLD, REGULAR, Typesetter
from veinscan.report.pictures import encode, target_picture

if TYPE_CHECKING:
    from veinscan.dicom import Clip, Study

SCOPE = "For documentation and research, not for diagnosis or treatment decisions."
"""Stated purpose, on every page that leaves veinscan."""

MARGIN = 10 * mm
_COLUMNS_MM = (8, 39, 29, 15, 18, 43, 17, 21)
_TITLES = (
    "", "Picture", "Side, vein", "Depth<br/>mm", "Diameter<br/>mm", "Notes", "Given", "Artery<br/>checked"
)  # fmt: skip
_ASPECT = 4 / 3
_PICTURE_MM = (16.0, 27.0)
"""Height of a picture: from the smallest that is still of use to what the column holds."""
_NOTE_LENGTH = 220
"""A longer note is printed in full below the table."""
_INK, _GREY, _LINE, _HEAD, _ALERT = (
    HexColor(c) for c in ("#111111", "#555555", "#999999", "#e8eef2", "#9a3b00")
)

_SOURCES = {
    ValueSource.CANDIDATE: "measured by program",
    ValueSource.CLICK: "measured by program at a click",
    ValueSource.CALIPER: "measured by hand",
    ValueSource.ENTERED: "typed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportInfo:
    """What was written."""

    path: Path
    pages: int


def write_report(study: Study, record: Record, path: str | Path, *, page_size: str = "A4") -> ReportInfo:
    """Write the plan as a PDF, whole or not at all.

    Parameters
    ----------
    study : Study
        Where the pictures and the patient's name and id on the page come from.
    record : Record
        Its targets are printed in order; a record that was never saved (version 0) is marked as a draft.
    path : path
        The PDF.  An earlier PDF there is replaced; any other file is left alone.
    page_size : 'A4' or 'letter'

    Raises
    ------
    InvalidInputError
        `page_size` is unknown, or `path` is something other than a PDF.
    NotSavedError
        The file could not be written; an earlier one is untouched.
    """
    path = Path(path)
    sizes = {"a4": A4, "letter": letter}
    if page_size.lower() not in sizes:
        raise InvalidInputError(
            f"there is no page size '{page_size}'", where="page_size", do="use 'A4' or 'letter'"
        )
    _check_target(path)
    buffer = io.BytesIO()
    pages = _Page(study, record, sizes[page_size.lower()]).build(buffer)
    write_whole(path, buffer.getvalue())
    return ReportInfo(path=path, pages=pages)


def _check_target(path: Path) -> None:
    """Refuse to replace a clip, or anything else that is not a PDF, by a slip of the hand."""
    try:
        if path.is_dir():
            raise InvalidInputError("this is a folder", where=str(path), do="give the name of a PDF file")
        if path.exists():
            with path.open("rb") as stream:
                start = stream.read(5)
            if start not in (b"%PDF-", b""):
                raise InvalidInputError(
                    "there is a file here that is not a PDF", where=str(path), do="give another name"
                )
    except OSError as error:
        raise NotSavedError(
            f"it cannot be used ({error.strerror})", where=str(path), do="give another place"
        ) from error


class _Page:
    """The flowables of one plan."""

    def __init__(self, study: Study, record: Record, size: tuple[float, float]) -> None:
        self._study = study
        self._record = record
        self._size = size
        self._type = Typesetter()
        self._clips = {clip.sop_instance_uid: clip for clip in study.clips}
        self._width = size[0] - 2 * MARGIN
        self._long_notes: list[tuple[int, str]] = []

    def build(self, stream: io.BytesIO) -> int:
        """Write the PDF and return its number of pages."""
        who = self._patient()
        head = self._head(who)
        frame_height = self._size[1] - 2 * MARGIN - 6 * mm
        taken = sum(flowable.wrap(self._width, frame_height)[1] for flowable in head)
        story = [*head, self._table(frame_height - taken), *self._tail()]
        footer = f"veinscan {veinscan.__version__}  ·  study {self._study.study_instance_uid}"
        identity = self._type.markup("  ·  ".join(part for part in who[:2] if part))
        canvases: list[PageCanvas] = []

        def make_canvas(*args: Any, **kwargs: Any) -> PageCanvas:
            canvases.append(
                PageCanvas(*args, footer=footer, identity=self._p(identity, 7.5), scope=SCOPE, **kwargs)
            )
            return canvases[-1]

        document = BaseDocTemplate(
            stream,
            pagesize=self._size,
            title="Injection plan",
            author="veinscan",
            creator=f"veinscan {veinscan.__version__}",
            invariant=0,
        )
        frame = Frame(
            MARGIN,
            MARGIN + 6 * mm,
            self._width,
            frame_height,
            leftPadding=0,
            rightPadding=0,
            topPadding=0,
            bottomPadding=0,
        )
        draft = self._record.version == 0
        document.addPageTemplates(
            [
                PageTemplate(
                    frames=[frame], onPage=lambda canvas, _: page_marks(canvas, self._size, draft=draft)
                )
            ]
        )
        document.build(story, canvasmaker=make_canvas)
        return canvases[-1].pages

    def _p(
        self, markup: str, size: float = 8, *, colour: Any = _INK, bold: bool = False, align: int = 0
    ) -> Paragraph:
        style = ParagraphStyle(
            "veinscan",
            fontName=BOLD if bold else REGULAR,
            fontSize=size,
            leading=size * 1.25,
            textColor=colour,
            alignment=align,
            splitLongWords=1,
        )
        return Paragraph(markup, style)

    def _patient(self) -> tuple[str, str, str]:
        """Name, id and date of birth as the header gives them; a page without them could be anyone's."""
        header = self._study.header()
        name = str(header.get("PatientName") or "").replace("^", " ").replace("=", " / ").strip()
        number = str(header.get("PatientID") or "").strip()
        return (
            " ".join(name.split()) or "no name in the study",
            f"ID {number}" if number else "no ID in the study",
            _date(str(header.get("PatientBirthDate") or "")),
        )

    def _head(self, who: tuple[str, str, str]) -> list[Flowable]:
        record, study, text = self._record, self._study, self._type.markup
        header = study.header()
        readers = sorted({t.marked_by for t in record.targets if t.marked_by})
        times = [t.marked_at for t in record.targets if t.marked_at is not None]
        marked = ", ".join(readers) or "nobody yet"
        if times:
            marked += f", {max(times):%Y-%m-%d %H:%M}"
        saved = "never saved: this is a draft"
        if record.version:
            saved = f"version {record.version}, SR " + ", ".join(record.heads)
        description = str(header.get("StudyDescription") or "").strip()
        when = _date(str(header.get("StudyDate") or "")) or "no date in the study"
        born = f", born {who[2]}" if who[2] else ""
        facts = [
            ("Patient", f'<font name="{BOLD}">{text(who[0], bold=True)}</font>, {text(who[1])}{text(born)}'),
            ("Study", text(", ".join(part for part in (when, description) if part))),
            ("Study UID", text(study.study_instance_uid)),
            ("Record", text(saved)),
            ("Marked by", text(marked)),
            ("Printed", f"{datetime.now().astimezone():%Y-%m-%d %H:%M %Z}"),
        ]
        rows = [[self._p(name, 8, colour=_GREY), self._p(value, 8)] for name, value in facts]
        grid = PdfTable(rows, colWidths=[20 * mm, self._width - 20 * mm], hAlign="LEFT")
        grid.setStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), *_padding(0, 0.6)])
        head: list[Flowable] = [
            self._p("Injection plan", 16, bold=True),
            Spacer(1, 1.5 * mm),
            self._p(SCOPE, 8, colour=_GREY),
            Spacer(1, 2 * mm),
            grid,
        ]
        head.extend(
            self._p("Conflict to be settled: " + text(conflict), 8, colour=_ALERT, bold=True)
            for conflict in record.conflicts
        )
        head.append(Spacer(1, 3 * mm))
        return head

    def _table(self, available: float) -> Flowable:
        targets = sorted(self._record.targets, key=lambda t: t.order)
        if not targets:
            return self._p("There are no targets in this record.", 10)
        header = [self._p(title, 8, bold=True) for title in _TITLES]
        share = (available - 14 * mm) / len(targets) / mm - 3
        smallest, largest = _PICTURE_MM
        height = min(share, largest) if share >= smallest else 22.0
        rows = [header, *(self._row(target, height * mm) for target in targets)]
        scale = self._width / (sum(_COLUMNS_MM) * mm)
        table = LongTable(rows, colWidths=[w * mm * scale for w in _COLUMNS_MM], repeatRows=1, hAlign="LEFT")
        table.setStyle(
            [
                ("GRID", (0, 0), (-1, -1), 0.5, _LINE),
                ("BACKGROUND", (0, 0), (-1, 0), _HEAD),
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
                ("VALIGN", (2, 1), (5, -1), "TOP"),
                *_padding(1.2, 1.2),
            ]
        )
        return table

    def _row(self, target: InjectionTarget, height: float) -> list[Flowable | list[Flowable] | str]:
        clip = self._clips.get(target.sop_instance_uid)
        return [
            self._p(str(target.order), 11, bold=True, align=1),
            self._picture(clip, target, height),
            self._place(clip, target),
            self._number(target.depth_mm, target.depth_source),
            self._number(target.diameter_mm, target.diameter_source),
            self._notes(target),
            "",
            "",
        ]

    def _picture(self, clip: Clip | None, target: InjectionTarget, height: float) -> Flowable:
        if clip is None:
            return self._p("no picture: its clip is not among these files", 7, colour=_GREY)
        try:
            rgb = target_picture(clip, target, aspect=_ASPECT)
        except VeinscanError as error:
            return self._p(self._type.markup(f"no picture: {error.what}"), 7, colour=_GREY)
        return Image(io.BytesIO(encode(rgb, ".jpg")), width=height * _ASPECT, height=height)

    def _place(self, clip: Clip | None, target: InjectionTarget) -> Flowable:
        side = "side unknown" if target.side is Side.UNKNOWN else target.side.value.upper()
        vein = "vein unknown" if target.vein in ("", "unknown") else target.vein
        lines = [
            f'<font name="{BOLD}" size="9">{side}</font>',
            f'<font size="9">{self._type.markup(vein)}</font>',
        ]
        if target.status is not TargetStatus.PLANNED:
            lines.append(f'<font name="{BOLD}">{target.status.value}</font>')
        where = f"{clip.file if clip else 'clip not found'}, frame\u00a0{target.frame_index}"
        lines.append(f'<font size="6" color="#555555">{self._type.markup(where)}</font>')
        return self._p("<br/>".join(lines), 8)

    def _number(self, value: float | None, source: ValueSource | None) -> Flowable | list[Flowable]:
        if value is None:
            return self._p("not measured", 6.5, colour=_GREY)
        number = self._p(f"{value:.1f}", 10)
        return [number, self._p(_SOURCES[source], 6, colour=_GREY)] if source is not None else number

    def _notes(self, target: InjectionTarget) -> Flowable:
        parts = []
        if target.length_mm is not None:
            parts.append(f"visible course {target.length_mm:.0f} mm")
        if target.artery_checked is not Checked.UNKNOWN:
            parts.append(f"artery checked at planning: {target.artery_checked.value}")
        notes = target.notes.strip()
        if len(notes) > _NOTE_LENGTH or notes.count("\n") > 4:
            self._long_notes.append((target.order, notes))
            start = " ".join(notes[:_NOTE_LENGTH].split("\n")[:3])
            notes = f"{start} … (in full below the table)"
        if notes:
            parts.append(notes)
        return self._p(self._type.markup("\n".join(parts)), 7.5)

    def _tail(self) -> list[Flowable]:
        tail: list[Flowable] = [Spacer(1, 2 * mm)]
        for order, notes in self._long_notes:
            tail.append(self._p(f"Notes on target {order}", 8, bold=True))
            tail.extend(self._p(self._type.markup(part) or "&nbsp;", 8) for part in notes.split("\n"))
            tail.append(Spacer(1, 2 * mm))
        said = ["Depth: skin to the near wall. Diameter: inner. Frames count from 0.", *self._type.notes()]
        tail.append(self._p(" ".join(said), 6.5, colour=_GREY))
        return tail


def _padding(across: float, along: float) -> Sequence[tuple[Any, ...]]:
    every = ((0, 0), (-1, -1))
    return [
        ("LEFTPADDING", *every, across * mm),
        ("RIGHTPADDING", *every, across * mm),
        ("TOPPADDING", *every, along * mm),
        ("BOTTOMPADDING", *every, along * mm),
    ]


def _date(value: str) -> str:
    """DICOM's '20261122' as '2026-11-22'; anything else as it stands."""
    value = value.strip()
    return f"{value[:4]}-{value[4:6]}-{value[6:]}" if len(value) == 8 and value.isdigit() else value
