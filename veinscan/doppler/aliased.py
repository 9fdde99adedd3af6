"""Aliased flow on a strip: it leaves over one edge and comes back at the other."""

from __future__ import annotations

import cv2
import numpy as np

from veinscan.doppler.blood import Array, Power
from veinscan.doppler.burned_in import Mask


def attached(signal: Mask, values: Array) -> Mask:
    """Signal in pieces that reach down to slow flow, or are large; specks of noise and text are dropped."""
    closed = cv2.morphologyEx(signal.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 3), np.uint8))
    total, labels, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    slow = np.abs(values) < max(0.12 * float(np.abs(values).max()), 4 * float(np.abs(np.diff(values)).mean()))
    keep = np.zeros(total, dtype=bool)
    area = stats[:, cv2.CC_STAT_AREA]
    touching = np.unique(labels[slow])
    keep[touching] = area[touching] >= 12
    # text may stand on the noise floor; blood that does not reach down to slow flow is larger
    wide = stats[:, cv2.CC_STAT_WIDTH]
    keep |= (stats[:, cv2.CC_STAT_HEIGHT] > 24) | ((wide > 60) & (area > 5 * wide))
    keep[0] = False
    return np.asarray(signal & keep[labels])


def wrapped_round(signal: Mask, values: Array) -> Mask:
    """(rows, n) aliased signal: it hangs on one edge, clear of the baseline, while the other edge is full."""
    out = np.zeros_like(signal)
    closed = cv2.morphologyEx(signal.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 3), np.uint8))
    total, labels, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    rows = signal.shape[0]
    slow = np.unique(labels[np.abs(values) < 0.12 * float(np.abs(values).max())])
    edges = (closed[:3].any(axis=0), closed[-3:].any(axis=0))
    for k in range(1, total):
        top, height, area = stats[k][1], stats[k][3], stats[k][4]
        if area < 12 or k in slow:
            continue
        at_top, at_bottom = top <= 2, top + height >= rows - 2
        if at_top == at_bottom:
            continue
        own = (labels[:3] == k).any(axis=0) if at_top else (labels[-3:] == k).any(axis=0)
        if (edges[1 if at_top else 0] & own).sum() >= 0.6 * own.sum():
            out |= (labels == k) & signal
    return out


def carried_over(
    blood: Power,
    signal: Mask,
    wrapped: Mask,
    values: Array,
) -> tuple[Power, Array]:
    """Power and values with aliased signal carried over the edge: one strip's height further out."""
    kept = np.where(signal, blood, 0).astype(np.float32)
    if not wrapped.any():
        return kept, values
    rows = blood.shape[0]
    moved = np.where(wrapped, blood, 0).astype(np.float32)
    half = rows // 2
    # rows above the strip hold what came in at the bottom, rows below it what came in at the top
    above, below = moved[rows - half :], moved[:half]
    step = (values[-1] - values[0]) / (rows - 1)
    long = values[0] + step * np.arange(-half, rows + half)
    return np.concatenate([above, kept, below]), np.asarray(long, dtype=np.float64)
