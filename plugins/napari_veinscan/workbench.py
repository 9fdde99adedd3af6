"""Everything that belongs to one viewer, and what its keys, clicks and buttons do."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from napari.utils.notifications import show_warning
from psygnal import Signal
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QInputDialog, QMessageBox, QWidget

from napari_veinscan import compat
from napari_veinscan.background import Callbacks, Job, Jobs
from napari_veinscan.calipers import Calipers, Tool
from napari_veinscan.keys import Keys
from napari_veinscan.layers import Layers
from napari_veinscan.session import Session, read_study
from veinscan import settings
from veinscan.candidates import ClipCandidates, FinderSettings, find_in_clip
from veinscan.dicom import Clip, Study
from veinscan.errors import AmbiguousStudyError, InvalidInputError, NoStudyError, VeinscanError
from veinscan.plan.model import Decision, Reader, Record, RejectReason

REASON_KEYS = {
    Qt.Key.Key_1: RejectReason.ARTERY,
    Qt.Key.Key_2: RejectReason.NERVE,
    Qt.Key.Key_3: RejectReason.LYMPH,
    Qt.Key.Key_4: RejectReason.SHADOW,
    Qt.Key.Key_5: RejectReason.OTHER,
}


class Workbench:
    """Session, layers, jobs, keys and calipers of one viewer; the docks stand on it."""

    work_changed = Signal()
    """A search or an opening started, went on or ended."""

    def __init__(self, viewer: Any) -> None:
        self.viewer = viewer
        self.settings = settings.load()
        self.session = Session(Reader(name=settings.reader_name(self.settings)))
        self.layers = Layers(viewer, self.session)
        self.calipers = Calipers(self.session)
        self.jobs = Jobs()
        self.work = ""
        """What is running, in words; empty when nothing is."""
        self.work_done: tuple[int, int] = (0, 0)
        self.is_closed = False
        self._job: Job | None = None
        self._flush: list[Callable[[], None]] = []
        self.session.clip_changed.connect(self._clip_changed)
        self.calipers.changed.connect(self._caliper_changed)
        self.calipers.failed.connect(self.warn)
        viewer.mouse_drag_callbacks.append(self._mouse)
        viewer.mouse_move_callbacks.append(self._hover)
        self.keys = Keys(
            compat.main_window(viewer),
            compat.canvas_widget(viewer),
            may_close=self.may_lose_edits,
            closing=self.close,
        )
        self._bind_keys()
        self.window.destroyed.connect(self._window_is_gone)

    @property
    def window(self) -> QWidget:
        """The main window, the parent of dialogs."""
        return compat.main_window(self.viewer)

    # -- opening ----------------------------------------------------------------------

    def open_path(self, path: str | Path, *, study_uid: str | None = None) -> None:
        """Open a study (folder, file or zip) off the window's thread, asking first for unsaved work."""
        if self._job is not None:
            self.warn(InvalidInputError(f"veinscan is busy: {self.work}", do="cancel it or wait for its end"))
            return
        if not self.may_lose_edits():
            return
        self._start(
            f"Opening {Path(path).name}",
            lambda job: read_study(path, study_uid=study_uid),
            done=self._opened,
            failed=lambda error: self._not_opened(path, error),
        )

    def _opened(self, result: tuple[Study, Record]) -> None:
        study, record = result
        self._ended()
        self.session.show_study(study, record)
        if not study.clips:
            self.warn(
                NoStudyError(
                    "there is no ultrasound clip in it",
                    where=study.path.name,
                    do="see 'skipped' in the study dock for what was found",
                )
            )
        for conflict in record.conflicts:
            show_warning(f"Two readers changed the same thing: {conflict}")
        if record.read_only:
            show_warning(f"This record cannot be changed here: {record.read_only}")

    def _not_opened(self, path: str | Path, error: Exception) -> None:
        self._ended()
        if isinstance(error, AmbiguousStudyError) and error.study_uids:
            uid, chosen = QInputDialog.getItem(
                self.window,
                "Several studies",
                "There is more than one study in this place. They are never mixed. Open which?",
                list(error.study_uids),
                0,
                False,
            )
            if chosen:
                self.open_path(path, study_uid=uid)
            return
        self.warn(error)

    # -- candidates -------------------------------------------------------------------

    def find(self, clips: Sequence[Clip]) -> None:
        """Search clips for candidates off the window's thread; each clip's are shown as they come."""
        if not clips:
            self.warn(InvalidInputError("no study is open", do="open a study first"))
            return
        if self._job is not None:
            self.warn(InvalidInputError(f"veinscan is busy: {self.work}", do="cancel it or wait for its end"))
            return
        finder = FinderSettings(
            diameters_mm=self.settings.diameters_mm, max_depth_mm=self.settings.max_depth_mm
        )
        clips = tuple(clips)
        parts = sum(max(1, clip.n_frames) for clip in clips)

        def search(job: Job) -> int:
            before = 0
            for clip in clips:
                weight = max(1, clip.n_frames)

                def step(done: int, total: int, before: int = before, weight: int = weight) -> None:
                    job.report(before + weight * done // max(1, total), parts)

                step(0, 1)
                job.give((clip, find_in_clip(clip, finder, progress=step)))
                before += weight
            return len(clips)

        what = clips[0].file if len(clips) == 1 else f"{len(clips)} clips"
        self._start(f"Searching {what}", search, done=self._searched, part=self._found)

    def _found(self, part: tuple[Clip, ClipCandidates]) -> None:
        self.session.set_candidates(*part)

    def _searched(self, _count: int) -> None:
        self._ended()

    def cancel(self) -> None:
        """Stop what is running."""
        if self._job is not None:
            self._job.cancel()

    def _start(
        self,
        what: str,
        work: Callable[[Job], Any],
        *,
        done: Callable[[Any], None],
        failed: Callable[[Exception], None] | None = None,
        part: Callable[[Any], None] | None = None,
    ) -> None:
        self.work, self.work_done = what, (0, 0)
        tell = Callbacks(
            done=done,
            failed=failed or self._failed,
            cancelled=self._ended,
            progress=self._progressed,
            part=part or (lambda _: None),
        )
        self._job = self.jobs.start(work, tell)
        self.work_changed.emit()

    def _progressed(self, done: int, total: int) -> None:
        self.work_done = (done, total)
        self.work_changed.emit()

    def _failed(self, error: Exception) -> None:
        self._ended()
        self.warn(error)

    def _ended(self) -> None:
        self.work, self.work_done, self._job = "", (0, 0), None
        self.work_changed.emit()

    # -- what a person says -----------------------------------------------------------

    def attempt(self, action: Callable[[], Any]) -> bool:
        """Do something; a refusal becomes a notification.  Whether it was done."""
        try:
            action()
        except VeinscanError as error:
            self.warn(error)
            return False
        return True

    def warn(self, error: object) -> None:
        """Show an error as one notification."""
        if isinstance(error, VeinscanError):
            text = str(error)
            show_warning(text[:1].upper() + text[1:])
        else:
            show_warning(f"A fault in veinscan: {error!r}. Nothing was changed; please report it.")

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

    # -- saving -----------------------------------------------------------------------

    def before_saving(self, flush: Callable[[], None]) -> None:
        """Register what has to be taken over (a field being typed in) before saving or closing."""
        self._flush.append(flush)

    def save(self) -> bool:
        """Save the record as a new version; whether it reached the disk."""
        for flush in self._flush:
            flush()
        QApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)
        try:
            self.session.save()
        except VeinscanError as error:
            show_warning(f"Not saved: {error}")
            return False
        finally:
            QApplication.restoreOverrideCursor()
        if self.session.saved_note:
            show_warning(f"Saved, but not beside the study: {self.session.saved_note}")
        return True

    def may_lose_edits(self) -> bool:
        """Ask for unsaved work: True when it is saved, let go, or there is none."""
        for flush in self._flush:
            flush()
        if not self.session.is_dirty:
            return True
        box = QMessageBox(self.window)
        box.setIcon(QMessageBox.Icon.Warning)
        box.setWindowTitle("Unsaved work")
        box.setText("The targets and verdicts of this study have changes that are not saved.")
        box.setInformativeText("Save them beside the study, or discard them?")
        buttons = QMessageBox.StandardButton
        box.setStandardButtons(buttons.Save | buttons.Discard | buttons.Cancel)
        box.setDefaultButton(buttons.Save)
        answer = box.exec()
        if answer == buttons.Save:
            return self.save()
        return bool(answer == buttons.Discard)

    def forget_edits(self) -> None:
        """Let go of what is not saved, without asking; for scripts and tests."""
        self.session.forget_edits()

    def close(self) -> None:
        """Stop all work; called as the window closes."""
        self.jobs.close()
        if self._job is not None:
            self._ended()

    def _window_is_gone(self, *_: object) -> None:
        """Let go of the docks, which Qt has deleted with the window."""
        self.is_closed = True
        for owner in (self, self.session, self.calipers):
            for name, signal in vars(type(owner)).items():
                if isinstance(signal, Signal):
                    getattr(owner, name).disconnect()
        self._flush.clear()

    # -- keys and mouse ---------------------------------------------------------------

    def _bind_keys(self) -> None:
        key = Qt.Key
        self._on(key.Key_A, lambda: self.review(Decision.VEIN))
        self._on(key.Key_R, self.reject)
        self._on(key.Key_U, lambda: self.review(Decision.UNREVIEWED))
        self._on(key.Key_T, self.make_target)
        self._on(key.Key_N, lambda: self.step(1))
        self._on(key.Key_P, lambda: self.step(-1))
        for number, reason in REASON_KEYS.items():
            self.keys.on(number, partial(self._give_reason, reason))
        self.keys.on(key.Key_Escape, self._escape)

    def _on(self, key: Qt.Key, action: Callable[[], None]) -> None:
        def act() -> bool:
            if self.session.study is None:
                return False  # without a study napari keeps its keys
            action()
            return True

        self.keys.on(key, act)

    def _give_reason(self, reason: RejectReason) -> bool:
        row = self.session.selected
        if row is None or not row.is_rejected:
            return False
        self.reject(reason)
        return True

    def _escape(self) -> bool:
        if self.calipers.tool is None:
            return False
        self.calipers.put_away()
        return True

    def _mouse(self, _viewer: Any, event: Any) -> Generator[None, None, None]:
        """A click (press and release without a drag) chooses or measures."""
        position = tuple(event.position)
        start = tuple(event.pos)
        yield
        while event.type == "mouse_move":
            if max(abs(a - b) for a, b in zip(start, event.pos, strict=True)) > 4:
                return
            yield
        if event.button not in (1, None):
            return
        point = self.layers.point_at(position)
        if point is not None and not self.calipers.click(point):
            self.session.point_at(point)

    def _hover(self, _viewer: Any, event: Any) -> None:
        if self.calipers.tool is None or len(self.calipers.points) != 1:
            return
        point = self.layers.point_at(tuple(event.position))
        if point is not None:
            self.layers.show_caliper(self.calipers.hover(point))

    def take_caliper(self, tool: Tool) -> None:
        """Start to measure with two clicks; refused at once where nothing can be measured in mm."""
        clip = self.session.clip
        if clip is None:
            self.warn(InvalidInputError("no clip is open", do="open a study first"))
            return
        self.calipers.take(tool)

    def _caliper_changed(self) -> None:
        self.layers.show_caliper(self.calipers.points, self.calipers.reading)

    def _clip_changed(self) -> None:
        clip = self.session.clip
        text = self.viewer.canvas.overlays.text
        text.visible = False
        if clip is None:
            return
        if clip.frame_rate_hz:
            compat.set_frame_rate(self.viewer, clip.frame_rate_hz)
        if clip.spacing_mm is None:
            text.text = "Not calibrated: shown in pixels, nothing is measured in mm"
            text.position = "top_left"
            text.visible = True
