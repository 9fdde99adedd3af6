"""SIGKILL at random moments while a program edits and saves: nothing that was shown is lost.

`KILLS=1000 pytest tests/durability/test_durability_kills.py` runs as many as docs/durability.md tells of.
"""

from __future__ import annotations

import os
import random
import signal
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


def work(root):
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
    if found and {one.notes for one in draft.current.targets} <= {one.notes for one in saved.targets}:
        # killed between the save and the end of the draft: what it holds is saved
        draft.discard()
        draft = Draft.start(study, saved)
    number = max((int(target.notes) for target in draft.current.targets), default=-1) + 1
    say("start", os.getpid())
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


# a process for each line of input, that has imported everything already
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        try:
            work(Path(line.strip()))
        finally:
            os._exit(1)
    os.waitpid(child, 0)
    say("end", 0)
"""


def everything(study: FakeStudy) -> set[int]:
    """The numbers in the record and in the draft that was left behind."""
    found = {int(target.notes) for target in load_record(study).targets}
    for pending in pending_drafts(study):
        draft = Draft.resume(study, pending)
        found |= {int(target.notes) for target in draft.current.targets}
        draft.close()
    return found


def assert_nothing_is_left(study: FakeStudy) -> None:
    """After the next start, and when a person has let the draft go."""
    folder = study.root / "veinscan"
    sweep(folder)
    if folder.exists():
        assert not [path for path in folder.iterdir() if TEMPORARY.fullmatch(path.name)]
    for pending in pending_drafts(study):
        Draft.resume(study, pending).discard()
    drafts = study_folder(study.study_instance_uid, "drafts")
    assert not drafts.exists() or list(drafts.iterdir()) == []


@pytest.mark.timeout(7200)
def test_killed_while_editing_and_saving_nothing_that_was_shown_is_lost(tmp_path: Path) -> None:
    rng = random.Random(SEED)  # noqa: S311 - moments to kill at, no secret
    told: set[int] = set()
    lost = 0
    study = make_study(tmp_path / "first")
    parent = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert parent.stdin is not None and parent.stdout is not None
    for kill in range(KILLS):
        if kill % 20 == 0:
            # a new study now and then: a plan of hundreds of targets would spend the time in writing them
            assert_nothing_is_left(study)
            study, told = make_study(tmp_path / f"study{kill}"), set()
        parent.stdin.write(f"{study.root}\n")
        word, pid = parent.stdout.readline().split()
        assert word == "start"
        time.sleep(rng.uniform(0.0, 0.4))
        os.kill(int(pid), signal.SIGKILL)
        while (line := parent.stdout.readline().split())[0] != "end":
            told.add(int(line[1]))
        # load_record raises on an unreadable file
        there = everything(study)
        lost += len(told - there)
        assert told <= there
        assert len(there - told) <= 1  # the one edit that was on the disk and not yet on the screen
        told = there
    parent.stdin.close()
    parent.stdout.close()
    assert parent.wait() == 0
    assert lost == 0
    assert_nothing_is_left(study)
