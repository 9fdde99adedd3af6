"""One score from the network, the wall fit and the shadow below, and what each named part added to it.

The logit is linear in the columns of `joint`, fitted by `training/fit_joint.py` on images and phantoms
that neither the network nor the classical weights behind a column were fitted on.
The classical column is itself a sum of named parts (`score`), so that all parts and the prior add up.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from veinscan.candidates.joint import COLUMNS, Pool
from veinscan.candidates.score import PARTS, shipped_scorer

Array = npt.NDArray[np.float64]

PRIOR = -0.826
"""Logit where every column is 0."""

WEIGHTS = {
    "vessel": 0.24,
    "core": 0.216,
    "sharpness": 1.966,
    "nerve": -1.5,
    "classical": 0.178,
    "shadow": 0.0,
    "open": -4.0,
    "small": 0.058,
    "large": 0.337,
    "edge": -0.428,
}
"""Weight of each column; that of `open` is set by hand, as few labelled pictures show bone, and that of
`nerve` is held at -1.5 or below."""

ADDED = {
    "network": ("vessel", "core", "sharpness"),
    "not_nerve": ("nerve",),
    "no_shadow": ("shadow", "open"),
    "size": ("small", "large"),
    "surroundings": ("edge",),
}
"""Named parts and the columns each stands for; size and surroundings join the classical parts."""

NAMES = (*PARTS, "network", "not_nerve", "no_shadow", "prior")
"""Names of the summands, in the order of the columns of `parts`."""


def logits(pool: Pool) -> Array:
    """(n,) logits of a pool."""
    return np.asarray(PRIOR + pool.columns @ np.array([WEIGHTS[name] for name in COLUMNS]), np.float64)


def parts(pool: Pool) -> Array:
    """(n, len(NAMES)) what each named part adds to the logit; the rows sum to `logits`."""
    weighed = pool.columns * np.array([WEIGHTS[name] for name in COLUMNS])
    out = np.zeros((len(weighed), len(NAMES)))
    out[:, : len(PARTS)] = WEIGHTS["classical"] * shipped_scorer().parts(pool.features)[:, :-1]
    for name, columns in ADDED.items():
        out[:, NAMES.index(name)] += weighed[:, [COLUMNS.index(column) for column in columns]].sum(axis=1)
    # the average ring's logit, and what was cut off the classical one
    out[:, -1] = logits(pool) - out[:, :-1].sum(axis=1)
    return out
