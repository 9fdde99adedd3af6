"""How many phantom veins the shipped network finds, by diameter, at 0.5 false positives a frame.

python -m training.phantoms --count 40 --first-seed 1000 --out test_phantoms.npz
python -m training.evaluate_phantoms test_phantoms.npz
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from training.phantoms import read
from veinscan.candidates import network

BANDS = ((0.0, 1.5), (1.5, 2.0), (2.0, 3.0), (3.0, 6.0), (6.0, 99.0))
FALSE_POSITIVES = 0.5


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("phantoms", type=Path)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    samples = read(args.phantoms)
    width: dict[tuple[int, int], float] = {}
    found: dict[tuple[int, int], float] = {}
    false: list[float] = []
    empty: list[float] = []
    for number, sample in enumerate(samples):
        for index in np.unique(sample.components[sample.components > 0]):
            points = np.argwhere(sample.components == index).astype(np.float32)
            width[number, int(index)] = min(cv2.minAreaRect(points)[1]) * sample.mm
        worst = 0.0
        for item in network.propose(sample.image, sample.mm):
            inside = cv2.fillPoly(
                np.zeros(sample.image.shape, np.uint8), [np.round(item.outline[:, ::-1]).astype(np.int32)], 1
            )
            row, col = np.round(np.argwhere(inside).mean(axis=0)).astype(int)
            hit = int(sample.components[row, col])
            if hit:
                found[number, hit] = max(found.get((number, hit), 0.0), item.score)
            else:
                false.append(item.score)
                worst = max(worst, item.score)
        if not sample.components.any():
            empty.append(worst)
    allowed = int(FALSE_POSITIVES * len(samples))
    threshold = sorted(false, reverse=True)[allowed] if len(false) > allowed else 0.0
    print(f"{len(samples)} frames, threshold {threshold:.3f} at {FALSE_POSITIVES} false positives a frame")
    for low, high in BANDS:
        these = [key for key, value in width.items() if low <= value < high]
        hits = sum(found.get(key, 0.0) > threshold for key in these)
        ever = sum(key in found for key in these)
        print(f"  {low} to {high} mm: {hits} of {len(these)} found, {ever} proposed at any score")
    print(f"  {sum(score > threshold for score in empty)} of {len(empty)} empty frames show one")


if __name__ == "__main__":
    main()
