"""Every step of a write fails, once and for ever: nothing earlier is touched, nothing is left behind."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from record_studies import FakeStudy

from veinscan.errors import NotSavedError
from veinscan.plan import editing
from veinscan.plan.ids import new_uid
from veinscan.plan.model import InjectionTarget, Reader, Record
from veinscan.record import files as files_module
from veinscan.record import load_record, save_record
from veinscan.record.files import TEMPORARY, mode_of_folder, sweep, write_new

READER = Reader(name="Anna")
CALLS = ("open", "write", "fsync", "link", "close")
WAYS = ((errno.EIO, False), (errno.EIO, True), (errno.ENOSPC, False))
"""What fails, and whether for ever."""


class Faults:
    """Stands before the system calls of `files`, and makes the n-th fail, once or from then on."""

    def __init__(self, fail_at: int | None, number: int, persistent: bool) -> None:
        self.fail_at, self.number, self.persistent = fail_at, number, persistent
        self.calls: list[str] = []

    def wrap(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls.append(name)
            place = len(self.calls) - 1
            hit = self.fail_at is not None and (
                place == self.fail_at or (self.persistent and place > self.fail_at)
            )
            if hit:
                if name == "close":
                    real(*args, **kwargs)
                raise OSError(self.number, os.strerror(self.number))
            return real(*args, **kwargs)

        return call


@contextmanager
def faults(fail_at: int | None, number: int = errno.EIO, persistent: bool = False) -> Iterator[Faults]:
    shim = Faults(fail_at, number, persistent)
    with pytest.MonkeyPatch.context() as patch:
        for name in CALLS:
            patch.setattr(files_module.os, name, shim.wrap(name, getattr(os, name)))
        yield shim


def a_record(study: FakeStudy) -> Record:
    target = InjectionTarget(
        id=new_uid(),
        order=0,
        sop_instance_uid=study.clips[0].sop_instance_uid,
        frame_index=0,
        point=(60.0, 60.0),
    )
    return editing.add_target(load_record(study), target)


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())} if folder.exists() else {}


def test_every_call_of_a_save_may_fail_and_nothing_is_lost(study: FakeStudy) -> None:
    first = save_record(study, a_record(study), READER)
    record = editing.update_target(first.record, first.record.targets[0].id, notes="second")
    folder = study.root / "veinscan"
    before = content(folder)
    with faults(None) as shim:
        done = save_record(study, record, READER)
    steps = shim.calls
    assert {"open", "write", "fsync", "link", "close"} <= set(steps)
    done.path.unlink()
    saved = 0
    for place in range(len(steps)):
        for number, persistent in WAYS:
            result = None
            with faults(place, number, persistent):
                try:
                    result = save_record(study, record, READER)
                except NotSavedError as error:
                    assert "not saved" in error.what
                    assert os.strerror(number).lower() in error.what
                    assert error.do
            names = content(folder)
            assert not [name for name in names if TEMPORARY.fullmatch(name)], (steps[place], place, number)
            if result is None:
                assert names == before, (steps[place], place, number)
                assert load_record(study) == first.record
            else:
                # an opening that only looks at the folder may fail without harm
                saved += 1
                assert load_record(study) == result.record
                result.path.unlink()
    assert saved < len(steps) * len(WAYS) / 3


def test_the_first_save_of_a_study_may_fail_too(study: FakeStudy) -> None:
    record = a_record(study)
    with faults(None) as shim:
        save_record(study, record, READER).path.unlink()
    for place in range(len(shim.calls)):
        (study.root / "veinscan").rmdir()
        with faults(place):
            try:
                save_record(study, record, READER).path.unlink()
            except NotSavedError:
                assert load_record(study).targets == ()
        (study.root / "veinscan").mkdir(exist_ok=True)
        assert content(study.root / "veinscan") == {}


def test_short_writes_are_continued(study: FakeStudy) -> None:
    real = os.write
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files_module.os, "write", lambda handle, data: real(handle, bytes(data[:1000])))
        saved = save_record(study, a_record(study), READER)
    assert load_record(study) == saved.record


def test_what_is_read_back_wrong_is_not_saved(study: FakeStudy) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files_module, "read_all", lambda path: path.read_bytes()[:-2] + b"xx")
        with pytest.raises(NotSavedError, match="read back differs"):
            save_record(study, a_record(study), READER)
    assert content(study.root / "veinscan") == {}


def test_a_name_that_is_taken_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "1.dcm"
    path.write_bytes(b"earlier")
    with pytest.raises(NotSavedError, match="exists"):
        write_new(path, b"later", mode=0o644)
    assert content(tmp_path) == {"1.dcm": b"earlier"}


@pytest.mark.parametrize("taken", [False, True])
def test_a_disk_without_hard_links_is_written_all_the_same(tmp_path: Path, taken: bool) -> None:
    path = tmp_path / "1.dcm"
    if taken:
        path.write_bytes(b"earlier")

    def no_links(*args: Any) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files_module.os, "link", no_links)
        if taken:
            with pytest.raises(NotSavedError):
                write_new(path, b"later", mode=0o644)
        else:
            write_new(path, b"later", mode=0o644)
    assert content(tmp_path) == {"1.dcm": b"earlier" if taken else b"later"}


def test_the_disk_fills_up_while_writing(study: FakeStudy) -> None:
    """A limit on the size of files is the disk that fills up, without needing a disk."""
    resource = pytest.importorskip("resource")
    first = save_record(study, a_record(study), READER)
    import signal

    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, old[1]))
        with pytest.raises(NotSavedError, match="not saved"):
            save_record(study, first.record, READER)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)
    assert list(content(study.root / "veinscan")) == [first.path.name]
    assert load_record(study) == first.record


def test_a_folder_that_vanished_is_said(study: FakeStudy) -> None:
    record = a_record(study)
    away = study.root.with_name("away")
    study.root.rename(away)
    with pytest.raises(NotSavedError, match="no such file"):
        save_record(study, record, READER)
    away.rename(study.root)
    saved = save_record(study, record, READER)
    assert load_record(study) == saved.record


def test_temporary_files_of_the_dead_are_swept_and_those_of_the_living_kept(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    dead = tmp_path / f".veinscan-{files_module.host_mark()}-{child.pid}-0123abcd.tmp"
    mine = tmp_path / f".veinscan-{files_module.host_mark()}-{os.getpid()}-0123abcd.tmp"
    elsewhere = tmp_path / ".veinscan-00000000-1-0123abcd.tmp"
    old = tmp_path / ".veinscan-00000000-2-0123abcd.tmp"
    foreign = tmp_path / "something.tmp"
    for path in (dead, mine, elsewhere, old, foreign):
        path.write_bytes(b"x")
    os.utime(old, (0, 0))
    assert sweep(tmp_path) == 2
    assert sorted(content(tmp_path)) == sorted([mine.name, elsewhere.name, foreign.name])


def test_the_mode_without_any_neighbour_is_the_umasks(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        assert mode_of_folder(tmp_path) == 0o640
    finally:
        os.umask(old)


KILLED = """
import os
import sys
from pathlib import Path
from veinscan.record.files import write_new
folder = Path(sys.argv[1])
data = b"z" * 200_000
for number in range(100_000):
    path = folder / f"{sys.argv[2]}-{number}.dcm"
    write_new(path, data, mode=0o644)
    os.write(1, f"{path.name}\\n".encode())
"""


def test_killed_at_any_moment_every_file_is_whole_and_none_that_was_told_is_lost(tmp_path: Path) -> None:
    told: list[str] = []
    for run in range(12):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(tmp_path), str(run)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        told.append(process.stdout.readline().strip())
        # a little later each time, so that the kill falls into different steps
        told.extend(process.stdout.readline().strip() for _ in range(run))
        process.kill()
        told += [line.strip() for line in process.stdout.read().splitlines()]
        process.wait()
        process.stdout.close()
    sweep(tmp_path)
    there = content(tmp_path)
    assert set(told) <= set(there)
    assert set(there.values()) == {b"z" * 200_000}
    assert not [name for name in there if TEMPORARY.fullmatch(name)]
