"""The cheapest path through a table, column by column: walls of a tube and floors of an eye."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def cheapest_paths(cost: Array, jumps: Sequence[int], bend_cost: float) -> npt.NDArray[np.int64]:
    """(n, steps) place of the cheapest path through each of n (steps, places) tables.

    From step to step a path moves by one of `jumps` places, at `bend_cost` times the square of it.
    """
    tables, steps, places = cost.shape
    edge = max(abs(jump) for jump in jumps)
    moves = np.array(jumps)
    prices = bend_cost * moves.astype(np.float64) ** 2
    wide = places + 2 * edge
    # totals of every step, padded so that a move beyond the ends is never cheapest
    totals = np.full((steps, tables, wide), 1e6)
    inner = slice(edge, edge + places)
    totals[:, :, inner] = cost.transpose(1, 0, 2)
    best, other = np.empty((2, tables, places))
    for at in range(1, steps):
        before = totals[at - 1]
        best.fill(np.inf)
        for jump, price in zip(jumps, prices, strict=True):
            np.add(before[:, edge + jump : edge + jump + places], price, out=other)
            np.minimum(best, other, out=best)
        totals[at, :, inner] += best
    path = np.empty((steps, tables), np.int64)
    path[-1] = totals[-1, :, inner].argmin(axis=1)
    flat = totals.reshape(steps, -1)
    first = (np.arange(tables) * wide + edge)[:, None] + moves
    for at in range(steps - 1, 0, -1):
        came = (flat[at - 1].take(path[at][:, None] + first) + prices).argmin(axis=1)
        path[at - 1] = path[at] + moves[came]
    return path.T
