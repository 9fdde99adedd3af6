"""Calipers: kept in the record with frame and scale, refusals with the reason, the list in the window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from napari_veinscan.calipers import Calipers, Tool
from napari_veinscan.session import Session, read_study
from veinscan.errors import VeinscanError
from veinscan.plan import editing
from veinscan.plan.finalise import finalise
from veinscan.plan.model import Reader, ValueSource


def duplex_of(study: Any) -> Any:
    return next(clip for clip in study.clips if clip.kind == "duplex")


@pytest.fixture
def session(sample_study_dir: Path) -> Any:
    found: Any = Session(Reader(name="Reader One"))
    found.show_study(*read_study(sample_study_dir))
    return found


@pytest.fixture
def calipers(session: Any) -> Any:
    found: Any = Calipers(session)
    found.errors = []
    found.failed.connect(found.errors.append)
    return found


def use(calipers: Calipers, tool: Tool, *points: tuple[float, float], onto_target: bool = False) -> None:
    calipers.take(tool, onto_target=onto_target)
    for point in points:
        assert calipers.prompt
        assert calipers.click(point)
    assert calipers.tool is None, "the tool is put away after the last click"


def test_every_tool_is_kept_with_frame_region_and_who(session: Any, calipers: Any) -> None:
    clip = duplex_of(session.study)
    session.show_clip(clip, 0)
    picture, strip = clip.picture_region, next(region for region in clip.regions if region.is_spectrum)
    row, col = picture.box[0] + 60.0, picture.box[1] + 40.0
    use(calipers, Tool.DISTANCE, (row, col), (row + 30, col + 40))
    use(calipers, Tool.DIAMETER, (row, col), (row + 20, col))
    use(calipers, Tool.FROM_SKIN, (row, col))
    low, left = strip.baseline_row - 20.0, strip.box[1] + 50.0
    use(calipers, Tool.TIME, (low, left), (low, left + 100))
    use(calipers, Tool.VELOCITY, (low, left))
    assert calipers.errors == []
    kept = {str(one.kind): one for one in calipers.kept}
    row_mm, col_mm = picture.spacing_mm
    assert kept["distance"].value == pytest.approx(((30 * row_mm) ** 2 + (40 * col_mm) ** 2) ** 0.5)
    assert kept["diameter"].value == pytest.approx(20 * row_mm)
    assert kept["depth"].value == pytest.approx(editing.depth_mm(clip, (row, col)))
    assert kept["depth"].point_a[1] == col, "straight down"
    assert kept["time"].value == pytest.approx(100 * strip.time_step_s)
    assert kept["velocity"].value == pytest.approx(20 * strip.velocity_step_cm_s)
    for name, one in kept.items():
        assert (one.sop_instance_uid, one.frame_index, one.set_by) == (clip.sop_instance_uid, 0, "Reader One")
        scale = one.strip if name in ("time", "velocity") else one.calibration
        assert scale.box == (strip if name in ("time", "velocity") else picture).box
    assert calipers.reading == f"{kept['velocity'].value:.1f} cm/s"

    session.undo()  # each is one edit
    assert [str(one.kind) for one in calipers.kept] == ["distance", "diameter", "depth", "time"]
    assert calipers.reading == "", "a reading that was taken back is not shown on"
    calipers.note(calipers.kept[0], "beside the nerve")
    calipers.remove(calipers.kept[1])
    assert [one.notes for one in calipers.kept] == ["beside the nerve", "", ""]
    session.show_clip(session.study.clips[0])
    assert calipers.kept == ()


def test_across_regions_each_tool_refuses_and_says_why(session: Any, calipers: Any) -> None:
    clip = duplex_of(session.study)
    session.show_clip(clip)
    strip = next(region for region in clip.regions if region.is_spectrum)
    (above, left, *_), (top, side, *_) = clip.picture_region.box, strip.box
    picture, on_strip = (above + 50.0, left + 50.0), (top + 50.0, side + 50.0)
    for tool, points, reason in (
        (Tool.DISTANCE, (picture, on_strip), "different regions of the screen: one on the"),
        (Tool.TIME, (on_strip, picture), "different regions of the screen: one on a spectral strip"),
        (Tool.DIAMETER, (on_strip, (top + 60.0, side + 50.0)), "measure time or velocity there"),
        (Tool.VELOCITY, (picture,), "measure times and velocities on a strip"),
        (Tool.FROM_SKIN, (on_strip,), "measure a depth on the picture"),
    ):
        use(calipers, tool, *points)
        assert reason in str(calipers.errors[-1])
        assert calipers.reading == "" and calipers.points == []
    assert len(calipers.errors) == 5
    assert not session.is_dirty


def test_for_a_target_one_edit_fills_it_and_keeps_the_caliper(session: Any, calipers: Any) -> None:
    clip = session.clip
    row, col = clip.picture_region.box[0] + 60.0, clip.picture_region.box[1] + 60.0
    session.point_at((row, col))
    made = session.make_target()
    before = session.record
    use(calipers, Tool.DIAMETER, (row, col), (row, col + 31), onto_target=False)
    assert session.target.diameter_mm == made.diameter_mm, "a measurement beside does not touch the target"
    use(calipers, Tool.DIAMETER, (row, col), (row, col + 31), onto_target=True)
    assert session.target.diameter_mm == round(31 * clip.spacing_mm[1], 1)
    assert session.target.diameter_source is ValueSource.CALIPER
    assert len(calipers.kept) == 2
    session.undo()
    session.undo()
    assert session.record == before


def test_a_final_record_is_measured_on_and_left_as_it_is(session: Any, calipers: Any) -> None:
    session.sign("final", lambda record: finalise(record, session.reader))
    row, col = session.clip.picture_region.box[0] + 60.0, session.clip.picture_region.box[1] + 60.0
    use(calipers, Tool.DISTANCE, (row, col), (row, col + 10))
    assert calipers.reading == f"{10 * session.clip.spacing_mm[1]:.1f} mm"
    assert len(calipers.points) == 2, "what was measured is shown all the same"
    assert isinstance(calipers.errors[-1], VeinscanError)
    assert "final" in str(calipers.errors[-1])
    assert calipers.kept == ()


@pytest.mark.gui
def test_measured_by_key_listed_shown_on_its_frame_saved_and_taken_away(
    open_window: Callable[..., Any], sample_study_dir: Path
) -> None:
    person = open_window(sample_study_dir)
    group = person.targets_dock.measurements
    box = person.session.clip.picture_region.box
    a, b = (box[0] + 80.0, box[1] + 120.0), (box[0] + 140.0, box[1] + 220.0)
    person.session.go_to_frame(2)
    person.press("M")
    person.click_picture(a)
    person.click_picture(b)
    person.press("K")
    person.click_picture(b)
    assert [str(one.kind) for one in person.bench.calipers.kept] == ["distance", "depth"]
    assert [one.frame_index for one in person.bench.calipers.kept] == [2, 2]
    assert group.list.count() == 2
    assert "2 on this clip" in group.head.text()
    marks = next(layer for layer in person.viewer.layers if layer.name == "measured")
    assert [place[0] for place in marks.data] == [2, 2]
    distance = person.bench.calipers.kept[0]
    assert f"{distance.value:.1f} mm" in list(marks.features["label"])

    person.bench.show_dock("targets")
    group.head.setChecked(True)
    person.session.go_to_frame(0)
    group.list.setCurrentRow(0)
    person.click(group.go_to)
    assert person.session.frame_index == 2
    person.press("Ctrl+S")
    _, saved = read_study(sample_study_dir)
    assert saved.measurements == person.session.record.measurements
    person.click(group.remove)
    assert [str(one.kind) for one in person.bench.calipers.kept] == ["depth"]
    person.press("Ctrl+Z")
    assert group.list.count() == 2
