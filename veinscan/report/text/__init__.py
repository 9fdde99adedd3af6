"""Text of any script on a PDF page: fonts that are embedded, reading direction, joined letters."""

from veinscan.report.text.faces import BOLD, REGULAR
from veinscan.report.text.typesetter import Typesetter

__all__ = ["BOLD", "REGULAR", "Typesetter"]
