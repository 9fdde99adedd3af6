"""Outlines as Segmentations over a multi-frame source: read back exactly, valid for dciodvfy."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from record_studies import FakeStudy

from veinscan.errors import InvalidInputError
from veinscan.plan.editing import add_target, new_record
from veinscan.plan.model import CandidateReview, Decision, InjectionTarget, OutlineOnFrame, Reader, Record
from veinscan.plan.normal import now
from veinscan.record import history, load_record, save_record
from veinscan.record.segmentation import (
    Outlined,
    build_segmentation,
    mask_of,
    outlined,
    read_masks,
    save_segmentations,
)


def circle(row: float, col: float, radius: float) -> tuple[tuple[float, float], ...]:
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    return tuple((row + radius * float(np.sin(a)), col + radius * float(np.cos(a))) for a in angles)


def a_record(study: FakeStudy) -> Record:
    uid = study.clips[0].sop_instance_uid
    record = new_record(study)
    for number, frame in enumerate((2, 7, 2)):
        record = add_target(
            record,
            InjectionTarget(
                id=f"1.2.{number + 1}", order=0, sop_instance_uid=uid, frame_index=frame,
                point=(60.0, 80.0), outline=circle(60.0 + 20 * number, 80.0, 6.5),
            ),
        )  # fmt: skip
    vein = CandidateReview(
        candidate_id="c1", sop_instance_uid=uid, frame_index=0, centre=(150.0, 200.0),
        outline=circle(150.0, 200.0, 9.0), diameter_mm=None, depth_mm=None, score=0.5, decision=Decision.VEIN,
    )  # fmt: skip
    nerve = replace(vein, candidate_id="c2", decision=Decision.REJECTED)
    return replace(record, reviews=(vein, nerve))


def test_only_what_a_person_accepted_is_a_segment(study: FakeStudy) -> None:
    found = outlined(a_record(study), study.clips[0].sop_instance_uid)
    assert [(one.label, one.frame_index) for one in found] == [
        ("target 1", 2), ("target 2", 7), ("target 3", 2), ("vein", 0),
    ]  # fmt: skip
    assert outlined(a_record(study), study.clips[1].sop_instance_uid) == ()


def test_a_mask_is_the_inside_of_its_outline() -> None:
    mask = mask_of(circle(50.0, 60.0, 10.0), 100, 120)
    assert mask[50, 60] and not mask[50, 72] and mask.shape == (100, 120)
    assert abs(int(mask.sum()) - np.pi * 100) < 25


def test_segmentations_are_saved_read_back_and_valid(study: FakeStudy) -> None:
    record = save_record(study, a_record(study), Reader(name="Anna")).record
    (path,) = save_segmentations(study, record)
    segmentation = hd.seg.segread(path)
    assert segmentation.number_of_segments == 4
    assert segmentation.get_segment_description(2).tracking_uid == "1.2.2"
    clip = study.clips[0]
    on_frame = segmentation.get_pixels_by_source_frame(
        clip.sop_instance_uid, [3], segment_numbers=[1, 3], ignore_spatial_locations=False,
        assert_missing_frames_are_empty=True,
    )  # fmt: skip
    for layer, target in ((0, record.targets[0]), (1, record.targets[2])):
        expected = mask_of(target.outline, clip.rows, clip.columns)
        assert np.array_equal(on_frame[0, :, :, layer].astype(bool), expected) and expected.any()
    # the record beside it is what it was
    assert load_record(study) == record and len(history(study)) == 1
    assert errors_of(path) == []


def test_an_outline_that_a_person_drew_says_so(study: FakeStudy) -> None:
    record = a_record(study)
    record = replace(record, reviews=(replace(record.reviews[0], outlined_by="Anna"),))
    (path,) = save_segmentations(study, record)
    segments = pydicom.dcmread(path).SegmentSequence
    assert [one.SegmentAlgorithmType for one in segments] == [*["SEMIAUTOMATIC"] * 3, "MANUAL"]
    assert "SegmentAlgorithmName" not in segments[3]
    assert errors_of(path) == []


def test_a_followed_vein_is_one_segment_on_all_its_frames(study: FakeStudy) -> None:
    record, clip = a_record(study), study.clips[0]
    course = tuple(
        OutlineOnFrame(frame_index=frame, outline=circle(150.0, 200.0 + 3 * frame, 9.0))
        for frame in (1, 2, 5)
    )
    record = replace(record, reviews=(replace(record.reviews[0], outlined_by="Anna", course=course),))
    (path,) = save_segmentations(study, record)
    segmentation = hd.seg.segread(path)
    assert (segmentation.number_of_segments, segmentation.NumberOfFrames) == (4, 7)
    # drawn on one frame and found on three by the program: not by hand alone
    assert segmentation.SegmentSequence[3].SegmentAlgorithmType == "SEMIAUTOMATIC"
    masks = segmentation.get_pixels_by_source_frame(
        clip.sop_instance_uid, list(range(1, 8)), segment_numbers=[4], ignore_spatial_locations=False,
        assert_missing_frames_are_empty=True,
    )  # fmt: skip
    where = {0: record.reviews[0].outline} | {one.frame_index: one.outline for one in course}
    for frame in range(7):
        expected = mask_of(where[frame], clip.rows, clip.columns) if frame in where else False
        assert np.array_equal(masks[frame, :, :, 0].astype(bool), np.broadcast_to(expected, masks.shape[1:3]))
    assert errors_of(path) == []


def errors_of(path: Path) -> list[str]:
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy is not installed (apt install dicom3tools)")
    run = subprocess.run(["dciodvfy", str(path)], capture_output=True, check=False)
    lines = (run.stdout + run.stderr).decode("utf-8", "replace").splitlines()
    return [line for line in lines if line.startswith("Error")]


def test_a_single_frame_source_is_referenced_as_a_whole(study: FakeStudy) -> None:
    clip = study.clips[1]
    data = build_segmentation(
        (Outlined("target 1", "1.2.9", 0, circle(50.0, 60.0, 5.0)),), clip, study.header(),
        sop_instance_uid="1.2.10", made_at=now(),
    )  # fmt: skip
    dataset = pydicom.dcmread(__import__("io").BytesIO(data))
    source = dataset.PerFrameFunctionalGroupsSequence[0].DerivationImageSequence[0].SourceImageSequence[0]
    assert "ReferencedFrameNumber" not in source


@given(
    st.lists(
        st.tuples(st.integers(0, 11), st.floats(5, 230), st.floats(5, 310), st.floats(1.5, 40)),
        min_size=1,
        max_size=6,
    )
)
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_outlines_come_back_pixel_for_pixel(
    study: FakeStudy, places: list[tuple[int, float, float, float]]
) -> None:
    clip = study.clips[0]
    outlines = tuple(
        Outlined(f"target {n}", f"1.2.{n}", frame, circle(row, col, radius))
        for n, (frame, row, col, radius) in enumerate(places, start=1)
    )
    data = build_segmentation(outlines, clip, study.header(), sop_instance_uid="1.2.10", made_at=now())
    for one, mask in zip(outlines, read_masks(data, outlines, clip.sop_instance_uid), strict=True):
        assert np.array_equal(mask, mask_of(one.outline, clip.rows, clip.columns))


def test_no_outline_or_a_frame_that_is_not_there_is_refused(study: FakeStudy) -> None:
    for outlines in ((), (Outlined("x", "1.2.9", 12, circle(50.0, 60.0, 5.0)),)):
        with pytest.raises(InvalidInputError):
            build_segmentation(
                outlines, study.clips[0], study.header(), sop_instance_uid="1.2.10", made_at=now()
            )
