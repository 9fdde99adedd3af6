"""Studies with plans in every state, for what is sent to an archive."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "record"))

from veinscan.plan import editing
from veinscan.plan.finalise import amend, withdraw
from veinscan.plan.ids import new_uid
from veinscan.plan.model import CandidateReview, Decision, InjectionTarget, Reader, Record, RecordStatus
from veinscan.plan.normal import now
from veinscan.plan.vocabulary import RecordState
from veinscan.record import load_record, save_record
from veinscan.record.store import SavedRecord

ANNA = Reader(name="Anna")
OUTLINE = ((50.0, 50.0), (50.0, 70.0), (70.0, 70.0), (70.0, 50.0))


def add(study: Any, record: Record, notes: str = "", clip: int = 0, **fields: Any) -> Record:
    """With one more target, outlined."""
    uid = study.clips[clip].sop_instance_uid
    values: dict[str, Any] = {"point": (60.0, 60.0), "outline": OUTLINE, "frame_index": 0}
    target = InjectionTarget(id=new_uid(), order=0, sop_instance_uid=uid, notes=notes, **(values | fields))
    return editing.add_target(record, target)


def review(study: Any, decision: Decision) -> CandidateReview:
    return CandidateReview(
        candidate_id="c1",
        sop_instance_uid=study.clips[0].sop_instance_uid,
        frame_index=0,
        centre=(90.0, 90.0),
        outline=((80.0, 80.0), (80.0, 100.0), (100.0, 90.0)),
        diameter_mm=2.0,
        depth_mm=8.0,
        score=0.5,
        decision=decision,
        reviewed_by="Anna",
        reviewed_at=now(),
    )


def final(record: Record) -> Record:
    """Without the clinical checks, which are not what is tested here."""
    again = record.status.state is RecordState.AMENDING
    state = RecordState.AMENDED if again else RecordState.FINAL
    return replace(record, status=RecordStatus(state=state, set_by="Anna", set_at=now()))


def save(study: Any, record: Record) -> SavedRecord:
    return save_record(study, record, ANNA)


def draft(study: Any, notes: str = "") -> SavedRecord:
    return save(study, add(study, load_record(study), notes))


def finalised(study: Any, notes: str = "") -> SavedRecord:
    return save(study, final(draft(study, notes).record))


def amended(study: Any, record: Record, notes: str = "") -> SavedRecord:
    """Opened, changed and final again: two saves."""
    opened = save(study, add(study, amend(record, ANNA, "a reason"), notes))
    return save(study, final(opened.record))


def opened(study: Any, record: Record) -> SavedRecord:
    return save(study, amend(record, ANNA, "a reason"))


def withdrawn(study: Any, record: Record) -> SavedRecord:
    return save(study, withdraw(record, ANNA, "wrong side"))
