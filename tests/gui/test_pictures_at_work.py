"""Cine, overlays, candidates by hand and export in the real window, by keyboard and mouse."""

from __future__ import annotations

import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

pytestmark = pytest.mark.gui


def seen(person, frames: tuple[int, ...]) -> int:
    """Which of these frames of the clip the canvas shows: the one it is most like in the picture region."""
    clip = person.session.clip
    row0, col0, row1, col1 = clip.picture_region.box
    shot = person.canvas_picture()
    a, b = person.place_of((row0, col0)), person.place_of((row1, col1))
    part = shot[max(0, a.y()) : b.y(), max(0, a.x()) : b.x()].astype(np.uint8)
    size = (200, 160)
    small = cv2.resize(cv2.cvtColor(part, cv2.COLOR_RGB2GRAY), size, interpolation=cv2.INTER_AREA)
    likeness = []
    for frame in frames:
        wanted = cv2.resize(clip.grey(frame)[row0:row1, col0:col1], size, interpolation=cv2.INTER_AREA)
        likeness.append(np.corrcoef(small.ravel(), wanted.ravel())[0, 1])
    assert max(likeness) > 0.9, "it shows none of them"
    return frames[int(np.argmax(likeness))]


def test_playing_shows_the_frames_and_keys_work_over_every_layer(open_window, sample_study_dir: Path, qtbot):
    from napari_veinscan.cine_dock import player_of

    person = open_window(sample_study_dir)
    player, session, viewer = player_of(person.bench), person.session, person.viewer
    clip = session.clip
    person.press("Space")
    assert player.is_playing
    frames = set()
    qtbot.waitUntil(lambda: frames.add(session.frame_index) or len(frames) > 5, timeout=30_000)
    assert viewer.dims.current_step[0] == 0, "while it plays only the picture is exchanged"
    person.press("Space")
    assert not player.is_playing
    assert viewer.dims.current_step[0] == session.frame_index
    # the picture that is exchanged is the right one, and stays so when napari takes over again
    frames_shown = (0, 2, 9, 20)
    person.bench.layers.set_playing(True)
    before = viewer.dims.current_step[0]
    for frame in (2, 9, 20):
        session.go_to_frame(frame)
        assert seen(person, frames_shown) == frame
    assert viewer.dims.current_step[0] == before
    person.bench.layers.set_playing(False)
    assert viewer.dims.current_step[0] == 20
    assert seen(person, frames_shown) == 20

    geometry = {"scale": viewer.layers[0].scale, "units": viewer.layers[0].units}
    points = viewer.add_points(np.zeros((2, 3)), **geometry, axis_labels=viewer.layers[0].axis_labels)
    shapes = viewer.add_shapes(ndim=3, **geometry, axis_labels=viewer.layers[0].axis_labels)
    for layer in (points, shapes):
        viewer.layers.selection.active = layer
        person.press("Home")
        assert session.frame_index == 0
        person.press("Right")
        person.press("Right")
        assert session.frame_index == viewer.dims.current_step[0] == 2
        person.press("[")
        person.press("End")
        assert session.frame_index == clip.n_frames - 1
        person.press("Left")
        person.press("]")
        assert (player.first, player.last) == (2, clip.n_frames - 2)
        person.press("Home")
        assert session.frame_index == 2
        person.press("\\")
        assert not player.has_range
        for key, value in ((".", 2.0), (",", 1.0), (",", 0.5), (".", 1.0)):
            person.press(key)
            assert player.speed == value
        person.press("B")
        assert player.ping_pong
        person.press("B")
        person.press("Space")
        assert player.is_playing
        person.press("Left")
        assert not player.is_playing
        viewer.layers.remove(layer)
    assert [str(unit) for unit in viewer.layers.units] == ["pixel", "millimeter", "millimeter"]
    plain = viewer.add_points(np.zeros((1, 3)))
    assert [str(unit) for unit in viewer.layers.units] == ["pixel", "millimeter", "millimeter"]
    np.testing.assert_allclose(plain.scale, viewer.layers[0].scale)


def test_vesselness_regions_and_time_lie_over_the_picture(open_window, sample_study_dir: Path, qtbot):
    from napari_veinscan.live import Live
    from napari_veinscan.palette import REGION_LOOKS
    from napari_veinscan.picture_text import PictureText
    from veinscan.dicom import RegionKind

    person = open_window(sample_study_dir)
    bench, session, viewer = person.bench, person.session, person.viewer
    live = bench.part(Live)
    label = bench.part(PictureText).label
    person.press("V")
    qtbot.waitUntil(lambda: live.frame_index == 0, timeout=60_000)
    layer = next(layer for layer in viewer.layers if layer.name == "vesselness")
    session.go_to_frame(7)
    assert label.text() == f"frame 7/{session.clip.n_frames - 1}  {session.clip.frame_times_s[7]:.2f} s"
    for frame in (8, 12, 15, 21):  # scrubbing: the newest frame wins, the window goes on
        session.go_to_frame(frame)
        assert live.frame_index != frame, "the window waited for the map of the frame"
    qtbot.waitUntil(lambda: live.frame_index == 21, timeout=60_000)
    from veinscan import vesselness

    row0, col0, row1, col1 = session.clip.picture_region.box
    part = session.clip.bmode(21)[row0:row1, col0:col1]
    wanted = vesselness(part, session.clip.spacing_mm, live.diameters_mm, grade="live")
    np.testing.assert_allclose(layer.data[row0:row1, col0:col1], wanted, atol=1e-6)
    assert layer.data[:row0].max() == 0
    session.go_to_frame(0)
    qtbot.waitUntil(lambda: live.frame_index == 0, timeout=60_000)
    covered = person.canvas_picture().astype(int)
    layer.visible = False
    changed = np.abs(person.canvas_picture().astype(int) - covered).max(axis=-1) > 12
    layer.visible = True
    top, bottom = person.place_of((row0, col0)), person.place_of((row1, col1))
    inside = np.zeros_like(changed)
    inside[max(0, top.y()) : bottom.y(), max(0, top.x()) : bottom.x()] = True
    assert changed[inside].mean() > 0.02
    assert changed[~inside].mean() < 0.01
    dock = bench.docks["cine"]
    assert dock.vesselness.isChecked()
    person.press("V")
    assert not layer.visible
    assert "veinscan-live" in [thread.name for thread in threading.enumerate()]

    person.choose_clip(2)
    before = person.canvas_picture().astype(int)
    person.press("O")
    with_regions = person.canvas_picture().astype(int)
    assert [str(unit) for unit in viewer.layers.units] == ["pixel", "millimeter", "millimeter"]
    region = next(r for r in session.clip.regions if r.kind is RegionKind.COLOR_FLOW)
    colour = REGION_LOOKS[region.kind][0]
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    middle = ((region.box[0] + region.box[2]) / 2, region.box[1] - 0.5)
    edge = person.place_of(middle)
    near = np.s_[edge.y() - 3 : edge.y() + 4, edge.x() - 3 : edge.x() + 4]
    assert np.abs(with_regions[near] - rgb).max(axis=-1).min() < 40
    assert np.abs(before[near] - rgb).max(axis=-1).min() > 40
    person.press("O")
    assert "regions" not in [one.name for one in viewer.layers]


def test_candidates_are_sorted_narrowed_drawn_changed_and_taken_back(searched, qtbot):
    from napari_veinscan.candidate_table import DIAMETER, PICTURE, VERDICT
    from napari_veinscan.drawing import Drawing
    from veinscan.candidates.by_hand import is_drawn

    session, table, dock = searched.session, searched.candidates_dock.table, searched.candidates_dock
    rows = session.rows()
    qtbot.waitUntil(
        lambda: all(not table.item(row, PICTURE).icon().isNull() for row in range(table.rowCount())),
        timeout=60_000,
    )
    table.horizontalHeader().setSortIndicator(DIAMETER, table.horizontalHeader().sortIndicatorOrder())
    dock._show_selection()
    sizes = [session.row(name).candidate.diameter_mm for name in table.ids()]
    assert sizes == sorted(sizes)
    session.select_candidate(None)
    for name in table.ids()[:3]:  # N goes down the table as it is sorted
        searched.press("N")
        assert session.candidate_id == name
    searched.press("A")
    assert table.item(table.ids().index(session.candidate_id), VERDICT).text() == "a vein"
    dock.filter.setCurrentText("undecided")
    dock.filter.activated.emit(dock.filter.currentIndex())
    assert session.candidate_id not in table.ids()
    assert len(table.ids()) == len(rows) - 1
    dock.filter.setCurrentText("all")
    dock.filter.activated.emit(dock.filter.currentIndex())
    assert "For it:" in dock.why_score.text()

    # by a click in a lumen, as if the program had missed it
    vein = rows[0].candidate
    session.go_to_frame(vein.best_frame)
    searched.press("D")
    assert "click in a lumen" in dock.why_score.text()
    searched.click_picture(vein.centre(vein.best_frame))
    qtbot.waitUntil(
        lambda: session.selected is not None and is_drawn(session.selected.candidate.id), timeout=60_000
    )
    drawn = session.selected
    assert drawn.candidate.diameter_mm == pytest.approx(vein.diameter_mm, rel=0.15)
    assert drawn.review.outlined_by == session.reader.name

    # its outline, one corner dragged outwards
    searched.press("E")
    assert searched.bench.part(Drawing).hand == "change"
    layer = next(one for one in searched.viewer.layers if one.name == "outline by hand")
    before = np.array(layer.data[0])
    row, col = before[0, 1:]
    centre = np.array(drawn.candidate.centre(session.frame_index))
    out = np.array([row, col]) + 0.6 * (np.array([row, col]) - centre)
    searched.drag((float(row), float(col)), (float(out[0]), float(out[1])))
    assert np.abs(np.array(layer.data[0])[:, 1:] - before[:, 1:]).max() > 2
    searched.press("E")
    changed = session.selected
    assert changed.candidate.id == drawn.candidate.id
    assert (
        np.ptp(changed.candidate.outline(session.frame_index), axis=0).max()
        > np.ptp(before[:, 1:], axis=0).max() + 1
    )
    assert "outline by hand" not in [one.name for one in searched.viewer.layers]
    searched.press("Ctrl+Z")
    assert session.selected.candidate.diameter_mm == pytest.approx(drawn.candidate.diameter_mm)

    # followed through the clip: an edit of the record, kept frame by frame
    searched.press("F")
    searched.wait_for_work()
    followed = session.selected
    assert len(followed.candidate.outlines) > 3
    assert {one.frame_index for one in followed.review.course} == (
        set(followed.candidate.outlines) - {followed.candidate.best_frame}
    )
    searched.press("Ctrl+Z")
    assert not session.selected.review.course
    assert len(session.selected.candidate.outlines) == 1
    searched.press("Ctrl+Shift+Z")
    assert session.selected.review == followed.review
    searched.press("Ctrl+Z")
    searched.press("Ctrl+Z")
    assert not [row for row in session.rows() if is_drawn(row.candidate.id)]

    # Esc puts a tool away and changes nothing
    searched.press("D")
    searched.press("Esc")
    assert not searched.bench.part(Drawing).hand

    dock.searched.setCurrentIndex(1)
    dock.searched.activated.emit(1)
    assert session.record.searches[0].searched == "complete"
    searched.press("Ctrl+Z")
    assert not session.record.searches
    assert dock.searched.currentIndex() == 0


def test_the_dock_is_drawn_where_it_belongs(searched):
    searched.press("N")
    dock = searched.candidates_dock
    picture = searched.picture()
    corner = dock.mapTo(searched.window, dock.rect().topLeft())
    part = picture[corner.y() : corner.y() + dock.height(), corner.x() : corner.x() + dock.width()]
    table = dock.table.geometry()
    shown = part[table.top() : table.bottom(), table.left() : table.right()]
    assert shown.std() > 10, "the table is not blank"
    icons = shown[60:, 2:44]
    assert icons.std() > 25, "pictures of candidates stand at its left"
    for widget in (dock.vein, dock.draw, dock.filter, dock.why_score):
        box = widget.geometry()
        inner = part[box.top() : box.bottom(), box.left() : box.right()]
        assert inner.size > 0
        assert inner.std() > 3, widget
        assert box.bottom() <= dock.height()
        assert box.right() <= dock.width()


def test_a_frame_and_the_loop_are_exported_without_the_banner(searched, tmp_path: Path, monkeypatch, qtbot):
    from qtpy.QtWidgets import QDialog, QFileDialog

    from napari_veinscan.cine_dock import player_of
    from napari_veinscan.export import ExportDialog
    from veinscan.report.movie import frame_picture

    asked = []

    def agree(dialog: ExportDialog) -> int:
        asked.append(dialog.everything.isChecked())
        return QDialog.DialogCode.Accepted

    names = []

    def name(_parent, _title, start, _kinds):
        names.append(Path(start).name)
        return str(tmp_path / ("frame.png" if "frame" in names[-1] else "loop.mp4")), ""

    monkeypatch.setattr(ExportDialog, "exec", agree)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", name)
    clip = searched.session.clip
    searched.press("N")
    searched.press("A")
    frame = searched.session.frame_index
    searched.press("Ctrl+E")
    written = cv2.cvtColor(cv2.imread(str(tmp_path / "frame.png")), cv2.COLOR_BGR2RGB)
    bare = frame_picture(clip, frame)
    assert written.shape == bare.shape, "cropped to the picture region"
    drawn = (written != bare).any(axis=-1)
    assert 0 < drawn.mean() < 0.2, "outlines and numbers, and the picture below them"
    player_of(searched.bench).set_range(2, 6)
    searched.press("Ctrl+Shift+E")
    searched.wait_for_work()
    film = cv2.VideoCapture(str(tmp_path / "loop.mp4"))
    assert int(film.get(cv2.CAP_PROP_FRAME_COUNT)) == 5
    film.release()
    assert asked == [False, False], "the patient's data only when asked for"
    assert names == [f"clip-1-frame-{frame}.png", "clip-1.mp4"], "no name of the scanner's file"
