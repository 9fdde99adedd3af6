"""The day of treatment by keyboard and mouse: planned beside given, and what is said for one needle alone."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from gestures import choose, type_in

from veinscan.plan import editing
from veinscan.plan.model import TargetStatus
from veinscan.plan.treatment import LaserSettings
from veinscan.plan.vocabulary import Answer, CeapC, Checked, CompressionKind, Form, Gas, ImmediateEvent, Side

pytestmark = pytest.mark.gui

LASER = LaserSettings(wavelength_nm=1064.0, spot_mm=6.0)
DRUG: dict[str, Any] = {"product": "aethoxysklerol_eu", "side": "right", "needle_gauge": 30}
PLANS: tuple[dict[str, Any], ...] = (
    {"modality": "foam", "concentration_percent": 1, "planned_volume_ml": 2, **DRUG},
    {"modality": "liquid", "concentration_percent": 0.5, "planned_volume_ml": 0.5, **DRUG},
    {"modality": "laser", "laser": LASER, "side": "right"},
    {"side": "left"},
)


@pytest.fixture
def treating(window: Any) -> Any:
    """The kept window with four targets planned and the session dock in front."""
    session = window.session
    for number, plan in enumerate(PLANS):
        made = editing.target_at_point(session.clip, 0, (150.0 + 20 * number, 200.0), session.reader, **plan)
        session.edit("a target", lambda record, made=made: editing.add_target(record, made))
    window.bench.show_dock("session")
    window.qtbot.wait(30)
    return window


def given(person: Any) -> Any:
    return person.session.record.sessions[0]


def statuses(person: Any) -> list[TargetStatus]:
    return [target.status for target in person.session.record.targets]


def test_given_as_planned_deviations_copies_and_checks_for_one_needle_each(treating: Any) -> None:
    from napari.utils.notifications import notification_manager

    person = treating
    dock = person.bench.docks["session"]
    assert dock.shown is None
    assert "New today" in dock.hint.text()
    person.click(dock.new)
    assert given(person).on == date.today()
    preset = given(person)
    assert (preset.operator, preset.product, preset.number) == ("", "", None)
    assert dock.table.rowCount() == 4
    edits = person.session.undo_label

    # nothing is chosen: refused in a sentence
    dock.table.setFocus()
    person.press("G")
    assert "no target is chosen" in notification_manager.records[-1].message.lower()
    assert person.session.undo_label == edits

    # given as planned: one edit with the status; what is checked at the needle stays open
    person.click_row(dock.table, 0)
    person.press("G")
    (foam,) = given(person).injections
    assert (foam.form, foam.volume_ml, foam.planned_volume_ml) == (Form.FOAM, 2.0, 2.0)
    assert {foam.artery_checked, foam.confirmed_intravenous} == {Checked.UNKNOWN}
    assert statuses(person) == [TargetStatus.TREATED] + [TargetStatus.PLANNED] * 3
    assert dock.table.item(0, 2).text() == "✔ as planned"
    assert "the artery (C) and the vein (Y)" in dock.hint.text()
    person.press("Ctrl+Z")
    assert statuses(person) == [TargetStatus.PLANNED] * 4
    assert not given(person).injections
    person.press("Ctrl+Shift+Z")
    person.press("C")
    person.press("Y")
    (foam,) = given(person).injections
    assert (foam.artery_checked, foam.confirmed_intravenous) == (Checked.YES, Checked.YES)
    person.press("Y")
    assert given(person).injections[0].confirmed_intravenous is Checked.UNKNOWN

    # the sum says what is missing, and then the dose with the limit's source
    assert "gas share of a foam is missing; the weight is missing" in dock.sum.text()
    choose(dock.entry.foam["gas"], Gas.CO2)
    type_in(person, dock.entry.foam["gas_parts"].edit, "4")
    dock.clinical.patient.head.click()
    type_in(person, dock.clinical.weight.edit, "50")
    assert "polidocanol 4 mg, 0.08 mg/kg" in dock.sum.text()
    assert "limit 2 mg/kg (" in dock.sum.toolTip()

    # a deviation with a decimal comma; planned and given are both kept
    type_in(person, dock.entry.fields["volume_ml"].edit, "1,5")
    (foam,) = given(person).injections
    assert (foam.volume_ml, foam.planned_volume_ml) == (1.5, 2.0)
    assert dock.table.item(0, 2).text() == "✔ foam 1 % 1.5 mL"
    type_in(person, dock.entry.fields["volume_ml"].edit, "150")
    assert "0.01 to 20" in notification_manager.records[-1].message.lower()
    assert dock.entry.fields["volume_ml"].edit.text() == "1.5"

    # down to the next, copied: marked, and nobody's check comes with it
    from qtpy.QtCore import Qt

    dock.table.setFocus()
    person.qtbot.keyClick(dock.table, Qt.Key.Key_Down)
    assert dock.row.target.order == 2
    assert person.session.target.order == 2
    person.press("=")
    copy = given(person).injections[1]
    assert (copy.volume_ml, copy.copied, copy.artery_checked) == (1.5, True, Checked.UNKNOWN)
    assert dock.table.item(1, 2).text().endswith("copied")
    assert dock.table.item(1, 3).text() == "–"

    # laser has settings and no needle
    person.click_row(dock.table, 2)
    assert not dock.entry.drug_part.isVisible()
    assert not dock.buttons["artery"].isEnabled()
    person.press("G")
    assert given(person).lasers[0].settings == LASER
    type_in(person, dock.entry.laser["pulse_ms"].edit, "15")
    assert dock.table.item(2, 2).text() == "✔ 1064 nm 6 mm 15 ms"

    # nothing is planned for the fourth: G refuses, typing gives, 'Not given' takes back
    person.click_row(dock.table, 3)
    person.press("G")
    assert "no volume is planned for target 4" in notification_manager.records[-1].message.lower()
    assert statuses(person)[3] is TargetStatus.PLANNED
    type_in(person, dock.entry.fields["volume_ml"].edit, "0,2 mL")
    assert statuses(person)[3] is TargetStatus.TREATED
    person.click(dock.buttons["another"])
    assert dock.table.rowCount() == 5
    assert dock.table.currentRow() == 4
    person.click(dock.buttons["back"])
    person.click_row(dock.table, 3)
    person.click(dock.buttons["back"])
    assert statuses(person)[3] is TargetStatus.PLANNED

    # a text typed for one target never reaches another
    person.click_row(dock.table, 1)
    dock.entry.notes.setFocus()
    person.qtbot.keyClicks(dock.entry.notes, "slow")
    person.click_row(dock.table, 0)
    assert [one.notes for one in given(person).injections] == ["", "slow"]

    # behind another dock the keys do nothing
    before = person.session.record
    person.bench.show_dock("targets")
    person.qtbot.waitUntil(dock.visibleRegion().isEmpty, timeout=5000)
    person.press("G")
    person.press("C")
    assert person.session.record == before


def test_the_day_the_patient_and_what_is_seen_reach_the_record_and_survive_a_save(treating: Any) -> None:
    person = treating
    dock = person.bench.docks["session"]
    person.click(dock.new)
    for part in (dock.day.after, dock.clinical.checklist, dock.clinical.classes, dock.clinical.scores):
        part.head.setChecked(True)
    dock.findings.head.setChecked(True)
    for choice in (dock.day.fields["product"], dock.day.fields["legs"], dock.day.worn["kind"]):
        assert choice.currentText() in ("unknown", "none chosen")
    type_in(person, dock.day.fields["on"], "5.11.2026")
    type_in(person, dock.day.fields["number"].edit, "2")
    type_in(person, dock.day.fields["planned_total"].edit, "3")
    type_in(person, dock.day.fields["operator"], "Dr. B")
    dock.day.fields["guidance"].menu().actions()[3].trigger()
    choose(dock.day.worn["kind"], CompressionKind.STOCKING)
    type_in(person, dock.day.worn["days"].edit, "7")
    item = next(iter(dock.clinical.answers))
    choose(dock.clinical.answers[item], Answer.YES)
    type_in(person, dock.clinical.texts[item], "latex")
    choose(dock.clinical.ceap[Side.LEFT, "clinical"], CeapC.C1)
    choose(dock.clinical.rvcss[Side.RIGHT, "pain"], 0)
    dock.findings.event_kind.setCurrentIndex(dock.findings.event_kind.findData(ImmediateEvent.VISUAL))
    person.click(dock.findings.add)
    person.qtbot.waitUntil(lambda: any(r.rule == "R25" for r in dock.checks.results), timeout=5000)
    type_in(person, dock.findings.lines[0]["details"], "flicker")
    type_in(person, dock.findings.lines[0]["duration_min"].edit, "2,5")
    person.qtbot.waitUntil(lambda: all(r.rule != "R25" for r in dock.checks.results), timeout=5000)

    made = given(person)
    assert (made.on, made.number, made.planned_total, made.operator) == (date(2026, 11, 5), 2, 3, "Dr. B")
    assert [one.value for one in made.guidance] == ["ultrasound"]
    assert (made.compression.kind, made.compression.days) == (CompressionKind.STOCKING, 7.0)
    assert [(one.item, one.text) for one in made.values.contraindications] == [(item, "latex")]
    assert made.values.ceap[0].clinical is CeapC.C1
    assert (made.values.rvcss[0].side, made.values.rvcss[0].pain) == (Side.RIGHT, 0)
    assert (made.findings[0].details, made.findings[0].duration_min) == ("flicker", 2.5)
    assert dock.clinical.scores.head.text() == "r-VCSS:  right 0 (1 of 10 items)"
    assert dock.chooser.currentText() == "2 of 3:  2026-11-05"

    # a second session of the day is summed with it; the first is chosen again
    person.click(dock.new)
    type_in(person, dock.day.fields["on"], "2026-11-05")
    assert "in 2 sessions" in dock.sum.text()
    choose(dock.chooser, made.id)
    assert dock.session_id == made.id
    assert dock.day.fields["operator"].text() == "Dr. B"
    type_in(person, dock.day.fields["on"], "soon")
    assert dock.day.fields["on"].text() == "2026-11-05"
    person.press("Ctrl+S")
    assert not person.session.is_dirty
    assert given(person).findings[0].details == "flicker"
    dock.remove.click()
    assert len(person.session.record.sessions) == 1
    person.press("Ctrl+Z")
    assert len(person.session.record.sessions) == 2
