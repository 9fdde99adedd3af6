"""From features to a score: a logistic sum of named parts, with the weights in one table.

score = 1 / (1 + exp(-sum of the parts)).  Every feature z (standardised, cut at
+-4) adds `linear z + squared z^2`; the features are grouped into the parts that
a reader is shown as evidence.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from veinscan.candidates.features import NAMES

PARTS = {
    "walls": ("step_median", "step_low", "wall_median", "wall_low", "wall_share", "step_above", "step_below",
              "step_beside", "ring_cost"),
    "symmetry": ("symmetry", "medialness"),
    "dark_lumen": ("lumen_level", "lumen_rank"),
    "even_lumen": ("lumen_spread", "lumen_evenness"),
    "surroundings": ("around_level", "around_darkest", "enhancement_below", "cut_off"),
    "shape": ("elongation", "lying_flat", "roughness"),
    "size": ("size", "size_squared"),
    "depth": ("depth",),
}  # fmt: skip
"""Named parts of the score and the features each is the sum of."""

CUT = 4.0
"""Standardised features are cut there: an odd frame must not decide by one number."""


@dataclass(frozen=True, slots=True)
class Weights:
    """The table of the classical score."""

    mean: npt.NDArray[np.float64]
    deviation: npt.NDArray[np.float64]
    linear: npt.NDArray[np.float64]
    squared: npt.NDArray[np.float64]
    intercept: float


@cache
def shipped_weights() -> Weights:
    """The weights in `classical.json`, fitted by `training/fit_classical.py`."""
    table = json.loads(resources.files("veinscan.candidates").joinpath("classical.json").read_text("utf-8"))
    rows = {row["feature"]: row for row in table["features"]}
    mean, deviation, linear, squared = (
        np.array([float(rows[name][key]) for name in NAMES])
        for key in ("mean", "deviation", "linear", "squared")
    )
    return Weights(mean, deviation, linear, squared, float(table["intercept"]))


def contributions(
    features: npt.NDArray[np.float64], weights: Weights | None = None
) -> npt.NDArray[np.float64]:
    """(n, len(PARTS) + 1) summands of the logit: the parts in order, then the intercept."""
    table = weights or shipped_weights()
    z = np.clip((features - table.mean) / table.deviation, -CUT, CUT)
    each = z * table.linear + z**2 * table.squared
    columns = [each[:, [NAMES.index(name) for name in names]].sum(axis=1) for names in PARTS.values()]
    columns.append(np.full(len(features), table.intercept))
    return np.stack(columns, axis=1)


def logistic(logit: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """1 / (1 + exp(-logit)), safe at both ends."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logit)), np.float64)
