from __future__ import annotations

import multiprocessing
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest
from memory_archive import MemoryArchive, changed
from us_files import STUDY, save_grey, speckle

from veinscan.dicom import open_study
from veinscan.errors import InvalidInputError, NotSavedError, PacsError
from veinscan.pacs import cache as cache_module
from veinscan.pacs.cache import StudyCache
from veinscan.pacs.cache_entry import CachedStudy, SendingLike, size_of
from veinscan.plan.editing import new_record
from veinscan.plan.model import Reader
from veinscan.record import save_record
from veinscan.record.draft import Draft
from veinscan.record.files import sha256_of
from veinscan.settings import data_dir


@dataclass(frozen=True)
class Sent:
    sop_instance_uid: str
    study_instance_uid: str
    state: str
    sha256: str
    archive: str = "memory"
    dimse: str = ""


def study_uid(number: int) -> str:
    return f"{STUDY}.{number}"


@pytest.fixture
def archive(tmp_path: Path) -> MemoryArchive:
    """Six studies of one clip of about 100 kB."""
    files = [
        save_grey(tmp_path / "made" / f"{n}", speckle(2, 200, 250, seed=n), StudyInstanceUID=study_uid(n))
        for n in range(6)
    ]
    return MemoryArchive(*files)


class Caches:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.queue: list[SendingLike] = []

    def of(self, limit: int) -> StudyCache:
        return StudyCache(self.folder, limit, sendings=self._sendings)

    def _sendings(self) -> Iterable[SendingLike]:
        return self.queue


@pytest.fixture
def caches(tmp_path: Path) -> Caches:
    return Caches(tmp_path / "cache")


def used(cache: StudyCache, number: int, seconds: float) -> None:
    """Set when a study was used last."""
    (entry,) = [one.folder.parent for one in cache.entries() if one.study_instance_uid == study_uid(number)]
    os.utime(entry / "used", (seconds, seconds))


def held(cache: StudyCache) -> set[int]:
    return {int(one.study_instance_uid.rpartition(".")[2]) for one in cache.entries()}


def plan_in(folder: Path) -> Path:
    study = open_study(folder)
    return save_record(study, new_record(study), Reader(name="Reader^Test")).path


def test_a_pulled_study_lies_in_a_private_folder_without_patient_data(
    archive: MemoryArchive, caches: Caches
) -> None:
    cache = caches.of(10**7)
    done = cache.pull(archive, study_uid(0))
    assert done.folder == cache.folder_of(archive, study_uid(0)) == cache.folder_of("memory", study_uid(0))
    assert len(open_study(done.folder).clips) == 1
    assert stat.S_IMODE(cache.folder.stat().st_mode) == 0o700
    (one,) = cache.entries()
    assert (one.folder, one.study_instance_uid, one.archive) == (done.folder, study_uid(0), "memory")
    assert one.complete and one.kept_because == "" and one.bytes > done.bytes
    names = " ".join(path.as_posix() for path in cache.folder.rglob("*"))
    assert "P1" not in names and "Nobody" not in names
    assert cache.pull(archive, study_uid(0)).fetched == 0


def test_the_same_study_of_two_archives_is_two(archive: MemoryArchive, caches: Caches) -> None:
    cache = caches.of(10**7)
    assert cache.folder_of("a", study_uid(0)) != cache.folder_of("b", study_uid(0))
    with pytest.raises(InvalidInputError):
        cache.folder_of("a", "../1")


def test_what_was_used_longest_ago_makes_room(archive: MemoryArchive, caches: Caches) -> None:
    cache = caches.of(350_000)
    for n in range(3):
        cache.pull(archive, study_uid(n))
    for n, seconds in ((0, 300.0), (1, 100.0), (2, 200.0)):
        used(cache, n, seconds)
    cache.pull(archive, study_uid(3))
    assert held(cache) == {0, 2, 3}
    assert sum(one.bytes for one in cache.entries()) <= 350_000
    assert not list(cache.folder.glob("trash-*"))


def test_a_study_that_is_used_again_stays(archive: MemoryArchive, caches: Caches) -> None:
    cache = caches.of(350_000)
    for n in range(3):
        cache.pull(archive, study_uid(n))
        used(cache, n, 100.0 + n)
    cache.hold(cache.folder_of(archive, study_uid(0))).release()
    cache.pull(archive, study_uid(3))
    assert held(cache) == {0, 2, 3}


def test_an_open_study_is_never_removed(archive: MemoryArchive, caches: Caches) -> None:
    cache = caches.of(250_000)
    first = cache.pull(archive, study_uid(0)).folder
    with cache.hold(first), cache.hold(first):
        used(cache, 0, 1.0)
        cache.pull(archive, study_uid(1))
        cache.pull(archive, study_uid(2))
        assert held(cache) == {0, 2}
        assert [one.kept_because for one in cache.entries() if one.folder == first] == ["it is open"]
        assert {one.folder for one in cache.empty().kept} == {first}
    assert [one.folder for one in cache.empty().removed] == [first] and cache.entries() == ()


def _open_and_die(folder: Path, limit: int, study: Path) -> None:
    StudyCache(folder, limit, sendings=lambda: ()).hold(study)
    os._exit(9)


def _open_until(folder: Path, study: Path, opened: object, done: object) -> None:
    with StudyCache(folder, 10**9, sendings=lambda: ()).hold(study):
        opened.set()  # type: ignore[attr-defined]
        done.wait(60)  # type: ignore[attr-defined]


def test_what_another_process_has_open_is_kept_until_that_ends(
    archive: MemoryArchive, caches: Caches
) -> None:
    cache = caches.of(10**7)
    folder = cache.pull(archive, study_uid(0)).folder
    context = multiprocessing.get_context("spawn")
    opened, done = context.Event(), context.Event()
    other = context.Process(target=_open_until, args=(cache.folder, folder, opened, done))
    other.start()
    assert opened.wait(60)
    assert [one.kept_because for one in cache.empty().kept] == ["it is open"]
    done.set()
    other.join(60)
    killed = context.Process(target=_open_and_die, args=(cache.folder, 10**9, folder))
    killed.start()
    killed.join(60)
    assert killed.exitcode == 9
    assert len(cache.empty().removed) == 1


def test_a_record_stays_until_it_is_shown_to_be_in_the_archive(
    archive: MemoryArchive, caches: Caches
) -> None:
    cache = caches.of(10**7)
    folder = cache.pull(archive, study_uid(0)).folder
    plan = plan_in(folder)
    (kept,) = cache.empty().kept
    assert "a record that is not shown to be in the archive" in kept.kept_because
    for state in ("waiting", "sent", "refused"):
        caches.queue = [Sent(plan.stem, study_uid(0), state, sha256_of(plan))]
        assert [one.kept_because for one in cache.empty().kept] == ["objects of it are not sent yet"]
    caches.queue = [Sent(plan.stem, study_uid(0), "stored", "0" * 64)]
    assert cache.empty().removed == ()
    for archive_name, dimse in (("research", ""), ("", "OTHER@127.0.0.1:104"), ("", "")):
        # whoever opens the study again asks the archive that it came from
        caches.queue = [
            Sent(plan.stem, study_uid(0), "stored", sha256_of(plan), archive=archive_name, dimse=dimse)
        ]
        assert cache.empty().removed == (), (archive_name, dimse)
    caches.queue = [Sent(plan.stem, study_uid(0), "stored", sha256_of(plan))]
    assert len(cache.empty().removed) == 1 and not plan.exists()


def test_a_record_that_the_archive_gives_back_is_shown_to_be_there(
    archive: MemoryArchive, caches: Caches
) -> None:
    cache = caches.of(10**7)
    folder = cache.pull(archive, study_uid(0)).folder
    plan = plan_in(folder)
    archive.add(plan)
    assert cache.pull(archive, study_uid(0)).failed == ()
    assert [one.kept_because for one in cache.entries()] == [""]


def test_a_record_that_the_archive_has_otherwise_stays_as_it_is(
    archive: MemoryArchive, caches: Caches
) -> None:
    cache = caches.of(10**7)
    folder = cache.pull(archive, study_uid(0)).folder
    plan = plan_in(folder)
    data = plan.read_bytes()
    archive.add(data.replace(b"Reader^Test", b"Reader^Tost"))
    done = cache.pull(archive, study_uid(0))
    assert done.failed == () and "keeps something else" in done.notes[0]
    assert plan.read_bytes() == data and cache.empty().removed == ()
    # one into which it put its own data of the patient says the same
    archive.objects[plan.stem] = changed(data, PatientAge="051Y")
    assert cache.pull(archive, study_uid(0)).notes == ()
    plan.write_bytes(data[:-300])
    assert "keeps something else" in cache.pull(archive, study_uid(0)).notes[0]
    assert plan.read_bytes() == data[:-300]


def test_a_plan_saved_while_its_study_is_being_removed_brings_it_back(
    archive: MemoryArchive, caches: Caches, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a program that does not hold the study, as a command on its folder."""
    cache = caches.of(10**7)
    folder = cache.pull(archive, study_uid(0)).folder
    looked, plans = cache_module.look_at, []

    def look(entry: Path, sendings: Iterable[SendingLike] | None) -> CachedStudy | None:
        found = looked(entry, sendings)
        if not plans:
            assert found is not None and found.kept_because == ""
            plans.append(plan_in(folder))
        return found

    monkeypatch.setattr(cache_module, "look_at", look)
    assert cache.empty().removed == () and plans[0].exists()
    assert [one.folder for one in cache.entries()] == [folder]


def test_a_study_that_was_about_to_go_when_the_program_was_killed_is_there(
    archive: MemoryArchive, caches: Caches
) -> None:
    cache = caches.of(10**7)
    folder = cache.pull(archive, study_uid(0)).folder
    plan = plan_in(folder)
    folder.parent.rename(cache.folder / f"leaving-{folder.parent.name}")
    assert [one.folder for one in cache.entries()] == [folder] and plan.exists()
    assert cache.pull(archive, study_uid(0)).fetched == 0


def test_edits_that_are_not_saved_keep_their_study(archive: MemoryArchive, caches: Caches) -> None:
    cache = caches.of(10**7)
    study = open_study(cache.pull(archive, study_uid(0)).folder)
    draft = Draft.start(study, new_record(study))
    draft.record(new_record(study), "an edit")
    draft.close()
    assert [one.kept_because for one in cache.empty().kept] == ["it has edits that are not saved"]
    draft.discard()
    assert len(cache.empty().removed) == 1


def test_a_file_of_the_user_keeps_its_study(archive: MemoryArchive, caches: Caches) -> None:
    cache = caches.of(10**7)
    folder = cache.pull(archive, study_uid(0)).folder
    (folder / "letter.pdf").write_bytes(b"%PDF")
    assert "did not come from the archive" in cache.empty().kept[0].kept_because


def test_a_queue_that_cannot_be_read_keeps_everything(archive: MemoryArchive, tmp_path: Path) -> None:
    def broken() -> Iterable[SendingLike]:
        raise PacsError("damaged")

    cache = StudyCache(tmp_path / "cache", 10**7, sendings=broken)
    cache.pull(archive, study_uid(0))
    assert "cannot be looked at" in cache.empty().kept[0].kept_because


def test_a_study_larger_than_the_cache_is_one_sentence_and_leaves_nothing(
    archive: MemoryArchive, caches: Caches
) -> None:
    cache = caches.of(50_000)
    with pytest.raises(NotSavedError, match=r"larger than the cache may be \(50 kB\).*cache_gb"):
        cache.pull(archive, study_uid(0))
    assert cache.entries() == () and not [path for path in cache.folder.iterdir() if path.name != "lock"]


@pytest.mark.parametrize("seen", [0, 100_000, 200_000])
def test_room_is_made_whatever_is_seen_of_files_that_move(
    archive: MemoryArchive, caches: Caches, monkeypatch: pytest.MonkeyPatch, seen: int
) -> None:
    """What arrives goes from one folder into another: it may be counted twice meanwhile, or not at all."""
    cache = caches.of(250_000)
    for n in range(2):
        cache.pull(archive, study_uid(n))
    growing = cache.folder_of(archive, study_uid(2))
    monkeypatch.setattr(
        cache_module, "size_of", lambda folder: seen if folder == growing else size_of(folder)
    )
    with cache.hold(growing):
        growing.mkdir()
        cache_module.Room(cache, growing).make(100_000)
        assert held(cache) == {1, 2}


def test_a_cache_full_of_open_studies_is_one_sentence(archive: MemoryArchive, caches: Caches) -> None:
    cache = caches.of(250_000)
    holds = [cache.hold(cache.pull(archive, study_uid(n)).folder) for n in range(2)]
    with pytest.raises(NotSavedError, match="full of studies that are open"):
        cache.pull(archive, study_uid(2))
    assert {0, 1} <= held(cache)
    for one in holds:
        one.release()
    assert cache.pull(archive, study_uid(2)).failed == ()


def test_what_a_crash_left_is_tidied(archive: MemoryArchive, caches: Caches) -> None:
    cache = caches.of(10**7)
    cache.pull(archive, study_uid(0))
    (cache.folder / "trash-0123" / "1.2").mkdir(parents=True)
    (cache.folder / "abcdef" / "open").mkdir(parents=True)
    (cache.folder / "abcdef" / "open" / "x.lock").touch()
    cache.evict()
    assert not (cache.folder / "trash-0123").exists() and not (cache.folder / "abcdef").exists()
    assert held(cache) == {0}


def test_a_study_that_is_not_in_the_archive_leaves_nothing(archive: MemoryArchive, caches: Caches) -> None:
    cache = caches.of(10**7)
    with pytest.raises(PacsError, match="lists no object"):
        cache.pull(archive, study_uid(99))
    assert [path.name for path in cache.folder.iterdir()] == ["lock"]


def test_folders_elsewhere_are_held_by_nobody(caches: Caches, tmp_path: Path) -> None:
    with caches.of(1).hold(tmp_path / "study"):
        assert not caches.folder.exists()


def test_the_folder_and_the_limit_come_from_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VEINSCAN_CACHE_GB", "1.5")
    cache = StudyCache()
    assert cache.limit_bytes == 1_500_000_000 and cache.folder == data_dir() / "pacs-cache"
    assert cache.entries() == ()
