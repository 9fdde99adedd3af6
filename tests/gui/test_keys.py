"""The keys of the review work whichever layer is active, and text fields keep their letters."""

from __future__ import annotations

import numpy as np
import pytest

from veinscan.plan.model import Decision

pytestmark = pytest.mark.gui

LAYERS = ("image", "points", "shapes", "labels", "vectors", "tracks", "surface", "none")


def add(viewer, kind: str):
    """An editable layer of a kind, as another plugin may add it."""
    geometry = {"scale": viewer.layers[0].scale, "units": viewer.layers[0].units}
    geometry["axis_labels"] = viewer.layers[0].axis_labels
    if kind == "image":
        return viewer.layers[0]
    if kind == "points":
        return viewer.add_points(np.zeros((3, 3)), **geometry)
    if kind == "shapes":
        return viewer.add_shapes(ndim=3, **geometry)
    if kind == "labels":
        return viewer.add_labels(np.zeros((2, 20, 20), dtype=int), **geometry)
    if kind == "vectors":
        return viewer.add_vectors(np.zeros((2, 2, 3)), **geometry)
    if kind == "tracks":
        return viewer.add_tracks(np.array([[1, 0, 0, 0], [1, 1, 1, 1]]), **geometry)
    corners = np.array([[0, 0, 0], [0, 5, 0], [0, 0, 5]], dtype=float)
    return viewer.add_surface((corners, np.array([[0, 1, 2]])), **geometry)


@pytest.mark.parametrize("kind", ["all"])
def test_keys_work_with_every_kind_of_layer_active(searched, kind):
    for kind in LAYERS:  # in one window: opening one takes seconds
        layer = None if kind == "none" else add(searched.viewer, kind)
        searched.viewer.layers.selection.active = layer
        mode = None if layer is None else str(layer.mode)
        searched.session.select_candidate(None)
        searched.press("N")
        assert searched.session.selected.candidate.rank == 1, kind
        searched.press("A")
        assert searched.session.selected.review.decision is Decision.VEIN, kind
        before = len(searched.session.record.targets)
        searched.press("T")
        assert len(searched.session.record.targets) == before + 1, kind
        searched.session.remove_target()
        searched.press("R")
        assert searched.session.selected.review.decision is Decision.REJECTED, kind
        searched.press("3")
        assert searched.session.selected.review.reason == "lymph", kind
        searched.press("U")
        assert searched.session.selected.review is None, kind
        searched.press("P")
        assert searched.session.selected.candidate.rank == len(searched.session.rows()), kind
        assert mode is None or str(layer.mode) == mode, f"the {kind} layer changed its mode"
        if layer is not None and kind != "image":
            searched.viewer.layers.remove(layer)


def test_keys_that_reach_the_canvas_itself_are_taken_too(searched):
    from qtpy.QtCore import Qt
    from qtpy.QtTest import QTest

    QTest.keyClick(searched.canvas, Qt.Key.Key_N)
    assert searched.session.selected.candidate.rank == 1


def test_a_text_field_keeps_its_letters(searched, qtbot):
    searched.press("N")
    searched.press("T")
    notes = searched.targets_dock.form.fields["notes"]
    notes.setFocus()
    assert searched.window.focusWidget() is notes
    before = searched.session.candidate_id
    for key in "NAPRT":
        searched.press(key)
    assert searched.session.candidate_id == before
    assert searched.session.selected.review is None
    assert len(searched.session.record.targets) == 1


def test_a_key_with_ctrl_belongs_to_napari(searched):
    from qtpy.QtCore import Qt
    from qtpy.QtTest import QTest

    searched.press("N")
    QTest.keyClick(searched.canvas, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert searched.session.selected.review is None


def test_without_a_study_napari_keeps_its_keys(open_window):
    person = open_window()
    points = person.viewer.add_points(np.zeros((2, 2)))
    person.viewer.layers.selection.active = points
    from qtpy.QtCore import Qt
    from qtpy.QtTest import QTest

    QTest.keyClick(person.canvas, Qt.Key.Key_P)
    assert str(points.mode) == "add"


def test_a_text_field_undoes_its_own_typing_first(searched, qtbot):
    searched.press("N")
    searched.press("A")
    reader = searched.bar.reader
    before = reader.text()
    reader.setFocus()
    reader.selectAll()
    qtbot.keyClicks(reader, "Somebody")
    searched.press("Ctrl+Z")
    assert searched.session.selected.review is not None, "the typing was undone, not the verdict"
    assert reader.text() != "Somebody"
    reader.setText(before)
    searched.canvas.setFocus()
    searched.press("Ctrl+Z")
    assert searched.session.selected.review is None


def test_every_control_is_reached_by_tab(searched):
    from qtpy.QtCore import Qt
    from qtpy.QtWidgets import (
        QAbstractButton,
        QAbstractItemView,
        QAbstractSlider,
        QComboBox,
        QHeaderView,
        QLineEdit,
        QScrollBar,
        QWidget,
    )

    from napari_veinscan.places import dock_around

    operated = QAbstractButton | QAbstractItemView | QAbstractSlider | QComboBox | QLineEdit
    missed = []
    for place in (searched.bar, *searched.bench.docks.values()):
        title_bar = dock_around(place).titleBarWidget() if dock_around(place) is not None else None
        for widget in place.findChildren(QWidget):
            if not isinstance(widget, operated) or isinstance(widget, QScrollBar | QHeaderView):
                continue
            if title_bar is not None and title_bar.isAncestorOf(widget):
                continue
            inside = widget.parentWidget()
            if isinstance(inside, QComboBox | QAbstractItemView) or widget.objectName().startswith("qt_"):
                continue  # parts of a control, not controls
            if not widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
                missed.append(f"{type(widget).__name__} {getattr(widget, 'text', lambda: '')()}")
    assert not missed


def test_the_sheet_of_keys_names_every_key(searched):
    from qtpy.QtWidgets import QApplication, QLabel

    from napari_veinscan.commands import shown_key

    searched.press("?")
    sheet = QApplication.activeModalWidget()
    assert sheet is not None
    text = sheet.findChild(QLabel).text()
    for command in searched.bench.commands:
        for key in command.keys:
            assert f"{shown_key(key)}" in text.replace("&lt;", "<").replace("&gt;", ">"), command.id
    sheet.close()
