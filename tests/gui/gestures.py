"""What a person does with one field of a form."""

from __future__ import annotations

from typing import Any


def choose(box: Any, value: Any) -> None:
    """Pick an entry as a person does: the list tells that it was activated."""
    index = box.findData(value)
    assert index >= 0, value
    box.setCurrentIndex(index)
    box.activated.emit(index)


def type_in(person: Any, edit: Any, text: str) -> None:
    """Type over what stands in a field, and press Enter."""
    from qtpy.QtCore import Qt

    edit.setFocus()
    edit.selectAll()
    person.qtbot.keyClicks(edit, text)
    person.qtbot.keyClick(edit, Qt.Key.Key_Return)
