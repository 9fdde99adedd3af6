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
from veinscan.plan.model import Reader
from veinscan.record import history, load_record, save_record, versions
from veinscan.record.codec import decode

SAVES = int(os.environ.get("SAVES", "8"))

PROGRAM = """
import sys
from types import SimpleNamespace
from pathlib import Path
import pydicom
from veinscan.plan import editing
from veinscan.plan.ids import new_uid
from veinscan.plan.model import InjectionTarget, Reader
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
for number in range(saves):
    record = load_record(study)
    target = InjectionTarget(
        id=new_uid(), order=0, sop_instance_uid=clip.sop_instance_uid, frame_index=0, point=(60.0, 60.0),
        notes=f"{name}{number}",
    )
    saved = save_record(study, editing.add_target(record, target), Reader(name=name))
    assert f"{name}{number}" in [entry.notes for entry in saved.record.targets]
"""


@pytest.mark.timeout(4000)
def test_saves_of_two_programs_are_all_there_in_the_end(study: FakeStudy) -> None:
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(study.root), name, str(SAVES)],
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in ("Anna", "Ben")
    ]
    for program in programs:
        _, errors = program.communicate(timeout=3600)
        assert program.returncode == 0, errors[-2000:]
    record = load_record(study)
    assert sorted(entry.notes for entry in record.targets) == sorted(
        f"{name}{number}" for name in ("Anna", "Ben") for number in range(SAVES)
    )
    assert record.conflicts == ()
    assert len(list(Path(study.root / "veinscan").iterdir())) == 2 * SAVES
    assert len(history(study)) == 2 * SAVES
    final = save_record(study, record, Reader(name="Anna"))
    assert load_record(study).heads == (final.path.stem,)


def test_of_a_long_chain_only_the_head_is_decoded(study: FakeStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    record = editing.new_record(study)
    for _ in range(12):
        record = save_record(study, record, Reader(name="Anna")).record
    decoded: list[object] = []

    def counting(*args: Any, **kwargs: Any) -> Any:
        decoded.append(args)
        return decode(*args, **kwargs)

    monkeypatch.setattr(versions, "decode", counting)
    assert load_record(study) == record
    assert len(decoded) == 1
