"""Commands: one table from which menus, keys, tooltips, buttons and the key sheet are made.

How to add something to the window (the docks in `docks.py` are in the order of work):

**A command.**  A module (usually the dock it belongs to) holds a tuple ``COMMANDS`` of
`Command` and is named in ``docks.COMMAND_MODULES``.  Nothing else is needed: the
command is in the menu 'veinscan' under its group, on the key sheet, and its keys work
whichever layer is active::

    COMMANDS = (
        Command("clip.play", "Play or pause", "Clip", lambda bench: cine_of(bench).toggle(), keys=("Space",),
                tip="Plays at the clip's own frame rate"),
    )

**A button** for it, with tooltip and key: ``bench.commands.button("clip.play", "Play")``.

**A dock.**  A module offers a class (or function) that takes the `Workbench` and gives
a QWidget, and stands in ``docks.DOCKS``.

**An edit of the record.**  ``bench.attempt(lambda: bench.session.edit("target 2: side", change))``
where ``change`` takes a Record and returns a new one (`veinscan.plan.editing` and friends).
`attempt` turns a refusal into a notification in a sentence.  Listen to
``session.record_changed``; never keep a copy of the record.

**A click in the picture**: put an object with ``click(point) -> bool`` and ``hover(point)``
into ``bench.tools``; the first that answers True has taken the click.

**A field that is being typed in** hands its text on before saving: ``bench.before_saving(flush)``.

**A setting**: a field in ``preferences.py`` and in the manifest's ``configurations``; read
it where it is used as ``bench.preferences.threshold_profile``.

**What the next click does** is said over the picture: ``bench.part(Prompt).say("Click ...")``.

**A part of yours that lives as long as the window** (a player, a tool):
``bench.part(MyPart)`` makes ``MyPart(bench)`` on first use and returns the same one after.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QPushButton

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench


@dataclass(frozen=True, slots=True)
class Command:
    """Something a person can do, by key, menu or button."""

    id: str
    """'candidate.vein'; unique."""
    title: str
    """For menu and key sheet: 'It is a vein'."""
    group: str
    """Heading in menu and key sheet."""
    run: Callable[[Workbench], object]
    """Does it.  As a key: returning False lets napari or the widget have the key."""
    keys: tuple[str, ...] = ()
    """In Qt's portable writing: 'A', 'Ctrl+Z', 'PgDown', '?'; the first is shown."""
    tip: str = ""
    """One sentence more than the title says; empty when the title says it all."""
    needs_study: bool = True
    """Without a study its keys stay napari's."""
    repeats: bool = False
    """Whether holding the key down does it again and again."""
    in_menu: bool = True


class Commands:
    """The commands of one window."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._by_id: dict[str, Command] = {}

    def add(self, commands: Iterable[Command]) -> None:
        """Take in commands; an id or key that is taken already is a mistake of the program."""
        for command in commands:
            if command.id in self._by_id:
                raise ValueError(f"the command {command.id} is there twice")
            self._by_id[command.id] = command
            for key in command.keys:
                self._bench.keys.on(key, partial(self._by_key, command), repeats=command.repeats)

    def __iter__(self) -> Iterator[Command]:
        return iter(self._by_id.values())

    def __getitem__(self, command_id: str) -> Command:
        return self._by_id[command_id]

    def groups(self) -> dict[str, list[Command]]:
        """Commands by heading, both in the order in which they were added."""
        found: dict[str, list[Command]] = {}
        for command in self:
            found.setdefault(command.group, []).append(command)
        return found

    def run(self, command_id: str) -> object:
        """Do it."""
        return self._by_id[command_id].run(self._bench)

    def tip(self, command_id: str) -> str:
        """What a tooltip says: the sentence with the key in it."""
        command = self._by_id[command_id]
        text = command.tip or command.title
        return f"{text} ({shown_key(command.keys[0])})" if command.keys else text

    def button(self, command_id: str, text: str = "") -> QPushButton:
        """A button that does it, with the key in its tooltip and, where no text is given, its title."""
        button = QPushButton(text or self._by_id[command_id].title)
        button.setToolTip(self.tip(command_id))
        # a click leaves the focus where it is, so that Space goes on playing; Tab still reaches it
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(lambda _checked=False: self.run(command_id))
        return button

    def _by_key(self, command: Command) -> bool:
        if command.needs_study and self._bench.session.study is None:
            return False  # without a study napari keeps its keys
        return command.run(self._bench) is not False


_WORDS = {"PgUp": "Page Up", "PgDown": "Page Down", "Left": "←", "Right": "→", "Esc": "Esc"}


def shown_key(key: str) -> str:
    """How a key is written for a person: 'Page Up', '←', 'Ctrl+Z'."""
    return _WORDS.get(key, key)


def key_rows(commands: Commands) -> list[tuple[str, list[tuple[str, str]]]]:
    """For the key sheet: headings with (keys, title) of every command that has a key."""
    rows: list[tuple[str, list[tuple[str, str]]]] = []
    for group, members in commands.groups().items():
        entries = [(" or ".join(map(shown_key, c.keys)), c.title) for c in members if c.keys]
        if entries:
            rows.append((group, entries))
    return rows
