"""Some versions are missing, as in a copy from an archive that was sent the final ones only."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from record_studies import FakeStudy

from veinscan.plan import editing
from veinscan.plan.finalise import amend, withdraw
from veinscan.plan.ids import new_uid
from veinscan.plan.model import InjectionTarget, Reader, Record, RecordStatus
from veinscan.plan.normal import now
from veinscan.plan.vocabulary import RecordState
from veinscan.record import history, load_record, save_record
from veinscan.record.conflicts import differences
from veinscan.record.store import FOLDER, SavedRecord

ANNA = Reader(name="Anna")


def add(study: FakeStudy, record: Record, notes: str) -> Record:
    clip = study.clips[0].sop_instance_uid
    target = InjectionTarget(id=new_uid(), order=0, sop_instance_uid=clip, point=(60.0, 60.0), notes=notes)
    return editing.add_target(record, target)


def closed(record: Record) -> Record:
    """Final without the clinical checks, which are not what is tested here."""
    again = record.status.state is RecordState.AMENDING
    state = RecordState.AMENDED if again else RecordState.FINAL
    return replace(record, status=RecordStatus(state=state, set_by="Anna", set_at=now()))


def chain(study: FakeStudy) -> list[SavedRecord]:
    """Two drafts, final, an amendment in two drafts, final again, the same once more."""
    saved = [save_record(study, add(study, load_record(study), "0"), ANNA)]
    saved.append(save_record(study, add(study, saved[-1].record, "1"), ANNA))
    saved.append(save_record(study, closed(saved[-1].record), ANNA))
    for number in range(2):
        opened = amend(saved[-1].record, ANNA, "more")
        saved.append(save_record(study, add(study, opened, f"a{number}"), ANNA))
        saved.append(save_record(study, add(study, saved[-1].record, f"b{number}"), ANNA))
        saved.append(save_record(study, closed(saved[-1].record), ANNA))
    return saved


def keep(study: FakeStudy, saved: list[SavedRecord], wanted: set[int], folder: Path) -> FakeStudy:
    copied = shutil.copytree(study.root, folder)
    for number, one in enumerate(saved):
        if number not in wanted:
            (copied / FOLDER / one.path.name).unlink()
    return replace(study, root=copied)


def test_final_versions_alone_load_as_the_latest(study: FakeStudy, tmp_path: Path) -> None:
    saved = chain(study)
    last = load_record(study)
    assert last.heads == (saved[-1].path.stem,)
    rng = random.Random(5)  # noqa: S311 - which are kept, no secret
    finals, drafts = {2, 5, 8}, {0, 1, 3, 4, 6, 7}
    for number in range(12):
        others = {one for one in (finals | drafts) - {8} if rng.random() < 0.5}
        copy = keep(study, saved, others | {8}, tmp_path / str(number))
        assert load_record(copy) == last
    # a draft after a final one replaces it, whichever final ones are there
    copy = keep(study, saved, {2, 7}, tmp_path / "draft")
    assert load_record(copy).heads == (saved[7].path.stem,)


def test_a_copy_of_the_last_is_amended_and_laid_beside_all_others(study: FakeStudy, tmp_path: Path) -> None:
    saved = chain(study)
    copy = keep(study, saved, {8}, tmp_path / "copy")
    opened = amend(load_record(copy), ANNA, "elsewhere")
    draft = save_record(copy, add(copy, opened, "there"), ANNA)
    final = save_record(copy, closed(draft.record), ANNA)
    shutil.copy(final.path, study.root / FOLDER)
    found = load_record(study)
    assert found.heads == (final.path.stem,)
    assert found.conflicts == ()
    assert "there" in [target.notes for target in found.targets]


def test_a_withdrawal_stands_without_what_it_withdraws(study: FakeStudy, tmp_path: Path) -> None:
    saved = chain(study)
    saved.append(save_record(study, withdraw(saved[-1].record, ANNA, "wrong side"), ANNA))
    copy = keep(study, saved, {2, 9}, tmp_path / "copy")
    assert load_record(copy).status.state is RecordState.WITHDRAWN


def test_history_tells_what_changed_against_the_version_before(study: FakeStudy) -> None:
    chain(study)
    entries = history(study)
    assert len(entries) == 9
    assert [entry.is_head for entry in entries] == [False] * 8 + [True]
    assert [len(entry.predecessors) for entry in entries] == [0, 1, 2, 3, 4, 5, 6, 7, 8]
    added = [sum("added" in one for one in entry.changes) for entry in entries]
    assert added == [1, 1, 0, 1, 1, 0, 1, 1, 0]
    assert entries[0].predecessors == ()
    assert entries[5].predecessors[0] == entries[4].sop_instance_uid


def test_a_final_merge_says_what_its_sides_said(study: FakeStudy) -> None:
    base = save_record(study, add(study, load_record(study), "0"), ANNA).record
    one = base.targets[0].id
    save_record(study, editing.update_target(base, one, notes="this"), ANNA)
    save_record(study, editing.update_target(base, one, notes="that"), ANNA)
    merged = load_record(study)
    assert merged.conflicts
    before = differences(study, merged)
    save_record(study, closed(merged), ANNA)
    assert [one.label for one in differences(study, load_record(study))] == [one.label for one in before]
    assert len(before) == 1


@pytest.mark.parametrize("state", [RecordState.FINAL, RecordState.SAVED])
def test_only_work_in_progress_names_no_more_than_it_was_read_from(
    study: FakeStudy, state: RecordState
) -> None:
    record = load_record(study)
    for number in range(4):
        record = save_record(study, add(study, record, str(number)), ANNA).record
    last = closed(record) if state is RecordState.FINAL else record
    save_record(study, last, ANNA)
    assert len(history(study)[-1].predecessors) == (4 if state is RecordState.FINAL else 1)
