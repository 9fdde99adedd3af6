"""A study that is looked at while it comes from a real archive over a line that is slow, or lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from orthanc_rig import Orthanc
from pacs_doubles import the_window_waits_for_nobody

from veinscan.errors import CancelledError, PacsError

pytestmark = pytest.mark.gui


class Line:
    """The line to the archive: files wait at `files`, frames at `frames`; `lost` ends both at once."""

    def __init__(self) -> None:
        self.files, self.frames = threading.Event(), threading.Event()
        self.lost = False
        self.asked: list[str] = []
        """Threads in which a frame was asked for."""

    def wait(self, gate: threading.Event, stop: Any) -> None:
        while not gate.is_set() and not self.lost:
            if stop is not None and stop():
                raise CancelledError("stopped")
            time.sleep(0.005)
        if self.lost:
            raise PacsError("the connection is lost", where="test", step="tcp", temporary=True)


class OverLine:
    """An archive at the end of it."""

    def __init__(self, archive: Any, line: Line) -> None:
        self._archive, self._line = archive, line

    def __getattr__(self, name: str) -> Any:
        return getattr(self._archive, name)

    def __enter__(self) -> OverLine:
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()

    def fetch(self, instances: Any, folder: Path, *, stop: Any = None) -> Iterator[Any]:
        self._line.wait(self._line.files, stop)
        return self._archive.fetch(instances, folder, stop=stop)

    def frame(self, instance: Any, index: int, *, stop: Any = None) -> Any:
        self._line.asked.append(threading.current_thread().name)
        self._line.wait(self._line.frames, stop)
        return self._archive.frame(instance, index, stop=stop)


@pytest.fixture
def line(
    orthanc: Orthanc, archive_settings: Path, sample_study_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Line]:
    """An archive with the sample study, and the line to it."""
    from napari_veinscan import pacs_calls

    orthanc.empty()
    for path in sample_study_dir.glob("*.dcm"):
        orthanc.add(path)
    line, connect = Line(), pacs_calls.connect
    monkeypatch.setattr(pacs_calls, "connect", lambda *a, **k: OverLine(connect(*a, **k), line))
    yield line
    line.lost = True


def start(person: Any, orthanc: Orthanc) -> Any:
    """Take the study from a search of any day; the dialog."""
    from qtpy.QtWidgets import QApplication

    from napari_veinscan.pacs_words import ANY_DAY

    person.press("Ctrl+Alt+P")
    dialog: Any = QApplication.activeModalWidget()
    dialog.form.choose_period(ANY_DAY)
    dialog.start_search()
    person.qtbot.waitUntil(lambda: bool(dialog.table.rows), timeout=20_000)
    dialog.take_chosen()
    return dialog


def at_first_look(person: Any, orthanc: Orthanc, line: Line) -> None:
    """The study is on show; of it the first picture is here, and no file."""
    line.frames.set()
    start(person, orthanc)
    person.qtbot.waitUntil(lambda: person.session.study is not None, timeout=30_000)
    person.qtbot.waitUntil(lambda: person.study_dock.arriving.isVisible(), timeout=5000)
    line.frames.clear()


def test_clips_are_looked_at_while_their_files_come(open_window, orthanc, line, qtbot, sample_study_dir):
    from napari_veinscan.frames import NOT_HERE
    from napari_veinscan.player import Player
    from napari_veinscan.prompt import Prompt
    from veinscan.dicom import open_study

    person = open_window()
    at_first_look(person, orthanc, line)
    session, arriving = person.session, person.study_dock.arriving
    local = open_study(sample_study_dir)
    prompt = person.bench.part(Prompt).label
    assert "Arriving: 0 of 4 clips" in arriving.said.text()
    assert person.study_dock.title.text() == "From test: 4 clips"
    frames = person.bench.layers.frames
    assert np.array_equal(frames.shown(0), local.clips[0].frame(0)), "the first picture is there at once"

    # a frame that is on its way: the window goes on, and says so
    with the_window_waits_for_nobody():
        session.go_to_frame(20)
    assert not line.frames.is_set(), "the line is still held"
    assert (frames.shown(20) == NOT_HERE).all()
    assert "Frame 20 is on its way" in prompt.text()
    person.click_picture((150.0, 200.0))
    assert session.spot is None, "nothing is chosen in a picture that is not there"
    player = person.bench.part(Player)
    player.play()
    qtbot.wait(150)
    assert player.is_playing
    assert session.frame_index == 20, "it waits for the picture instead of running ahead"
    player.pause()
    assert not frames.has(20)
    assert "MainThread" not in line.asked, "the window's own thread never asks the archive"

    # the frame comes; then the files
    line.frames.set()
    qtbot.waitUntil(lambda: frames.has(20), timeout=20_000)
    qtbot.waitUntil(lambda: prompt.text() == "", timeout=5000)
    assert np.array_equal(frames.shown(20), local.clips[0].frame(20))
    line.files.set()
    qtbot.waitUntil(lambda: not arriving.isVisible(), timeout=60_000)
    for mine, theirs in zip(session.study.clips, local.clips, strict=True):
        assert np.array_equal(mine.frame(0), theirs.frame(0))
    asked = len(line.asked)
    session.show_clip(session.study.clips[2], 3)
    session.go_to_frame(9)
    assert frames is not person.bench.layers.frames
    assert person.bench.layers.frames.ask is None
    assert len(line.asked) == asked, "what is here is read from here"


def test_a_search_for_candidates_waits_for_the_file(open_window, orthanc, line, qtbot):
    person = open_window()
    at_first_look(person, orthanc, line)
    person.session.show_clip(person.session.study.clips[1])  # the shortest with veins in it
    line.frames.set()
    person.press("Ctrl+F")
    qtbot.wait(300)
    assert person.bench.work.startswith("Searching")
    assert person.session.rows() == []
    line.files.set()
    person.wait_for_work()
    assert person.session.searched(person.session.clip) is not None


def test_a_lost_line_is_one_sentence_and_what_is_here_stays(
    open_window, orthanc, line, qtbot, found_in_sample
):
    from napari_veinscan.prompt import Prompt

    person = open_window()
    at_first_look(person, orthanc, line)
    arriving, session = person.study_dock.arriving, person.session
    line.lost = True
    qtbot.waitUntil(lambda: "the connection is lost" in arriving.said.text(), timeout=20_000)
    assert "the connection is lost. It goes on by itself." in arriving.said.text()
    session.go_to_frame(20)
    prompt = person.bench.part(Prompt).label
    qtbot.waitUntil(lambda: "Frame 20 did not come" in prompt.text(), timeout=20_000)
    session.go_to_frame(0)
    session.set_candidates(session.clip, found_in_sample)
    session.select_candidate(session.rows()[0].candidate.id, show=False)
    person.press("A")
    assert person.bench.save(), "one works on"
    person.click(arriving.stop)
    qtbot.waitUntil(arriving.again.isVisible, timeout=5000)
    assert "0 of 4 clips are here" in arriving.said.text()
    line.lost = False
    line.files.set()
    line.frames.set()
    person.click(arriving.again)
    qtbot.waitUntil(lambda: not arriving.isVisible() and not person.bench.work, timeout=60_000)
    assert len(session.record.reviews) == 1, "what was saved is there again"
    assert person.bench.layers.frames.ask is None


def test_cancel_while_it_opens_is_at_once(open_window, orthanc, line, qtbot):
    person = open_window()
    dialog = start(person, orthanc)
    qtbot.wait(300)
    assert dialog.stop.isVisible()
    with the_window_waits_for_nobody():
        dialog.cancel()
    assert not line.files.is_set(), "the line is still held"
    assert dialog.isVisible()
    assert "Cancelled" in dialog.said.text()
    line.frames.set()
    line.files.set()
    qtbot.wait(500)
    assert person.session.study is None
    dialog.reject()


def test_what_a_person_should_know_of_the_study_is_said(
    open_window, orthanc, line, qtbot, monkeypatch: pytest.MonkeyPatch
):
    from napari.utils.notifications import notification_manager

    from veinscan.pacs.remote import RemoteStudy

    words = "1 object of the study name another patient than the others do"
    monkeypatch.setattr(RemoteStudy, "notes", property(lambda self: (words,)))
    person = open_window()
    at_first_look(person, orthanc, line)
    line.frames.set()
    line.files.set()
    qtbot.waitUntil(lambda: not person.study_dock.arriving.isVisible(), timeout=60_000)
    qtbot.waitUntil(lambda: any(words in one.message for one in notification_manager.records), timeout=5000)
