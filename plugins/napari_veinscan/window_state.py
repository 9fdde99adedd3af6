"""What the window remembers for this user between starts: recent studies, questions asked once.

A small JSON file in the user's data folder, readable by its user alone (the
name of a folder may say who the patient is).  A file that cannot be read or
written costs the memory, never the work.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from veinscan.settings import data_dir

MOST = 10
"""Recent studies that are kept."""


def recent_studies() -> list[Path]:
    """Studies that were opened, the latest first."""
    known = _read().get("recent", [])
    return [Path(one) for one in known if isinstance(one, str)][:MOST] if isinstance(known, list) else []


def remember_study(path: str | Path) -> None:
    """Put a study first among the recent ones."""
    place = str(Path(path).absolute())
    others = [str(one) for one in recent_studies() if str(one) != place]
    _write({**_read(), "recent": [place, *others][:MOST]})


def forget_studies() -> None:
    """Empty the list of recent studies."""
    _write({**_read(), "recent": []})


def was_asked(question: str) -> bool:
    """Whether a question that is asked once was answered."""
    return question in _read().get("asked", [])


def asked(question: str) -> None:
    """Remember that a question was answered."""
    state = _read()
    _write({**state, "asked": sorted({*state.get("asked", []), question})})


def choice(name: str) -> str:
    """What a person chose last under this name; empty where nothing is known."""
    known = _read().get("choices", {})
    value = known.get(name, "") if isinstance(known, dict) else ""
    return value if isinstance(value, str) else ""


def choose(name: str, value: str) -> None:
    """Remember a choice for the next time; no data of a patient belongs here."""
    state = _read()
    known = state.get("choices", {})
    _write({**state, "choices": {**(known if isinstance(known, dict) else {}), name: value}})


def _file() -> Path:
    return data_dir() / "window.json"


def _read() -> dict[str, Any]:
    try:
        state = json.loads(_file().read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def _write(state: dict[str, Any]) -> None:
    path = _file()
    with contextlib.suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        scratch = path.with_suffix(f".{os.getpid()}")
        scratch.touch(mode=0o600)
        scratch.write_text(json.dumps(state), "utf-8")
        scratch.replace(path)
