"""The reflux tool: measured, marks moved by hand, polarity confirmed, put on a target; in a real window."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from napari_veinscan.reflux_tool import RefluxTool
from napari_veinscan.session import Session, read_study
from veinscan.errors import CalibrationError, InvalidInputError
from veinscan.plan import editing
from veinscan.plan.model import Reader
from veinscan.plan.vocabulary import FlowSource, Manoeuvre, Polarity


def duplex_of(study: Any) -> Any:
    return next(clip for clip in study.clips if clip.kind == "duplex")


@pytest.fixture
def tool(sample_study_dir: Path) -> Any:
    """The tool on the sample's duplex clip, with a target chosen; no window."""
    session: Any = Session(Reader(name="Reader One"))
    session.show_study(*read_study(sample_study_dir))
    session.show_clip(duplex_of(session.study))
    made = editing.target_on_map(session.reader, level="calf_mid", side="right", vein="GSV")
    session.edit("a target", lambda record: editing.add_target(record, made))
    session.select_target(session.record.targets[0].id)
    found = RefluxTool(session, "svs_avf_avls_2022")
    found.show(True)
    return found


@pytest.fixture
def truth_s(sample_study_dir: Path) -> float:
    clips = json.loads((sample_study_dir / "truth.json").read_text())["clips"]
    return float(next(c["doppler"]["reflux_s"] for c in clips if "reflux_s" in (c["doppler"] or {})))


def test_measured_and_kept_with_what_was_measured(tool: Any, truth_s: float) -> None:
    session = tool._session
    assert tool.chosen.reflux_s == pytest.approx(truth_s, abs=0.05)
    assert "Reflux 1." in tool.words()
    assert "reflux by" in tool.words().lower()
    tool.put()
    (value,) = session.target.reflux
    assert value.reflux_s == pytest.approx(truth_s, abs=0.05)
    assert (value.source, value.polarity_confirmed) == (FlowSource.MEASURED, False)

    onset, end = tool.marks_s
    tool.move(end_s=end - 0.3)
    tool.confirm("up")
    assert tool.chosen.is_corrected, "the mark was lost when the polarity was confirmed"
    tool.put()
    (value,) = session.target.reflux
    assert value.reflux_s == pytest.approx(end - 0.3 - onset, abs=0.01)
    assert value.measured_reflux_s == pytest.approx(end - onset, abs=0.01)
    assert (value.source, value.corrected_by) == (FlowSource.CORRECTED, "Reader One")
    assert (value.antegrade, value.polarity_confirmed) == (Polarity.UP, True)
    session.undo()
    assert session.target.reflux[0].source is FlowSource.MEASURED

    tool.reset_marks()
    assert tool.marks_s == pytest.approx((onset, end))
    assert not tool.chosen.is_corrected


def test_refusals_leave_the_marks(tool: Any) -> None:
    before = tool.marks_s
    for wrong in ({"end_s": before[0] - 0.2}, {"end_s": 99.0}, {"onset_s": -3.0}):
        with pytest.raises(InvalidInputError):
            tool.move(**wrong)
        assert tool.marks_s == before
    with pytest.raises(InvalidInputError, match="antegrade is up or down"):
        tool.set_manoeuvre("valsalva")
    tool._session.select_target(None)
    with pytest.raises(InvalidInputError, match="no target"):
        tool.put()


def test_other_polarity_and_valsalva_measure_anew(tool: Any) -> None:
    tool.confirm("down")
    assert tool.chosen.antegrade == "down"
    tool.confirm("up")
    tool.set_manoeuvre("valsalva")
    assert tool.chosen.manoeuvre == "valsalva"
    assert tool.chosen.adequate
    tool.put()
    assert tool._session.target.reflux[0].manoeuvre is Manoeuvre.VALSALVA


def test_a_strip_without_axes_gives_no_number_until_two_clicks(
    tool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = tool._session
    known, box = tool.now.strip.axes, tool.now.strip.axes.box
    expected = tool.chosen.reflux_s
    monkeypatch.setattr("napari_veinscan.reflux_tool.spectral_regions", lambda _clip: ())
    monkeypatch.setattr("veinscan.doppler.by_hand.spectral_regions", lambda _clip: ())
    tool._read.clear()
    tool.show(True)
    assert tool.now is None
    assert isinstance(tool.problem, CalibrationError)
    assert "two clicks" in tool.words()

    def at(row: float, col: float) -> tuple[tuple[float, float], tuple[float, float]]:
        return (row, col), (known.value(row), (col - box[1]) * known.time_step_s)

    (first, first_value), (second, second_value) = at(box[0] + 10, box[1] + 20), at(box[2] - 10, box[3] - 20)
    tool.calibrate(box, first, first_value, second, second_value)
    assert tool.chosen.reflux_s == pytest.approx(expected, abs=0.02)
    assert tool.chosen.calibration == "clicks"
    assert session.record.strip_calibrations[0].set_by == "Reader One"
    session.undo()
    assert tool.now is None, "the number stayed when its calibration was undone"


@pytest.mark.gui
def test_in_the_window_by_key_mouse_and_hand(open_window: Callable[..., Any], sample_study_dir: Path) -> None:
    person = open_window(sample_study_dir)
    session = person.session
    session.show_clip(duplex_of(session.study))
    made = editing.target_on_map(session.reader, level="calf_mid", side="right", vein="GSV")
    session.edit("a target", lambda record: editing.add_target(record, made))
    session.select_target(session.record.targets[0].id)
    person.press("X")
    person.qtbot.wait(50)
    dock = person.bench.docks["reflux"]
    assert dock.isVisible()
    tool = dock.tool
    onset, end = tool.marks_s
    assert dock.end.edit.text() == f"{end:.2f}"
    assert "unconfirmed" in dock.polarity.text()
    layer = person.viewer.layers["reflux"]
    assert layer.visible
    assert len(layer.data) > 100, "no curve was drawn over the strip"

    strip = tool.now.strip
    row = (strip.axes.box[0] + strip.axes.box[2]) / 2
    centre = tuple(person.viewer.scene.camera.center)
    person.drag((row, strip.column_at(end)), (row, strip.column_at(end - 0.4)))
    assert tool.marks_s[1] == pytest.approx(end - 0.4, abs=0.05)
    assert tool.marks_s[0] == pytest.approx(onset)
    assert tuple(person.viewer.scene.camera.center) == centre, "the picture moved with the mark"

    dock.onset.edit.setFocus()
    dock.onset.edit.selectAll()
    person.qtbot.keyClicks(dock.onset.edit, f"{onset + 0.1:.2f}".replace(".", ",") + "\r")
    assert tool.marks_s[0] == pytest.approx(onset + 0.1, abs=0.006)
    person.canvas.setFocus()
    person.press("Ctrl+Up")
    assert dock.polarity.text() == "confirmed"
    person.click(dock.put)
    (value,) = session.target.reflux
    assert value.reflux_s == pytest.approx(end - 0.4 - onset - 0.1, abs=0.06)
    form = person.targets_dock.form
    assert "corrected" in form.flow.layout().itemAt(0).widget().layout().itemAt(0).widget().text()
    # hidden, nothing is left over the picture
    person.bench.show_dock("targets")
    person.qtbot.waitUntil(lambda: not tool.is_on, timeout=3000)
    assert not person.viewer.layers["reflux"].visible
