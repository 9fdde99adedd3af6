"""A `Sheet` as a PDF: the page for the procedure room, then the pages of the targets."""

from veinscan.report.pdf.document import PAGE_SIZES, pdf_of

__all__ = ["PAGE_SIZES", "pdf_of"]
