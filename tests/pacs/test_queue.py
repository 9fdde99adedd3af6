"""The queue against an archive of many moods: nothing lost, nothing twice, 'stored' only when it is."""

from __future__ import annotations

import json
import os
import random
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule
from moody_archive import FOR_GOOD, KIND, MoodyArchive, make_object

from veinscan.errors import InvalidInputError, NotSavedError, PacsError
from veinscan.pacs.queue import SendQueue
from veinscan.pacs.queue_entry import FIRST_WAIT_S, LONGEST_WAIT_S, Sending, State, from_bytes, to_bytes
from veinscan.pacs.queue_folder import RECEIPTS
from veinscan.pacs.queue_order import in_order
from veinscan.record.locks import FileLock


class Time:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def pass_s(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def queue(tmp_path: Path, time: Time) -> SendQueue:
    return SendQueue(tmp_path / "queue", clock=time, chance=lambda: 1.0)


@pytest.fixture
def archive(tmp_path: Path) -> MoodyArchive:
    return MoodyArchive(tmp_path / "archive")


def connected(archive: MoodyArchive) -> Any:
    return lambda name, dimse=None: archive


def test_an_object_is_stored_when_it_was_found_and_read_back(
    queue: SendQueue, archive: MoodyArchive, tmp_path: Path
) -> None:
    uid = make_object(tmp_path / "a.dcm")
    put = queue.add("moody", None, tmp_path / "a.dcm")
    (tmp_path / "a.dcm").unlink()  # the queue has its own copy
    assert (put.state, put.kind, put.size > 100, put.sop_instance_uid) == ("waiting", "object", True, uid)
    result = queue.run(connected(archive))
    assert [one.state for one in result.stored] == [State.STORED]
    assert archive.held().keys() == {uid}
    assert archive.received() == {uid: 1}
    assert archive.closed == 1
    (receipt,) = queue.all()
    assert receipt.state is State.STORED
    assert queue.pending() == ()
    assert not list(queue.folder.glob("*.dcm"))
    assert result.next_try is None


def test_the_folder_is_its_users_alone_and_names_nobody(
    queue: SendQueue, archive: MoodyArchive, tmp_path: Path
) -> None:
    make_object(tmp_path / "a.dcm", PatientName="Secret^Person", PatientID="ID-77-SECRET")
    make_object(tmp_path / "b.dcm", PatientName="Secret^Person", PatientID="ID-77-SECRET")
    old = os.umask(0)
    try:
        queue.add("moody", None, tmp_path / "a.dcm")
        queue.add("Dr Secret's archive / ..", None, (tmp_path / "b.dcm").read_bytes())
    finally:
        os.umask(old)
    assert stat.S_IMODE(queue.folder.stat().st_mode) == 0o700
    for path in queue.folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert "secret" not in path.name.lower()
        if path.suffix == ".json":
            assert "Person" not in path.read_text()
            assert "ID-77" not in path.read_text()
    assert "ID-77" not in repr(queue.all())


def test_the_same_object_twice_is_one(queue: SendQueue, archive: MoodyArchive, tmp_path: Path) -> None:
    uid = make_object(tmp_path / "a.dcm")
    first = queue.add("moody", None, tmp_path / "a.dcm")
    assert queue.add("moody", None, (tmp_path / "a.dcm").read_bytes()) == first
    queue.run(connected(archive))
    # put in again after it was stored: asked for, found, not sent
    assert queue.add("moody", None, tmp_path / "a.dcm").state is State.WAITING
    assert len(queue.run(connected(archive)).stored) == 1
    assert archive.received() == {uid: 1}
    # and sent where the archive lost it
    (archive.folder / f"{uid}.dcm").unlink()
    queue.add("moody", None, tmp_path / "a.dcm")
    assert len(queue.run(connected(archive)).stored) == 1
    assert archive.received() == {uid: 2}


def test_one_object_for_two_archives_is_two_entries(queue: SendQueue, tmp_path: Path) -> None:
    make_object(tmp_path / "a.dcm")
    archives = {name: MoodyArchive(tmp_path / name) for name in ("one", "two")}
    queue.add("one", None, tmp_path / "a.dcm")
    queue.add("two", None, tmp_path / "a.dcm")
    result = queue.run(lambda name, dimse=None: archives[name or ""])
    assert len(result.stored) == 2
    assert all(len(archive.held()) == 1 for archive in archives.values())


def test_another_object_with_the_uid_of_one_in_the_queue_is_refused(queue: SendQueue, tmp_path: Path) -> None:
    uid = make_object(tmp_path / "a.dcm")
    make_object(tmp_path / "b.dcm", SOPInstanceUID=uid, ImageComments="something else")
    queue.add("moody", None, tmp_path / "a.dcm")
    with pytest.raises(InvalidInputError, match="another object with its UID"):
        queue.add("moody", None, tmp_path / "b.dcm")


@pytest.mark.parametrize("data", [b"", b"no DICOM", b"\0" * 128 + b"DICM" + b"\0" * 50])
def test_what_is_no_object_is_not_put_in(queue: SendQueue, data: bytes, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError):
        queue.add("moody", None, data)
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(InvalidInputError):
        queue.add("moody", None, tmp_path / "x")
    with pytest.raises(InvalidInputError):
        queue.add("moody", None, tmp_path / "missing")
    assert queue.all() == ()


def test_no_cut_of_an_object_is_put_in(queue: SendQueue, tmp_path: Path) -> None:
    make_object(tmp_path / "a.dcm", EncapsulatedDocument=b"x" * 200_000)
    data = (tmp_path / "a.dcm").read_bytes()
    for missing in (1, 2, 100, 150_000, 199_999):
        with pytest.raises(InvalidInputError, match="cut off"):
            queue.add("moody", None, data[:-missing])
        (tmp_path / "b.dcm").write_bytes(data[:-missing])
        with pytest.raises(InvalidInputError, match="cut off"):
            queue.add("moody", None, tmp_path / "b.dcm")
    assert queue.all() == ()
    assert queue.add("moody", None, data).size == len(data)


def test_a_lost_answer_sends_nothing_twice(
    queue: SendQueue, archive: MoodyArchive, time: Time, tmp_path: Path
) -> None:
    uid = make_object(tmp_path / "a.dcm")
    archive.mood = lambda uid: "takes and the answer is lost"
    queue.add("moody", None, tmp_path / "a.dcm")
    (waiting,) = queue.run(connected(archive)).unsent
    assert "connection was lost" in waiting.reason
    assert queue.run(connected(archive)).tried == ()  # its wait is not over
    time.pass_s(FIRST_WAIT_S)
    assert len(queue.run(connected(archive)).stored) == 1
    assert archive.received() == {uid: 1}


def test_a_yes_without_the_object_is_never_stored(
    queue: SendQueue, archive: MoodyArchive, time: Time, tmp_path: Path
) -> None:
    uid = make_object(tmp_path / "a.dcm")
    archive.mood = lambda uid: "says yes and keeps nothing"
    queue.add("moody", None, tmp_path / "a.dcm")
    for _ in range(9):
        queue.run(connected(archive), now=True)
        (one,) = queue.all()
        assert one.pending
        assert "a query does not find it" in one.reason
    # asked for twice before it is sent again
    assert archive.received() == {uid: 3}
    archive.mood = lambda uid: "takes"
    for _ in range(4):
        queue.run(connected(archive), now=True)
    assert queue.all()[0].state is State.STORED


def test_a_slow_archive_is_not_sent_an_object_again(
    queue: SendQueue, archive: MoodyArchive, tmp_path: Path
) -> None:
    uid = make_object(tmp_path / "a.dcm")
    archive.hides.add(uid)
    queue.add("moody", None, tmp_path / "a.dcm")
    assert queue.run(connected(archive), now=True).unsent[0].state is State.SENT
    assert queue.run(connected(archive), now=True).unsent[0].state is State.SENT
    archive.hides.clear()
    assert len(queue.run(connected(archive), now=True).stored) == 1
    assert archive.received() == {uid: 1}


def test_kept_although_it_said_no_is_stored(queue: SendQueue, archive: MoodyArchive, tmp_path: Path) -> None:
    make_object(tmp_path / "a.dcm")
    archive.mood = lambda uid: "takes and says no"
    queue.add("moody", None, tmp_path / "a.dcm")
    assert len(queue.run(connected(archive)).stored) == 1


def test_a_refusal_is_told_of_the_object_and_not_tried_again(
    queue: SendQueue, archive: MoodyArchive, time: Time, tmp_path: Path
) -> None:
    bad, good = make_object(tmp_path / "a.dcm"), make_object(tmp_path / "b.dcm")
    archive.mood = lambda uid: "refuses" if uid == bad else "takes"
    queue.add("moody", None, tmp_path / "a.dcm")
    queue.add("moody", None, tmp_path / "b.dcm")
    result = queue.run(connected(archive))
    assert [one.sop_instance_uid for one in result.stored] == [good]
    (refused,) = result.refused
    assert (refused.sop_instance_uid, refused.reason) == (
        bad,
        "the archive refused it (code 0122H): not taken here",
    )
    time.pass_s(1e6)
    assert queue.run(connected(archive), now=True).tried == ()
    # a person asks for it once more, or lets it go
    archive.mood = lambda uid: "takes"
    assert queue.again(bad) == 1
    assert len(queue.run(connected(archive)).stored) == 1
    assert queue.forget(bad) == 1
    assert {one.sop_instance_uid for one in queue.all()} == {good}
    with pytest.raises(InvalidInputError, match="no object"):
        queue.forget(bad)


def test_what_is_to_be_sent_is_not_forgotten(queue: SendQueue, tmp_path: Path) -> None:
    uid = make_object(tmp_path / "a.dcm")
    queue.add("moody", None, tmp_path / "a.dcm")
    with pytest.raises(InvalidInputError, match="is waiting"):
        queue.forget(uid)
    assert len(queue.pending()) == 1


def test_another_object_under_its_uid_in_the_archive_is_not_overwritten(
    queue: SendQueue, archive: MoodyArchive, tmp_path: Path
) -> None:
    uid = make_object(tmp_path / "a.dcm")
    make_object(tmp_path / "b.dcm", SOPInstanceUID=uid, ImageComments="something else")
    archive.put(tmp_path / "b.dcm")
    before = archive.held()
    queue.add("moody", None, tmp_path / "a.dcm")
    (refused,) = queue.run(connected(archive)).refused
    assert "holds another object with its UID" in refused.reason
    assert "ImageComments" in refused.reason
    assert "something else" not in refused.reason
    assert archive.held() == before
    assert archive.received() == {}


def test_changed_on_its_way_in_is_refused(queue: SendQueue, archive: MoodyArchive, tmp_path: Path) -> None:
    make_object(tmp_path / "a.dcm")
    archive.mood = lambda uid: "changes"
    queue.add("moody", None, tmp_path / "a.dcm")
    (refused,) = queue.run(connected(archive)).refused
    assert "keeps something else" in refused.reason


@pytest.mark.parametrize("lost", ["error", "garbage"])
def test_damaged_on_its_way_back_is_looked_at_again(
    queue: SendQueue, archive: MoodyArchive, tmp_path: Path, lost: str
) -> None:
    make_object(tmp_path / "a.dcm")
    once = [lost]
    archive.loses_on_the_way_back = lambda uid: once.pop() if once else ""
    queue.add("moody", None, tmp_path / "a.dcm")
    queue.run(connected(archive))
    queue.run(connected(archive), now=True)
    assert queue.all()[0].state is State.STORED


def test_waits_grow_and_no_object_of_an_archive_that_is_down_is_refused(
    queue: SendQueue, archive: MoodyArchive, time: Time, tmp_path: Path
) -> None:
    for number in range(4):
        make_object(tmp_path / f"{number}.dcm", study=f"1.2.{number}")
        queue.add("moody", None, tmp_path / f"{number}.dcm")
    archive.down = "tcp"
    waits = []
    for _ in range(12):
        archive.asked = 0
        result = queue.run(connected(archive))
        assert archive.asked == 1  # not once for every study
        assert len(result.unsent) == 4
        assert result.next_try is not None
        waits.append((result.next_try - time.at).total_seconds())
        time.at = max(one.next_try or time.at for one in queue.pending())
    assert waits[0] == FIRST_WAIT_S
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_WAIT_S
    assert waits[1] == 2 * waits[0]
    archive.down = ""
    assert len(queue.run(connected(archive)).stored) == 4


def test_a_wait_that_the_archive_asked_for_is_kept(
    queue: SendQueue, archive: MoodyArchive, time: Time, tmp_path: Path
) -> None:
    make_object(tmp_path / "a.dcm")
    queue.add("moody", None, tmp_path / "a.dcm")
    archive.down, archive.retry_after_s = "stow", 120.0
    (one,) = queue.run(connected(archive)).unsent
    assert one.next_try == time.at + timedelta(seconds=120)


def test_a_refused_login_is_not_tried_again_soon(
    queue: SendQueue, archive: MoodyArchive, time: Time, tmp_path: Path
) -> None:
    make_object(tmp_path / "a.dcm")
    queue.add("moody", None, tmp_path / "a.dcm")
    archive.down = "login"
    (one,) = queue.run(connected(archive)).unsent
    assert one.next_try == time.at + timedelta(seconds=LONGEST_WAIT_S)
    archive.down = ""
    assert len(queue.run(connected(archive), now=True).stored) == 1  # a person who mended it does not wait


@given(st.integers(1, 60), st.floats(0, 1))
def test_waits_lie_between_their_bounds(tries: int, chance: float) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    one = Sending(
        sop_instance_uid="1.2", study_instance_uid="1", archive="a", added_at=at, changed_at=at, tries=tries
    )
    later = one.later("why", at, chance=chance)
    assert later.next_try is not None
    assert FIRST_WAIT_S <= (later.next_try - at).total_seconds() <= LONGEST_WAIT_S
    assert not later.due(at)
    assert later.due(later.next_try)
    assert later.due(at - timedelta(days=400))  # the clock was set back
    assert from_bytes(to_bytes(later)) == later


def test_what_a_program_died_over_is_not_taken_up_at_once(
    queue: SendQueue, archive: MoodyArchive, time: Time, tmp_path: Path
) -> None:
    make_object(tmp_path / "a.dcm")
    entry = queue.add("moody", None, tmp_path / "a.dcm")
    lock = queue.folder / f"{entry.key}.lock"
    lock.touch()
    os.utime(lock, (1e9, 1e9))
    assert queue.run(connected(archive)).tried == ()
    (waiting,) = queue.pending()
    assert (waiting.tries, waiting.reason) == (1, "the program ended while it was sent")
    assert not list(queue.folder.glob("*.lock"))
    time.pass_s(FIRST_WAIT_S)
    assert len(queue.run(connected(archive)).stored) == 1


def test_settings_that_are_wrong_refuse_nothing(queue: SendQueue, tmp_path: Path) -> None:
    make_object(tmp_path / "a.dcm")
    queue.add("gone", None, tmp_path / "a.dcm")

    def connect(name: str | None, *, dimse: str | None = None) -> MoodyArchive:
        raise InvalidInputError("there is no archive 'gone'")

    (one,) = queue.run(connect).unsent
    assert "there is no archive" in one.reason


def test_a_pass_can_be_stopped_and_goes_on_later(
    queue: SendQueue, archive: MoodyArchive, tmp_path: Path
) -> None:
    for number in range(40):
        make_object(tmp_path / f"{number}.dcm")
        queue.add("moody", None, tmp_path / f"{number}.dcm")
    told: list[tuple[int, int]] = []
    result = queue.run(
        connected(archive),
        stop=lambda: len(told) >= 16,
        progress=lambda done, total, one: told.append((done, total)),
    )
    assert result.stopped
    assert 16 <= len(result.stored) < 40
    assert told[:2] == [(1, 40), (2, 40)]
    queue.run(connected(archive), now=True)
    assert queue.pending() == ()
    assert set(archive.received().values()) == {1}


def test_a_long_study_is_not_listed_for_every_few_objects(
    queue: SendQueue, archive: MoodyArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("veinscan.pacs.queue_try._LONG_LIST", 20)
    uids = {make_object(tmp_path / f"{number}.dcm") for number in range(50)}
    for number in range(50):
        queue.add("moody", None, tmp_path / f"{number}.dcm", flush=False)
    listed = []
    find = archive.find_instances

    def counted(study: str, **asked: Any) -> Any:
        rows = find(study, **asked)
        listed.append(len(rows))
        return rows

    archive.find_instances = counted  # type: ignore[method-assign]
    assert len(queue.run(connected(archive)).stored) == 50
    assert archive.received() == dict.fromkeys(uids, 1)
    assert sum(listed) < 150  # 400 if the whole study were listed before and after each 16


def test_a_report_that_comes_with_its_images_is_not_said_to_lie_alone(
    queue: SendQueue, archive: MoodyArchive, tmp_path: Path
) -> None:
    make_object(tmp_path / "a.dcm")
    make_object(tmp_path / "b.dcm", Rows=2)
    for name in "ab":
        queue.add("moody", None, tmp_path / f"{name}.dcm")
    assert [one.note for one in queue.run(connected(archive)).stored] == ["", ""]
    make_object(tmp_path / "c.dcm", study="1.2.99")
    queue.add("moody", None, tmp_path / "c.dcm")
    assert "without images" in queue.run(connected(archive)).stored[0].note


def test_what_is_being_sent_is_not_waited_for(queue: SendQueue, tmp_path: Path) -> None:
    make_object(tmp_path / "a.dcm")
    entry = queue.add("moody", None, tmp_path / "a.dcm")
    lock = FileLock.take(queue.folder / f"{entry.key}.lock")
    assert lock is not None
    assert queue.add("moody", None, tmp_path / "a.dcm") == entry
    result = queue.run(connected(MoodyArchive(tmp_path / "archive")))
    assert (result.tried, result.busy) == ((), 1)
    lock.release(remove=True)


def test_a_predecessor_goes_first(time: Time) -> None:
    def one(uid: str, *after: str) -> Sending:
        return Sending(
            sop_instance_uid=uid,
            study_instance_uid="1",
            archive="a",
            after=after,
            added_at=time.at,
            changed_at=time.at,
        )

    order = [
        x.sop_instance_uid for x in in_order([one("3", "2", "1"), one("2", "1", "0"), one("1"), one("9")])
    ]
    assert order.index("1") < order.index("2") < order.index("3")
    assert sorted(order) == ["1", "2", "3", "9"]
    assert len(in_order([one("1", "2"), one("2", "1")])) == 2


def test_what_is_damaged_is_set_aside_and_told(
    queue: SendQueue, archive: MoodyArchive, tmp_path: Path
) -> None:
    uids = [make_object(tmp_path / f"{number}.dcm") for number in range(5)]
    entries = [queue.add("moody", None, tmp_path / f"{number}.dcm") for number in range(5)]
    states = [queue.folder / f"{entry.key}.json" for entry in entries]
    objects = [queue.folder / f"{entry.key}.dcm" for entry in entries]
    states[0].write_text("{")
    plain = json.loads(states[1].read_text())
    plain["entry"]["state"] = "stored"  # a lie that the checksum tells
    states[1].write_text(json.dumps(plain))
    objects[2].write_bytes(objects[2].read_bytes()[:-4] + b"\0\0\0\0")
    states[3].write_bytes(states[4].read_bytes())  # under the name of another
    result = queue.run(connected(archive))
    assert {one.sop_instance_uid for one in result.stored} == {uids[4]}
    assert len(result.damaged) == 4
    assert all(one.path.is_file() and one.reason for one in result.damaged)
    assert queue.damaged() == SendQueue(queue.folder).damaged()
    assert archive.held().keys() == {uids[4]}
    assert len(queue.run(connected(archive), now=True).damaged) == 4  # told until somebody has seen to it
    # put in again they go
    for number in range(4):
        queue.add("moody", None, tmp_path / f"{number}.dcm")
    assert len(queue.run(connected(archive)).stored) == 4
    assert queue.forget_damaged() == 4
    assert queue.damaged() == ()
    assert len(queue.all()) == 5


def test_receipts_are_bounded(
    queue: SendQueue, time: Time, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, archive: MoodyArchive
) -> None:
    assert RECEIPTS >= 100
    monkeypatch.setattr("veinscan.pacs.queue_folder.RECEIPTS", 3)
    uids = []
    for number in range(6):
        uids.append(make_object(tmp_path / f"{number}.dcm"))
        queue.add("moody", None, tmp_path / f"{number}.dcm")
        time.pass_s(60)
        queue.run(connected(archive))
    queue.run(connected(archive))
    assert [one.sop_instance_uid for one in queue.all()] == uids[3:]


def test_a_full_disk_says_so_and_puts_nothing_in(
    queue: SendQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_object(tmp_path / "a.dcm")

    def fails(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(NotSavedError, match="no space left"):
        queue.add("moody", None, tmp_path / "a.dcm")
    monkeypatch.undo()
    assert queue.all() == ()
    assert not list(queue.folder.glob("*.dcm"))
    assert len(SendQueue(queue.folder).all()) == 0


def test_a_disk_that_fails_while_sending_is_said_and_loses_nothing(
    queue: SendQueue, archive: MoodyArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = make_object(tmp_path / "a.dcm")
    queue.add("moody", None, tmp_path / "a.dcm")
    calls = 0

    def fails(folder: object, one: Sending) -> Sending:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise NotSavedError("not written: no space left on device")
        return write(folder, one)

    from veinscan.pacs.queue_folder import QueueFolder

    write = QueueFolder.write
    monkeypatch.setattr(QueueFolder, "write", fails)
    with pytest.raises(NotSavedError):
        queue.run(connected(archive))
    monkeypatch.undo()
    assert len(queue.pending()) == 1
    queue.run(connected(archive), now=True)
    assert queue.pending() == ()
    assert archive.received() == {uid: 1}


def test_another_patient_in_the_archive_is_refused(
    queue: SendQueue, archive: MoodyArchive, tmp_path: Path
) -> None:
    make_object(tmp_path / "there.dcm", PatientID="P1")
    archive.put(tmp_path / "there.dcm")
    make_object(tmp_path / "other.dcm", PatientID="P2-SECRET")
    make_object(tmp_path / "born.dcm", PatientBirthDate="19711111")
    good = make_object(tmp_path / "good.dcm", PatientBirthDate="")
    for name in ("other", "born", "good"):
        queue.add("moody", None, tmp_path / f"{name}.dcm")
    result = queue.run(connected(archive))
    assert [one.sop_instance_uid for one in result.stored] == [good]
    reasons = {one.reason for one in result.refused}
    assert any("the Patient IDs differ" in reason for reason in reasons)
    assert any("the birth dates differ" in reason for reason in reasons)
    assert not any("SECRET" in reason or "1971" in reason for reason in reasons)
    assert len(archive.held()) == 2


@pytest.mark.parametrize("removed", ["YES", "NO"])  # NO: of an export whose pixels nobody has looked at yet
def test_without_identity_it_makes_no_study_of_its_own(
    queue: SendQueue, archive: MoodyArchive, tmp_path: Path, removed: str
) -> None:
    values = {"PatientIdentityRemoved": removed, "DeidentificationMethod": "x", "PatientID": "pseudonym"}
    make_object(tmp_path / "a.dcm", **values)
    queue.add("moody", None, tmp_path / "a.dcm")
    (refused,) = queue.run(connected(archive)).refused
    assert "identity was removed" in refused.reason
    queue.add("moody", None, tmp_path / "a.dcm", deidentified_study=True)
    assert len(queue.run(connected(archive)).stored) == 1
    # a study that lies there without identity takes more of its own
    make_object(tmp_path / "b.dcm", **values)
    queue.add("moody", None, tmp_path / "b.dcm")
    assert len(queue.run(connected(archive)).stored) == 1


class Machine(RuleBasedStateMachine):
    """Random sequences of acts, by two windows on one queue, against an archive of random moods."""

    objects = Bundle("objects")

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        self.rng = random.Random(0)  # noqa: S311 - spreads waits
        self.temporary = tempfile.TemporaryDirectory()
        self.root = Path(self.temporary.name)
        self.time = Time()
        self.queues = [
            SendQueue(self.root / "queue", clock=self.time, chance=self.rng.random) for _ in range(2)
        ]
        self.archive = MoodyArchive(self.root / "archive", mood=lambda uid: self.moods.get(uid, "takes"))
        self.moods: dict[str, str] = {}
        self.files: dict[str, Path] = {}
        self.added: set[str] = set()

    def teardown(self) -> None:
        # whatever happened: with an archive that takes everything it all gets there
        self.moods.clear()
        self.archive.down = ""
        for _ in range(8):
            self.time.pass_s(LONGEST_WAIT_S)
            self.queues[0].run(connected(self.archive))
        states = {one.sop_instance_uid: one.state for one in self.queues[1].all()}
        assert set(states) == self.added
        assert set(states.values()) <= {State.STORED, State.REFUSED}
        self.temporary.cleanup()

    @rule(target=objects, study=st.sampled_from(["1.2.3", "1.2.4"]))
    def make(self, study: str) -> str:
        path = self.root / f"{len(self.files)}.dcm"
        # the same in every run: what an archive does may depend on it
        uid = make_object(path, study=study, SOPInstanceUID=f"1.2.826.{len(self.files)}")
        self.files[uid] = path
        return uid

    @rule(uid=objects, window=st.integers(0, 1))
    def add(self, uid: str, window: int) -> None:
        self.queues[window].add("moody", None, self.files[uid])
        self.added.add(uid)

    @rule(uid=objects, mood=st.sampled_from(KIND + FOR_GOOD))
    def set_mood(self, uid: str, mood: str) -> None:
        self.moods[uid] = mood

    @rule(window=st.integers(0, 1), now=st.booleans(), seconds=st.sampled_from([0.0, 5.0, 40.0, 4000.0]))
    def run_once(self, window: int, now: bool, seconds: float) -> None:
        self.time.pass_s(seconds)
        self.queues[window].run(connected(self.archive), now=now)

    @rule(step=st.sampled_from(["", "", "tcp", "qido", "tls"]))
    def connection(self, step: str) -> None:
        self.archive.down = step

    @rule(index=st.integers(0, 50))
    def archive_loses_one(self, index: int) -> None:
        """Not known to the queue before it is asked again: a receipt stays a receipt of what was so then."""
        stored = {one.sop_instance_uid for one in self.queues[0].all() if one.state is State.STORED}
        uids = sorted(self.archive.held().keys() - stored)
        if uids:
            (self.archive.folder / f"{uids[index % len(uids)]}.dcm").unlink()

    @invariant()
    def nothing_is_lost(self) -> None:
        for one in self.queues:
            assert {entry.sop_instance_uid for entry in one.all()} == self.added

    @invariant()
    def stored_is_there_and_the_same(self) -> None:
        held = self.archive.held()
        for entry in self.queues[0].all():
            if entry.state is State.STORED:
                assert held[entry.sop_instance_uid] == self.files[entry.sop_instance_uid].read_bytes()
            else:
                assert (self.queues[0].folder / f"{entry.key}.dcm").is_file()

    @invariant()
    def nothing_is_sent_that_is_there(self) -> None:
        assert not [uid for uid in self.archive.received() if uid.startswith("+")]


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=int(os.environ.get("CASES", "40")),
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def test_an_error_of_the_archive_names_no_value(archive: MoodyArchive) -> None:
    archive.down = "qido"
    with pytest.raises(PacsError):
        archive.find_instances("1.2.3")
