"""What is compared and how it is entered, without a window: the session's side of the follow-up."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from follow_up_pair import READER, plan_baseline

from veinscan import record as store
from veinscan.dicom import open_study
from veinscan.dicom.patients import match_patients
from veinscan.errors import InvalidInputError, VeinscanError
from veinscan.plan import editing
from veinscan.plan.finalise import withdraw
from veinscan.plan.model import Reader
from veinscan.plan.vocabulary import Outcome, Posture

pytest.importorskip("psygnal")


class Desk:
    """A session on the follow-up with its comparison, as a window has them."""

    def __init__(self, folder: Path) -> None:
        from napari_veinscan.follow_up_edits import VisitEdits
        from napari_veinscan.follow_up_state import Compared
        from napari_veinscan.session import Session, read_study

        self.session = Session(Reader(name="Dr. Later"))
        self.session.show_study(*read_study(folder))
        self.refused: list[str] = []
        bench: Any = SimpleNamespace(session=self.session, attempt=self._attempt)
        self.compared = Compared(bench)
        self.edits = VisitEdits(bench, self.compared)

    def _attempt(self, action: Any) -> bool:
        try:
            action()
        except VeinscanError as error:
            self.refused.append(str(error))
            return False
        return True

    def choose(self, folder: Path) -> None:
        """Compare with the study in a folder."""
        study = open_study(folder)
        match = match_patients(study.header(), self.session.study.header())
        self.compared.choose(study, store.load_record(study), match)


@pytest.fixture
def desk(sample_study_dir: Path, sample_follow_up_dir: Path) -> Any:
    made = Desk(sample_follow_up_dir)
    yield made
    made.compared.baseline.close()
    made.session.close()


def test_nothing_is_written_until_something_is_entered(desk: Desk, sample_study_dir: Path) -> None:
    first, second, _ = plan_baseline(sample_study_dir)
    desk.choose(sample_study_dir)
    told: list[str] = []
    desk.compared.target_changed.connect(lambda: told.append(desk.compared.target_id))
    for step in (1, 1, 1, -1):
        desk.compared.step(step)
    assert told[-1] == desk.compared.lines[2].target_id
    assert desk.edits.attempt_target(first.id, "posture", posture=Posture.UNKNOWN)
    assert desk.edits.attempt("notes", lambda visit: visit)
    assert desk.session.record.follow_ups == ()
    assert not desk.session.is_dirty

    assert desk.edits.attempt_target(first.id, "diameter", diameter_mm="2.5")
    (visit,) = desk.session.record.follow_ups
    assert [(one.target_id, one.outcome) for one in visit.outcomes] == [(first.id, Outcome.NOT_ASSESSED)]
    desk.edits.not_seen(second.id)
    assert [one.target_id for one in desk.compared.visit.outcomes] == [first.id, second.id]
    assert [one.set_by for one in desk.compared.visit.outcomes] == ["Dr. Later"] * 2
    desk.edits.clear(first.id)
    assert desk.compared.outcome_of(first.id) is None
    assert not desk.edits.attempt_target("1.2.3", "notes", notes="whose")
    assert "no target of the baseline is chosen" in desk.refused[-1]
    while desk.session.undo_label is not None:
        desk.session.undo()
    assert desk.session.record.follow_ups == ()


def test_a_baseline_with_two_heads_is_told(desk: Desk, sample_study_dir: Path) -> None:
    first, *_ = plan_baseline(sample_study_dir)
    study = open_study(sample_study_dir)
    parent = store.load_record(study)
    for reader, vein in ((READER, "GSV"), (Reader(name="Dr. Other"), "SSV")):
        changed = editing.update_target(parent, first.id, vein=vein)
        store.save_record(study, changed, reader)
    desk.choose(sample_study_dir)
    warnings = " ".join(desk.compared.result.warnings)
    assert "saved by 2 readers apart" in warnings
    assert "open conflict" in warnings
    line = desk.compared.lines[0]
    assert (line.name, bool(line.row.conflicts)) == ("T1", True)


def test_what_must_not_be_compared_is_refused_and_leaves_nothing(
    desk: Desk, sample_study_dir: Path, sample_follow_up_dir: Path
) -> None:
    with pytest.raises(InvalidInputError, match="the study on show"):
        desk.choose(sample_follow_up_dir)
    plan_baseline(sample_study_dir)
    study = open_study(sample_study_dir)
    store.save_record(study, withdraw(store.load_record(study), READER, "wrong side"), READER)
    with pytest.raises(InvalidInputError, match="withdrawn"):
        desk.choose(sample_study_dir)
    assert (desk.compared.is_on, desk.compared.lines) == (False, [])
    with pytest.raises(InvalidInputError, match="there is no target"):
        desk.compared.step(1)
    with pytest.raises(InvalidInputError, match="no baseline is chosen"):
        desk.edits.set_target("1.2.3", "notes", notes="x")


def test_a_visit_can_be_entered_without_a_baseline(desk: Desk) -> None:
    assert desk.edits.attempt("notes", lambda visit: type(visit)(id=visit.id, notes="itches"))
    (visit,) = desk.session.record.follow_ups
    assert (visit.baseline_study_uid, visit.notes, visit.set_by) == ("", "itches", "Dr. Later")
    assert desk.compared.visit == visit


def test_another_study_takes_the_baseline_away_and_keeps_what_was_entered(
    desk: Desk, sample_study_dir: Path, sample_follow_up_dir: Path
) -> None:
    from napari_veinscan.session import read_study

    first, *_ = plan_baseline(sample_study_dir)
    desk.choose(sample_study_dir)
    desk.edits.not_seen(first.id)
    desk.compared.leave()
    assert (desk.compared.is_on, desk.compared.target_id) == (False, "")
    assert desk.session.record.follow_ups[0].outcomes[0].target_id == first.id
    desk.choose(sample_study_dir)
    assert desk.compared.outcome_of(first.id).outcome is Outcome.NOT_VISIBLE
    desk.session.show_study(*read_study(sample_study_dir))
    assert not desk.compared.is_on
