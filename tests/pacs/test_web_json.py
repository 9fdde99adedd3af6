"""DICOM JSON of any shape: rows and data sets come out of it, or nothing; no value makes it raise."""

from __future__ import annotations

import json
from typing import Any

import pydicom
from hypothesis import given, settings
from hypothesis import strategies as st

from veinscan.pacs.model import InstanceRow, StoreOutcome, StudyRow
from veinscan.pacs.rows import instance_row, study_row
from veinscan.pacs.web_json import (
    INSTANCE_FIELDS,
    STUDY_FIELDS,
    row_dataset,
    tag_text,
    values_of,
    whole_dataset,
)
from veinscan.pacs.web_stow_answer import read_answer

TAGS = sorted(
    {tag_text(keyword) for keyword in (*STUDY_FIELDS, *INSTANCE_FIELDS)}
    | {tag_text(k) for k in ("FailedSOPSequence", "ReferencedSOPSequence", "OtherFailuresSequence")}
    | {
        tag_text(k)
        for k in ("ReferencedSOPInstanceUID", "FailureReason", "WarningReason", "Rows", "PixelData")
    }
    | {"00091001", "nonsense", "", "00186011", "FFFEE000"}
)
VRS = ["UI", "LO", "PN", "US", "IS", "DS", "SQ", "DA", "TM", "OB", "OW", "UN", "AT", "FD", "ZZ", "", None, 7]
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["1.2.3", "US", "20240101", "9" * 100, "\ud800", "A^B", "AAAA", "1\\2"])
)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(TAGS), inner, max_size=4)
        | st.fixed_dictionaries({"vr": st.sampled_from(VRS), "Value": inner})
        | st.fixed_dictionaries({"vr": st.sampled_from(VRS), "Value": st.lists(inner, max_size=3)})
        | st.fixed_dictionaries({"vr": st.sampled_from(VRS), "InlineBinary": inner})
        | st.fixed_dictionaries({"Alphabetic": inner})
    ),
    max_leaves=25,
)
items = st.dictionaries(st.sampled_from(TAGS), anything, max_size=8) | anything


@settings(max_examples=100, deadline=None)
@given(item=items)
def test_any_item_is_a_row_or_none(item: Any):
    row = study_row(row_dataset(item, STUDY_FIELDS))
    assert row is None or isinstance(row, StudyRow)
    found = instance_row(row_dataset(item, INSTANCE_FIELDS), "1.2.3")
    assert found is None or isinstance(found, InstanceRow)
    if row is not None:
        for text in (row.patient_name, row.patient_id, row.description, row.accession, *row.modalities):
            text.encode("utf-8")
            assert "\n" not in text


@settings(max_examples=100, deadline=None)
@given(item=items)
def test_any_item_is_a_data_set_whose_values_can_all_be_read(item: Any):
    dataset = whole_dataset(item)
    assert isinstance(dataset, pydicom.Dataset)
    assert not [element for element in dataset if element.tag.is_private]
    str(dataset)


@settings(max_examples=100, deadline=None)
@given(item=items, status=st.sampled_from([200, 202, 409]), alone=st.booleans())
def test_any_answer_to_a_store_says_something_or_is_refused(item: Any, status: int, alone: bool):
    try:
        answer = read_answer(json.dumps(item).encode(), status)
    except ValueError:
        return
    outcome = answer.outcome("1.2.3", alone=alone)
    assert isinstance(outcome, StoreOutcome) or (outcome is None and not alone)
    if outcome is not None:
        assert outcome.accepted or outcome.reason
        assert not (outcome.accepted and "1.2.3" in answer.failed)


def test_what_is_written_by_the_book_is_read_whole():
    made = pydicom.Dataset()
    made.StudyInstanceUID = "1.2.3"
    made.PatientName = "Übung^Anna"
    made.Rows = 480
    made.PixelSpacing = [0.1, 0.2]
    made.FrameIncrementPointer = 0x00181063
    region = pydicom.Dataset()
    region.RegionDataType = 1
    region.PhysicalDeltaX = 0.01
    made.SequenceOfUltrasoundRegions = [region]
    assert whole_dataset(made.to_json_dict()) == made


def test_values_without_their_list_and_tags_in_small_letters():
    assert values_of({"0020000d": {"Value": "1.2"}}, "0020000D") == ["1.2"]
    assert values_of({"0020000D": 5}, "0020000D") == []
