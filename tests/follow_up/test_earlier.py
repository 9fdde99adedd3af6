"""Earlier studies: found where they lie, by headers alone, of this patient and no other."""

from __future__ import annotations

import os
import shutil
import zipfile
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pydicom
import pytest
from follow_up_studies import ANNA, plan_of, study_at, target

from veinscan.dicom import open_study
from veinscan.dicom.guard import Limits
from veinscan.dicom.patients import Match
from veinscan.errors import CancelledError
from veinscan.follow_up.earlier import EarlierStudies, find_earlier
from veinscan.plan.editing import add_target, new_record
from veinscan.plan.finalise import withdraw
from veinscan.record import load_record, save_record


def planned(folder: Path, day: str = "20260102", **header: Any) -> Any:
    study = study_at(folder, day, **header)
    plan_of(study, target(study.clips[0]))
    return study


def uids(found: EarlierStudies) -> list[str]:
    return [one.study_instance_uid for one in found.studies]


@pytest.fixture
def today(tmp_path: Path) -> Any:
    return study_at(tmp_path / "patients" / "today", "20260119")


def test_the_parent_folder_holds_it(tmp_path: Path, today: Any) -> None:
    early = planned(tmp_path / "patients" / "a" / "deep" / "study", "20251201")
    late = planned(tmp_path / "patients" / "b", "20260102")
    planned(tmp_path / "patients" / "later", "20260201")
    planned(tmp_path / "patients" / "stranger", PatientID="P2", PatientName="Other^Person")
    planned(tmp_path / "patients" / "namesake", PatientID="P2")
    study_at(tmp_path / "patients" / "no record", "20260103")
    planned(tmp_path / "elsewhere")
    found = find_earlier(today)
    assert uids(found) == [late.study_instance_uid, early.study_instance_uid]
    first, second = found.studies
    assert (first.match, first.on, first.days_before, first.has_record) == (
        Match.CERTAIN, date(2026, 1, 2), 17, True,
    )  # fmt: skip
    assert first.path == tmp_path / "patients" / "b"
    assert second.path == tmp_path / "patients" / "a" / "deep" / "study"
    assert found.notes == ()


def test_given_folders_are_looked_in_and_no_other(tmp_path: Path, today: Any) -> None:
    planned(tmp_path / "patients" / "near")
    far = planned(tmp_path / "archive" / "far")
    assert uids(find_earlier(today, [tmp_path / "archive"])) == [far.study_instance_uid]
    assert uids(find_earlier(today, [tmp_path / "archive" / "far"])) == [far.study_instance_uid]
    nothing = find_earlier(today, [tmp_path / "not there"])
    assert (nothing.studies, nothing.notes) == ((), ("there is no such folder",))


def test_what_is_not_certain_is_asked_and_says_why(tmp_path: Path, today: Any) -> None:
    sure = planned(tmp_path / "patients" / "sure", "20250101")
    planned(tmp_path / "patients" / "no birth date", "20260105", PatientBirthDate="")
    ask = find_earlier(today).studies
    assert [one.match for one in ask] == [Match.CERTAIN, Match.ASK]
    assert ask[0].study_instance_uid == sure.study_instance_uid
    assert "birth date" in ask[1].reason


def test_a_name_alone_finds_nothing(tmp_path: Path) -> None:
    today = study_at(tmp_path / "p" / "today", "20260119", PatientID="", PatientBirthDate="")
    planned(tmp_path / "p" / "same name", PatientID="", PatientBirthDate="")
    assert find_earlier(today, without_record=True).studies == ()


def test_the_same_day_counts_by_the_time(tmp_path: Path, today: Any) -> None:
    morning = planned(tmp_path / "patients" / "morning", "20260119", StudyTime="080000")
    planned(tmp_path / "patients" / "evening", "20260119", StudyTime="200000")
    assert uids(find_earlier(today)) == [morning.study_instance_uid]


def test_a_folder_with_files_of_two_patients_never_mixes_them(tmp_path: Path) -> None:
    mixed = tmp_path / "mixed"
    mine = study_at(tmp_path / "1", "20260102")
    other = study_at(tmp_path / "2", "20260102", PatientID="P2", PatientName="Other^Person")
    today = study_at(tmp_path / "3" / "today", "20260119")
    mixed.mkdir()
    for number, study in enumerate((other, mine)):
        for clip in study.clips:
            shutil.copy(clip.path, mixed / f"{number}-{clip.path.name}")
        study.root = study.path = mixed
        plan_of(study, target(study.clips[0]))
    found = find_earlier(today, [mixed])
    assert uids(found) == [mine.study_instance_uid]
    assert found.studies[0].path == mixed


def test_a_record_that_names_another_patient_than_its_pictures_is_not_believed(
    tmp_path: Path, today: Any
) -> None:
    study = planned(tmp_path / "patients" / "moved")
    for clip in study.clips:
        dataset = pydicom.dcmread(clip.path)
        dataset.PatientID, dataset.PatientBirthDate = "P2", "19800101"
        dataset.save_as(clip.path)
    assert find_earlier(today).studies == ()


def test_of_several_copies_one_that_can_be_compared_is_offered(tmp_path: Path, today: Any) -> None:
    folder = tmp_path / "patients"
    study = planned(folder / "m good", "20260102")
    # copies before and after it: another patient's pictures, a record without pictures, one withdrawn
    for name in ("a moved", "z moved"):
        shutil.copytree(folder / "m good", folder / name)
        for path in (folder / name).glob("*.dcm"):
            dataset = pydicom.dcmread(path)
            dataset.PatientID, dataset.PatientBirthDate = "P2", "19800101"
            dataset.save_as(path)
    for name in ("b bare", "y bare"):
        shutil.copytree(folder / "m good" / "veinscan", folder / name / "veinscan")
    for name in ("c gone", "x gone"):
        shutil.copytree(folder / "m good", folder / name)
        copy = replace(study, root=folder / name)
        save_record(copy, withdraw(load_record(copy), ANNA, "wrong side"), ANNA)
    found = find_earlier(today)
    assert [one.path.name for one in found.studies] == ["m good"]
    assert found.notes == ()
    # the order of the folders to look in says nothing either
    for places in (["c gone", "m good"], ["m good", "c gone"]):
        (one,) = find_earlier(today, [folder / name for name in places]).studies
        assert one.path.name == "m good"
    # where every copy is withdrawn it is still listed, and `compare` says why not
    (one,) = find_earlier(today, [folder / "c gone"]).studies
    assert (one.path.name, one.has_record) == ("c gone", True)


def test_a_zip_with_its_record_beside_or_inside(tmp_path: Path, today: Any) -> None:
    folder = tmp_path / "patients"
    for name, inside in (("beside", False), ("inside", True)):
        study = planned(tmp_path / name, "20260103" if inside else "20260102")
        with zipfile.ZipFile(folder / f"{name}.zip", "w") as archive:
            for path in sorted((tmp_path / name).rglob("*.dcm")):
                if inside or path.parent.name != "veinscan":
                    archive.write(path, path.relative_to(tmp_path / name))
        if not inside:
            shutil.copytree(tmp_path / name / "veinscan", folder / "veinscan")
        assert study.study_instance_uid
    found = find_earlier(today)
    assert [one.path.name for one in found.studies] == ["inside.zip", "beside.zip"]
    assert all(one.has_record for one in found.studies)
    (one,) = find_earlier(today, [folder / "beside.zip"]).studies
    assert one.path == folder / "beside.zip"


def test_a_record_in_the_users_own_folder_finds_its_study(
    tmp_path: Path, today: Any, own_user_folders: Path
) -> None:
    study = planned(tmp_path / "patients" / "read-only" / "series")
    records = own_user_folders / "data" / "veinscan" / "records" / study.study_instance_uid
    shutil.move(study.root / "veinscan", records)
    (found,) = find_earlier(today).studies
    assert found.study_instance_uid == study.study_instance_uid
    assert found.has_record


def test_studies_without_a_record_are_listed_when_asked(tmp_path: Path, today: Any) -> None:
    bare = study_at(tmp_path / "patients" / "bare", "20260110")
    marked = planned(tmp_path / "patients" / "marked")
    assert uids(find_earlier(today)) == [marked.study_instance_uid]
    found = find_earlier(today, without_record=True)
    assert uids(found) == [marked.study_instance_uid, bare.study_instance_uid]
    assert [one.has_record for one in found.studies] == [True, False]


def test_only_few_headers_are_read_and_no_picture(tmp_path: Path, today: Any) -> None:
    study = planned(tmp_path / "patients" / "big")
    source = study.clips[0].path
    for number in range(60):
        dataset = pydicom.dcmread(source)
        dataset.SOPInstanceUID = f"{dataset.SOPInstanceUID}.{number}"
        dataset.save_as(study.root / f"more{number:03d}.dcm")
        dataset.save_as(tmp_path / "patients" / "today" / f"more{number:03d}.dcm")
    seen: list[int] = []
    assert uids(find_earlier(today, progress=seen.append)) == [study.study_instance_uid]
    assert seen[-1] <= 5


def test_a_record_whose_study_is_nowhere_costs_little(
    tmp_path: Path, today: Any, own_user_folders: Path
) -> None:
    gone = planned(tmp_path / "gone")
    shutil.move(
        gone.root / "veinscan",
        own_user_folders / "data" / "veinscan" / "records" / gone.study_instance_uid,
    )
    for number in range(20):
        shutil.copy(today.clips[0].path, today.root / f"more{number:03d}.dcm")
    seen: list[int] = []
    found = find_earlier(today, progress=seen.append)
    assert (found.studies, found.notes) == ((), ())
    assert seen[-1] <= 3
    # beside other files it is told that its study is missing
    left = planned(tmp_path / "patients" / "left")
    for clip in left.clips:
        clip.path.unlink()
    assert find_earlier(today).notes == ("a record of this patient lies there without its study",)


def test_hostile_folders_are_passed_over(tmp_path: Path, today: Any) -> None:
    folder = tmp_path / "patients"
    study = planned(folder / "good")
    (folder / "bad" / "veinscan").mkdir(parents=True)
    (folder / "bad" / "veinscan" / "garbage.dcm").write_bytes(os.urandom(4000))
    (folder / "bad" / "veinscan" / "empty.dcm").touch()
    os.mkfifo(folder / "bad" / "veinscan" / "pipe.dcm")
    os.mkfifo(folder / "bad" / "pipe")
    (folder / "bad" / "loop").symlink_to(folder)
    (folder / "bad" / "broken").symlink_to(folder / "nowhere")
    (folder / "bad" / "bomb.zip").write_bytes(b"PK\x03\x04" + b"\0" * 100)
    cut = (study.root / "veinscan").glob("*.dcm").__next__().read_bytes()
    (folder / "bad" / "veinscan" / "cut.dcm").write_bytes(cut[: len(cut) // 2])
    deep = folder / "deep"
    for _ in range(40):
        deep = deep / "d"
    deep.mkdir(parents=True)
    found = find_earlier(today)
    assert uids(found) == [study.study_instance_uid]
    assert any("record cannot be read" in note for note in found.notes)
    assert not any("Phantom" in note or "P1" in note for note in found.notes)


def test_a_search_is_bounded_and_can_be_stopped(tmp_path: Path, today: Any) -> None:
    planned(tmp_path / "patients" / "z last")
    found = find_earlier(today, limits=Limits(files=1))
    assert found.studies == ()
    assert "the rest is not looked at" in found.notes[0]

    def stop(done: int) -> None:
        raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        find_earlier(today, progress=stop)


def test_the_sample_and_its_follow_up(sample_study_dir: Path, sample_follow_up_dir: Path) -> None:
    before, after = open_study(sample_study_dir), open_study(sample_follow_up_dir)
    assert find_earlier(after).studies == ()
    save_record(before, add_target(new_record(before), target()), ANNA)
    (found,) = find_earlier(after).studies
    assert (found.study_instance_uid, found.match) == (before.study_instance_uid, Match.CERTAIN)
    assert found.path == sample_study_dir
    assert find_earlier(before).studies == ()
