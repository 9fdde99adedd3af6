"""`veinscan compare`: the contract, and the numbers of a phantom whose change is known."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pydicom
import pytest
from cli_studies import tree

sys.path.insert(0, str(Path(__file__).parents[1] / "follow_up"))
sys.path.insert(0, str(Path(__file__).parents[1] / "record"))

from follow_up_studies import ANNA, KNOWN, phantom_plan, truth_of, vessel

from veinscan.follow_up import begin_visit, mark_not_seen, mark_point, set_outcome
from veinscan.record import open_with_record, save_record

OPEN, CLOSED = ("GSV", "reticular 3"), ("tributary", "reticular 1")
PAIR = {"baseline", "follow_up", "difference", "percent", "changed", "reason"}


@dataclass
class Phantoms:
    before: Path
    after: Path
    targets: dict[str, str]
    """Name of the vessel to its target."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Phantoms:
    """The sample plan with four targets, and its follow-up: two veins open, two not seen."""
    root = tmp_path_factory.mktemp("compare")
    sample = Path(__file__).parents[2] / "sample_data"
    before = Path(shutil.copytree(sample / "baseline", root / "before"))
    after = Path(shutil.copytree(sample / "follow_up", root / "after"))
    names = (*OPEN, *CLOSED)
    baseline = phantom_plan(before, names)
    targets = {name: one.id for name, one in zip(names, baseline.record.targets, strict=True)}
    study, record, _ = open_with_record(after)
    record, visit = begin_visit(record, baseline, ANNA, study=study, on=date(2025, 5, 26))
    truth = truth_of(after)
    clip = study.clip(truth["scripted_target"]["file"])
    frame = truth["scripted_target"]["frame_index"]
    for name in OPEN:
        seen = vessel(truth, name, frame)
        assert seen is not None
        record = mark_point(
            record,
            visit.id,
            targets[name],
            baseline,
            ANNA,
            study=study,
            clip=clip,
            frame_index=frame,
            point=seen["centre"],
        )
        record = set_outcome(
            record, visit.id, targets[name], baseline, ANNA, outcome="patent_no_reflux", **KNOWN
        )
    for name in CLOSED:
        record = mark_not_seen(record, visit.id, targets[name], baseline, ANNA)
    save_record(study, record, ANNA)
    return Phantoms(before, after, targets)


def test_the_numbers_are_those_of_the_phantom(cli: Callable[..., Any], made: Phantoms) -> None:
    trees = tree(made.before), tree(made.after)
    data = cli("compare", made.before, made.after, "--json").json
    assert (tree(made.before), tree(made.after)) == trees
    assert set(data) == {
        "baseline", "follow_up", "patient", "days_between", "treated_on", "days_since_treatment", "windows",
        "thresholds_version", "targets", "new_findings", "deep_veins", "rvcss", "visit", "warnings",
    }  # fmt: skip
    assert (data["patient"]["match"], data["days_between"], data["days_since_treatment"]) == (
        "certain",
        17,
        14,
    )
    assert [one["key"] for one in data["windows"]["clinic"]] == ["early"]
    assert [one["key"] for one in data["windows"]["uip"]] == ["immediate"]
    assert (data["deep_veins"], data["new_findings"], data["warnings"]) == ("not examined", [], [])
    before, after = truth_of(made.before), truth_of(made.after)
    rows = {row["id"]: row for row in data["targets"]}
    assert [row["order"] for row in data["targets"]] == [1, 2, 3, 4]
    for name in OPEN:
        row = rows[made.targets[name]]
        assert set(row["diameter_mm"]) == PAIR
        assert row["outcome"] == {"baseline": None, "follow_up": "patent_no_reflux"}
        for quantity in ("diameter_mm", "depth_mm"):
            was, now = (
                vessel(truth, name, truth["scripted_target"]["frame_index"]) for truth in (before, after)
            )
            assert was is not None
            assert now is not None
            assert row[quantity]["baseline"] == pytest.approx(was[quantity], abs=0.3)
            assert row[quantity]["follow_up"] == pytest.approx(now[quantity], abs=0.3)
            change = row[quantity]["follow_up"] - row[quantity]["baseline"]
            assert row[quantity]["difference"] == pytest.approx(change, abs=1e-6)
            assert row[quantity]["reason"] == ""
        assert row["follow_up"]["file"] == after["scripted_target"]["file"]
        assert row["baseline"]["posture"] == row["follow_up"]["posture"] == "standing"
    for name in CLOSED:
        assert name in after["treated"]
        row = rows[made.targets[name]]
        assert row["outcome"]["follow_up"] == "not_visible"
        assert row["diameter_mm"]["follow_up"] is row["diameter_mm"]["difference"] is None
        assert row["diameter_mm"]["reason"] == "not visible at the follow-up"
        assert row["follow_up"]["file"] is None


def test_the_table_says_the_same(cli: Callable[..., Any], made: Phantoms) -> None:
    data = cli("compare", made.before, made.after, "--json").json
    text = cli("compare", made.before, made.after).out
    first = data["targets"][0]["diameter_mm"]
    assert f"{first['baseline']:.1f} -> {first['follow_up']:.1f} mm ({first['difference']:+.1f} mm" in text
    assert "14 days after treatment: early (1 to 14 days) by the clinic's calendar" in text
    assert "immediate (1 to 4 weeks) by UIP's" in text
    assert "Deep veins: not examined" in text
    assert text.count("not visible at the follow-up") == 2


def test_a_study_with_itself_shows_no_change(cli: Callable[..., Any], made: Phantoms) -> None:
    for folder in (made.before, made.after):
        data = cli("compare", folder, folder, "--json").json
        for row in data["targets"]:
            for quantity in ("diameter_mm", "depth_mm", "reflux_s", "flow_cm_s"):
                assert row[quantity]["baseline"] == row[quantity]["follow_up"]
                assert row[quantity]["difference"] in (None, 0.0)
            assert row["maybe_recanalised"] is None
        assert data["new_findings"] == []


def test_two_patients_and_an_open_question(cli: Callable[..., Any], made: Phantoms, tmp_path: Path) -> None:
    def with_header(name: str, **values: str) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        for path in made.after.glob("0001*.dcm"):
            dataset = pydicom.dcmread(path)
            for key, value in values.items():
                setattr(dataset, key, value)
            dataset.save_as(folder / path.name)
        return folder

    other = with_header("other", PatientID="SOMEBODY-ELSE")
    for flags in ((), ("--same-patient",)):
        called = cli("compare", made.before, other, "--json", *flags)
        assert called.code == 1
        assert "not of one patient" in called.json["error"]["what"]
        assert called.json["error"]["where"] == str(other)
        assert "SOMEBODY" not in called.out
    unsure = with_header("unsure", PatientBirthDate="")
    called = cli("compare", made.before, unsure, "--json")
    assert called.code == 1
    assert "--same-patient" in called.json["error"]["do"]
    found = cli("compare", made.before, unsure, "--same-patient", "--json")
    assert found.code == 0
    assert found.json["patient"]["match"] == "ask"


def test_without_a_record_there_is_nothing_to_compare_and_no_error(
    cli: Callable[..., Any], sample_study_dir: Path, sample_follow_up_dir: Path
) -> None:
    data = cli("compare", sample_study_dir, sample_follow_up_dir, "--json").json
    assert (data["targets"], data["visit"], data["windows"]) == ([], None, None)
    assert "The baseline has no targets" in cli("compare", sample_study_dir, sample_follow_up_dir).out


def test_a_wrong_call_and_a_missing_study(cli: Callable[..., Any], made: Phantoms, tmp_path: Path) -> None:
    assert cli("compare", made.before).code == 2
    called = cli("compare", made.before, tmp_path / "nothing", "--json")
    assert called.code == 1
    assert set(called.json["error"]) == {"what", "where", "do"}
    assert json.loads(called.out) == called.json
    both = tmp_path / "both"
    for folder in (made.before, made.after):
        shutil.copytree(folder, both / folder.name)
    asked = cli("compare", both, made.after, "--json").json["error"]["do"]
    assert "--baseline-study UID" in asked
    uid = cli("inspect", made.before, "--json").json["study_instance_uid"]
    found = cli("compare", both, made.after, "--json", "--baseline-study", uid).json
    assert (found["baseline"]["study_instance_uid"], len(found["targets"])) == (uid, 4)
