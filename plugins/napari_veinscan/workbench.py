"""Everything that belongs to one viewer; the docks and the commands stand on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from psygnal import Signal
from qtpy.QtWidgets import QMainWindow, QWidget

from napari_veinscan import compat, docks, finding, notices, places, preferences
from napari_veinscan.background import Callbacks, Job, Jobs
from napari_veinscan.calipers import Calipers, Tool
from napari_veinscan.commands import Commands
from napari_veinscan.drops import Drops
from napari_veinscan.keys import Keys
from napari_veinscan.layers import Layers
from napari_veinscan.opening import Opening
from napari_veinscan.picture_text import PictureText
from napari_veinscan.pointer import ClickTool, Pointer
from napari_veinscan.preferences import Preferences
from napari_veinscan.prompt import Prompt
from napari_veinscan.recording import Recording
from napari_veinscan.session import Session
from veinscan import settings
from veinscan.dicom import Clip
from veinscan.errors import InvalidInputError, VeinscanError
from veinscan.plan.model import Decision, Point, Reader, RejectReason

Part = TypeVar("Part")


class Workbench:
    """Session, layers, jobs, keys, commands and tools of one viewer."""

    work_changed = Signal()
    """A search or an opening started, went on or ended."""

    def __init__(self, viewer: Any) -> None:
        self.viewer = viewer
        self.settings = settings.load()
        self.session = Session(Reader(name=self.preferences.reader or settings.reader_name(self.settings)))
        self.layers = Layers(viewer, self.session)
        self.calipers = Calipers(self.session)
        self.jobs = Jobs()
        self.work = ""
        """What is running, in words; empty when nothing is."""
        self.work_done: tuple[int, int] = (0, 0)
        self.is_closed = False
        self.last_folder = ""
        """Where something was written last, for the next question."""
        self.docks: dict[str, QWidget] = {}
        """The docks that are in the window, by id."""
        self.tools: list[ClickTool] = [_CaliperClicks(self)]
        """Who may want a click in the picture, asked in this order."""
        self._parts: dict[Any, Any] = {}
        self._before_closing: list[Callable[[], bool]] = []
        self._caliper_prompts = False
        self._job: Job | None = None
        self.recording = Recording(self)
        self.opening = Opening(self)
        self._pointer = Pointer(self)
        self.session.clip_changed.connect(self._clip_changed)
        self.calipers.changed.connect(self._caliper_changed)
        self.calipers.failed.connect(self.warn)
        self.keys = Keys(
            self.window,
            compat.canvas_widget(viewer),
            may_close=self._may_close,
            closing=self.close,
        )
        self.part(PictureText)
        self.part(Drops)
        self.commands = Commands(self)
        self.commands.add(docks.all_commands())
        self.window.destroyed.connect(self._window_is_gone)

    @property
    def window(self) -> QMainWindow:
        """The main window, the parent of dialogs."""
        return compat.main_window(self.viewer)

    @property
    def preferences(self) -> Preferences:
        """What is set on napari's page of preferences, as it is now."""
        return preferences.load()

    def part(self, make: Callable[[Workbench], Part]) -> Part:
        """What `make` makes of this workbench: made on first use, the same one after."""
        if make not in self._parts:
            self._parts[make] = make(self)
        found: Part = self._parts[make]
        return found

    def show_dock(self, dock_id: str) -> None:
        """Bring a dock to the front and give it the keyboard."""
        places.show_dock(self, dock_id)

    # -- work off the window's thread -----------------------------------------------------

    def refuse_when_busy(self) -> bool:
        """Whether something is running that has to end first; says so."""
        if self._job is None:
            return False
        self.warn(InvalidInputError(f"veinscan is busy: {self.work}", do="cancel it or wait for its end"))
        return True

    def start(
        self,
        what: str,
        work: Callable[[Job], Any],
        *,
        done: Callable[[Any], None] = lambda _: None,
        failed: Callable[[Exception], None] | None = None,
        part: Callable[[Any], None] = lambda _: None,
    ) -> None:
        """Start the window's one piece of work in the foreground, with progress and 'Cancel'.

        `done`, `failed` (default: `warn`) and `part` are called in the window's thread.
        """

        def ended(then: Callable[[Any], None]) -> Callable[[Any], None]:
            def tell(result: Any) -> None:
                self._ended()
                then(result)

            return tell

        self.work, self.work_done = what, (0, 0)
        tell = Callbacks(
            done=ended(done),
            failed=ended(failed or self.warn),
            cancelled=self._ended,
            progress=self._progressed,
            part=part,
        )
        self._job = self.jobs.start(work, tell)
        self.work_changed.emit()

    def cancel(self) -> None:
        """Stop what is running."""
        if self._job is not None:
            self._job.cancel()

    def _progressed(self, done: int, total: int) -> None:
        self.work_done = (done, total)
        self.work_changed.emit()

    def _ended(self) -> None:
        self.work, self.work_done, self._job = "", (0, 0), None
        self.work_changed.emit()

    # -- what a person does -----------------------------------------------------------

    def attempt(self, action: Callable[[], Any]) -> bool:
        """Do something; a refusal becomes a notification.  Whether it was done."""
        try:
            action()
        except VeinscanError as error:
            self.warn(error)
            return False
        return True

    def warn(self, error: object) -> None:
        """Show an error as one notification: a sentence with the next step, details on request."""
        notices.tell(error, self.window)

    def open_path(
        self, path: str | Path, *, study_uid: str | None = None, reading_id: str | None = None
    ) -> None:
        """Open a study (folder, file or zip) off the window's thread, asking first for unsaved work."""
        self.opening.open_path(path, study_uid=study_uid, reading_id=reading_id)

    def find(self, clips: Sequence[Clip]) -> None:
        """Search clips for candidates off the window's thread; each clip's are shown as they come."""
        finding.find(self, clips)

    def review(self, decision: Decision, reason: RejectReason | None = None) -> None:
        """Say what the chosen candidate is."""
        self.attempt(lambda: self.session.review(decision, reason))

    def reject(self, reason: RejectReason = RejectReason.UNSTATED) -> None:
        """Say that the chosen candidate is not a vein, and what it is instead if that is known."""
        self.review(Decision.REJECTED, reason)

    def make_target(self) -> None:
        """Make a target of what is chosen."""
        self.attempt(self.session.make_target)

    def step(self, step: int) -> None:
        """Choose the next or previous candidate and bring it into sight."""
        if self.attempt(lambda: self.session.select_next(step)):
            self.look_at_selected()

    def look_at_selected(self) -> None:
        """Bring the chosen candidate into sight when the picture is zoomed in."""
        row = self.session.selected
        if row is not None and self.session.frame_index in row.candidate.centres:
            self.layers.bring_into_sight(row.candidate.centre(self.session.frame_index))

    def take_caliper(self, tool: Tool, *, onto_target: bool = True) -> None:
        """Start to measure with one or two clicks; see `Calipers.take`."""
        if self.session.clip is None:
            self.warn(InvalidInputError("no clip is open", do="open a study first"))
            return
        self.attempt(lambda: self.calipers.take(tool, onto_target=onto_target))

    # -- saving and closing -----------------------------------------------------------

    def before_saving(self, flush: Callable[[], None]) -> None:
        """Register what has to be taken over (a field being typed in) before saving or closing."""
        self.recording.before_saving(flush)

    def before_closing(self, may_close: Callable[[], bool]) -> None:
        """Register a question that is asked before the window closes, after that for unsaved work."""
        self._before_closing.append(may_close)

    def _may_close(self) -> bool:
        return self.recording.may_lose_edits() and all(ask() for ask in self._before_closing)

    def save(self) -> bool:
        """Save the record as a new version; whether it reached the disk."""
        return self.recording.save()

    def forget_edits(self) -> None:
        """Let go of what is not saved, and close without a question; for scripts and tests."""
        self.session.forget_edits()
        self.recording.forget_others()
        self._before_closing.clear()

    def close(self) -> None:
        """Stop all work; called as the window closes."""
        self.jobs.close()
        if self._job is not None:
            self._ended()
        for part in self._parts.values():
            if hasattr(part, "close"):
                part.close()
        self.session.close()

    def _window_is_gone(self, *_: object) -> None:
        """Let go of the docks, which Qt has deleted with the window."""
        self.is_closed = True
        for owner in (self, self.session, self.calipers, *self._parts.values()):
            for kind in type(owner).__mro__:
                for name, signal in vars(kind).items():
                    if isinstance(signal, Signal):
                        getattr(owner, name).disconnect()
        self.recording.forget()
        self._before_closing.clear()
        self.docks.clear()
        self._parts.clear()
        self.tools.clear()

    # -- showing ----------------------------------------------------------------------

    def _caliper_changed(self) -> None:
        self.layers.marks.show_caliper(self.calipers.points, self.calipers.reading)
        if self.calipers.tool is not None or self._caliper_prompts:
            self.part(Prompt).say(self.calipers.prompt if self.calipers.tool is not None else "")
        self._caliper_prompts = self.calipers.tool is not None

    def _clip_changed(self) -> None:
        clip = self.session.clip
        if clip is not None and clip.frame_rate_hz:
            compat.set_frame_rate(self.viewer, clip.frame_rate_hz)


class _CaliperClicks:
    """Hands clicks to the calipers and shows where the second would be."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    def click(self, point: Point) -> bool:
        return self._bench.calipers.click(point)

    def hover(self, point: Point) -> None:
        points = self._bench.calipers.hover(point)
        if points:
            self._bench.layers.marks.show_caliper(points)
