"""Versions beside the study: saving, loading, merging, and what must never be lost or taken for empty."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pydicom
import pytest
from record_studies import FakeStudy, make_study

from veinscan.errors import InvalidInputError, NotSavedError, RecordError
from veinscan.plan import editing
from veinscan.plan.ids import derived_uid, new_uid
from veinscan.plan.model import (
    CandidateReview,
    Decision,
    InjectionTarget,
    Reader,
    Record,
    RejectReason,
    Side,
    TargetStatus,
)
from veinscan.plan.normal import stored_point
from veinscan.record import concepts, history, load_record, save_record
from veinscan.record import files as files_module
from veinscan.record import table as table_module
from veinscan.record.store import SavedRecord, user_folder

ANNA, BEN = Reader(name="Anna"), Reader(name="Ben")


def target(study: FakeStudy, **fields: Any) -> InjectionTarget:
    values: dict[str, Any] = {
        "id": new_uid(),
        "order": 0,
        "sop_instance_uid": study.clips[0].sop_instance_uid,
        "frame_index": 2,
        "point": stored_point((100.25, 90.5)),
    }
    return InjectionTarget(**(values | fields))


def with_targets(study: FakeStudy, count: int) -> Record:
    record = load_record(study)
    for _ in range(count):
        record = editing.add_target(record, target(study))
    return record


def files_of(study: FakeStudy) -> list[str]:
    folder = study.root / "veinscan"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def bytes_of(study: FakeStudy) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((study.root / "veinscan").iterdir())}


def test_a_study_without_records_has_an_empty_one_and_nothing_is_written(study: FakeStudy) -> None:
    record = load_record(study)
    assert (record.targets, record.reviews, record.version, record.heads) == ((), (), 0, ())
    assert files_of(study) == []
    assert load_record(study).reading == record.reading


def test_what_was_saved_is_there_when_the_study_is_opened_again(study: FakeStudy) -> None:
    saved = save_record(study, with_targets(study, 3), ANNA)
    assert saved.beside_study and saved.note == ""
    assert saved.path == study.root / "veinscan" / f"{saved.record.heads[0]}.dcm"
    loaded = load_record(study)
    assert loaded == saved.record
    assert (loaded.version, loaded.heads) == (1, (saved.path.stem,))
    assert files_of(study) == [saved.path.name]


def test_every_save_is_a_new_file_and_none_is_touched(study: FakeStudy) -> None:
    record = with_targets(study, 1)
    seen: dict[str, bytes] = {}
    for version in range(1, 5):
        saved = save_record(study, record, ANNA)
        assert saved.record.version == version
        now_there = bytes_of(study)
        assert len(now_there) == version
        assert {name: data for name, data in now_there.items() if name in seen} == seen
        seen = now_there
        record = editing.update_target(saved.record, record.targets[0].id, notes=f"after {version}")
    assert load_record(study).targets[0].notes == "after 3"


def test_a_file_gets_the_mode_of_the_studys_files(study: FakeStudy) -> None:
    for clip in study.clips:
        clip.path.chmod(0o640)
    saved = save_record(study, with_targets(study, 1), ANNA)
    assert stat.S_IMODE(saved.path.stat().st_mode) == 0o640
    saved.path.chmod(0o664)
    again = save_record(study, saved.record, ANNA)
    assert stat.S_IMODE(again.path.stat().st_mode) == 0o664


def test_the_folder_lets_in_whom_the_study_lets_in(study: FakeStudy) -> None:
    study.root.chmod(0o2770)
    saved = save_record(study, with_targets(study, 1), ANNA)
    assert stat.S_IMODE(saved.path.parent.stat().st_mode) & 0o777 == 0o770


def two_heads(
    study: FakeStudy, record: Record, by_anna: Record, by_ben: Record
) -> tuple[SavedRecord, SavedRecord]:
    assert by_anna.heads == by_ben.heads == record.heads
    return save_record(study, by_anna, ANNA), save_record(study, by_ben, BEN)


def test_two_readers_from_the_same_parent_lose_nothing(study: FakeStudy) -> None:
    base = save_record(study, with_targets(study, 2), ANNA).record
    first, second = (entry.id for entry in base.targets)
    mine = editing.update_target(base, first, side="left", diameter_mm=2.5)
    theirs = editing.add_target(editing.update_target(base, second, vein="SSV"), target(study, notes="new"))
    a, b = two_heads(study, base, mine, theirs)
    merged = load_record(study)
    assert merged.conflicts == ()
    assert set(merged.heads) == {a.path.stem, b.path.stem}
    assert [(entry.side, entry.vein, entry.notes) for entry in merged.targets] == [
        (Side.LEFT, "unknown", ""),
        (Side.UNKNOWN, "SSV", ""),
        (Side.UNKNOWN, "unknown", "new"),
    ]
    assert merged.targets[0].diameter_mm == 2.5
    saved = save_record(study, merged, ANNA)
    dataset = pydicom.dcmread(saved.path)
    replaced = {
        item.ReferencedSOPInstanceUID
        for entry in dataset.PredecessorDocumentsSequence
        for series in entry.ReferencedSeriesSequence
        for item in series.ReferencedSOPSequence
    }
    assert replaced == set(merged.heads)
    after = load_record(study)
    assert after.heads == (saved.path.stem,)
    assert after.targets == merged.targets
    assert after.version == 3


def test_a_field_that_both_changed_is_a_conflict_until_a_person_accepts_it(study: FakeStudy) -> None:
    base = save_record(study, with_targets(study, 1), ANNA).record
    uid = base.targets[0].id
    two_heads(
        study,
        base,
        editing.update_target(base, uid, side="left"),
        editing.update_target(base, uid, side="right"),
    )
    merged = load_record(study)
    assert len(merged.conflicts) == 1
    assert "side" in merged.conflicts[0] and "left" in merged.conflicts[0] and "right" in merged.conflicts[0]
    assert merged.targets[0].side.value in merged.conflicts[0].rsplit(";", 1)[1]
    assert load_record(study) == merged
    kept = save_record(study, editing.add_target(merged, target(study)), ANNA)
    assert load_record(study).conflicts == merged.conflicts
    settled = save_record(study, editing.accept_conflicts(kept.record), ANNA)
    assert load_record(study) == settled.record
    assert settled.record.conflicts == ()


def test_two_who_start_from_nothing_merge_too(study: FakeStudy) -> None:
    empty = load_record(study)
    two_heads(
        study,
        empty,
        editing.add_target(empty, target(study, notes="a")),
        editing.add_target(empty, target(study, notes="b")),
    )
    merged = load_record(study)
    assert sorted(entry.notes for entry in merged.targets) == ["a", "b"]
    assert [entry.order for entry in merged.targets] == [1, 2]
    assert merged.conflicts == ()


def test_three_heads_of_one_parent_are_merged_as_well(study: FakeStudy) -> None:
    base = save_record(study, with_targets(study, 3), ANNA).record
    for number, entry in enumerate(base.targets):
        save_record(study, editing.update_target(base, entry.id, notes=f"n{number}"), ANNA)
    merged = load_record(study)
    assert [entry.notes for entry in merged.targets] == ["n0", "n1", "n2"]
    assert len(merged.heads) == 3 and merged.conflicts == ()


def test_verdicts_are_in_the_record_and_merge(study: FakeStudy) -> None:
    def verdict(candidate: str, decision: Decision, reason: RejectReason | None = None) -> CandidateReview:
        return CandidateReview(
            candidate_id=candidate,
            sop_instance_uid=study.clips[0].sop_instance_uid,
            frame_index=1,
            centre=(40.0, 50.0),
            outline=((40.0, 50.0), (41.0, 50.0), (41.0, 52.0)),
            diameter_mm=2.0,
            depth_mm=4.0,
            score=0.5,
            decision=decision,
            reason=reason,
            reviewed_by="x",
        )

    base = save_record(study, load_record(study), ANNA).record
    rejected = verdict("c1", Decision.REJECTED, RejectReason.ARTERY)
    two_heads(
        study,
        base,
        replace(base, reviews=(rejected,)),
        replace(base, reviews=(verdict("c1", Decision.VEIN), verdict("c2", Decision.VEIN))),
    )
    merged = load_record(study)
    assert {entry.candidate_id for entry in merged.reviews} == {"c1", "c2"}
    assert len(merged.conflicts) == 1 and "artery" in merged.conflicts[0]


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "flip", "header", "early"])
def test_a_damaged_record_is_an_error_that_names_the_file_and_never_empty(
    study: FakeStudy, damage: str
) -> None:
    saved = save_record(study, with_targets(study, 2), ANNA)
    data = bytearray(saved.path.read_bytes())
    if damage == "flip":
        place = data.index(b"Injection target 2")
        data[place] ^= 1
    elif damage == "header":
        place = data.index(study.study_instance_uid.encode(), 300)
        data[place + 10] = ord("7") if data[place + 10] != ord("7") else ord("3")
    changed = {
        "cut": data[: len(data) // 2],
        "early": data[:500],
        "empty": b"",
        "text": b"this is not DICOM\n" * 40,
    }.get(damage, data)
    saved.path.write_bytes(changed)
    with pytest.raises(RecordError) as caught:
        load_record(study)
    assert caught.value.where == str(saved.path)
    assert "Phantom" not in str(caught.value)


def test_no_cut_of_a_record_is_ever_read_as_a_record_or_as_nothing(study: FakeStudy) -> None:
    saved = save_record(study, with_targets(study, 1), ANNA)
    data = saved.path.read_bytes()
    for length in range(0, len(data), 97):
        saved.path.write_bytes(data[:length])
        with pytest.raises(RecordError):
            load_record(study)


def test_a_damaged_version_that_was_replaced_does_not_hide_the_newest(study: FakeStudy) -> None:
    first = save_record(study, with_targets(study, 1), ANNA)
    second = save_record(
        study, editing.update_target(first.record, first.record.targets[0].id, notes="x"), ANNA
    )
    first.path.write_bytes(first.path.read_bytes()[:700])
    assert load_record(study) == second.record
    entries = history(study)
    assert [bool(entry.problem) for entry in entries] == [False, True]
    assert first.path.name in entries[1].problem


def test_other_software_is_left_alone(study: FakeStudy) -> None:
    saved = save_record(study, with_targets(study, 1), ANNA)
    other = pydicom.dcmread(saved.path)
    other.Manufacturer = "Somebody"
    other.SOPInstanceUID = other.file_meta.MediaStorageSOPInstanceUID = new_uid()
    del other.CodingSchemeIdentificationSequence
    other.save_as(saved.path.with_name("other.dcm"))
    shutil.copy(study.clips[0].path, saved.path.with_name("picture.dcm"))
    saved.path.with_name("notes.txt").write_text("hello")
    before = bytes_of(study)
    assert load_record(study) == saved.record
    save_record(study, saved.record, ANNA)
    assert before.items() <= bytes_of(study).items()


def test_records_of_another_study_in_the_same_folder_are_not_ours(study: FakeStudy, tmp_path: Path) -> None:
    neighbour = make_study(tmp_path / "study")
    save_record(neighbour, with_targets(neighbour, 5), ANNA)
    assert load_record(study).targets == ()


def test_a_newer_schema_opens_read_only(study: FakeStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    record = with_targets(study, 2)
    with monkeypatch.context() as patch:
        patch.setattr(table_module, "SCHEMA", 7)
        patch.setattr("veinscan.record.codec.SCHEMA", 7)
        save_record(study, record, ANNA)
    loaded = load_record(study)
    assert "schema 7" in loaded.read_only
    assert [entry.id for entry in loaded.targets] == [entry.id for entry in record.targets]
    before = bytes_of(study)
    with pytest.raises(NotSavedError, match="newer veinscan"):
        save_record(study, loaded, ANNA)
    with pytest.raises(RecordError, match="newer veinscan"):
        editing.update_target(loaded, loaded.targets[0].id, notes="x")
    assert bytes_of(study) == before


def refuse(monkeypatch: pytest.MonkeyPatch, below: Path, number: int) -> None:
    """Make a folder refuse new files, as a read-only medium does (root may write anywhere else)."""
    real_open, real_mkdir = os.open, Path.mkdir

    def refusing_open(path: Any, flags: int, *args: Any, **kwargs: Any) -> int:
        if flags & os.O_CREAT and Path(path).is_relative_to(below):
            raise OSError(number, os.strerror(number), str(path))
        return real_open(path, flags, *args, **kwargs)

    def refusing_mkdir(self: Path, *args: Any, **kwargs: Any) -> None:
        if self.is_relative_to(below) and not self.exists():
            raise OSError(number, os.strerror(number), str(self))
        real_mkdir(self, *args, **kwargs)

    monkeypatch.setattr(files_module.os, "open", refusing_open)
    monkeypatch.setattr(Path, "mkdir", refusing_mkdir)


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EPERM])
@pytest.mark.parametrize("has_folder", [False, True])
def test_a_read_only_study_is_saved_with_the_user_and_found_again(
    study: FakeStudy, monkeypatch: pytest.MonkeyPatch, number: int, has_folder: bool
) -> None:
    record = with_targets(study, 1)
    if has_folder:
        (study.root / "veinscan").mkdir()
    with monkeypatch.context() as patch:
        refuse(patch, study.root, number)
        saved = save_record(study, record, ANNA)
    assert not saved.beside_study
    assert saved.path.parent == user_folder(study.study_instance_uid)
    assert str(saved.path) in saved.note and "cannot be written" in saved.note
    assert stat.S_IMODE(saved.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(saved.path.parent.stat().st_mode) == 0o700
    assert load_record(study) == saved.record
    # when the folder can be written again, the next version goes there and follows on
    again = save_record(study, saved.record, ANNA)
    assert again.beside_study
    assert load_record(study) == again.record


def test_the_name_of_the_users_folder_is_never_the_text_of_a_header() -> None:
    for text in ("../../etc", "/etc/passwd", "1.2/../../x", "", "a" * 300):
        folder = user_folder(text)
        assert folder.parent == user_folder("1.2.3").parent
        assert len(folder.name) == 64


def test_a_clock_that_went_back_changes_nothing(study: FakeStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import timedelta

    import veinscan.record.store as store_module
    from veinscan.plan.normal import now

    base = save_record(study, with_targets(study, 1), ANNA).record
    uid = base.targets[0].id
    monkeypatch.setattr(store_module, "now", lambda: now() - timedelta(days=400))
    save_record(study, editing.update_target(base, uid, notes="later"), ANNA)
    assert load_record(study).targets[0].notes == "later"
    assert [entry.version for entry in history(study)] == [1, 2]


def test_history_says_who_changed_what(study: FakeStudy) -> None:
    one = save_record(study, editing.add_target(load_record(study), target(study, vein="GSV")), ANNA).record
    uid = one.targets[0].id
    two = save_record(study, editing.update_target(one, uid, status="treated", diameter_mm=3), BEN).record
    save_record(study, editing.remove_target(two, uid), ANNA)
    entries = history(study)
    assert [(entry.version, entry.reader, entry.targets) for entry in entries] == [
        (1, "Anna", 1),
        (2, "Ben", 1),
        (3, "Anna", 0),
    ]
    assert [entry.is_head for entry in entries] == [False, False, True]
    assert entries[0].changes == ("target 1 (GSV, unknown) added",)
    assert "target 1: status from planned to treated" in entries[1].changes
    assert "target 1: diameter_mm from empty to 3.0" in entries[1].changes
    assert entries[2].changes == ("target 1 (GSV, unknown) removed",)
    assert all(entry.saved_at is not None and entry.saved_at.utcoffset() is not None for entry in entries)


def test_a_reader_without_a_name_cannot_save(study: FakeStudy) -> None:
    with pytest.raises(InvalidInputError, match="no name"):
        save_record(study, load_record(study), Reader(name="  "))
    assert files_of(study) == []


def test_what_no_file_can_hold_is_refused_before_anything_is_written(study: FakeStudy) -> None:
    record = load_record(study)
    for bad in (
        target(study, point=(float("nan"), 1.0)),
        target(study, diameter_mm=float("inf")),
        target(study, frame_index=-1),
        target(study, id="not a uid"),
        target(study, sop_instance_uid="x"),
    ):
        with pytest.raises(InvalidInputError):
            save_record(study, replace(record, targets=(bad,)), ANNA)
    assert files_of(study) == []


def test_records_that_lie_elsewhere_in_the_study_count_too(study: FakeStudy, tmp_path: Path) -> None:
    saved = save_record(study, with_targets(study, 1), ANNA)
    moved = tmp_path / "IM00042"
    saved.path.rename(moved)
    assert load_record(study).targets == ()
    study.record_paths = (moved,)
    assert load_record(study) == saved.record


def test_a_copy_of_a_version_is_not_a_second_head(study: FakeStudy) -> None:
    saved = save_record(study, with_targets(study, 1), ANNA)
    shutil.copy(saved.path, saved.path.with_name("copy.dcm"))
    assert load_record(study) == saved.record


def test_readings_do_not_mix(study: FakeStudy) -> None:
    plan = save_record(study, with_targets(study, 2), ANNA).record
    research = editing.new_record(study, purpose="research", candidates_shown=False)
    blinded = save_record(study, editing.add_target(research, target(study, notes="blind")), BEN).record
    assert load_record(study) == plan
    assert load_record(study, reading_id=blinded.reading.id) == blinded
    with pytest.raises(InvalidInputError, match="no reading"):
        load_record(study, reading_id="1.2.3")


def test_the_archive_may_store_it_in_another_transfer_syntax(study: FakeStudy) -> None:
    saved = save_record(study, with_targets(study, 3), ANNA)
    dataset = pydicom.dcmread(saved.path)
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
    dataset.InstitutionName = "Added by the archive"
    dataset.save_as(saved.path, implicit_vr=True, little_endian=True)
    assert load_record(study) == saved.record


def test_consistently_replaced_uids_leave_a_readable_record(study: FakeStudy) -> None:
    """As de-identification does: every UID mapped, names and dates changed."""
    saved = save_record(study, with_targets(study, 2), ANNA)
    dataset = pydicom.dcmread(saved.path)
    standard = "1.2.840."

    def mapped(_: Any, element: Any) -> None:
        if element.VR == "UI" and not str(element.value).startswith(standard):
            element.value = derived_uid("other", str(element.value))
        if element.VR == "PN":
            element.value = "Anonymous^"

    dataset.walk(mapped)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.save_as(saved.path)
    other = FakeStudy(study.root, study.clips, str(dataset.StudyInstanceUID), study.dataset, ())
    found = load_record(other, reading_id=derived_uid("other", saved.record.reading.id))
    assert [entry.point for entry in found.targets] == [entry.point for entry in saved.record.targets]


def test_status_and_side_have_codes_for_every_value() -> None:
    assert set(concepts.STATUSES) == set(TargetStatus)
    assert set(concepts.SIDES) == set(Side) - {Side.UNKNOWN}
