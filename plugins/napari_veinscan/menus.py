"""The menu 'veinscan', made from the table of commands."""

from __future__ import annotations

from qtpy.QtWidgets import QMenu

from napari_veinscan.commands import Command, shown_key
from napari_veinscan.workbench import Workbench

TITLE = "&veinscan"


def add_menu(bench: Workbench) -> QMenu:
    """Put the menu into the window's menu bar, once."""
    bar = bench.window.menuBar()
    for action in bar.actions():
        known = action.menu()
        if action.text() == TITLE and isinstance(known, QMenu):
            return known
    menu: QMenu = bar.addMenu(TITLE)
    menu.setToolTipsVisible(True)
    for group, commands in bench.commands.groups().items():
        menu.addSection(group)
        for command in commands:
            if command.in_menu:
                _add(bench, menu, command)
    return menu


def _add(bench: Workbench, menu: QMenu, command: Command) -> None:
    # the key stands behind a tab as text: a shortcut of Qt's would not reach past the layers
    key = f"\t{shown_key(command.keys[0])}" if command.keys else ""
    action = menu.addAction(command.title.replace("&", "&&") + key)
    action.setToolTip(bench.commands.tip(command.id))
    action.triggered.connect(lambda _checked=False: bench.commands.run(command.id))
