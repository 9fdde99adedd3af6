"""Segmentations and printed plans: sent only where they say what a version says that is sent itself."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom

from veinscan.dicom.header import quiet
from veinscan.dicom.values import text
from veinscan.plan.model import Record
from veinscan.record.segmentation import Outlined, mask_of, outlined, read_masks

_NEVER = "a segment of it was made by a program alone: candidates that nobody reviewed are never sent"
_AGAIN = "make it again from the final version (--seg)"


def why_not_segmentation(path: Path, records: Iterable[Record]) -> str:
    """Why a Segmentation is not to be sent, and what to do; empty where it may be.

    One of veinscan's goes where its outlines are those that a reader accepted
    in a record that is sent: the same segments, pixel for pixel.  One of other
    software goes unless a segment was made by a program alone (Segment
    Algorithm Type AUTOMATIC, PS3.3 C.8.20.4): a candidate that nobody reviewed.
    """
    try:
        with quiet(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(path)
            kinds = {str(one.SegmentAlgorithmType) for one in dataset.SegmentSequence}
            if "AUTOMATIC" in kinds:
                return _NEVER
            if text(dataset, "Manufacturer").lower() != "veinscan":
                return ""
            clip = _clip_of(dataset)
            data = path.read_bytes()
            for record in records:
                accepted = outlined(record, clip)
                if _segments(dataset) == [(one.label, one.tracking_uid) for one in accepted] and _same(
                    dataset, data, accepted, clip
                ):
                    return ""
    except Exception as error:  # pydicom and highdicom raise nearly anything on damaged bytes
        return f"it cannot be read as a segmentation ({type(error).__name__}); {_AGAIN}"
    return f"its outlines are not those that a version which is sent holds as accepted by a reader; {_AGAIN}"


def why_not_report(sources: Collection[str], sent: Collection[str]) -> str:
    """Why a printed plan is not to be sent: `sources` are the versions that it shows."""
    if not sources:
        return "it does not say which version of the plan it shows; print it again from a saved version"
    if not set(sources) <= set(sent):
        return "it shows a version of the plan that is not sent; print it again from the final version"
    return ""


def _clip_of(dataset: Any) -> str:
    """SOP Instance UID of what it was drawn on."""
    (series,) = dataset.ReferencedSeriesSequence
    (instance,) = series.ReferencedInstanceSequence
    return str(instance.ReferencedSOPInstanceUID)


def _segments(dataset: Any) -> list[tuple[str, str]]:
    return [(str(one.SegmentLabel), str(one.TrackingUID)) for one in dataset.SegmentSequence]


def _same(dataset: Any, data: bytes, accepted: tuple[Outlined, ...], clip: str) -> bool:
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    wanted = (mask_of(frame.outline, rows, columns) for one in accepted for frame in one.frames)
    if int(dataset.NumberOfFrames) != sum(len(one.frames) for one in accepted):
        return False
    found = read_masks(data, accepted, clip)
    return all(np.array_equal(a, b) for a, b in zip(wanted, found, strict=True))
