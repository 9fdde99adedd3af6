"""The list of earlier studies, and the line over the picture that offers them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QHBoxLayout,
    QInputDialog,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

from napari_veinscan.button_rows import ButtonRows
from napari_veinscan.clip_words import counted
from napari_veinscan.field_widgets import empty, push_button
from napari_veinscan.follow_up_offer import Earlier
from napari_veinscan.follow_up_state import Compared
from napari_veinscan.record_bar import ElidedLabel
from veinscan.dicom.patients import Match
from veinscan.follow_up.earlier import EarlierStudies, EarlierStudy

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench

HINT = (
    "The earlier study is shown here, the study on show beside it, a millimetre as long in both. "
    "The list in '7  Follow-up' leads through its targets."
)
NOTHING = "No earlier study of this patient with a plan was found beside this one."


class EarlierList(QWidget):
    """What was found, a line for each, and the ways to choose by hand."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self._earlier = bench.part(Earlier)
        self._session = bench.session
        self.bar = OfferBar(bench)
        self.title = QLabel()
        self.title.setWordWrap(True)
        self.rows = QVBoxLayout()
        self.folder = bench.commands.button("follow_up.choose", "Choose a folder…")
        self.file = QPushButton("File…")
        self.file.setToolTip("A DICOM file or a zip of the earlier study")
        self.file.clicked.connect(lambda _checked=False: self._earlier.choose_file())
        self.hint = QLabel(HINT)
        self.hint.setWordWrap(True)
        self.ask_archive = push_button(
            "In the archive…", self._ask_archive, "Ask an archive for earlier studies of this patient"
        )
        by_hand = ButtonRows((self.folder, self.file, self.ask_archive))
        layout = QVBoxLayout(self)
        layout.addWidget(self.title)
        layout.addLayout(self.rows)
        layout.addLayout(by_hand)
        layout.addStretch(1)
        layout.addWidget(self.hint)
        layout.addStretch(1)
        self._earlier.changed.connect(self._show)
        self._show()

    @property
    def buttons(self) -> list[QPushButton]:
        """One for each study that was found, in the order of the list."""
        items = [self.rows.itemAt(place) for place in range(self.rows.count())]
        rows = [item.widget() for item in items if item is not None]
        return [button for row in rows if row is not None for button in row.findChildren(QPushButton)]

    def _show(self) -> None:
        earlier = self._earlier
        empty(self.rows)
        for one in earlier.offered:
            self.rows.addWidget(self._row(one))
        has_study = self._session.study is not None
        for widget in (self.folder, self.file, self.ask_archive):
            widget.setEnabled(has_study)
        in_archive = earlier.archive
        was_asked = bool(in_archive.asked) and not in_archive.problem
        self.ask_archive.setVisible(bool(in_archive.names) and not was_asked)
        if not has_study:
            words = "Open the follow-up first: the later study."
        elif earlier.is_searching:
            words = "Looking for earlier studies of this patient…"
        elif earlier.offered:
            words = "Earlier studies of this patient:"
        else:
            words = NOTHING
        notes = earlier.found.notes if earlier.found is not None else ()
        if in_archive.problem:
            words = f"{words} The archive could not be asked: {in_archive.problem}"
        self.title.setText(words)
        self.title.setToolTip("\n".join(notes))

    def _ask_archive(self) -> None:
        """Ask an archive that the study did not come from; of several, which."""
        archive = self._earlier.archive
        names = archive.names
        if len(names) > 1:
            question = "Which archive shall be asked for earlier studies of this patient?"
            name, is_chosen = QInputDialog.getItem(self, "Archive", question, names, 0, False)
            names = [name] if is_chosen else []
        if names:
            archive.look(names[0])

    def _row(self, one: EarlierStudy) -> QWidget:
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        said = QLabel(study_words(one))
        said.setWordWrap(True)
        certain = one.match is Match.CERTAIN
        button = QPushButton("Compare" if certain else "Ask…")
        button.setToolTip("Put it beside the study on show" if certain else f"Not certain: {one.reason}")
        button.clicked.connect(partial(self._take, one))
        line.addWidget(said, 1)
        line.addWidget(button)
        return row

    def _take(self, one: EarlierStudy, _checked: bool = False) -> None:
        self._earlier.take(one)


class OfferBar(QToolBar):
    """A line over the picture when earlier studies were found; put away by an answer."""

    def __init__(self, bench: Workbench) -> None:
        # a child from the start: a bar that was never placed would outlive the window
        super().__init__("veinscan: earlier studies", bench.window)
        self._earlier, self._compared = bench.part(Earlier), bench.part(Compared)
        self._answered: EarlierStudies | None = None
        self.setObjectName("veinscan_offer_bar")
        self.setMovable(False)
        inner = QWidget()
        line = QHBoxLayout(inner)
        line.setContentsMargins(6, 1, 6, 1)
        self.said = ElidedLabel()
        self.compare = QPushButton("Compare")
        self.compare.clicked.connect(lambda _checked=False: self._yes(bench))
        self.later = QPushButton("Not now")
        self.later.clicked.connect(lambda _checked=False: self._put_away())
        inner.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        line.addWidget(self.said, 1)
        line.addWidget(self.compare)
        line.addWidget(self.later)
        self.addWidget(inner)
        self._window = bench.window
        self._is_placed = False
        self._earlier.changed.connect(self._show)
        self._compared.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        found = self._earlier.found
        studies = [one for one in self._earlier.offered if one.has_record]
        wanted = bool(studies) and found is not self._answered and not self._compared.is_on
        if wanted:
            first = studies[0]
            more = f" (and {counted(len(studies) - 1, 'other')})" if len(studies) > 1 else ""
            self.said.setText(f"Earlier study with a plan: {study_words(first)}{more}")
            self.compare.setText("Compare" if first.match is Match.CERTAIN and not more else "Choose…")
        if wanted and not self._is_placed:
            # not before: a line of its own, below bars that are made after this one
            self._is_placed = True
            self._window.addToolBarBreak(Qt.ToolBarArea.TopToolBarArea)
            self._window.addToolBar(Qt.ToolBarArea.TopToolBarArea, self)
        self.setVisible(wanted)

    def _yes(self, bench: Workbench) -> None:
        studies = [one for one in self._earlier.offered if one.has_record]
        self._put_away()
        if len(studies) == 1:
            self._earlier.take(studies[0])
        else:
            bench.show_dock("baseline")

    def _put_away(self) -> None:
        self._answered = self._earlier.found
        self._show()


def study_words(one: EarlierStudy) -> str:
    """'2025-05-09, 21 days before, with a plan; Patient ID and birth date agree'."""
    day = one.on.isoformat() if one.on is not None else "day unknown"
    before = f", {counted(one.days_before, 'day')} before" if one.days_before is not None else ""
    plan = "" if one.has_record else ", without a plan"
    place = f", in {one.archive}" if one.archive else ""
    sure = "the same patient" if one.match is Match.CERTAIN else f"perhaps the same patient: {one.reason}"
    return f"{day}{before}{plan}{place}; {sure}"
