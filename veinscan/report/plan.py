"""The plan on paper: the targets in order, on one page wherever they fit.

It prints what the record holds and nothing else.  What a person fills in on
the day ('given', 'artery checked') is left blank, whatever the record says.
"""

# reportlab has no types
# mypy: allow-untyped-calls
from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportlab.lib.pagesizes import A4, letter
from reportlab.lib.units import mm
from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate
from reportlab.platypus import Table as PdfTable
from reportlab.platypus.flowables import Flowable, Spacer

import veinscan
from veinscan.errors import InvalidInputError, NotSavedError
from veinscan.plan import thresholds
from veinscan.plan.checks import CheckLevel, check_record
from veinscan.plan.model import Record, Side
from veinscan.plan.planned import planned_sum
from veinscan.report.canvas import PageCanvas, page_marks
from veinscan.report.files import write_whole
from veinscan.report.fonts import BOLD, Typesetter
from veinscan.report.leg_map import LegMap, leg_map
from veinscan.report.leg_map.pdf import LegMapFlowable
from veinscan.report.paper import ALERT, GREY, MARGIN, SCOPE, padding, paragraph
from veinscan.report.target_rows import LEAST_ROW_MM, TargetRows

if TYPE_CHECKING:
    from veinscan.dicom import Study

_MAP_MM = (32.0, 50.0)
"""Height of the leg map, least and most."""


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
        self._rows = TargetRows(self._type, self._clips, self._width)

    def build(self, stream: io.BytesIO) -> int:
        """Write the PDF and return its number of pages."""
        who = self._patient()
        head = self._head(who)
        frame_height = self._size[1] - 2 * MARGIN - 6 * mm
        taken = sum(flowable.wrap(self._width, frame_height)[1] for flowable in head)
        targets = sorted(self._record.targets, key=lambda t: t.order)
        needed = 14 * mm + len(targets) * LEAST_ROW_MM * mm
        legs = leg_map(self._record)
        sums = self._sums()
        below = sum(flowable.wrap(self._width, frame_height)[1] for flowable in sums) + 12 * mm
        drawn = self._map(legs, frame_height - taken - needed - below)
        taken += sum(flowable.wrap(self._width, frame_height)[1] for flowable in drawn) + below
        table = self._rows.table(targets, frame_height - taken)
        story = [*head, *drawn, table, *sums, *self._tail()]
        footer = f"veinscan {veinscan.__version__}  ·  study {self._study.study_instance_uid}"
        identity = self._type.markup("  ·  ".join(part for part in who[:2] if part))
        canvases: list[PageCanvas] = []

        def make_canvas(*args: Any, **kwargs: Any) -> PageCanvas:
            canvases.append(
                PageCanvas(*args, footer=footer, identity=paragraph(identity, 7.5), scope=SCOPE, **kwargs)
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
        rows = [[paragraph(name, 8, colour=GREY), paragraph(value, 8)] for name, value in facts]
        grid = PdfTable(rows, colWidths=[20 * mm, self._width - 20 * mm], hAlign="LEFT")
        grid.setStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), *padding(0, 0.6)])
        head: list[Flowable] = [
            paragraph("Injection plan", 16, bold=True),
            Spacer(1, 1.5 * mm),
            paragraph(SCOPE, 8, colour=GREY),
            Spacer(1, 2 * mm),
            grid,
        ]
        head.extend(
            paragraph("Conflict to be settled: " + text(conflict), 8, colour=ALERT, bold=True)
            for conflict in record.conflicts
        )
        head.append(Spacer(1, 3 * mm))
        return head

    def _map(self, legs: LegMap, room: float) -> list[Flowable]:
        """The legs that have targets, as large as leaves the table its room; nothing without targets."""
        sides = [side for side in (Side.RIGHT, Side.LEFT) if any(m.side is side for m in legs.marks)]
        parts: list[Flowable] = []
        if sides:
            smallest, largest = _MAP_MM
            height = min(max(room / mm, smallest), largest) * mm
            drawn = LegMapFlowable(legs, self._width, height, sides)
            drawn.hAlign = "CENTER"
            parts += [drawn, Spacer(1, 1 * mm)]
        if any(mark.is_estimated for mark in legs.marks):
            words = "A dashed number stands where the target's words lead to on a drawn leg of 170 cm."
            parts.append(paragraph(words, 6.5, colour=GREY))
        if legs.not_placed:
            missing = "; ".join(f"{order}: {why}" for order, why in legs.not_placed)
            parts.append(paragraph(self._type.markup(f"Not on the leg map: {missing}."), 6.5, colour=GREY))
        return [*parts, Spacer(1, 2 * mm)] if parts else []

    def _sums(self) -> list[Flowable]:
        """What is planned in all beside the label's numbers, and what the checks say."""
        planned = planned_sum(self._record)
        lines = [planned.words(), *planned.limits] if self._record.targets else []
        parts: list[Flowable] = [Spacer(1, 2 * mm)]
        parts += [paragraph(self._type.markup(line), 8 if n == 0 else 7) for n, line in enumerate(lines)]
        for result in check_record(self._record, self._study):
            if result.level is CheckLevel.INFORMATION:
                continue
            said = f"{result.level.value.capitalize()} {result.rule}: {result.sentence}"
            if result.acknowledged_by:
                said += f" (acknowledged by {result.acknowledged_by})"
            parts.append(
                paragraph(self._type.markup(said), 7, colour=GREY if result.acknowledged_by else ALERT)
            )
        return parts

    def _tail(self) -> list[Flowable]:
        tail: list[Flowable] = [Spacer(1, 2 * mm)]
        for order, notes in self._rows.long_notes:
            tail.append(paragraph(f"Notes on target {order}", 8, bold=True))
            tail.extend(paragraph(self._type.markup(part) or "&nbsp;", 8) for part in notes.split("\n"))
            tail.append(Spacer(1, 2 * mm))
        said = [
            "Depth: skin to the near wall. Diameter: inner. Frames count from 0. "
            f"Limits and checks: table of thresholds {thresholds.version()}.",
            *self._type.notes(),
        ]
        tail.append(paragraph(" ".join(said), 6.5, colour=GREY))
        return tail


def _date(value: str) -> str:
    """DICOM's '20261122' as '2026-11-22'; anything else as it stands."""
    value = value.strip()
    return f"{value[:4]}-{value[4:6]}-{value[6:]}" if len(value) == 8 and value.isdigit() else value
