"""What flow says about a vessel: share of the lumen with colour, mean velocity, pulse over the frames.

Evidence, not a verdict: a vein beside the heart pulsates, an artery under a
low scale aliases, and a reader says what a structure is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from veinscan.errors import InvalidInputError


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowEvidence:
    """Flow inside one outline over the frames of a clip."""

    flow_fraction: float
    """Share of the lumen with colour, 0..1, mean over the frames."""
    mean_velocity_cm_s: float | None
    """Mean over the coloured pixels of all frames, towards the probe positive; None without colour."""
    pulsatility: float | None
    """(greatest less least) / mean of the speed over the frames; None with fewer than 6 coloured frames.
    Steady venous flow is near 0, an artery's well above 1."""
    reversal_fraction: float
    """Share of the coloured frames that flow against the usual direction."""
    aliased_fraction: float
    """Share of the coloured pixels that are aliased."""
    frame_indices: tuple[int, ...] = ()
    """Frames with colour in the lumen."""
    velocities_cm_s: tuple[float, ...] = ()
    """Mean over the coloured pixels on each of them."""


def flow_evidence(
    flow_cm_s: npt.NDArray[np.float32],
    outlines: Mapping[int, npt.NDArray[np.float32]],
    *,
    aliased: npt.NDArray[np.bool_] | None = None,
) -> FlowEvidence:
    """Measure flow inside a vessel's outline.

    Parameters
    ----------
    flow_cm_s : (n, rows, cols) float32
        NaN outside colour.
    outlines : mapping
        Frame index to a (k, 2) `(row, col)` polygon of the lumen.
    aliased : (n, rows, cols) bool, optional

    Raises
    ------
    InvalidInputError
        `flow_cm_s` is not three-dimensional, or no outline lies on one of its frames.
    """
    if flow_cm_s.ndim != 3:
        raise InvalidInputError(
            f"flow has {flow_cm_s.ndim} dimensions", where="flow", do="pass (frames, rows, cols)"
        )
    shares: list[float] = []
    means: list[float] = []
    seen: list[int] = []
    total, count, over = 0.0, 0, 0
    for index, outline in outlines.items():
        if not 0 <= index < flow_cm_s.shape[0] or len(outline) < 3:
            continue
        inside = np.zeros(flow_cm_s.shape[1:], dtype=np.uint8)
        cv2.fillPoly(inside, [np.round(np.asarray(outline)[:, ::-1]).astype(np.int32)], 1)
        values = flow_cm_s[index][inside > 0]
        shown = np.isfinite(values)
        shares.append(float(shown.mean()) if values.size else 0.0)
        if int(shown.sum()) >= 4:
            means.append(float(values[shown].mean()))
            seen.append(index)
            total += float(values[shown].sum())
            count += int(shown.sum())
            if aliased is not None:
                over += int(aliased[index][inside > 0][shown].sum())
    if not shares:
        raise InvalidInputError(
            "no outline lies on these frames", where="flow", do="pass outlines of these frames"
        )
    speed = np.abs(np.asarray(means))
    usual = float(np.sign(np.sum(means))) if means else 0.0
    return FlowEvidence(
        flow_fraction=float(np.mean(shares)),
        mean_velocity_cm_s=total / count if count else None,
        pulsatility=float(np.ptp(speed) / speed.mean()) if speed.size >= 6 and speed.mean() > 0 else None,
        reversal_fraction=float(np.mean(np.sign(means) == -usual)) if means and usual else 0.0,
        aliased_fraction=over / count if count else 0.0,
        frame_indices=tuple(seen),
        velocities_cm_s=tuple(round(mean, 4) for mean in means),
    )
