"""Two programs save one study at the same time: no save is lost, and what both did is merged."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from record_studies import FakeStudy

from veinscan.plan import editing
from veinscan.plan.ids import new_uid
from veinscan.plan.model import InjectionTarget, Reader
from veinscan.record import history, load_record, save_record, versions
from veinscan.record.codec import decode

SAVES = int(os.environ.get("SAVES", "8"))

PROGRAM = """
import sys
from types import SimpleNamespace
from pathlib import Path
import pydicom
from veinscan.plan import editing
from veinscan.plan.model import Reader
from veinscan.record import load_record, save_record

root, name, saves = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
header = pydicom.dcmread(root / "sweep.dcm")
clip = SimpleNamespace(
    sop_instance_uid=str(header.SOPInstanceUID), sop_class_uid=str(header.SOPClassUID),
    series_instance_uid=str(header.SeriesInstanceUID), path=root / "sweep.dcm",
)
study = SimpleNamespace(
    root=root, clips=(clip,), study_instance_uid=str(header.StudyInstanceUID), record_paths=(),
    header=lambda: header,
)
own = next(target.id for target in load_record(study).targets if target.vein == name)
for number in range(saves):
    record = load_record(study)
    mine = next(target for target in record.targets if target.id == own)
    notes = f"{mine.notes} {number}".strip()
    saved = save_record(study, editing.update_target(record, own, notes=notes), Reader(name=name))
    assert notes in [entry.notes for entry in saved.record.targets]
"""


@pytest.mark.timeout(7200)
def test_saves_of_two_programs_are_all_there_in_the_end(study: FakeStudy) -> None:
    """Each writes the numbers of its saves one after the other into a target of its own."""
    names = ("Anna", "Ben")
    record = editing.new_record(study)
    for name in names:
        mark = InjectionTarget(
            id=new_uid(),
            order=0,
            sop_instance_uid=study.clips[0].sop_instance_uid,
            point=(60.0, 60.0),
            vein=name,
        )
        record = editing.add_target(record, mark)
    save_record(study, record, Reader(name="Anna"))
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(study.root), name, str(SAVES)],
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in names
    ]
    for program in programs:
        _, errors = program.communicate(timeout=7000)
        assert program.returncode == 0, errors[-2000:]
    record = load_record(study)
    every = " ".join(str(number) for number in range(SAVES))
    assert {entry.vein: entry.notes for entry in record.targets} == dict.fromkeys(names, every)
    assert record.conflicts == ()
    assert len(list(Path(study.root / "veinscan").iterdir())) == 2 * SAVES + 1
    told = [change for entry in history(study) for change in entry.changes]
    assert len([change for change in told if "notes from" in change]) >= 2 * SAVES
    final = save_record(study, record, Reader(name="Anna"))
    assert load_record(study).heads == (final.path.stem,)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every decoding of a document's content."""
    found: list[object] = []

    def counting(*args: Any, **kwargs: Any) -> Any:
        found.append(args)
        return decode(*args, **kwargs)

    monkeypatch.setattr(versions, "decode", counting)
    return found


def test_of_a_long_chain_only_the_head_is_decoded(study: FakeStudy, decoded: list[object]) -> None:
    record = editing.new_record(study)
    for _ in range(12):
        record = save_record(study, record, Reader(name="Anna")).record
    decoded.clear()
    assert load_record(study) == record
    assert len(decoded) == 1


def test_of_two_histories_that_cross_at_every_step_six_are_decoded(
    study: FakeStudy, decoded: list[object]
) -> None:
    """The two heads, the two versions next behind both, and the two behind those."""
    record = editing.new_record(study)
    clip = study.clips[0].sop_instance_uid
    for _ in range(2):
        mark = InjectionTarget(id=new_uid(), order=0, sop_instance_uid=clip, point=(60.0, 60.0))
        record = editing.add_target(record, mark)
    record = save_record(study, record, Reader(name="Anna")).record
    for number in range(8):
        both = load_record(study)
        for name, own in zip(("Anna", "Ben"), both.targets, strict=True):
            save_record(
                study, editing.update_target(both, own.id, notes=f"{name}{number}"), Reader(name=name)
            )
    decoded.clear()
    found = load_record(study)
    assert len(decoded) == 6
    assert [entry.notes for entry in found.targets] == ["Anna7", "Ben7"]
    assert found.conflicts == ()
