"""Plans on their way into an archive and out of it again: what arrives loads as what was sent."""

from __future__ import annotations

import shutil
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import plans
import pydicom
import pytest
from moody_archive import MoodyArchive
from plans import amended, draft, finalised, opened, withdrawn
from record_studies import FakeStudy, make_study

from veinscan.dicom import open_study
from veinscan.errors import InvalidInputError
from veinscan.pacs.origin import Origin, PulledObject, write_origin
from veinscan.pacs.queue import SendQueue
from veinscan.pacs.send import enqueue_version, push, unsent
from veinscan.pacs.verify import verify_stored
from veinscan.plan.vocabulary import RecordState
from veinscan.record import load_record
from veinscan.record.segmentation import save_segmentations
from veinscan.settings import data_dir


@pytest.fixture
def archive(tmp_path: Path) -> MoodyArchive:
    return MoodyArchive(tmp_path / "archive")


@pytest.fixture
def study(tmp_path: Path) -> FakeStudy:
    return make_study(tmp_path / "study")


def connected(archive: MoodyArchive) -> Any:
    return lambda name, dimse=None: archive


def pulled(archive: MoodyArchive, study: FakeStudy, folder: Path) -> FakeStudy:
    """The study as somebody gets it who has the archive alone."""
    (folder / "veinscan").mkdir(parents=True)
    for clip in study.clips:
        shutil.copy(clip.path, folder)
    for uid, data in archive.held().items():
        (folder / "veinscan" / f"{uid}.dcm").write_bytes(data)
    return replace(study, root=folder)


def test_a_plan_is_pushed_pulled_amended_and_pushed_again(
    study: FakeStudy, archive: MoodyArchive, tmp_path: Path
) -> None:
    draft(study, "work")
    saved = finalised(study, "mine")
    result = push("a", [study.root], connect=connected(archive))
    assert [one.sop_instance_uid for one in result.stored] == [saved.path.stem]
    assert (result.refused, result.unsent) == ((), ())
    assert "lies there without images" in result.stored[0].note

    there = pulled(archive, study, tmp_path / "there")
    assert load_record(there) == saved.record
    theirs = amended(there, load_record(there), "theirs")
    push("a", [there.root], connect=connected(archive))
    assert archive.held().keys() == {saved.path.stem, theirs.path.stem}

    # a third person, and the first one again
    for number, one in enumerate((pulled(archive, study, tmp_path / "third"), study)):
        if number:
            shutil.copy(theirs.path, study.root / "veinscan")
        found = load_record(one)
        assert found.heads == (theirs.path.stem,)
        assert found.conflicts == ()
        assert [target.notes for target in found.targets] == ["work", "mine", "theirs"]
        assert found.status.state is RecordState.AMENDED


def test_a_withdrawal_reaches_who_has_the_archive_alone(
    study: FakeStudy, archive: MoodyArchive, tmp_path: Path
) -> None:
    first = finalised(study)
    push("a", [study.root], connect=connected(archive))
    withdrawn(study, amended(study, first.record).record)
    push("a", [study.root], connect=connected(archive))
    assert len(archive.held()) == 2
    assert load_record(pulled(archive, study, tmp_path / "there")).status.state is RecordState.WITHDRAWN


def test_pushing_again_sends_nothing_again(study: FakeStudy, archive: MoodyArchive) -> None:
    finalised(study)
    for _ in range(3):
        assert len(push("a", [study.root], connect=connected(archive)).stored) == 1
    assert list(archive.received().values()) == [1]


def test_drafts_that_are_sent_now_and_then_stay_one_chain(
    study: FakeStudy, archive: MoodyArchive, tmp_path: Path
) -> None:
    """Work in progress names only what it was read from: what lies between goes along."""
    sent = [draft(study, "1")]
    push("a", [study.root], drafts=True, connect=connected(archive))
    sent += [draft(study, notes) for notes in "234"]
    push("a", [study.root], drafts=True, connect=connected(archive))
    assert archive.held().keys() == {one.path.stem for one in sent}
    there = pulled(archive, study, tmp_path / "there")
    assert load_record(there).heads == (sent[-1].path.stem,)
    # somebody else goes on with it, known there by what was pulled
    write_origin(
        there.root,
        Origin(
            archive="a",
            study_instance_uid=study.study_instance_uid,
            pulled_at=datetime(2026, 1, 1, tzinfo=UTC),
            objects={uid: PulledObject(size=1, sha256="0" * 64) for uid in archive.held()},
        ),
    )
    theirs = [draft(there, notes) for notes in "567"]
    entries = enqueue_version(there, theirs[-1], drafts=True, queue=SendQueue(tmp_path / "their queue"))
    assert [one.sop_instance_uid for one in entries.sendings] == [one.path.stem for one in theirs]
    # a final version names all: nothing between is needed
    last = finalised(study)
    result = push("a", [study.root], connect=connected(archive))
    assert [one.sop_instance_uid for one in result.stored] == [last.path.stem]
    assert load_record(pulled(archive, study, tmp_path / "last")).heads == (last.path.stem,)


def test_offline_it_waits_and_a_later_window_sends_it(study: FakeStudy, archive: MoodyArchive) -> None:
    saved = finalised(study)
    archive.down = "tcp"
    result = push("a", [study.root], connect=connected(archive))
    assert [one.sop_instance_uid for one in result.unsent] == [saved.path.stem]
    assert [one.sop_instance_uid for one in unsent(study)] == [saved.path.stem]
    assert unsent(make_study(study.root.parent / "other")) == ()
    shutil.rmtree(study.root)  # what lies in the queue does not need it
    archive.down = ""
    SendQueue().run(connected(archive), now=True)
    assert unsent() == ()
    assert archive.held().keys() == {saved.path.stem}


def test_waiting_for_it_tries_until_it_is_there(
    study: FakeStudy, archive: MoodyArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("veinscan.pacs.queue_entry.FIRST_WAIT_S", 0.05)
    finalised(study)
    answers = iter(["is busy", "takes and the answer is lost", "takes"])
    archive.mood = lambda uid: next(answers)
    result = push("a", [study.root], connect=connected(archive), wait=True)
    assert len(result.stored) == 1
    assert list(archive.received().values()) == [2]


def test_waiting_for_it_can_be_stopped(study: FakeStudy, archive: MoodyArchive) -> None:
    finalised(study)
    archive.down = "tcp"
    over = threading.Event()
    results = []
    work = threading.Thread(
        target=lambda: results.append(
            push("a", [study.root], connect=connected(archive), wait=True, stop=over.is_set)
        )
    )
    work.start()
    while not unsent():
        pass
    over.set()
    work.join(10)
    assert len(results[0].unsent) == 1
    assert results[0].stopped


def test_an_archive_that_the_settings_do_not_know_is_said_at_once(study: FakeStudy) -> None:
    finalised(study)
    with pytest.raises(InvalidInputError, match="no archive"):
        push("nowhere", [study.root])
    assert SendQueue().all() == ()


def test_the_window_puts_what_it_saved_into_the_queue(study: FakeStudy, archive: MoodyArchive) -> None:
    saved = finalised(study)
    with pytest.raises(InvalidInputError, match="did not come from an archive"):
        enqueue_version(study, saved)
    write_origin(
        study.root,
        Origin(
            archive="clinic",
            study_instance_uid=study.study_instance_uid,
            pulled_at=datetime(2026, 1, 1, tzinfo=UTC),
        ),
    )
    (entry,) = enqueue_version(study, saved).sendings
    assert (entry.archive, entry.state, entry.kind) == ("clinic", "waiting", "record")
    work = opened(study, saved.record)
    refused = enqueue_version(study, work)
    assert refused.sendings == ()
    assert "not final" in refused.left_out[0].reason
    assert len(enqueue_version(study, work.path, drafts=True).sendings) == 1
    asked: list[str | None] = []

    def connect(name: str | None, *, dimse: str | None = None) -> MoodyArchive:
        asked.append(name)
        return archive

    assert len(SendQueue().run(connect).stored) == 2
    assert asked == ["clinic"]
    with pytest.raises(InvalidInputError, match="no version"):
        enqueue_version(study, study.clips[0].path, archive="clinic")


def test_an_address_in_the_folders_note_is_never_sent_to(study: FakeStudy) -> None:
    saved = finalised(study)
    origin = Origin(
        archive="clinic",
        dimse="EVIL@127.0.0.1:104",
        study_instance_uid=study.study_instance_uid,
        pulled_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    write_origin(study.root, origin)
    (entry,) = enqueue_version(study, saved).sendings
    assert (entry.archive, entry.dimse) == ("clinic", "")
    write_origin(study.root, replace(origin, archive=origin.dimse))
    with pytest.raises(InvalidInputError, match="no settings name"):
        enqueue_version(study, saved)
    assert len(SendQueue().all()) == 1


def make_pdf(study: Any, record: Any, path: Path) -> None:
    from veinscan.report import write_report

    write_report(study, record, path, format="dicom")


@pytest.fixture
def real(sample_study_dir: Path) -> Any:
    return open_study(sample_study_dir)


def test_outlines_and_pages_are_made_once_and_lie_beside_the_study(
    real: Any, archive: MoodyArchive, sample_study_dir: Path
) -> None:
    record = plans.add(real, load_record(real), clip=0)
    first = plans.save(real, plans.final(plans.add(real, record, clip=1)))
    kinds = []
    for _ in range(2):
        result = push(
            "a",
            [sample_study_dir],
            connect=connected(archive),
            with_seg=True,
            with_pdf=True,
            make_pdf=make_pdf,
        )
        kinds.append(sorted(one.kind for one in result.stored))
        assert [one for one in result.left_out if one.kind != "image"] == []
    assert kinds == [["record", "report", "segmentation", "segmentation"]] * 2
    assert len(archive.held()) == 4
    assert set(archive.received().values()) == {1}
    lying = {pydicom.dcmread(path).SOPInstanceUID for path in (sample_study_dir / "veinscan").glob("*.dcm")}
    assert lying == set(archive.held())
    # of the next version they are made anew
    amended(real, first.record)
    entries = enqueue_version(
        real, max((sample_study_dir / "veinscan").glob("*.dcm"), key=version_of), archive="a", with_seg=True
    )
    assert sorted(one.kind for one in entries.sendings) == ["record", "segmentation", "segmentation"]
    assert len([one for one in entries.sendings if one.sop_instance_uid in archive.held()]) == 1


def version_of(path: Path) -> int:
    dataset = pydicom.dcmread(path)
    return int(dataset.InstanceNumber) if dataset.Modality == "SR" else 0


def test_a_deidentified_export_does_not_pass_for_the_study(study: FakeStudy, archive: MoodyArchive) -> None:
    """Its study is one that the archive does not know: it would be a patient of its own."""
    other = make_study(
        study.root.parent / "export", PatientIdentityRemoved="YES", DeidentificationMethod="x", PatientID="P"
    )
    finalised(other)
    (refused,) = push("a", [other.root], connect=connected(archive)).refused
    assert "identity was removed" in refused.reason
    assert archive.held() == {}
    result = push("a", [other.root], connect=connected(archive), deidentified_study=True)
    assert len(result.stored) == 1


def test_no_part_of_a_real_export_goes_back_as_a_study(
    real: Any, archive: MoodyArchive, tmp_path: Path
) -> None:
    from typer.testing import CliRunner

    from veinscan.cli.app import app

    plans.save(real, plans.final(plans.add(real, load_record(real))))
    out = tmp_path / "out"
    done = CliRunner().invoke(
        app, ["export", str(real.root), "-o", str(out), "--format", "dicom-sr", "--format", "dicom-seg"]
    )
    assert done.exit_code == 0, done.output
    result = push("a", [out], images=True, connect=connected(archive))
    assert {one.kind for one in result.refused} == {"record", "segmentation", "image"}
    assert (result.stored, result.unsent, archive.held()) == ((), (), {})


def test_the_queues_folder_is_where_the_users_data_are() -> None:
    assert SendQueue().folder == data_dir() / "pacs-queue"


def test_what_was_sent_can_be_verified(study: FakeStudy, archive: MoodyArchive) -> None:
    saved = finalised(study)
    before = verify_stored(archive, saved.path)
    assert (before.found, before.same, before.stored) == (False, False, False)
    push("a", [study.root], connect=connected(archive))
    assert verify_stored(archive, saved.path).stored
    (seg,) = save_segmentations(study, saved.record)
    assert not verify_stored(archive, seg).found


def test_a_wish_for_outlines_that_brings_none_is_told(study: FakeStudy, archive: MoodyArchive) -> None:
    record = plans.add(study, load_record(study), outline=())
    saved = plans.save(study, plans.final(record))
    entries = enqueue_version(study, saved, archive="a", with_seg=True)
    assert [one.kind for one in entries.sendings] == ["record"]
    (left,) = entries.left_out
    assert left.kind == "segmentation" and "outline" in left.reason
    assert enqueue_version(study, saved, archive="a").left_out == ()
