"""Fit the weights of the classical score on images with expert masks and on phantoms.

    python training/fit_classical.py DATA [--below 182] [-o veinscan/candidates/classical.npz]

DATA holds images/NNNN.png and masks/NNNN.png (green: vessel).  Images numbered
`below` or more are left out: they show other volunteers and are for testing.
The images carry no pixel size, and leg veins are smaller than their vessels, so
each is taken at two sizes of a pixel; phantoms of random pixel size, transverse
and longitudinal, weigh as much as each of those.

A ring counts as a vessel when it overlaps one with an IoU of 0.5 or more; one
that hits a vessel with less is left out; all others are not vessels.  Seeded:
the same data give the same weights on the same machine.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from skimage.draw import polygon2mask
from skimage.measure import label

from veinscan.candidates.features import NAMES
from veinscan.candidates.propose import prepare, propose
from veinscan.candidates.refine import refine_outlines
from veinscan.candidates.score import CUT
from veinscan.enhance.grid import analysis_grid
from veinscan.phantom import make_clip

Array = npt.NDArray[np.float64]
Masks = list[npt.NDArray[np.bool_]]

SPACINGS_MM = (0.07, 0.03)
"""0.07 makes the median vessel about 7 mm wide, 0.03 about 3 mm."""

RANGE_PX = (14.0, 230.0)
"""Diameters looked for in the images, in their pixels."""

PHANTOM_SEEDS = range(1000, 1060)
PHANTOM_RANGE_MM = (0.5, 8.0)

HIT_IOU = 0.5

NETWORKS, HIDDEN, EPOCHS, BATCH, RATE, RIDGE, JITTER = 3, (48, 24), 40, 256, 3e-3, 1e-4, 0.1


def images(data: Path, below: int) -> Iterator[tuple[npt.NDArray[np.uint8], Masks]]:
    """Grey pictures and the masks of their vessels; specks of the colouring are left out."""
    for path in sorted((data / "images").glob("*.png")):
        if int(path.stem) >= below:
            continue
        grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        colours = cv2.imread(str(data / "masks" / path.name), cv2.IMREAD_COLOR).astype(int)
        parts = label((colours[..., 1] > 64) & (colours[..., 2] < 64))
        masks = [parts == index for index in range(1, parts.max() + 1)]
        yield grey, [mask for mask in masks if mask.sum() >= 60]


def phantoms() -> Iterator[tuple[npt.NDArray[np.uint8], Masks, float]]:
    """Frames of phantoms with the masks of their veins and arteries, and the pixel size in mm."""
    for seed in PHANTOM_SEEDS:
        spacing = round(float(np.random.default_rng(seed).uniform(0.05, 0.12)), 3)
        shape = int(32 / spacing), int(38 / spacing)
        kind = "longitudinal" if seed % 3 == 2 else "transverse"
        frames, truth = make_clip(seed, kind, n_frames=1, spacing_mm=spacing, shape=shape)
        entries = [vessel["frames"].get("0") for vessel in truth["vessels"] if vessel["type"] != "nerve"]
        masks = [polygon2mask(shape, np.array(entry["outline"])) for entry in entries if entry]
        yield frames[0], [mask for mask in masks if mask.sum() > 8], spacing


def rings(
    grey: npt.NDArray[np.uint8], vessels: Masks, spacing: float, sizes: tuple[float, float]
) -> tuple[Array, Array, Array]:
    """Features, labels (1 vessel, 0 not) and weights (0: left out) of every ring of a picture."""
    grid = analysis_grid(grey.shape, (spacing, spacing), sizes[0])
    prepared = prepare(grey.astype(np.float32), grid, sizes[1])
    found = propose(prepared, sizes)
    if not len(found.features):
        return np.zeros((0, len(NAMES))), np.zeros(0), np.zeros(0)
    fine = refine_outlines(prepared.image, found.outlines, found.shapes.centre, grid.pixel_mm)
    labels, weights = np.zeros(len(fine)), np.ones(len(fine))
    for index, outline in enumerate(fine):
        ring = np.zeros(grey.shape, np.uint8)
        cv2.fillPoly(ring, [np.round(grid.to_frame(outline)[:, ::-1]).astype(np.int32)], 1)
        inside = ring > 0
        if not inside.any():
            continue
        ious = [float((inside & mask).sum() / (inside | mask).sum()) for mask in vessels]
        middle = tuple(np.round(np.argwhere(inside).mean(axis=0)).astype(int))
        best = max(ious, default=0.0)
        labels[index] = best >= HIT_IOU
        if best < HIT_IOU and (best >= 0.3 or any(mask[middle] for mask in vessels)):
            weights[index] = 0.0
    return found.features, labels, weights


def joined(parts: list[tuple[Array, Array, Array]]) -> tuple[Array, Array, Array]:
    """One source's rings, weighing 1 together."""
    features, labels, weights = (np.concatenate(column) for column in zip(*parts, strict=True))
    return features, labels, weights / weights.sum()


def train(z: Array, labels: Array, weights: Array, seed: int) -> list[Array]:
    """One network by Adam with a cosine rate; noise on the inputs keeps it smooth."""
    rng = np.random.default_rng(seed)
    first, second = HIDDEN
    prior = np.average(labels, weights=weights)
    table: list[Array] = [
        rng.normal(0, 1 / np.sqrt(z.shape[1]), (z.shape[1], first)),
        np.zeros(first),
        rng.normal(0, 1 / np.sqrt(first), (first, second)),
        np.zeros(second),
        rng.normal(0, 0.1, second),
        np.array(np.log(prior / (1 - prior))),
    ]
    speed, square = [np.zeros_like(part) for part in table], [np.zeros_like(part) for part in table]
    steps = EPOCHS * (len(z) // BATCH)
    for step in range(steps):
        if step % (len(z) // BATCH) == 0:
            order = rng.permutation(len(z))
        chosen = order[(step % (len(z) // BATCH)) * BATCH :][:BATCH]
        x = z[chosen] + rng.normal(0, JITTER, (BATCH, z.shape[1]))
        a = np.tanh(x @ table[0] + table[1])
        b = np.tanh(a @ table[2] + table[3])
        error = (1 / (1 + np.exp(-(b @ table[4] + table[5]))) - labels[chosen]) * weights[chosen] / BATCH
        to_b = error[:, None] * table[4] * (1 - b**2)
        to_a = to_b @ table[2].T * (1 - a**2)
        slopes = [x.T @ to_a, to_a.sum(0), a.T @ to_b, to_b.sum(0), b.T @ error, error.sum()]
        rate = RATE * 0.5 * (1 + np.cos(np.pi * step / steps))
        for part, slope in enumerate(slopes):
            speed[part] = 0.9 * speed[part] + 0.1 * slope
            square[part] = 0.999 * square[part] + 0.001 * np.square(slope)
            move = speed[part] / (1 - 0.9 ** (step + 1))
            move = move / (np.sqrt(square[part] / (1 - 0.999 ** (step + 1))) + 1e-8)
            decay = RIDGE * table[part] if part in (0, 2, 4) else 0.0
            table[part] = table[part] - rate * (move + decay)
    return table


def main() -> None:
    """Collect the rings, fit the networks, write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--below", type=int, default=182)
    home = Path(__file__).parents[1] / "veinscan" / "candidates" / "classical.npz"
    parser.add_argument("-o", "--output", type=Path, default=home)
    args = parser.parse_args()
    sources = []
    for spacing in SPACINGS_MM:
        sizes = RANGE_PX[0] * spacing, RANGE_PX[1] * spacing
        sources.append(joined([rings(*one, spacing, sizes) for one in images(args.data, args.below)]))
        print(f"images at {spacing} mm: {len(sources[-1][1])} rings, {int(sources[-1][1].sum())} vessels")
    sources.append(joined([rings(*one, PHANTOM_RANGE_MM) for one in phantoms()]))
    print(f"phantoms: {len(sources[-1][1])} rings, {int(sources[-1][1].sum())} vessels")
    features, labels, weights = (np.concatenate(column) for column in zip(*sources, strict=True))
    mean = np.average(features, axis=0, weights=weights)
    deviation = np.sqrt(np.average((features - mean) ** 2, axis=0, weights=weights)) + 1e-6
    z = np.clip((features - mean) / deviation, -CUT, CUT)
    used = weights > 0
    weights = weights[used] / weights[used].mean()
    table: dict[str, npt.ArrayLike] = {
        "features": np.array(NAMES),
        "trained_on": np.array(f"usgra-seg below number {args.below} at {SPACINGS_MM} mm, phantoms"),
        "networks": np.array(NETWORKS),
        "mean": mean.astype(np.float32),
        "deviation": deviation.astype(np.float32),
    }
    for network in range(NETWORKS):
        for part, values in enumerate(train(z[used], labels[used], weights, network)):
            table[f"network{network}_{part}"] = np.asarray(values, np.float32)
    np.savez_compressed(args.output, **table)
    print(f"{args.output.name}: {args.output.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
