"""From features to a score, and what each named part of the evidence added to it.

The logit is the mean of a few small networks (two hidden layers of tanh) on
standardised features; score = 1 / (1 + exp(-logit)).  What the parts added is
the integrated gradient from the average ring to this one (Sundararajan, Taly
and Yan, 2017): by construction the parts and the prior add up to the logit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from veinscan.candidates.features import NAMES
from veinscan.errors import VeinscanError

Array = npt.NDArray[np.float64]

PARTS = {
    "walls": (
        "step_median",
        "step_low",
        "wall_median",
        "wall_low",
        "wall_share",
        "step_above",
        "step_below",
        "step_beside",
        "ring_cost",
    ),
    "symmetry": ("symmetry", "medialness"),
    "dark_lumen": ("lumen_level", "lumen_rank"),
    "even_lumen": ("lumen_spread", "lumen_evenness"),
    "surroundings": ("around_level", "around_darkest", "enhancement_below", "cut_off"),
    "shape": ("elongation", "lying_flat", "roughness"),
    "size": ("size", "size_squared"),
    "depth": ("depth",),
}
"""Named parts of the evidence and the features each stands for."""

CUT = 4.0
"""Standardised features are cut there: an odd frame must not decide by one number."""

CALIBRATION = 0.69, -0.87
"""Slope and offset of the logit that make scores shares: of rings scored 0.8, about 80 % are vessels.

Fitted on cross-validated scores of the labelled images at both pixel sizes, overlapping rings removed."""

PATH_STEPS = 16
"""Points of the path over which gradients are integrated."""

WEIGHTS = "classical.npz"


@dataclass(frozen=True, slots=True)
class Scorer:
    """The networks behind the classical score."""

    mean: Array
    deviation: Array
    layers: tuple[tuple[Array, ...], ...]
    """For each network: (features, h), (h,), (h, g), (g,), (g,), ()."""

    def standardised(self, features: Array) -> Array:
        """(n, features) z values, cut at +-4."""
        return np.asarray(np.clip((features - self.mean) / self.deviation, -CUT, CUT), np.float64)

    def logits(self, features: Array) -> Array:
        """(n,) logits of n rings."""
        z = self.standardised(features)
        total = np.zeros(len(z))
        for w1, b1, w2, b2, w3, b3 in self.layers:
            total += np.tanh(np.tanh(z @ w1 + b1) @ w2 + b2) @ w3 + b3
        return np.asarray(CALIBRATION[0] * total / len(self.layers) + CALIBRATION[1], np.float64)

    def parts(self, features: Array) -> Array:
        """(n, len(PARTS) + 1) what each part adds to the logit, then the prior: the average ring's logit."""
        z = self.standardised(features)
        gradient = np.zeros_like(z)
        for at in (np.arange(PATH_STEPS) + 0.5) / PATH_STEPS:
            for w1, b1, w2, b2, w3, _ in self.layers:
                first = np.tanh(at * z @ w1 + b1)
                second = np.tanh(first @ w2 + b2)
                gradient += (((1 - second**2) * w3) @ w2.T * (1 - first**2)) @ w1.T
        each = CALIBRATION[0] * z * gradient / (PATH_STEPS * len(self.layers))
        columns = [each[:, [NAMES.index(name) for name in names]].sum(axis=1) for names in PARTS.values()]
        # the rest of the integral's rounding goes to the prior, so that the sum is exact
        columns.append(self.logits(features) - np.sum(columns, axis=0))
        return np.stack(columns, axis=1)


@cache
def shipped_scorer() -> Scorer:
    """The weights in `classical.npz`, fitted by `training/fit_classical.py`."""
    with resources.files("veinscan.candidates").joinpath(WEIGHTS).open("rb") as file, np.load(file) as table:
        if tuple(table["features"].tolist()) != NAMES:
            raise VeinscanError(
                "the weights belong to other features", where=WEIGHTS, do="install veinscan again"
            )
        count = int(table["networks"])
        layers = tuple(
            tuple(np.asarray(table[f"network{index}_{part}"], np.float64) for part in range(6))
            for index in range(count)
        )
        return Scorer(
            np.asarray(table["mean"], np.float64), np.asarray(table["deviation"], np.float64), layers
        )


def logistic(logit: float) -> float:
    """1 / (1 + exp(-logit)), safe at both ends."""
    return float(0.5 * (1.0 + np.tanh(0.5 * logit)))
