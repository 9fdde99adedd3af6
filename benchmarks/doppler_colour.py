"""How far velocities from colour are from those painted, over many scenes, scales, maps and ways of storing.

python benchmarks/doppler_colour.py --seeds 60 --first 5000
"""

from __future__ import annotations

import argparse
import sys

import cv2
import numpy as np
from PIL import Image

from veinscan.doppler import find_colour_bar, unwrap, velocities
from veinscan.phantom.colour import ColourSettings, colour_map, estimate, paint


def scene(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, ColourSettings]:
    """One to three vessels apart from each other, the fastest up to 1.7 times the scale."""
    rng = np.random.default_rng(seed)
    settings = ColourSettings(
        nyquist_cm_s=float(rng.uniform(4, 40)),
        baseline=float(rng.uniform(0.35, 0.65)),
        inverted=bool(rng.random() < 0.5),
        steps=int(rng.choice([32, 64, 128])),
        noise=float(rng.uniform(0.05, 0.2)),
    )
    shape = (300, 420)
    true = np.full(shape, np.nan, np.float32)
    rows, cols = np.mgrid[: shape[0], : shape[1]]
    for k in range(int(rng.integers(1, 4))):
        centre = rng.uniform(70, 230), 75 + 135 * k + rng.uniform(-10, 10)
        rho = np.hypot((rows - centre[0]) / rng.uniform(12, 40), (cols - centre[1]) / rng.uniform(15, 55))
        peak = float(rng.uniform(0.3, 1.7)) * settings.nyquist_cm_s * rng.choice([-1, 1])
        true[rho < 1] = (peak * (1 - rho**2))[rho < 1]
    shown = estimate(true, settings, 0.08, rng)
    grey = np.clip(cv2.GaussianBlur(rng.normal(90, 70, shape), (0, 0), 1.5), 0, 255).astype(np.uint8)
    frame = np.zeros((shape[0], shape[1] + 60, 3), np.uint8)
    frame[:, : shape[1]] = paint(grey, shown, np.ones(shape, bool), settings)
    height = int(rng.choice([128, 160, 192]))
    bar = colour_map(settings)[::-1]
    frame[60 : 60 + height, shape[1] + 20 : shape[1] + 36] = bar[np.arange(height) * len(bar) // height][
        :, None
    ]
    return stored(frame, str(rng.choice(STORED)), rng), shown, true, settings


STORED = ("plain", "palette", "444", "422", "420")
"""As the scanner sent it, 256 colours, or JPEG with chroma for each pixel, each two, each four."""
SUBSAMPLING = {
    "444": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    "422": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
    "420": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
}


def stored(frame: np.ndarray, how: str, rng: np.random.Generator) -> np.ndarray:
    """The frame as a file of one of the kinds in `STORED` brings it back."""
    if how == "plain":
        return frame
    if how == "palette":
        return np.asarray(Image.fromarray(frame).quantize(256).convert("RGB"))
    options = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(60, 99))]
    options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, SUBSAMPLING[how]]
    data = cv2.imencode(".jpg", frame[:, :, ::-1], options)[1]
    return cv2.imdecode(data, cv2.IMREAD_COLOR)[:, :, ::-1].copy()


def main(seeds: range) -> None:
    errors, found, missed, wrong, without = [], 0, 0, 0, 0
    poor = {"sensitivity": 0, "precision": 0}
    for seed in seeds:
        frame, shown, true, settings = scene(seed)
        low, high = settings.limits_cm_s
        bar = find_colour_bar(frame)
        if bar is None:
            without += 1
            continue
        inside = np.zeros(frame.shape[:2], bool)
        inside[:, :420] = True
        flow = velocities(frame, bar.with_scale(high, low), inside)[:, :420]
        aliased = unwrap(flow, high - low)[0]
        both = np.isfinite(flow) & np.isfinite(shown)
        errors.append(float(np.median(np.abs(flow - shown)[both])) / ((high - low) / settings.steps))
        truth = both & np.isfinite(true) & (np.abs(shown - np.nan_to_num(true)) > 0.5 * (high - low))
        hit, lost, extra = (
            int(part.sum()) for part in (truth & aliased, truth & ~aliased, aliased & both & ~truth)
        )
        found, missed, wrong = found + hit, missed + lost, wrong + extra
        poor["sensitivity"] += hit < 0.95 * (hit + lost)
        poor["precision"] += hit < 0.95 * (hit + extra)
    sys.stdout.write(
        f"{len(seeds)} scenes, {without} without a bar; median error of a scene in steps of the bar:"
        f" {np.median(errors):.2f}, largest {np.max(errors):.2f}; aliased pixels: sensitivity"
        f" {found / max(found + missed, 1):.3f}, precision {found / max(found + wrong, 1):.3f};"
        f" scenes below 95 %: {poor['sensitivity']} and {poor['precision']}\n"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=60)
    parser.add_argument("--first", type=int, default=5000)
    chosen = parser.parse_args()
    main(range(chosen.first, chosen.first + chosen.seeds))
