"""Two readers who save from the same parent: what each says, and a person's choice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from veinscan import record as store
from veinscan.dicom import open_study
from veinscan.errors import InvalidInputError
from veinscan.plan import editing
from veinscan.plan.finalise import withdraw
from veinscan.plan.model import Checked, Reader, Side
from veinscan.record.conflicts import REMOVED, differences, settled

ANN, BOB = Reader(name="Ann"), Reader(name="Bob")


@pytest.fixture
def study_and_parent(sample_study_dir: Path):
    study = open_study(sample_study_dir)
    clip = study.clips[0]
    row0, col0, row1, col1 = clip.picture_region.box
    record = store.load_record(study)
    for part in (3, 2):
        target = editing.target_at_point(clip, 0, ((row0 + row1) / part, (col0 + col1) / 2), ANN)
        record = editing.add_target(record, target)
    return study, store.save_record(study, record, ANN).record


def test_both_values_with_reader_and_the_choice_is_saved(study_and_parent):
    study, parent = study_and_parent
    first, second = (target.id for target in parent.targets)
    store.save_record(study, editing.update_target(parent, first, side="left", notes="a"), ANN)
    mine = editing.update_target(parent, first, side="right", artery_checked="yes")
    store.save_record(study, editing.update_target(mine, second, vein="tributary"), BOB)
    merged = store.load_record(study)
    assert len(merged.heads) == 2
    (one,) = differences(study, merged)
    assert (one.part, one.key, one.fields) == ("targets", first, ("side",))
    assert {(side.reader, side.values) for side in one.sides} == {
        ("Ann", (Side.LEFT,)),
        ("Bob", (Side.RIGHT,)),
    }
    assert all(side.saved_at is not None for side in one.sides)
    assert one.sides[one.shown].values == (merged.targets[0].side,)
    with pytest.raises(InvalidInputError):
        settled(merged, [(one, 2)])
    ann = next(index for index, side in enumerate(one.sides) if side.reader == "Ann")
    chosen = settled(merged, [(one, ann)])
    target = chosen.targets[0]
    assert (target.side, target.notes, target.artery_checked) == (Side.LEFT, "a", Checked.YES)
    assert not chosen.conflicts
    store.save_record(study, chosen, BOB)
    again = store.load_record(study)
    assert (len(again.heads), again.conflicts, again.targets[0].side) == (1, (), Side.LEFT)


def test_a_merge_saved_with_its_conflict_open_is_traced_back(study_and_parent):
    study, parent = study_and_parent
    first = parent.targets[0].id
    for reader, side in ((ANN, "left"), (BOB, "right")):
        store.save_record(study, editing.update_target(parent, first, side=side), reader)
    store.save_record(study, store.load_record(study), BOB)
    again = store.load_record(study)
    assert len(again.heads) == 1
    assert again.conflicts
    (one,) = differences(study, again)
    assert {side.reader for side in one.sides} == {"Ann", "Bob"}


def test_a_mark_removed_by_one_and_changed_by_the_other_can_go(study_and_parent):
    study, parent = study_and_parent
    first = parent.targets[0].id
    store.save_record(study, editing.remove_target(parent, first), ANN)
    store.save_record(study, editing.update_target(parent, first, notes="keep me"), BOB)
    merged = store.load_record(study)
    (one,) = differences(study, merged)
    assert one.fields == ()
    removed = next(index for index, side in enumerate(one.sides) if side.values == (REMOVED,))
    assert one.shown != removed
    gone = settled(merged, [(one, removed)])
    assert [target.id for target in gone.targets] == [parent.targets[1].id]
    assert gone.targets[0].order == 1
    assert settled(merged, [(one, one.shown)]).targets == merged.targets


def test_without_a_second_head_there_is_nothing_to_choose(study_and_parent):
    study, parent = study_and_parent
    assert differences(study, parent) == ()
    assert differences(study, replace(parent, heads=())) == ()


def test_two_orders_of_injection_are_offered_by_the_numbers_on_show(study_and_parent):
    study, parent = study_and_parent
    clip = study.clips[0]
    row0, col0, row1, col1 = clip.picture_region.box
    third = editing.target_at_point(clip, 0, ((row0 + row1) / 2, (col0 + col1) / 3), ANN)
    parent = store.save_record(study, editing.add_target(parent, third), ANN).record
    a, b, c = (target.id for target in parent.targets)
    store.save_record(study, editing.move_target(parent, c, 1), ANN)
    store.save_record(study, editing.move_target(parent, a, 3), BOB)
    merged = store.load_record(study)
    (one,) = differences(study, merged)
    assert (one.part, one.label) == ("order", "order of injection")
    assert one.sides[one.shown].words == "T1, T2, T3"
    by_reader = {side.reader: index for index, side in enumerate(one.sides)}
    for reader, order in (("Ann", [c, a, b]), ("Bob", [b, c, a])):
        chosen = settled(merged, [(one, by_reader[reader])])
        assert [target.id for target in chosen.targets] == order
        assert [target.order for target in chosen.targets] == [1, 2, 3]
        assert not chosen.conflicts


def test_a_withdrawal_against_a_change_is_a_choice(study_and_parent):
    study, parent = study_and_parent
    first = parent.targets[0].id
    store.save_record(study, withdraw(parent, ANN, "wrong leg"), ANN)
    store.save_record(study, editing.update_target(parent, first, notes="b"), BOB)
    merged = store.load_record(study)
    assert merged.status.state == "withdrawn"
    (one,) = [found for found in differences(study, merged) if found.part == "status"]
    words = {side.reader: side.words for side in one.sides}
    assert words == {"Ann": "withdrawn: wrong leg", "Bob": "goes on, not final"}
    by_reader = {side.reader: index for index, side in enumerate(one.sides)}
    assert one.shown == by_reader["Ann"]
    stays = settled(merged, [(one, by_reader["Ann"])])
    assert (stays.status, stays.conflicts) == (merged.status, ())
    on = settled(merged, [(one, by_reader["Bob"])])
    assert (on.status.state, on.conflicts, on.targets[0].notes) == ("saved", (), "b")
