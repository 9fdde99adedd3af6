"""Commands by which a record becomes final, is amended or withdrawn."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from qtpy.QtWidgets import QDialog

from napari_veinscan.commands import Command
from napari_veinscan.conflict_dialog import show_conflicts
from napari_veinscan.finalise_dialog import WITHDRAW_REASONS, FinaliseDialog, ReasonDialog
from napari_veinscan.pacs_choices import SendChoices
from napari_veinscan.pacs_choices import keep as keep_choices
from napari_veinscan.pacs_pushing import Pushing
from napari_veinscan.record_bar import add_bar
from napari_veinscan.session_commands import session_dock
from napari_veinscan.workbench import Workbench
from veinscan.errors import InvalidInputError
from veinscan.plan.checks import CheckResult, acknowledge, check_record, data_errors, open_warnings
from veinscan.plan.finalise import amend, finalise, withdraw
from veinscan.plan.model import Record

WITHDRAW_SENTENCE = (
    "A withdrawn record says of itself that it must not be used. Its content stays readable, earlier "
    "versions stay where they are, and edits that are not saved yet are saved with it."
)


def show_finalise(bench: Workbench) -> None:
    """Ask what is still missing, then finalise and save."""
    bench.recording.take_over()
    session = bench.session
    record = session.record
    if record is None or not bench.attempt(session.editable_record):
        return
    results = check_record(record, session.study)
    home = bench.part(Pushing).home
    choices = SendChoices(home.archive) if home is not None else None
    dialog = FinaliseDialog(
        bench.window,
        session.reader.name,
        errors=data_errors(results),
        warnings=open_warnings(results),
        conflicts=record.conflicts,
        go_to=partial(_way_to, bench),
        settle=lambda: show_conflicts(bench),
        below=choices,
    )
    agreed = dialog.exec() == QDialog.DialogCode.Accepted
    seen = [(result, reason.text().strip()) for result, _, reason in dialog.seen]
    name, then = dialog.reader_name, dialog.then
    if agreed and home is not None and choices is not None:
        keep_choices(home.archive, choices.chosen)
    dialog.deleteLater()
    if then is not None:
        then()
    if not agreed:
        return
    add_bar(bench).name_reader(name)

    def change(now: Record) -> Record:
        for result, reason in seen:
            now = acknowledge(now, result, session.reader, reason)
        return finalise(now, session.reader, session.study)

    _sign(bench, f"finalised by {name}", change)


def show_amend(bench: Workbench) -> None:
    """Open a final record for changes, with the reason."""
    dialog = ReasonDialog(
        bench.window,
        "Amend",
        "The record is opened for changes. The final version stays as it was; yours becomes final when "
        "you finalise it again, with this reason.",
        act="Open for an amendment",
        reader=bench.session.reader.name,
    )
    _ask(
        bench,
        dialog,
        "opened for an amendment",
        lambda record, reason: amend(record, bench.session.reader, reason),
        is_saved=False,
    )


def show_withdraw(bench: Workbench) -> None:
    """Withdraw the record, with the reason and a second confirmation."""
    bench.recording.take_over()
    dialog = ReasonDialog(
        bench.window,
        "Withdraw",
        WITHDRAW_SENTENCE,
        act="Withdraw and save",
        reader=bench.session.reader.name,
        reasons=WITHDRAW_REASONS,
        second="Withdraw the whole record of this study",
    )
    _ask(
        bench,
        dialog,
        "withdrawn",
        lambda record, reason: withdraw(record, bench.session.reader, reason),
        is_saved=True,
    )


def _ask(
    bench: Workbench,
    dialog: ReasonDialog,
    label: str,
    change: Callable[[Record, str], Record],
    *,
    is_saved: bool,
) -> None:
    record = bench.session.record
    agreed = (
        record is not None
        and bench.attempt(lambda: change(record, "asked beforehand whether it can be done"))
        and dialog.exec() == QDialog.DialogCode.Accepted
    )
    reason, name = dialog.reason.text(), dialog.reader_name
    dialog.deleteLater()
    if agreed:
        add_bar(bench).name_reader(name)
        _sign(bench, label, lambda now: change(now, reason), is_saved=is_saved)


def _sign(bench: Workbench, label: str, change: Callable[[Record], Record], *, is_saved: bool = True) -> None:
    """Do it, and save at once; where the disk refuses, it is taken back: unsaved, nothing is final."""
    session = bench.session
    if bench.attempt(lambda: session.sign(label, change)) and is_saved and not bench.save():
        bench.attempt(session.undo)


def _way_to(bench: Workbench, result: CheckResult) -> Callable[[], None] | None:
    """How to go where a data error is put right; None where it belongs to the whole record."""
    record = bench.session.record
    if record is None:
        return None
    if any(target.id == result.subject for target in record.targets):
        return partial(_show_target, bench, result.subject)
    if any(session.id == result.subject for session in record.sessions):
        return partial(_show_session, bench, result.subject)
    return None


def _show_target(bench: Workbench, target_id: str) -> None:
    bench.show_dock("targets")
    bench.attempt(lambda: bench.session.select_target(target_id, show=True))


def _show_session(bench: Workbench, session_id: str) -> None:
    bench.show_dock("session")
    session_dock(bench).choose(session_id)


def _need_record(show: Callable[[Workbench], None]) -> Callable[[Workbench], None]:
    def run(bench: Workbench) -> None:
        if bench.session.record is None:
            bench.warn(InvalidInputError("no study is open", do="open a study first"))
        else:
            show(bench)

    return run


COMMANDS = (
    Command(
        "record.finalise",
        "Finalise…",
        "Record",
        _need_record(show_finalise),
        tip="Make the record complete and verified, under your name",
    ),
    Command(
        "record.amend",
        "Amend…",
        "Record",
        _need_record(show_amend),
        tip="Open a final or withdrawn record for changes, with the reason",
    ),
    Command(
        "record.withdraw",
        "Withdraw…",
        "Record",
        _need_record(show_withdraw),
        tip="Say that the record must not be used (wrong patient, wrong side), with the reason",
    ),
)
