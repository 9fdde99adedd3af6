"""What a header says about a clip, checked and as plain values.

A study of thousands of objects keeps these, not the headers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from veinscan.dicom.decode import COMPRESSED, NATIVE, RLE, PixelFormat, check_head
from veinscan.dicom.frames import FrameMap, encapsulated_frames, native_frames
from veinscan.dicom.guard import Limits
from veinscan.dicom.header import Header, quiet
from veinscan.dicom.regions import Regions, read_regions
from veinscan.dicom.sources import Bytes
from veinscan.dicom.timing import OrderKey, TimeAxis, order_key, time_axis
from veinscan.dicom.values import numbers, raw_value, text, texts, uid, whole
from veinscan.errors import DecodeError, UnreadableError

ULTRASOUND = {
    "1.2.840.10008.5.1.4.1.1.6.1": "Ultrasound Image",
    "1.2.840.10008.5.1.4.1.1.6": "Ultrasound Image (retired)",
    "1.2.840.10008.5.1.4.1.1.3.1": "Ultrasound Multi-frame Image",
    "1.2.840.10008.5.1.4.1.1.3": "Ultrasound Multi-frame Image (retired)",
}
SECONDARY = {
    "1.2.840.10008.5.1.4.1.1.7": "Secondary Capture Image",
    "1.2.840.10008.5.1.4.1.1.7.2": "Multi-frame Grayscale Byte Secondary Capture Image",
    "1.2.840.10008.5.1.4.1.1.7.4": "Multi-frame True Color Secondary Capture Image",
}
"""Read where their modality is US: scanners store report pages and screens so."""

_HEAD_BYTES = 32 * 1024

_PHOTOMETRICS = {
    "MONOCHROME1": 1,
    "MONOCHROME2": 1,
    "PALETTE COLOR": 1,
    "RGB": 3,
    "YBR_FULL": 3,
    "YBR_FULL_422": 3,
    "YBR_ICT": 3,
    "YBR_RCT": 3,
}


@dataclass(frozen=True, slots=True)
class ClipFacts:
    """Everything veinscan keeps of one object's header."""

    source: Bytes
    sop_instance_uid: str
    sop_class_uid: str
    series_instance_uid: str
    study_instance_uid: str
    patient: tuple[str, str]
    """Tells patients of one folder apart; never shown."""
    form: PixelFormat
    frames: FrameMap
    time: TimeAxis
    regions: Regions
    order: OrderKey
    laterality: str
    image_type: tuple[str, ...]
    window: tuple[float, float] | None
    warnings: tuple[str, ...] = field(default=())


def clip_facts(header: Header, limits: Limits) -> ClipFacts:
    """Check a header and take what a clip needs.

    Raises UnreadableError with the reason where the object cannot be shown.
    """
    with quiet():
        return _facts(header, limits, described=False)


def described_facts(header: Header, limits: Limits) -> ClipFacts:
    """The same of a header that came without its pixels, as an archive describes an object.

    How the pixels are stored is not known yet (`form.transfer_syntax` may be ''), and `frames` says how
    many there are, not where.  Raises as `clip_facts`.
    """
    with quiet():
        return _facts(header, limits, described=True)


def _facts(header: Header, limits: Limits, *, described: bool) -> ClipFacts:
    dataset, name = header.dataset, header.source.name
    notes = [note for note in header.warnings if note]
    sop = uid(dataset, "SOPInstanceUID")
    if not sop:
        sop = uid(dataset.file_meta, "MediaStorageSOPInstanceUID")
        if sop:
            notes.append("its SOP Instance UID is missing; taken from the file's meta information")
    missing = [k for k in ("SOPClassUID", "StudyInstanceUID") if not uid(dataset, k)]
    missing += [] if sop else ["SOPInstanceUID"]
    if missing or header.pixels is None:
        raise UnreadableError(_incomplete(header, missing), where=name)
    form = pixel_format(dataset, header, limits, notes)
    n_frames = _frame_count(dataset, name, limits)
    if described:
        frames = FrameMap([()] * n_frames, n_frames)
    else:
        frames = _frame_map(header, form, n_frames, limits)
        _look_at_first_frame(header.source, frames, form, notes)
    readable = len(frames.spans)
    if not uid(dataset, "SeriesInstanceUID"):
        notes.append("it has no series UID: treated as a series of its own")
    if not text(dataset, "Modality") and uid(dataset, "SOPClassUID") in ULTRASOUND:
        notes.append("its modality is missing; taken as US from its class")
    series = uid(dataset, "SeriesInstanceUID")
    return ClipFacts(
        source=header.source,
        sop_instance_uid=sop,
        sop_class_uid=uid(dataset, "SOPClassUID"),
        series_instance_uid=series,
        study_instance_uid=uid(dataset, "StudyInstanceUID"),
        patient=patient_of(dataset),
        form=form,
        frames=frames,
        time=time_axis(dataset, n_frames)
        if readable == n_frames
        else _cut(time_axis(dataset, n_frames), readable),
        regions=read_regions(dataset, form.rows, form.columns, limits),
        order=order_key(dataset, series or sop, sop),
        laterality=_laterality(dataset),
        image_type=tuple(texts(dataset, "ImageType")),
        window=_window(dataset),
        warnings=(*notes, *frames.warnings, *([frames.incomplete] if frames.incomplete else [])),
    )


def _incomplete(header: Header, missing: list[str]) -> str:
    if header.pixels is None and header.end >= header.source.size:
        return f"the file is incomplete: it ends at byte {header.source.size}, before its pixel data"
    if header.pixels is None:
        return "it has no pixel data"
    return f"{missing[0]} is missing or is not a UID"


def patient_of(dataset: Any) -> tuple[str, str]:
    """(patient ID, name and birth date), each '' where missing: only to tell patients apart."""
    name = " ".join(text(dataset, "PatientName").replace("^", " ").lower().split())
    return text(dataset, "PatientID"), f"{name}|{text(dataset, 'PatientBirthDate')}" if name else ""


def several_patients(patients: Iterable[tuple[str, str]]) -> bool:
    """Whether files name different patients: by ID, or by name where some have no ID."""
    seen = set(patients)
    ids = {known for known, _ in seen if known}
    names = {name for _, name in seen if name}
    return len(ids) > 1 or (len(names) > 1 and any(not known for known, _ in seen))


def _cut(time: TimeAxis, count: int) -> TimeAxis:
    return TimeAxis(None if time.times_s is None else time.times_s[:count], time.rate_hz, time.warnings)


def _frame_count(dataset: Any, name: str, limits: Limits) -> int:
    if raw_value(dataset, "NumberOfFrames") is None:
        return 1
    count = whole(dataset, "NumberOfFrames")
    if count is None or count < 1:
        seen = text(dataset, "NumberOfFrames")
        raise UnreadableError(f"NumberOfFrames is '{seen}', which is not a count from 1 on", where=name)
    if count > limits.frames:
        raise UnreadableError(f"NumberOfFrames is {count}, more than {limits.frames}", where=name)
    return count


def pixel_format(dataset: Any, header: Header, limits: Limits, notes: list[str]) -> PixelFormat:
    """The image pixel module (C.7.6.3), checked; what is put right goes to `notes`."""
    name, syntax = header.source.name, header.transfer_syntax
    if syntax and syntax not in NATIVE and syntax not in COMPRESSED:
        raise UnreadableError(f"its transfer syntax {syntax} is not one that veinscan reads", where=name)
    rows, columns = whole(dataset, "Rows") or 0, whole(dataset, "Columns") or 0
    if rows < 1 or columns < 1:
        raise UnreadableError(f"its picture has {rows} rows and {columns} columns", where=name)
    if rows * columns > limits.frame_pixels:
        raise UnreadableError(
            f"its frames have {rows} x {columns} pixels, more than {limits.frame_pixels}", where=name
        )
    photometric = text(dataset, "PhotometricInterpretation").upper()
    samples = whole(dataset, "SamplesPerPixel") or _PHOTOMETRICS.get(photometric, 0)
    if photometric not in _PHOTOMETRICS:
        raise UnreadableError(f"its colours are '{photometric}', which veinscan does not read", where=name)
    if samples != _PHOTOMETRICS[photometric]:
        raise UnreadableError(f"{photometric} with {samples} samples a pixel is not possible", where=name)
    allocated = whole(dataset, "BitsAllocated") or 0
    if allocated not in (8, 16):
        raise UnreadableError(f"its pixels have {allocated} bits; 8 and 16 are read", where=name)
    stored = whole(dataset, "BitsStored") or allocated
    if not 1 <= stored <= allocated:
        raise UnreadableError(f"{stored} bits stored in {allocated} allocated is not possible", where=name)
    if photometric == "YBR_FULL_422" and syntax in NATIVE:
        photometric = _checked_422(header, dataset, rows * columns, columns, allocated, notes)
    if syntax in NATIVE and photometric in ("YBR_ICT", "YBR_RCT"):
        raise UnreadableError(
            f"{photometric} exists only in JPEG 2000, and its pixels are not compressed", where=name
        )
    return PixelFormat(
        rows=rows,
        columns=columns,
        samples=samples,
        bits_allocated=allocated,
        bits_stored=stored,
        signed=whole(dataset, "PixelRepresentation") == 1,
        photometric=photometric,
        planar=whole(dataset, "PlanarConfiguration") or 0,
        little_endian=header.pixels.little_endian if header.pixels else True,
        transfer_syntax=syntax,
    )


def _checked_422(
    header: Header, dataset: Any, pixels: int, columns: int, allocated: int, notes: list[str]
) -> str:
    """Native YBR_FULL_422 needs two bytes a pixel; some writers leave all three and keep the name."""
    held = header.pixels.length if header.pixels and header.pixels.length else 0
    count = whole(dataset, "NumberOfFrames") or 1
    if held >= 3 * pixels * count:
        notes.append("its pixels are YBR_FULL although the header says YBR_FULL_422; read as YBR_FULL")
        return "YBR_FULL"
    if columns % 2 or allocated != 8:
        raise UnreadableError(
            f"YBR_FULL_422 needs an even number of columns of 8 bits, not {columns} of {allocated}",
            where=header.source.name,
        )
    return "YBR_FULL_422"


def _frame_map(header: Header, form: PixelFormat, n_frames: int, limits: Limits) -> FrameMap:
    pixels = header.pixels
    if pixels is None:
        raise UnreadableError("it has no pixel data", where=header.source.name)
    if form.native:
        return native_frames(header.source, pixels, n_frames, form.frame_bytes, form.bits_allocated)
    if pixels.length is not None:
        raise UnreadableError(
            "its transfer syntax says compressed, but its pixel data are not in fragments",
            where=header.source.name,
        )
    offsets = raw_value(header.dataset, "ExtendedOffsetTable")
    lengths = raw_value(header.dataset, "ExtendedOffsetTableLengths")
    extended = (offsets, lengths) if isinstance(offsets, bytes) and isinstance(lengths, bytes) else None
    return encapsulated_frames(
        header.source,
        pixels,
        n_frames,
        limits,
        extended=extended,
        one_fragment_a_frame=form.transfer_syntax == RLE,
    )


def _look_at_first_frame(source: Bytes, frames: FrameMap, form: PixelFormat, notes: list[str]) -> None:
    """Compare the first compressed frame with the header, so that what is wrong is said on opening."""
    if form.native:
        return
    offset, length = frames.spans[0][0]
    head = source.read(offset, min(length, _HEAD_BYTES))
    try:
        notes.extend(check_head(head, form, whole=len(frames.spans[0]) == 1 and length <= _HEAD_BYTES))
    except DecodeError as problem:
        if len(frames.spans) == 1:
            raise UnreadableError(problem.what, where=source.name) from problem
        notes.append(f"its first frame cannot be decoded: {problem.what}")


def _laterality(dataset: Any) -> str:
    for keyword in ("ImageLaterality", "Laterality"):
        found = {"L": "left", "R": "right"}.get(text(dataset, keyword).upper())
        if found:
            return found
    return "unknown"


def _window(dataset: Any) -> tuple[float, float] | None:
    centre, width = numbers(dataset, "WindowCenter"), numbers(dataset, "WindowWidth")
    return (centre[0], width[0]) if centre and width else None
