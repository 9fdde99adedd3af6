"""What a report says, as plain values: the PDF and the HTML page are two ways to show the same `Sheet`."""

from veinscan.report.sheet.build import make_sheet
from veinscan.report.sheet.model import SCOPE, Row, Sheet, Shot, Table, TargetSheet, Visit, WarningLine

__all__ = ["SCOPE", "Row", "Sheet", "Shot", "Table", "TargetSheet", "Visit", "WarningLine", "make_sheet"]
