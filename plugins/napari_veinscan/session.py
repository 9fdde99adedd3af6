"""What is open and chosen in one window.  Knows neither Qt nor napari's layers.

The docks and the layers listen to the signals and ask the session; they never
ask each other.  Every edit goes through `Session.edit`: it is in the draft on
the disk before `record_changed` tells the screen.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from psygnal import Signal

from napari_veinscan.record_state import EditedRecord
from napari_veinscan.rows import Row, inside, rows_of
from veinscan import record as store
from veinscan.candidates import Candidate, ClipCandidates, LumenMeasure
from veinscan.candidates.by_hand import drawn_candidate, is_drawn
from veinscan.dicom import Clip, Study, open_study
from veinscan.errors import CalibrationError, InvalidInputError, VeinscanError
from veinscan.plan import clips as plan_clips
from veinscan.plan import editing, outlines
from veinscan.plan.context import ClipCalibration, ColourScale
from veinscan.plan.model import (
    Decision,
    InjectionTarget,
    Point,
    Reader,
    Record,
    RejectReason,
)
from veinscan.plan.vocabulary import Searched
from veinscan.record.opening import with_calibrations


def read_study(
    path: str | Path, *, study_uid: str | None = None, reading_id: str | None = None
) -> tuple[Study, Record]:
    """Open a study and its record (the plan, or one reading); slow, so it is run off the window's thread."""
    study = open_study(path, study_uid=study_uid)
    return study, store.load_record(study, reading_id=reading_id)


class Session(EditedRecord):
    """The state of one window: study, clip, frame, candidates, selection, record."""

    study_changed = Signal()
    clip_changed = Signal()
    frame_changed = Signal(int)
    candidates_changed = Signal()
    """The candidates of the clip that is shown, or what is said of them."""
    selection_changed = Signal()
    """Another candidate, place or target is chosen."""

    def __init__(self, reader: Reader, study: Study | None = None) -> None:
        super().__init__(reader, study)
        self.clip: Clip | None = None
        self.frame_index = 0
        self.candidate_id: str | None = None
        self.spot: Point | None = None
        """The place in the picture that was clicked last, when no candidate is chosen."""
        self.target_id: str | None = None
        self.shown_ids: tuple[str, ...] | None = None
        """Candidates in the order of the table, when it is sorted or filtered; `select_next` goes by it."""
        self._found: dict[str, ClipCandidates] = {}
        self._courses: dict[str, dict[str, Candidate]] = {}
        """By clip and candidate: what was followed through the clip before it had a verdict."""
        self._as_opened: Study | None = study
        self._calibrations: tuple[ClipCalibration | ColourScale, ...] = ()
        """Of the record, with its colour scales, as they are on the clips now."""
        self.calibration_problems: tuple[VeinscanError, ...] = ()
        """Why a calibration of the record could not be put back onto its clip."""

    # -- study and clip ---------------------------------------------------------------

    def show_study(self, study: Study, record: Record) -> None:
        """Take over a study that `read_study` opened; its first picture is shown."""
        self.study, self.clip = study, None
        self._as_opened, self._calibrations = study, ()
        self.candidate_id, self.spot, self.target_id = None, None, None
        self._found, self._courses, self.shown_ids = {}, {}, None
        self._take_over(record)
        self._put_calibrations_back()
        study = self.study
        self.study_changed.emit()
        self.record_changed.emit()
        self.show_clip(study.clips[0] if study.clips else None)

    def show_clip(self, clip: Clip | None, frame_index: int = 0) -> None:
        """Show a clip from one of its frames; what was chosen in another clip is let go."""
        if clip is not None and clip is self.clip:
            self.go_to_frame(frame_index)
            return
        self.clip, self.frame_index = clip, frame_index
        self.candidate_id, self.spot = None, None
        self.clip_changed.emit()
        self.candidates_changed.emit()
        self.selection_changed.emit()

    def go_to_frame(self, frame_index: int) -> None:
        """Show another frame of the clip."""
        if self.clip is None:
            return
        frame_index = min(max(0, frame_index), self.clip.n_frames - 1)
        if frame_index != self.frame_index:
            self.frame_index = frame_index
            self.frame_changed.emit(frame_index)

    def _put_calibrations_back(self) -> bool:
        """Calibrate the clips as the record says; whether one of them changed."""
        lengths = self.record.calibrations if self.record is not None else ()
        colours = self.record.colour_scales if self.record is not None else ()
        wanted: tuple[ClipCalibration | ColourScale, ...] = (*lengths, *colours)
        if self._as_opened is None or wanted == self._calibrations:
            return False
        changed = {one.sop_instance_uid for one in set(wanted) ^ set(self._calibrations)}
        self.study, self.calibration_problems = with_calibrations(self._as_opened, lengths, colours)
        self._calibrations = wanted
        for uid in changed:
            self._found.pop(uid, None)  # searched in another scale
        if self.clip is not None and self.clip.sop_instance_uid in changed:
            self.clip = self.clip_of(self.clip.sop_instance_uid)
        return True

    def clip_of(self, sop_instance_uid: str) -> Clip | None:
        """The clip with this SOP Instance UID; None when the study does not hold it."""
        clips = self.study.clips if self.study else ()
        return next((clip for clip in clips if clip.sop_instance_uid == sop_instance_uid), None)

    # -- candidates -------------------------------------------------------------------

    def set_candidates(self, clip: Clip, found: ClipCandidates) -> None:
        """Keep what was found in a clip; an earlier search of the clip is replaced."""
        self._found[clip.sop_instance_uid] = found
        if clip is self.clip:
            if self.row(self.candidate_id) is None:
                self.candidate_id = None
            self.candidates_changed.emit()
            self.selection_changed.emit()

    def searched(self, clip: Clip) -> ClipCandidates | None:
        """What was found in a clip; None before it was searched in this window."""
        return self._found.get(clip.sop_instance_uid)

    def rows(self, clip: Clip | None = None) -> list[Row]:
        """The candidates of a clip (the shown one), best first, with their verdicts.

        Candidates with a verdict are there from the record, searched again or not.
        """
        clip = clip or self.clip
        if clip is None or self.record is None:
            return []
        uid = clip.sop_instance_uid
        return rows_of(self.record, uid, self._found.get(uid), self._courses.get(uid, {}))

    def row(self, candidate_id: str | None) -> Row | None:
        """The row of a candidate of the shown clip."""
        return next((row for row in self.rows() if row.candidate.id == candidate_id), None)

    @property
    def selected(self) -> Row | None:
        """The chosen candidate."""
        return None if self.candidate_id is None else self.row(self.candidate_id)

    def select_candidate(self, candidate_id: str | None, *, show: bool = True) -> None:
        """Choose a candidate and, with `show`, go to the frame that shows it best."""
        row = self.row(candidate_id)
        self.candidate_id, self.spot = (row.candidate.id if row else None), None
        if row is not None and show:
            self.go_to_frame(row.candidate.best_frame)
        self.selection_changed.emit()

    def select_next(self, step: int = 1) -> None:
        """Choose the next candidate of the clip (or the one before, with -1), round the end."""
        rows = self.rows()
        if not rows:
            raise InvalidInputError(
                "there is no candidate in this clip", do="press 'Find candidates', or click in a lumen"
            )
        ids = [row.candidate.id for row in rows]
        if self.shown_ids is not None:
            ids = [name for name in self.shown_ids if name in ids]
            if not ids:
                raise InvalidInputError("no candidate is shown", do="choose another filter above the table")
        if self.candidate_id in ids:
            place = (ids.index(self.candidate_id) + step) % len(ids)
        else:
            place = 0 if step > 0 else len(ids) - 1
        self.select_candidate(ids[place])

    def point_at(self, point: Point) -> None:
        """Take a click in the picture: choose the candidate there, else the place itself."""
        hits = [
            row.candidate
            for row in self.rows()
            if self.frame_index in row.candidate.outlines
            and inside(point, row.candidate.outline(self.frame_index))
        ]
        if hits:
            self.select_candidate(min(hits, key=lambda c: c.rank).id, show=False)
            return
        self.candidate_id, self.spot = None, point
        self.selection_changed.emit()

    def review(self, decision: Decision, reason: RejectReason | None = None) -> None:
        """Say what the chosen candidate is."""
        clip, _ = self._editable_clip()
        row = self.selected
        if row is None:
            raise InvalidInputError("no candidate is chosen", do="click one in the picture or in the table")
        candidate = row.candidate
        said = decision.value if reason in (None, RejectReason.UNSTATED) else f"{decision.value} ({reason})"
        followed = self._courses.get(clip.sop_instance_uid, {}).get(candidate.id)

        def change(record: Record) -> Record:
            record = editing.review(record, clip, candidate, decision, self.reader, reason=reason)
            if followed is None or row.review is not None or decision is Decision.UNREVIEWED:
                return record
            return outlines.set_course(record, clip, candidate.id, followed.outlines)

        self.edit(f"candidate {candidate.rank}: {said}", change)

    def set_outline(self, outline: Iterable[Iterable[float]]) -> None:
        """Give the chosen candidate another outline on the frame on show; the record keeps whose it is."""
        clip, _ = self._editable_clip()
        row, frame = self.selected, self.frame_index
        if row is None:
            raise InvalidInputError("no candidate is chosen", do="click one in the picture or in the table")
        corners = [(float(r), float(c)) for r, c in outline]
        self.edit(
            f"candidate {row.candidate.rank}: outline",
            lambda record: outlines.set_outline(record, clip, row.candidate, frame, corners, self.reader),
        )

    def add_drawn(self, frame_index: int, lumen: LumenMeasure) -> None:
        """Make a candidate of a lumen that the reader drew on a frame of the clip on show, and choose it."""
        clip, _ = self._editable_clip()
        drawn = drawn_candidate(frame_index, {frame_index: lumen})
        corners = [(float(r), float(c)) for r, c in lumen.outline]
        self.edit(
            "vein drawn",
            lambda record: outlines.set_outline(record, clip, drawn, frame_index, corners, self.reader),
        )
        self.select_candidate(drawn.id)

    def set_course(self, clip: Clip, candidate: Candidate) -> None:
        """Keep where a candidate was found again: in the record with its verdict, as soon as it has one."""
        if editing.review_of(self.editable_record(), clip.sop_instance_uid, candidate.id) is None:
            self._courses.setdefault(clip.sop_instance_uid, {})[candidate.id] = candidate
            self.candidates_changed.emit()
            self.selection_changed.emit()
            return
        self.edit(
            f"candidate {candidate.rank}: followed on {len(candidate.outlines)} frames",
            lambda record: outlines.set_course(record, clip, candidate.id, candidate.outlines),
        )

    def set_search(self, searched: Searched) -> None:
        """Say how far the clip on show was looked through."""
        clip, _ = self._editable_clip()
        self.edit(
            f"{clip.file}: searched {searched.value}",
            lambda record: plan_clips.set_search(record, clip, searched, self.reader),
        )

    # -- targets ----------------------------------------------------------------------

    def make_target(self) -> InjectionTarget:
        """Make a target of the chosen candidate, else of the place that was clicked; returns it."""
        clip, record = self._editable_clip()
        row = self.selected
        if row is not None:
            if row.is_rejected:
                raise InvalidInputError(
                    f"candidate {row.candidate.rank} is rejected",
                    do="press A first if it is a vein after all",
                )
            if row.targets:
                self.select_target(row.targets[0].id)
                raise InvalidInputError(
                    f"candidate {row.candidate.rank} is target {row.targets[0].order} already",
                    do="edit it in the list of targets",
                )
            frames = row.candidate.outlines
            frame_index = self.frame_index if self.frame_index in frames else row.candidate.best_frame
            searched = self.searched(clip)
            by_program = searched is not None and not is_drawn(row.candidate.id)
            made = editing.target_from_candidate(
                clip,
                row.candidate,
                self.reader,
                frame_index=frame_index,
                settings=searched.settings if searched is not None and by_program else None,
            )
        elif self.spot is not None:
            made = editing.target_at_point(clip, self.frame_index, self.spot, self.reader)
        else:
            raise InvalidInputError(
                "nothing is chosen", do="choose a candidate or click in a lumen, then press T"
            )
        edited = editing.add_target(record, made)  # before anything is let go: it may refuse
        self.spot = None
        self.target_id = made.id
        self.edit(f"target {len(edited.targets)} made", lambda _record: edited)
        self.selection_changed.emit()
        target = self.target
        return made if target is None else target

    @property
    def target(self) -> InjectionTarget | None:
        """The chosen target."""
        targets = self.record.targets if self.record else ()
        return next((t for t in targets if t.id == self.target_id), None)

    def select_target(self, target_id: str | None, *, show: bool = False) -> None:
        """Choose a target and, with `show`, go to its clip and frame."""
        self.target_id = target_id
        target = self.target
        if show and target is not None and target.has_place:
            clip = self.clip_of(target.sop_instance_uid)
            if clip is None:
                self.selection_changed.emit()
                raise InvalidInputError(
                    f"the clip of target {target.order} is not in this study",
                    do="open the folder that holds all of the study",
                )
            self.show_clip(clip, target.frame_index)
        self.selection_changed.emit()

    def update_target(self, **fields: Any) -> None:
        """Change fields of the chosen target."""
        target = self._chosen_target()
        if target is not None and any(getattr(target, name) != new for name, new in fields.items()):
            names = " and ".join(name.removesuffix("_mm") for name in fields if not name.endswith("_source"))
            self.edit(
                f"target {target.order}: {names.replace('_', ' ')}",
                lambda record: editing.update_target(record, target.id, **fields),
            )

    def move_target(self, step: int) -> None:
        """Give the chosen target an earlier (-1) or later (1) place in the order."""
        target = self._chosen_target()
        place = target.order + step if target is not None else 0
        if target is not None and self.record is not None and 1 <= place <= len(self.record.targets):
            self.edit(
                f"target {target.order} to place {place}",
                lambda record: editing.move_target(record, target.id, place),
            )

    def remove_target(self) -> None:
        """Take the chosen target out of the plan."""
        target = self._chosen_target()
        if target is not None:
            self.edit(
                f"target {target.order} removed", lambda record: editing.remove_target(record, target.id)
            )
            self.selection_changed.emit()

    def _chosen_target(self) -> InjectionTarget | None:
        self.editable_record()
        return self.target

    def _editable_clip(self) -> tuple[Clip, Record]:
        record = self.editable_record()
        if self.clip is None:
            raise InvalidInputError("no clip is open", do="choose one in the list of clips")
        return self.clip, record

    def _show_record(self, record: Record | None) -> None:
        clip = self.clip
        self.record = record
        if self._put_calibrations_back():
            self.study_changed.emit()
            if self.clip is not clip:
                self.clip_changed.emit()
        super()._show_record(record)
        self.candidates_changed.emit()
        if self.target_id is not None and self.target is None:
            self.selection_changed.emit()  # it is gone with the edit

    # -- measuring --------------------------------------------------------------------

    def distance_mm(self, a: Point, b: Point) -> float:
        """Millimetres between two points of the shown clip.  Raises `CalibrationError` with the reason."""
        if self.clip is None:
            raise CalibrationError("no clip is open", do="open a study first")
        return editing.distance_mm(self.clip, a, b)
