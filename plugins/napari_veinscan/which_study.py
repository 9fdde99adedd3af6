"""Which of several studies in one place: the question of the window and of the baseline."""

from __future__ import annotations

from qtpy.QtWidgets import QInputDialog, QWidget

from veinscan.errors import AmbiguousStudyError


def can_choose(error: Exception) -> bool:
    """Whether a choice between studies would help: not where the files of one name several patients."""
    return isinstance(error, AmbiguousStudyError) and len(error.study_uids) > 1


def ask_which(parent: QWidget, error: Exception, question: str) -> str | None:
    """The Study Instance UID of the study that a person chose; None where none was."""
    if not isinstance(error, AmbiguousStudyError):
        return None
    words = error.shown or error.study_uids
    lines = [f"{number}.  {said}" for number, said in enumerate(words, start=1)]
    line, is_chosen = QInputDialog.getItem(parent, "Several studies", question, lines, 0, False)
    return error.study_uids[lines.index(line)] if is_chosen else None
