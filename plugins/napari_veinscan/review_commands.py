"""Verdicts and targets by key: what a person says of candidates."""

from __future__ import annotations

from functools import partial

from napari_veinscan.commands import Command
from napari_veinscan.palette import REASON_WORDS
from napari_veinscan.workbench import Workbench
from veinscan.plan.model import Decision, RejectReason

GROUP = "Candidates"


def _give_reason(reason: RejectReason, bench: Workbench) -> bool:
    row = bench.session.selected
    if row is None or not row.is_rejected:
        return False  # 1 to 5 mean something only after R
    bench.reject(reason)
    return True


def _find_here(bench: Workbench) -> None:
    bench.find([bench.session.clip] if bench.session.clip is not None else [])


def _find_everywhere(bench: Workbench) -> None:
    bench.find(bench.session.study.clips if bench.session.study is not None else [])


COMMANDS = (
    Command(
        "candidate.find",
        "Find candidates",
        GROUP,
        _find_here,
        keys=("Ctrl+F",),
        tip="Search the clip on show for vessels, by size and depth in mm",
    ),
    Command(
        "candidate.find_all",
        "Find candidates in all clips",
        GROUP,
        _find_everywhere,
        keys=("Ctrl+Shift+F",),
    ),
    Command("candidate.next", "Next candidate", GROUP, lambda b: b.step(1), keys=("N",)),
    Command("candidate.previous", "Previous candidate", GROUP, lambda b: b.step(-1), keys=("P",)),
    Command(
        "candidate.vein",
        "It is a vein",
        GROUP,
        lambda b: b.review(Decision.VEIN),
        keys=("A",),
        tip="This candidate is a vein",
    ),
    Command(
        "candidate.reject",
        "Rejected",
        GROUP,
        lambda b: b.reject(),
        keys=("R",),
        tip="This candidate is not a vein; 1 to 5 then say what it is",
    ),
    *(
        Command(
            f"candidate.is_{reason.value}",
            f"after R: {words}",
            GROUP,
            partial(_give_reason, reason),
            keys=(str(number),),
            in_menu=False,
        )
        for number, (reason, words) in enumerate(REASON_WORDS.items(), start=1)
    ),
    Command(
        "candidate.undecided",
        "Undecided again",
        GROUP,
        lambda b: b.review(Decision.UNREVIEWED),
        keys=("U",),
    ),
    Command(
        "target.make",
        "Make a target",
        "Targets",
        lambda b: b.make_target(),
        keys=("T",),
        tip="Make a target of the chosen candidate, or of the lumen you clicked",
    ),
)
