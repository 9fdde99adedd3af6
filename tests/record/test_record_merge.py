from __future__ import annotations

from dataclasses import fields, replace

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from record_strategies import plans, records, targets

from veinscan.plan import editing
from veinscan.plan.clips import set_context
from veinscan.plan.model import (
    Calibration,
    Checked,
    InjectionTarget,
    Reader,
    Record,
    RecordState,
    RecordStatus,
    Side,
    TargetStatus,
    ValueSource,
    VesselType,
)
from veinscan.record.merge import merge

NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)


def editable(target: InjectionTarget) -> InjectionTarget:
    """The target without what no edit may make (R03, R07)."""
    return replace(
        target,
        vessel_type=VesselType.VEIN,
        diameter_source=None if target.diameter_mm is None else ValueSource.ENTERED,
        depth_source=None if target.depth_mm is None else ValueSource.ENTERED,
    )


bases = plans().map(
    lambda record: replace(
        record, conflicts=(), reviews=(), targets=tuple(editable(target) for target in record.targets)
    )
)


@given(bases, st.data())
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_one_side_alone_did_is_what_comes_out(base: Record, data: st.DataObject) -> None:
    changed = edited(base, data)
    assert merge(base, base, changed) == changed
    assert merge(base, changed, base) == replace(changed, conflicts=())


@given(bases, st.data())
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
def test_both_sides_equal_is_no_conflict(base: Record, data: st.DataObject) -> None:
    changed = edited(base, data)
    assert merge(base, changed, changed) == changed


@given(bases, st.data())
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
def test_nothing_that_anybody_added_or_changed_is_lost(base: Record, data: st.DataObject) -> None:
    mine, theirs = edited(base, data), edited(base, data)
    both = merge(base, mine, theirs)
    before = {target.id for target in base.targets}
    after = {target.id for target in both.targets}
    added = {target.id for side in (mine, theirs) for target in side.targets} - before
    assert added <= after
    kept = {target.id for target in mine.targets} & {target.id for target in theirs.targets}
    assert kept <= after
    assert [target.order for target in both.targets] == list(range(1, len(both.targets) + 1))
    for target in both.targets:
        sides = [entry for side in (mine, theirs) for entry in side.targets if entry.id == target.id]
        for field in fields(InjectionTarget):
            if field.name != "order":
                assert getattr(target, field.name) in [getattr(entry, field.name) for entry in sides]


@given(bases, st.data())
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
def test_changes_to_different_targets_never_conflict(base: Record, data: st.DataObject) -> None:
    half = len(base.targets) // 2
    mine, theirs = base, base
    for target in base.targets[:half]:
        mine = editing.update_target(mine, target.id, notes=data.draw(st.text(max_size=5)))
    for target in base.targets[half:]:
        theirs = editing.update_target(theirs, target.id, notes=data.draw(st.text(max_size=5)))
    both = merge(base, mine, theirs)
    assert both.conflicts == ()
    assert [target.notes for target in both.targets] == [target.notes for target in mine.targets[:half]] + [
        target.notes for target in theirs.targets[half:]
    ]


def edited(base: Record, data: st.DataObject) -> Record:
    record = base
    for target in base.targets:
        match data.draw(st.sampled_from(["leave", "remove", "change", "move"])):
            case "remove":
                record = editing.remove_target(record, target.id)
            case "change":
                record = editing.update_target(
                    record,
                    target.id,
                    side=data.draw(st.sampled_from(Side)),
                    status=data.draw(st.sampled_from(TargetStatus)),
                    artery_checked=data.draw(st.sampled_from(Checked)),
                )
            case "move":
                record = editing.move_target(record, target.id, data.draw(st.integers(1, 5)))
    for target in data.draw(st.lists(targets(), max_size=2, unique_by=lambda target: target.id)):
        record = editing.add_target(record, replace(editable(target), order=0))
    return record


def three(record: Record) -> list[str]:
    return [target.notes for target in record.targets]


def a_plan(notes: str) -> Record:
    record = editing.new_record("1.2.3")
    for number, text in enumerate(notes, start=1):
        target = InjectionTarget(
            id=f"1.2.{number}", order=0, sop_instance_uid="1.2.3", frame_index=0, point=(1.0, 1.0), notes=text
        )
        record = editing.add_target(record, target)
    return record


def test_a_reordering_by_one_and_an_addition_by_the_other_are_both_kept() -> None:
    base = a_plan("abc")
    mine = editing.move_target(base, "1.2.3", 1)
    new = InjectionTarget(
        id="1.2.9", order=2, sop_instance_uid="1.2.3", frame_index=0, point=(1.0, 1.0), notes="n"
    )
    theirs = editing.add_target(base, new)
    for both in (merge(base, mine, theirs), merge(base, theirs, mine)):
        assert three(both) == ["c", "a", "n", "b"]
        assert both.conflicts == ()


def test_two_different_orders_are_a_conflict() -> None:
    base = a_plan("abc")
    both = merge(base, editing.move_target(base, "1.2.3", 1), editing.move_target(base, "1.2.1", 3))
    assert three(both) == ["b", "c", "a"]
    assert both.conflicts == ("order of injection: changed by two readers; the later order is shown",)


def test_a_target_removed_by_one_and_changed_by_the_other_is_kept_and_told() -> None:
    base = a_plan("ab")
    both = merge(base, editing.remove_target(base, "1.2.1"), editing.update_target(base, "1.2.1", vein="GSV"))
    assert three(both) == ["a", "b"]
    assert len(both.conflicts) == 1 and "removed by one reader" in both.conflicts[0]
    gone = merge(base, editing.remove_target(base, "1.2.1"), editing.update_target(base, "1.2.2", vein="GSV"))
    assert three(gone) == ["b"] and gone.conflicts == ()


def test_a_number_is_never_taken_without_its_source() -> None:
    plan = a_plan("a")
    calibration = Calibration(box=(0, 0, 9, 9), spacing_mm=(0.1, 0.1), skin_row=0.0)
    plan = replace(plan, targets=(replace(plan.targets[0], calibration=calibration),))
    base = editing.update_target(plan, "1.2.1", diameter_mm=2, diameter_source="caliper")
    mine = editing.update_target(base, "1.2.1", diameter_mm=3, diameter_source="entered")
    theirs = editing.update_target(base, "1.2.1", diameter_mm=4, diameter_source="caliper")
    both = merge(base, mine, theirs).targets[0]
    assert (both.diameter_mm, both.diameter_source) == (4.0, "caliper")


def test_a_conflict_that_one_side_has_settled_stays_settled() -> None:
    base = replace(a_plan("a"), conflicts=("old",))
    assert merge(base, base, editing.accept_conflicts(base)).conflicts == ()
    assert merge(base, editing.accept_conflicts(base), base).conflicts == ()
    assert merge(base, base, base).conflicts == ("old",)


@given(records())
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), phases=NO_SHRINKING)
def test_every_part_of_a_record_comes_through_a_merge(record: Record) -> None:
    assert merge(record, record, record) == record
    base = replace(record, conflicts=(), status=RecordStatus())
    empty = Record(reading=record.reading)
    for both in (merge(base, base, base), merge(empty, empty, base), merge(empty, base, empty)):
        assert replace(both, conflicts=()) == replace(base, version=both.version)


def test_contexts_of_different_clips_merge_and_of_the_same_clip_conflict() -> None:
    base = editing.new_record("1.2.3")
    anna = set_context(base, "1.2.4", Reader(name="Anna"), side="left")
    ben = set_context(base, "1.2.5", Reader(name="Ben"), side="right")
    both = merge(base, anna, ben)
    assert {one.sop_instance_uid: one.side for one in both.contexts} == {"1.2.4": "left", "1.2.5": "right"}
    assert both.conflicts == ()
    other = set_context(base, "1.2.4", Reader(name="Ben"), side="right")
    assert any("side" in text for text in merge(base, anna, other).conflicts)


def status(state: RecordState) -> RecordStatus:
    return RecordStatus(state=state, set_by="Anna", reason="wrong side")


def test_a_withdrawal_stands_and_two_versions_together_are_not_final() -> None:
    base = editing.new_record("1.2.3")
    withdrawn = replace(base, status=status(RecordState.WITHDRAWN))
    final = replace(base, status=status(RecordState.FINAL))
    changed = set_context(base, "1.2.5", Reader(name="Ben"), side="right")
    for both in (
        merge(base, withdrawn, changed),
        merge(base, changed, withdrawn),
        merge(base, final, withdrawn),
    ):
        assert both.status.state is RecordState.WITHDRAWN and both.conflicts
    assert merge(base, final, changed).status.state is RecordState.SAVED
    assert merge(base, final, changed).conflicts
    assert merge(base, final, final).status.state is RecordState.FINAL
    amending = replace(final, status=status(RecordState.AMENDING))
    assert merge(final, amending, amending).status.state is RecordState.AMENDING
