"""SIGKILL at random moments while a program edits and saves: nothing that was shown is lost.

`KILLS=1000 pytest tests/durability/test_durability_kills.py` runs as many as docs/durability.md tells of.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from record_studies import FakeStudy, make_study

from veinscan.record import Draft, load_record, pending_drafts
from veinscan.record.files import TEMPORARY, sweep
from veinscan.record.store import study_folder

KILLS = int(os.environ.get("KILLS", "8"))
SEED = int(os.environ.get("SEED", "4"))

PROGRAM = """
import os
import sys
from pathlib import Path
from types import SimpleNamespace
import pydicom
from veinscan.plan import editing
from veinscan.plan.ids import new_uid
from veinscan.plan.model import InjectionTarget, Reader
from veinscan.record import Draft, load_record, pending_drafts, save_record

def say(word, number):
    # in one piece: print may write a line in several, and be killed between them
    os.write(1, f"{word} {number}\\n".encode())


root = Path(sys.argv[1])
header = pydicom.dcmread(root / "sweep.dcm")
clip = SimpleNamespace(
    sop_instance_uid=str(header.SOPInstanceUID), sop_class_uid=str(header.SOPClassUID),
    series_instance_uid=str(header.SeriesInstanceUID), path=root / "sweep.dcm",
)
study = SimpleNamespace(
    root=root, clips=(clip,), study_instance_uid=str(header.StudyInstanceUID), record_paths=(),
    header=lambda: header,
)
saved = load_record(study)
found = pending_drafts(study)
draft = Draft.resume(study, found[0]) if found else Draft.start(study, saved)
if found and {target.notes for target in draft.current.targets} <= {target.notes for target in saved.targets}:
    # killed between the save and the end of the draft: what it holds is saved
    draft.discard()
    draft = Draft.start(study, saved)
number = max((int(target.notes) for target in draft.current.targets), default=-1) + 1
say("start", number)
while True:
    target = InjectionTarget(
        id=new_uid(), order=0, sop_instance_uid=clip.sop_instance_uid, frame_index=0, point=(60.0, 60.0),
        notes=str(number),
    )
    draft.record(editing.add_target(draft.current, target), f"add {number}")
    say("shown", number)
    number += 1
    if number % 3 == 0:
        done = save_record(study, draft.current, Reader(name="Anna"))
        say("saved", number - 1)
        draft.saved(done.record)
"""


def everything(study: FakeStudy) -> set[int]:
    """The numbers in the record and in the draft that was left behind."""
    found = {int(target.notes) for target in load_record(study).targets}
    for pending in pending_drafts(study):
        draft = Draft.resume(study, pending)
        found |= {int(target.notes) for target in draft.current.targets}
        draft.close()
    return found


@pytest.mark.timeout(7200)
def test_killed_while_editing_and_saving_nothing_that_was_shown_is_lost(tmp_path: Path) -> None:
    rng = random.Random(SEED)  # noqa: S311 - moments to kill at, no secret
    told: set[int] = set()
    lost = 0
    study = make_study(tmp_path / "study0")
    for kill in range(KILLS):
        if kill % 20 == 0:
            # a new study now and then: a plan of hundreds of targets would spend the time in writing them
            study, told = make_study(tmp_path / f"study{kill}"), set()
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(study.root)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first.startswith("start"), f"the program did not start: {first!r}"
        time.sleep(rng.uniform(0.0, 0.4))
        process.kill()
        told |= {int(line.split()[1]) for line in process.stdout.read().splitlines()}
        process.wait()
        process.stdout.close()
        # load_record raises on an unreadable file
        there = everything(study)
        lost += len(told - there)
        assert told <= there
        assert len(there - told) <= 1  # the one edit that was on the disk and not yet on the screen
        told = there
    assert lost == 0
    sweep(study.root / "veinscan")
    if (study.root / "veinscan").exists():
        assert not [path for path in (study.root / "veinscan").iterdir() if TEMPORARY.fullmatch(path.name)]
    for pending in pending_drafts(study):
        Draft.resume(study, pending).discard()
    drafts = study_folder(study.study_instance_uid, "drafts")
    assert not drafts.exists() or list(drafts.iterdir()) == []
