"""Stored samples to what a person sees: uint8 grey or RGB.

Colour is converted by OpenCV (the full-range matrix of PS3.3 C.7.6.3.1.2,
within one grey level of the exact formula).
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Frame = npt.NDArray[np.uint8]
"""(rows, cols) grey or (rows, cols, 3) RGB."""


def ycc_to_rgb(samples: Frame) -> Frame:
    """(rows, cols, 3) uint8 Y, Cb, Cr in full range to RGB (YBR_FULL, PS3.3 C.7.6.3.1.2)."""
    swapped = np.ascontiguousarray(samples[..., [0, 2, 1]])
    return np.asarray(cv2.cvtColor(swapped, cv2.COLOR_YCrCb2RGB), dtype=np.uint8)


def unpack_422(data: bytes, rows: int, columns: int) -> Frame:
    """Native YBR_FULL_422 (Y1 Y2 Cb Cr for each two pixels, C.7.6.3.1.2) to (rows, cols, 3) Y, Cb, Cr."""
    pairs = np.frombuffer(data, np.uint8).reshape(rows, columns // 2, 4)
    out = np.empty((rows, columns, 3), np.uint8)
    out[..., 0] = pairs[..., :2].reshape(rows, columns)
    out[:, 0::2, 1:] = pairs[..., 2:]
    out[:, 1::2, 1:] = pairs[..., 2:]
    return out


def grey_of(frame: Frame) -> Frame:
    """(rows, cols) uint8 luminance; grey pixels keep their value exactly."""
    if frame.ndim == 2:
        return frame
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def grey_table(
    bits: int, *, signed: bool, inverted: bool, window: tuple[float, float] | None
) -> npt.NDArray[np.uint8] | None:
    """(2**bits,) uint8 grey by stored value (as unsigned), or None where it would change nothing.

    Eight-bit pictures keep their values; deeper ones are brought to 8 bits
    with the file's window (linear, C.11.2.1.2.1), else over their full range.
    """
    if bits == 8 and not signed and not inverted:
        return None
    values = np.arange(1 << bits, dtype=np.float64)
    if signed:
        half = 1 << (bits - 1)
        values = np.where(values >= half, values - 2 * half, values)
    if bits > 8 and window is not None and window[1] > 1:
        centre, width = window
        scaled = (values - (centre - 0.5)) / (width - 1) + 0.5
    else:
        low = values.min()
        scaled = (values - low) / (values.max() - low)
    grey = np.clip(scaled * 255 + 0.5, 0, 255).astype(np.uint8)
    return np.asarray(255 - grey if inverted else grey, dtype=np.uint8)
