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
    total = np.full((tables, places + 2 * edge), 1e6)
    inner = slice(edge, edge + places)
    total[:, inner] = cost[:, 0]
    moves = np.array(jumps)
    prices = bend_cost * moves[:, None, None].astype(np.float64) ** 2
    came = np.zeros((steps, tables, places), np.int64)
    for at in range(1, steps):
        options = np.stack([total[:, edge + jump : edge + jump + places] for jump in jumps]) + prices
        came[at] = options.argmin(axis=0)
        total[:, inner] = cost[:, at] + options.min(axis=0)
    path = np.zeros((tables, steps), np.int64)
    path[:, -1] = total[:, inner].argmin(axis=1)
    table = np.arange(tables)
    for at in range(steps - 1, 0, -1):
        path[:, at - 1] = np.clip(path[:, at] + moves[came[at, table, path[:, at]]], 0, places - 1)
    return path
