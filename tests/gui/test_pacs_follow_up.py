"""The follow-up's earlier study, with its plan, comes from a real archive."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from follow_up_pair import plan_baseline
from orthanc_rig import Orthanc

pytestmark = pytest.mark.gui


@pytest.fixture
def both_in(
    orthanc: Orthanc, archive_settings: Path, sample_study_dir: Path, sample_follow_up_dir: Path
) -> Orthanc:
    """An archive with a baseline, its plan, and the follow-up."""
    orthanc.empty()
    plan_baseline(sample_study_dir)
    for folder in (sample_study_dir, sample_follow_up_dir):
        for path in folder.rglob("*.dcm"):
            orthanc.add(path)
    return orthanc


def test_a_study_from_the_archive_is_offered_its_baseline_there(open_window, both_in, qtbot):
    from qtpy.QtWidgets import QApplication

    from napari_veinscan.follow_up_offer import Earlier
    from napari_veinscan.follow_up_state import Compared
    from napari_veinscan.pacs_words import ANY_DAY

    person = open_window()
    person.press("Ctrl+Alt+P")
    dialog: Any = QApplication.activeModalWidget()
    dialog.form.choose_period(ANY_DAY)
    dialog.start_search()
    qtbot.waitUntil(lambda: len(dialog.table.rows) == 2, timeout=20_000)
    dialog.take_chosen()  # the latest: the follow-up
    earlier, compared = person.bench.part(Earlier), person.bench.part(Compared)
    qtbot.waitUntil(lambda: bool(earlier.offered), timeout=60_000)
    (found,) = earlier.offered
    assert (found.archive, found.has_record) == ("test", True)
    person.bench.show_dock("baseline")
    baseline = person.bench.docks["baseline"]
    from napari_veinscan.follow_up_earlier_list import EarlierList

    listed = baseline.findChild(EarlierList)
    (button,) = listed.buttons
    button.click()
    qtbot.waitUntil(lambda: compared.is_on, timeout=60_000)
    assert len(compared.lines) == len(compared.baseline.record.targets) > 0
    assert found.path.is_dir()


def test_another_archive_is_asked_on_wish_alone(open_window, both_in, sample_follow_up_dir, qtbot, tmp_path):
    import shutil

    from napari_veinscan.follow_up_earlier_list import EarlierList
    from napari_veinscan.follow_up_offer import Earlier

    alone = Path(shutil.copytree(sample_follow_up_dir, tmp_path / "alone" / "study"))
    person = open_window(alone)
    earlier = person.bench.part(Earlier)
    qtbot.waitUntil(lambda: not earlier.is_searching, timeout=30_000)
    assert earlier.offered == ()
    assert earlier.archive.asked == "", "the study came from a folder: no archive is told of its patient"
    person.bench.show_dock("baseline")
    listed = person.bench.docks["baseline"].findChild(EarlierList)
    person.click(listed.ask_archive)
    qtbot.waitUntil(lambda: bool(earlier.offered), timeout=30_000)
    both_in.stop()
    try:
        earlier.archive.look("test")
        qtbot.waitUntil(lambda: "could not be asked" in listed.title.text(), timeout=60_000)
    finally:
        both_in.start()
