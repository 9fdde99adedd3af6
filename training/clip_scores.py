"""How often candidates of a clip with a given score are vessels, on clips made of held-out images.

    python -m training.clip_scores --data ../shared/data/vessels \
        --folds 0:fold0.onnx:classical0.npz 1:fold1.onnx:classical1.npz ...

Every third image becomes a clip: each frame is moved and stretched a little along a slow course, with
speckle, gain and noise of its own.  Its tissue is not another one from frame to frame, so that what looks
like a vessel on one frame looks so on most: more so than in a real sweep.
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

import cv2
import numpy as np

from training.data import Floats, Sample, block_of, read_all
from training.fit_joint import IMAGE_RANGE_MM, hit_of, use
from veinscan.candidates.finder import MAX_CANDIDATES, search
from veinscan.candidates.model import FinderSettings

FRAMES = 10
MOVED_MM, STRETCHED = 0.4, 0.03
SPECKLE, SPECKLE_MM = 0.25, 0.15
BANDS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


def slow(rng: np.random.Generator) -> Floats:
    """(FRAMES,) a smooth course of standard deviation about 1."""
    knots = rng.normal(0, 1, 5)
    return np.interp(np.linspace(0, 4, FRAMES), np.arange(5), knots).astype(np.float32)


def clip_of(sample: Sample, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(FRAMES, rows, cols) uint8 and the (FRAMES, 2, 3) maps from the image to each frame, (col, row)."""
    rng = np.random.default_rng(seed)
    rows, cols = sample.image.shape
    courses = [slow(rng) for _ in range(4)]
    frames, maps = [], []
    for number in range(FRAMES):
        down, across, taller, wider = (float(course[number]) for course in courses)
        tall, wide = 1 + STRETCHED * taller, 1 + STRETCHED * wider
        move = MOVED_MM / sample.mm
        matrix = np.array(
            [[wide, 0, (1 - wide) * cols / 2 + move * across], [0, tall, (1 - tall) * rows / 2 + move * down]]
        )
        frame = cv2.warpAffine(sample.image, matrix, (cols, rows), borderMode=cv2.BORDER_REPLICATE)
        grain = cv2.GaussianBlur(
            rng.normal(0, 1, (rows, cols)).astype(np.float32), (0, 0), SPECKLE_MM / sample.mm
        )
        grey = frame.astype(np.float32) * np.exp(SPECKLE * grain / grain.std() + rng.normal(0, 0.04))
        grey[frame <= 2] = frame[frame <= 2]
        frames.append(np.clip(np.rint(grey), 0, 255).astype(np.uint8))
        maps.append(matrix)
    return np.stack(frames), np.stack(maps)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--folds", nargs="+", required=True, help="block:network.onnx:classical.npz")
    parser.add_argument("--every", type=int, default=3)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    everything = read_all(args.data)
    judged: list[tuple[int, float, bool]] = []
    for fold in args.folds:
        block, onnx, classical = fold.split(":")
        use(Path(onnx), Path(classical))
        these = [sample for sample in everything if block_of(int(sample.name)) == int(block)]
        for sample in these[:: args.every]:
            frames, maps = clip_of(sample, int(sample.name))
            settings = FinderSettings(
                diameters_mm=IMAGE_RANGE_MM,
                max_depth_mm=60.0,
                min_score=BANDS[0],
                max_candidates=MAX_CANDIDATES,
            )
            found = search(frames.__getitem__, frames.shape, (sample.mm, sample.mm), settings)
            for one in found:
                back = cv2.invertAffineTransform(maps[one.best_frame])
                outline = np.asarray(one.outline(one.best_frame), np.float64)[:, ::-1]
                moved = outline @ back[:, :2].T + back[:, 2]
                judged.append((int(block), one.score, hit_of(moved[:, ::-1], sample)[0] > 0))
        print(f"block {block}: {sum(one[0] == int(block) for one in judged)} candidates", flush=True)
    for low, high in itertools.pairwise(BANDS):
        group = np.array([one[1:] for one in judged if low <= one[1] < high]).reshape(-1, 2)
        mean, share = group.mean(axis=0) if len(group) else (0.0, 0.0)
        print(f"  scored {low:g} to {high:g}: {len(group)}, mean {mean:.2f}, {share:.2f} vessels")


if __name__ == "__main__":
    main()
