"""Keys of the review, working whichever layer is active.

napari hands a key to the active layer first: Points take A and P, Shapes A, R,
P and T, and the viewer's own bindings come last; Ctrl+S and Ctrl+Z are
shortcuts of menus.  So keys are taken from the window before napari sees them,
by an event filter on the window's native handle (all real key presses pass
there), on the main window and on the canvas.  For keys with Ctrl, Qt asks
first whether anybody wants to override a shortcut: the main window says yes.
Text fields keep their letters, and their own undo while they have any.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QKeyEvent, QKeySequence
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QMainWindow,
    QPlainTextEdit,
    QTabBar,
    QTextEdit,
    QWidget,
)

KeyAction = Callable[[], bool | None]
"""Does the work of a key; returning False lets napari have the key."""

Combination = tuple[int, bool, bool, bool]
"""Qt's key with Ctrl, Shift and Alt."""

_TEXT_KEYS = {Qt.Key.Key_Z, Qt.Key.Key_Y, Qt.Key.Key_A, Qt.Key.Key_C, Qt.Key.Key_V, Qt.Key.Key_X}
"""With Ctrl, these belong to a text field."""
_PRESSING = {Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter}
_ACROSS = {Qt.Key.Key_Left, Qt.Key.Key_Right}
_ALONG = {Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End}
_OPERATED: tuple[tuple[type[QWidget], set[Qt.Key]], ...] = (
    (QAbstractButton, _PRESSING),
    (QAbstractSlider, _ACROSS | _ALONG),
    (QTabBar, _ACROSS),
    (QAbstractItemView, _ALONG | {Qt.Key.Key_Return, Qt.Key.Key_Enter}),
)
"""Keys by which a widget with the focus is operated; the review does not take those from it."""


@dataclass(frozen=True, slots=True)
class _Bound:
    action: KeyAction
    repeats: bool


class Keys(QObject):
    """Takes keys for one window and asks before that window closes.

    `may_close` is called when the window is about to close; False keeps it open.
    `closing` is called once it closes.
    """

    def __init__(
        self,
        window: QMainWindow,
        canvas: QWidget,
        *,
        may_close: Callable[[], bool],
        closing: Callable[[], None],
    ) -> None:
        super().__init__(window)
        self._window = window
        self._canvas = canvas
        self._may_close = may_close
        self._closing = closing
        self._bound: dict[Combination, _Bound] = {}
        window.installEventFilter(self)
        canvas.installEventFilter(self)
        self._watch_handle()

    def on(self, key: str, action: KeyAction, *, repeats: bool = False) -> None:
        """Let a key ('A', 'Ctrl+Z', 'PgDown') do something.  Raises ValueError when it is taken."""
        combination = combination_of(key)
        if combination in self._bound:
            raise ValueError(f"the key {key} is taken")
        self._bound[combination] = _Bound(action, repeats)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  # Qt's name
        """Qt's hook: True when the event goes no further."""
        kind = event.type()
        if kind == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            # saying yes to it makes Qt send the key itself, which is then taken below
            if _combination(event) in self._bound and not self._belongs_elsewhere(watched, event):
                event.accept()
                return True
            return False
        if kind == QEvent.Type.KeyPress:
            return isinstance(event, QKeyEvent) and self._take(watched, event)
        if watched is self._window:
            if kind in (QEvent.Type.Show, QEvent.Type.WinIdChange):
                self._watch_handle()
            elif kind == QEvent.Type.Close:
                if not self._may_close():
                    event.ignore()
                    return True
                self._closing()
        return False

    def _watch_handle(self) -> None:
        handle = self._window.windowHandle()
        if handle is not None:
            handle.installEventFilter(self)  # installing twice is harmless: Qt keeps one

    def _take(self, watched: QObject, event: QKeyEvent) -> bool:
        bound = self._bound.get(_combination(event))
        if bound is None or self._belongs_elsewhere(watched, event):
            return False
        if event.isAutoRepeat() and not bound.repeats:
            return True
        return bound.action() is not False

    def _belongs_elsewhere(self, watched: QObject, event: QKeyEvent) -> bool:
        """Whether a dialog, a list that is open or a widget with the focus wants the key for itself."""
        if QApplication.activePopupWidget() is not None or QApplication.activeModalWidget() is not None:
            return True
        if watched is self._canvas:
            return False
        focus = self._window.focusWidget()
        kinds = Qt.KeyboardModifier
        if event.modifiers() & (kinds.ControlModifier | kinds.AltModifier):
            return (
                bool(event.modifiers() & kinds.ControlModifier)
                and event.key() in _TEXT_KEYS
                and can_undo(focus)
            )
        return types_text(focus) or any(
            isinstance(focus, kind) and event.key() in keys for kind, keys in _OPERATED
        )


def combination_of(key: str) -> Combination:
    """A key in Qt's portable writing as it is looked up.  Raises ValueError for no key, or several."""
    sequence: Any = QKeySequence.fromString(key, QKeySequence.SequenceFormat.PortableText)
    if sequence.count() != 1 or sequence[0].key() == Qt.Key.Key_unknown:
        raise ValueError(f"{key!r} is no key")
    return _plain(sequence[0].key(), sequence[0].keyboardModifiers())


def _combination(event: QKeyEvent) -> Combination:
    return _plain(event.key(), event.modifiers())


def _plain(key: int | Qt.Key, modifiers: Qt.KeyboardModifier) -> Combination:
    code, kinds = int(key), Qt.KeyboardModifier
    control, shift, alt = (
        bool(modifiers & one) for one in (kinds.ControlModifier, kinds.ShiftModifier, kinds.AltModifier)
    )
    # where a sign lies ('?', '=') depends on the keyboard: Shift is part of writing it
    is_sign = 0x20 < code < 0x100 and not chr(code).isalnum()
    return code, control, shift and not is_sign, alt


def can_undo(widget: QWidget | None) -> bool:
    """Whether a text field has typing of its own to take back or bring back, or is being typed in."""
    if isinstance(widget, QAbstractSpinBox):
        widget = widget.findChild(QLineEdit)
    if isinstance(widget, QComboBox):
        widget = widget.lineEdit()
    if isinstance(widget, QLineEdit):
        return widget.isUndoAvailable() or widget.isRedoAvailable() or widget.hasSelectedText()
    if isinstance(widget, QTextEdit | QPlainTextEdit):
        document = widget.document()
        return bool(document.isUndoAvailable() or document.isRedoAvailable())
    return False


def types_text(widget: QWidget | None) -> bool:
    """Whether a widget with the focus wants letters for itself."""
    if isinstance(widget, QComboBox):
        return True  # letters choose an entry
    return isinstance(widget, QLineEdit | QTextEdit | QPlainTextEdit | QAbstractSpinBox)
