"""Every dock as it is painted: not blank, parts where they belong, nothing cut off, like the stored picture.

STORE_PICTURES=1 pytest tests/gui/test_dock_pictures.py    makes the stored pictures anew; look at them.
"""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from structure import likeness, pixels, read, stored

pytestmark = pytest.mark.gui

AREAS = {
    "clips": "left",
    "baseline": "left",
    "cine": "bottom",
    "candidates": "right",
    "targets": "right",
    "reflux": "right",
    "map": "right",
    "session": "right",
    "follow_up": "right",
}
"""On which side of the picture each dock stands."""
STORED = Path(__file__).parent / "stored"
LIKE = 0.75
"""Least likeness to the stored picture; docks of the same machine have 0.95 and more."""


def drawn(picture: np.ndarray) -> np.ndarray:
    """Where a picture differs from its most common colour, (rows, cols) bool."""
    packed = picture.astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)
    values, counts = np.unique(packed, return_counts=True)
    return packed != values[np.argmax(counts)]


def place(widget, window) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of a widget in the window."""
    from qtpy.QtCore import QPoint

    corner = widget.mapTo(window, QPoint(0, 0))
    return corner.x(), corner.y(), corner.x() + widget.width(), corner.y() + widget.height()


@pytest.fixture
def at_work(searched, qtbot):
    """A window of 1280 x 800 with candidates, a target and a day of treatment; no row is chosen."""
    from qtpy.QtWidgets import QPushButton

    person = searched
    before = person.window.size()
    person.window.resize(1280, 800)
    person.session.select_next()
    person.press("A")
    person.press("T")
    person.session.update_target(side="right", vein="tributary", map_view="medial", landmark="patella")
    (new,) = (
        button
        for button in person.bench.docks["session"].findChildren(QPushButton)
        if button.text().startswith("New")
    )
    new.click()
    person.session.select_target(None)
    person.session.select_next()
    person.study_dock.association.hide()  # is asked once, so whether it is there hangs on the tests before
    clips = person.study_dock.clips
    qtbot.waitUntil(lambda: len(np.unique(pixels(clips))) > 100, timeout=30_000)
    yield person
    person.window.resize(before)


def test_every_dock_is_painted_where_it_belongs(at_work, qtbot):
    from qtpy.QtWidgets import QAbstractButton, QTableWidget

    person, bench = at_work, at_work.bench
    assert set(AREAS) == set(bench.docks), "a dock without a place here"
    left, top, right, bottom = place(person.canvas, person.window)
    for name, area in AREAS.items():
        dock = bench.docks[name]
        bench.show_dock(name)
        qtbot.wait(60)
        x0, y0, x1, y1 = place(dock, person.window)
        beside = {"left": x1 <= left, "right": x0 >= right, "bottom": y0 >= bottom}
        assert beside[area], f"{name} is not on the {area}"
        assert (x0 >= 0, y0 >= 0, x1 <= 1280, y1 <= 800) == (True,) * 4, f"{name} leaves the window"
        marks = drawn(pixels(dock))
        thirds = np.array_split(marks, 3 if area != "bottom" else 1)
        assert all(part.mean() > 0.003 for part in thirds[:2]), (
            f"{name} is blank: {[part.mean() for part in thirds]}"
        )
        for button in dock.findChildren(QAbstractButton):
            visible = button.visibleRegion().boundingRect()
            if button.isVisible() and button.text() and visible.size() == button.size():
                assert drawn(pixels(button)).any(), f"'{button.text()}' in {name} is empty"
        for table in dock.findChildren(QTableWidget):
            if table.isVisible() and table.rowCount():
                assert drawn(pixels(table.viewport())).mean() > 0.003, f"the table in {name} is empty"
    assert (top, bottom - top > 400, right - left > 500) == (top, True, True), "the picture has no room"


def test_every_dock_is_like_its_stored_picture(at_work, qtbot):
    """By structure, so that another font passes and a part that is gone, or another dock, does not."""
    bench, now = at_work.bench, {}
    for name in AREAS:
        bench.show_dock(name)
        qtbot.wait(150)
        now[name] = stored(pixels(bench.docks[name]))
        if os.environ.get("STORE_PICTURES"):
            cv2.imwrite(str(STORED / f"{name}.png"), now[name], [cv2.IMWRITE_PNG_COMPRESSION, 9])
    kept = {name: read(STORED / f"{name}.png") for name in AREAS}
    like = {name: likeness(kept[name], now[name]) for name in AREAS}
    assert min(like.values()) > LIKE, like
    tall = [name for name, area in AREAS.items() if area == "right"]
    for name in tall:
        others = {other: likeness(kept[other], now[name]) for other in tall if other != name}
        assert like[name] > max(others.values()) + 0.1, (name, like[name], others)

    table = bench.docks["candidates"].table
    bench.show_dock("candidates")
    table.hide()
    qtbot.wait(150)
    without = likeness(kept["candidates"], stored(pixels(bench.docks["candidates"])))
    table.show()
    assert without < LIKE, "a dock without its table passes"

    dock = bench.docks["targets"]
    bench.show_dock("targets")
    font = dock.font()
    dock.setStyleSheet("QWidget { font-size: 13pt; }")
    qtbot.wait(150)
    larger = likeness(kept["targets"], stored(pixels(dock)))
    dock.setStyleSheet("")
    assert dock.font() == font
    assert larger > likeness(kept["session"], now["targets"]), "another font counts more than another dock"


def test_parts_of_the_docks_show_what_they_stand_for(at_work, qtbot):
    from napari_veinscan.palette import STYLES, Look

    bench = at_work.bench

    def has_colour(widget, colour: str) -> bool:
        wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
        return bool((np.abs(pixels(widget).astype(int) - wanted).max(axis=-1) < 12).sum() > 3)

    bench.show_dock("candidates")
    qtbot.wait(60)
    table = bench.docks["candidates"].table
    assert has_colour(table.viewport(), STYLES[Look.VEIN].colour), "no verdict in its colour"
    assert has_colour(bench.docks["cine"].bar, STYLES[Look.TARGET].colour), "no tick at the target's frame"
    bench.show_dock("targets")
    qtbot.wait(60)
    targets = bench.docks["targets"].table
    assert has_colour(targets.viewport(), STYLES[Look.TARGET].colour)
    assert targets.horizontalHeader().length() <= targets.viewport().width(), "a column is cut off"
    last = targets.columnCount() - 1
    assert targets.columnWidth(last) >= targets.sizeHintForColumn(last), "the status is cut off"


def test_the_window_starts_within_the_screen(open_window, sample_study_dir: Path):
    from qtpy.QtWidgets import QApplication

    person = open_window(sample_study_dir)
    room = QApplication.primaryScreen().availableGeometry()
    assert person.window.width() <= room.width()
    assert person.window.height() <= room.height()
    least = person.window.minimumSizeHint()
    assert (least.width() <= 1280, least.height() <= 800) == (True, True)
