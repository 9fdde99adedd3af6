"""Commands of the follow-up: by menu, key and button."""

from __future__ import annotations

from collections.abc import Callable

from napari_veinscan.commands import Command
from napari_veinscan.follow_up_baseline_dock import BaselineDock, baseline_dock
from napari_veinscan.follow_up_dock import FollowUpDock, follow_up_dock
from napari_veinscan.follow_up_offer import Earlier
from napari_veinscan.follow_up_pane import STEP
from napari_veinscan.follow_up_state import Compared
from napari_veinscan.follow_up_words import OUTCOMES
from napari_veinscan.workbench import Workbench
from veinscan.plan.vocabulary import Outcome

GROUP = "Follow-up"


def _seen(do: Callable[[FollowUpDock], object]) -> Callable[[Workbench], object]:
    """Only while the dock is in front: nothing is recorded by a key that slipped."""

    def run(bench: Workbench) -> object:
        dock = follow_up_dock(bench)
        if dock.visibleRegion().isEmpty():  # behind another tab it still counts as visible
            return False
        dock.take_over()
        bench.attempt(lambda: do(dock))
        return None

    return run


def _compared(do: Callable[[BaselineDock], object]) -> Callable[[Workbench], object]:
    """Only while a baseline is beside the picture."""

    def run(bench: Workbench) -> object:
        if not bench.part(Compared).is_on:
            return False
        bench.attempt(lambda: do(baseline_dock(bench)))
        return None

    return run


def _set(outcome: Outcome) -> Callable[[Workbench], object]:
    return _seen(lambda dock: dock.edits.set_target(dock.compared.target_id, "outcome", outcome=outcome))


def _choose(bench: Workbench) -> None:
    bench.show_dock("baseline")
    bench.part(Earlier).choose_folder()


def _show(bench: Workbench) -> None:
    bench.show_dock("baseline")
    bench.show_dock("follow_up")


def _find(bench: Workbench) -> None:
    clip = bench.session.clip
    if clip is not None:
        bench.find([clip])


def _finding(bench: Workbench) -> None:
    """A target of the follow-up itself: it needs none of the baseline."""
    bench.attempt(bench.session.make_target)


_OUTCOMES = tuple(
    Command(
        f"follow_up.{outcome.value}",
        f"Outcome: {words}",
        GROUP,
        _set(outcome),
        keys=(f"Alt+{number}",),
        tip=f"The chosen target is {words} at this follow-up",
    )
    for number, (words, outcome) in enumerate(OUTCOMES[1:-1], start=1)
)

COMMANDS = (
    Command("follow_up.show", "Show the follow-up", GROUP, _show, keys=("Ctrl+7",)),
    Command("follow_up.choose", "Choose the baseline", GROUP, _choose, tip="The folder of the earlier study"),
    Command(
        "follow_up.leave",
        "Take the baseline away",
        GROUP,
        lambda bench: bench.part(Earlier).leave(),
        tip="What was entered stays in the follow-up",
    ),
    Command(
        "follow_up.next",
        "Next target",
        GROUP,
        _seen(lambda dock: dock.compared.step(1)),
        keys=("J",),
        tip="Both pictures go to it",
    ),
    Command(
        "follow_up.previous",
        "Previous target",
        GROUP,
        _seen(lambda dock: dock.compared.step(-1)),
        keys=("Shift+J",),
    ),
    Command(
        "follow_up.not_seen",
        "Not seen",
        GROUP,
        _seen(lambda dock: dock.edits.not_seen(dock.compared.target_id)),
        keys=("0",),
        tip="You looked for the target and did not see it; a closed vein is bright or gone",
    ),
    *_OUTCOMES,
    Command(
        "follow_up.mark",
        "Mark the target here",
        GROUP,
        _seen(lambda dock: dock.edits.mark(dock.compared.target_id)),
        keys=("Shift+T",),
        tip="The chosen candidate, or the place that was clicked, is the target; the outcome stays as it is",
    ),
    Command(
        "follow_up.clear",
        "Clear the target",
        GROUP,
        _seen(lambda dock: dock.edits.clear(dock.compared.target_id)),
        tip="Take back all that this visit says of the target",
    ),
    Command(
        "follow_up.finding",
        "New finding here",
        GROUP,
        _finding,
        tip="A target of the follow-up itself, at the chosen candidate or the place that was clicked",
    ),
    Command(
        "follow_up.find",
        "Find candidates in this clip",
        GROUP,
        _find,
        tip="They are listed by likeness to the target, 'not seen' first",
    ),
    Command(
        "follow_up.play",
        "Play or pause the baseline",
        GROUP,
        _compared(lambda dock: dock.cine.toggle()),
        keys=("Shift+Space",),
    ),
    Command(
        "follow_up.back",
        "Baseline one frame back",
        GROUP,
        _compared(lambda dock: dock.cine.step(-1)),
        keys=("Shift+Left",),
        repeats=True,
    ),
    Command(
        "follow_up.on",
        "Baseline one frame on",
        GROUP,
        _compared(lambda dock: dock.cine.step(1)),
        keys=("Shift+Right",),
        repeats=True,
    ),
    Command(
        "follow_up.link",
        "Link zoom",
        GROUP,
        _compared(lambda dock: dock.scale.link(not dock.scale.linked)),
        keys=("Z",),
        tip="Zoom and move both pictures together",
    ),
    Command(
        "follow_up.scale",
        "Same scale",
        GROUP,
        _compared(lambda dock: dock.scale.take_over()),
        keys=("Shift+Z",),
        tip="A millimetre of the baseline as long as one of the follow-up",
    ),
    Command(
        "follow_up.closer",
        "Closer",
        GROUP,
        _compared(lambda dock: dock.scale.zoom_both(STEP)),
        keys=("+",),
        tip="Both pictures larger",
        repeats=True,
    ),
    Command(
        "follow_up.farther",
        "Farther",
        GROUP,
        _compared(lambda dock: dock.scale.zoom_both(1 / STEP)),
        keys=("-",),
        tip="Both pictures smaller",
        repeats=True,
    ),
    Command(
        "follow_up.whole",
        "Both pictures whole",
        GROUP,
        _compared(lambda dock: dock.scale.equalise()),
        tip="At the scale at which both fit",
    ),
    Command(
        "follow_up.mark_baseline",
        "Mark a target in the baseline",
        GROUP,
        _compared(lambda dock: dock.compared.of_baseline().make_target()),
        tip="At the place of the baseline that was clicked; into the baseline's own record",
    ),
    Command(
        "follow_up.save_baseline",
        "Save the baseline",
        GROUP,
        _compared(lambda dock: dock.compared.of_baseline().save()),
        tip="Write a version of the baseline's record beside the baseline; nothing is overwritten",
    ),
)
