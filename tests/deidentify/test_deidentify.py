"""Headers, pixels and records without the person (PS3.15 Annex E)."""

from __future__ import annotations

import io
import shutil
import stat
import subprocess
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planted import BOX, Planted, leaks, plant, spellings

import veinscan
from veinscan.deidentify import (
    Dates,
    Identity,
    Options,
    ProjectKey,
    blacked,
    clean_header,
    clean_image,
    deidentify_record,
    keep_of,
    known_words,
    patient_pseudonym,
    project_key,
    read_key,
    writing_in,
)
from veinscan.deidentify.header import shifted
from veinscan.deidentify.pixels import usable_boxes
from veinscan.deidentify.record import unclassified
from veinscan.deidentify.table import Action, action_for
from veinscan.dicom.model import Region, RegionKind
from veinscan.errors import InvalidInputError
from veinscan.plan.as_json import plain
from veinscan.plan.ids import new_uid
from veinscan.plan.model import Record
from veinscan.record import load_record

KEY = ProjectKey(b"k" * 32)


def identity_of(clip: veinscan.Clip, options: Options = Options()) -> Identity:  # noqa: B008 - frozen
    header = clip.header()
    patient = patient_pseudonym(KEY, str(header.PatientID), "", "")
    return Identity(KEY, patient, KEY.days(patient), options, known_words([header]))


# --- the key


@given(st.text(max_size=20), st.text(max_size=20))
def test_pseudonyms_agree_for_one_key_and_differ_for_another(one: str, other: str) -> None:
    assert KEY.name("patient", one) == ProjectKey(b"k" * 32).name("patient", one)
    assert KEY.name("patient", one) != ProjectKey(b"j" * 32).name("patient", one)
    assert (KEY.name("patient", one) == KEY.name("patient", other)) == (one == other)
    assert 365 <= KEY.days(one) <= 3650


def test_uids_are_valid_stable_and_those_of_the_standard_stay() -> None:
    original = new_uid()
    assert KEY.uid(original) == KEY.uid(original + "\0") != original
    assert pydicom.uid.UID(KEY.uid(original)).is_valid
    assert KEY.uid("1.2.840.10008.5.1.4.1.1.3.1") == "1.2.840.10008.5.1.4.1.1.3.1"


def test_a_key_is_made_once_and_for_its_user_alone() -> None:
    key = project_key("trial")
    assert project_key("trial") == key != project_key("other")
    path = Path(veinscan.settings.data_dir()) / "projects" / "trial.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert key.secret.hex() not in repr(key)
    path.write_text("nonsense")
    with pytest.raises(InvalidInputError, match="not a project key"):
        read_key(path)
    with pytest.raises(InvalidInputError, match="name of a project"):
        project_key("../escape")


# --- the table


def test_the_table_is_that_of_the_standard() -> None:
    assert action_for(0x00100020) is Action.EMPTY  # Patient ID: Z
    assert action_for(0x00081048) is Action.REMOVE  # Physician(s) of Record: X
    assert action_for(0x0020000D) is Action.UID  # Study Instance UID: U
    assert action_for(0x60003000) is Action.REMOVE  # Overlay Data, a repeating group
    assert action_for(0x00280010) is Action.KEEP  # Rows


# --- headers


def test_no_header_keeps_a_name_or_number(each_planted: Planted) -> None:
    planted = each_planted
    for clip in veinscan.open_study(planted.folder).clips:
        header = clean_header(clip.raw_header(), identity_of(clip))
        buffer = io.BytesIO()
        header.save_as(buffer, implicit_vr=False, little_endian=True)
        text = buffer.getvalue()
        for what, value in planted.needles.items():
            assert not any(form in text for form in spellings(value)), what
        assert not any(uid.encode() in text for uid in planted.uids)
        assert header.Rows == clip.rows and header.Modality == "US" and header.FrameTime == 40.0
        assert header.PatientID == identity_of(clip).patient


def test_references_between_objects_stay(planted: Planted) -> None:
    clips = veinscan.open_study(planted.folder).clips
    headers = [clean_header(clip.raw_header(), identity_of(clip)) for clip in clips]
    for one, other in (headers, reversed(headers)):
        assert one.SourceImageSequence[0].ReferencedSOPInstanceUID == other.SOPInstanceUID
        assert one.StudyInstanceUID == other.StudyInstanceUID == KEY.uid(planted.uids[0])


def test_known_codes_stay_with_the_meaning_of_the_dictionary_and_local_ones_go(planted: Planted) -> None:
    clip = veinscan.open_study(planted.folder).clips[0]
    header = clean_header(clip.raw_header(), identity_of(clip))
    assert "RequestAttributesSequence" not in header
    (region,) = header.AnatomicRegionSequence
    assert region.CodeValue == "30021000" and region.CodeMeaning != planted.needles["family"]


def test_private_numbers_of_the_list_stay_and_nothing_else_private(planted: Planted) -> None:
    clip = veinscan.open_study(planted.folder).clips[0]
    header = clean_header(clip.raw_header(), identity_of(clip))
    private = [element for element in header.iterall() if element.tag.is_private]
    assert [(int(e.tag), e.value) for e in private] == [(0x09030010, "GEIIS PACS"), (0x09031010, 1)]


def test_dates_move_together_or_go(planted: Planted) -> None:
    clip = veinscan.open_study(planted.folder).clips[0]
    moved = identity_of(clip)
    header = clean_header(clip.raw_header(), moved)
    assert header.StudyDate == f"{date(2025, 1, 2) - timedelta(days=moved.days):%Y%m%d}"
    assert header.AcquisitionDateTime.startswith(header.StudyDate)
    assert header.LongitudinalTemporalInformationModified == "MODIFIED"
    assert header.PatientBirthDate == ""
    gone = clean_header(clip.raw_header(), identity_of(clip, Options(dates=Dates.REMOVED)))
    assert gone.StudyDate == gone.StudyTime == "" and "ContentDate" not in gone
    codes = [item.CodeValue for item in gone.DeidentificationMethodCodeSequence]
    assert "113100" in codes and "113107" not in codes


@given(
    st.dates(date(1930, 1, 1), date(2099, 12, 31)),
    st.integers(365, 3650),
    st.sampled_from(["", "1016", "101600.25"]),
)
def test_a_shift_keeps_intervals(day: date, days: int, rest: str) -> None:
    found = shifted(f"{day:%Y%m%d}{rest}+0330", days)
    assert found == f"{day - timedelta(days=days):%Y%m%d}{rest}"


# --- pixels


def test_the_banner_is_black_and_the_picture_is_not_touched(each_planted: Planted, tmp_path: Path) -> None:
    planted = each_planted
    for number, clip in enumerate(veinscan.open_study(planted.folder).clips):
        keep = keep_of(clip)
        assert keep.boxes == (BOX,) and not keep.doubts  # the dummy over the whole screen does not count
        path = tmp_path / "out" / f"{number}.dcm"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(clean_image(clip, identity_of(clip), keep))
        assert leaks(path.parent, planted) == []
        (again,) = veinscan.open_study(path).clips
        row0, col0, row1, col1 = BOX
        for index in range(clip.n_frames):
            frame, original = again.frame(index).copy(), clip.frame(index)
            assert np.array_equal(frame[row0:row1, col0:col1], original[row0:row1, col0:col1])
            frame[row0:row1, col0:col1] = 0
            assert not frame.any() and original[:row0].any()
        header = again.header()
        assert header.BurnedInAnnotation == "YES" and header.PatientIdentityRemoved == "NO"
        assert header.get("LossyImageCompression") == (None if number else "01")
        assert [r.box for r in again.regions] == [BOX]


def test_burned_in_annotation_is_no_only_after_a_person_looked(planted: Planted) -> None:
    clip = veinscan.open_study(planted.folder).clips[0]
    data = clean_image(clip, identity_of(clip), keep_of(clip), confirmed=True)
    header = pydicom.dcmread(io.BytesIO(data))
    assert header.BurnedInAnnotation == "NO" and header.PatientIdentityRemoved == "YES"


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy is not installed")
def test_the_object_is_valid(tmp_path: Path, sample_study_dir: Path) -> None:
    for number, clip in enumerate(veinscan.open_study(sample_study_dir).clips):
        if clip.n_frames > 1:
            continue  # one of a kind is enough: the attributes are the same
        path = tmp_path / f"{number}.dcm"
        path.write_bytes(clean_image(clip, identity_of(clip), keep_of(clip)))
        said = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False).stderr
        assert not [line for line in said.splitlines() if line.startswith("Error")], said


def test_a_region_over_the_whole_screen_never_counts() -> None:
    whole = Region(kind=RegionKind.TISSUE, box=(0, 0, 100, 200))
    part = Region(kind=RegionKind.TISSUE, box=(10, 0, 100, 200))
    text = Region(kind=RegionKind.GRAPHICS, box=(0, 0, 10, 20))
    assert usable_boxes((whole, part, text), 100, 200) == (part.box,)


def test_without_a_region_the_doubt_is_told(planted: Planted) -> None:
    path = next(planted.folder.glob("*2.dcm"))
    dataset = pydicom.dcmread(path)
    del dataset.SequenceOfUltrasoundRegions
    dataset.save_as(path)
    clip = veinscan.open_study(planted.folder).clips[1]
    keep = keep_of(clip)
    assert keep.source == "pixels" and "no usable region" in keep.doubts[0]


def test_writing_inside_the_picture_is_found(tmp_path: Path) -> None:
    import cv2

    planted = plant(tmp_path, 1)
    path = next(planted.folder.glob("*2.dcm"))
    dataset = pydicom.dcmread(path)
    pixels = dataset.pixel_array.copy()
    before = writing_in(veinscan.open_study(path).clips[0], keep_of(veinscan.open_study(path).clips[0]))
    for frame in pixels:
        cv2.putText(frame, "DOE JANE", (50, 104), cv2.FONT_HERSHEY_PLAIN, 0.8, 255, 1)
    dataset.PixelData = pixels.tobytes()
    dataset.save_as(path)
    clip = veinscan.open_study(path).clips[0]
    found = writing_in(clip, keep_of(clip))
    assert before == ()
    assert found and all(92 < row0 < 106 and 45 < col0 < 150 for row0, col0, _, _ in found)


def test_a_box_that_a_person_marked_is_black_too(planted: Planted) -> None:
    clip = veinscan.open_study(planted.folder).clips[0]
    keep = replace(keep_of(clip), black=((40, 40, 50, 80),))
    frame = blacked(clip.frame(0), keep.mask(clip.rows, clip.columns))
    assert not frame[40:50, 40:80].any() and frame[60:70, 40:80].any()


# --- records


def test_every_field_of_the_model_is_of_a_known_kind() -> None:
    """A text added to the model is left out of exports until it is named in `deidentify.record`."""
    assert unclassified(Record) == set()


def test_a_record_keeps_its_numbers_and_none_of_its_names(each_planted: Planted) -> None:
    planted = each_planted
    study = veinscan.open_study(planted.folder)
    record = load_record(study)
    mapped = deidentify_record(record, identity_of(study.clips[0]))
    text = repr(plain(mapped)).encode("utf-8")
    for what, value in planted.needles.items():
        assert not any(form in text for form in spellings(value)), what
    assert not any(uid.encode() in text for uid in planted.uids)
    (target,), (original,) = mapped.targets, record.targets
    assert (target.point, target.outline, target.diameter_mm) == (
        original.point, original.outline, original.diameter_mm,
    )  # fmt: skip
    assert target.sop_instance_uid == KEY.uid(original.sop_instance_uid)
    assert mapped.sessions[0].injections[0].target_id == target.id
    assert target.notes == target.feeds_text == "" and target.marked_by.startswith("reader-")
    assert target.marked_by == mapped.reviews[0].reviewed_by
    assert target.marked_at == original.marked_at - timedelta(days=identity_of(study.clips[0]).days)  # type: ignore[operator]
    assert mapped.contexts[0].vein == "GSV"


def test_notes_that_are_asked_for_come_without_what_names_the_person(each_planted: Planted) -> None:
    planted = each_planted
    study = veinscan.open_study(planted.folder)
    identity = identity_of(study.clips[0], Options(notes=True))
    (target,) = deidentify_record(load_record(study), identity).targets
    assert target.notes.startswith("neighbour of") and "[removed]" in target.notes
    for what in ("family", "patient id"):
        assert not any(form in target.notes.encode() for form in spellings(planted.needles[what]))


def test_times_lose_their_zone_and_their_day(planted: Planted) -> None:
    clip = veinscan.open_study(planted.folder).clips[0]
    identity = identity_of(clip)
    moment = datetime(2025, 1, 2, 3, 4, tzinfo=timezone(timedelta(hours=3, minutes=30)))
    assert identity.moment(moment) == moment - timedelta(days=identity.days)
    assert str(identity.moment(moment)).endswith("+00:00")
    assert identity_of(clip, Options(dates=Dates.REMOVED)).moment(moment) is None


def test_no_attribute_of_the_standard_lets_the_name_through() -> None:
    """Every attribute of PS3.6 that holds text, at the top and in a sequence, with the name in it."""
    from pydicom.datadict import DicomDictionary
    from pydicom.dataset import Dataset

    name = "QUIRINUS"
    texts = {"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"}
    original, inner = Dataset(), Dataset()
    for tag, (vr, *_rest) in DicomDictionary.items():
        group = tag >> 16
        if vr in texts and group not in (0x0000, 0x0002, 0x0004, 0xFFFE) and group % 2 == 0:
            for dataset in (original, inner):
                dataset.add_new(tag, vr, name)
        elif vr in ("OB", "OW", "UN") and group % 2 == 0 and group not in (0x0002, 0x7FE0, 0xFFFC):
            original.add_new(tag, vr, name.encode())
    original.PatientName = f"{name}^Sankt"
    original.AnatomicRegionSequence = [inner]
    original.SourceImageSequence = [inner]
    original.SequenceOfUltrasoundRegions = [inner]
    identity = Identity(KEY, "P-X", 400, Options(), known_words([original]))
    assert len(original) > 1000
    header = clean_header(original, identity)
    assert name not in str(header.to_json_dict())
    assert header.PatientName == "P-X"
    # even where nothing tells that it is a name: of texts only three, which describe the machine, are kept
    unknown = clean_header(original, Identity(KEY, "P-X", 400, Options(), ()))
    kept = {e.keyword for e in unknown if name in str(e.value) and e.VR != "SQ"}
    assert kept == {"Manufacturer", "ManufacturerModelName", "SoftwareVersions"}


def test_no_date_of_the_standard_stays_as_it_was() -> None:
    from pydicom.datadict import DicomDictionary
    from pydicom.dataset import Dataset

    original = Dataset()
    for tag, (vr, *_rest) in DicomDictionary.items():
        if vr in ("DA", "DT") and (tag >> 16) % 2 == 0 and (tag >> 16) > 4:
            original.add_new(tag, vr, "20250102" if vr == "DA" else "20250102030405")
    for options in (Options(), Options(dates=Dates.REMOVED)):
        header = clean_header(original, Identity(KEY, "P-X", 400, options, ()))
        assert "20250102" not in str(header.to_json_dict())
    assert header.StudyDate == ""


def test_no_uid_of_an_instance_stays_as_it_was() -> None:
    from pydicom.datadict import DicomDictionary
    from pydicom.dataset import Dataset

    original = Dataset()
    for tag, (vr, *_rest) in DicomDictionary.items():
        if vr == "UI" and (tag >> 16) % 2 == 0 and (tag >> 16) > 4:
            original.add_new(tag, vr, "1.2.826.0.1.777")
    header = clean_header(original, Identity(KEY, "P-X", 400, Options(), ()))
    assert "1.2.826.0.1.777" not in str(header.to_json_dict())
    assert header.SOPInstanceUID == KEY.uid("1.2.826.0.1.777")
