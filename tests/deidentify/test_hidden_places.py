"""A person where nobody looks: code strings, numbers, dates, UIDs, private items, other objects, notes."""

from __future__ import annotations

import json
import struct
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from planted import Planted, leaks
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import UID, ExplicitVRLittleEndian

import veinscan
from veinscan.deidentify import Identity, Options, Pixels, ProjectKey, clean_header, known_words
from veinscan.deidentify.header import shifted
from veinscan.deidentify.identity import short_names
from veinscan.export import ExportOptions, Format, export_studies, item_of
from veinscan.plan.model import Acknowledgement
from veinscan.record import load_record, save_record
from veinscan.record.readings import saved_readings

KEY = ProjectKey(b"h" * 32)
NAME = "QXZWOLKENSTEIN"
"""No attribute that is for names holds it."""
NUMBER = "777788889999"
IDENTITY = Identity(KEY, "P-X", 400, Options(notes=True), (), frozenset({"ng"}))


def _bytes(text: str) -> bytes:
    return text.encode() + b"\0" * (len(text) % 2)


def _hide(path: Path) -> None:
    """Put NAME and NUMBER wherever a file can hold them."""
    ds = pydicom.dcmread(path)
    deep, inner = Dataset(), Dataset()
    deep.private_block(0x0047, "DEEP", create=True).add_new(1, "LO", NAME)
    ds.private_block(0x0045, "OUTER", create=True).add_new(1, "SQ", [deep])
    ds.SequenceOfUltrasoundRegions[1].private_block(0x0049, "REGION", create=True).add_new(1, "UT", NAME)
    flags = ds.private_block(0x0903, "GEIIS PACS", create=True)
    flags.add_new(0x11, "LO", NUMBER)
    flags.add_new(0x12, "US", [7777, 8888, 9999])
    ds.EncapsulatedDocument = ds.ICCProfile = _bytes(NAME)
    icon = Dataset()
    icon.Rows = icon.Columns = 16
    icon.BitsAllocated, icon.PixelData = 8, (NAME.encode() * 20)[:256]
    ds.IconImageSequence = [icon]
    ds.add_new(0x50003000, "OW", _bytes(NAME))
    ds.add_new(0x00720065, "OV", (NAME.encode() + b"\0" * 8)[:16])
    ds.add_new(0x00720078, "US", list(struct.unpack("<8H", (NAME.encode() + b"\0" * 8)[:16])))
    ds.BodyPartExamined, ds.ImageType = NAME, ["ORIGINAL", "PRIMARY", NAME, "0001"]
    inner.ValueType, inner.TextValue, inner.PersonName, inner.FrameComments = "TEXT", NAME, NAME, NAME
    inner.Manufacturer = NAME
    ds.ContentSequence = ds.PerFrameFunctionalGroupsSequence = ds.ContributingEquipmentSequence = [inner]
    ds.FrameOfReferenceUID = f"1.2.840.10008.{NUMBER}.1"
    ds.AcquisitionDateTime = f"20250102{NUMBER}"
    ds.file_meta.PrivateInformationCreatorUID = UID(f"1.2.3.{NUMBER}")
    ds.file_meta.PrivateInformation = _bytes(NAME)
    ds.DataSetTrailingPadding = _bytes(NAME)
    ds.save_as(path, enforce_file_format=True)
    with path.open("ab") as file:
        file.write(NAME.encode() * 3)


def _other_object(folder: Path, like: Dataset, sop_class: str, **more: object) -> None:
    ds = Dataset()
    for keyword in ("PatientName", "PatientID", "StudyInstanceUID", "StudyDate", "SpecificCharacterSet"):
        setattr(ds, keyword, like.get(keyword))
    ds.SOPClassUID, ds.SOPInstanceUID, ds.SeriesInstanceUID = sop_class, f"1.2.3.{NUMBER}", f"1.2.{NUMBER}"
    for keyword, value in more.items():
        setattr(ds, keyword, value)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = UID(sop_class), UID(ds.SOPInstanceUID)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    path = folder / f"{NAME} {ds.Modality}.dcm"
    FileDataset(str(path), ds, file_meta=meta, preamble=NAME.encode().ljust(128, b"\0")).save_as(path)


@pytest.mark.filterwarnings("ignore:Invalid value for VR")
@pytest.mark.parametrize("source", ["folder", "zip"])
def test_nothing_hidden_leaves(planted: Planted, tmp_path: Path, source: str) -> None:
    for path in sorted(planted.folder.glob("*.dcm")):
        _hide(path)
    like = pydicom.dcmread(path, stop_before_pixels=True)
    text = Dataset()
    text.ValueType, text.TextValue = "TEXT", NAME
    _other_object(
        planted.folder, like, "1.2.840.10008.5.1.4.1.1.88.33", Modality="SR", ContentSequence=[text]
    )
    _other_object(
        planted.folder,
        like,
        "1.2.840.10008.5.1.4.1.1.104.1",
        Modality="DOC",
        EncapsulatedDocument=_bytes(f"%PDF {NAME}"),
    )
    (planted.folder / f"{NAME}.txt").write_text(NAME)
    place = planted.folder
    if source == "zip":
        place = tmp_path / f"{NAME}.zip"
        with zipfile.ZipFile(place, "w") as file:
            file.comment = NAME.encode()
            for path in sorted(planted.folder.rglob("*.*")):
                if path.is_file():
                    member = zipfile.ZipInfo(f"{NAME}/{path.relative_to(planted.folder)}")
                    member.comment = NAME.encode()
                    file.writestr(member, path.read_bytes())
    options = ExportOptions(formats=tuple(Format))
    found = export_studies([item_of(veinscan.open_study(place), KEY)], tmp_path / "set", options, KEY)
    assert found.cases == 2 and not found.failed
    needles = {**planted.needles, "hidden": NAME, "part": NAME[:8], "number": NUMBER, "day": "20250102"}
    assert leaks(found.folder, Planted(planted.folder, needles, planted.uids)) == []
    headers = [clip.header() for clip in veinscan.open_study(next((found.folder / "dicom").iterdir())).clips]
    assert [list(header.ImageType) for header in headers] == [["DERIVED", "PRIMARY", "OTHER", "0001"]] * 2


def test_names_in_nested_items_are_known(planted: Planted) -> None:
    header, inner = Dataset(), Dataset()
    inner.PersonName, inner.PatientID = "Quandt^Ottilie", "Z-4711"
    header.VerifyingObserverSequence = [inner]
    assert {"quandt", "ottilie", "4711"} <= set(known_words([header]))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("born 03.04.1961, seen", "born [removed], seen"),
        ("on 1961-04-03 and 4/3/61", "on [removed] and [removed]"),
        ("since 1987", "since [removed]"),
        ("uid 1.2.3.4.5 here", "uid [removed] here"),
        ("call 0171 555 01 23 or a.b@c.de", "call [removed] or [removed]"),
        ("Mr Ng has Pain", "Mr [removed] has Pain"),
        ("reflux 0.8 s, 3.5-4.2 mm, 3 of 10, 12 x 9 mm", "reflux 0.8 s, 3.5-4.2 mm, 3 of 10, 12 x 9 mm"),
    ],
)
def test_notes_lose_dates_and_numbers_of_a_person(text: str, kept: str) -> None:
    assert IDENTITY.text(text) == kept


def test_short_names_are_looked_for_in_notes_alone() -> None:
    header = Dataset()
    header.PatientName, header.Modality, header.OperatorsName = "Li^Ng=李^伍", "US", "US"
    assert {"li", "ng"} <= short_names([header])
    identity = Identity(KEY, "P-X", 400, Options(notes=True), known_words([header]), short_names([header]))
    assert identity.text("Li came") == "[removed] came"
    assert clean_header(header, identity).Modality == "US"


def test_a_date_keeps_no_longer_number() -> None:
    assert shifted("20250102101500.123456+0100", 1) == "20250101101500.123456"
    assert shifted("202501021015", 1) == "202501011015"
    assert shifted("20250102", 1) == "20250101"
    assert shifted(f"20250102{NUMBER}", 1) == "20250101"
    assert shifted("20250102101500.1234567890", 1) == "20250101"


def test_a_uid_under_the_root_of_the_standard_stays_only_where_the_standard_has_it() -> None:
    assert KEY.uid("1.2.840.10008.5.1.4.1.1.6.1") == "1.2.840.10008.5.1.4.1.1.6.1"
    assert KEY.uid(f"1.2.840.10008.{NUMBER}").startswith("2.25.")


def test_acknowledgements_leave_without_their_sentences(planted: Planted, tmp_path: Path) -> None:
    study = veinscan.open_study(planted.folder)
    record = load_record(study)
    seen = Acknowledgement(
        rule="no-laterality",
        subject=record.targets[0].id,
        sentence=f"the side of {planted.needles['family']} is not known",
        reason=planted.needles["note"],
        acknowledged_by=planted.needles["reader"],
    )
    save_record(study, replace(record, acknowledgements=(seen,)), veinscan.Reader(name="Somebody"))
    options = ExportOptions(formats=(Format.JSON, Format.DICOM_SR))
    found = export_studies([item_of(study, KEY)], tmp_path / "set", options, KEY)
    assert not found.failed and leaks(found.folder, planted) == []
    (reading,) = saved_readings(veinscan.open_study(next((found.folder / "dicom").iterdir())))
    (one,) = reading.record.acknowledgements
    assert (one.rule, one.subject, one.sentence) == (
        "no-laterality", KEY.uid(seen.subject), "[removed]",
    )  # fmt: skip
    assert one.acknowledged_by.startswith("reader-")


def test_a_study_that_fails_half_way_leaves_no_picture_behind(planted: Planted, tmp_path: Path) -> None:
    item = item_of(veinscan.open_study(planted.folder), KEY)
    path = sorted(planted.folder.glob("*.dcm"))[0]
    data = path.read_bytes()
    ds = pydicom.dcmread(path)
    coded = list(generate_frames(ds.PixelData, number_of_frames=3))
    ds.PixelData = encapsulate([coded[0], coded[1][:200], coded[2]])  # the first frame can be written
    ds.save_as(path)
    options = ExportOptions(formats=(Format.COCO, Format.NIFTI))
    folder = tmp_path / "set"
    found = export_studies([item], folder, options, KEY)
    assert [name for name, _ in found.failed] == [item.name]
    assert not [path for path in folder.rglob("*") if path.name.startswith(item.name)]
    path.write_bytes(data)
    assert not export_studies([item], folder, options, KEY).failed
    assert list(folder.rglob("*.nii.gz"))


def test_every_export_says_whether_candidates_were_shown(planted: Planted, tmp_path: Path) -> None:
    item = item_of(veinscan.open_study(planted.folder), KEY)
    found = export_studies([item], tmp_path / "set", ExportOptions(formats=(Format.NNUNET,)), KEY)
    assert "readings.json" in found.files
    ((name, (reading,)),) = json.loads((found.folder / "readings.json").read_text()).items()
    assert name == item.name and reading["chosen"] is True and reading["candidates_shown"] is True


def test_pixels_that_are_not_to_be_cleaned_say_so_everywhere(planted: Planted, tmp_path: Path) -> None:
    study = veinscan.open_study(planted.folder)
    kept = Options(pixels=Pixels.WHOLE)
    options = ExportOptions(formats=(Format.DICOM_SR, Format.CSV), deidentify=kept)
    found = export_studies([item_of(study, KEY)], tmp_path / "set", options, KEY)
    again = veinscan.open_study(next((found.folder / "dicom").iterdir()))
    for clip, original in zip(again.clips, study.clips, strict=True):
        assert np.array_equal(clip.frame(0), original.frame(0))
        header = clip.header()
        codes = {item.CodeValue for item in header.DeidentificationMethodCodeSequence}
        assert header.BurnedInAnnotation == "YES" and header.PatientIdentityRemoved == "NO"
        assert "113101" not in codes and "113100" in codes
    judged = json.loads((found.folder / "not_judged.json").read_text())["clips"]
    assert sum("not cleaned" in one["what"] for one in judged) == 2
    assert (
        "not cleaned" in json.loads((found.folder / "dataset.json").read_text())["deidentification"]["pixels"]
    )
    assert (found.folder / "tables" / "clips.csv").read_text().count(",whole,") == 2
    assert leaks(found.folder, planted) == []  # in headers, names and tables nobody is, pixels or not
