"""The document: pages put together, reproducible to the byte."""

# reportlab has no types
# mypy: allow-untyped-calls
from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from reportlab import rl_config
from reportlab.lib.pagesizes import A4, letter
from reportlab.lib.units import mm
from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate
from reportlab.platypus.flowables import Flowable, PageBreak

import veinscan
from veinscan.errors import InvalidInputError
from veinscan.report.pdf.canvas import PageCanvas, foot_height, mark_page
from veinscan.report.pdf.first_page import first_page
from veinscan.report.pdf.style import GREY, MARGIN
from veinscan.report.pdf.target_pages import last_part, target_block, visit_block
from veinscan.report.sheet import Sheet
from veinscan.report.text import REGULAR, Typesetter

_FOOT_LENGTH = 480
"""Characters of a line in the foot: three UIDs and more."""

PAGE_SIZES = {"a4": A4, "letter": letter}


def pdf_of(sheet: Sheet, *, page_size: str = "A4") -> tuple[bytes, int]:
    """The bytes of the PDF and its number of pages; the same bytes for the same sheet.

    Raises InvalidInputError for a page size that is not 'A4' or 'letter'.
    """
    if page_size.lower() not in PAGE_SIZES:
        raise InvalidInputError(
            f"there is no page size '{page_size}'", where="page_size", do="use 'A4' or 'letter'"
        )
    size = PAGE_SIZES[page_size.lower()]
    typesetter = Typesetter(sheet.texts())
    width = size[0] - 2 * MARGIN
    foot = _foot(typesetter, sheet)
    bottom = MARGIN + foot_height(foot, size[0]) + 1.5 * mm
    height = size[1] - MARGIN - bottom
    front = first_page(typesetter, sheet, width, height)
    story: list[Flowable] = [*front.story]
    if sheet.visits or sheet.targets:
        story.append(PageBreak())
    for visit in sheet.visits:
        story += visit_block(typesetter, visit, width)
    for target in sheet.targets:
        story += target_block(typesetter, target, width)
    story += last_part(typesetter, sheet, width, with_warnings=not front.warnings_told)
    canvases: list[PageCanvas] = []

    def make_canvas(*args: Any, **kwargs: Any) -> PageCanvas:
        canvases.append(PageCanvas(*args, foot=foot, **kwargs))
        return canvases[-1]

    stream = io.BytesIO()
    document = BaseDocTemplate(
        stream,
        pagesize=size,
        title=sheet.title,
        author="veinscan",
        creator=f"veinscan {veinscan.__version__}",
        lang="en",
        initialFontName=REGULAR,
        # no time of the clock and no chance in the file: when it was made stands on its pages
        invariant=1,
    )
    frame = Frame(MARGIN, bottom, width, height, leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0)
    template = PageTemplate(frames=[frame], onPage=lambda canvas, _: mark_page(canvas, size, sheet.mark))
    document.addPageTemplates([template])
    with _binary_streams():
        document.build(story, canvasmaker=make_canvas)
    return stream.getvalue(), canvases[-1].pages


@contextmanager
def _binary_streams() -> Iterator[None]:
    """Pictures and fonts as bytes: reportlab writes them as text by default, a quarter longer."""
    config: Any = rl_config
    before = config.useA85
    config.useA85 = 0
    try:
        yield
    finally:
        config.useA85 = before


def _foot(typesetter: Typesetter, sheet: Sheet) -> list[Flowable]:
    """Whose the page is a little larger than the rest."""
    first, *others = sheet.foot
    return [
        typesetter.cell(first, 7.5),
        *(typesetter.cell(line, 6, colour=GREY, limit=_FOOT_LENGTH) for line in others),
    ]
