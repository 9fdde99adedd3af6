"""Runs one command: where its result goes, and what an error looks like."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, TextIO

from veinscan import log
from veinscan.cli.output import Result, WrongCallError, print_json, print_text
from veinscan.errors import AmbiguousStudyError, CancelledError, VeinscanError

_COMMANDS = (
    "open",
    "inspect",
    "find",
    "reflux",
    "targets",
    "record",
    "history",
    "compare",
    "sample",
    "report",
    "export",
    "batch",
    "worklist",
    "pacs",
    "doctor",
)

_STOPPED = 130
"""Exit code of a program that was stopped by Ctrl+C, as shells expect it."""

_logger = logging.getLogger("veinscan.cli")


def run(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (default: `sys.argv[1:]`); see `veinscan.cli.main`."""
    args = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    stdout = sys.stdout
    as_json = "--json" in (args[: args.index("--")] if "--" in args else args)
    try:
        with _quiet(as_json), warnings.catch_warnings():
            log.route_warnings()
            code = _run(args, as_json, stdout)
        stdout.flush()
    except BrokenPipeError:
        # The reader of our output went away (`veinscan inspect | head`): nothing left to say.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())
        return 1
    return code


@contextlib.contextmanager
def _quiet(as_json: bool) -> Iterator[None]:
    """With `--json`, whatever a library prints goes to stderr: stdout holds the object alone."""
    if not as_json:
        yield
        return
    with contextlib.redirect_stdout(sys.stderr):
        yield


def _run(args: list[str], as_json: bool, stdout: TextIO) -> int:
    started = time.monotonic()
    # Only a command's name is logged: any other word may be a path named after a person.
    name = next((a for a in args if a in _COMMANDS), "")
    try:
        from veinscan.cli.app import app

        result: Any = app(args or ["--help"], prog_name="veinscan", standalone_mode=False)
        if result == _STOPPED:  # how typer hands on a Ctrl+C
            raise KeyboardInterrupt
        code = _print(result, as_json, stdout) if args else 2
    except BrokenPipeError:
        raise
    except VeinscanError as error:
        codes = {WrongCallError: 2, CancelledError: _STOPPED}
        code = next((code for kind, code in codes.items() if isinstance(error, kind)), 1)
        log.setup()
        _logger.info("%s ended with %s", name, log.describe_exception(error).strip())
        _fail(_as_object(error), as_json, stdout)
    except KeyboardInterrupt:
        code = _STOPPED
        _fail({"what": "stopped", "where": "", "do": ""}, as_json, stdout)
    except Exception as error:
        if hasattr(error, "format_message"):
            code = _wrong_call(error, as_json, stdout)
        elif type(error).__name__ == "Abort":
            code = _STOPPED
            _fail({"what": "stopped", "where": "", "do": ""}, as_json, stdout)
        else:
            code = 1
            _fail(_unexpected(error, name), as_json, stdout)
    if _logger.hasHandlers():
        _logger.info("%s: exit %d after %.1f s", name or "help", code, time.monotonic() - started)
    return code


def _print(result: Any, as_json: bool, stdout: TextIO) -> int:
    if isinstance(result, Result):
        if as_json:
            print_json(result.data, stdout)
        else:
            print_text(result.text, stdout)
        return result.exit_code
    return result if isinstance(result, int) else 0


def _fail(error: dict[str, str], as_json: bool, stdout: TextIO) -> None:
    if as_json:
        print_json({"error": error}, stdout)
    else:
        sentence = f"{error['where']}: {error['what']}" if error["where"] else error["what"]
        sentence += f"; {error['do']}" if error["do"] else ""
        print_text("veinscan: " + " ".join(sentence.split()), sys.stderr)


def _as_object(error: VeinscanError) -> dict[str, str]:
    data = error.as_json()
    if isinstance(error, AmbiguousStudyError) and error.study_uids:
        data["do"] = data["do"].replace("choose one of them", "choose one with --study UID")
    if isinstance(error, CancelledError):
        data["what"] = data["what"] or "stopped"
    return data


def _wrong_call(error: Any, as_json: bool, stdout: TextIO) -> int:
    """An option or argument that does not fit; typer names it, we add where help is."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "veinscan"
    text = error.format_message().strip().rstrip(".")
    text = text[:1].lower() + text[1:] if text[1:2].islower() else text
    _fail({"what": text, "where": "", "do": f"see '{command} --help'"}, as_json, stdout)
    return 2


def _unexpected(error: Exception, name: str) -> dict[str, str]:
    """The last resort: one sentence, and the place of the fault in the log."""
    path = log.setup()
    _logger.error("%s failed unexpectedly", name, exc_info=error)
    if isinstance(error, OSError) and error.strerror:
        what, do = f"the system says '{error.strerror}'", "check that the place exists and can be used"
        where = os.fsdecode(error.filename) if isinstance(error.filename, (str, bytes)) else ""
        return {"what": what, "where": where, "do": do}
    if isinstance(error, MemoryError):
        return {"what": "there is not enough memory", "where": "", "do": "close other programs and try again"}
    do = f"please report it with the log {path}" if path else "please report it (no log could be written)"
    return {"what": f"an unexpected fault ({type(error).__name__}) stopped veinscan", "where": name, "do": do}
