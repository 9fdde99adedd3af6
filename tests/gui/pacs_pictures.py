"""Makes the pictures of docs/tour.md that need an archive: a real Orthanc with phantom studies.

xvfb-run -a -s "-screen 0 1280x800x24" python tests/gui/pacs_pictures.py [docs/images]
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import pydicom
from pydicom.uid import generate_uid
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_veinscan.association import QUESTION
from napari_veinscan.launch import launch, workbench_of
from napari_veinscan.pacs_arriving import Arriving
from napari_veinscan.pacs_bar import add_pacs_bar
from napari_veinscan.pacs_words import ANY_DAY
from napari_veinscan.record_bar import add_bar
from napari_veinscan.window_state import asked
from veinscan.plan.finalise import amend, finalise

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "gui")]

from orthanc_rig import Orthanc, settings_text  # noqa: E402  # from the folder above
from pictures import SIZE, small  # noqa: E402

PEOPLE = (
    ("SAMPLE^ANNA", "PHANTOM-1", "19610402", "20260504", "091500"),
    ("EXAMPLE^BEATE", "PHANTOM-2", "19720811", "20260504", "101000"),
    ("SPECIMEN^CLARA", "PHANTOM-3", "19550123", "20260503", "143000"),
)


def fill(archive: Orthanc, folder: Path) -> None:
    """The sample study as it is, and a still of it under other names."""
    for path in sorted((ROOT / "sample_data" / "baseline").glob("*.dcm")):
        archive.add(path)
    still = pydicom.dcmread(
        min((ROOT / "sample_data" / "baseline").glob("*.dcm"), key=lambda p: p.stat().st_size)
    )
    for name, number, born, day, time in PEOPLE:
        still.PatientName, still.PatientID, still.PatientBirthDate = name, number, born
        still.StudyDate, still.StudyTime = day, time
        still.StudyInstanceUID, still.SeriesInstanceUID = generate_uid(), generate_uid()
        still.SOPInstanceUID = still.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        path = folder / f"{number}.dcm"
        still.save_as(path)
        archive.add(path)


def wait_until(what: Any, seconds: float = 60.0) -> None:
    for _ in range(round(seconds * 20)):
        if what():
            return
        QTest.qWait(50)
    raise RuntimeError("it does not come")


def take(viewer: Any, path: Path) -> None:
    QTest.qWait(700)
    viewer.screenshot(str(path), canvas_only=False, flash=False)
    small(path)


def take_dialog(dialog: Any, path: Path) -> None:
    QTest.qWait(300)
    dialog.grab().save(str(path))
    small(path)


def main(target: Path) -> None:
    """Search, open, finalise, and the line that says what became of it."""
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        os.environ["VEINSCAN_SETTINGS"] = str(home / "settings.toml")
        os.environ["VEINSCAN_DATA_DIR"] = str(home / "data")
        archive = Orthanc(home / "orthanc")
        try:
            (home / "settings.toml").write_text(settings_text("clinic", archive), "utf-8")
            fill(archive, home)
            session(archive, target)
        finally:
            archive.close()


def session(archive: Orthanc, target: Path) -> None:
    """Search, open, plan, finalise; then without the archive, an amendment."""
    asked(QUESTION)
    viewer = launch(block=False)
    bench = workbench_of(viewer)
    bench.window.resize(*SIZE)
    add_bar(bench).name_reader("DEMO")
    bench.commands.run("pacs.open")
    dialog: Any = QApplication.activeModalWidget()
    dialog.form.choose_period(ANY_DAY)
    dialog.start_search()
    wait_until(lambda: dialog.table.rows)
    take_dialog(dialog, target / "pacs-1-search.png")
    dialog.take(max(dialog.table.rows, key=lambda row: row.instances or 0))
    arriving, bar, signed = bench.part(Arriving), add_pacs_bar(bench), bench.session
    wait_until(lambda: signed.study is not None and not arriving.is_coming)
    signed.sign("final", lambda record: finalise(record, signed.reader, signed.study))
    bench.save()
    wait_until(lambda: "read back" in bar.said.text())
    archive.stop()
    signed.sign("amended", lambda record: amend(record, signed.reader, "a target was missing"))
    signed.sign("final", lambda record: finalise(record, signed.reader, signed.study))
    bench.save()
    wait_until(lambda: "next try" in bar.said.text())
    take(viewer, target / "pacs-2-not-sent.png")
    archive.start()
    bench.forget_edits()
    viewer.close()
    QTest.qWait(100)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images")
