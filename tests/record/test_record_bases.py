"""What two versions began from is judged rightly, whatever the history of programs that save in turns is."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from veinscan.plan import editing
from veinscan.plan.ids import new_uid
from veinscan.plan.model import InjectionTarget, Reading, Record
from veinscan.record.bases import common_base
from veinscan.record.merge import merge
from veinscan.record.store import merged

RECORD = Record(reading=Reading(id="1.2.3"))


def target() -> InjectionTarget:
    return InjectionTarget(id=new_uid(), order=0, sop_instance_uid="1.2.3", point=(1.0, 2.0))


class Saved:
    """What `merged` uses of a version, without a file."""

    def __init__(self, record: Record, number: int) -> None:
        self.content = SimpleNamespace(record=record)
        self.predecessors = record.heads
        self.when = (record.version, float(number), str(number))


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=2, max_size=40), st.integers(0, 2))
@settings(max_examples=60, deadline=None)
def test_programs_that_save_in_turns_make_no_conflict_and_lose_nothing(
    steps: list[tuple[int, bool]], depth: int
) -> None:
    """Each program loads now and then, and changes its own target only; whatever their history looks like."""
    programs = range(3)
    start = replace(RECORD, targets=tuple(replace(target(), order=n + 1) for n in programs), version=1)
    versions: dict[str, Any] = {"1.1": Saved(start, 0)}

    def load() -> Record:
        replaced = {uid for version in versions.values() for uid in version.predecessors}
        return merged([uid for uid in versions if uid not in replaced], versions, RECORD, depth)

    loaded = [load() for _ in programs]
    last = dict.fromkeys(programs, "")
    for number, (program, loads) in enumerate(steps, start=1):
        if loads:
            loaded[program] = load()
        last[program] = str(number)
        record = editing.update_target(
            loaded[program], loaded[program].targets[program].id, notes=str(number)
        )
        record = replace(record, version=record.version + 1)
        uid = f"1.1.{number}"
        versions[uid] = Saved(record, number)
        loaded[program] = replace(record, heads=(uid,))
    found = load()
    assert [entry.notes for entry in found.targets] == [last[program] for program in programs]
    assert found.conflicts == ()


def test_what_one_of_two_changed_against_several_versions_behind_is_taken() -> None:
    """Both sides loaded the merge of two saves: neither save alone is what they began from."""
    base = replace(RECORD, targets=tuple(replace(target(), order=n + 1) for n in range(4)))
    ids = [one.id for one in base.targets]

    def notes(record: Record, **texts: str) -> Record:
        for name, text in texts.items():
            record = editing.update_target(record, ids[int(name[1])], notes=text)
        return record

    one, two = notes(base, t0="a1"), editing.move_target(notes(base, t1="b1"), ids[3], 1)
    both = merge(base, one, two)
    earlier = editing.remove_target(notes(both, t0="a2"), ids[2])
    later = notes(both, t1="b2")
    found = merge(common_base([one, two], earlier, later), earlier, later)
    assert {entry.id: entry.notes for entry in found.targets} == {ids[3]: "", ids[0]: "a2", ids[1]: "b2"}
    assert found.targets[0].id == ids[3]
    assert found.conflicts == ()
    disagreed = merge(common_base([one, two], notes(both, t0="x"), notes(both, t0="y")), notes(both, t0="x"),
                      notes(both, t0="y"))  # fmt: skip
    assert len(disagreed.conflicts) == 1
