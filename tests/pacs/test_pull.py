from __future__ import annotations

import errno
import itertools
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from memory_archive import MemoryArchive, changed
from us_files import STUDY, save_grey, speckle

from veinscan.dicom import open_study
from veinscan.dicom.sources import ARRIVALS
from veinscan.errors import (
    AmbiguousStudyError,
    CancelledError,
    InvalidInputError,
    NotSavedError,
    PacsError,
    VeinscanError,
)
from veinscan.pacs import pull as pull_module
from veinscan.pacs.origin import origin_of, origin_path
from veinscan.pacs.pull import pull
from veinscan.plan.editing import new_record
from veinscan.plan.model import Reader
from veinscan.record import load_record, save_record


def clips(folder: Path, count: int = 4, **tags: object) -> list[Path]:
    return [
        save_grey(
            folder / f"{n}", speckle(2, seed=n), SOPInstanceUID=f"{STUDY}.2.{n}", InstanceNumber=n, **tags
        )
        for n in range(count)
    ]


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pull_module, "PAUSE_S", 0.0)


@pytest.fixture
def archive(tmp_path: Path) -> MemoryArchive:
    return MemoryArchive(*clips(tmp_path / "made"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "pulled"


def in_folder(folder: Path) -> dict[str, bytes]:
    """What lies in its place, by SOP Instance UID."""
    return {path.stem: path.read_bytes() for path in folder.rglob("*.dcm") if ARRIVALS not in path.parts}


def unfinished(folder: Path) -> list[str]:
    """Every file that is neither an object in its place nor the note."""
    return [
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".dcm" and path != origin_path(folder)
    ]


def plan_for(paths: list[Path], work: Path) -> Path:
    """A record of ours for a study of these files."""
    work.mkdir()
    for path in paths:
        (work / path.name).write_bytes(path.read_bytes())
    study = open_study(work)
    return save_record(study, new_record(study), Reader(name="Reader^Test")).path


# -- what is fetched


def test_every_object_lies_in_the_folder_byte_for_byte(archive: MemoryArchive, folder: Path) -> None:
    done = pull(archive, STUDY, folder)
    assert in_folder(folder) == archive.files()
    assert sorted(done.files) == sorted(folder.glob("*.dcm"))
    assert (done.folder, done.study_instance_uid, done.failed) == (folder, STUDY, ())
    assert done.bytes == sum(map(len, archive.objects.values()))
    assert not unfinished(folder) and not (folder / ARRIVALS).exists()
    assert [clip.sop_instance_uid for clip in open_study(folder).clips] == [
        f"{STUDY}.2.{n}" for n in range(4)
    ]
    assert open_study(folder).skipped == ()


def test_our_record_lies_where_it_is_looked_for(tmp_path: Path, archive: MemoryArchive, folder: Path) -> None:
    plan = plan_for(clips(tmp_path / "again"), tmp_path / "work")
    archive.add(plan)
    pull(archive, STUDY, folder)
    assert (folder / "veinscan" / plan.name).read_bytes() == plan.read_bytes()
    assert archive.sent[0] == plan.stem  # before the pictures
    study = open_study(folder)
    assert load_record(study).heads == (plan.stem,) and study.skipped == ()


def test_a_second_pull_fetches_what_is_missing_or_new(archive: MemoryArchive, folder: Path) -> None:
    pull(archive, STUDY, folder)
    archive.sent.clear()
    (folder / f"{STUDY}.2.1.dcm").unlink()
    new = archive.add(changed(archive.objects[f"{STUDY}.2.0"], SOPInstanceUID=f"{STUDY}.2.9"))
    done = pull(archive, STUDY, folder)
    assert archive.sent == [f"{STUDY}.2.1", new.sop_instance_uid]
    assert (done.fetched, len(done.files)) == (2, 5)
    assert "2 objects fetched" in done.sentence and "3 objects already here" in done.sentence
    assert in_folder(folder) == archive.files()


def test_modalities_limit_what_is_fetched_and_the_folder_says_it_is_a_part(
    tmp_path: Path, archive: MemoryArchive, folder: Path
) -> None:
    archive.add(plan_for(clips(tmp_path / "again"), tmp_path / "work"))
    done = pull(archive, STUDY, folder, modalities=("us",))
    assert len(done.files) == 4
    assert "not pulled whole" in open_study(folder).skipped[0].reason
    with pytest.raises(PacsError, match="none is of modality MR"):
        pull(archive, STUDY, folder, modalities=("MR",))


def test_progress_tells_objects_and_bytes_in_the_calling_thread(archive: MemoryArchive, folder: Path) -> None:
    told: list[tuple[int, int, int]] = []
    threads = set()

    def progress(done: int, total: int, size: int) -> None:
        threads.add(threading.get_ident())
        told.append((done, total, size))

    done = pull(archive, STUDY, folder, progress=progress)
    assert threads == {threading.get_ident()}
    assert [row[0] for row in told] == sorted(row[0] for row in told)
    assert told[-1] == (4, 4, done.bytes) and {row[1] for row in told} == {4}


# -- what goes wrong with one object


def wrong(archive: MemoryArchive) -> dict[str, tuple[object, str]]:
    good = archive.objects[f"{STUDY}.2.1"]
    named = f"{STUDY}.2.1".encode()
    return {
        "page": (b"<html>log in</html>" * 50, "not a DICOM object"),
        "empty": (b"", "not a DICOM object"),
        "other": (archive.objects[f"{STUDY}.2.0"], "another object"),
        "study": (changed(good, StudyInstanceUID=f"{STUDY}.77"), "another study"),
        "meta": (good.replace(named, f"{STUDY}.2.7".encode(), 1), "file meta information"),
        "told": (PacsError("the archive refuses it"), "refuses it"),
        "silence": (None, "does not send it"),
    }


@pytest.mark.parametrize("which", ["page", "empty", "other", "study", "meta", "told", "silence"])
def test_an_object_that_fails_is_told_and_stops_no_other(
    archive: MemoryArchive, folder: Path, which: str
) -> None:
    fault, words = wrong(archive)[which]
    archive.faults[f"{STUDY}.2.1"] = fault  # type: ignore[assignment]
    done = pull(archive, STUDY, folder)
    (failed,) = done.failed
    assert failed.sop_instance_uid == f"{STUDY}.2.1" and words in failed.reason
    expected = archive.files()
    del expected[f"{STUDY}.2.1"]
    assert in_folder(folder) == expected and unfinished(folder) in ([], [f"{ARRIVALS}/lock"])
    assert any("not pulled whole" in skipped.reason for skipped in open_study(folder).skipped)
    archive.faults.clear()
    assert pull(archive, STUDY, folder).fetched == 1
    assert in_folder(folder) == archive.files() and open_study(folder).skipped == ()


def test_what_failed_for_now_is_tried_again_while_others_come(archive: MemoryArchive, folder: Path) -> None:
    sop = f"{STUDY}.2.2"
    archive.faults[sop] = PacsError("too busy", temporary=True)

    def progress(done: int, total: int, size: int) -> None:
        if len(archive.sent) == 4:
            archive.faults.clear()

    assert pull(archive, STUDY, folder, progress=progress).failed == ()
    assert archive.sent.count(sop) == 2


def test_a_lost_connection_is_taken_up_again(archive: MemoryArchive, folder: Path) -> None:
    archive.dies_after = [1, 2]
    assert pull(archive, STUDY, folder).failed == ()
    assert in_folder(folder) == archive.files() and len(archive.sent) == 4


def test_no_connection_is_one_sentence(archive: MemoryArchive, folder: Path) -> None:
    archive.dies_after = [2, 0]
    with pytest.raises(PacsError, match=r"connection was lost \(2 of 4 objects are here\)") as caught:
        pull(archive, STUDY, folder)
    assert caught.value.temporary
    assert len(in_folder(folder)) == 2


def test_objects_that_were_not_asked_for_by_a_usable_uid_are_left_out(
    archive: MemoryArchive, folder: Path
) -> None:
    archive.relist(f"{STUDY}.2.0", sop_instance_uid="../../x")
    archive.relist(f"{STUDY}.2.1", study_instance_uid=f"{STUDY}.4")
    archive.rows.append(archive.rows[2])
    assert len(pull(archive, STUDY, folder).files) == 2
    assert not list(folder.parent.glob("x*"))


@pytest.mark.parametrize("uid", ["", "../x", "1.2;rm", "1." * 40])
def test_a_study_uid_that_is_none_is_refused(archive: MemoryArchive, folder: Path, uid: str) -> None:
    with pytest.raises(InvalidInputError, match="not a Study Instance UID") as told:
        pull(archive, uid, folder)
    assert told.value.where and "list of studies" in told.value.do
    assert not folder.exists()


def test_a_study_that_is_not_there_makes_no_folder(archive: MemoryArchive, folder: Path) -> None:
    with pytest.raises(PacsError, match="lists no object"):
        pull(archive, f"{STUDY}.404", folder)
    assert not folder.exists()


def test_an_object_of_another_patient_is_told_never_mixed_in(archive: MemoryArchive, folder: Path) -> None:
    sop = f"{STUDY}.2.3"
    archive.objects[sop] = changed(archive.objects[sop], PatientID="P2", PatientName="Somebody^Else")
    done = pull(archive, STUDY, folder)
    assert done.other_patients == (sop,) and "another patient" in done.notes[0]
    assert "P2" not in str(done) and "Somebody" not in str(done)
    with pytest.raises(AmbiguousStudyError, match="different patients"):
        open_study(folder)
    assert pull(archive, STUDY, folder).other_patients == (sop,)  # as well when all of it is here


# -- folders


def test_a_folder_of_somebody_else_is_refused_untouched(archive: MemoryArchive, folder: Path) -> None:
    folder.mkdir()
    (folder / "letter.txt").write_text("mine")
    with pytest.raises(InvalidInputError, match=r"not empty \('letter.txt'\)"):
        pull(archive, STUDY, folder)
    assert [path.name for path in folder.iterdir()] == ["letter.txt"] and archive.sent == []


def test_a_folder_of_another_study_or_archive_is_refused(
    tmp_path: Path, archive: MemoryArchive, folder: Path
) -> None:
    pull(archive, STUDY, folder)
    other = f"{STUDY}.5"
    archive.add(save_grey(tmp_path / "o", StudyInstanceUID=other))
    before = in_folder(folder)
    with pytest.raises(InvalidInputError, match="holds another study"):
        pull(archive, other, folder)
    archive.name = "another"
    with pytest.raises(InvalidInputError, match="came from the archive 'memory', not 'another'"):
        pull(archive, STUDY, folder)
    assert in_folder(folder) == before


@pytest.mark.parametrize("pulled_before", [False, True])
def test_an_arrival_folder_that_leads_elsewhere_empties_nothing(
    archive: MemoryArchive, folder: Path, tmp_path: Path, pulled_before: bool
) -> None:
    """It is emptied before and after a pull: who hands over a folder may have put a link there."""
    home = tmp_path / "home"
    (home / "letters").mkdir(parents=True)
    for path in (home / "a.txt", home / "letters" / "b.txt"):
        path.write_text("kept")
    if pulled_before:
        pull(archive, STUDY, folder)
    folder.mkdir(exist_ok=True)
    (folder / ARRIVALS).symlink_to(home, target_is_directory=True)
    with pytest.raises(InvalidInputError, match="leads to somewhere else"):
        pull(archive, STUDY, folder)
    assert sorted(path.name for path in home.rglob("*.txt")) == ["a.txt", "b.txt"]
    assert sorted(path.name for path in home.iterdir()) == ["a.txt", "letters"]


def test_a_stranger_among_the_pulled_files_is_refused_and_a_letter_is_not(
    tmp_path: Path, archive: MemoryArchive, folder: Path
) -> None:
    pull(archive, STUDY, folder)
    (folder / "plan.pdf").write_bytes(b"%PDF-1.7")
    assert pull(archive, STUDY, folder).fetched == 0
    save_grey(folder / "IM0001", StudyInstanceUID=f"{STUDY}.5")
    with pytest.raises(InvalidInputError, match="object of another study"):
        pull(archive, STUDY, folder)


def test_a_file_that_was_changed_is_told_and_left(archive: MemoryArchive, folder: Path) -> None:
    pull(archive, STUDY, folder)
    path = folder / f"{STUDY}.2.0.dcm"
    for data in (path.read_bytes()[:-1], b"x" * path.stat().st_size, archive.objects[f"{STUDY}.2.1"]):
        path.write_bytes(data)
        (failed,) = pull(archive, STUDY, folder).failed
        assert "not what the archive sent" in failed.reason and path.read_bytes() == data


def test_a_damaged_note_is_one_sentence(archive: MemoryArchive, folder: Path) -> None:
    pull(archive, STUDY, folder)
    origin_path(folder).write_text("{")
    with pytest.raises(InvalidInputError, match="cannot be used: it is not JSON"):
        pull(archive, STUDY, folder)


def test_two_pulls_into_one_folder_do_not_meet(archive: MemoryArchive, folder: Path) -> None:
    met: list[VeinscanError] = []

    def meanwhile() -> None:
        try:
            pull(archive, STUDY, folder)
        except VeinscanError as error:
            met.append(error)

    archive.faults[f"{STUDY}.2.0"] = meanwhile
    pull(archive, STUDY, folder)
    assert [error.what for error in met] == ["another program or window is pulling into the folder"]
    assert in_folder(folder) == archive.files()


# -- stopping and dying


@pytest.mark.parametrize("after", range(5))
def test_stopped_at_any_object_it_goes_on_from_there(
    archive: MemoryArchive, folder: Path, after: int
) -> None:
    with pytest.raises(CancelledError, match="stopped"):
        pull(archive, STUDY, folder, stop=lambda: len(in_folder(folder)) >= min(after, 3))
    kept = in_folder(folder)
    assert kept.items() <= archive.files().items()
    assert unfinished(folder) in ([], [f"{ARRIVALS}/lock"])
    archive.sent.clear()
    pull(archive, STUDY, folder)
    assert in_folder(folder) == archive.files()
    assert not set(kept) & set(archive.sent)


def test_stop_ends_a_fetch_that_hangs(archive: MemoryArchive, folder: Path) -> None:
    go_on = threading.Event()
    archive.faults[f"{STUDY}.2.1"] = lambda: go_on.wait(60) or None
    asked = itertools.count()

    def stop() -> bool:
        if next(asked) > 12:
            go_on.set()
            return True
        return False

    with pytest.raises(CancelledError):
        pull(archive, STUDY, folder, stop=stop)
    assert in_folder(folder) == {f"{STUDY}.2.0": archive.objects[f"{STUDY}.2.0"]}


KILLER = """
import os, signal, sys
sys.path[:0] = [{tests!r}]
from pathlib import Path
from memory_archive import MemoryArchive
from veinscan.pacs.pull import pull

archive = MemoryArchive(*sorted(Path({made!r}).iterdir()))

def run(at):
    # in a process of its own; at 0 not killed: how many calls there are
    come, go = os.pipe()
    child = os.fork()
    if child == 0:
        calls = 0
        def count(event, args):
            nonlocal calls
            if event in ("open", "os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir"):
                calls += 1
                if calls == at:
                    os.kill(os.getpid(), signal.SIGKILL)
        sys.addaudithook(count)
        pull(archive, {study!r}, Path({into!r}) / str(at))
        os.write(go, str(calls).encode())
        os._exit(0)
    os.close(go)
    said = os.read(come, 10)
    os.close(come)
    os.waitpid(child, 0)
    return int(said or 0)

steps = run(0)
for at in range(1, steps + 1):
    run(at)
print(steps)
"""


def test_killed_at_any_call_every_file_is_whole_and_the_next_pull_goes_on(tmp_path: Path) -> None:
    made, into = tmp_path / "made", tmp_path / "into"
    archive = MemoryArchive(*clips(made, 2))
    into.mkdir()
    code = KILLER.format(tests=str(Path(__file__).parent), made=str(made), study=STUDY, into=str(into))
    steps = int(
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=120).stdout
    )
    assert steps > 30 and in_folder(into / "0") == archive.files()
    seen = set()
    for at in range(1, steps + 1):
        place = into / str(at)
        found = in_folder(place)
        seen.add(len(found))
        assert found.items() <= archive.files().items(), at
        archive.sent.clear()
        pull(archive, STUDY, place)
        assert in_folder(place) == archive.files() and not unfinished(place), at
        assert not set(found) & set(archive.sent), at
    assert seen == {0, 1, 2}  # it was killed before, between and after


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    deaths=st.lists(st.integers(0, 4), max_size=6),
    broken=st.sets(st.integers(0, 3), max_size=2),
)
def test_whatever_happens_what_is_here_is_whole_and_in_the_end_everything_is(
    tmp_path_factory: pytest.TempPathFactory, deaths: list[int], broken: set[int]
) -> None:
    work = tmp_path_factory.mktemp("property")
    archive = MemoryArchive(*clips(work / "made"))
    folder = work / "pulled"
    archive.dies_after = list(deaths)
    archive.faults = {f"{STUDY}.2.{n}": b"\0" * 200 for n in broken}
    for _ in range(len(deaths) + 1):
        try:
            done = pull(archive, STUDY, folder)
        except PacsError:
            pass
        else:
            assert {failed.sop_instance_uid for failed in done.failed} == set(archive.faults)
        assert in_folder(folder).items() <= archive.files().items()
        assert unfinished(folder) in ([], [f"{ARRIVALS}/lock"]) if folder.exists() else True
    archive.faults.clear()
    archive.dies_after.clear()
    assert pull(archive, STUDY, folder).failed == ()
    assert in_folder(folder) == archive.files() and not unfinished(folder)
    origin = origin_of(folder)
    assert origin is not None and origin.complete and set(origin.objects) == set(archive.objects)


# -- the disk


def test_a_full_disk_met_by_the_archive_is_one_sentence(archive: MemoryArchive, folder: Path) -> None:
    archive.faults[f"{STUDY}.2.2"] = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(NotSavedError, match=r"the disk is full \(2 of 4 objects are here\)"):
        pull(archive, STUDY, folder)
    assert set(in_folder(folder)) == {f"{STUDY}.2.0", f"{STUDY}.2.1"}


@pytest.mark.parametrize("call", ["fsync", "link"])
@pytest.mark.parametrize("number", range(1, 12))
def test_a_disk_that_fails_at_any_call_leaves_nothing_half_written(
    archive: MemoryArchive, folder: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    real = getattr(os, call)
    count = itertools.count(1)

    def fails(*args: object, **kwargs: object) -> object:
        if next(count) >= number:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fails)
        try:
            pull(archive, STUDY, folder)
        except NotSavedError as problem:
            assert "space" in str(problem) or "disk is full" in str(problem)
    assert in_folder(folder).items() <= archive.files().items()
    assert not [name for name in unfinished(folder) if not name.endswith("lock")]
    pull(archive, STUDY, folder)
    assert in_folder(folder) == archive.files()


def test_a_folder_that_cannot_be_made_is_one_sentence(archive: MemoryArchive, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInputError, match="a file, not a folder"):
        pull(archive, STUDY, tmp_path / "file")
    with pytest.raises(NotSavedError, match="cannot be written"):
        pull(archive, STUDY, tmp_path / "file" / "below")
