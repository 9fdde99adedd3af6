"""A clip without scale is calibrated by a person: two clicks a known distance apart, or the proposal taken.

What is set goes into the record, from where it is put onto the clip again
whenever the study is opened (`Session` does that); undo takes it off.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QInputDialog, QMessageBox

from napari_veinscan.prompt import Prompt
from veinscan.dicom import Clip
from veinscan.errors import CalibrationError, InvalidInputError
from veinscan.plan.clips import set_calibration
from veinscan.plan.model import Point, Record
from veinscan.plan.values import number

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench

PROMPTS = (
    "Calibrate: click the first of two points whose distance you know (the depth scale, for example)",
    "Calibrate: click the second point",
)


class CalibrationTool:
    """Two clicks and a distance."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._points: list[Point] = []
        self.is_in_hand = False
        bench.tools.insert(0, self)
        bench.session.clip_changed.connect(self.put_away)

    def take(self) -> None:
        """Ask for the first click."""
        self._points, self.is_in_hand = [], True
        self._bench.part(Prompt).say(PROMPTS[0])

    def put_away(self) -> bool:
        """Let go of it; whether it was in hand."""
        was = self.is_in_hand
        self._points, self.is_in_hand = [], False
        if was:
            self._bench.layers.marks.show_caliper([])
            self._bench.part(Prompt).say("")
        return was

    def click(self, point: Point) -> bool:
        """Take a click while in hand."""
        if not self.is_in_hand:
            return False
        self._points.append(point)
        self._bench.layers.marks.show_caliper(self._points)
        if len(self._points) == 1:
            self._bench.part(Prompt).say(PROMPTS[1])
        else:
            points = self._points[:2]
            self._bench.part(Prompt).say("")
            self._ask(points)
            self.put_away()
        return True

    def hover(self, point: Point) -> None:
        """Show the line from the first point to the mouse."""
        if self.is_in_hand and len(self._points) == 1:
            self._bench.layers.marks.show_caliper([self._points[0], point])

    def _ask(self, points: list[Point]) -> None:
        text, given = QInputDialog.getText(
            self._bench.window, "Calibrate", "Distance of the two points in mm (10 mm is 1 cm):"
        )
        clip = self._bench.session.clip
        if not given or clip is None:
            return

        def known() -> None:
            known_mm = number("known_mm", text.strip().replace(",", ".").removesuffix("mm").strip())
            if known_mm is None:
                raise InvalidInputError("no distance was given", do="type it in mm, such as 10")
            by = self._bench.session.reader.name
            calibrate(self._bench, clip, clip.calibrated(by=by, points=points, known_mm=known_mm))

        self._bench.attempt(known)


def calibrate_by_distance(bench: Workbench) -> None:
    """Start to calibrate the clip on show with two clicks."""
    if bench.session.clip is None:
        bench.warn(InvalidInputError("no clip is open", do="open a study first"))
    elif bench.attempt(bench.session.editable_record):
        bench.part(CalibrationTool).take()


def take_proposed(bench: Workbench) -> None:
    """Take the scale that the burned-in ticks suggest, once a person has said that it is right."""
    clip = bench.session.clip
    if clip is None or not bench.attempt(bench.session.editable_record):
        return
    proposal = clip.proposed_calibration
    if proposal is None:
        why = "it is calibrated already" if clip.spacing_mm else "no depth scale was found in the picture"
        bench.warn(
            CalibrationError(
                f"there is no proposed calibration: {why}", do="click two points a known distance apart"
            )
        )
        return
    box = QMessageBox(bench.window)
    box.setWindowTitle("Proposed calibration")
    box.setText(proposal.sentence)
    box.setInformativeText("Compare it with the depth scale in the picture. Is it right?")
    box.setStandardButtons(QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.No)
    box.setDefaultButton(QMessageBox.StandardButton.No)
    if box.exec() == QMessageBox.StandardButton.Yes:
        by = bench.session.reader.name
        bench.attempt(lambda: calibrate(bench, clip, clip.calibrated(by=by, take_proposal=True)))


def calibrate(bench: Workbench, clip: Clip, calibrated: Clip) -> None:
    """Put the calibration that `calibrated` has and `clip` has not into the record."""
    manual = next(one for one in calibrated.manual_calibrations if one not in clip.manual_calibrations)
    change: Callable[[Record], Record]
    if manual.points is not None and manual.known_mm is not None:
        (a, b), known = manual.points, manual.known_mm
    else:
        # the record keeps a calibration as two points: here the upper and lower end of the picture
        row0, col0, row1, _ = manual.box
        a, b = (float(row0), float(col0)), (float(row1 - 1), float(col0))
        known = (row1 - 1 - row0) * manual.spacing_mm[0]
    change = partial(
        set_calibration,
        clip=clip,
        reader=bench.session.reader,
        box=manual.box,
        spacing_mm=manual.spacing_mm,
        point_a=a,
        point_b=b,
        known_mm=known,
    )
    how = "proposal taken" if manual.from_proposal else "by a known distance"
    bench.session.edit(f"calibration of a clip: {how}", change)
