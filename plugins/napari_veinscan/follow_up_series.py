"""The course of treatment as a table and over time: diameter, outcome, volume given."""

from __future__ import annotations

from datetime import date

from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QLabel, QTableWidget, QTableWidgetItem

from napari_veinscan.background import Callbacks, Job
from napari_veinscan.field_widgets import Group
from napari_veinscan.follow_up_offer import Earlier
from napari_veinscan.follow_up_plot import PlotLine, PlotPoint, SeriesPlot
from napari_veinscan.follow_up_state import Compared
from napari_veinscan.session import read_study
from napari_veinscan.workbench import Workbench
from veinscan.dicom import Study
from veinscan.dicom.patients import Match
from veinscan.follow_up.earlier import EarlierStudy
from veinscan.follow_up.series import Series, TargetLine, series_of
from veinscan.plan.model import Record
from veinscan.record.course import course_of, study_day

MOST_ROWS = 8


class SeriesGroup(Group):
    """All studies of the patient that are certain, with what is on the screen for the two that are open."""

    def __init__(self, bench: Workbench, compared: Compared) -> None:
        super().__init__("Course of treatment", is_open=False)
        self._bench, self._compared = bench, compared
        self._earlier = bench.part(Earlier)
        self._others: tuple[tuple[Study, Record], ...] = ()
        self._job: Job | None = None
        self.basis = QLabel()
        self.basis.setWordWrap(True)
        self.plot = SeriesPlot()
        self.table = QTableWidget(0, 0)
        self.table.setAccessibleName("Course of treatment")
        self.table.verticalHeader().setVisible(False)
        self.table.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        for part in (self.basis, self.plot, self.table):
            self.column.addWidget(part)
        self.head.toggled.connect(lambda _open: self.show_series())
        compared.rows_changed.connect(self.show_series)
        compared.target_changed.connect(self.show_series)
        compared.changed.connect(self._read_others)
        self._earlier.changed.connect(self._read_others)

    # -- the studies ------------------------------------------------------------------

    def _read_others(self) -> None:
        """Read, off the window's thread, the records of studies that are certain and not open."""
        self._others = ()
        if self._job is not None:
            self._job.drop()
            self._job = None
        known = {
            s.study_instance_uid for s in (self._compared.baseline.study, self._bench.session.study) if s
        }
        wanted = [
            one
            for one in self._earlier.offered
            if one.has_record and one.match is Match.CERTAIN and one.study_instance_uid not in known
        ]
        if wanted and self._compared.is_on:
            self._job = self._bench.jobs.start(
                lambda job: _read(wanted, job), Callbacks(done=self._were_read)
            )
        self.show_series()

    def _were_read(self, found: tuple[tuple[Study, Record], ...]) -> None:
        self._others, self._job = found, None
        self.show_series()

    @property
    def series(self) -> Series | None:
        """As it stands; None where no study is open."""
        opened = [(s.study, s.record) for s in (self._compared.baseline, self._bench.session)]
        studies = [*self._others, *((study, record) for study, record in opened if study and record)]
        if not studies:
            return None
        days = {study.study_instance_uid: study_day(study) for study, _ in studies}
        loaded = [(study.study_instance_uid, record) for study, record in studies]
        ordered = sorted(loaded, key=lambda pair: (days[pair[0]] or date.max, pair[0]))
        return series_of(course_of(ordered, days))

    # -- showing ----------------------------------------------------------------------

    def show_series(self) -> None:
        """Paint and list it; only while it is open: it is worked out at every edit."""
        if not self.head.isChecked():
            return
        series = self.series
        if series is None:
            self.plot.show_series((), ())
            self.table.setRowCount(0)
            return
        self.basis.setText(f"{series.basis[:1].upper()}{series.basis[1:]}.")
        chosen = self._compared.target_id
        lines = [
            plot_line(self._compared.name_of(one.target_id), one, one.target_id == chosen)
            for one in series.lines
        ]
        self.plot.show_series([line for line in lines if line.points], series.volume_by_day)
        head, *rows = series.table()
        names = {one.label: self._compared.name_of(one.target_id) for one in series.lines}
        self.table.setColumnCount(len(head))
        self.table.setHorizontalHeaderLabels(list(head))
        self.table.setRowCount(len(rows))
        for number, row in enumerate(rows):
            for column, text in enumerate(row):
                item = QTableWidgetItem(names.get(text, text) if column == 0 else text)
                item.setToolTip(text)
                self.table.setItem(number, column, item)
        height = self.table.verticalHeader().defaultSectionSize() * min(max(len(rows), 2), MOST_ROWS)
        self.table.setFixedHeight(height + self.table.horizontalHeader().sizeHint().height() + 18)


def plot_line(name: str, line: TargetLine, chosen: bool) -> PlotLine:
    """A target for the plot: what was measured or found on a day."""
    points = [
        PlotPoint(one.on, one.diameter_mm, one.outcome, one.posture.value)
        for one in line.entries
        if one.on is not None and (one.diameter_mm is not None or one.outcome is not None)
    ]
    return PlotLine(name, tuple(points), chosen)


def _read(wanted: list[EarlierStudy], job: Job) -> tuple[tuple[Study, Record], ...]:
    found = []
    for number, one in enumerate(wanted):
        job.report(number, len(wanted))
        found.append(read_study(one.path, study_uid=one.study_instance_uid))
    return tuple(found)
