"""Third dock: the targets in their order, what is known of the chosen one, and what the checks say."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from napari_veinscan.checks_panel import ChecksPanel
from napari_veinscan.commands import Command
from napari_veinscan.measurements_group import MeasurementsGroup
from napari_veinscan.target_form import TargetForm
from napari_veinscan.target_table import TargetTable
from napari_veinscan.workbench import Workbench
from veinscan.errors import InvalidInputError
from veinscan.plan import editing
from veinscan.plan.model import TargetStatus


class TargetsDock(QWidget):
    """Table, form and checks."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self._bench = bench
        self._session = bench.session
        self.table = TargetTable(self._choose, self._drop)
        self.hint = QLabel()
        self.hint.setWordWrap(True)
        self.earlier = bench.commands.button("target.earlier", "▲")
        self.later = bench.commands.button("target.later", "▼")
        for small in (self.earlier, self.later):
            small.setMaximumWidth(34)
        self.remove = QPushButton("Remove")
        self.remove.setMaximumWidth(80)
        self.remove.setToolTip("Take this target out of the plan")
        self.remove.clicked.connect(self._remove)
        self.form = TargetForm(bench)
        self.checks = ChecksPanel(bench)
        self.measurements = MeasurementsGroup(bench)
        self.caliper = QLabel()
        self.caliper.setWordWrap(True)
        self._lay_out()
        bench.before_saving(self.take_over)
        self._session.record_changed.connect(self._show)
        self._session.selection_changed.connect(self._show)
        bench.calipers.changed.connect(self._show_caliper)
        self._show()
        self._show_caliper()

    def _lay_out(self) -> None:
        order = QHBoxLayout()
        order.addWidget(self.hint, 1)
        for widget in (self.earlier, self.later, self.remove):
            order.addWidget(widget)
        inner = QWidget()
        above = QVBoxLayout(inner)
        above.setContentsMargins(0, 0, 0, 0)
        above.setSpacing(4)
        above.addWidget(self.table, 1)
        above.addLayout(order)
        above.addWidget(self.caliper)
        above.addWidget(self.measurements)
        above.addWidget(self.form)
        above.addWidget(self.checks)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inner)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(scroll, 1)
        self.setMinimumWidth(390)

    # -- doing ------------------------------------------------------------------------

    def _choose(self, target_id: str) -> None:
        if self._bench.attempt(lambda: self._session.select_target(target_id, show=True)):
            target = self._session.target
            if target is not None and target.has_place:
                self._bench.layers.bring_into_sight(target.point)

    def _drop(self, target_id: str, place: int) -> None:
        self._bench.attempt(
            lambda: self._session.edit(
                f"order: to place {place}", lambda record: editing.move_target(record, target_id, place)
            )
        )

    def _remove(self) -> None:
        self._bench.attempt(self._session.remove_target)

    def take_over(self) -> None:
        """Take over what is still being typed."""
        self.form.take_over()
        self.measurements.note.take_over()

    # -- showing ----------------------------------------------------------------------

    def _show(self) -> None:
        targets = self._session.record.targets if self._session.record else ()
        target = self._session.target
        self.table.show_targets(targets, self._session.target_id)
        self.form.show_target(target)
        self.remove.setEnabled(target is not None)
        self.earlier.setEnabled(target is not None and target.order > 1)
        self.later.setEnabled(target is not None and target.order < len(targets))
        if target is None:
            self.hint.setText("Choose a target." if targets else "No targets yet: choose a vein and press T.")
        elif not target.has_place:
            self.hint.setText(f"T{target.order}: on the leg map alone")
        else:
            clip = self._session.clip_of(target.sop_instance_uid)
            where = f"{clip.file}, frame {target.frame_index}" if clip else "its clip is not in this study"
            self.hint.setText(f"T{target.order}: {where}")

    def _show_caliper(self) -> None:
        self.caliper.setText(self._bench.calipers.prompt)
        self.caliper.setVisible(bool(self._bench.calipers.prompt))


def _with_target(act: Callable[[Workbench], object]) -> Callable[[Workbench], object]:
    """Refuse in a sentence where no target is chosen."""

    def run(bench: Workbench) -> object:
        if bench.session.target is None:
            bench.warn(InvalidInputError("no target is chosen", do="choose one in the list of targets"))
            return None
        return act(bench)

    return run


def _status(status: TargetStatus) -> Callable[[Workbench], object]:
    return _with_target(lambda bench: bench.attempt(lambda: bench.session.update_target(status=status)))


def _move(step: int) -> Callable[[Workbench], object]:
    return _with_target(lambda bench: bench.attempt(lambda: bench.session.move_target(step)))


COMMANDS = (
    Command("target.earlier", "Earlier in the order", "Targets", _move(-1), keys=("Ctrl+Shift+Up",)),
    Command("target.later", "Later in the order", "Targets", _move(1), keys=("Ctrl+Shift+Down",)),
    Command("target.planned", "Planned", "Targets", _status(TargetStatus.PLANNED), keys=("Ctrl+1",)),
    Command("target.treated", "Treated", "Targets", _status(TargetStatus.TREATED), keys=("Ctrl+2",)),
    Command("target.skipped", "Skipped", "Targets", _status(TargetStatus.SKIPPED), keys=("Ctrl+3",)),
)
