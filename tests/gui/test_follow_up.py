"""The follow-up beside its baseline: offered, shown at one scale, gone through by keyboard, and saved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pydicom
import pytest
from follow_up_pair import FRAME, LABEL, centres, diameters, plan_baseline
from gestures import choose, type_in

from veinscan import record as store
from veinscan.dicom import open_study
from veinscan.plan.vocabulary import ComplicationKind, DeepVeins, NextStep, Outcome, ValueSource

pytestmark = pytest.mark.gui


class Pair:
    """The kept window on the follow-up, with what a person sees of the comparison."""

    def __init__(self, person: Any, baseline: Path, follow_up: Path, targets: list[Any]) -> None:
        from napari_veinscan.follow_up_offer import Earlier
        from napari_veinscan.follow_up_state import Compared

        self.person, self.bench, self.session = person, person.bench, person.session
        self.baseline, self.follow_up, self.targets = baseline, follow_up, targets
        self.compared = self.bench.part(Compared)
        self.earlier = self.bench.part(Earlier)
        self.left = self.bench.docks["baseline"]
        self.dock = self.bench.docks["follow_up"]
        self.pane = self.left.cine.pane

    def open(self) -> None:
        """Open the later study, and wait until earlier ones have been looked for."""
        self.bench.open_path(self.follow_up)
        self.person.wait_for_work()
        self.person.qtbot.waitUntil(lambda: not self.earlier.is_searching, timeout=30_000)
        self.person.qtbot.wait(50)
        self.person.wait_for_work()

    def compare(self) -> None:
        """Take what is offered."""
        self.person.click(self.left.earlier.bar.compare)
        self.person.wait_for_work()
        self.person.qtbot.waitUntil(self.dock.isVisible, timeout=5_000)
        self.person.qtbot.wait(80)

    def outcome(self, place: int) -> Any:
        """What the visit says of a target."""
        return self.compared.outcome_of(self.targets[place].id)

    def choose(self, place: int) -> None:
        self.person.click_row(self.dock.table, place)

    def set(self, name: str, value: Any) -> None:
        """Choose from one of the lists of the target's form."""
        choose(self.dock.target.fields[name], value)


def last_message() -> str:
    from napari.utils.notifications import notification_manager

    return notification_manager.records[-1].message.lower()


@pytest.fixture
def pair(window: Any, sample_study_dir: Path, sample_follow_up_dir: Path) -> Any:
    """A planned baseline beside an opened follow-up, and the offer to compare them."""
    targets = plan_baseline(sample_study_dir)
    found = Pair(window, sample_study_dir, sample_follow_up_dir, targets)
    found.open()
    yield found
    found.compared.baseline.forget_edits()
    found.compared.leave()


@pytest.fixture
def compared(pair: Pair) -> Pair:
    """Both studies side by side."""
    pair.compare()
    return pair


def test_an_earlier_study_is_offered_and_both_are_shown_at_one_scale(pair: Pair) -> None:
    bar = pair.left.earlier.bar
    assert bar.isVisible()
    assert "2025-05-09, 17 days before; the same patient" in bar.said.text()
    assert not pair.compared.is_on
    pair.compare()
    assert not bar.isVisible()
    assert pair.compared.is_on
    assert pair.dock.isVisible()
    assert pair.pane.isVisible()

    # left: the first target's frame and place; right: the study that was opened
    assert pair.compared.baseline.frame_index == FRAME
    assert pair.pane.frame_index == FRAME
    target = pair.targets[0]
    assert pair.pane.rect().contains(pair.pane.place_of(target.point).toPoint())
    assert [mark.text for mark in pair.pane.marks] == ["▸T1", "T2", "T3"]
    assert pair.session.study.path == pair.follow_up

    # a millimetre is as long on the screen in both
    camera = pair.person.viewer.scene.camera
    spacing = pair.session.clip.spacing_mm[1]
    a, b = (100.0, 100.0), (100.0, 300.0)
    left = pair.pane.place_of(b).x() - pair.pane.place_of(a).x()
    right = pair.person.place_of(b).x() - pair.person.place_of(a).x()
    assert left == pytest.approx(200 * spacing * camera.zoom, rel=1e-6)
    assert abs(left - right) <= 1.5, "a screen's pixel is the limit"
    assert pair.left.scale.words() == ""
    picture = pair.person.picture()
    assert picture.std() > 20

    # zoomed alone they differ, and it is said by how much; linked they stay together
    from qtpy.QtCore import QPointF

    middle = QPointF(pair.pane.rect().center())
    pair.pane.zoom_about(middle, 1.5)
    assert "1.50 times as large" in pair.left.said.text()
    pair.person.press("Shift+Z")
    assert pair.pane.zoom == pytest.approx(camera.zoom)
    assert pair.left.said.text() == ""
    pair.person.press("Z")
    assert pair.left.link.isChecked()
    before, row = camera.zoom, camera.center[1]
    pair.pane.zoom_about(QPointF(middle.x(), 0.0), 2.0)
    assert camera.zoom == pytest.approx(2 * before)
    assert camera.center[1] < row, "zoomed about a place above the middle"
    camera.zoom = before * 3
    assert pair.pane.zoom == pytest.approx(before * 3)
    pair.person.press("Z")
    camera.zoom = before
    assert pair.pane.zoom == pytest.approx(before * 3)


def test_each_picture_has_its_own_cine(compared: Pair) -> None:
    person, left = compared.person, compared.compared.baseline
    person.press("Shift+Right")
    assert (left.frame_index, compared.session.frame_index) == (FRAME + 1, 0)
    person.press("Right")
    assert (left.frame_index, compared.session.frame_index) == (FRAME + 1, 1)
    shown = compared.pane.grab().toImage()
    person.press("Shift+Space")
    assert compared.left.cine.is_playing
    person.qtbot.waitUntil(lambda: left.frame_index not in (FRAME, FRAME + 1), timeout=10_000)
    assert compared.session.frame_index == 1
    person.press("Shift+Space")
    assert not compared.left.cine.is_playing
    assert compared.pane.grab().toImage() != shown
    # a target that is chosen while it plays is looked at
    person.press("Shift+Space")
    compared.choose(1)
    assert (left.frame_index, compared.left.cine.is_playing) == (FRAME, False)


def test_targets_are_assessed_by_keyboard_and_nothing_fills_an_outcome(compared: Pair) -> None:
    person, dock = compared.person, compared.dock
    chooser = dock.target.fields["outcome"]
    assert chooser.itemText(0) == "not seen"
    assert dock.target.not_seen.text().startswith("Not seen")
    assert compared.session.record.follow_ups == (), "choosing and looking write nothing"
    assert dock.table.rowCount() == 3
    person.press("J")
    assert compared.compared.line.name == "T2"
    person.press("Shift+J")
    person.press("Shift+J")
    assert compared.compared.line.name == "T3"
    assert compared.session.record.follow_ups == ()
    person.press("0")
    assert compared.outcome(2).outcome is Outcome.NOT_VISIBLE
    assert dock.table.item(2, 4).text() == "✕ not seen"
    assert dock.hint.text().startswith("1 of 3 assessed")
    visit = compared.compared.visit
    assert (str(visit.on), visit.baseline_study_uid) == (
        "2025-05-26",
        compared.compared.baseline.study.study_instance_uid,
    )
    assert visit.deep_veins is DeepVeins.NOT_EXAMINED
    person.press("Ctrl+Z")
    assert compared.session.record.follow_ups == ()
    person.press("Ctrl+Shift+Z")
    assert compared.outcome(2).outcome is Outcome.NOT_VISIBLE

    # marking a place measures there and leaves the outcome to a person
    compared.choose(0)
    compared.session.show_clip(compared.session.study.clips[0], FRAME)
    person.press("Shift+T")
    assert "nothing is chosen for t1" in last_message()
    true = centres(compared.follow_up)["GSV"]
    person.click_picture(true)
    person.press("Shift+T")
    seen = compared.outcome(0)
    assert seen.outcome is Outcome.NOT_ASSESSED
    assert seen.place.frame_index == FRAME
    assert seen.baseline.sop_instance_uid == compared.targets[0].sop_instance_uid
    assert seen.diameter_mm == pytest.approx(diameters(compared.follow_up)["GSV"], abs=0.4)
    assert dock.table.item(0, 4).text() == "–"
    marks = person.bench.layers.marks.more()
    assert [(text, place[0]) for place, text, _ in marks] == [("▸T1", float(FRAME))]

    # both diameters are there, and no difference until posture and landmark agree
    assert dock.target.change["diameter_mm"].text() == ""
    assert "No difference of diameter, depth: the posture is not recorded" in dock.target.reason.text()
    compared.set("posture", "supine")
    assert "other posture: standing, then supine" in dock.target.reason.text()
    compared.set("posture", "standing")
    assert "landmark" in dock.target.reason.text()
    compared.set("landmark", "patella")
    type_in(person, dock.target.fields["landmark_cm"].edit, "8")
    assert not dock.target.reason.isVisible()
    change = round(seen.diameter_mm, 1) - round(compared.targets[0].diameter_mm, 1)  # as they are shown
    assert dock.target.change["diameter_mm"].text().startswith(f"{change:+.1f}".replace("-", "−"))
    assert change == pytest.approx(
        diameters(compared.follow_up)["GSV"] - diameters(compared.baseline)["GSV"], abs=0.4
    )

    # the rest of the form; a comma is a point
    person.press("Alt+3")
    assert compared.outcome(0).outcome is Outcome.PATENT_NO_REFLUX
    type_in(person, dock.target.fields["diameter_mm"].edit, "4,5")
    compared.set("compressible", "full")
    type_in(person, dock.target.fields["reflux_s"].edit, "0,3")
    type_in(person, dock.target.fields["flow_cm_s"].edit, "12")
    one = compared.outcome(0)
    assert (one.diameter_mm, one.diameter_source) == (4.5, ValueSource.ENTERED)
    assert (one.compressible.value, one.reflux.reflux_s, one.flow[0].peak_cm_s) == ("full", 0.3, 12.0)
    type_in(person, dock.target.fields["diameter_mm"].edit, "450")
    assert "diameter" in last_message()
    assert dock.target.fields["diameter_mm"].edit.text() == "4.5"

    # left goes to frame and place of the target, right to where it was marked
    compared.choose(1)
    compared.session.show_clip(compared.session.study.clips[1])
    compared.choose(0)
    assert compared.session.clip is compared.session.study.clips[0]
    assert compared.session.frame_index == FRAME
    # what is typed for one target never reaches another
    notes = dock.target.fields["notes"]
    notes.setFocus()
    person.qtbot.keyClicks(notes, "slow")
    compared.choose(1)
    assert compared.outcome(0).notes == "slow"
    assert compared.outcome(1) is None

    # behind another dock the keys do nothing
    before = compared.session.record
    person.bench.show_dock("targets")
    person.qtbot.waitUntil(dock.visibleRegion().isEmpty, timeout=5_000)
    person.press("0")
    person.press("Alt+1")
    assert compared.session.record == before


def test_calipers_measure_onto_the_outcome_and_a_later_one_does_not(compared: Pair) -> None:
    person, form = compared.person, compared.dock.target
    compared.session.show_clip(compared.session.study.clips[0], FRAME)
    row, col = centres(compared.follow_up)["GSV"]
    person.click(form.fields["diameter_mm"].measure)
    person.click_picture((row, col - 30))
    person.click_picture((row, col + 30))
    one = compared.outcome(0)
    assert one.diameter_source is ValueSource.CALIPER
    assert one.diameter_mm == pytest.approx(60 * compared.session.clip.spacing_mm[1], abs=0.15)
    assert one.outcome is Outcome.NOT_ASSESSED
    person.click(form.fields["diameter_mm"].measure)
    person.press("Esc")
    person.press("W")
    person.click_picture((row, col - 10))
    person.click_picture((row, col + 10))
    assert compared.outcome(0).diameter_mm == one.diameter_mm


def test_candidates_are_listed_by_likeness_not_seen_first(compared: Pair, found_in_follow_up: Any) -> None:
    from qtpy.QtCore import Qt

    search, person = compared.dock.search, compared.person
    assert search.hint.text() == "This clip was not searched."
    compared.session.set_candidates(compared.session.study.clips[0], found_in_follow_up)
    person.qtbot.wait(20)
    words = [search.list.item(n).text() for n in range(search.list.count())]
    assert words[0] == "✕ not seen"
    assert "% alike; " in words[1]
    assert "mm wide, the target was" in words[1]
    alike = [float(text.split(": ")[1].split(" %")[0]) for text in words[1:] if "alike" in text]
    assert alike == sorted(alike, reverse=True)
    assert "landmark" in search.list.item(1).toolTip()

    # going through the list shows candidates and writes nothing
    search.list.setFocus()
    search.list.setCurrentRow(0)
    person.qtbot.keyClick(search.list, Qt.Key.Key_Down)
    assert compared.session.candidate_id is not None
    assert compared.session.record.follow_ups == ()
    person.qtbot.keyClick(search.list, Qt.Key.Key_Return)
    seen = compared.outcome(0)
    assert (seen.outcome, seen.diameter_source) == (Outcome.NOT_ASSESSED, ValueSource.CANDIDATE)
    row, col = centres(compared.follow_up)["GSV"]
    assert abs(seen.place.point[0] - row) + abs(seen.place.point[1] - col) < 20, "the likest is the vein"
    search.list.setCurrentRow(0)
    person.qtbot.keyClick(search.list, Qt.Key.Key_Return)
    assert (compared.outcome(0).outcome, compared.outcome(0).place) == (Outcome.NOT_VISIBLE, None)


@pytest.fixture(scope="session")
def found_in_follow_up() -> Any:
    """The candidates of the follow-up's first clip, searched once."""
    from veinscan.candidates import find_in_clip

    return find_in_clip(
        open_study(Path(__file__).resolve().parents[2] / "sample_data" / "follow_up").clips[0]
    )


def test_right_goes_to_the_clip_of_the_same_side_and_segment(compared: Pair) -> None:
    from veinscan.plan.clips import set_context

    session = compared.session
    clips = session.study.clips
    label = {name: LABEL[name] for name in ("side", "vein", "level")}
    session.edit(
        "labels",
        lambda record: set_context(
            set_context(record, [clips[1]], session.reader, **label), [clips[0]], session.reader, side="left"
        ),
    )
    session.show_clip(clips[3])
    compared.choose(1)
    assert session.clip is clips[1]
    entries = compared.dock.search.clips
    assert entries.itemData(0) == clips[1].sop_instance_uid
    assert "same side" in entries.itemText(0)
    last = entries.itemText(entries.count() - 1)
    assert "other side" in last


def test_the_visit_and_new_findings_are_saved_with_the_follow_up(compared: Pair) -> None:
    person, dock = compared.person, compared.dock
    visit = dock.visit
    assert visit.fields["deep_veins"].currentText() == "not examined"
    assert "17 days after the treatment of 2025-05-09. Clinic: between windows. UIP: immediate" in (
        visit.windows.text()
    )
    for part in (visit.deep, visit.veins, visit.complications, visit.evacuation, visit.after, visit.next):
        part.head.setChecked(True)
    choose(visit.fields["deep_veins"], DeepVeins.NORMAL)
    choose(visit.complications.which, ComplicationKind.HYPERPIGMENTATION)
    person.click(visit.complications.add)
    line = visit.complications.lines[0]
    choose(line["target_id"], compared.targets[1].id)
    type_in(person, line["size_mm"].edit, "12")
    type_in(person, line["shade"].edit, "2")
    type_in(person, line["onset_on"], "20.5.2025")
    type_in(person, line["site"], "medial calf")
    type_in(person, line["onset_on"], "soon")
    assert "not a day" in last_message()
    choose(visit.evacuated["done"], "yes")
    type_in(person, visit.evacuated["on"], "2025-05-26")
    type_in(person, visit.evacuated["sites"], "calf, ankle")
    type_in(person, visit.fields["appearance_percent"].edit, "33")
    assert "steps of 5" in last_message()
    type_in(person, visit.fields["appearance_percent"].edit, "60")
    choose(visit.fields["rater"], "patient")
    type_in(person, visit.fields["compression_worn_days"].edit, "3")
    choose(visit.fields["next_step"], NextStep.DUPLEX_RECHECK)
    choose(visit.veins.which, "POPV")
    person.click(visit.veins.add)
    choose(visit.veins.lines[0]["compressible"], "full")
    # a finding of the follow-up's own
    compared.session.show_clip(compared.session.study.clips[0], FRAME)
    person.click_picture(centres(compared.follow_up)["GSV"])
    person.click(dock.finding)
    assert dock.table.rowCount() == 4
    assert dock.table.item(3, 0).text().endswith("N1")
    assert compared.compared.line.name == "N1"
    compared.choose(1)
    person.press("0")
    person.press("Ctrl+S")
    assert not compared.session.is_dirty

    (kept,) = store.load_record(open_study(compared.follow_up)).follow_ups
    assert kept == compared.compared.visit
    (one,) = kept.complications
    assert (one.kind, one.size_mm, one.shade, one.site) == ("hyperpigmentation", 12.0, 2, "medial calf")
    assert (one.target_id, str(one.onset_on)) == (compared.targets[1].id, "2025-05-20")
    assert (kept.evacuation.done, kept.evacuation.sites) == ("yes", ("calf", "ankle"))
    assert (kept.appearance_percent, kept.rater, kept.compression_worn_days) == (60, "patient", 3.0)
    assert (kept.deep_veins, kept.next_step) == (DeepVeins.NORMAL, NextStep.DUPLEX_RECHECK)
    assert [(vein.vein, vein.compressible) for vein in kept.deep_vein_findings] == [("POPV", "full")]
    assert [one.outcome for one in kept.outcomes] == [Outcome.NOT_VISIBLE]
    assert kept.outcomes[0].target_id == compared.targets[1].id, "by tracking UID"
    assert store.load_record(open_study(compared.baseline)).version == 1, "the baseline is left alone"

    # opened again, the baseline that a person has chosen comes back by itself
    compared.open()
    assert compared.compared.is_on
    assert dock.table.item(1, 4).text() == "✕ not seen"


def test_the_course_of_treatment_as_table_and_plot(compared: Pair) -> None:
    group = compared.dock.series
    compared.choose(0)
    compared.person.press("Alt+4")
    type_in(compared.person, compared.dock.target.fields["diameter_mm"].edit, "4.2")
    group.head.setChecked(True)
    assert group.basis.text() == "From 2 studies found."
    lines = {line.name: line for line in group.plot.lines}
    first = lines["T1"]
    assert first.chosen
    planned, seen = first.points
    assert planned.diameter_mm == pytest.approx(compared.targets[0].diameter_mm)
    assert (str(seen.on), seen.diameter_mm, seen.outcome) == ("2025-05-26", 4.2, Outcome.PATENT_REFLUX)
    assert [(str(day), volume) for day, volume in group.plot.volumes] == [("2025-05-09", 1.5)]
    assert group.plot.y_of(4.2) < group.plot.y_of(1.0)
    assert group.plot.x_of(planned.on) < group.plot.x_of(seen.on)
    heads = [group.table.horizontalHeaderItem(n).text() for n in range(group.table.columnCount())]
    rows = [
        {head: group.table.item(row, n).text() for n, head in enumerate(heads)}
        for row in range(group.table.rowCount())
    ]
    assert {"4.2"} == {row["Diameter mm"] for row in rows if row["Outcome"] == "patent reflux"}
    assert [row["Given mL"] for row in rows if row["What"] == "treated"] == ["0.5"] * 3
    group.head.setChecked(False)


def test_recanalised_is_suggested_and_set_by_a_person(compared: Pair) -> None:
    from dataclasses import replace
    from datetime import date

    from veinscan.plan.follow_up import FollowUp, TargetOutcome
    from veinscan.plan.ids import new_uid
    from veinscan.plan.visits import put_follow_up

    session, form = compared.session, compared.dock.target
    target = compared.targets[0].id
    earlier = FollowUp(
        id=new_uid(),
        on=date(2025, 5, 20),
        baseline_study_uid=compared.compared.baseline.study.study_instance_uid,
        outcomes=(TargetOutcome(target_id=target, outcome=Outcome.OCCLUDED_FULL),),
    )
    later = replace(
        earlier,
        id=new_uid(),
        on=date(2025, 5, 26),
        outcomes=(TargetOutcome(target_id=target, outcome=Outcome.PATENT_NO_REFLUX),),
    )
    for visit in (earlier, later):
        session.edit("visit", lambda record, visit=visit: put_follow_up(record, visit, session.reader))
    compared.choose(0)
    assert form.recanalised.isVisible()
    assert "closed on 2025-05-20, open on 2025-05-26" in form.suggestion.text().lower()
    assert compared.outcome(0).outcome is Outcome.PATENT_NO_REFLUX
    compared.person.click(form.recanalised)
    assert compared.outcome(0).outcome is Outcome.RECANALISED
    assert not form.recanalised.isVisible()


def rewrite(folder: Path, **values: Any) -> None:
    """Other values into the header of every object of a study."""
    for path in folder.glob("*.dcm"):
        data = pydicom.dcmread(path)
        for name, value in values.items():
            if value is None:
                delattr(data, name)
            else:
                setattr(data, name, value)
        data.save_as(path)


def test_an_uncertain_match_is_asked_with_its_reason(
    window: Any, sample_study_dir: Path, sample_follow_up_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from qtpy.QtWidgets import QMessageBox

    targets = plan_baseline(sample_study_dir)
    rewrite(sample_follow_up_dir, PatientBirthDate="")
    pair = Pair(window, sample_study_dir, sample_follow_up_dir, targets)
    pair.open()
    (button,) = pair.left.earlier.buttons
    assert button.text() == "Ask…"
    assert "a birth date is missing" in button.toolTip()
    asked: list[str] = []

    def answer(reply: QMessageBox.StandardButton) -> None:
        def say(box: QMessageBox) -> int:
            asked.append(box.informativeText())
            return reply

        monkeypatch.setattr(QMessageBox, "exec", say)

    answer(QMessageBox.StandardButton.No)
    window.bench.show_dock("baseline")
    window.click(button)
    window.wait_for_work()
    assert "birth date is missing" in asked[0]
    assert not pair.compared.is_on
    answer(QMessageBox.StandardButton.Yes)
    window.click(pair.left.earlier.buttons[0])
    window.wait_for_work()
    assert pair.compared.is_on
    pair.choose(0)
    window.press("0")
    assert pair.outcome(0).outcome is Outcome.NOT_VISIBLE, "the answer holds for what is entered"
    window.bench.forget_edits()
    pair.compared.leave()

    # of another patient: not offered, and refused when chosen by hand
    rewrite(sample_follow_up_dir, PatientID="SOMEBODY-ELSE", PatientBirthDate="19500101")
    pair.follow_up = sample_follow_up_dir.rename(sample_follow_up_dir.with_name("other"))
    pair.open()
    assert pair.left.earlier.buttons == []
    assert not pair.left.earlier.bar.isVisible()
    asked.clear()
    pair.earlier.open_baseline(sample_study_dir)
    window.wait_for_work()
    assert "not of one patient" in last_message()
    assert (pair.compared.is_on, asked) == (False, [])


def test_a_baseline_without_a_record_is_marked_afterwards(
    window: Any, sample_study_dir: Path, sample_follow_up_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from qtpy.QtCore import Qt
    from qtpy.QtWidgets import QMessageBox

    pair = Pair(window, sample_study_dir, sample_follow_up_dir, [])
    pair.open()
    assert not pair.left.earlier.bar.isVisible()
    pair.earlier.open_baseline(sample_study_dir)
    window.wait_for_work()
    window.qtbot.wait(80)
    assert pair.compared.is_on
    assert "No targets in the baseline" in pair.left.said.text()
    for _ in range(FRAME):
        window.press("Shift+Right")
    place = pair.pane.place_of(centres(sample_study_dir)["GSV"]).toPoint()
    window.qtbot.mouseClick(pair.pane, Qt.MouseButton.LeftButton, pos=place)
    window.click(pair.left.mark)
    (made,) = pair.compared.baseline.record.targets
    assert made.frame_index == FRAME
    assert made.diameter_mm == pytest.approx(diameters(sample_study_dir)["GSV"], abs=0.4)
    assert pair.dock.table.rowCount() == 1
    assert pair.session.record.targets == ()

    # the window does not close on a mark that is not saved without asking
    asked: list[str] = []

    def cancel(box: QMessageBox) -> int:
        asked.append(box.text())
        return QMessageBox.StandardButton.Cancel

    monkeypatch.setattr(QMessageBox, "exec", cancel)
    assert not pair.session.is_dirty
    assert not window.window.close()
    assert ["baseline" in text for text in asked] == [True]
    assert pair.compared.is_on
    assert len(pair.compared.baseline.record.targets) == 1

    window.click(pair.left.save)
    assert not pair.compared.baseline.is_dirty
    assert window.bench.recording.may_lose_edits()
    assert len(asked) == 1
    assert [one.id for one in store.load_record(open_study(sample_study_dir)).targets] == [made.id]
    window.click_row(pair.dock.table, 0)
    window.press("0")
    assert pair.compared.outcome_of(made.id).outcome is Outcome.NOT_VISIBLE
    window.bench.forget_edits()
    pair.compared.leave()


def test_a_follow_up_without_calibration_shares_no_scale(
    window: Any, sample_study_dir: Path, sample_follow_up_dir: Path
) -> None:
    targets = plan_baseline(sample_study_dir)
    rewrite(sample_follow_up_dir, SequenceOfUltrasoundRegions=None)
    pair = Pair(window, sample_study_dir, sample_follow_up_dir, targets)
    pair.open()
    pair.compare()
    assert pair.session.clip.spacing_mm is None
    assert "no common scale: the follow-up not calibrated" in pair.left.said.text().lower()
    assert pair.left.scale.ratio is None
    assert not pair.left.same.isEnabled()
    assert pair.pane.zoom == pytest.approx(pair.pane.fitting_zoom)
    window.click_picture((200.0, 300.0))
    window.press("Shift+T")
    one = pair.compared.outcome_of(targets[0].id)
    assert (one.place.calibration, one.diameter_mm) == (None, None)
    assert json.loads((sample_study_dir / "truth.json").read_text("utf-8"))["session"] == "baseline"
    window.bench.forget_edits()
    pair.compared.leave()


def test_folders_of_the_preferences_are_looked_through_and_an_offer_can_wait(
    window: Any, sample_study_dir: Path, sample_follow_up_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_veinscan import preferences

    targets = plan_baseline(sample_study_dir)
    archive = sample_study_dir.parent / "archive"
    archive.mkdir()
    today = sample_study_dir.parent / "today"
    today.mkdir()
    baseline = sample_study_dir.rename(archive / "2025")
    follow_up = sample_follow_up_dir.rename(today / "follow_up")
    pair = Pair(window, baseline, follow_up, targets)
    pair.open()
    assert pair.earlier.offered == ()
    set_to = preferences.Preferences(earlier_folders=f" {archive} ;")
    monkeypatch.setattr(preferences, "load", lambda: set_to)
    pair.follow_up = today.rename(today.with_name("tomorrow")) / "follow_up"
    pair.open()
    bar = pair.left.earlier.bar
    window.click(bar.later)
    assert not bar.isVisible()
    window.bench.show_dock("baseline")
    (button,) = pair.left.earlier.buttons
    assert button.text() == "Compare"
    window.click(button)
    window.wait_for_work()
    assert [line.target_id for line in pair.compared.lines] == [target.id for target in targets]
    window.press("+")
    assert pair.left.scale.is_same
    window.bench.commands.run("follow_up.leave")
    assert not pair.compared.is_on
