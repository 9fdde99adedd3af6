"""Fit the weights of the classical score on images with expert masks.

    python training/fit_classical.py DATA [--first 0] [--last 132] [-o veinscan/candidates/classical.json]

DATA holds images/*.png and masks/*.png (green: vessel).  The images numbered
`first` to `last` (half-open, in the order of their names) are used, each at
several pixel spacings: the data give none, and leg veins are smaller than the
vessels of the images, so the score must not lean on their size.

A ring counts as a vessel when it overlaps one with an IoU of 0.5 or more; one
that hits a vessel with less is left out; all others are not vessels.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from skimage.draw import polygon2mask
from skimage.measure import label

from veinscan.candidates.features import NAMES
from veinscan.candidates.propose import prepare, propose
from veinscan.candidates.score import CUT
from veinscan.enhance.grid import analysis_grid

Array = npt.NDArray[np.float64]

SPACINGS_MM = (0.07, 0.03)
"""0.07 makes the median vessel about 7 mm wide, 0.03 about 3 mm."""

RANGE_PX = (14.0, 230.0)
"""Diameters looked for, in pixels of the images."""

RIDGE = 1e-3
HIT_IOU = 0.5


def load(image: Path, mask: Path) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """A grey picture and its labelled vessels; specks of the colouring are left out."""
    grey = cv2.imread(str(image), cv2.IMREAD_GRAYSCALE)
    colours = cv2.imread(str(mask), cv2.IMREAD_COLOR).astype(int)
    parts = label((colours[..., 1] > 64) & (colours[..., 2] < 64))
    for index in range(1, parts.max() + 1):
        if (parts == index).sum() < 60:
            parts[parts == index] = 0
    return grey, parts


def collect(data: Path, first: int, last: int, spacing: float) -> tuple[Array, Array, Array]:
    """Features, labels (1 vessel, 0 not) and weights (0: left out) of every ring of the images."""
    features, labels, weights = [], [], []
    for path in sorted((data / "images").glob("*.png"))[first:last]:
        grey, vessels = load(path, data / "masks" / path.name)
        sizes = (RANGE_PX[0] * spacing, RANGE_PX[1] * spacing)
        grid = analysis_grid(grey.shape, (spacing, spacing), sizes[0])
        found = propose(prepare(grey.astype(np.float32), grid, sizes[1]), sizes)
        for row, outline in zip(found.features, found.outlines, strict=True):
            ring = polygon2mask(grey.shape, grid.to_frame(outline))
            best, hit = 0.0, False
            for index in np.unique(vessels[ring]) if ring.any() else ():
                if index:
                    truth = vessels == index
                    best = max(best, float((ring & truth).sum() / (ring | truth).sum()))
            if ring.any():
                middle = np.round(np.argwhere(ring).mean(axis=0)).astype(int)
                hit = bool(vessels[tuple(middle)]) or best >= 0.3
            features.append(row)
            labels.append(float(best >= HIT_IOU))
            weights.append(0.0 if hit and best < HIT_IOU else 1.0)
    return np.array(features), np.array(labels), np.array(weights)


def fit(features: Array, labels: Array, weights: Array) -> dict[str, object]:
    """Ridge logistic regression on standardised features and their squares; the table of the package."""
    mean, deviation = features.mean(axis=0), features.std(axis=0) + 1e-6
    z = np.clip((features - mean) / deviation, -CUT, CUT)
    design = np.concatenate([z, z**2, np.ones((len(z), 1))], axis=1)
    total = weights.sum()

    def loss(table: Array) -> tuple[float, Array]:
        logit = design @ table
        error = (1 / (1 + np.exp(-logit)) - labels) * weights
        value = (weights * (np.logaddexp(0, logit) - labels * logit)).sum() / total
        penalty = np.r_[table[:-1], 0.0]
        return value + RIDGE / 2 * penalty @ penalty, design.T @ error / total + RIDGE * penalty

    table = minimize(loss, np.zeros(design.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    count = len(NAMES)
    rows = [
        {
            "feature": name,
            "mean": round(float(mean[i]), 5),
            "deviation": round(float(deviation[i]), 5),
            "linear": round(float(table[i]), 5),
            "squared": round(float(table[count + i]), 5),
        }
        for i, name in enumerate(NAMES)
    ]
    return {"features": rows, "intercept": round(float(table[-1]), 5)}


def main() -> None:
    """Collect, fit and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--last", type=int, default=132)
    home = Path(__file__).parents[1] / "veinscan" / "candidates" / "classical.json"
    parser.add_argument("-o", "--output", type=Path, default=home)
    args = parser.parse_args()
    parts = [collect(args.data, args.first, args.last, spacing) for spacing in SPACINGS_MM]
    features, labels, weights = (np.concatenate(column) for column in zip(*parts, strict=True))
    table = {
        "version": 1,
        "trained_on": f"usgra-seg, images {args.first} to {args.last - 1} in order of their names",
        "spacings_mm": SPACINGS_MM,
        "rings": len(labels),
        "vessel_rings": int(labels.sum()),
    } | fit(features, labels, weights)
    args.output.write_text(json.dumps(table, indent=1) + "\n", "utf-8")
    print(f"{args.output}: {len(labels)} rings, {int(labels.sum())} of them vessels")


if __name__ == "__main__":
    main()
