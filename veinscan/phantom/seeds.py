"""Everything random in a phantom comes from named streams of one seed.

A stream depends on its name only, not on what was drawn before it: adding a
vein does not change the speckle, and two processes get the same bytes.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

FloatMap = npt.NDArray[np.float32]
"""(rows, cols) float32."""


def stream(seed: int, *labels: str | int) -> np.random.Generator:
    """Random numbers for one named purpose; equal names give equal numbers."""
    text = "/".join([str(int(seed)), *map(str, labels)])
    digest = hashlib.sha256(text.encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "big")))


def uid(seed: int, *labels: str | int) -> str:
    """A UID under 2.25 (PS3.5 B.2: a UUID as an integer) made from the seed and a name."""
    text = "veinscan phantom/" + "/".join([str(int(seed)), *map(str, labels)])
    digest = bytearray(hashlib.sha256(text.encode()).digest()[:16])
    digest[6] = (digest[6] & 0x0F) | 0x80  # version 8: made from other data
    digest[8] = (digest[8] & 0x3F) | 0x80  # the variant of RFC 9562
    return f"2.25.{int.from_bytes(digest, 'big')}"


def smooth_noise(
    rng: np.random.Generator, shape: tuple[int, int], correlation: tuple[float, float]
) -> FloatMap:
    """(rows, cols) float32 noise of unit variance, smooth over `correlation` = (rows, cols) pixels.

    Drawn on a coarse grid and enlarged: the look of tissue inhomogeneity does not need more.
    """
    rows, cols = shape
    coarse = (
        max(4, int(np.ceil(rows / max(correlation[0], 1.0))) + 3),
        max(4, int(np.ceil(cols / max(correlation[1], 1.0))) + 3),
    )
    values = rng.standard_normal(coarse, dtype=np.float32)
    row_step, col_step = max(correlation[0], 1.0), max(correlation[1], 1.0)
    size = (int(coarse[1] * col_step) + 1, int(coarse[0] * row_step) + 1)
    large = cv2.resize(values, size, interpolation=cv2.INTER_CUBIC)[:rows, :cols]
    return np.ascontiguousarray(large / max(float(large.std()), 1e-6), dtype=np.float32)


@lru_cache(maxsize=48)
def scatterers(
    seed: int, name: str, index: int, look: int, shape: tuple[int, int]
) -> tuple[FloatMap, FloatMap]:
    """Real and imaginary part of a fully developed scatterer field of unit power, read-only.

    Slightly band-limited (sigma 0.6 pixel), so that it can be moved by fractions of a pixel
    without its power depending on the fraction.
    """
    rng = stream(seed, "scatterers", name, index, look)
    parts = []
    for _ in range(2):
        white = rng.standard_normal(shape, dtype=np.float32)
        soft: FloatMap = np.asarray(cv2.GaussianBlur(white, (0, 0), 0.6), dtype=np.float32)
        soft = soft * np.float32(np.sqrt(0.5) / max(float(soft.std()), 1e-6))
        soft.setflags(write=False)
        parts.append(soft)
    return parts[0], parts[1]
