"""An archive in memory that is slow, gone or asks for a password; and the keyboard in dialogs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from veinscan.errors import CancelledError, PacsError
from veinscan.pacs.model import Fetched, InstanceRow, StoreOutcome, StudyQuery, StudyRow, StudyRows

TODAY = date.today()


def row(number: int, **fields: Any) -> StudyRow:
    """A study of a person who does not exist, `number` days ago."""
    return StudyRow(
        study_instance_uid=f"1.2.826.0.1.3680043.8.498.{number + 1}",
        **{
            "on": TODAY - timedelta(days=number),
            "time": f"{9 + number % 8:02d}:15",
            "patient_name": f"SAMPLE{number}^ANNA",
            "patient_id": f"PHANTOM-{number:03d}",
            "birth_date": date(1961, 4, 1 + number % 28),
            "description": "DUPLEX LEG VEINS",
            "modalities": ("US",),
            "instances": 12 - number % 5,
            **fields,
        },
    )


@dataclass
class SlowArchive:
    """Answers from `rows`; hangs while `hold` is set; fails with `error`."""

    name: str = "clinic"
    rows: tuple[StudyRow, ...] = field(default_factory=lambda: tuple(row(n) for n in (3, 0, 1)))
    complete: bool = True
    error: PacsError | None = None
    hold: threading.Event = field(default_factory=threading.Event)
    asked: list[StudyQuery] = field(default_factory=list)
    deaf: bool = False
    """Whether it takes no notice of `stop` while it hangs."""

    def wait(self, stop: Callable[[], bool] | None) -> None:
        while self.hold.is_set():
            if not self.deaf and stop is not None and stop():
                raise CancelledError("stopped")
            time.sleep(0.005)
        if self.error is not None:
            raise self.error

    def find_studies(self, query: StudyQuery, *, stop: Callable[[], bool] | None = None) -> StudyRows:
        self.asked.append(query)
        self.wait(stop)
        return StudyRows(self.rows, self.complete)

    def find_instances(self, study_instance_uid: str, **_: Any) -> tuple[InstanceRow, ...]:
        return ()

    def fetch(self, instances: Sequence[InstanceRow], folder: Path, **_: Any) -> Iterator[Fetched]:
        return iter(())

    def store(self, files: Sequence[Path], **_: Any) -> tuple[StoreOutcome, ...]:
        return ()

    def close(self) -> None:
        pass

    def __enter__(self) -> SlowArchive:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def config(name: str = "clinic", **fields: Any) -> Any:
    """What the settings say of an archive."""
    return SimpleNamespace(
        **{
            "name": name,
            "url": f"https://{name}.example/dicom-web",
            "dimse": "",
            "user": "reader",
            "auth": "basic",
            "where": name,
            **fields,
        }
    )


def press(widget: Any, key: str, qtbot: Any) -> None:
    """Press a key in a dialog, at whatever has the focus there."""
    from qtpy.QtGui import QKeySequence
    from qtpy.QtTest import QTest
    from qtpy.QtWidgets import QApplication

    (combination,) = QKeySequence(key)
    dialog = widget.window()
    QTest.keyClick(
        dialog.focusWidget() or QApplication.focusWidget() or dialog,
        combination.key(),
        combination.keyboardModifiers(),
    )
    qtbot.wait(10)


@dataclass
class MemoryArchive(SlowArchive):
    """Keeps what it is given; `error` is its lost connection, `refusal` what it says of an object."""

    held: dict[str, tuple[InstanceRow, bytes]] = field(default_factory=dict)
    refusal: str = ""
    stores: int = 0

    def find_studies(self, query: StudyQuery, *, stop: Callable[[], bool] | None = None) -> StudyRows:
        self.wait(stop)
        return StudyRows((), True)

    def find_instances(self, study_instance_uid: str, **asked: Any) -> tuple[InstanceRow, ...]:
        self.wait(asked.get("stop"))
        return tuple(row for row, _ in self.held.values() if row.study_instance_uid == study_instance_uid)

    def fetch(self, instances: Sequence[InstanceRow], folder: Path, **_: Any) -> Iterator[Fetched]:
        for one in instances:
            path = folder / f"{one.sop_instance_uid}.dcm"
            path.write_bytes(self.held[one.sop_instance_uid][1])
            yield Fetched(one, path, path.stat().st_size)

    def store(self, files: Sequence[Path], **asked: Any) -> tuple[StoreOutcome, ...]:
        from veinscan.pacs.queue_facts import facts_of

        self.wait(asked.get("stop"))
        outcomes = []
        for path in files:
            self.stores += 1
            facts = facts_of(path)
            if not self.refusal:
                found = InstanceRow(
                    study_instance_uid=facts.study_instance_uid,
                    series_instance_uid=facts.series_instance_uid,
                    sop_instance_uid=facts.sop_instance_uid,
                )
                self.held[facts.sop_instance_uid] = (found, path.read_bytes())
            outcomes.append(
                StoreOutcome(
                    sop_instance_uid=facts.sop_instance_uid, accepted=not self.refusal, reason=self.refusal
                )
            )
        return tuple(outcomes)


@contextmanager
def the_window_waits_for_nobody() -> Iterator[None]:
    """Inside, the window's thread may neither join another thread nor wait for one."""
    main = threading.main_thread()
    join, wait, start = threading.Thread.join, threading.Condition.wait, threading.Thread.start
    waited: list[str] = []
    starting: list[bool] = []

    def noted(what: str, timeout: float | None) -> None:
        if threading.current_thread() is main and not starting and timeout != 0:
            waited.append(f"{what}({timeout})")

    def noted_join(self: threading.Thread, timeout: float | None = None) -> None:
        noted("join", timeout)
        join(self, timeout)

    def noted_wait(self: threading.Condition, timeout: float | None = None) -> bool:
        noted("wait", timeout)
        return wait(self, timeout)

    def noted_start(self: threading.Thread) -> None:
        if threading.current_thread() is not main:
            start(self)
            return
        starting.append(True)  # a thread that begins is waited for until it has begun
        try:
            start(self)
        finally:
            starting.pop()

    patches = (
        ("Thread", "join", noted_join),
        ("Condition", "wait", noted_wait),
        ("Thread", "start", noted_start),
    )
    with ExitStack() as stack:
        for kind, name, stand_in in patches:
            stack.enter_context(patch.object(getattr(threading, kind), name, stand_in))
        yield
    assert waited == []
