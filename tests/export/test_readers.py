"""Several readers: agreement, the choice of a reading, what a person confirms, what was withdrawn."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from export_samples import KEY, Sources
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

import veinscan
from veinscan.deidentify import known_words
from veinscan.errors import InvalidInputError
from veinscan.export import ExportOptions, Format, export_studies, item_of, read_review
from veinscan.export.agreement import COLUMNS, agreement_rows, by_structure, kappa, matched
from veinscan.export.model import Category, Mark
from veinscan.export.study import study_case
from veinscan.plan.editing import new_record
from veinscan.plan.model import CandidateReview, Decision, OutlineOnFrame, Reader, RejectReason
from veinscan.record import load_record, save_record


def ring(row: float, col: float, radius: float) -> tuple[tuple[float, float], ...]:
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    return tuple((row + radius * float(np.sin(a)), col + radius * float(np.cos(a))) for a in angles)


def mark(row: float, col: float, radius: float, frame: int = 0, track: str = "a") -> Mark:
    return Mark(
        category=Category.VEIN, frame_index=frame, outline=ring(row, col, radius), track=track, source="drawn"
    )


@pytest.fixture
def study_dir(sources: Sources, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sources.planted[0].folder, tmp_path / "study"))


def verdict(clip: veinscan.Clip, name: str, row: float, col: float, decision: Decision) -> CandidateReview:
    return CandidateReview(
        candidate_id=name, sop_instance_uid=clip.sop_instance_uid, frame_index=0, centre=(row, col),
        outline=ring(row, col, 8.0), diameter_mm=3.2, depth_mm=4.0, score=0.7, decision=decision,
        reason=RejectReason.ARTERY if decision is Decision.REJECTED else None,
    )  # fmt: skip


def a_reading(
    folder: Path, name: str, places: dict[str, tuple[float, float, Decision]], **reading: object
) -> str:
    """A saved reading of research; its id."""
    study = veinscan.open_study(folder)
    clip = study.clips[0]
    record = new_record(study, purpose="research")
    record = replace(
        record,
        reading=replace(record.reading, **reading),
        reviews=tuple(verdict(clip, key, *place) for key, place in places.items()),
    )
    save_record(study, record, Reader(name=name))
    return record.reading.id


# --- agreement


def test_the_same_outlines_agree_wholly() -> None:
    marks = [mark(50, 60, 9, track="a"), mark(80, 120, 6, track="b")]
    pairs = matched(marks, marks, 120, 176, (0.1, 0.2))
    assert [(pair.dice, pair.distance_px, pair.distance_mm) for pair in pairs] == [(1.0, 0.0, 0.0)] * 2


def test_a_shift_is_told_in_mm_and_costs_overlap() -> None:
    (pair,) = matched([mark(50, 60, 9)], [mark(53, 64, 9, track="z")], 120, 176, (0.1, 0.2))
    assert pair.distance_px == pytest.approx(5.0, abs=0.1)
    assert pair.distance_mm == pytest.approx(np.hypot(0.3, 0.8), abs=0.02)
    assert 0.4 < pair.dice < 0.8


def test_structures_apart_or_on_other_frames_are_not_the_same() -> None:
    assert matched([mark(30, 30, 5)], [mark(80, 120, 5, track="z")], 120, 176, None) == []
    assert matched([mark(30, 30, 5)], [mark(30, 30, 5, frame=1)], 120, 176, None) == []


def test_each_is_matched_once_and_nearest_first() -> None:
    pairs = matched(
        [mark(50, 60, 9, track="a"), mark(50, 66, 9, track="b")], [mark(50, 65, 9, track="c")], 120, 176, None
    )
    assert [(pair.a.track, pair.b.track) for pair in pairs] == [("b", "c")]


@given(st.lists(st.tuples(*[st.sampled_from(["vein", "rejected"])] * 2), min_size=1, max_size=30))
def test_kappa_is_that_of_scikit_learn(verdicts: list[tuple[str, str]]) -> None:
    found = kappa(verdicts)
    if len({word for pair in verdicts for word in pair}) == 1:
        assert found is None  # 0/0
        return
    expected = cohen_kappa_score([a for a, _ in verdicts], [b for _, b in verdicts])
    assert found == pytest.approx(expected, abs=1e-4)


def test_agreement_of_two_readers_is_a_table(study_dir: Path, tmp_path: Path) -> None:
    vein, no = Decision.VEIN, Decision.REJECTED
    first = a_reading(study_dir, "Anna", {"a": (60, 60, vein), "b": (60, 120, vein), "c": (90, 90, no)})
    second = a_reading(
        study_dir,
        "Berta",
        {"a": (62, 60, vein), "b": (60, 120, no), "c": (90, 90, no)},
        candidates_shown=False,
    )
    item = item_of(veinscan.open_study(study_dir), KEY)
    found = export_studies([item], tmp_path / "set", ExportOptions(formats=(Format.CSV,)), KEY)
    with (found.folder / "agreement.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3  # the plan, and two readings of research
    by_id = {frozenset((row["reading_a"], row["reading_b"])): row for row in rows}
    row = by_id[frozenset((KEY.uid(first), KEY.uid(second)))]
    assert {row["found_a"], row["found_b"]} == {"2", "1"} and row["found_both"] == "1"
    assert float(row["centre_distance_px"]) == pytest.approx(2.0, abs=0.2)
    assert 0.7 < float(row["dice"]) < 0.95
    assert row["judged_both"] == "3" and float(row["kappa"]) == pytest.approx(0.4, abs=1e-3)
    assert {row["candidates_shown_a"], row["candidates_shown_b"]} == {"true", "false"}


def test_a_vein_that_was_followed_counts_once(study_dir: Path) -> None:
    a_reading(study_dir, "Anna", {"a": (60, 60, Decision.VEIN)})
    study = veinscan.open_study(study_dir)
    record = new_record(study, purpose="research")
    one = verdict(study.clips[0], "a", 60, 60, Decision.VEIN)
    course = tuple(OutlineOnFrame(frame_index=n, outline=ring(60, 60 + n, 8.0)) for n in (0, 1, 2))
    other = verdict(study.clips[0], "b", 60, 120, Decision.VEIN)
    save_record(study, replace(record, reviews=(replace(one, course=course), other)), Reader(name="Berta"))
    case = study_case(veinscan.open_study(study_dir), KEY, ExportOptions())
    research = [one for one in case.readings if one.record.reading.purpose == "research"]
    (row,) = agreement_rows(replace(case, readings=tuple(research)))
    told = dict(zip((column.name for column in COLUMNS), row, strict=True))
    assert {told["found_a"], told["found_b"]} == {1, 2} and told["found_both"] == 1
    assert told["dice"] == 1.0 and told["centre_distance_px"] == 0.0
    marks = [mark(60, 60, 9, frame=n, track="a") for n in range(3)] + [mark(60, 120, 9, track="b")]
    assert [len(group) for group in by_structure(matched(marks, marks, 120, 176, None))] == [3, 1]


# --- which reading


def test_an_adjudication_goes_before_its_sources_and_names_them(study_dir: Path) -> None:
    a = a_reading(study_dir, "Anna", {"a": (60, 60, Decision.VEIN)})
    b = a_reading(study_dir, "Berta", {"a": (60, 60, Decision.REJECTED)})
    final = a_reading(
        study_dir, "Clara", {"a": (60, 60, Decision.REJECTED)}, purpose="adjudication", sources=(a, b)
    )
    case = study_case(veinscan.open_study(study_dir), KEY, ExportOptions())
    assert case.chosen is not None and case.chosen.record.reading.id == KEY.uid(final)
    assert case.chosen.record.reading.sources == (KEY.uid(a), KEY.uid(b))
    assert [m.category for m in case.clips[0].marks] == [Category.REJECTED]
    plan = study_case(veinscan.open_study(study_dir), KEY, ExportOptions(reading="plan"))
    assert plan.chosen is not None and plan.chosen.record.reading.purpose == "plan"


def test_a_withdrawn_reading_is_left_out(study_dir: Path) -> None:
    from veinscan.plan.finalise import withdraw

    study = veinscan.open_study(study_dir)
    reader = Reader(name="Anna")
    save_record(study, withdraw(load_record(study), reader, reason="wrong patient"), reader)
    case = study_case(veinscan.open_study(study_dir), KEY, ExportOptions())
    assert case.readings == () and case.chosen is None and not any(clip.marks for clip in case.clips)


def test_a_followed_candidate_is_one_track_over_frames(study_dir: Path, tmp_path: Path) -> None:
    study = veinscan.open_study(study_dir)
    record = load_record(study)
    course = tuple(OutlineOnFrame(frame_index=n, outline=ring(60 + n, 80, 8)) for n in (1, 2))
    review = replace(verdict(study.clips[1], "new", 60, 80, Decision.VEIN), course=course)
    save_record(study, replace(record, reviews=(*record.reviews, review)), Reader(name="Anna"))
    item = item_of(veinscan.open_study(study_dir), KEY)
    found = export_studies([item], tmp_path / "set", ExportOptions(formats=(Format.COCO,)), KEY)
    coco = json.loads((found.folder / "coco" / "instances.json").read_text())
    clip = next(video["id"] for video in coco["videos"] if video["name"].endswith("c02"))
    mine = [one for one in coco["annotations"] if one["video_id"] == clip]
    assert len(mine) == 3 and len({one["track_id"] for one in mine}) == 1
    assert [one["attributes"]["source"] for one in mine] == ["fitted", "followed", "followed"]


# --- what a person confirms


def test_burned_in_annotation_becomes_no_after_a_person_looked(study_dir: Path, tmp_path: Path) -> None:
    options = ExportOptions(formats=(Format.DICOM_SR,))
    items = [item_of(veinscan.open_study(study_dir), KEY)]

    def annotations(folder: Path) -> list[str]:
        (place,) = (folder / "dicom").iterdir()
        return [str(clip.header().BurnedInAnnotation) for clip in veinscan.open_study(place).clips]

    first = export_studies(items, tmp_path / "one", options, KEY)
    assert annotations(first.folder) == ["YES", "YES"]
    assert (first.folder / "review" / "contact_sheet_001.png").is_file()
    path = first.folder / "review" / "review.json"
    content = json.loads(path.read_text())
    content["clips"][0] |= {"clean": True, "by": "Anna"}
    content["clips"][1] |= {
        "clean": True,
        "by": "Anna",
        "black": [[40, 40, 60, 60]],
        "pixels": "of another clip",
    }
    path.write_text(json.dumps(content))
    second = export_studies(items, tmp_path / "two", options, KEY, said=read_review(path))
    assert annotations(second.folder) == ["NO", "YES"]
    (place,) = (second.folder / "dicom").iterdir()
    frames = [clip.frame(0) for clip in veinscan.open_study(place).clips]
    assert not frames[1][40:60, 40:60].any() and frames[0][40:60, 40:60].any()
    assert json.loads((second.folder / "dataset.json").read_text())["counts"]["confirmed_clips"] == 1
    assert "Anna" not in (second.folder / "review" / "review.json").read_text()


def test_a_file_that_is_no_review_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "review.json"
    path.write_text('{"clips": [{"sop_instance_uid": 5}]}')
    with pytest.raises(InvalidInputError, match="not a review"):
        read_review(path)


def test_known_words_are_those_that_tell(sources: Sources) -> None:
    header = veinscan.open_study(sources.planted[0].folder).header()
    words = known_words([header])
    assert "mullerova" in words and "the" not in words
