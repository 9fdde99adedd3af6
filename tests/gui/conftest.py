"""Fixtures of the window's tests: a real viewer on a real (virtual) screen, and people's gestures."""

from __future__ import annotations

import gc
import importlib.util
import os
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from napari_veinscan.qt_check import qt_problem

HAS_GUI = all(importlib.util.find_spec(name) for name in ("napari", "qtpy", "PySide6"))
HAS_DISPLAY = sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))

os.environ.setdefault("NAPARI_ASYNC", "0")

EXEMPT = (
    # napari 0.9 reaches its own renamed attributes while a window is built
    "ignore:.*:FutureWarning:napari.*",
    "ignore:.*:DeprecationWarning:napari.*",
    # vispy and PyOpenGL on newer Python and numpy; nothing here calls them
    "ignore:.*:DeprecationWarning:vispy.*",
    "ignore:.*:DeprecationWarning:OpenGL.*",
)
"""Warnings of napari and of what it stands on, raised inside those packages and not at a call of ours."""


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here not in item.path.parents:
            continue
        for warning in EXEMPT:
            item.add_marker(pytest.mark.filterwarnings(warning))
        if item.get_closest_marker("gui") is None:
            continue
        # one after the other: two windows on one screen would take the keyboard from each other
        item.add_marker(pytest.mark.xdist_group("gui"))
        if not HAS_GUI:
            item.add_marker(pytest.mark.skip(reason="napari or PySide6 is missing: install the [gui] extra"))
        elif not HAS_DISPLAY:
            item.add_marker(pytest.mark.skip(reason="there is no display: run under xvfb-run"))
        elif problem := qt_problem():
            item.add_marker(pytest.mark.skip(reason=problem))


class Person:
    """What somebody in front of the window does, by mouse and keyboard only."""

    def __init__(self, viewer: Any, bench: Any, qtbot: Any) -> None:
        from napari_veinscan import compat
        from napari_veinscan.record_bar import add_bar

        self.viewer, self.bench, self.qtbot = viewer, bench, qtbot
        self.session = bench.session
        self.window = compat.main_window(viewer)
        self.canvas = compat.canvas_widget(viewer)
        self.study_dock = bench.docks["clips"]
        self.candidates_dock = bench.docks["candidates"]
        self.targets_dock = bench.docks["targets"]
        self.bar = add_bar(bench)

    def press(self, key: str) -> None:
        """Press a key ('A', 'Ctrl+Z') as the window system does: at the window, whatever has the focus."""
        from qtpy.QtGui import QKeySequence
        from qtpy.QtTest import QTest

        (combination,) = QKeySequence(key)
        handle = self.window.windowHandle()
        QTest.keyClick(handle, combination.key(), combination.keyboardModifiers())
        self.qtbot.wait(10)

    def place_of(self, point: tuple[float, float]) -> Any:
        """Where a point `(row, col)` of the shown frame lies on the canvas widget."""
        from qtpy.QtCore import QPoint

        _, y, x = self.bench.layers.world_of(point)
        camera = self.viewer.scene.camera
        _, cy, cx = camera.center
        return QPoint(
            round((x - cx) * camera.zoom + self.canvas.width() / 2),
            round((y - cy) * camera.zoom + self.canvas.height() / 2),
        )

    def click_picture(self, point: tuple[float, float]) -> None:
        from qtpy.QtCore import Qt

        place = self.place_of(point)
        self.qtbot.mouseMove(self.canvas, place)
        self.qtbot.mouseClick(self.canvas, Qt.MouseButton.LeftButton, pos=place)
        self.qtbot.wait(10)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Press at one point of the picture, move in steps, and let go at another."""
        from qtpy.QtCore import QEvent, QPointF, Qt
        from qtpy.QtGui import QMouseEvent
        from qtpy.QtWidgets import QApplication

        a, b = QPointF(self.place_of(start)), QPointF(self.place_of(end))
        none, left = Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton
        kinds = QEvent.Type
        moves = [(kinds.MouseMove, a + (b - a) * (step / 8), none, left) for step in range(1, 9)]
        steps = [(kinds.MouseButtonPress, a, left, left), *moves, (kinds.MouseButtonRelease, b, left, none)]
        for kind, at, button, buttons in steps:
            place = QPointF(self.canvas.mapToGlobal(at))
            event = QMouseEvent(kind, at, place, button, buttons, Qt.KeyboardModifier.NoModifier)
            QApplication.sendEvent(self.canvas, event)
            self.qtbot.wait(2)

    def click(self, button: Any) -> None:
        from qtpy.QtCore import Qt

        assert button.isEnabled(), button.text()
        self.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def click_row(self, table: Any, row: int) -> None:
        from qtpy.QtCore import Qt

        place = table.visualItemRect(table.item(row, 0)).center()
        self.qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)

    def choose_clip(self, row: int) -> None:
        from qtpy.QtCore import Qt

        clips = self.study_dock.clips
        place = clips.visualItemRect(clips.item(row)).center()
        self.qtbot.mouseClick(clips.viewport(), Qt.MouseButton.LeftButton, pos=place)

    def wait_for_work(self, timeout_ms: int = 120_000) -> None:
        self.qtbot.waitUntil(lambda: not self.bench.work, timeout=timeout_ms)

    def picture(self) -> Any:
        """The whole window as (rows, cols, 3) uint8."""
        self.qtbot.wait(50)
        return self.viewer.screenshot(canvas_only=False, flash=False)[:, :, :3]

    def canvas_picture(self) -> Any:
        """The canvas as (rows, cols, 3) uint8."""
        self.qtbot.wait(50)
        return self.viewer.screenshot(canvas_only=True, flash=False)[:, :, :3]


@pytest.fixture(scope="session", autouse=True)
def napari_is_imported(tmp_path_factory: pytest.TempPathFactory) -> None:
    """napari, with settings of its own: those of the person who runs the tests are left alone."""
    if not HAS_GUI:
        return
    os.environ["NAPARI_CONFIG"] = str(tmp_path_factory.mktemp("napari") / "settings.yaml")
    with warnings.catch_warnings():
        # napari and npe2 build their pydantic models in older ways while they are imported
        warnings.simplefilter("ignore")
        import napari
        import napari.layers
        import napari.qt
        import napari.settings

        napari.settings.get_settings()
        napari.Viewer  # noqa: B018  # loaded on first use


@pytest.fixture(scope="session")
def qapp(napari_is_imported: None) -> Any:
    """napari's own application, which knows where its icons are."""
    from napari.qt import get_qapp

    return get_qapp()


@pytest.fixture(scope="session")
def kept_windows(qapp: Any) -> Iterator[list[Any]]:
    """Windows that one test leaves to the next: opening one takes seconds."""
    viewers: list[Any] = []
    yield viewers
    let_go(viewers)


def let_go(kept: list[Any]) -> None:
    """Close the kept window.

    A window that was kept while others were opened and closed ended in OpenGL errors or a crash when
    it was painted next. Two plain windows of napari do so too (docs/pictures.md), so none is kept while
    others come and go.
    """
    from qtpy.QtTest import QTest

    from napari_veinscan import compat
    from napari_veinscan.launch import workbench_of

    while kept:
        viewer = kept.pop()
        if not compat.is_gone(viewer):
            workbench_of(viewer).forget_edits()
            viewer.close()
        del viewer
    QTest.qWait(20)
    gc.collect()


@pytest.fixture
def open_window(
    qapp: Any, qtbot: Any, kept_windows: list[Any], request: pytest.FixtureRequest
) -> Iterator[Callable[..., Person]]:
    """Open a window on a study: `open_window(path)` -> Person.  Unsaved work does not hold up the end."""
    from napari_veinscan.launch import launch, workbench_of

    people: list[Person] = []
    if "window" not in request.fixturenames:
        let_go(kept_windows)

    def make(path: Path | None = None) -> Person:
        viewer = launch(path, block=False)
        person = Person(viewer, workbench_of(viewer), qtbot)
        people.append(person)
        person.wait_for_work()
        qtbot.wait(50)
        return person

    yield make
    qtbot.wait(10)  # lets Qt delete what was closed
    for person in people:
        if not person.bench.is_closed:
            person.bench.forget_edits()
            person.viewer.close()
        assert person.bench.jobs.running == 0, "closing the window left work running"
    people.clear()
    let_go(kept_windows)
    gc.collect()  # nothing of this window is collected while the next one is painted


@pytest.fixture(scope="session")
def found_in_sample() -> Any:
    """The candidates of the sample study's first clip, searched once for all tests."""
    from veinscan.candidates import find_in_clip
    from veinscan.dicom import open_study

    folder = Path(__file__).resolve().parents[2] / "sample_data" / "baseline"
    return find_in_clip(open_study(folder).clips[0])


@pytest.fixture
def window(kept_windows: list[Any], qtbot: Any, sample_study_dir: Path) -> Iterator[Person]:
    """A window on a fresh copy of the sample study, as an earlier test left it but for its work."""
    from napari_veinscan import compat
    from napari_veinscan.launch import launch, workbench_of

    if not kept_windows:
        kept_windows.append(launch(block=False))
    viewer = kept_windows[0]
    person = Person(viewer, workbench_of(viewer), qtbot)
    person.bench.open_path(sample_study_dir)
    person.wait_for_work()
    assert person.session.study is not None
    assert person.session.study.path == sample_study_dir
    qtbot.wait(50)
    yield person
    if compat.is_gone(viewer) or person.bench.is_closed or not person.window.isVisible():
        kept_windows.clear()  # the test closed it
        qtbot.wait(50)  # lets Qt delete it
        gc.collect()
        return
    person.bench.cancel()
    person.wait_for_work()
    person.bench.forget_edits()
    person.canvas.setFocus()
    for layer in [layer for layer in viewer.layers if layer not in person.bench.layers.own]:
        viewer.layers.remove(layer)


@pytest.fixture
def searched(window: Person, found_in_sample: Any) -> Person:
    """A window on the sample study with the first clip searched."""
    window.session.set_candidates(window.session.clip, found_in_sample)
    window.qtbot.wait(20)
    return window


@pytest.fixture
def extensionless_study(sample_study_dir: Path, tmp_path: Path) -> Path:
    """The sample study as a CD holds it: no file has an extension."""
    folder = tmp_path / "cd"
    folder.mkdir()
    for number, path in enumerate(sorted(sample_study_dir.glob("*.dcm")), start=1):
        shutil.copy(path, folder / f"IM{number:04d}")
    return folder
