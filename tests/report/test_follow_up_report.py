"""A follow-up on paper: before and after, the right numbers, of one patient only."""

from __future__ import annotations

import importlib.util
import io
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pydicom
import pypdf
import pytest
from plan_samples import PaperStudy, record, target

from veinscan.errors import InvalidInputError
from veinscan.follow_up import compare_studies
from veinscan.plan.follow_up import Complication, FollowUp
from veinscan.plan.visit_vocabulary import ComplicationKind, DeepVeins
from veinscan.record import Opened, open_with_record
from veinscan.report import write_report
from veinscan.report.sheet.shots import before_and_after

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def sample() -> ModuleType:
    """The tool that makes docs/samples."""
    spec = importlib.util.spec_from_file_location("sample_report", ROOT / "tools" / "sample_report.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def studies(sample: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> tuple[Opened, Opened]:
    """The phantom baseline with its plan and treatment, and its follow-up with known change."""
    scratch = tmp_path_factory.mktemp("studies")
    baseline = sample.saved(sample.copied("baseline", scratch), sample.plan, sample.PLANNED_AT)
    baseline = Opened(baseline.study, sample.with_session(baseline.record))
    follow_up = sample.saved(
        sample.copied("follow_up", scratch), lambda one: sample.followed_up(one, baseline), sample.REVIEWED_AT
    )
    return baseline, follow_up


def text_of(path: Path) -> str:
    pages = pypdf.PdfReader(path).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def test_before_and_after_stand_beside_each_other_with_the_right_numbers(studies, tmp_path: Path):
    baseline, follow_up = studies
    for name in ("plan.pdf", "plan.html"):
        write_report(follow_up.study, follow_up.record, tmp_path / name, baseline=baseline)
    paper = text_of(tmp_path / "plan.pdf")
    page = (tmp_path / "plan.html").read_text("utf-8")
    compared = compare_studies(baseline, follow_up)
    first = compared.targets[0]
    assert first.diameter.comparable and first.diameter.difference < -0.1, "it shrank, by the phantom's truth"
    for said in (
        "Beside the baseline of 2025-05-09",
        "occluded full",
        first.diameter.words(),
        f"{baseline.record.targets[0].reflux[0].reflux_s:.2f} s -> not recorded",
        "Before, 2025-05-09",
        "After, 2025-05-26",
        "14",
        "immediate (1 to 4 weeks)",
        "early (1 to 14 days)",
        "not examined",
        baseline.study.study_instance_uid,
        follow_up.record.heads[0],
    ):
        assert said in paper, said
        assert said.replace("->", "-&gt;") in page, said
    assert paper.count("Target 1, right tributary") == 1
    assert page.count("data:image/jpeg") == 4 * len(compared.targets)


def test_a_target_that_nobody_looked_at_says_so(studies, tmp_path: Path):
    baseline, follow_up = studies
    bare = replace(follow_up.record, follow_ups=(), version=0, heads=())
    write_report(follow_up.study, bare, tmp_path / "plan.pdf", baseline=baseline)
    said = text_of(tmp_path / "plan.pdf")
    assert said.count("nobody has looked at it yet") == 3
    assert "not assessed" in said and "not examined" in said and "DRAFT" in said


def test_a_record_beside_itself_shows_no_change(studies, tmp_path: Path):
    baseline, _ = studies
    write_report(baseline.study, baseline.record, tmp_path / "plan.pdf", baseline=baseline)
    said = text_of(tmp_path / "plan.pdf")
    compared = compare_studies(baseline, baseline)
    assert all(one.diameter.difference in (None, 0.0) for one in compared.targets)
    assert all(one.diameter.words() in said for one in compared.targets)


def test_two_patients_never_meet_on_a_page(studies, tmp_path: Path):
    baseline, follow_up = studies
    for path in tmp_path.iterdir():
        path.unlink()
    folder = tmp_path / "other"
    folder.mkdir()
    for clip in follow_up.study.clips:
        dataset = pydicom.dcmread(clip.path)
        dataset.PatientID, dataset.PatientName = "PHANTOM-99999", "Somebody^Else"
        dataset.PatientBirthDate = "19700101"
        dataset.save_as(folder / Path(clip.path).name)
    other = open_with_record(folder)
    with pytest.raises(InvalidInputError, match="not of one patient"):
        write_report(other.study, other.record, tmp_path / "plan.pdf", baseline=baseline, confirmed=True)
    assert not (tmp_path / "plan.pdf").exists()


def test_the_close_ups_have_one_scale(studies):
    baseline, follow_up = studies
    compared = compare_studies(baseline, follow_up)
    clips = [{clip.sop_instance_uid: clip for clip in one.study.clips} for one in (baseline, follow_up)]
    row = compared.targets[0]
    after = replace(row.follow_up, diameter_mm=9.0, depth_mm=None)  # shown larger by itself
    shots = before_and_after((clips[0], row.baseline, "a"), (clips[1], after, "b"), "1")
    assert len(shots) == 4 and shots[0].size == shots[1].size
    pictures = [cv2.imdecode(np.frombuffer(shot.jpeg, np.uint8), cv2.IMREAD_GRAYSCALE) for shot in shots[:2]]
    bars = [int((one[-30:, : one.shape[1] // 2] > 240).any(axis=0).sum()) for one in pictures]
    assert abs(bars[0] - bars[1]) <= 4, "5 mm are as long in both"


def test_a_follow_up_without_calibration_has_no_scale_and_no_difference(studies, tmp_path: Path):
    baseline, follow_up = studies
    (visit,) = follow_up.record.follow_ups
    first, *others = visit.outcomes
    bare = replace(first, place=replace(first.place, calibration=None), diameter_mm=None, depth_mm=None)
    shown = replace(follow_up.record, follow_ups=(replace(visit, outcomes=(bare, *others)),))
    write_report(follow_up.study, shown, tmp_path / "plan.pdf", baseline=baseline)
    said = text_of(tmp_path / "plan.pdf")
    assert "not calibrated: no scale" in said
    assert compare_studies(baseline, Opened(follow_up.study, shown)).targets[0].diameter.words() in said


def test_a_baseline_with_two_heads_says_so(studies, tmp_path: Path):
    baseline, follow_up = studies
    two = replace(
        baseline.record, heads=(*baseline.record.heads, "2.25.9"), conflicts=("target 1 (tributary): side",)
    )
    write_report(
        follow_up.study, follow_up.record, tmp_path / "plan.pdf", baseline=Opened(baseline.study, two)
    )
    compared = compare_studies(Opened(baseline.study, two), follow_up)
    assert compared.warnings
    said = text_of(tmp_path / "plan.pdf")
    assert all(warning in said for warning in compared.warnings)


def test_a_visit_is_printed_as_it_was_entered(tmp_path: Path):
    visit = FollowUp(
        id="1.2.3.4",
        deep_veins=DeepVeins.DVT_SUSPECTED,
        deep_veins_action="sent to the vascular unit",
        complications=(Complication(kind=ComplicationKind.MATTING, target_id="1.2.3.1", size_mm=12.0),),
        appearance_percent=-10,
        notes="<b>call</b> in a week",
    )
    write_report(PaperStudy(), record(target(1), follow_ups=(visit,)), tmp_path / "plan.pdf")
    said = text_of(tmp_path / "plan.pdf")
    for word in (
        "Follow-up of an unknown day", "dvt suspected: sent to the vascular unit", "matting",
        "target 1, reticular", "12 mm", "-10 %", "<b>call</b> in a week",
    ):  # fmt: skip
        assert word in said, word


def test_the_samples_in_docs_are_made_again_to_the_byte(sample: ModuleType, studies, tmp_path: Path):
    first = sample.main(tmp_path / "a")
    assert [path.name for path in first] == ["plan.pdf", "plan.html", "follow-up.pdf"]
    assert all(path.stat().st_size < 900_000 for path in first)
    baseline, follow_up = studies  # other copies of the same files
    write_report(
        follow_up.study,
        follow_up.record,
        tmp_path / "b.pdf",
        baseline=baseline,
        printed_at=sample.REVIEWED_AT,
    )
    assert (tmp_path / "b.pdf").read_bytes() == first[2].read_bytes()
    kept = ROOT / "docs" / "samples" / "plan.pdf"
    assert "Dunmoor Dorian" in text_of(kept) and "Target 3" in text_of(kept)
    assert len(pypdf.PdfReader(io.BytesIO(first[0].read_bytes())).pages) == len(pypdf.PdfReader(kept).pages)
