"""What is searched in an archive: the form of the search."""

from __future__ import annotations

from datetime import date

from qtpy.QtCore import QDate
from qtpy.QtWidgets import QComboBox, QDateEdit, QGridLayout, QHBoxLayout, QLabel, QLineEdit, QWidget

from napari_veinscan.pacs_words import ANY_DAY, BETWEEN, PERIODS, USUAL, Period
from veinscan.errors import InvalidInputError
from veinscan.pacs.model import StudyQuery
from veinscan.pacs.words import name_pattern

MODALITIES = (("US (ultrasound)", "US"), ("any", ""))


class SearchForm(QWidget):
    """Patient, days, accession, modality.  Nothing of it is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.patient_id = _line("Patient ID", "whole, or with * and ?")
        self.patient_name = _line("Name", "its beginning, family name first")
        self.accession = _line("Accession number", "")
        self.period = QComboBox()
        self.period.setAccessibleName("Days")
        for period in PERIODS:
            self.period.addItem(period.words, period)
        self.modality = QComboBox()
        self.modality.setAccessibleName("Modality")
        for words, value in MODALITIES:
            self.modality.addItem(words, value)
        self.first, self.last = _day("From"), _day("To")
        self._between = QWidget()
        between = QHBoxLayout(self._between)
        between.setContentsMargins(0, 0, 0, 0)
        for words, day in (("from", self.first), ("to", self.last)):
            between.addWidget(QLabel(words))
            between.addWidget(day)
        between.addStretch(1)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        for place, (words, widget) in enumerate(
            (
                ("&Patient ID", self.patient_id),
                ("&Name", self.patient_name),
                ("A&ccession", self.accession),
                ("&Days", self.period),
                ("&Modality", self.modality),
            )
        ):
            label = QLabel(words)
            label.setBuddy(widget)
            row, column = divmod(place, 3)
            grid.addWidget(label, row, 2 * column)
            grid.addWidget(widget, row, 2 * column + 1)
            grid.setColumnStretch(2 * column + 1, 1)
        grid.addWidget(self._between, 1, 4, 1, 2)
        self.period.currentIndexChanged.connect(self._period_changed)
        self.choose_period(USUAL)
        self._period_changed()

    def choose_period(self, period: Period) -> None:
        """Search these days."""
        self.period.setCurrentIndex(PERIODS.index(period))

    @property
    def chosen_period(self) -> Period:
        """The days that are searched."""
        return PERIODS[self.period.currentIndex()]

    def query(self) -> StudyQuery:
        """What is asked for.  Raises InvalidInputError for days in the wrong order."""
        period = self.chosen_period
        first, last = period.first_day, None
        if period is BETWEEN:
            first, last = _date_of(self.first), _date_of(self.last)
            if first > last:
                raise InvalidInputError(
                    f"the days run from {first} to {last}", do="choose an earlier first day"
                )
        return StudyQuery(
            patient_id=self.patient_id.text().strip(),
            patient_name=name_pattern(self.patient_name.text()),
            accession=self.accession.text().strip(),
            first_day=first,
            last_day=last,
            modality=str(self.modality.currentData()),
        )

    def is_limited(self) -> bool:
        """Whether days keep studies out of the answer."""
        return self.chosen_period is not ANY_DAY

    def _period_changed(self, _index: int = 0) -> None:
        self._between.setVisible(self.chosen_period is BETWEEN)


def _line(name: str, hint: str) -> QLineEdit:
    edit = QLineEdit()
    edit.setAccessibleName(name)
    edit.setPlaceholderText(hint)
    edit.setClearButtonEnabled(False)
    return edit


def _day(name: str) -> QDateEdit:
    edit = QDateEdit(QDate.currentDate())
    edit.setAccessibleName(name)
    edit.setDisplayFormat("yyyy-MM-dd")
    edit.setCalendarPopup(True)
    return edit


def _date_of(edit: QDateEdit) -> date:
    shown = edit.date()
    return date(shown.year(), shown.month(), shown.day())
