"""Commands of the session dock."""

from __future__ import annotations

from collections.abc import Callable

from napari_veinscan.commands import Command
from napari_veinscan.session_dock import SessionDock
from napari_veinscan.workbench import Workbench
from veinscan.plan import giving
from veinscan.plan.model import Record


def session_dock(bench: Workbench) -> SessionDock:
    """The dock of a window."""
    dock = bench.docks["session"]
    assert isinstance(dock, SessionDock)  # noqa: S101  # what `docks.py` puts there
    return dock


def _begin(bench: Workbench) -> None:
    bench.show_dock("session")
    bench.attempt(session_dock(bench).begin)


def _seen(do: Callable[[SessionDock], object]) -> Callable[[Workbench], object]:
    """Only while the dock is in front: nothing is recorded as given by a key that slipped."""

    def run(bench: Workbench) -> object:
        dock = session_dock(bench)
        if dock.visibleRegion().isEmpty():  # behind another tab it still counts as visible
            return False
        bench.attempt(lambda: do(dock))
        return None

    return run


def _act(what: str, change: Callable[..., Record]) -> Callable[[Workbench], object]:
    return _seen(lambda dock: dock.act(what, change))


COMMANDS = (
    Command("session.new", "New session of today", "Session", _begin, tip="A session of treatment, of today"),
    Command(
        "session.given",
        "Given as planned",
        "Session",
        _act("given as planned", giving.give_as_planned),
        keys=("G",),
        tip="What is planned for this target was given; the target counts as treated",
    ),
    Command(
        "session.copy",
        "As the target before",
        "Session",
        _act("copied", lambda *given: giving.copy_previous(*given)[0]),
        keys=("=",),
        tip="Copy what the target before was given; it is marked as copied, and no check is copied",
    ),
    Command(
        "session.artery",
        "Artery checked",
        "Session",
        _seen(lambda dock: dock.confirm("artery_checked")),
        keys=("C",),
        tip="You looked for an artery at this target; press again to take it back",
    ),
    Command(
        "session.vein",
        "In the vein",
        "Session",
        _seen(lambda dock: dock.confirm("confirmed_intravenous")),
        keys=("Y",),
        tip="You saw the needle in the vein at this target; press again to take it back",
    ),
    Command(
        "session.another",
        "Another injection into this target",
        "Session",
        _act("another injection", giving.another_injection),
    ),
    Command(
        "session.foam",
        "Same foam for all",
        "Session",
        _act("same foam for all", giving.same_foam),
        tip="Method, gas and parts of this foam for every foam of the session; the age of each stays its own",
    ),
    Command(
        "session.back",
        "Not given",
        "Session",
        _act("not given", giving.take_back),
        tip="Take back what is recorded here; a target that was given nothing else is planned again",
    ),
)
