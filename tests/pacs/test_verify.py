"""What counts as 'the same' when an object comes back from an archive, and what does not."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import plans
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moody_archive import MoodyArchive, make_object
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    RLELossless,
)
from record_studies import make_study

from veinscan.dicom.header import quiet
from veinscan.errors import InvalidInputError, PacsError
from veinscan.pacs.verify import Compared, compare_files, verify_stored


def changed(path: Path, back: Path, change: Callable[[Any], object], **saving: Any) -> Compared:
    dataset = pydicom.dcmread(path)
    change(dataset)
    dataset.save_as(back, enforce_file_format=True, **saving)
    return compare_files(path, back)


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plans.finalised(make_study(tmp_path_factory.mktemp("record") / "study"), "a note").path


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "image.dcm"
    frames = np.arange(3 * 6 * 8, dtype=np.uint8).reshape(3, 6, 8)
    make_object(
        path,
        Rows=6,
        Columns=8,
        NumberOfFrames=3,
        SamplesPerPixel=1,
        PhotometricInterpretation="MONOCHROME2",
        BitsAllocated=8,
        BitsStored=8,
        HighBit=7,
        PixelRepresentation=0,
        PixelData=frames.tobytes(),
    )
    return path


@pytest.mark.parametrize("kind", ["record", "image"])
@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_another_uncompressed_transfer_syntax_is_the_same(
    kind: str, syntax: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    path = request.getfixturevalue(kind)
    dataset = pydicom.dcmread(path)
    dataset.file_meta.TransferSyntaxUID = syntax
    implicit = syntax == ImplicitVRLittleEndian
    dataset.save_as(tmp_path / "back", enforce_file_format=True, implicit_vr=implicit, little_endian=True)
    assert compare_files(path, tmp_path / "back").same


def added(dataset: Any) -> None:
    dataset.RetrieveURL = "http://127.0.0.1/x"
    dataset.InstanceAvailability = "ONLINE"
    dataset.file_meta.SourceApplicationEntityTitle = "ARCHIVE"
    dataset.private_block(0x7777, "ARCHIVE", create=True).add_new(1, "LO", "own books")
    dataset.OriginalAttributesSequence = []


def coerced(dataset: Any) -> None:
    dataset.PatientName = "Sample^Anna^Maria"
    dataset.AccessionNumber = "ACC-9-SECRET"


@pytest.mark.parametrize("kind", ["record", "image"])
def test_what_an_archive_adds_does_no_harm(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    path = request.getfixturevalue(kind)
    assert changed(path, tmp_path / "back", added) == Compared(True)
    told = changed(path, tmp_path / "back", coerced)
    assert told.same
    assert told.reason == "the archive changed AccessionNumber, PatientName"
    recoded = changed(
        path, tmp_path / "back", lambda one: setattr(one, "ImageComments", one.get("ImageComments"))
    )
    assert recoded.same


def test_texts_are_compared_as_they_read(tmp_path: Path) -> None:
    make_object(
        tmp_path / "a", SpecificCharacterSet="ISO_IR 192", ImageComments="größer", PatientName="Müller^Ö"
    )

    def latin(dataset: Any) -> None:
        _ = dataset.ImageComments, dataset.PatientName
        dataset.decode()
        dataset.SpecificCharacterSet = "ISO_IR 100"

    assert changed(tmp_path / "a", tmp_path / "back", latin) == Compared(True)
    assert b"gr\xf6\xdfer" in (tmp_path / "back").read_bytes()
    other = changed(tmp_path / "a", tmp_path / "back", lambda one: setattr(one, "ImageComments", "grosser"))
    assert other.reason == "what came back differs in ImageComments"


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("CompletionFlag", "PARTIAL"),
        ("VerificationFlag", "UNVERIFIED"),
        ("StudyInstanceUID", "1.2.3.4"),
        ("SeriesInstanceUID", "1.2.3.4"),
        ("SOPInstanceUID", "1.2.3.4"),
        ("SeriesDescription", "another"),
        ("PredecessorDocumentsSequence", []),
        ("VerifyingObserverSequence", []),
        ("Manufacturer", "somebody else"),
    ],
)
def test_a_record_with_another_header_is_not_the_same(
    record: Path, tmp_path: Path, keyword: str, value: Any
) -> None:
    found = changed(record, tmp_path / "back", lambda one: setattr(one, keyword, value))
    assert not found.same
    assert found.reason


@given(data=st.data())
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_change_of_a_records_content_is_seen(
    record: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """A leaf of the content tree is changed, or taken out."""
    dataset = pydicom.dcmread(record)
    leaves: list[tuple[Any, int]] = []

    def walk(items: Any) -> None:
        for at, item in enumerate(items):
            leaves.append((items, at))
            walk(item.get("ContentSequence") or [])

    walk(dataset.ContentSequence)
    items, at = data.draw(st.sampled_from(leaves))
    texts = [word for word in ("TextValue", "UID", "DateTime", "PersonName") if word in items[at]]
    if texts and data.draw(st.booleans()):
        values = {"UID": "1.2.9", "DateTime": "20200101000000", "PersonName": "X^Y", "TextValue": "other"}
        setattr(items[at], texts[0], values[texts[0]])
    else:
        del items[at]
    back = tmp_path_factory.mktemp("back") / "back"
    dataset.save_as(back)
    assert not compare_files(record, back).same


@given(cut=st.integers(1, 8000), at=st.integers(140, 9000), bit=st.integers(0, 7))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_bytes_never_pass_and_never_raise(
    record: Path, tmp_path_factory: pytest.TempPathFactory, cut: int, at: int, bit: int
) -> None:
    data = record.read_bytes()
    back = tmp_path_factory.mktemp("back") / "back"
    back.write_bytes(data[: -min(cut, len(data) - 1)])
    assert not compare_files(record, back).same
    flipped = bytearray(data)
    flipped[at % len(data)] ^= 1 << bit
    back.write_bytes(bytes(flipped))
    found = compare_files(record, back)  # a bit of the file meta or of a coerced name may do no harm
    if found.same:
        with quiet():
            mine, theirs = (pydicom.dcmread(io.BytesIO(one)) for one in (data, bytes(flipped)))
            assert mine.ContentSequence == theirs.ContentSequence


@pytest.mark.parametrize("junk", [b"", b"<html>log in</html>", b"\0" * 400])
def test_what_is_no_object_is_not_the_same(record: Path, image: Path, tmp_path: Path, junk: bytes) -> None:
    (tmp_path / "back").write_bytes(junk)
    for path in (record, image):
        found = compare_files(path, tmp_path / "back")
        assert not found.same
        assert "cannot be read" in found.reason


def test_pixels_have_to_be_the_same(image: Path, tmp_path: Path) -> None:
    def other(dataset: Any) -> None:
        pixels = bytearray(dataset.PixelData)
        pixels[17] ^= 1
        dataset.PixelData = bytes(pixels)

    assert changed(image, tmp_path / "back", other).reason == "the pixel data differ"

    def none(dataset: Any) -> None:
        del dataset.PixelData

    assert "missing on one side" in changed(image, tmp_path / "back", none).reason
    rows = changed(
        image, tmp_path / "back", lambda one: (setattr(one, "Rows", 8), setattr(one, "Columns", 6))
    )
    assert not rows.same


def test_a_lossless_compression_is_the_same_and_a_lossy_one_is_not(image: Path, tmp_path: Path) -> None:
    def rle(dataset: Any) -> None:
        dataset.compress(RLELossless, generate_instance_uid=False)

    assert changed(image, tmp_path / "back", rle).same
    # and the other way round: the scanner's compression was taken off
    compressed = tmp_path / "back"
    assert compare_files(compressed, image).same

    def wrong(dataset: Any) -> None:
        pixels = bytearray(dataset.PixelData)
        pixels[5] ^= 4
        dataset.PixelData = bytes(pixels)
        dataset.compress(RLELossless, generate_instance_uid=False)

    assert changed(image, tmp_path / "wrong", wrong).reason == "the pixel data differ"

    def lossy(dataset: Any) -> None:
        dataset.PixelData = encapsulate([b"\xff\xd8\xff\xd9"] * 3)
        dataset["PixelData"].VR = "OB"
        dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit

    assert "loses some" in changed(image, tmp_path / "lossy", lossy).reason


def test_the_same_frames_in_other_fragments_are_the_same(image: Path, tmp_path: Path) -> None:
    frames = [bytes([0xFF, 0xD8, 65 + n]) * 10 + b"\xff\xd9" for n in range(3)]

    def jpeg(dataset: Any, fragments: int, table: bool) -> None:
        dataset.PixelData = encapsulate(frames, fragments_per_frame=fragments, has_bot=table)
        dataset["PixelData"].VR = "OB"
        dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit

    changed(image, tmp_path / "one", lambda one: jpeg(one, 1, True))
    changed(image, tmp_path / "two", lambda one: jpeg(one, 1, False))
    changed(image, tmp_path / "three", lambda one: jpeg(one, 2, True))
    assert compare_files(tmp_path / "one", tmp_path / "two").same
    assert compare_files(tmp_path / "one", tmp_path / "three").same
    frames[1] = frames[0]
    changed(image, tmp_path / "four", lambda one: jpeg(one, 1, True))
    assert compare_files(tmp_path / "one", tmp_path / "four").reason == "the pixel data differ"


def test_an_empty_attribute_and_none_are_the_same(image: Path, tmp_path: Path) -> None:
    assert changed(image, tmp_path / "back", lambda one: setattr(one, "BodyPartExamined", "")).same
    assert not changed(image, tmp_path / "back", lambda one: setattr(one, "BodyPartExamined", "LEG")).same


def test_no_value_is_in_a_reason(image: Path, tmp_path: Path) -> None:
    make_object(tmp_path / "a", ImageComments="SECRET-1", PatientComments="SECRET-2", PatientID="SECRET-3")

    def other(dataset: Any) -> None:
        for word in ("ImageComments", "PatientComments", "PatientID"):
            setattr(dataset, word, "SECRET-9")

    found = changed(tmp_path / "a", tmp_path / "back", other)
    assert not found.same
    assert "SECRET" not in repr(found)


def test_an_archive_that_cannot_be_asked_says_nothing_about_the_object(image: Path, tmp_path: Path) -> None:
    archive = MoodyArchive(tmp_path / "archive")
    archive.put(image)
    assert verify_stored(archive, image).stored
    archive.loses_on_the_way_back = lambda uid: "error"
    with pytest.raises(PacsError, match="did not come"):
        verify_stored(archive, image)
    archive.loses_on_the_way_back = lambda uid: "garbage"
    found = verify_stored(archive, image)
    assert (found.found, found.same, found.stored) == (True, False, False)
    archive.down = "tcp"
    with pytest.raises(PacsError):
        verify_stored(archive, image)
    with pytest.raises(InvalidInputError), warnings.catch_warnings():
        verify_stored(archive, tmp_path / "none")
