"""What a search may be asked for; everything else is one sentence that says what to pass."""

from __future__ import annotations

import operator
from dataclasses import replace

from veinscan.candidates.model import FinderSettings
from veinscan.enhance.checks import checked_diameters, checked_number
from veinscan.errors import InvalidInputError

DEEPEST_MM = 1000.0
"""More is a mistake: no probe sees a metre deep."""


def checked_settings(settings: FinderSettings) -> FinderSettings:
    """The settings with plain numbers.

    Raises
    ------
    InvalidInputError
        When one of them cannot be used.
    """
    if settings.method not in ("joint", "classical"):
        raise InvalidInputError(f"the method is {settings.method!r}", do='pass "joint" or "classical"')
    depth = checked_number(
        settings.max_depth_mm,
        "max_depth_mm",
        0.0,
        DEEPEST_MM,
        f"pass a depth in mm above 0 and up to {DEEPEST_MM:g}",
    )
    least = checked_number(
        settings.min_depth_mm, "min_depth_mm", 0.0, DEEPEST_MM, "pass a depth in mm from 0 on"
    )
    if not least < depth:
        raise InvalidInputError(
            f"min_depth_mm is {least:g} and max_depth_mm {depth:g}",
            do="pass 0 or more, and less than the deepest",
        )
    score = checked_number(settings.min_score, "min_score", 0.0, 1.0, "pass a score from 0 to 1")
    try:
        most = operator.index(settings.max_candidates)
    except TypeError:
        most = -1
    if most < 1 or isinstance(settings.max_candidates, bool):
        raise InvalidInputError(
            f"max_candidates is {settings.max_candidates!r}", do="pass a whole number from 1 on"
        )
    return replace(
        settings,
        diameters_mm=checked_diameters(settings.diameters_mm),
        max_depth_mm=depth,
        min_depth_mm=least,
        min_score=score,
        max_candidates=most,
    )
