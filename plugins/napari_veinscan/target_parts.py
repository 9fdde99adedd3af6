"""Parts of a target's form that are more than a field: what it feeds, its flow, where the needle enters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_veinscan.field_widgets import empty
from napari_veinscan.prompt import Prompt
from napari_veinscan.target_words import flow_words
from napari_veinscan.workbench import Workbench
from veinscan.errors import InvalidInputError
from veinscan.plan.model import InjectionTarget, Point


class FeedsButton(QToolButton):
    """Which other targets a target feeds: a menu of them, ticked; `toggled_one(id, is_fed)` is told."""

    def __init__(self, toggled_one: Callable[[str, bool], None]) -> None:
        super().__init__()
        self._told = toggled_one
        self.setAccessibleName("Feeds targets")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMenu(QMenu(self))

    def show_feeds(self, target: InjectionTarget, others: Sequence[InjectionTarget]) -> None:
        """Offer the others and name those that are fed."""
        menu = self.menu()
        menu.clear()
        for other in others:
            action = menu.addAction(f"T{other.order}  {other.vein}")
            action.setCheckable(True)
            action.setChecked(other.id in target.feeds)
            action.toggled.connect(partial(self._told, other.id))
        names = [f"T{other.order}" for other in others if other.id in target.feeds]
        self.setText(", ".join(names) or "none")
        self.setEnabled(bool(others))


class FlowList(QWidget):
    """The measurements of flow of a target, each with a button that takes it off."""

    def __init__(self, remove: Callable[[InjectionTarget, str], None]) -> None:
        super().__init__()
        self._remove = remove
        self._shown: tuple[str, list[tuple[str, str]]] | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)

    def show_flow(self, target: InjectionTarget) -> None:
        """List a target's; what is listed already is left."""
        words = (target.id, flow_words(target))
        if words == self._shown:
            return
        self._shown = words
        empty(self._column)
        for text, value_id in words[1]:
            row = QWidget()
            line = QHBoxLayout(row)
            line.setContentsMargins(0, 0, 0, 0)
            said = QLabel(text)
            said.setWordWrap(True)
            off = QToolButton()
            off.setText("✕")
            off.setToolTip("Take this measurement off the target")
            off.setAccessibleName(f"Take off: {text}")
            off.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            off.clicked.connect(lambda _checked=False, one=value_id: self._remove(target, one))
            line.addWidget(said, 1)
            line.addWidget(off)
            self._column.addWidget(row)
        if not self._column.count():
            self._column.addWidget(QLabel("–"))


class SkinEntry(QWidget):
    """Where the needle enters the skin: marked by the next click in the target's picture."""

    def __init__(self, bench: Workbench, put: Callable[[Point | None], None]) -> None:
        super().__init__()
        self._bench, self._session = bench, bench.session
        self._put = put
        self.said = QLabel()
        self.mark = QPushButton("Mark…")
        self.mark.setToolTip("The next click in the target's picture is where the needle enters the skin")
        self.mark.setCheckable(True)
        self.mark.toggled.connect(self._arm)
        self.clear = QPushButton("Clear")
        self.clear.clicked.connect(lambda _checked=False: self._bench.attempt(lambda: self._put(None)))
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self.said, 1)
        line.addWidget(self.mark)
        line.addWidget(self.clear)
        bench.tools.append(self)

    def show_entry(self, target: InjectionTarget) -> None:
        """Say whether a target has one."""
        self.said.setText("marked" if target.skin_entry else "not marked")
        self.clear.setEnabled(target.skin_entry is not None)
        self.mark.setEnabled(target.has_place)

    def _arm(self, is_armed: bool) -> None:
        self._bench.part(Prompt).say("Click where the needle enters the skin" if is_armed else "")

    def click(self, point: Point) -> bool:
        """A click in the picture: the skin entry, when one is asked for."""
        if not self.mark.isChecked():
            return False
        self.mark.setChecked(False)

        def put() -> None:
            target, clip = self._session.target, self._session.clip
            if target is None:
                raise InvalidInputError("no target is chosen", do="choose one in the list")
            here = clip is not None and clip.sop_instance_uid == target.sop_instance_uid
            if not here or self._session.frame_index != target.frame_index:
                raise InvalidInputError(
                    f"this is not the picture of target {target.order}",
                    do="choose the target in the list: its picture is shown",
                )
            self._put(point)

        self._bench.attempt(put)
        return True

    def hover(self, point: Point) -> None:
        """Nothing to show."""
