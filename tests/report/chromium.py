"""A real browser without a window, for pages."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr", "--no-pdf-header-footer",
)  # fmt: skip

PROGRAM = next(
    (p for name in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(name))), None
)


@dataclass(frozen=True)
class Called:
    """What a call of the browser said."""

    out: str
    console: tuple[str, ...]
    """Lines that pages wrote to the console: what the policy refused is among them."""


def chromium(profile: Path, page: str, *options: str) -> Called:
    """Open a page with a fresh profile and no network."""
    assert PROGRAM is not None
    run = subprocess.run(
        [PROGRAM, *_FLAGS, f"--user-data-dir={profile}", *options, page],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    console = tuple(
        line for line in run.stderr.splitlines() if "CONSOLE" in line or "Content Security" in line
    )
    return Called(run.stdout, console)
