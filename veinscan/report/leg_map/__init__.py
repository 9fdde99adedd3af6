"""The leg map: a drawn leg from four sides, left and right, with the numbered targets on it.

`marks` says where the targets of a record lie, `panels` how the drawings are
laid out, `Drawing` holds the lines of one; `svg` and `pdf` paint them.  The
window paints the same lines.  A place is `(row, col)` in 0..1 of one drawing.
"""

from veinscan.report.leg_map.drawing import Drawing, Line, LineKind, drawing
from veinscan.report.leg_map.layout import Panel, panels, spread
from veinscan.report.leg_map.places import LegMap, MapMark, landmark_points, leg_map, place
from veinscan.report.leg_map.svg import to_svg

__all__ = [
    "Drawing",
    "LegMap",
    "Line",
    "LineKind",
    "MapMark",
    "Panel",
    "drawing",
    "landmark_points",
    "leg_map",
    "panels",
    "place",
    "spread",
    "to_svg",
]
