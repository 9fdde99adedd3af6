"""A disk that is full, a folder that vanishes and comes back, a clock that goes back."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from record_studies import FakeStudy, make_study

from veinscan.errors import VeinscanError
from veinscan.plan import editing
from veinscan.plan.ids import new_uid
from veinscan.plan.model import InjectionTarget, Reader, Record
from veinscan.record import Draft, history, load_record, pending_drafts, save_record
from veinscan.record.files import TEMPORARY

ANNA = Reader(name="Anna")


@pytest.fixture
def study(tmp_path: Path) -> FakeStudy:
    return make_study(tmp_path / "study")


def with_target(study: FakeStudy, record: Record, notes: str) -> Record:
    target = InjectionTarget(
        id=new_uid(),
        order=0,
        sop_instance_uid=study.clips[0].sop_instance_uid,
        point=(60.0, 60.0),
        notes=notes,
    )
    return editing.add_target(record, target)


def notes(record: Record) -> list[str]:
    return [target.notes for target in record.targets]


FULL = """
import resource, signal, sys
from pathlib import Path
from types import SimpleNamespace
import pydicom
from veinscan.errors import NotSavedError
from veinscan.plan import editing
from veinscan.plan.ids import new_uid
from veinscan.plan.model import InjectionTarget, Reader
from veinscan.record import Draft, load_record, save_record
from veinscan.record.draft import DraftError

root, allowed = Path(sys.argv[1]), int(sys.argv[2])
header = pydicom.dcmread(root / "sweep.dcm")
clip = SimpleNamespace(
    sop_instance_uid=str(header.SOPInstanceUID), sop_class_uid=str(header.SOPClassUID),
    series_instance_uid=str(header.SeriesInstanceUID), path=root / "sweep.dcm",
)
study = SimpleNamespace(
    root=root, clips=(clip,), study_instance_uid=str(header.StudyInstanceUID), record_paths=(),
    header=lambda: header,
)
record = load_record(study)
draft = Draft.start(study, record)
target = InjectionTarget(
    id=new_uid(), order=0, sop_instance_uid=clip.sop_instance_uid, point=(60.0, 60.0), notes="new" * 900
)
draft.record(editing.add_target(record, target), "add")
# no file may grow beyond this any more: what a full disk is to a program that writes
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (allowed, allowed))
try:
    save_record(study, draft.current, Reader(name="Anna"))
    print("saved")
except NotSavedError as error:
    print("not saved:", error)
try:
    draft.record(editing.update_target(draft.current, target.id, notes="x" * 200_000), "change")
    print("kept")
except DraftError as error:
    print("draft:", error)
assert draft.current.targets[-1].notes == "new" * 900
"""


@pytest.mark.parametrize("allowed", [0, 1, 4096, 8191])
def test_a_full_disk_leaves_the_earlier_record_and_the_draft(study: FakeStudy, allowed: int) -> None:
    before = save_record(study, with_target(study, load_record(study), "old"), ANNA)
    files = {path.name: path.read_bytes() for path in (study.root / "veinscan").iterdir()}
    run = subprocess.run(
        [sys.executable, "-c", FULL, str(study.root), str(allowed)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-800:]
    save, draft = run.stdout.splitlines()
    assert save.startswith("not saved:") and "make room" in save
    assert draft.startswith("draft:") and "not kept" in draft
    assert {path.name: path.read_bytes() for path in (study.root / "veinscan").iterdir()} == files
    assert load_record(study) == before.record
    (pending,) = pending_drafts(study)
    assert notes(Draft.resume(study, pending).current) == ["old", "new" * 900]


def test_a_folder_that_vanishes_and_comes_back(study: FakeStudy) -> None:
    first = save_record(study, with_target(study, load_record(study), "old"), ANNA)
    draft = Draft.start(study, first.record)
    draft.record(with_target(study, draft.current, "new"), "add")
    away = study.root.rename(study.root.with_name("away"))
    with pytest.raises(VeinscanError, match="not saved"):
        save_record(study, draft.current, ANNA)
    # edits go on being kept while the folder is away
    draft.record(with_target(study, draft.current, "newer"), "add")
    assert not study.root.exists()
    away.rename(study.root)
    saved = save_record(study, draft.current, ANNA)
    draft.saved(saved.record)
    assert notes(load_record(study)) == ["old", "new", "newer"]
    assert pending_drafts(study) == ()
    assert not [path for path in (study.root / "veinscan").iterdir() if TEMPORARY.fullmatch(path.name)]


def test_a_clock_that_goes_back_hides_no_version(study: FakeStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    record = load_record(study)
    for year in (2031, 2027, 2026):
        moment = datetime(year, 1, 1, tzinfo=UTC)
        monkeypatch.setattr("veinscan.record.store.now", lambda moment=moment: moment)
        record = save_record(study, with_target(study, record, str(year)), ANNA).record
    assert notes(load_record(study)) == ["2031", "2027", "2026"]
    assert [(entry.version, entry.is_head) for entry in history(study)] == [(1, False), (2, False), (3, True)]
