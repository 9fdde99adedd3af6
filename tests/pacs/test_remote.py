from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from memory_archive import FrameArchive, MemoryArchive, MemoryFrame, changed
from stored_kinds import FRAMES, make_kinds
from us_files import STUDY, region, save_grey, speckle

from veinscan.dicom import Study, open_study
from veinscan.errors import AmbiguousStudyError, CancelledError, InvalidInputError, NotSavedError, PacsError
from veinscan.pacs import remote_arrivals
from veinscan.pacs.cache import StudyCache
from veinscan.pacs.remote import RemoteStudy, open_remote
from veinscan.plan.editing import new_record
from veinscan.plan.model import Reader
from veinscan.record import load_record, save_record


class Gate:
    """Holds the files of an archive back until it is opened."""

    def __init__(self, archive: FrameArchive) -> None:
        self._go = threading.Event()
        for sop in archive.objects:
            archive.faults[sop] = lambda: self._go.wait(60) or None

    def open(self) -> None:
        self._go.set()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_arrivals, "FIRST_WAIT_S", 0.01)
    monkeypatch.setattr(remote_arrivals, "TICK_S", 0.02)
    monkeypatch.setattr(remote_arrivals, "FIRST_LOOK_S", 0.02)


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return make_kinds(tmp_path_factory.mktemp("kinds"))


@pytest.fixture
def archive(tmp_path: Path) -> FrameArchive:
    files = [
        save_grey(tmp_path / "made" / f"{n}", speckle(5, seed=n), SOPInstanceUID=f"{STUDY}.2.{n}",
                  InstanceNumber=n, regions=[region()])
        for n in range(4)
    ]  # fmt: skip
    return FrameArchive(*files)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., RemoteStudy]]:
    """`open_remote` into a folder; closed at the end."""
    made: list[RemoteStudy] = []

    def opening(archive: MemoryArchive, **options: object) -> RemoteStudy:
        made.append(open_remote(archive, STUDY, tmp_path / "coming", **options))  # type: ignore[arg-type]
        return made[-1]

    yield opening
    for one in made:
        one.close()


def frames(study: Study) -> dict[str, list[np.ndarray]]:
    return {clip.sop_instance_uid: [clip.frame(i) for i in range(clip.n_frames)] for clip in study.clips}


def same(one: dict[str, list[np.ndarray]], other: dict[str, list[np.ndarray]]) -> bool:
    return one.keys() == other.keys() and all(
        len(one[sop]) == len(other[sop]) and all(map(np.array_equal, one[sop], other[sop])) for sop in one
    )


# -- pixels


def test_frames_by_wire_are_those_of_the_file_for_every_way_of_storing(
    kinds: dict[str, Path], tmp_path: Path, opened: Callable[..., RemoteStudy]
) -> None:
    archive = FrameArchive(*kinds.values())
    gate = Gate(archive)
    local = tmp_path / "local"
    local.mkdir()
    for name, path in kinds.items():
        (local / name).write_bytes(path.read_bytes())
    wanted = frames(open_study(local))
    remote = opened(archive)
    assert remote.study.skipped == () and not remote.is_complete
    assert same(frames(remote.study), wanted)
    assert not any(remote.is_local(n) for n in range(len(kinds)))  # every frame came by wire
    assert len(archive.frames_sent) == len(set(archive.frames_sent)) == len(kinds) * FRAMES
    gate.open()
    assert remote.wait(30) and remote.pulled is not None and remote.pulled.failed == ()
    assert remote.notes == ()
    again = open_study(remote.folder)
    assert same(frames(again), wanted) and again.skipped == ()
    assert same({clip.sop_instance_uid: [clip._reader.decode(i) for i in range(clip.n_frames)]
                 for clip in remote.study.clips}, wanted)  # fmt: skip


def test_a_described_study_says_what_the_file_says(
    archive: FrameArchive, opened: Callable[..., RemoteStudy], tmp_path: Path
) -> None:
    gate = Gate(archive)
    remote = opened(archive)
    described = [
        (clip.file, clip.path, clip.sop_instance_uid, clip.shape, clip.regions, clip.spacing_mm, clip.kind,
         clip.frame_rate_hz, clip.warnings, clip.laterality, str(clip.header()))
        for clip in remote.study.clips
    ]  # fmt: skip
    gate.open()
    assert remote.wait(30)
    study = open_study(remote.folder)
    assert described == [
        (clip.file, clip.path, clip.sop_instance_uid, clip.shape, clip.regions, clip.spacing_mm, clip.kind,
         clip.frame_rate_hz, clip.warnings, clip.laterality, str(clip.header()))
        for clip in study.clips
    ]  # fmt: skip
    assert (remote.study.study_instance_uid, remote.study.root) == (study.study_instance_uid, study.root)


def test_each_clip_changes_over_when_its_file_is_here(
    archive: FrameArchive, opened: Callable[..., RemoteStudy]
) -> None:
    gate, ready, over = Gate(archive), [], threading.Event()
    threads = set()

    def clip_ready(index: int) -> None:
        threads.add(threading.current_thread().name)
        ready.append(index)

    def finished() -> None:
        threads.add(threading.current_thread().name)
        over.set()

    remote = opened(archive, clip_ready=clip_ready, finished=finished)
    remote.study.clips[2].frame(0)
    before = len(archive.frames_sent)
    gate.open()
    assert over.wait(30) and remote.is_complete
    assert sorted(ready) == [0, 1, 2, 3] and all(remote.is_local(n) for n in range(4))
    assert len(threads) == 1 and threading.current_thread().name not in threads
    frames(remote.study)
    assert len(archive.frames_sent) == before
    assert not [path for path in remote.folder.rglob("*") if "veinscan-pull" in path.name]


def test_what_is_looked_at_is_fetched_first(
    archive: FrameArchive, opened: Callable[..., RemoteStudy], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_arrivals, "WORKERS", 1)
    monkeypatch.setattr(remote_arrivals, "FIRST_LOOK_S", 60.0)
    gate = Gate(archive)
    remote = opened(archive)
    remote.study.clips[3].frame(0)
    remote.prefer(2)
    gate.open()
    assert remote.wait(30)
    order = [int(sop.rpartition(".")[2]) for sop in archive.sent]
    assert set(order[:2]) == {2, 3}


def test_a_frame_is_asked_for_once_by_many_at_once(
    archive: FrameArchive, opened: Callable[..., RemoteStudy]
) -> None:
    gate = Gate(archive)
    remote = opened(archive)
    clip = remote.study.clips[0]
    together = threading.Barrier(8)

    def look() -> None:
        together.wait()
        for index in range(clip.n_frames):
            clip.frame(index)

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(archive.frames_sent) == [(clip.sop_instance_uid, n) for n in range(5)]
    gate.open()


# -- what is here already, and plans


def test_a_plan_is_here_before_the_study_opens(
    archive: FrameArchive, opened: Callable[..., RemoteStudy], tmp_path: Path
) -> None:
    local = tmp_path / "local"
    local.mkdir()
    for sop, data in archive.objects.items():
        (local / sop).write_bytes(data)
    study = open_study(local)
    plan = save_record(study, new_record(study), Reader(name="Reader^Test")).path
    gate = Gate(archive)
    archive.add(plan)
    remote = opened(archive)
    assert load_record(remote.study).heads == (plan.stem,)
    assert archive.sent == [plan.stem]
    saved = save_record(remote.study, load_record(remote.study), Reader(name="Reader^Test"))
    gate.open()
    assert remote.wait(30)
    assert load_record(open_study(remote.folder)).heads == (saved.path.stem,)


def test_a_plan_that_cannot_be_fetched_is_never_taken_for_none(
    archive: FrameArchive, opened: Callable[..., RemoteStudy], tmp_path: Path
) -> None:
    local = tmp_path / "local"
    local.mkdir()
    (local / "a").write_bytes(archive.objects[f"{STUDY}.2.0"])
    study = open_study(local)
    row = archive.add(save_record(study, new_record(study), Reader(name="Reader^Test")).path)
    archive.faults[row.sop_instance_uid] = PacsError("the archive refuses it")
    with pytest.raises(PacsError, match="refuses it"):
        opened(archive)
    archive.descriptions[row.sop_instance_uid] = None  # nor when it is not even described
    with pytest.raises(PacsError, match="refuses it"):
        opened(archive)


def test_what_is_here_already_is_not_fetched(
    archive: FrameArchive, opened: Callable[..., RemoteStudy]
) -> None:
    assert opened(archive).wait(30)
    archive.sent.clear()
    again = opened(archive)
    assert again.wait(30) and archive.sent == [] and len(again.study.clips) == 4
    assert same(frames(again.study), frames(open_study(again.folder))) and archive.frames_sent == []


def test_closed_in_the_middle_everything_here_is_whole_and_the_next_goes_on(
    archive: FrameArchive, opened: Callable[..., RemoteStudy], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_arrivals, "WORKERS", 1)
    go_on = threading.Event()
    came = threading.Event()
    archive.faults[f"{STUDY}.2.2"] = archive.faults[f"{STUDY}.2.3"] = lambda: go_on.wait(30) or None
    remote = opened(archive, clip_ready=lambda _: came.set())
    assert came.wait(30)
    closing = threading.Thread(target=remote.close)
    closing.start()
    assert remote._arrivals._ended.wait(30)
    go_on.set()  # what is on its way comes after it was closed
    closing.join(30)
    remote.close()
    here = {path.stem for path in remote.folder.glob("*.dcm")}
    assert f"{STUDY}.2.0" in here and here < set(archive.objects)
    with pytest.raises(CancelledError):
        remote.study.clips[3]._reader.supply._whole(archive.rows[3])
    archive.faults.clear()
    archive.sent.clear()
    assert opened(archive).wait(30)
    assert set(archive.sent) == set(archive.objects) - here


def test_a_study_of_the_cache_is_held_while_it_is_open(archive: FrameArchive, tmp_path: Path) -> None:
    cache = StudyCache(tmp_path / "cache", 10**9, sendings=lambda: ())
    with open_remote(archive, STUDY, cache=cache) as remote:
        assert remote.wait(30)
        assert [one.kept_because for one in cache.entries()] == ["it is open"]
        assert remote.folder == cache.folder_of(archive, STUDY)
    assert [one.kept_because for one in cache.entries()] == [""]


def test_a_study_too_large_for_the_cache_is_still_looked_at(archive: FrameArchive, tmp_path: Path) -> None:
    cache = StudyCache(tmp_path / "cache", 20_000, sendings=lambda: ())
    with open_remote(archive, STUDY, cache=cache) as remote:
        assert remote.wait(30)
        assert isinstance(remote.error, NotSavedError) and "larger than the cache" in str(remote.error)
        assert [remote.study.clips[n].frame(1).shape for n in range(4)] == [(48, 64)] * 4


# -- archives that do less, or badly


def test_an_archive_without_frames_is_pulled_first(
    archive: FrameArchive, opened: Callable[..., RemoteStudy]
) -> None:
    plain = MemoryArchive(*archive.objects.values())
    told = []
    remote = opened(plain, progress=lambda *now: told.append(now))
    assert remote.is_complete and remote.pulled is not None and told[-1][:2] == (4, 4)
    assert same(frames(remote.study), frames(open_study(remote.folder)))


def test_an_archive_without_descriptions_is_pulled_first(
    archive: FrameArchive, opened: Callable[..., RemoteStudy]
) -> None:
    archive.no_metadata = PacsError("404", step="wado")
    assert opened(archive).is_complete and archive.frames_sent == []
    archive.no_metadata = PacsError("no connection", temporary=True)
    with pytest.raises(PacsError, match="no connection"):
        opened(archive)


@pytest.mark.parametrize(
    "fault",
    [
        PacsError("406"),
        MemoryFrame(b"\0" * (48 * 64), "1.2.840.10008.1.2.1", as_stored=False),
        MemoryFrame(b"\0" * (48 * 64), "1.2.3.4"),
        MemoryFrame(b"\0" * 100, "1.2.840.10008.1.2.1"),
        MemoryFrame(b"\xff\xd8\xff\xe0", "1.2.840.10008.1.2.4.50", as_stored=False),
    ],
    ids=["refused", "decoded", "unknown", "short", "encoded"],
)
def test_a_frame_that_is_not_the_files_own_waits_for_the_file(
    archive: FrameArchive, opened: Callable[..., RemoteStudy], fault: PacsError | MemoryFrame
) -> None:
    archive.frame_faults = dict.fromkeys(archive.objects, fault)
    remote = opened(archive)
    shown = frames(remote.study)
    assert remote.wait(30)
    assert same(shown, frames(open_study(remote.folder)))
    assert len(archive.sent) == 4


def test_a_palette_that_is_not_described_waits_for_the_file(
    kinds: dict[str, Path], opened: Callable[..., RemoteStudy]
) -> None:
    archive = FrameArchive(kinds["palette"])
    (described,) = archive.metadata(STUDY)
    for colour in ("Red", "Green", "Blue"):
        delattr(described, f"{colour}PaletteColorLookupTableData")
    archive.descriptions[str(described.SOPInstanceUID)] = described
    remote = opened(archive)
    shown = frames(remote.study)
    assert archive.frames_sent == []
    assert same(shown, frames(open_study(remote.folder)))


def test_no_connection_is_a_sentence_and_goes_on_by_itself(
    archive: FrameArchive, opened: Callable[..., RemoteStudy]
) -> None:
    lost = PacsError("the archive does not answer", temporary=True)
    archive.faults = dict.fromkeys(archive.objects, lost)
    archive.frame_faults = dict.fromkeys(archive.objects, lost)
    remote = opened(archive)
    with pytest.raises(PacsError, match="does not answer"):
        remote.study.clips[0].frame(0)
    assert not remote.wait(0.3) and remote.problem == "the archive does not answer"
    archive.faults.clear()
    archive.frame_faults.clear()
    assert remote.study.clips[0].frame(0).shape == (48, 64)
    assert remote.wait(30) and remote.problem == "" and remote.pulled is not None
    assert remote.pulled.failed == () and len(remote.pulled.files) == 4


def test_an_object_that_fails_for_good_is_told_and_the_others_come(
    archive: FrameArchive, opened: Callable[..., RemoteStudy]
) -> None:
    archive.faults[f"{STUDY}.2.1"] = b"<html>log in</html>" * 40
    remote = opened(archive)
    assert remote.wait(30) and remote.pulled is not None
    (failed,) = remote.pulled.failed
    assert "not a DICOM object" in failed.reason and len(remote.pulled.files) == 3
    assert remote.study.clips[1].frame(0).shape == (48, 64)


def test_a_file_that_differs_from_its_description_is_told_and_not_taken(
    archive: FrameArchive, opened: Callable[..., RemoteStudy]
) -> None:
    sop = f"{STUDY}.2.1"
    (described,) = [one for one in archive.metadata(STUDY) if one.SOPInstanceUID == sop]
    described.SequenceOfUltrasoundRegions[0].PhysicalDeltaX = 0.05
    archive.descriptions[sop] = described
    remote = opened(archive)
    assert remote.wait(30)
    assert any("differs from what the archive says" in note for note in remote.notes)


def test_hostile_descriptions_are_skipped_with_the_reason(
    archive: FrameArchive, opened: Callable[..., RemoteStudy]
) -> None:
    for number, (keyword, value) in enumerate(
        [("Rows", 5_000_000), ("NumberOfFrames", "-5"), ("Rows", None)]
    ):
        (one,) = [one for one in archive.metadata(STUDY) if one.SOPInstanceUID == f"{STUDY}.2.{number}"]
        del one[keyword]
        if value is not None:
            one.add_new(keyword, "UL" if keyword == "Rows" else "LO", value)
        archive.descriptions[f"{STUDY}.2.{number}"] = one
    archive.descriptions[f"{STUDY}.2.3"] = None
    archive.add(changed(archive.objects[f"{STUDY}.2.3"], SOPInstanceUID=f"{STUDY}.2.4"))
    remote = opened(archive)
    reasons = {skipped.path: skipped.reason for skipped in remote.study.skipped}
    assert [clip.sop_instance_uid for clip in remote.study.clips] == [f"{STUDY}.2.4"]
    assert set(reasons) == {f"{STUDY}.2.{n}.dcm" for n in range(4)}
    assert "not a count" in reasons[f"{STUDY}.2.1.dcm"] and "not describe" in reasons[f"{STUDY}.2.3.dcm"]


def test_descriptions_that_show_nothing_leave_it_to_the_files(
    archive: FrameArchive, opened: Callable[..., RemoteStudy]
) -> None:
    archive.descriptions = dict.fromkeys(archive.objects)
    remote = opened(archive)
    assert remote.is_complete and len(remote.study.clips) == 4


def test_two_patients_in_one_study_are_never_shown_together(
    archive: FrameArchive, opened: Callable[..., RemoteStudy]
) -> None:
    sop = f"{STUDY}.2.3"
    archive.objects[sop] = changed(archive.objects[sop], PatientID="P2", PatientName="Somebody^Else")
    with pytest.raises(AmbiguousStudyError, match="different patients"):
        opened(archive)


def test_a_callback_that_fails_ends_nothing(
    archive: FrameArchive, opened: Callable[..., RemoteStudy]
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("Nobody^Known")

    remote = opened(archive, clip_ready=broken, progress=broken, finished=broken)
    assert remote.wait(30) and remote.pulled is not None and remote.pulled.failed == ()


def test_stop_ends_the_opening(
    archive: FrameArchive, opened: Callable[..., RemoteStudy], tmp_path: Path
) -> None:
    plain = MemoryArchive(*archive.objects.values())
    with pytest.raises(CancelledError):
        opened(plain, stop=lambda: True)
    with pytest.raises(InvalidInputError):
        open_remote(archive, "../1", tmp_path / "x")


def test_a_folder_that_another_program_pulls_into_is_one_sentence(
    archive: FrameArchive, opened: Callable[..., RemoteStudy]
) -> None:
    gate = Gate(archive)
    first = opened(archive)
    with pytest.raises(PacsError, match="another program or window is pulling"):
        opened(archive)
    gate.open()
    assert first.wait(30)
