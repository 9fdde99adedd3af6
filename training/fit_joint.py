"""Fit the weights of the joint score on images and phantoms that nothing behind its columns was fitted on.

    python -m training.fit_joint --data ../shared/data/vessels --phantoms phantoms80000.npz \
        --folds 0:fold0.onnx:classical0.npz 2:fold2.onnx:classical2.npz

Each fold is a block, the network trained without it (as ONNX) and the classical weights fitted without it.
Prints the figures of each block and of each half of the phantoms with weights fitted on the others, the
reliability of those scores, and the weights of all together, for `veinscan/candidates/joint_score.py`.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from skimage.draw import polygon2mask

from training.data import Sample, block_of, read_all
from training.phantoms import read
from veinscan.candidates import joint, joint_score, network, score
from veinscan.candidates.agreed import agreed_outlines
from veinscan.candidates.detect import OVERLAP, PER_FRAME, apart, overlap
from veinscan.candidates.propose import prepare
from veinscan.enhance.grid import analysis_grid

Array = npt.NDArray[np.float64]

IMAGE_RANGE_MM, PHANTOM_RANGE_MM = (1.0, 16.0), (0.5, 8.0)
RIDGE, ROUNDS, WEAKEST = 0.02, 3, -5.0
LIMITS = (0.25, 0.5, 1.0, 2.0)
SIGNS = {"vessel": 1, "core": 1, "sharpness": 1, "nerve": -1, "classical": 1, "shadow": -1, "edge": -1}
"""Which way a column may speak: a weight of the other sign is chance."""

FIXED = {"open": joint_score.WEIGHTS["open"]}
"""Set by hand: few labelled pictures show bone."""

PHANTOM_SHARE = 0.3
"""What all phantoms weigh beside one block of images: chosen in the cross-validation from 0.3, 0.5 and 1."""

LARGEST = {"nerve": -1.5}
"""Largest weight allowed: the vessel map knows of nerves already, but a nerve is to count against by name."""


@dataclass(frozen=True, slots=True)
class Looked:
    """The pool of one image and what it hits."""

    outlines: Array
    """(n, k, 2) as they are scored."""
    fine: Array
    """(n, k, 2) as they are reported."""
    columns: Array
    """(n, 1 + columns), the first 1."""
    hits: npt.NDArray[np.int64]
    dice: Array
    nerve: npt.NDArray[np.bool_]
    vessels: int
    share: float = 1.0
    """What its set weighs."""


def use(onnx: Path, classical: Path) -> None:
    """Let the pool be made by these weights."""
    net = network.Network(onnx.read_bytes())
    network.shipped_network = lambda: net  # type: ignore[assignment]
    with np.load(classical) as table:
        layers = tuple(
            tuple(np.asarray(table[f"network{index}_{part}"], np.float64) for part in range(6))
            for index in range(int(table["networks"]))
        )
        fitted = score.Scorer(
            np.asarray(table["mean"], np.float64), np.asarray(table["deviation"], np.float64), layers
        )
    joint.shipped_scorer = lambda: fitted  # type: ignore[assignment]


def hit_of(outline: Array, sample: Sample) -> tuple[int, float, bool]:
    """Vessel an outline hits (0: none) by the scorer's rule, their Dice, and if its middle is on a nerve."""
    inside = polygon2mask(sample.components.shape, outline)  # type: ignore[no-untyped-call]
    if not inside.any():
        return 0, 0.0, False
    row, col = np.round(np.argwhere(inside).mean(axis=0)).astype(int)
    hit = int(sample.components[row, col])
    for index in np.unique(sample.components[inside]) if not hit else ():
        truth = sample.components == index
        if index and (inside & truth).sum() >= 0.3 * (inside | truth).sum():
            hit = int(index)
    truth = sample.components == hit
    dice = 2 * (inside & truth).sum() / (inside.sum() + truth.sum()) if hit else 0.0
    return hit, float(dice), bool(sample.nerve[row, col])


def look(sample: Sample, sizes: tuple[float, float], share: float = 1.0) -> Looked:
    """The pool of one image, judged."""
    grid = analysis_grid(sample.image.shape, (sample.mm, sample.mm), sizes[0])
    rows = (0, sample.image.shape[0]), (0, grid.grid_shape[0])
    prepared = prepare(sample.image.astype(np.float32), grid, sizes[1], rows[1])
    view = joint.network_view(sample.image, (sample.mm, sample.mm), grid, *rows)
    pool = joint.pool_of(prepared, view, sizes)
    fine = agreed_outlines(prepared, pool.outlines, pool.places)
    judged = [hit_of(grid.to_frame(one), sample) for one in fine]
    return Looked(
        pool.outlines,
        fine,
        np.concatenate([np.ones((len(fine), 1)), pool.columns], axis=1),
        np.array([hit for hit, _, _ in judged], np.int64),
        np.array([dice for _, dice, _ in judged]),
        np.array([nerve for _, _, nerve in judged], bool),
        len(np.unique(sample.components)) - 1,
        share,
    )


def kept_of(one: Looked, weights: Array) -> list[int]:
    """What a frame would report: the strongest that do not overlap."""
    logits = one.columns @ weights
    kept: list[int] = []
    for index in np.argsort(-logits, kind="stable").tolist():
        if logits[index] < WEAKEST or len(kept) >= PER_FRAME:
            break
        if all(overlap(one.outlines[index], one.outlines[other]) <= OVERLAP for other in kept):
            kept.append(index)
    return [kept[place] for place in apart(one.fine[kept])]


def logistic_fit(x: Array, y: Array, weight: Array) -> Array:
    """Ridge-regularised logistic weights of the signs allowed."""
    spread = np.where(x.std(axis=0) > 0, x.std(axis=0), 1.0)
    spread_free = np.concatenate([[0.0], spread[1:]])
    weight = weight / weight.sum()

    def cost(w: Array) -> tuple[float, Array]:
        z = x @ w
        p = 0.5 * (1 + np.tanh(0.5 * z))
        scaled = w * spread_free
        value = (weight * (np.logaddexp(0, z) - y * z)).sum() + RIDGE * float(scaled @ scaled) / 2
        return float(value), x.T @ (weight * (p - y)) + RIDGE * scaled * spread_free

    ranges = {1: (0.0, None), -1: (None, 0.0), 0: (None, None)}
    closed = {name: (value, value) for name, value in FIXED.items()}
    closed |= {name: (None, value) for name, value in LARGEST.items()}
    bounds = [
        (None, None),
        *(closed.get(name, ranges[SIGNS.get(name, 0)]) for name in joint.COLUMNS),
    ]
    start = np.zeros(x.shape[1])
    return np.asarray(minimize(cost, start, jac=True, method="L-BFGS-B", bounds=bounds).x, np.float64)


def fit(sets: list[list[Looked]]) -> Array:
    """Weights fitted on everything, then on what those would report, twice; each set weighs by its images."""
    weights = np.zeros(0)
    for _ in range(ROUNDS):
        x, y, share = [], [], []
        for part in sets:
            for one in part:
                kept = list(range(len(one.hits))) if not len(weights) else kept_of(one, weights)
                x.append(one.columns[kept])
                y.append(one.hits[kept] > 0)
                share.append(np.full(len(kept), one.share / len(part)))
        weights = logistic_fit(np.concatenate(x), np.concatenate(y).astype(float), np.concatenate(share))
    return weights


@dataclass(frozen=True, slots=True)
class Entry:
    """One reported outline."""

    logit: float
    image: tuple[str, int]
    hit: int
    dice: float
    nerve: bool


def entries_of(name: str, part: list[Looked], weights: Array) -> list[Entry]:
    """Everything that would be reported."""
    return [
        Entry(
            float(one.columns[index] @ weights),
            (name, number),
            int(one.hits[index]),
            float(one.dice[index]),
            bool(one.nerve[index]),
        )
        for number, one in enumerate(part)
        for index in kept_of(one, weights)
    ]


def curve(entries: list[Entry], images: int, vessels: int) -> tuple[str, list[tuple[float, float]]]:
    """Vessels found at so many false positives an image with their Dice, in words, and all points."""
    found: dict[tuple[tuple[str, int], int], float] = {}
    false, nerves = 0, 0
    line: dict[float, str] = {}
    points = []
    for entry in sorted(entries, key=lambda one: -one.logit):
        if entry.hit:
            key = entry.image, entry.hit
            found[key] = max(found.get(key, 0.0), entry.dice)
        else:
            false, nerves = false + 1, nerves + entry.nerve
        points.append((false / images, len(found) / vessels))
        for limit in LIMITS:
            if false / images <= limit:
                dice = float(np.mean(list(found.values()))) if found else 0.0
                words = f"(Dice {dice:.3f}, {nerves} of {false} on nerves)"
                line[limit] = f"{limit:g}: {len(found) / vessels:.3f} {words}"
    return "  ".join((*line.values(), f"ever: {len(found) / vessels:.3f}")), points


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--phantoms", type=Path, required=True)
    parser.add_argument("--folds", nargs="+", required=True, help="block:network.onnx:classical.npz")
    parser.add_argument("--json", type=Path, help="write the free-response points")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    shipped = network.shipped_network, joint.shipped_scorer
    frames = [look(sample, PHANTOM_RANGE_MM, PHANTOM_SHARE) for sample in read(args.phantoms)]
    halves = {"phantoms, even": frames[0::2], "phantoms, odd": frames[1::2]}
    blocks: dict[str, list[Looked]] = {}
    everything = read_all(args.data)
    for fold in args.folds:
        block, onnx, classical = fold.split(":")
        use(Path(onnx), Path(classical))
        these = [sample for sample in everything if block_of(int(sample.name)) == int(block)]
        blocks[f"block {block}"] = [look(sample, IMAGE_RANGE_MM) for sample in these]
    network.shipped_network, joint.shipped_scorer = shipped  # type: ignore[assignment]
    crossed: list[Entry] = []
    points: dict[str, list[tuple[float, float]]] = {}
    for name, part in (halves | blocks).items():
        phantoms = next(half for key, half in halves.items() if key != name) if name in halves else frames
        others = [block for key, block in blocks.items() if key != name]
        entries = entries_of(name, part, fit([phantoms, *others]))
        text, points[name] = curve(entries, len(part), sum(one.vessels for one in part))
        print(f"{name}: {text}", flush=True)
        crossed += entries if name in blocks else []
    every = [one for part in blocks.values() for one in part]
    text, points["all blocks"] = curve(crossed, len(every), sum(one.vessels for one in every))
    print(f"all blocks: {text}")
    for low in np.arange(0, 1, 0.1):
        scores = [(score.logistic(one.logit), one.hit > 0) for one in crossed]
        group = np.array([pair for pair in scores if low <= pair[0] < low + 0.1]).reshape(-1, 2)
        mean, share = group.mean(axis=0) if len(group) else (0.0, 0.0)
        print(f"  scored {low:.1f}..: {len(group)} outlines, mean {mean:.2f}, {share:.2f} vessels")
    if args.json:
        args.json.write_text(json.dumps(points))
    weights = fit([frames, *blocks.values()])
    print({name: round(float(w), 3) for name, w in zip(("prior", *joint.COLUMNS), weights, strict=True)})


if __name__ == "__main__":
    main()
