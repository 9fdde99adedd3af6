"""Score trained weights on the blocks they have not seen, and fit the weights of the proposals' score.

    python -m training.evaluate --data ../shared/data/vessels --scorer ../shared/bench/score_vessels.py \
        --pairs fold0.pt:0 fold1.pt:1 fold2.pt:2 fold3.pt:3 [--fit]

Each pair is a file of weights and the block to look at (4 is the test block).  With --fit the logistic
weights are fitted in a cross-validation over the pairs (what is printed) and then on all (what is shipped).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import types
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import minimize

from training.data import Sample, block_of, read_all
from training.export import load
from training.model import Probabilities
from training.phantoms import read
from veinscan.candidates import network
from veinscan.candidates.model import Outline

LIMITS = (0.25, 0.5, 1.0, 2.0, 3.0)
RIDGE = 0.02
PHANTOM_BLOCK = 5
PHANTOM_FRAMES = 30


@dataclass(frozen=True, slots=True)
class Judged:
    """One proposal and what the scorer says of it."""

    image: str
    block: int
    features: dict[str, float]
    score: float
    hit: int
    on_nerve: bool
    dice: float


@dataclass(frozen=True, slots=True)
class Outlined:
    """What the scorer's judge reads."""

    polygon: Outline

    def outline(self, _frame: int) -> Outline:
        """The polygon."""
        return self.polygon


def read_scorer(path: Path) -> types.ModuleType:
    """The scorer's module from its file."""
    spec = importlib.util.spec_from_file_location("score_vessels", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def maps_of(
    net: Probabilities, image: npt.NDArray[np.uint8], spacing_mm: float, flip: bool
) -> network.LumenMaps:
    """As veinscan.candidates.network.lumen_maps, by torch."""

    def forward(padded: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        with torch.no_grad():
            return np.asarray(net(torch.from_numpy(padded[None, None]))[0].numpy(), np.float32)

    maps = network.averaged_maps(image, (spacing_mm, spacing_mm), forward)
    if not flip:
        return maps
    other = network.averaged_maps(np.ascontiguousarray(image[:, ::-1]), (spacing_mm, spacing_mm), forward)
    pairs = ((maps.vessel, other.vessel), (maps.nerve, other.nerve), (maps.core, other.core))
    vessel, nerve, core = (0.5 * (one + two[:, ::-1]) for one, two in pairs)
    return network.LumenMaps(vessel, nerve, core, maps.scale)


def judge_image(
    scorer: types.ModuleType, net: Probabilities, sample: Sample, *, shrink: float, flip: bool
) -> list[Judged]:
    """Every proposal of one image; `shrink` scales image and mask first (1 leaves them)."""
    image, components, nerve = sample.image, sample.components, sample.nerve
    if shrink != 1:
        size = (round(image.shape[1] * shrink), round(image.shape[0] * shrink))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA))
        components = cv2.resize(components, size, interpolation=cv2.INTER_NEAREST)
        nerve = cv2.resize(nerve.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    block = block_of(int(sample.name)) if sample.name.isdigit() else PHANTOM_BLOCK
    judged = []
    for proposal, features in network.proposals_of(maps_of(net, image, sample.mm, flip)):
        hit, on_nerve, mask = scorer.judge(Outlined(proposal.outline), components, nerve)
        truth = components == hit
        dice = 2 * (mask & truth).sum() / (mask.sum() + truth.sum()) if hit else 0.0
        judged.append(Judged(sample.name, block, features, proposal.score, hit, on_nerve, float(dice)))
    return judged


def curve(judged: list[Judged], samples: list[Sample]) -> dict[str, float]:
    """The scorer's figures: vessels found at so many false positives an image, Dice, share of nerves."""
    total = sum(len(np.unique(sample.components)) - 1 for sample in samples)
    found: dict[tuple[str, int], float] = {}
    false = nerves = 0
    result: dict[str, float] = {"images": len(samples), "vessels": total}
    points = []
    for one in sorted(judged, key=lambda entry: -entry.score):
        if one.hit:
            found[one.image, one.hit] = max(found.get((one.image, one.hit), 0.0), one.dice)
        else:
            false, nerves = false + 1, nerves + one.on_nerve
        dice = sum(found.values()) / max(len(found), 1)
        points.append((false / len(samples), len(found) / max(total, 1), one.score, nerves, dice, false))
    for limit in LIMITS:
        below = [point for point in points if point[0] <= limit]
        if below:
            result[f"at_{limit:g}"] = round(below[-1][1], 3)
            if limit in (0.25, 1.0):
                result[f"threshold_at_{limit:g}"] = round(below[-1][2], 3)
                result[f"dice_at_{limit:g}"] = round(below[-1][4], 3)
                result[f"nerve_share_at_{limit:g}"] = round(below[-1][3] / max(below[-1][5], 1), 2)
    result["ever"] = round(len(found) / max(total, 1), 3)
    return result


def table(judged: list[Judged]) -> npt.NDArray[np.float64]:
    """(n, features)."""
    return np.array([[one.features[name] for name in network.WEIGHTS_OF_SCORE] for one in judged])


def fit(judged: list[Judged]) -> npt.NDArray[np.float64]:
    """Ridge-regularised logistic weights for hit or not."""
    x, y = table(judged), np.array([one.hit > 0 for one in judged], float)
    spread = np.where(x.std(axis=0) > 0, x.std(axis=0), 1.0)

    def cost(w: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        z = x @ w
        p = 0.5 * (1 + np.tanh(0.5 * z))
        scaled = w * spread
        scaled[0] = 0.0
        value = np.mean(np.logaddexp(0, z) - y * z) + RIDGE * float(scaled @ scaled) / 2
        return float(value), x.T @ (p - y) / len(y) + RIDGE * scaled * spread

    return np.asarray(minimize(cost, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B").x)


def rescored(judged: list[Judged], weights: npt.NDArray[np.float64]) -> list[Judged]:
    """The same proposals scored by other weights."""
    scores = 0.5 * (1 + np.tanh(0.5 * (table(judged) @ weights)))
    return [
        Judged(one.image, one.block, one.features, float(score), one.hit, one.on_nerve, one.dice)
        for one, score in zip(judged, scores, strict=True)
    ]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--scorer", type=Path, required=True)
    parser.add_argument("--pairs", nargs="+", required=True, help="weights.pt:block")
    parser.add_argument("--shrink", type=float, default=1.0, help="make the vessels smaller by this factor")
    parser.add_argument("--flip", action="store_true", help="average with the mirrored image")
    parser.add_argument("--fit", action="store_true")
    parser.add_argument(
        "--phantoms", type=Path, help="frames that join the fit (not the figures): small lumens"
    )
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    scorer = read_scorer(args.scorer)
    everything = read_all(args.data)
    per_block: dict[int, list[Judged]] = {}
    seen: list[Sample] = []
    for pair in args.pairs:
        path, _, number = pair.rpartition(":")
        block, net = int(number), load(Path(path))
        samples = [sample for sample in everything if block_of(int(sample.name)) == block]
        judged = [
            one
            for sample in samples
            for one in judge_image(scorer, net, sample, shrink=args.shrink, flip=args.flip)
        ]
        per_block[block] = judged
        seen += samples
        print(block, json.dumps(curve(judged, samples)), flush=True)
    extra: list[Judged] = []
    if args.phantoms:
        net = load(Path(args.pairs[0].rpartition(":")[0]))
        frames = read(args.phantoms)[:PHANTOM_FRAMES]
        extra = [one for frame in frames for one in judge_image(scorer, net, frame, shrink=1.0, flip=False)]
    together = [one for judged in per_block.values() for one in judged]
    print("all", json.dumps(curve(together, seen)))
    if args.fit:
        crossed: list[Judged] = []
        for block, judged in per_block.items():
            others = [one for other, part in per_block.items() if other != block for one in part]
            crossed += rescored(judged, fit((others or judged) + extra))
        print("all, score fitted on the other blocks", json.dumps(curve(crossed, seen)))
        for low in np.arange(0, 1, 0.1):
            part = [one.hit > 0 for one in crossed if low <= one.score < low + 0.1]
            print(f"  scored {low:.1f}..: {len(part)} proposals, {np.mean(part) if part else 0:.2f} vessels")
        final = zip(network.WEIGHTS_OF_SCORE, fit(together + extra), strict=True)
        print("weights", {name: round(float(value), 3) for name, value in final})


if __name__ == "__main__":
    main()
