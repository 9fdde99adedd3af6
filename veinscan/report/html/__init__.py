"""A `Sheet` as one page for a tablet that needs nothing from elsewhere."""

from veinscan.report.html.page import html_of

__all__ = ["html_of"]
