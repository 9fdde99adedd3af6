"""The form of a target: every field by keyboard and mouse, order by drag, checks beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from gestures import choose, type_in

from veinscan.plan import editing
from veinscan.plan.clips import set_context
from veinscan.plan.model import InjectionTarget, Side, TargetStatus
from veinscan.plan.vocabulary import Modality

pytestmark = pytest.mark.gui


@pytest.fixture
def planned(open_window: Callable[..., Any], sample_study_dir: Path) -> Any:
    """A window with three targets, the first chosen."""
    person = open_window(sample_study_dir)
    clip = person.session.clip
    for row in (150.0, 180.0, 210.0):
        made = editing.target_at_point(clip, 0, (row, 200.0), person.session.reader)
        person.session.edit("a target", lambda record, made=made: editing.add_target(record, made))
    person.bench.show_dock("targets")
    person.click_row(person.targets_dock.table, 0)
    person.qtbot.wait(20)
    return person


FIELDS_SHOWN_ELSEWHERE = {
    "id", "order", "sop_instance_uid", "frame_index", "point", "outline", "calibration", "diameter_source",
    "depth_source", "candidate_id", "candidate_score", "marked_by", "marked_at", "map_view", "map_point",
    "skin_entry", "feeds", "reflux", "flow", "laser", "candidate_settings", "own",
}  # fmt: skip
"""Of the model: on the picture, on the leg map, in the list, or in a widget of their own in the form."""


def test_every_field_that_a_person_sets_is_in_the_form(planned: Any) -> None:
    form = planned.targets_dock.form
    assert set(form.fields) == {f.name for f in fields(InjectionTarget)} - FIELDS_SHOWN_ELSEWHERE


def test_fields_reach_the_record_and_nothing_is_preset(planned: Any) -> None:
    form = planned.targets_dock.form
    for name in ("side", "level", "aspect", "landmark", "vein_class", "is_feeder", "modality", "product"):
        shown = form.fields[name].currentText()
        assert shown in ("unknown", "not judged", "none chosen"), name
    form.plan.head.click()
    choose(form.fields["side"], Side.LEFT)
    choose(form.fields["modality"], Modality.FOAM)
    type_in(planned, form.fields["landmark_cm"].edit, "12,5 cm")
    type_in(planned, form.fields["planned_volume_ml"].edit, "0,8")
    type_in(planned, form.fields["concentration_percent"].edit, "1")
    target = planned.session.target
    assert (target.side, target.modality) == (Side.LEFT, Modality.FOAM)
    assert (target.landmark_cm, target.planned_volume_ml, target.concentration_percent) == (12.5, 0.8, 1.0)
    assert planned.session.undo_label == "target 1: concentration percent"

    # out of its range, or no number: refused in a sentence, put back
    from napari.utils.notifications import notification_manager

    type_in(planned, form.fields["planned_volume_ml"].edit, "80")
    assert "0.01 to 20" in notification_manager.records[-1].message
    assert form.fields["planned_volume_ml"].edit.text() == "0.8"
    type_in(planned, form.fields["planned_volume_ml"].edit, "much")
    assert planned.session.target.planned_volume_ml == 0.8

    # laser has settings of its own and takes no drug
    assert not form.laser["wavelength_nm"].isVisible()
    choose(form.fields["modality"], Modality.LASER)
    assert form.laser["wavelength_nm"].isVisible()
    type_in(planned, form.laser["wavelength_nm"].edit, "1064")
    assert planned.session.target.laser.wavelength_nm == 1064


def test_wheel_over_a_list_changes_nothing(planned: Any) -> None:
    from qtpy.QtCore import QPoint, QPointF, Qt
    from qtpy.QtGui import QWheelEvent
    from qtpy.QtWidgets import QApplication

    side = planned.targets_dock.form.fields["side"]
    side.setFocus()
    middle = QPointF(side.rect().center())
    wheel = QWheelEvent(
        middle, QPointF(side.mapToGlobal(middle.toPoint())), QPoint(), QPoint(0, -120),
        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(side, wheel)
    assert side.currentData() == Side.UNKNOWN
    assert planned.session.target.side is Side.UNKNOWN


def test_label_of_the_clip_is_marked_until_it_is_changed_here(planned: Any) -> None:
    form = planned.targets_dock.form
    clip = planned.session.clip
    planned.session.edit(
        "label", lambda record: set_context(record, clip, planned.session.reader, side=Side.RIGHT)
    )
    label = form._titles["side"][0]
    assert form.fields["side"].currentData() == Side.RIGHT
    assert label.text() != "Side"
    choose(form.fields["side"], Side.LEFT)
    assert label.text() == "Side"
    others = [t.side for t in planned.session.record.targets if t.id != planned.session.target_id]
    assert set(others) == {Side.RIGHT}


def test_feeds_other_targets_and_skin_entry(planned: Any) -> None:
    form = planned.targets_dock.form
    second = planned.session.record.targets[1]
    action = form.feeds.menu().actions()[0]
    assert "T2" in action.text()
    action.trigger()
    assert planned.session.target.feeds == (second.id,)
    assert form.feeds.text() == "T2"

    form.plan.head.click()
    form.entry.mark.click()
    planned.click_picture((80.0, 230.0))
    assert planned.session.target.skin_entry == pytest.approx((80.0, 230.0), abs=1.0)
    assert not form.entry.mark.isChecked()
    # the click was for the entry: the choice in the picture is what it was
    assert planned.session.target.order == 1


def test_order_by_drag_and_keys_status_by_key(planned: Any) -> None:
    from qtpy.QtCore import QMimeData, QPointF, Qt
    from qtpy.QtGui import QDropEvent

    table = planned.targets_dock.table
    ids = [t.id for t in planned.session.record.targets]

    def drop(row: int, onto: int, below: bool) -> list[str]:
        planned.click_row(table, row)
        box = table.visualItemRect(table.item(onto, 0))
        y = box.bottom() - 2 if below else box.top() + 2
        event = QDropEvent(
            QPointF(box.center().x(), y), Qt.DropAction.MoveAction, QMimeData(),
            Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier,
        )  # fmt: skip
        table.dropEvent(event)
        return [t.id for t in sorted(planned.session.record.targets, key=lambda t: t.order)]

    assert drop(0, 2, below=True) == [ids[1], ids[2], ids[0]]
    assert table.rowCount() == 3
    assert drop(2, 0, below=False) == ids
    assert drop(1, 1, below=True) == ids
    planned.click_row(table, 0)
    planned.press("Ctrl+Shift+Down")
    assert [t.id for t in planned.session.record.targets if t.order == 2] == [ids[0]]

    planned.press("Ctrl+2")
    assert planned.session.target.status is TargetStatus.TREATED
    planned.press("Ctrl+3")
    assert planned.session.target.status is TargetStatus.SKIPPED
    planned.press("Ctrl+1")
    assert planned.session.target.status is TargetStatus.PLANNED


def test_checks_and_sums_live_beside_the_form(planned: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from qtpy.QtWidgets import QInputDialog, QPushButton

    checks = planned.targets_dock.checks
    planned.session.update_target(modality="liquid", planned_volume_ml=1.5, concentration_percent=1)
    planned.qtbot.waitUntil(lambda: "1.5 mL liquid" in checks.sums.text(), timeout=3000)
    assert "not computed (no product is chosen)" in checks.sums.text()
    planned.session.update_target(product="asclera_us")
    planned.qtbot.waitUntil(lambda: "15 mg polidocanol" in checks.sums.text(), timeout=3000)
    assert "session volume 10 mL" in checks.sums.text()
    assert any(r.rule == "R12" for r in checks.results), "a drug is planned and no artery check is recorded"
    monkeypatch.setattr(QInputDialog, "getText", staticmethod(lambda *_: ("seen", True)))
    checks.head.setChecked(True)
    before = len([r for r in checks.results if r.acknowledged_by])
    button = next(b for b in checks.findChildren(QPushButton) if b.text().startswith("Acknowledge"))
    button.click()
    planned.qtbot.waitUntil(
        lambda: len([r for r in checks.results if r.acknowledged_by]) == before + 1, timeout=3000
    )
    assert planned.session.record.acknowledgements[0].reason == "seen"
