"""The leg map in the window: targets placed, moved, made and taken off by mouse and keyboard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from veinscan.plan import editing
from veinscan.plan.model import Side
from veinscan.plan.vocabulary import MapView

pytestmark = pytest.mark.gui


@pytest.fixture
def on_map(open_window: Callable[..., Any], sample_study_dir: Path) -> Any:
    """A window with two targets without a place on the map, and the map in front."""
    person = open_window(sample_study_dir)
    clip = person.session.clip
    for row, side in ((150.0, "right"), (180.0, "unknown")):
        made = editing.target_at_point(clip, 0, (row, 200.0), person.session.reader, side=side)
        person.session.edit("a target", lambda record, made=made: editing.add_target(record, made))
    person.bench.show_dock("map")
    person.qtbot.wait(50)
    return person


def click(person: Any, side: Side, view: MapView, point: tuple[float, float]) -> None:
    from qtpy.QtCore import Qt

    leg = person.bench.docks["map"].view
    person.qtbot.mouseClick(leg, Qt.MouseButton.LeftButton, pos=leg.place_of(side, view, point).toPoint())


def drag(person: Any, start: Any, end: Any) -> None:
    from qtpy.QtCore import QEvent, QPointF, Qt
    from qtpy.QtGui import QMouseEvent
    from qtpy.QtWidgets import QApplication

    leg = person.bench.docks["map"].view
    none, left = Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton
    kinds = QEvent.Type
    steps = [
        (kinds.MouseButtonPress, start, left, left),
        *((kinds.MouseMove, start + (end - start) * (n / 5), none, left) for n in range(1, 6)),
        (kinds.MouseButtonRelease, end, left, none),
    ]
    for kind, at, button, buttons in steps:
        place = QPointF(leg.mapToGlobal(at))
        QApplication.sendEvent(
            leg, QMouseEvent(kind, at, place, button, buttons, Qt.KeyboardModifier.NoModifier)
        )


def target(person: Any, order: int) -> Any:
    return next(t for t in person.session.record.targets if t.order == order)


def test_place_choose_drag_nudge_and_take_off(on_map: Any) -> None:
    from qtpy.QtCore import Qt

    person = on_map
    dock = person.bench.docks["map"]
    assert "1 (" in dock.hint.text()
    assert "2 (its side is unknown)" in dock.hint.text()
    person.session.select_target(target(person, 1).id)

    click(person, Side.LEFT, MapView.FRONT, (0.4, 0.5))
    assert target(person, 1).map_point is None, "a target of the right leg was put on the left one"

    click(person, Side.RIGHT, MapView.MEDIAL, (0.4, 0.5))
    first = target(person, 1)
    assert (first.map_view, first.side) == (MapView.MEDIAL, Side.RIGHT)
    assert first.map_point == pytest.approx((0.4, 0.5), abs=0.01)

    person.session.select_target(target(person, 2).id)
    click(person, Side.LEFT, MapView.BACK, (0.7, 0.45))
    second = target(person, 2)
    assert (second.map_view, second.side) == (MapView.BACK, Side.LEFT)

    # a click on a number chooses it; a second click beside it does not move it
    click(person, Side.RIGHT, MapView.MEDIAL, first.map_point)
    assert person.session.target_id == first.id
    click(person, Side.RIGHT, MapView.FRONT, (0.8, 0.5))
    assert target(person, 1).map_point == first.map_point

    view = dock.view
    drag(
        person,
        view.place_of(Side.RIGHT, MapView.MEDIAL, first.map_point),
        view.place_of(Side.RIGHT, MapView.FRONT, (0.6, 0.5)),
    )
    moved = target(person, 1)
    assert moved.map_view is MapView.FRONT
    assert moved.map_point == pytest.approx((0.6, 0.5), abs=0.01)
    assert person.session.undo_label == "target 1: place on the leg map"

    # onto the other leg it does not go
    drag(
        person,
        view.place_of(Side.RIGHT, MapView.FRONT, moved.map_point),
        view.place_of(Side.LEFT, MapView.FRONT, (0.6, 0.5)),
    )
    assert target(person, 1).side is Side.RIGHT
    assert target(person, 1).map_view is not MapView.UNKNOWN

    before = target(person, 1).map_point
    view.setFocus()
    person.qtbot.keyClick(view, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert target(person, 1).map_point[0] < before[0]

    person.click(dock.take_off)
    assert target(person, 1).map_point is None
    assert target(person, 1).map_view is MapView.UNKNOWN
    person.press("Ctrl+Z")
    assert target(person, 1).map_point is not None


def test_target_on_the_map_alone_and_the_picture(on_map: Any) -> None:
    person = on_map
    dock = person.bench.docks["map"]
    blank = dock.view.grab().toImage()
    person.click(dock.new)
    click(person, Side.LEFT, MapView.LATERAL, (0.55, 0.5))
    made = target(person, 3)
    assert not made.has_place
    assert (made.side, made.map_view) == (Side.LEFT, MapView.LATERAL)
    assert not dock.new.isChecked()
    # choosing it in the list does not try to show a picture that is not there
    person.bench.show_dock("targets")
    person.click_row(person.targets_dock.table, 2)
    assert person.session.target_id == made.id

    person.bench.show_dock("map")
    person.qtbot.wait(20)
    shown = dock.view.grab().toImage()
    assert shown != blank
    at = dock.view.place_of(Side.LEFT, MapView.LATERAL, made.map_point).toPoint()
    ratio = shown.devicePixelRatio()
    colours = {
        shown.pixelColor(round((at.x() + dx) * ratio), round((at.y() + dy) * ratio)).name()
        for dx in range(-8, 9)
        for dy in range(-8, 9)
    }
    assert "#e69f00" in colours, "the number's disc is where the target was put"
    # both legs are drawn: dark lines in each eighth of the map
    grey = np.array(
        [
            [shown.pixelColor(x, y).lightness() for x in range(0, shown.width(), 2)]
            for y in range(0, shown.height(), 2)
        ]
    )
    for part in np.array_split(grey, 2, axis=0):
        drawn = part[:, (part < 200).any(axis=0)].shape[1]
        assert drawn > 0.3 * part.shape[1]
