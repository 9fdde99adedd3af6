"""Studies with known names and numbers everywhere a scanner, a person or a file system can put them."""

from __future__ import annotations

import base64
import gzip
import io
import random
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import imagecodecs
import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGBaseline8Bit

MULTI_FRAME = "1.2.840.10008.5.1.4.1.1.3.1"
ROWS, COLUMNS, FRAMES = 120, 176, 3
BOX = (28, 16, 112, 160)
"""The picture; everything around it is banner."""

NAMES = (
    ("ISO_IR 100", "Müllerová^Ångström", "latin-1"),
    ("ISO_IR 192", "Żółkiewska^Łucja", "utf-8"),
    ("ISO_IR 144", "Люксембург^Роза", "iso8859_5"),
    ("ISO_IR 126", "Διονυσιάδου^Ελένη", "iso8859_7"),
    ("ISO_IR 101", "Dvořáčková^Jiřina", "iso8859_2"),
    ("GB18030", "Wangxiaodong^王小东王", "gb18030"),
    ("\\ISO 2022 IR 87", "Yamazakura^山桜花子", "iso2022_jp"),
    ("\\ISO 2022 IR 149", "Honggildong^홍길동홍", "euc_kr"),
    ("ISO_IR 192", "O'Quillfeather^Mary-Jane", "utf-8"),
)
"""(character set, name, its encoding)."""


@dataclass
class Planted:
    """What was put where."""

    folder: Path
    needles: dict[str, str] = field(default_factory=dict)
    """What it is to the text itself."""
    uids: list[str] = field(default_factory=list)


def plant(folder: Path, seed: int, *, follow_up_of: int | None = None) -> Planted:
    """A study of two clips with a record, in files and folders named after the person."""
    rng = random.Random(seed if follow_up_of is None else follow_up_of)  # noqa: S311 - made-up people
    charset, name, _ = NAMES[(seed if follow_up_of is None else follow_up_of) % len(NAMES)]
    family, given = name.split("^")
    number = rng.randrange(10**8, 10**9)
    needles = {
        "family": family,
        "given": given,
        "patient id": f"MRN-{number}",
        "birth date": f"19{rng.randrange(30, 99)}{rng.randrange(1, 13):02d}{rng.randrange(10, 29)}",
        "accession": f"ACC{rng.randrange(10**6, 10**7)}X{seed % 7}",
        "hospital": f"Sankt Quirinus Klinik {number % 97}",
        "device serial": f"SNR{rng.randrange(10**7, 10**8)}",
        "operator": f"Sonographerova{number % 89}",
        "reader": f"Lesezeichen{number % 83}",
        "private": f"PRIV-{rng.randrange(10**8, 10**9)}",
        "note": f"neighbour of {family}",
    }
    root = f"1.2.826.0.1.{number}.{seed}"
    planted = Planted(
        folder / f"{family.encode('ascii', 'ignore').decode() or 'X'}_{needles['patient id']}", needles
    )
    planted.uids = [f"{root}.1", f"{root}.2", f"{root}.3.1", f"{root}.3.2"]
    for index in (1, 2):
        dataset = _header(planted, charset, root, index, seed)
        _write(planted, dataset, index, jpeg=index == 1, seed=seed)
    return planted


def _header(planted: Planted, charset: str, root: str, index: int, seed: int) -> Dataset:
    n = planted.needles
    dataset = Dataset()
    dataset.SpecificCharacterSet = charset.split("\\") if "\\" in charset else charset
    dataset.SOPClassUID, dataset.SOPInstanceUID = MULTI_FRAME, f"{root}.3.{index}"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = f"{root}.1", f"{root}.2"
    dataset.PatientName = f"{n['family']}^{n['given']}"
    dataset.PatientID, dataset.PatientBirthDate, dataset.PatientSex = n["patient id"], n["birth date"], "F"
    dataset.OtherPatientIDs = n["patient id"]
    dataset.PatientAddress, dataset.PatientComments = f"{n['hospital']} 1", n["note"]
    dataset.PatientTelephoneNumbers = n["accession"]
    dataset.AccessionNumber, dataset.StudyID = n["accession"], n["accession"][:16]
    dataset.InstitutionName, dataset.StationName = n["hospital"], n["device serial"][:16]
    dataset.InstitutionAddress, dataset.InstitutionalDepartmentName = n["hospital"], n["hospital"]
    dataset.DeviceSerialNumber, dataset.OperatorsName = n["device serial"], n["operator"]
    dataset.ReferringPhysicianName = dataset.PerformingPhysicianName = n["operator"]
    dataset.StudyDescription = dataset.SeriesDescription = dataset.ImageComments = n["note"]
    dataset.ProtocolName = dataset.RequestedProcedureDescription = n["family"]
    dataset.StudyDate, dataset.StudyTime = "20250102", "101500"
    dataset.ContentDate, dataset.ContentTime = "20250102", "101600"
    dataset.AcquisitionDateTime = "20250102101600+0330"
    dataset.Modality, dataset.Manufacturer = "US", "Maker"
    dataset.ManufacturerModelName = f"Model of {n['hospital']}"  # a text that usually is harmless
    dataset.SoftwareVersions = ["1.0", n["device serial"]]
    dataset.SeriesNumber, dataset.InstanceNumber = 1, index
    dataset.Laterality = "L"
    request = Dataset()
    request.RequestedProcedureID, request.ScheduledProcedureStepID = n["accession"][:16], n["accession"][:16]
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "X1", "99LOCAL", n["family"]
    request.RequestedProcedureCodeSequence = [code]
    dataset.RequestAttributesSequence = [request]
    known = Dataset()
    known.CodeValue, known.CodingSchemeDesignator, known.CodeMeaning = "30021000", "SCT", n["family"]
    dataset.AnatomicRegionSequence = [known]
    referenced = Dataset()
    referenced.ReferencedSOPClassUID = MULTI_FRAME
    referenced.ReferencedSOPInstanceUID = f"{root}.3.{3 - index}"
    dataset.SourceImageSequence = [referenced]
    block = dataset.private_block(0x0033, f"MAKER {n['private']}", create=True)
    block.add_new(0x01, "LO", n["private"])
    block.add_new(0x02, "UN", n["family"].encode("utf-8"))
    inner = Dataset()
    inner.private_block(0x0035, "INNER", create=True).add_new(0x01, "LO", n["private"])
    inner.PatientName = n["family"]
    dataset.ReferencedPatientSequence = [inner]
    flags = dataset.private_block(0x0903, "GEIIS PACS", create=True)
    flags.add_new(0x10, "US", 1)
    dataset.add_new(0x60000010, "US", 4)
    dataset.add_new(0x60000022, "LO", n["family"])
    dataset.add_new(0x60003000, "OW", n["private"].encode() + b"\0" * (len(n["private"]) % 2))
    dataset.Rows, dataset.Columns, dataset.NumberOfFrames = ROWS, COLUMNS, FRAMES
    dataset.FrameTime, dataset.FrameIncrementPointer = 40.0, 0x00181063
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.BurnedInAnnotation = "NO"  # as scanners write it over a banner
    dataset.SequenceOfUltrasoundRegions = [_region((0, 0, ROWS, COLUMNS), dummy=True), _region(BOX)]
    return dataset


def _region(box: tuple[int, int, int, int], *, dummy: bool = False) -> Dataset:
    item = Dataset()
    item.RegionSpatialFormat = item.RegionDataType = 0 if dummy else 1
    item.RegionFlags = 0
    item.RegionLocationMinY0, item.RegionLocationMinX0 = box[0], box[1]
    item.RegionLocationMaxY1, item.RegionLocationMaxX1 = box[2] - 1, box[3] - 1
    item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = 0 if dummy else 3
    item.PhysicalDeltaX = item.PhysicalDeltaY = 1.0 if dummy else 0.02
    item.ReferencePixelX0, item.ReferencePixelY0 = (box[3] - box[1]) // 2, 0
    return item


def frames(planted: Planted, seed: int) -> np.ndarray:
    """(n, rows, cols) uint8: speckle with a lumen inside the box, the person in the banner and beside."""
    rng = np.random.default_rng(seed)
    out = np.zeros((FRAMES, ROWS, COLUMNS), np.uint8)
    row0, col0, row1, col1 = BOX
    row, col = np.mgrid[: row1 - row0, : col1 - col0]
    lumen = np.hypot(row - 40, col - 70) < 14
    for frame in out:
        echo = cv2.GaussianBlur(rng.normal(110, 60, lumen.shape), (5, 5), 1.5)
        frame[row0:row1, col0:col1] = np.clip(np.where(lumen, 6, echo), 0, 255)
        text = planted.needles["family"].encode("ascii", "replace").decode()
        cv2.putText(frame, text, (2, 11), cv2.FONT_HERSHEY_PLAIN, 0.8, 255, 1)
        cv2.putText(frame, planted.needles["patient id"], (2, 24), cv2.FONT_HERSHEY_PLAIN, 0.8, 255, 1)
        cv2.putText(frame, "1961", (2, ROWS - 2), cv2.FONT_HERSHEY_PLAIN, 0.5, 200, 1)
    return out


def _write(planted: Planted, dataset: Dataset, index: int, *, jpeg: bool, seed: int) -> None:
    pixels = frames(planted, seed)
    syntax = JPEGBaseline8Bit if jpeg else (ImplicitVRLittleEndian if seed % 2 else ExplicitVRLittleEndian)
    if jpeg:
        comment = planted.needles["family"].encode("utf-8")
        coded = [_with_comment(bytes(imagecodecs.jpeg8_encode(frame, level=95)), comment) for frame in pixels]
        dataset.PixelData = encapsulate(coded, has_bot=True)
        dataset["PixelData"].VR = "OB"
        dataset.LossyImageCompression = "01"
    else:
        dataset.add_new(0x7FE00010, "OW" if syntax == ImplicitVRLittleEndian else "OB", pixels.tobytes())
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = (
        UID(MULTI_FRAME),
        UID(dataset.SOPInstanceUID),
    )
    meta.TransferSyntaxUID = syntax
    meta.SourceApplicationEntityTitle = planted.needles["device serial"][:16]
    path = planted.folder / f"{planted.needles['patient id']} {index}.dcm"
    path.parent.mkdir(parents=True, exist_ok=True)
    preamble = planted.needles["private"].encode().ljust(128, b"\0")
    file = FileDataset(str(path), dataset, preamble=preamble, file_meta=meta)
    pydicom.dcmwrite(path, file, enforce_file_format=True)
    data = bytearray(path.read_bytes())
    data[:128] = preamble
    path.write_bytes(bytes(data))


def _with_comment(jpeg: bytes, comment: bytes) -> bytes:
    """A JPEG stream with a comment (COM) after its start mark."""
    return jpeg[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + jpeg[2:]


def add_record(planted: Planted, *, reader: str = "", decide: Any = None) -> None:
    """A saved plan with a target and a verdict, and the person's name in every text of it."""
    import veinscan
    from veinscan.plan.context import ClipContext, ClipSearch
    from veinscan.plan.editing import add_target, target_at_point
    from veinscan.plan.model import CandidateReview, Decision
    from veinscan.plan.treatment import Injection, TreatmentSession
    from veinscan.plan.vocabulary import Searched
    from veinscan.record import load_record, save_record

    study = veinscan.open_study(planted.folder)
    who = veinscan.Reader(name=reader or planted.needles["reader"])
    clip, other = study.clips
    note = f"{planted.needles['note']}, {planted.needles['patient id']}"
    record = load_record(study)
    target = target_at_point(
        clip, 1, (BOX[0] + 40.0, BOX[1] + 70.0), who, notes=note, feeds_text=note, side="left"
    )
    record = add_target(record, target)
    ring = tuple(
        (BOX[0] + 40.0 + 14.0 * float(np.sin(a)), BOX[1] + 70.0 + 14.0 * float(np.cos(a)))
        for a in np.linspace(0, 2 * np.pi, 24, endpoint=False)
    )
    verdict = CandidateReview(
        candidate_id="cand-1", sop_instance_uid=clip.sop_instance_uid, frame_index=0,
        centre=(BOX[0] + 40.0, BOX[1] + 70.0), outline=ring, diameter_mm=5.6, depth_mm=5.2, score=0.9,
        decision=Decision.VEIN, reviewed_by=who.name, outlined_by=who.name,
    )  # fmt: skip
    from dataclasses import replace

    record = replace(
        record,
        reviews=(verdict,),
        contexts=(ClipContext(sop_instance_uid=clip.sop_instance_uid, vein="GSV", set_by=who.name),),
        searches=(
            ClipSearch(
                sop_instance_uid=other.sop_instance_uid, searched=Searched.COMPLETE, notes=note,
                set_by=who.name,
            ),
        ),
        sessions=(
            TreatmentSession(
                id="1.2.3.4", operator=who.name, notes=note,
                injections=(
                    Injection(id="1.2.3.5", target_id=target.id, lot=planted.needles["private"], notes=note),
                ),
            ),
        ),
    )  # fmt: skip
    save_record(study, record, who)


ENCODINGS = (
    "utf-8", "latin-1", "utf-16-le", "utf-16-be", "utf-32-le", "iso8859_5", "iso8859_7", "shift_jis", "cp932",
    "gb18030", "iso2022_jp", "euc_kr", "euc_jp", "big5", "koi8_r", "cp1251", "cp1250", "iso8859_2",
    "mac_roman",
)  # fmt: skip


def spellings(text: str) -> set[bytes]:
    """A text as bytes, in every encoding that can hold it, and as base64, hexadecimal and JSON escapes."""
    found: set[bytes] = set()
    for variant in {text, text.upper(), text.lower(), text.replace(" ", "_")}:
        for encoding in ENCODINGS:
            try:
                data = variant.encode(encoding)
            except UnicodeEncodeError:
                continue
            if len(data) >= 4:
                found.add(data)
        raw = variant.encode("utf-8")
        found |= {raw.hex().encode(), base64.b64encode(raw).rstrip(b"=")[:-1], ascii(variant)[1:-1].encode()}
    return {data for data in found if len(data) >= 4}


def leaks(folder: Path, planted: Planted) -> list[str]:
    """Every needle found in the bytes, the names or the decoded content of what lies under a folder."""
    found = []
    needles = {what: spellings(text) for what, text in planted.needles.items()}
    needles |= {f"uid {n}": {uid.encode()} for n, uid in enumerate(planted.uids)}
    for path in sorted(folder.rglob("*")):
        places = [("name", str(path.relative_to(folder)).encode("utf-8", "surrogateescape"))]
        if path.is_file():
            places += [("bytes", path.read_bytes()), *_inside(path)]
        for place, data in places:
            found += [
                f"{what} in the {place} of {path.relative_to(folder)}"
                for what, forms in needles.items()
                if any(form in data for form in forms)
            ]
    return found


def _inside(path: Path) -> list[tuple[str, bytes]]:
    """What compression hides."""
    data = path.read_bytes()
    if path.suffix == ".gz":
        return [("content", gzip.decompress(data))]
    if path.suffix == ".png":
        return [("chunks", _png_texts(data))]
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        table = pq.read_table(io.BytesIO(data))
        return [("content", repr(table.to_pylist()).encode()), ("schema", str(table.schema).encode())]
    return []


def _png_texts(data: bytes) -> bytes:
    """Chunks of a PNG that are no pixels, inflated where they can be."""
    position, out = 8, b""
    while position < len(data):
        length = int.from_bytes(data[position : position + 4], "big")
        kind, value = data[position + 4 : position + 8], data[position + 8 : position + 8 + length]
        if kind not in (b"IDAT",):
            out += kind + value
            if kind in (b"zTXt", b"iCCP"):
                out += zlib.decompressobj().decompress(value.split(b"\0", 1)[1][1:])
        position += 12 + length
    return out
