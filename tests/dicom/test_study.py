"""`open_study`: what becomes a clip, what is skipped and why, and which study is opened."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from us_files import STUDY, region, save, save_grey, speckle, us

from veinscan.dicom import open_study
from veinscan.errors import (
    AmbiguousStudyError,
    CancelledError,
    InvalidInputError,
    NoStudyError,
    UnreadableError,
    VeinscanError,
)

CT = "1.2.840.10008.5.1.4.1.1.2"
COMPREHENSIVE_SR = "1.2.840.10008.5.1.4.1.1.88.33"


def listing(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    return {
        str(p.relative_to(folder)): (
            p.stat().st_mtime_ns,
            p.stat().st_size,
            p.read_bytes() if p.is_file() else b"",
        )
        for p in sorted(folder.rglob("*"))
    }


def reasons(study) -> dict[str, str]:
    return {entry.path: entry.reason for entry in study.skipped}


def report(path: Path, **tags) -> Path:
    dataset = us(SOPClassUID=COMPREHENSIVE_SR, Modality="SR", **tags)
    return save(dataset, path, None)


@pytest.fixture
def folder(tmp_path) -> Path:
    """Two clips in two series, one of them without an extension, and everything a CD has beside them."""
    root = tmp_path / "study"
    save_grey(root / "a.dcm", InstanceNumber=2, regions=[region()])
    save_grey(root / "IMAGES" / "I0001", pixels=speckle(3), SeriesNumber=2, SeriesInstanceUID=STUDY + ".2")
    (root / "readme.txt").write_text("nothing of interest here " * 20)
    (root / "empty.dcm").write_bytes(b"")
    shutil.copy(root / "a.dcm", root / "copy of a.dcm")
    save(us(SOPClassUID=CT, Modality="CT"), root / "ct.dcm", speckle().tobytes())
    whole = (root / "a.dcm").read_bytes()
    (root / "cut.dcm").write_bytes(whole[: len(whole) - 900])
    save(us(SOPClassUID="1.2.840.10008.5.1.4.1.1.6.2"), root / "volume.dcm", speckle().tobytes())
    return root


def test_folder_of_everything(folder):
    before = listing(folder)
    study = open_study(folder)
    assert [clip.file for clip in study.clips] == ["a.dcm", "IMAGES/I0001"]
    assert study.study_instance_uid == STUDY
    assert study.root == folder
    why = reasons(study)
    assert "no DICOM mark" in why["readme.txt"]
    assert "0 bytes" in why["empty.dcm"]
    assert "CT Image" in why["ct.dcm"]
    assert "incomplete" in why["cut.dcm"]
    assert "copy of a.dcm" in why["copy of a.dcm"] or "a copy of" in why["copy of a.dcm"]
    assert "Enhanced US Volume" in why["volume.dcm"]
    assert study.clips[0].kind == "bmode"
    assert study.clips[0].spacing_mm == pytest.approx((0.2, 0.2))
    assert listing(folder) == before, "reading writes nothing"


def test_file_zip_and_folder_give_the_same_pixels(folder, tmp_path):
    packed = tmp_path / "study.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder).as_posix())
    from_folder, from_zip = open_study(folder), open_study(packed)
    assert [c.file for c in from_zip.clips] == [c.file for c in from_folder.clips]
    assert reasons(from_zip) == reasons(from_folder)
    assert from_zip.root == tmp_path
    for a, b in zip(from_folder.clips, from_zip.clips, strict=True):
        assert a.sop_instance_uid == b.sop_instance_uid
        for i in range(a.n_frames):
            assert np.array_equal(a.frame(i), b.frame(i))
        assert b.header().SOPInstanceUID == a.sop_instance_uid
    single = open_study(folder / "a.dcm")
    assert [c.file for c in single.clips] == ["a.dcm"]
    assert single.root == folder
    assert np.array_equal(single.clips[0].frame(0), from_folder.clip("a.dcm").frame(0))


def test_dicomdir_opens_its_folder(folder):
    (folder / "DICOMDIR").write_bytes((folder / "ct.dcm").read_bytes())
    assert len(open_study(folder / "DICOMDIR").clips) == 2


def test_clip_is_found_by_file_and_by_uid(folder):
    study = open_study(folder)
    clip = study.clips[0]
    assert study.clip("a.dcm") is clip
    assert study.clip(clip.sop_instance_uid) is clip
    with pytest.raises(InvalidInputError, match=r"no clip 'b.dcm'"):
        study.clip("b.dcm")
    for index in (-1, 1, 10**9, 0.5, None):
        with pytest.raises(InvalidInputError):
            clip.frame(index)


def test_header_holds_patient_and_study_without_pixels(folder):
    header = open_study(folder).header()
    assert header.PatientID == "P1"
    assert header.StudyInstanceUID == STUDY
    assert "PixelData" not in header


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("text.txt", b"hello " * 100, "no DICOM mark"),
        ("empty.dcm", b"", "0 bytes"),
        ("mark.dcm", b"\0" * 128 + b"DICM", "nothing follows"),
        ("short.dcm", b"\0" * 100, "no DICOM mark"),
        ("still.jpg", b"\xff\xd8\xff\xe0" + b"x" * 300, "a JPEG picture, not a DICOM file"),
        ("clip.mp4", b"\0\0\0\x20ftypmp42" + b"x" * 300, "video, not a DICOM file"),
    ],
)
def test_file_that_is_none_says_why(tmp_path, name, content, reason):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(NoStudyError, match=reason) as caught:
        open_study(path)
    assert "\n" not in str(caught.value)
    assert caught.value.do


def test_ct_alone_says_what_it_is(tmp_path):
    save(us(SOPClassUID=CT, Modality="CT"), tmp_path / "a.dcm", speckle().tobytes())
    with pytest.raises(NoStudyError, match="CT Image"):
        open_study(tmp_path / "a.dcm")


def test_empty_folder_and_missing_path(tmp_path):
    with pytest.raises(NoStudyError, match="no file in it"):
        open_study(tmp_path)
    with pytest.raises(NoStudyError, match="no such file"):
        open_study(tmp_path / "nowhere")


@pytest.mark.parametrize("keep", [0.2, 0.5, 0.9, 0.99])
def test_truncated_file_at_any_place_is_said(tmp_path, keep):
    path = save_grey(tmp_path / "a.dcm")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(NoStudyError, match="incomplete"):
        open_study(path)


def test_truncated_clip_shows_its_whole_frames_and_is_listed(tmp_path):
    pixels = speckle(10)
    path = save_grey(tmp_path / "a.dcm", pixels=pixels)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) - int(4.5 * 48 * 64)])
    study = open_study(path)
    clip = study.clips[0]
    assert clip.n_frames == 5
    assert clip.shape == (5, 48, 64)
    assert len(clip.frame_times_s) == 5
    assert np.array_equal(clip.frame(4), pixels[4])
    assert any("5 of 10 frames are whole" in w for w in clip.warnings)
    assert "5 of 10 frames are whole" in reasons(study)["a.dcm"]


def test_two_studies_are_asked_for_by_uid_and_never_mixed(tmp_path):
    save_grey(tmp_path / "a.dcm", PatientID="SECRET1", PatientName="Hidden^One")
    save_grey(tmp_path / "b.dcm", PatientID="SECRET2", PatientName="Hidden^Two", StudyInstanceUID=STUDY + "7")
    with pytest.raises(AmbiguousStudyError) as caught:
        open_study(tmp_path)
    assert caught.value.study_uids == (STUDY, STUDY + "7")
    for uid in caught.value.study_uids:
        assert uid in str(caught.value)
    assert [line.split("  ")[1:] for line in caught.value.shown] == [["1 clip", "a.dcm"], ["1 clip", "b.dcm"]]
    for said in (str(caught.value), *caught.value.shown):
        assert "SECRET" not in said
        assert "Hidden" not in said
    study = open_study(tmp_path, study_uid=STUDY + "7")
    assert [c.file for c in study.clips] == ["b.dcm"]
    assert STUDY in reasons(study)["a.dcm"]
    with pytest.raises(NoStudyError, match=r"no study 1.2.3"):
        open_study(tmp_path, study_uid="1.2.3")


def test_two_patients_under_one_study_uid_are_refused(tmp_path):
    save_grey(tmp_path / "a.dcm", PatientID="SECRET1")
    save_grey(tmp_path / "b.dcm", PatientID="SECRET2")
    for choice in (None, STUDY):
        with pytest.raises(AmbiguousStudyError, match="different patients") as caught:
            open_study(tmp_path, study_uid=choice)
        assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ({"PatientID": "7", "PatientName": "A^B"}, {"PatientID": "7", "PatientName": "A^B^C"}, True),
        ({"PatientID": "7", "PatientName": "A^B"}, {"PatientID": "", "PatientName": "a b"}, True),
        ({"PatientID": "7", "PatientName": "A^B"}, {"PatientID": None, "PatientName": None}, True),
        ({"PatientID": "7", "PatientName": "A^B"}, {"PatientID": "", "PatientName": "C^D"}, False),
        ({"PatientID": "", "PatientName": "A^B"}, {"PatientID": "", "PatientName": "C^D"}, False),
        ({"PatientID": " 7 "}, {"PatientID": "7"}, True),
    ],
)
def test_who_is_the_same_patient(tmp_path, first, second, same):
    save_grey(tmp_path / "a.dcm", **first)
    save_grey(tmp_path / "b.dcm", **second)
    if same:
        assert len(open_study(tmp_path).clips) == 2
    else:
        with pytest.raises(AmbiguousStudyError):
            open_study(tmp_path)


def test_uids_padded_with_nul_or_space_are_the_same_study(tmp_path):
    path = save_grey(tmp_path / "a.dcm", StudyInstanceUID="1.2.34")
    save_grey(tmp_path / "b.dcm", StudyInstanceUID="1.2.345")
    data = path.read_bytes()
    assert data.count(b"1.2.34") == 1
    (tmp_path / "b.dcm").write_bytes((tmp_path / "b.dcm").read_bytes().replace(b"1.2.345\0", b"1.2.34 \0"))
    assert open_study(tmp_path).study_instance_uid == "1.2.34"


@pytest.mark.parametrize("bad", ["../../etc/passwd", "/etc/passwd", "1.2.3; rm", ""])
def test_uid_that_is_no_uid_is_refused(tmp_path, bad):
    """PS3.5 section 9.1: nothing but digits and dots; such values end up in file names elsewhere."""
    dataset = us(StudyInstanceUID=bad)
    save(dataset, tmp_path / "a.dcm", speckle().tobytes())
    with pytest.raises(NoStudyError, match="StudyInstanceUID"):
        open_study(tmp_path)


def test_own_records_are_neither_clips_nor_skipped(tmp_path):
    save_grey(tmp_path / "a.dcm")
    own = report(tmp_path / "veinscan" / "1.2.dcm", Manufacturer="veinscan")
    moved = report(tmp_path / "export" / "record.dcm", Manufacturer="veinscan")
    other_study = report(tmp_path / "veinscan" / "1.3.dcm", Manufacturer="veinscan", StudyInstanceUID="1.2.3")
    report(tmp_path / "report.dcm", Manufacturer="Scanner")
    study = open_study(tmp_path)
    assert set(study.record_paths) == {own, moved}
    assert other_study not in study.record_paths
    assert [d.path for d in study.other_documents] == ["report.dcm"]
    assert "Comprehensive SR" in study.other_documents[0].sop_class
    assert len(study.clips) == 1
    (stranger,) = study.skipped
    assert stranger.path == "veinscan/1.3.dcm"
    assert "record of another study (1.2.3)" in stranger.reason


def test_records_inside_a_zip_travel_with_it(tmp_path):
    save_grey(tmp_path / "a.dcm")
    own = report(tmp_path / "veinscan" / "1.2.dcm", Manufacturer="veinscan")
    with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
        archive.write(tmp_path / "a.dcm", "a.dcm")
        archive.write(own, "veinscan/1.2.dcm")
    data = own.read_bytes()
    own.unlink()
    study = open_study(tmp_path / "s.zip")
    assert (study.record_paths, study.skipped) == ((), ())
    (packed,) = study.packed_records
    assert (packed.name, packed.read(0, packed.size)) == ("veinscan/1.2.dcm", data)


def test_a_cut_zip_is_named_as_one(tmp_path):
    save_grey(tmp_path / "a.dcm")
    with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
        archive.write(tmp_path / "a.dcm", "a.dcm")
    whole = (tmp_path / "s.zip").read_bytes()
    (tmp_path / "s.zip").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(NoStudyError, match="incomplete or damaged"):
        open_study(tmp_path / "s.zip")


def test_records_beside_a_single_file_and_a_zip(tmp_path):
    save_grey(tmp_path / "a.dcm")
    own = report(tmp_path / "veinscan" / "1.2.dcm", Manufacturer="veinscan")
    report(tmp_path / "veinscan" / "1.3.dcm", Manufacturer="veinscan", StudyInstanceUID="1.2.3")
    with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
        archive.write(tmp_path / "a.dcm", "a.dcm")
    assert open_study(tmp_path / "a.dcm").record_paths == (own,)
    assert open_study(tmp_path / "s.zip").record_paths == (own,)


def test_record_that_cannot_be_read_is_not_passed_over(tmp_path):
    """A damaged record must never look like 'no record'."""
    save_grey(tmp_path / "a.dcm")
    own = report(tmp_path / "veinscan" / "1.2.dcm", Manufacturer="veinscan")
    own.write_bytes(own.read_bytes()[:50])
    study = open_study(tmp_path)
    assert study.record_paths == (own,)
    assert "veinscan/1.2.dcm" in reasons(study)


def test_secondary_captures_of_an_ultrasound_system_are_pages_of_the_study(tmp_path):
    page = np.zeros((1, 480, 640), np.uint8)
    page[0, 40:440:20, 60:500:3] = 255
    save_grey(tmp_path / "page.dcm", pixels=page, SOPClassUID="1.2.840.10008.5.1.4.1.1.7")
    save_grey(tmp_path / "ot.dcm", SOPClassUID="1.2.840.10008.5.1.4.1.1.7", Modality="OT")
    study = open_study(tmp_path)
    assert [c.file for c in study.clips] == ["page.dcm"]
    assert study.clips[0].kind == "page"
    assert "Secondary Capture" in reasons(study)["ot.dcm"]


def test_missing_modality_is_taken_from_the_class_and_said(tmp_path):
    save_grey(tmp_path / "a.dcm", Modality=None)
    assert any("modality is missing" in w for w in open_study(tmp_path).clips[0].warnings)


def test_sop_uid_only_in_the_meta_information_is_used_and_said(tmp_path):
    dataset = us(SOPInstanceUID=None)
    dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.99"
    save(dataset, tmp_path / "a.dcm", speckle().tobytes())
    clip = open_study(tmp_path).clips[0]
    assert clip.sop_instance_uid == "1.2.99"
    assert any("SOP Instance UID is missing" in w for w in clip.warnings)


def test_object_without_preamble_is_read(tmp_path):
    path = save_grey(tmp_path / "a.dcm")
    path.write_bytes(path.read_bytes()[132:])
    clip = open_study(path).clips[0]
    assert np.array_equal(clip.frame(0), speckle()[0])
    assert any("preamble" in w for w in clip.warnings)


@pytest.mark.parametrize(
    ("value", "side"), [("L", "left"), ("R", "right"), ("", "unknown"), ("B", "unknown")]
)
def test_laterality(tmp_path, value, side):
    save_grey(tmp_path / "a.dcm", Laterality=value)
    assert open_study(tmp_path).clips[0].laterality == side


def test_progress_is_told_and_may_stop_it(folder):
    seen: list[tuple[int, int]] = []
    open_study(folder, progress=lambda done, total: seen.append((done, total)))
    assert [done for done, _ in seen] == list(range(1, len(seen) + 1))
    assert {total for _, total in seen} == {len(seen)}

    def stop(done: int, total: int) -> None:
        raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        open_study(folder, progress=stop)

    def broken(done: int, total: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        open_study(folder, progress=broken)


def test_file_that_changes_or_goes_while_open_is_one_clear_error(tmp_path):
    path = save_grey(tmp_path / "a.dcm", pixels=speckle(3))
    clip = open_study(path).clips[0]
    first = clip.frame(0)
    path.write_bytes(path.read_bytes() + b"\0\0")
    with pytest.raises(UnreadableError, match="has changed"):
        clip.frame(1)
    path.unlink()
    with pytest.raises(UnreadableError, match=r"a.dcm"):
        clip.frame(2)
    assert clip.frame(0) is first, "what was decoded stays"


def test_missing_series_uid_is_a_series_of_its_own(tmp_path):
    save_grey(tmp_path / "a.dcm", SeriesInstanceUID=None)
    assert open_study(tmp_path).clips[0].series_instance_uid == ""


def test_import_of_the_model_does_not_load_a_parser():
    import subprocess
    import sys

    code = "import sys, veinscan.dicom; veinscan.dicom.Region; assert 'pydicom' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_no_veinscan_error_names_the_patient(tmp_path):
    save_grey(tmp_path / "a.dcm", PatientName="Hidden^Name", Rows=0)
    with pytest.raises(VeinscanError) as caught:
        open_study(tmp_path)
    assert "Hidden" not in str(caught.value)
    assert caught.value.where == tmp_path.name


def test_progress_over_a_zip_knows_the_total(tmp_path):
    with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
        for i in range(4):
            archive.write(save_grey(tmp_path / f"{i}.dcm"), f"{i}.dcm")
    seen: list[tuple[int, int]] = []
    open_study(tmp_path / "s.zip", progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_relative_path_stays_right_when_the_working_folder_changes(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(folder)
    study = open_study(".")
    monkeypatch.chdir(tmp_path)
    assert study.root == folder
    assert study.clips[0].path.is_file()
    study.clips[0].frame(0)
