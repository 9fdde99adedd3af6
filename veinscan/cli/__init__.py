"""The command line: `veinscan COMMAND`, one file a command.

A command is a function that returns a `Result`; `main` prints it as text or,
with `--json`, as exactly one JSON object, and turns every error into one
sentence.  Heavy imports happen inside commands, so that `--help` is instant.
"""

from __future__ import annotations

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 nothing could be done, 2 wrong call."""
    from veinscan.cli.run import run

    return run(argv)
