"""'Open from PACS': which archive, what is searched, what it found, and fetching a study."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtGui import QCloseEvent, QKeyEvent
from qtpy.QtWidgets import (
    QComboBox,
    QDialog,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from napari_veinscan import pacs_calls, window_state
from napari_veinscan.background import Callbacks, Job
from napari_veinscan.field_widgets import push_button
from napari_veinscan.pacs_check import show_check
from napari_veinscan.pacs_form import SearchForm
from napari_veinscan.pacs_login import LoginRow
from napari_veinscan.pacs_setup_page import SetupPage
from napari_veinscan.pacs_table import StudyTable
from napari_veinscan.pacs_words import ANY_DAY, found_words
from napari_veinscan.palette import WARNING_COLOUR
from veinscan.errors import PacsError, VeinscanError
from veinscan.pacs.model import StudyQuery, StudyRow, StudyRows
from veinscan.pacs.search import search

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench

LAST_ARCHIVE = "archive"
"""Under this name the window remembers which archive was asked last; never what was searched."""


class PacsDialog(QDialog):
    """Searches an archive and fetches a study from it; one thing at a time, each can be cancelled."""

    def __init__(self, bench: Workbench, fetch: Callable[[str, StudyRow], Callable[[Job], Any]]) -> None:
        """`fetch(archive, row)` gives work for off the window's thread; what that gives is in `fetched`."""
        super().__init__(bench.window)
        self._bench, self._fetch = bench, fetch
        self._job: Job | None = None
        self.fetched: Any = None
        self.setWindowTitle("Open from PACS")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.archive = QComboBox()
        self.archive.setAccessibleName("Archive")
        self.archive.currentIndexChanged.connect(self._archive_changed)
        self.test = push_button(
            "&Test connection",
            self.test_connection,
            "Tries name, connection, encryption, login, search, fetching and storing in turn",
        )
        self.form = SearchForm()
        self.search = push_button("&Search", self.start_search)
        self.table = StudyTable()
        self.table.taken.connect(self.take)
        self.said = QLabel()
        self.said.setWordWrap(True)
        self.any_day = push_button("Search an&y day", self._search_any_day)
        self.login = LoginRow(bench)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Progress")
        self.stop = push_button("&Cancel", self.cancel)
        self.open_it = push_button("&Open", self.take_chosen)
        self.shut = push_button("Close", self.reject)
        self.setup_page = SetupPage(self.look_for_archives)
        self.pages = QStackedWidget()
        self._lay_out()
        self.search.setDefault(True)  # not before it has its place: a button learns of its dialog then
        self.look_for_archives()

    def _lay_out(self) -> None:
        whom = QHBoxLayout()
        label = QLabel("A&rchive")
        label.setBuddy(self.archive)
        order = QLabel("Sorted &by")
        order.setBuddy(self.table.order)
        for widget in (label, self.archive, self.test):
            whom.addWidget(widget)
        whom.addStretch(1)
        line = QHBoxLayout()
        line.addWidget(self.search)
        line.addStretch(1)
        line.addWidget(order)
        line.addWidget(self.table.order)
        running = QHBoxLayout()
        running.addWidget(self.said, 1)
        running.addWidget(self.any_day)
        running.addWidget(self.progress)
        running.addWidget(self.stop)
        below = QHBoxLayout()
        below.addStretch(1)
        below.addWidget(self.open_it)
        main = QWidget()
        column = QVBoxLayout(main)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(whom)
        column.addWidget(self.form)
        column.addLayout(line)
        column.addWidget(self.table, 1)
        column.addWidget(self.login)
        column.addLayout(running)
        self.pages.addWidget(main)
        self.pages.addWidget(self.setup_page)
        layout = QVBoxLayout(self)
        layout.addWidget(self.pages, 1)
        below.addWidget(self.shut)
        layout.addLayout(below)
        self.progress.setMaximumWidth(180)
        room = self._bench.window.size()
        self.resize(min(980, room.width() - 40), min(620, room.height() - 40))

    # -- which archive ----------------------------------------------------------------

    def look_for_archives(self) -> None:
        """Read the settings; without an archive the dialog says how to set one up."""
        problem = ""
        try:
            known = pacs_calls.configured()
        except VeinscanError as error:
            known, problem = {}, _sentence(error)
        self.archive.blockSignals(True)
        self.archive.clear()
        for name, config in known.items():
            self.archive.addItem(pacs_calls.shown(config), name)
        last = window_state.choice(LAST_ARCHIVE)
        self.archive.setCurrentIndex(max(0, self.archive.findData(last)))
        self.archive.blockSignals(False)
        self.pages.setCurrentIndex(0 if known else 1)
        self.setup_page.say(problem)
        self._show_state("")
        if known:
            self.form.patient_id.setFocus()

    @property
    def name(self) -> str:
        """Of the archive that is asked."""
        return str(self.archive.currentData() or "")

    def _archive_changed(self, _index: int) -> None:
        self.cancel()
        self.login.put_away()
        self.table.show_rows(())
        window_state.choose(LAST_ARCHIVE, self.name)
        self._show_state("")

    def test_connection(self) -> None:
        """Try every step of the way to the archive, and say which fails."""
        show_check(self._bench, self.name, self)

    # -- searching --------------------------------------------------------------------

    def start_search(self) -> None:
        """Ask the archive."""
        try:
            query = self.form.query()
        except VeinscanError as error:
            self._show_state(_sentence(error), is_problem=True)
            return
        name = self.name

        def work(job: Job) -> StudyRows:
            with pacs_calls.connect(name) as archive:
                return search(archive, query, name=query.patient_name, stop=lambda: job.is_cancelled)

        self.table.show_rows(())
        self._start("Searching…", work, partial(self._found, query), again=self.start_search)

    def _search_any_day(self) -> None:
        self.form.choose_period(ANY_DAY)
        self.start_search()

    def _found(self, query: StudyQuery, found: StudyRows) -> None:
        self.table.show_rows(found.rows)
        self._show_state(found_words(found, query))
        self.any_day.setVisible(not found.rows and self.form.is_limited())
        if found.rows:
            self.table.setFocus()
        elif self.any_day.isVisible():
            self.any_day.setFocus()

    # -- fetching ---------------------------------------------------------------------

    def take_chosen(self) -> None:
        """Fetch the study that is chosen in the list."""
        if self.table.chosen is not None:
            self.take(self.table.chosen)

    def take(self, row: StudyRow) -> None:
        """Fetch a study so far that it can be looked at; then the dialog closes."""
        if self._job is not None:
            return
        if self._bench.work:
            self._show_state(
                f"veinscan is busy: {self._bench.work}. Cancel it or wait for its end.", is_problem=True
            )
            return
        if not self._bench.recording.may_lose_edits():
            return
        work = self._fetch(self.name, row)

        def done(fetched: Any) -> None:
            self.fetched = fetched
            self.accept()

        self._start(
            "Opening…",
            work,
            done,
            again=partial(self.take, row),
            part=self.show_progress,
        )

    def show_progress(self, part: tuple[str, int, int]) -> None:
        """How far it is: words, done, total."""
        words, done, total = part
        self.said.setText(words)
        self.progress.setRange(0, total)
        self.progress.setValue(done)

    # -- one thing at a time ----------------------------------------------------------

    def _start(
        self,
        words: str,
        work: Callable[[Job], Any],
        done: Callable[[Any], None],
        *,
        again: Callable[[], object],
        part: Callable[[Any], None] = lambda _: None,
    ) -> None:
        if self._job is not None:
            return
        self.login.put_away()

        def ended(result: Any) -> None:
            self._job = None
            self._show_state("")
            done(result)

        def failed(error: Exception) -> None:
            self._job = None
            if not isinstance(error, VeinscanError):
                self._bench.warn(error)  # a fault of the program: into the log, with its details
            self._show_state(_sentence(error), is_problem=True)
            if isinstance(error, PacsError) and error.step == "login":
                self._ask_password(again)

        def cancelled() -> None:
            self._job = None
            self._show_state("Cancelled.")

        self._job = self._bench.jobs.start(
            work,
            Callbacks(done=ended, failed=failed, cancelled=cancelled, part=part),
            patience_s=pacs_calls.PATIENCE_S,
        )
        self._show_state(words)
        self.stop.setFocus()

    def _ask_password(self, again: Callable[[], object]) -> None:
        """Where the settings name a way to log in: else a password would help nobody."""
        what = pacs_calls.asks_for_password(self.name)
        if what:
            self.login.ask(self.name, pacs_calls.user_of(self.name), what, again)

    def cancel(self) -> None:
        """Stop at once, whatever the archive does."""
        if self._job is not None:
            self._job.abandon()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  # Qt's name
        """Escape cancels what runs; with nothing running it closes the dialog."""
        if event.key() == Qt.Key.Key_Escape and self._job is not None:
            event.accept()
            self.cancel()
            return
        super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802  # Qt's name
        """Nothing goes on for a dialog that is gone."""
        self.cancel()
        super().closeEvent(event)

    def done(self, result: int) -> None:
        """Qt's hook for every end of a dialog."""
        self.cancel()
        super().done(result)

    def _show_state(self, words: str, *, is_problem: bool = False) -> None:
        busy = self._job is not None
        self.said.setText(f"✕ {words}" if is_problem else words)
        self.said.setStyleSheet(f"color: {WARNING_COLOUR}" if is_problem else "")
        self.any_day.hide()
        self.progress.setRange(0, 0)
        self.progress.setVisible(busy)
        self.stop.setVisible(busy)
        for widget in (self.search, self.test, self.form, self.archive, self.table):
            widget.setEnabled(not busy)
        self.open_it.setEnabled(not busy and self.table.chosen is not None)
        self.open_it.setVisible(self.pages.currentIndex() == 0)


def _sentence(error: Exception) -> str:
    if not isinstance(error, VeinscanError):
        return f"A fault in veinscan ({type(error).__name__}); the details are in the log."
    text = str(error)
    return text[:1].upper() + text[1:]
