"""Phantom pictures as arrays with their truth: what tests and benchmarks call.

No files are involved: `make_clip(seed, ...)` gives frames and the exact
answer, for as many seeds as wanted.
"""

from __future__ import annotations

from typing import Any

from veinscan.errors import InvalidInputError
from veinscan.phantom.bmode import Frames, PhantomClip, render_bmode
from veinscan.phantom.doppler import render_colour, render_strip

KINDS = ("transverse", "longitudinal", "colour", "spectrum")


def make_clip(seed: int, kind: str = "transverse", **options: Any) -> tuple[Frames, dict[str, Any]]:
    """Frames and truth of one phantom clip.

    Parameters
    ----------
    seed : int
        Equal seed and options give equal bytes.
    kind : {'transverse', 'longitudinal', 'colour', 'spectrum'}
    **options
        Those of `render_bmode`, `render_colour` or `render_strip`: `spacing_mm`, `shape`, `n_frames`,
        `vessels=False` for a picture without any, `gain_db`, `treated=('tributary',)` ...

    Returns
    -------
    frames : (n, rows, cols) uint8, or (n, rows, cols, 3) RGB for 'colour'
    truth : dict
        One entry of `clips` in truth.json, points as `(row, col)` in pixels of `frames`.

    Raises
    ------
    InvalidInputError
        For a kind that does not exist, or sizes of no use.
    """
    clip = render(seed, kind, **options)
    return clip.frames, clip.truth


def render(seed: int, kind: str = "transverse", **options: Any) -> PhantomClip:
    """Like `make_clip`, with everything known about the clip."""
    if kind not in KINDS:
        raise InvalidInputError(
            f"there is no phantom clip of kind '{kind}'", do=f"use one of {', '.join(KINDS)}"
        )
    if kind == "colour":
        return render_colour(seed, **options)
    if kind == "spectrum":
        return render_strip(seed, **options)
    return render_bmode(seed, kind, **options)
