"""What lies over the picture: candidates, what is chosen, targets, calipers; as napari's lines and points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from napari.layers import Layer, Points, Vectors

from napari_veinscan.calipers import points_of, value_words
from napari_veinscan.layer_parts import Place, line_layer, point_layer, set_lines, set_points
from napari_veinscan.lines import Segments, beside, cross, line_segments
from napari_veinscan.palette import STYLES, Look, look_of
from napari_veinscan.rows import Row
from napari_veinscan.session import Session
from veinscan.plan.measuring import measurements_of
from veinscan.plan.model import InjectionTarget, Point


class Marks:
    """Keeps the lines and points over one viewer's clip in step with its session.

    `place` puts a layer into the viewer when it first holds something.
    """

    def __init__(self, session: Session, place: Callable[[Layer], None]) -> None:
        self._session = session
        self._place = place
        self._lines: dict[str, Vectors] = {}
        self._points: dict[str, Points] = {}
        self.width = 1.0
        """Width of an outline in pixels of the clip."""
        self.more: Callable[[], list[tuple[Place, str, Look]]] = list
        """Marks of the clip on show that are no targets of its record."""
        self._drawn: tuple[Any, ...] | None = None
        self._pieces: dict[tuple[int, Look], tuple[Any, Segments, Place | None]] = {}
        """Outline, its dashes and the place of its number, by the outline's identity and its look."""
        self._drawn_rows: list[Row] = []
        """The candidates that are drawn, and what of them is."""
        session.candidates_changed.connect(self.show_candidates)
        session.selection_changed.connect(self.show_selection)
        session.record_changed.connect(self.show_targets)

    @property
    def layers(self) -> list[Layer]:
        """Lines and points, from the lowest up, in the viewer or not yet."""
        return [*self._lines.values(), *self._points.values()]

    def clear(self) -> None:
        """Let go of the layers, which the caller has taken out of the viewer."""
        self._lines, self._points = {}, {}
        self._drawn = None

    def prepare(self, geometry: dict[str, Any], width: float) -> None:
        """Make the layers, empty and in the clip's geometry, or give it to those that are there."""
        self.width = width
        if not self._lines:
            self._lines = {name: line_layer(name, geometry) for name in ("chosen", "outlines", "caliper")}
            names = ("candidates", "targets", "measured")
            self._points = {name: point_layer(name, geometry) for name in names}
            reading: Any = self._points["measured"].text
            # beside the end of the line, in its colour: a reading must not hide what was measured
            reading.anchor, reading.color = "upper_left", STYLES[Look.MEASURE].colour
        for layer in self.layers:
            layer.scale = geometry["scale"]
        self._pieces.clear()
        for name, widths in (("chosen", 3.0), ("outlines", 1.0), ("caliper", 1.0)):
            self._lines[name].edge_width = widths * width
        self.show_caliper([])

    def _draw_lines(self, name: str, pieces: Sequence[tuple[Segments, Look]]) -> None:
        if pieces:
            self._place(self._lines[name])
        set_lines(self._lines[name], pieces)

    def _draw_points(self, name: str, marks: Sequence[tuple[Place, str, Look]], size: float) -> None:
        if marks:
            self._place(self._points[name])
        set_points(self._points[name], marks, size)

    def show_candidates(self) -> None:
        """Draw the candidates of the clip on show."""
        if not self._lines:
            return
        rows = self._session.rows()
        # what is drawn hangs on these alone; an edit of a target changes none of them
        drawn = (self.width, [_drawing_of(row) for row in rows])
        if drawn == self._drawn:
            return
        self._drawn, self._drawn_rows = drawn, rows  # the rows are held, or an id could be given again
        pieces: list[tuple[Segments, Look]] = []
        marks: list[tuple[Place, str, Look]] = []
        for row in rows:
            look = look_of(row.review)
            for frame, outline in row.candidate.outlines.items():
                known = self._pieces.get((id(outline), look))
                if known is None:
                    piece = line_segments(outline, frame, STYLES[look].dash)
                    place = (float(frame), *beside(outline, 5 * self.width)) if len(outline) else None
                    known = self._pieces[id(outline), look] = (outline, piece, place)
                _, piece, place = known
                pieces.append((piece, look))
                if place is not None:
                    marks.append((place, str(row.candidate.rank), look))
        self._draw_lines("outlines", pieces)
        self._draw_points("candidates", marks, 6 * self.width)

    def show_selection(self) -> None:
        """Draw what is chosen."""
        if not self._lines:
            return
        pieces: list[Segments] = []
        row, spot = self._session.selected, self._session.spot
        if row is not None:
            pieces = [line_segments(line, frame, (1, 0)) for frame, line in row.candidate.outlines.items()]
        elif spot is not None:
            pieces = [cross(spot, self._session.frame_index, 8 * self.width)]
        self._draw_lines("chosen", [(piece, Look.SELECTED) for piece in pieces])
        self.show_targets()

    def show_targets(self) -> None:
        """Draw the targets of the clip on show."""
        clip, record = self._session.clip, self._session.record
        if not self._points or clip is None or record is None:
            return
        here = [t for t in record.targets if t.sop_instance_uid == clip.sop_instance_uid]
        chosen = self._session.target_id
        marks = [
            ((float(t.frame_index), *t.point), target_label(t, t.id == chosen), Look.TARGET) for t in here
        ]
        self._draw_points("targets", [*marks, *self.more()], 11 * self.width)

    def show_caliper(self, points: Sequence[Point], text: str = "") -> None:
        """Draw a caliper of no, one or two points with its reading on the shown frame, and those kept."""
        clip, record = self._session.clip, self._session.record
        if not self._lines or clip is None:
            return
        here = () if record is None else measurements_of(record, clip)
        all_of = [(one.frame_index, points_of(one), value_words(one)) for one in here]
        all_of.append((self._session.frame_index, list(points), text))
        pieces, marks = [], []
        for frame, places, words in all_of:
            pieces += [cross(point, frame, 5 * self.width) for point in places]
            if len(places) == 2:
                pieces.append(line_segments(places, frame, (1, 0), closed=False))
            if words and places:
                marks.append(((float(frame), *places[-1]), words, Look.MEASURE))
        self._draw_lines("caliper", [(piece, Look.MEASURE) for piece in pieces])
        self._draw_points("measured", marks, 6 * self.width)


def _drawing_of(row: Row) -> tuple[object, ...]:
    """What a candidate's outlines and numbers look like; arrays by identity: nothing writes into them."""
    return row.candidate.rank, look_of(row.review), *map(id, row.candidate.outlines.values())


def target_label(target: InjectionTarget, chosen: bool) -> str:
    """What stands beside a target in the picture."""
    return f"▸T{target.order}" if chosen else f"T{target.order}"
