"""What the settings of a scanner change in a picture, and what is drawn on it: random, for training."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

BLACK = 2 / 255
"""Grey level up to which a pixel holds no picture."""

RANKS = np.linspace(0, 1, 64).astype(np.float32)


def levels_of(image: Floats) -> Floats:
    """(64,) grey levels at even ranks of what is not black; `image` in 0..1."""
    lit = image[image > BLACK]
    return np.quantile(lit, RANKS).astype(np.float32) if lit.size > 500 else RANKS


def in_style(rng: np.random.Generator, image: Floats, style: Floats) -> Floats:
    """The view with the grey levels of another picture (`levels_of` it), in part."""
    own = levels_of(image)
    share = rng.uniform(0.3, 1.0)
    wanted = np.interp(image, own + 1e-5 * np.arange(64, dtype=np.float32), style)
    return np.where(image <= BLACK, image, (1 - share) * image + share * wanted).astype(np.float32)


def tone_curve(rng: np.random.Generator, image: Floats) -> Floats:
    """A random rising curve of the grey levels."""
    steps = np.exp(rng.normal(0, 0.6, 6))
    heights = np.concatenate([[0.0], np.cumsum(steps) / steps.sum()])
    return np.interp(image, np.linspace(0, 1, 7), heights).astype(np.float32)


def smooth_noise(rng: np.random.Generator, size: int, knots: int) -> Floats:
    """(size, size) noise of standard deviation about 1 that varies over size / knots pixels."""
    coarse = rng.normal(0, 1, (knots, knots)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC))


def photometric(rng: np.random.Generator, image: Floats, styles: list[Floats]) -> Floats:
    """Gain, time-gain, gamma, shadows, speckle, blur, noise, graphics: what settings differ in.

    `styles` are `levels_of` other pictures.
    """
    size = image.shape[0]
    black = image <= BLACK
    image = image.copy()
    if styles and rng.random() < 0.35:
        image = in_style(rng, image, styles[rng.integers(len(styles))])
    if rng.random() < 0.3:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.6))
    if rng.random() < 0.2:
        sharp = image - cv2.GaussianBlur(image, (0, 0), rng.uniform(1, 3))
        image = image + rng.uniform(0.2, 1.0) * sharp
    if rng.random() < 0.5:
        noise = rng.normal(0, 1, image.shape).astype(np.float32)
        noise = cv2.GaussianBlur(noise, (0, 0), rng.uniform(0.6, 2.0), sigmaY=rng.uniform(0.5, 1.2))
        image = image * np.exp(rng.uniform(0.05, 0.35) * noise / max(float(noise.std()), 1e-6))
    if rng.random() < 0.5:
        depth = np.interp(np.arange(size), np.linspace(0, size, 5), rng.normal(0, 0.25, 5)).astype(np.float32)
        image = image * np.exp(depth)[:, None]
    if rng.random() < 0.3:
        image = image * np.exp(0.2 * smooth_noise(rng, size, 5))
    for _ in range(rng.poisson(0.35)):
        middle, half, lean = rng.uniform(0, size), rng.uniform(4, 30), rng.normal(0, 0.1)
        rows = np.arange(size, dtype=np.float32)[:, None]
        across = np.abs(np.arange(size, dtype=np.float32)[None] - middle - lean * rows) / half
        below = np.clip((rows - rng.uniform(0, 0.7) * size) / 8, 0, 1)
        image = image * (1 - rng.uniform(0.3, 0.95) * below * np.clip(1.5 - across, 0, 1))
    image = np.clip(image, 0, None) ** np.exp(rng.normal(0, 0.3)) * np.exp(rng.normal(0, 0.25))
    if rng.random() < 0.3:
        image = tone_curve(rng, image)
    if rng.random() < 0.3:
        image = image + rng.uniform(-0.06, 0.12)
    if rng.random() < 0.3:
        image = image + rng.normal(0, rng.uniform(0.005, 0.04), image.shape).astype(np.float32)
    if rng.random() < 0.8:
        image[black] = np.minimum(image[black], BLACK)
    image = np.clip(image, 0, 1).astype(np.float32)
    if rng.random() < 0.15:
        draw_graphics(rng, image)
    return image


def draw_graphics(rng: np.random.Generator, image: Floats) -> None:
    """Burned-in text, ticks and caliper crosses, in place."""
    size = image.shape[0]
    drawn = np.zeros(image.shape, np.uint8)
    for _ in range(rng.integers(1, 6)):
        x, y = (int(v) for v in rng.integers(0, size, 2))
        kind = rng.integers(3)
        if kind == 0:
            letters = "".join(chr(c) for c in rng.integers(48, 91, rng.integers(2, 9)))
            cv2.putText(drawn, letters, (x, y), 0, float(rng.uniform(0.3, 0.6)), 255, 1)
        elif kind == 1:
            cv2.drawMarker(drawn, (x, y), 255, int(rng.integers(0, 4)), int(rng.integers(5, 14)), 1)
        else:
            for k in range(rng.integers(4, 14)):
                cv2.circle(drawn, (x + 7 * k, y), 1, 255, -1)
    np.maximum(image, drawn.astype(np.float32) / 255, out=image)
