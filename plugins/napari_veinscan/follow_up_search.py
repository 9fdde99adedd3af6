"""Where to look for a target in the follow-up: its clips in order, and candidates by likeness with reasons.

It helps a person look; going to a line writes nothing.  'Not seen' is the first answer.
"""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QLabel, QListWidget, QListWidgetItem

from napari_veinscan.clip_words import Marks, clip_text
from napari_veinscan.field_widgets import Choice, Group
from napari_veinscan.follow_up_state import Compared
from napari_veinscan.follow_up_words import NOT_SEEN
from napari_veinscan.workbench import Workbench
from veinscan.follow_up.clips import ClipMatch, clips_for
from veinscan.follow_up.likeness import Choice as Answer
from veinscan.follow_up.likeness import choices_for
from veinscan.follow_up.states import TargetState
from veinscan.plan.clips import context_of

SHOWN = 5
"""Lines of the list that are in sight without scrolling."""


class SearchGroup(Group):
    """Clips of the follow-up for the chosen target, and what was found in the one on show."""

    def __init__(self, bench: Workbench, compared: Compared) -> None:
        super().__init__("Where to look", is_open=True)
        self._bench, self._compared, self._session = bench, compared, bench.session
        self._answers: tuple[Answer, ...] = ()
        self._made_for: tuple[object, ...] = ()
        self._filling = False
        self.clips = Choice([], self._go, name="Clip of the follow-up")
        self.look_for = bench.commands.button("follow_up.find", "Find candidates")
        self.list = QListWidget()
        self.list.setAccessibleName("Candidates by likeness")
        self.list.setWordWrap(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setToolTip("Enter says it: the first line 'not seen', another marks the target there")
        self.list.currentRowChanged.connect(self._look)
        self.list.itemActivated.connect(self._take)
        self.hint = QLabel()
        self.hint.setWordWrap(True)
        line = QHBoxLayout()
        line.addWidget(self.clips, 1)
        line.addWidget(self.look_for)
        self.column.addLayout(line)
        self.column.addWidget(self.list)
        self.column.addWidget(self.hint)

    # -- doing ------------------------------------------------------------------------

    def first_clip(self, state: TargetState) -> ClipMatch | None:
        """The clip to go to for a target: of its side and segment; None where no label tells."""
        matches = self._matches(state)
        return next((one for one in matches if one.agrees and not one.other_side), None)

    def _matches(self, state: TargetState) -> Sequence[ClipMatch]:
        study, record = self._session.study, self._session.record
        return clips_for(state, study.clips, record) if study is not None and record is not None else ()

    def _go(self, uid: str) -> bool:
        clip = self._session.clip_of(uid)
        if clip is not None:
            self._session.show_clip(clip)
        return True

    def _look(self, number: int) -> None:
        """Show a candidate; nothing is written."""
        if self._filling or not 0 <= number < len(self._answers):
            return
        candidate = self._answers[number].candidate
        self._session.select_candidate(candidate.id if candidate is not None else None)
        self._bench.look_at_selected()

    def _take(self, _item: QListWidgetItem) -> None:
        """Enter or a double click: a person's answer."""
        number = self.list.currentRow()
        if 0 <= number < len(self._answers):
            is_not_seen = self._answers[number].is_not_seen
            self._bench.commands.run("follow_up.not_seen" if is_not_seen else "follow_up.mark")

    # -- showing ----------------------------------------------------------------------

    def show_target(self, state: TargetState | None, name: str) -> None:
        """Clips and candidates for a target of the baseline; empty without one."""
        self._show_clips(state)
        self._show_answers(state)
        clip = self._session.clip
        searched = clip is not None and self._session.searched(clip) is not None
        self.look_for.setEnabled(clip is not None and not searched)
        if state is None:
            self.hint.setText("")
        elif len(self._answers) <= 1:
            self.hint.setText(
                "Nothing was found in this clip." if searched else "This clip was not searched."
            )
        else:
            self.hint.setText(f"The likest need not be {name}: a closed vein is bright or gone.")

    def _show_clips(self, state: TargetState | None) -> None:
        study, record = self._session.study, self._session.record
        if study is None or record is None:
            self.clips.put_entries([])
            return
        marks, numbers = Marks.of(record), {c.sop_instance_uid: n for n, c in enumerate(study.clips, start=1)}
        entries: list[tuple[str, str]] = []
        if state is None:
            matches: Sequence[ClipMatch] = ()
            entries = [
                (_line(n, c, marks, None), c.sop_instance_uid) for n, c in enumerate(study.clips, start=1)
            ]
        else:
            matches = self._matches(state)
        for one in matches:
            clip = self._session.clip_of(one.sop_instance_uid)
            if clip is not None:
                entries.append((_line(numbers[one.sop_instance_uid], clip, marks, one), one.sop_instance_uid))
        self.clips.put_entries(entries)
        if self._session.clip is not None:
            self.clips.show_value(self._session.clip.sop_instance_uid)

    def _show_answers(self, state: TargetState | None) -> None:
        clip, record = self._session.clip, self._session.record
        self._answers = ()
        if state is not None and clip is not None and record is not None:
            candidates = [row.candidate for row in self._session.rows() if not row.is_rejected]
            baseline = self._compared.baseline
            own = baseline.clip_of(state.sop_instance_uid)
            before = [row.candidate for row in baseline.rows(own)] if own is not None else ()
            self._answers = choices_for(
                state, candidates, context=context_of(record, clip), baseline_candidates=before
            )
        texts = tuple(answer_words(one) for one in self._answers)
        self._filling = True
        try:
            if texts != self._made_for:
                self._made_for = texts
                self.list.clear()
                for answer, text in zip(self._answers, texts, strict=True):
                    item = QListWidgetItem(text)
                    item.setToolTip(all_reasons(answer))
                    self.list.addItem(item)
                height = self.list.fontMetrics().height() * 2 + 6
                self.list.setFixedHeight(min(max(len(texts), 2), SHOWN) * height)
            chosen = self._session.candidate_id
            at = [
                n
                for n, one in enumerate(self._answers)
                if one.candidate is not None and one.candidate.id == chosen
            ]
            stays = chosen is None and self.list.currentRow() == 0  # 'not seen' is no candidate
            if not stays:
                self.list.setCurrentRow(at[0] if at and chosen is not None else -1)
        finally:
            self._filling = False


def answer_words(one: Answer) -> str:
    """'candidate 3: 82 % alike; 4.1 mm deep, the target was 3.8 mm; ...'."""
    if one.is_not_seen:
        return f"✕ {NOT_SEEN}"
    alike = "" if one.likeness is None else f": {100 * one.likeness:.0f} % alike"
    known = [reason.sentence for reason in one.reasons if reason.likeness is not None]
    return "; ".join([f"{one.title}{alike}", *known])


def all_reasons(one: Answer) -> str:
    """Every reason, also what could not be compared, a line each."""
    return "\n".join(reason.sentence for reason in one.reasons)


def _line(number: int, clip: object, marks: Marks, match: ClipMatch | None) -> str:
    words = "  ".join(clip_text(number, clip, 0, marks).split("\n")[:3])  # type: ignore[arg-type]  # a Clip
    if match is None or not (match.agrees or match.differs):
        return words
    same = f"same {', '.join(match.agrees)}" if match.agrees else ""
    other = f"other {', '.join(match.differs)}" if match.differs else ""
    return f"{words}  ({'; '.join(filter(None, (same, other)))})"
