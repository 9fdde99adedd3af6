"""The draft: what was shown as recorded is there after any end of the program."""

from __future__ import annotations

import os
import random
import sqlite3
import stat
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from record_strategies import records
from record_studies import FakeStudy

from veinscan.plan import editing
from veinscan.plan.ids import new_uid
from veinscan.plan.model import InjectionTarget, Reader, Record
from veinscan.plan.normal import normalised
from veinscan.record import draft as draft_module
from veinscan.record import draft_states, load_record, save_record
from veinscan.record.draft import Draft, DraftError, pending_drafts
from veinscan.record.locks import FileLock
from veinscan.record.store import study_folder


def target(notes: str = "") -> InjectionTarget:
    return InjectionTarget(
        id=new_uid(), order=0, sop_instance_uid="1.2.3", frame_index=1, point=(60.0, 70.0), notes=notes
    )


def started(study: FakeStudy, *notes: str) -> Draft:
    draft = Draft.start(study, load_record(study))
    for text in notes:
        draft.record(editing.add_target(draft.current, target(text)), f"add {text}")
    return draft


def notes(record: Record) -> str:
    return "".join(entry.notes for entry in record.targets)


def folder(study: FakeStudy) -> Path:
    return study_folder(study.study_instance_uid, "drafts")


def left_behind(study: FakeStudy, *texts: str) -> Record:
    draft = started(study, *texts)
    record = draft.current
    draft.close()
    return record


def test_looking_writes_nothing(study: FakeStudy) -> None:
    draft = Draft.start(study, load_record(study))
    draft.undo()
    draft.redo()
    assert pending_drafts(study) == ()
    assert not folder(study).exists()
    assert draft.is_empty


def test_edits_are_offered_with_undo_and_redo_when_the_window_is_gone(study: FakeStudy) -> None:
    draft = started(study, "a", "b", "c")
    draft.undo()
    assert pending_drafts(study) == ()  # its window is open
    draft.close()
    (pending,) = pending_drafts(study)
    assert (pending.edits, pending.label, pending.based_on) == (2, "add c", ())
    again = Draft.resume(study, pending)
    assert notes(again.current) == "ab"
    assert (again.undo_label, again.redo_label) == ("add b", "add c")
    assert notes(again.redo()) == "abc"
    assert notes(again.undo()) == "ab"
    assert notes(again.undo()) == "a"
    again.record(editing.add_target(again.current, target("x")), "add x")
    assert notes(again.redo()) == "ax"
    assert again.redo_label is None
    assert [notes(again.undo()) for _ in range(3)] == ["a", "", ""]
    assert again.undo_label is None and again.is_empty


@given(st.lists(records(), min_size=1, max_size=2))
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_field_survives_the_draft(study: FakeStudy, states: list[Record]) -> None:
    draft = Draft.start(study, states[0])
    for record in states:
        draft.record(record, "edit ü")
    draft.close()
    (pending,) = pending_drafts(study)
    again = Draft.resume(study, pending)
    for record in reversed(states):
        assert again.current == record
        again.undo()
    again.discard()


@st.composite
def histories(draw: st.DrawFn) -> list[Record]:
    """Records of a few marks each, taken from one pool: marks come, go, change and move."""
    pool = draw(records())
    drawn = []
    for _ in range(draw(st.integers(1, 6))):
        targets = draw(st.permutations(pool.targets))[: draw(st.integers(0, len(pool.targets)))]
        changed = [replace(one, notes=draw(st.sampled_from([one.notes, "x"]))) for one in targets]
        reviews = draw(st.permutations(pool.reviews))[: draw(st.integers(0, len(pool.reviews)))]
        sessions = draw(st.sampled_from([pool.sessions, ()]))
        record = replace(pool, targets=tuple(changed), reviews=tuple(reviews), sessions=sessions)
        drawn.append(normalised(record))
    return drawn


@given(histories(), st.integers(0, 6), st.integers(0, 6))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_history_is_read_back_step_by_step(
    study: FakeStudy, states: list[Record], back: int, restart: int
) -> None:
    draft = Draft.start(study, Record(reading=states[0].reading))
    for number, record in enumerate(states):
        if number == restart:
            draft.close()
            draft = next((Draft.resume(study, one) for one in pending_drafts(study)), draft)
        draft.record(record, "edit")
    for _ in range(back):
        draft.undo()
    draft.record(states[0], "the first again")
    expected = [*states[: max(len(states) - back, 0)], states[0]]
    draft.close()
    (pending,) = pending_drafts(study)
    again = Draft.resume(study, pending)
    assert again.edits == len(expected)
    for record in reversed(expected):
        assert again.current == record
        again.undo()
    assert again.current == again.base == Record(reading=states[0].reading)
    again.discard()


def test_an_edit_costs_what_it_changed(study: FakeStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    record = load_record(study)
    for number in range(30):
        record = editing.add_target(record, target(str(number)))
    draft = Draft.start(study, record)
    stored: list[Any] = []
    real = draft_states._stored
    monkeypatch.setattr(draft_states, "_stored", lambda *args: stored.append(args[1]) or real(*args))
    cost = []
    for edit in (
        lambda: draft.record(
            editing.update_target(draft.current, draft.current.targets[3].id, notes="x"), "a"
        ),
        lambda: draft.record(editing.add_target(draft.current, target("new")), "b"),
        lambda: draft.record(editing.move_target(draft.current, draft.current.targets[-1].id, 1), "c"),
        lambda: draft.record(editing.remove_target(draft.current, draft.current.targets[0].id), "d"),
        draft.undo,
        draft.redo,
    ):
        stored.clear()
        edit()
        cost.append(len([one for one in stored if isinstance(one, InjectionTarget)]))
    assert cost == [1, 1, 0, 0, 0, 0]
    draft.close()
    size = draft.path.stat().st_size
    (pending,) = pending_drafts(study)
    again = Draft.resume(study, pending)
    stored.clear()
    again.record(editing.update_target(again.current, again.current.targets[0].id, notes="y"), "e")
    assert len(stored) == 1
    assert again.path.stat().st_size < size + 20_000


def test_a_file_that_somebody_removed_is_written_anew_with_every_step(study: FakeStudy) -> None:
    draft = started(study, "a", "b")
    for path in folder(study).iterdir():
        path.unlink()
    folder(study).rmdir()
    draft.record(editing.add_target(draft.current, target("c")), "add c")
    draft.close()
    (pending,) = pending_drafts(study)
    again = Draft.resume(study, pending)
    assert [notes(again.current), notes(again.undo()), notes(again.undo()), notes(again.undo())] == [
        "abc",
        "ab",
        "a",
        "",
    ]


def test_a_save_empties_the_draft(study: FakeStudy) -> None:
    draft = started(study, "a")
    saved = save_record(study, draft.current, Reader(name="Anna"))
    draft.saved(saved.record)
    assert list(folder(study).iterdir()) == []
    assert draft.current == saved.record and draft.is_empty and draft.undo_label is None
    draft.record(editing.add_target(draft.current, target("b")), "add b")
    draft.close()
    (pending,) = pending_drafts(study)
    assert pending.based_on == saved.record.heads
    assert notes(Draft.resume(study, pending).undo()) == "a"


def test_a_draft_is_for_its_user_alone_and_names_nobody(study: FakeStudy) -> None:
    draft = started(study, "a")
    assert stat.S_IMODE(draft.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(draft.path.parent.stat().st_mode) == 0o700
    assert draft.path.is_relative_to(os.environ["XDG_DATA_HOME"])
    assert b"Phantom" not in draft.path.read_bytes()


def test_a_draft_that_one_window_took_is_not_given_to_another(study: FakeStudy) -> None:
    left_behind(study, "a")
    (pending,) = pending_drafts(study)
    mine = Draft.resume(study, pending)
    assert pending_drafts(study) == ()
    with pytest.raises(DraftError, match="another window"):
        Draft.resume(study, pending)
    mine.discard()
    with pytest.raises(DraftError, match="another window"):
        Draft.resume(study, pending)
    assert not list(folder(study).glob("*.draft"))


def test_a_lock_without_a_draft_is_left_over_and_goes(study: FakeStudy) -> None:
    """Killed after the lock was taken and before the file was made, or between the removal of the two."""
    draft = started(study, "a")
    orphan = folder(study) / "0123456789abcdef.lock"
    orphan.touch()
    held = FileLock.take(folder(study) / "fedcba9876543210.lock")
    assert held is not None
    assert pending_drafts(study) == ()
    assert not orphan.exists()
    assert (folder(study) / "fedcba9876543210.lock").exists()
    held.release(remove=True)
    draft.discard()
    assert list(folder(study).iterdir()) == []


def test_two_windows_have_two_drafts(study: FakeStudy) -> None:
    one, two = started(study, "a"), started(study, "b")
    one.close()
    two.close()
    found = pending_drafts(study)
    assert {notes(Draft.resume(study, entry).current) for entry in found} == {"a", "b"}


@pytest.mark.parametrize("damage", ["text", "cut", "mark", "place", "study"])
def test_a_damaged_draft_is_an_error_that_names_it_and_is_kept(study: FakeStudy, damage: str) -> None:
    draft = started(study, "a", "b")
    draft.close()
    data = draft.path.read_bytes()
    if damage == "text":
        draft.path.write_bytes(b"hello" * 1000)
    elif damage == "cut":
        draft.path.write_bytes(data[:-3000])
    else:
        connection = sqlite3.connect(draft.path)
        connection.execute(
            {
                "mark": "UPDATE mark SET content = replace(content, 'SCOORD', 'SCOORE')",
                "place": "UPDATE place SET number = 9",
                "study": "UPDATE about SET study = '1.2.3'",
            }[damage]
        )
        connection.commit()
        connection.close()
    size = draft.path.stat().st_size
    with pytest.raises(DraftError) as caught:
        for pending in pending_drafts(study):
            Draft.resume(study, pending)
    assert str(draft.path) in str(caught.value) or caught.value.where == ""
    assert draft.path.stat().st_size == size


def test_a_draft_of_a_newer_program_is_not_touched(study: FakeStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(draft_module, "SCHEMA", 9)
        left_behind(study, "a")
    with pytest.raises(DraftError, match="newer veinscan"):
        pending_drafts(study)
    assert len(list(folder(study).glob("*.draft"))) == 1


class Refusing:
    """A connection that fails its n-th statement, and from then on where asked."""

    left = 10**9
    persistent = False

    def __init__(self, real: sqlite3.Connection) -> None:
        self._real = real

    def execute(self, *args: Any) -> Any:
        Refusing.left -= 1
        if Refusing.left == 0 or (Refusing.persistent and Refusing.left < 0):
            raise sqlite3.OperationalError("disk I/O error")
        return self._real.execute(*args)

    def close(self) -> None:
        self._real.close()


@pytest.mark.parametrize("persistent", [False, True])
def test_any_statement_may_fail_and_the_draft_stands_where_it_stood(
    study: FakeStudy, monkeypatch: pytest.MonkeyPatch, persistent: bool
) -> None:
    real = draft_module._connect
    monkeypatch.setattr(draft_module, "_connect", lambda path: Refusing(real(path)))
    monkeypatch.setattr(Refusing, "persistent", persistent)
    for number in range(1, 30):
        Refusing.left = 10**9
        draft = started(study, "a")
        Refusing.left = number
        failed = False
        try:
            draft.record(editing.add_target(draft.current, target("b")), "add b")
        except DraftError as error:
            failed = True
            assert "not kept" in error.what and "disk i/o" in error.what
        assert notes(draft.current) == ("a" if failed else "ab")
        Refusing.left = 10**9
        draft.close()
        (pending,) = pending_drafts(study)
        again = Draft.resume(study, pending)
        assert notes(again.current) == ("a" if failed else "ab")
        again.discard()
    assert not failed  # the last numbers are beyond the last statement


def test_after_a_failure_the_next_edit_is_kept(study: FakeStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    draft = started(study, "a")
    draft.path.parent.rename(draft.path.parent.with_name("away"))
    draft._disconnect()
    with pytest.raises(DraftError):
        monkeypatch.setattr(draft_module, "_connect", refuse)
        draft.record(editing.add_target(draft.current, target("b")), "add b")
    assert notes(draft.current) == "a"


def refuse(path: Path) -> sqlite3.Connection:
    raise sqlite3.OperationalError("unable to open database file")


CHILD = """
import os
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from types import SimpleNamespace
from veinscan.plan import editing
from veinscan.plan.ids import new_uid
from veinscan.plan.model import InjectionTarget
from veinscan.record.draft import Draft, pending_drafts

def say(word, number):
    # in one piece: print may write a line in several, and be killed between them
    os.write(1, f"{word} {number}\\n".encode())


study = SimpleNamespace(study_instance_uid=sys.argv[2])
found = pending_drafts(study)
draft = Draft.resume(study, found[0]) if found else Draft.start(study, editing.new_record(study))
say("start", len(draft.current.targets))
while True:
    number = len(draft.current.targets)
    target = InjectionTarget(
        id=new_uid(), order=0, sop_instance_uid="1.2.3", frame_index=0, point=(1.0, 2.0), notes=str(number)
    )
    draft.record(editing.add_target(draft.current, target), f"add {number}")
    say("shown", number + 1)
"""


@pytest.mark.timeout(4000)
def test_killed_at_random_moments_no_edit_that_was_shown_is_lost(study: FakeStudy) -> None:
    """Each run goes on where the one before was killed; docs say how many more were run by hand."""
    kills = int(os.environ.get("KILLS", "12"))
    rng = random.Random(4)  # noqa: S311 - moments to kill at, no secret
    shown = 0
    for run in range(kills):
        process = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(Path(__file__).parent), study.study_instance_uid],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        word, count = process.stdout.readline().split()
        assert word == "start" and int(count) >= shown
        assert int(count) <= shown + 1  # the one edit that was on the disk and not yet on the screen
        if (
            run == 0
        ):  # on a busy machine a whole run can end before its first edit: one at least must be there
            shown = int(process.stdout.readline().split()[1])
        time.sleep(rng.uniform(0.0, 0.05))
        process.kill()
        for line in process.stdout.read().splitlines():
            if line.startswith("shown "):
                shown = max(shown, int(line.split()[1]))
        shown = max(shown, int(count))
        process.stdout.close()
        process.wait()
    (pending,) = pending_drafts(study)
    draft = Draft.resume(study, pending)
    assert shown <= len(draft.current.targets) <= shown + 1
    assert [entry.notes for entry in draft.current.targets] == [
        str(i) for i in range(len(draft.current.targets))
    ]
    draft.discard()
    assert list(folder(study).iterdir()) == []
