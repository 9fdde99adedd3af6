"""Draw proposals over the images of a block, or over any folder of pictures, as one contact sheet.

python -m training.look --weights fold0.pt --data ../shared/data/vessels --block 0 --out sheet.png
python -m training.look --weights final.pt --folder ../shared/data/unlabelled-groin --out sheet.png
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch

from training.data import ASSUMED_MM, block_of, read_all
from training.evaluate import maps_of
from training.export import load
from training.model import Probabilities
from veinscan.candidates import network

TILE = 320
TRUE, FOUND = (0, 200, 0), (0, 220, 255)


def tile(
    net: Probabilities,
    name: str,
    image: npt.NDArray[np.uint8],
    truth: npt.NDArray[np.int32] | None,
    least: float,
) -> npt.NDArray[np.uint8]:
    """(TILE, TILE, 3): green the expert's outline, yellow the proposals with their scores."""
    scale = TILE / max(image.shape)
    drawn = cv2.cvtColor(
        cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), cv2.COLOR_GRAY2BGR
    )
    if truth is not None:
        for index in np.unique(truth[truth > 0]):
            rims, _ = cv2.findContours(
                (truth == index).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
            )
            for rim in rims:
                cv2.polylines(drawn, [np.round(rim * scale).astype(np.int32)], True, TRUE, 1)
    for proposal, _ in network.proposals_of(maps_of(net, image, ASSUMED_MM, False)):
        if proposal.score >= least:
            line = np.round(proposal.outline[:, ::-1] * scale).astype(np.int32)
            cv2.polylines(drawn, [line], True, FOUND, 1)
            x, y = (int(v) for v in line.mean(axis=0))
            cv2.putText(drawn, f"{proposal.score:.2f}", (x - 14, y + 4), 0, 0.35, FOUND, 1)
    out = np.zeros((TILE, TILE, 3), np.uint8)
    out[: drawn.shape[0], : drawn.shape[1]] = drawn
    cv2.putText(out, name, (3, TILE - 5), 0, 0.4, (255, 255, 255), 1)
    return out


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--block", type=int, default=4)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--every", type=int, default=1, help="every n-th picture of the folder")
    parser.add_argument("--least", type=float, default=0.15, help="lowest score drawn")
    parser.add_argument("--across", type=int, default=6)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    net = load(args.weights)
    if args.data:
        pictures = [
            (sample.name, sample.image, sample.components)
            for sample in read_all(args.data)
            if block_of(int(sample.name)) == args.block
        ]
    else:
        paths = sorted(path for path in args.folder.iterdir() if path.suffix in (".jpg", ".png"))
        pictures = [
            (path.stem, cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), None) for path in paths[:: args.every]
        ]
    tiles = [tile(net, *picture, args.least) for picture in pictures]
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % args.across)
    rows = [np.hstack(tiles[i : i + args.across]) for i in range(0, len(tiles), args.across)]
    cv2.imwrite(str(args.out), np.vstack(rows))


if __name__ == "__main__":
    main()
