"""What an edit, and the loading of a long history, cost.

Edits of a record of 200 targets and 2,000 verdicts, each with an outline of 64
points, beside a bare SQLite commit of the same durability; the loading of 300
versions of two programs whose histories cross at every step, beside pydicom
reading the same files.  Both sides take turns; medians are printed.

    python benchmarks/record.py
"""

from __future__ import annotations

import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

EDITS, VERSIONS, LOADS = 40, 300, 3
RING = tuple((60.0 + step * 0.5, 70.0 + step * 0.25) for step in range(64))


def timed(action: Callable[[], object]) -> tuple[float, float]:
    """Wall time and processor time of an action, in ms."""
    wall, cpu = time.perf_counter(), time.process_time()
    action()
    return (time.perf_counter() - wall) * 1e3, (time.process_time() - cpu) * 1e3


def long_record(study: Any) -> Any:
    """200 targets and 2,000 verdicts on one clip."""
    from veinscan.plan.editing import new_record
    from veinscan.plan.ids import new_uid
    from veinscan.plan.model import CandidateReview, Decision, InjectionTarget

    clip = study.clips[0].sop_instance_uid
    targets = tuple(
        InjectionTarget(
            id=new_uid(), order=n + 1, sop_instance_uid=clip, point=(60.0, 70.0), outline=RING, notes=str(n)
        )
        for n in range(200)
    )
    reviews = tuple(
        CandidateReview(
            candidate_id=f"c{n}", sop_instance_uid=clip, frame_index=0, centre=(60.0, 70.0), outline=RING,
            diameter_mm=2.0, depth_mm=4.0, score=0.5, decision=Decision.VEIN,
        )
        for n in range(2000)
    )  # fmt: skip
    return replace(new_record(study), targets=targets, reviews=reviews)


def edits(study: Any, folder: Path) -> None:
    """One edit after the other, each beside a bare commit."""
    from veinscan.plan.editing import update_target
    from veinscan.record import Draft, pending_drafts

    draft = Draft.start(study, long_record(study))
    bare = sqlite3.connect(folder / "bare.db", isolation_level=None)
    bare.execute("PRAGMA synchronous = FULL")
    bare.execute("CREATE TABLE mark (content TEXT)")
    mine, theirs = [], []
    for number in range(EDITS):
        changed = update_target(draft.current, draft.current.targets[number].id, notes=f"edit {number}")
        mine.append(timed(lambda changed=changed: draft.record(changed, "edit")))
        theirs.append(timed(lambda: bare.execute("INSERT INTO mark VALUES (?)", ("x" * 3000,))))
    bare.close()
    draft.close()
    (pending,) = pending_drafts(study)
    resumed = timed(lambda: Draft.resume(study, pending).discard())
    wall, cpu = (statistics.median(entry[side] for entry in mine[1:]) for side in (0, 1))
    commit = statistics.median(entry[0] for entry in theirs)
    print(f"first edit {mine[0][0]:.0f} ms wall, {mine[0][1]:.0f} ms processor")
    print(f"an edit    {wall:.1f} ms wall, {cpu:.1f} ms processor; a bare commit {commit:.1f} ms wall")
    print(f"           {wall / commit:.2f} x the bare commit")
    print(f"resumed    {resumed[0]:.0f} ms wall, {resumed[1]:.0f} ms processor")


def crossing(study: Any) -> None:
    """Files of two programs, each saving from what both had saved before."""
    from veinscan.plan.editing import new_record, update_target
    from veinscan.plan.ids import new_uid
    from veinscan.plan.model import InjectionTarget, Reader
    from veinscan.plan.normal import normalised, now
    from veinscan.record.document import Instance, References, build

    clip = study.clips[0]
    folder = study.root / "veinscan"
    folder.mkdir()
    references = References(
        [
            Instance(
                clip.sop_class_uid, clip.sop_instance_uid, clip.series_instance_uid, study.study_instance_uid
            )
        ]
    )

    def save(record: Any) -> str:
        uid = str(new_uid())
        data = build(
            normalised(replace(record, version=record.version + 1)), header=study.header(),
            references=references, sop_instance_uid=uid, reader=Reader(name="bench"), saved_at=now(),
        )  # fmt: skip
        (folder / f"{uid}.dcm").write_bytes(data)
        return uid

    marks = tuple(
        InjectionTarget(id=new_uid(), order=n + 1, sop_instance_uid=clip.sop_instance_uid, point=(60.0, 70.0))
        for n in range(10)
    )
    both = replace(new_record(study), targets=marks)
    both = replace(both, heads=(save(both),), version=1)
    for number in range(VERSIONS // 2):
        sides = [update_target(both, both.targets[side].id, notes=str(number)) for side in (0, 1)]
        heads = tuple(save(side) for side in sides)
        merged = update_target(sides[0], both.targets[1].id, notes=str(number))
        both = replace(merged, heads=heads, version=both.version + 1)


def loads(study: Any) -> None:
    """The whole history loaded, beside pydicom reading each of its files."""
    import pydicom

    from veinscan.record import load_record

    crossing(study)
    files = sorted((study.root / "veinscan").iterdir())
    mine = [timed(lambda: load_record(study))[1] for _ in range(LOADS)]
    theirs = [timed(lambda: [pydicom.dcmread(file) for file in files])[1] for _ in range(LOADS)]
    ours, peer = statistics.median(mine), statistics.median(theirs)
    print(f"loaded {len(files)} versions in {ours:.0f} ms processor; pydicom reads them in {peer:.0f} ms")
    print(f"           {ours / peer:.2f} x pydicom")


def main() -> None:
    """Both, in a folder that is removed again."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "record"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["XDG_DATA_HOME"] = str(folder / "data")
        from record_studies import make_study

        edits(make_study(folder / "edited"), folder)
        loads(make_study(folder / "loaded"))


if __name__ == "__main__":
    main()
