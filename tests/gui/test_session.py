"""The model behind the window, without Qt and without a display: session, calipers, frames, lines."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_veinscan.calipers import Calipers, Tool
from napari_veinscan.frames import ClipFrames
from napari_veinscan.lines import beside, line_segments
from napari_veinscan.qt_check import qt_problem
from napari_veinscan.rows import inside
from napari_veinscan.session import Session, read_study
from veinscan.candidates.model import Candidate, ClipCandidates, FinderSettings
from veinscan.errors import DecodeError, InvalidInputError, VeinscanError
from veinscan.plan.model import Decision, Reader, ValueSource


@pytest.fixture
def session(sample_study_dir: Path) -> Session:
    session = Session(Reader(name="DEMO"))
    session.show_study(*read_study(sample_study_dir))
    clip = session.clip
    found = tuple(candidate(clip, rank) for rank in (1, 2, 3))
    session.set_candidates(clip, ClipCandidates(candidates=found, warnings=(), settings=FinderSettings()))
    return session


def candidate(clip, rank: int) -> Candidate:
    row0, col0, row1, col1 = clip.picture_region.box
    row, col = row0 + 60 * rank, (col0 + col1) // 2
    assert row < row1 - 20
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    outline = np.stack([row + 10 * np.sin(angles), col + 14 * np.cos(angles)], axis=1).astype(np.float32)
    frames = tuple(range(rank, rank + 3))
    return Candidate(
        id=f"c{rank}",
        frame_indices=frames,
        best_frame=rank + 1,
        outlines=dict.fromkeys(frames, outline),
        centres=dict.fromkeys(frames, (float(row), float(col))),
        diameter_mm=1.5 + rank,
        depth_mm=4.0 * rank,
        score=1.0 - 0.1 * rank,
        rank=rank,
    )


def test_this_qt_can_be_used():
    assert qt_problem() == "", "the window's tests are skipped until this is mended"


def test_the_model_needs_neither_qt_nor_napari():
    code = (
        "import sys, napari_veinscan.session, napari_veinscan.calipers, napari_veinscan.frames; "
        "print([m for m in ('napari', 'qtpy', 'PySide6', 'vispy') if m in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_next_and_previous_go_round_and_to_the_best_frame(session: Session):
    seen = []
    for _ in range(4):
        session.select_next()
        seen.append(session.selected.candidate.rank)
        assert session.frame_index == session.selected.candidate.best_frame
    assert seen == [1, 2, 3, 1]
    session.select_next(-1)
    assert session.selected.candidate.rank == 3


def test_without_candidates_next_says_what_to_do(session: Session):
    session.show_clip(session.study.clips[1])
    with pytest.raises(InvalidInputError, match="Find candidates"):
        session.select_next()


def test_a_click_in_an_outline_chooses_it_and_elsewhere_marks_the_place(session: Session):
    inside_two = session.rows()[1].candidate
    session.go_to_frame(2)
    session.point_at(inside_two.centre(2))
    assert session.selected.candidate.id == "c2"
    session.point_at((inside_two.centre(2)[0], inside_two.centre(2)[1] + 40))
    assert session.selected is None
    assert session.spot is not None


def test_a_verdict_is_there_after_saving_and_opening_again(session: Session, sample_study_dir: Path):
    session.select_candidate("c1")
    session.review(Decision.VEIN)
    session.make_target()
    session.select_candidate("c2")
    session.review(Decision.REJECTED)
    assert session.is_dirty
    path = session.save()
    assert path.is_file()
    assert not session.is_dirty

    again = Session(Reader(name="DEMO"))
    again.show_study(*read_study(sample_study_dir))
    rows = again.rows()
    assert [(row.candidate.id, row.review.decision) for row in rows] == [
        ("c1", Decision.VEIN),
        ("c2", Decision.REJECTED),
    ]
    assert rows[0].targets == again.record.targets
    np.testing.assert_allclose(rows[0].candidate.outline(2), session.rows()[0].candidate.outline(2))


def test_a_rejected_candidate_is_no_target_and_no_candidate_is_two(session: Session):
    session.select_candidate("c1")
    session.review(Decision.REJECTED)
    with pytest.raises(InvalidInputError, match="rejected"):
        session.make_target()
    session.select_candidate("c2")
    session.make_target()
    with pytest.raises(InvalidInputError, match="target 1 already"):
        session.make_target()
    assert len(session.record.targets) == 1


def test_targets_can_be_ordered_edited_and_removed(session: Session):
    for name in ("c1", "c2", "c3"):
        session.select_candidate(name)
        session.make_target()
    session.move_target(-1)
    assert [t.candidate_id for t in session.record.targets] == ["c1", "c3", "c2"]
    assert [t.order for t in session.record.targets] == [1, 2, 3]
    with pytest.raises(VeinscanError):
        session.update_target(diameter_mm=float("nan"))
    session.update_target(notes="über dem Knie")
    assert session.target.notes == "über dem Knie"
    session.remove_target()
    assert [t.candidate_id for t in session.record.targets] == ["c1", "c2"]


def test_edits_can_be_let_go(session: Session):
    before = session.record
    session.select_candidate("c1")
    session.review(Decision.VEIN)
    session.forget_edits()
    assert session.record == before
    assert not session.is_dirty


# -- calipers -------------------------------------------------------------------------------


def test_two_clicks_are_a_distance_in_mm(session: Session):
    calipers = Calipers(session)
    clip = session.clip
    row0, col0, _, _ = clip.picture_region.box
    calipers.take(Tool.DIAMETER)
    assert calipers.click((row0 + 20.0, col0 + 30.0))
    assert calipers.measured is None
    assert calipers.click((row0 + 50.0, col0 + 70.0))
    expected = np.hypot(30 * clip.spacing_mm[0], 40 * clip.spacing_mm[1])
    assert calipers.measured.value == pytest.approx(expected, rel=1e-6)
    assert not calipers.click((0.0, 0.0)), "the tool is put away after the second click"


def test_depth_is_measured_straight_down(session: Session):
    calipers = Calipers(session)
    row0, col0, _, _ = session.clip.picture_region.box
    calipers.take(Tool.DEPTH)
    calipers.click((row0 + 5.0, col0 + 30.0))
    calipers.click((row0 + 65.0, col0 + 90.0))
    assert calipers.measured.value == pytest.approx(60 * session.clip.spacing_mm[0], rel=1e-6)


def test_the_reading_goes_into_the_chosen_target(session: Session):
    session.select_candidate("c1")
    session.make_target()
    calipers = Calipers(session)
    row0, col0, _, _ = session.clip.picture_region.box
    calipers.take(Tool.DIAMETER)
    calipers.click((row0 + 20.0, col0 + 30.0))
    calipers.click((row0 + 20.0, col0 + 80.0))
    assert session.target.diameter_mm == pytest.approx(round(50 * session.clip.spacing_mm[1], 1))
    assert session.target.diameter_source is ValueSource.CALIPER


def test_across_regions_nothing_is_measured_and_the_reason_is_given(session: Session):
    duplex = session.study.clips[3]
    session.show_clip(duplex)
    boxes = [region.box for region in duplex.regions]
    assert len(boxes) >= 2
    calipers = Calipers(session)
    errors: list[VeinscanError] = []
    calipers.failed.connect(errors.append)
    calipers.take(Tool.DIAMETER)
    for row0, col0, row1, col1 in boxes[:2]:
        calipers.click(((row0 + row1) / 2, (col0 + col1) / 2))
    assert calipers.measured is None
    assert len(errors) == 1
    assert "outside the ultrasound picture" in str(errors[0]) or "region" in str(errors[0])


# -- frames and lines -------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_frames_index_like_the_array_they_stand_for(data):
    shape = data.draw(st.sampled_from([(5, 4, 6), (3, 4, 6, 3), (1, 4, 6)]))
    whole = np.arange(np.prod(shape), dtype=np.uint32).astype(np.uint8).reshape(shape)
    frames = ClipFrames(Fake(whole))
    one = st.integers(-shape[0], shape[0] - 1) | st.slices(shape[0])
    key = data.draw(
        one | st.tuples(one, st.slices(shape[1])) | st.tuples(one, st.slices(shape[1]), st.slices(6))
    )
    np.testing.assert_array_equal(frames[key], whole[key])
    np.testing.assert_array_equal(np.asarray(frames), whole)


class Fake:
    """A clip in memory that counts how often a frame is decoded."""

    def __init__(self, whole: np.ndarray) -> None:
        self.whole, self.shape, self.n_frames, self.decoded = whole, whole.shape, len(whole), 0

    def frame(self, index: int) -> np.ndarray:
        self.decoded += 1
        if index == 2 and self.whole.shape[0] == 4:
            raise DecodeError("broken", frame_index=index)
        return self.whole[index]


def test_frames_are_decoded_once_and_dropped_when_there_is_no_room():
    clip = Fake(np.zeros((10, 8, 8), dtype=np.uint8))
    frames = ClipFrames(clip)
    for index in (0, 1, 0, 1):
        frames[index]
    assert clip.decoded == 2
    small = ClipFrames(clip, budget_bytes=3 * 64)
    for index in range(10):
        small[index]
    assert small.kept == 3
    assert not small.fits


def test_a_broken_frame_is_black_and_named():
    clip = Fake(np.full((4, 3, 3), 7, dtype=np.uint8))
    frames = ClipFrames(clip)
    assert frames[2].max() == 0
    assert frames[1].min() == 7
    assert list(frames.problems) == [2]


@settings(max_examples=60, deadline=None)
@given(
    corners=st.lists(st.tuples(st.floats(0, 500), st.floats(0, 500)), min_size=3, max_size=30, unique=True),
    dash=st.sampled_from([(1, 0), (2, 1), (1, 2)]),
)
def test_a_full_line_has_the_length_of_the_outline_and_a_dashed_one_its_share(corners, dash):
    points = np.array(corners, dtype=np.float32)
    around = np.hypot(*(np.roll(points, -1, axis=0) - points).T).sum()
    pieces = line_segments(points, 3, dash)
    assert set(pieces[:, 0, 0]) <= {3.0}
    drawn = np.hypot(pieces[:, 1, 1], pieces[:, 1, 2]).sum()
    assert drawn <= around * (1 + 1e-4) + 1e-3
    if not dash[1]:
        assert drawn == pytest.approx(around, rel=1e-4, abs=1e-3)


def test_a_number_lies_beside_the_outline_not_in_it():
    outline = np.array([[10, 10], [10, 30], [20, 30], [20, 10]], dtype=np.float32)
    assert inside((15, 20), outline)
    assert not inside(beside(outline, 4), outline)
    assert not inside((15, 31), outline)
