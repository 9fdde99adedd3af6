"""Keys of the review, working whichever layer is active.

napari hands a key to the active layer first: Points take A and P, Shapes A, R,
P and T, and the viewer's own bindings come last.  So the keys are taken from
the window before napari sees them, by an event filter on the window's native
handle (all real key presses pass there), on the main window and on the canvas.
Text fields keep their letters, and a key with Ctrl or Alt is never taken.
"""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QMainWindow,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)

KeyAction = Callable[[], bool | None]
"""Does the work of a key; returning False lets napari have the key."""

_PLAIN = (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)


class Keys(QObject):
    """Takes single keys for one window and asks before that window closes.

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
        self._actions: dict[int, KeyAction] = {}
        window.installEventFilter(self)
        canvas.installEventFilter(self)
        self._watch_handle()

    def on(self, key: Qt.Key, action: KeyAction) -> None:
        """Let a key (without modifiers) do something."""
        self._actions[int(key)] = action

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  # Qt's name
        """Qt's hook: True when the event goes no further."""
        kind = event.type()
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
        action = self._actions.get(int(event.key()))
        if action is None or event.modifiers() not in _PLAIN:
            return False
        if QApplication.activePopupWidget() is not None or QApplication.activeModalWidget() is not None:
            return False
        if watched is not self._canvas and types_text(self._window.focusWidget()):
            return False
        if event.isAutoRepeat():
            return True
        return action() is not False


def types_text(widget: QWidget | None) -> bool:
    """Whether a widget with the focus wants letters for itself."""
    if isinstance(widget, QComboBox):
        return True  # letters choose an entry
    return isinstance(widget, QLineEdit | QTextEdit | QPlainTextEdit | QAbstractSpinBox)
