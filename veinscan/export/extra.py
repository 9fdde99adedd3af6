"""Parts that only some formats need."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from veinscan.errors import VeinscanError


def installed(name: str) -> Any:
    """A module of the extra `research`.

    Raises VeinscanError, with the command to type, where it is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        part = name.partition(".")[0]
        raise VeinscanError(f"{part} is not installed", do='pip install "veinscan[research]"') from error
