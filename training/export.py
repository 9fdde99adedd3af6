"""Write trained weights as ONNX and check that OpenCV's dnn gives what torch gives.

python -m training.export --weights final.pt --out veinscan/candidates/weights/lumen.onnx
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import onnx
import torch

from training.model import LumenNet, Probabilities

LARGEST_DIFFERENCE = 1e-3


def load(path: Path) -> Probabilities:
    """The network with its weights, ready to look at images."""
    net = LumenNet()
    net.load_state_dict(torch.load(path, weights_only=True))
    return Probabilities(net.eval()).eval()


def export(net: Probabilities, path: Path) -> None:
    """ONNX of opset 13; OpenCV 4.11 refuses free rows and columns, but it and 5 both reshape."""
    torch.onnx.export(
        net,
        (torch.zeros(1, 1, 128, 128),),
        str(path),
        input_names=["image"],
        output_names=["maps"],
        opset_version=13,
        dynamo=False,
    )
    model = onnx.load(str(path))
    onnx.helper.set_model_props(
        model,
        {
            "input": "grey 0..1 at 0.08 mm per pixel, rows and columns multiples of 64, padded with 0",
            "output": "background, vessel, nerve, core at half the input's resolution",
            "data": "usgra-seg by Timm Kandaouroff, CC BY 4.0; synthetic speckle phantoms",
        },
    )
    onnx.save(model, str(path))


def largest_difference(net: Probabilities, path: Path) -> float:
    """Over several sizes of input, between torch and OpenCV's dnn."""
    reader = cv2.dnn.readNetFromONNX(str(path))
    rng = np.random.default_rng(0)
    worst = 0.0
    for rows, cols in ((128, 192), (448, 512), (64, 64), (640, 832)):
        image = cv2.GaussianBlur(rng.random((rows, cols)).astype(np.float32), (0, 0), 3)
        image = np.clip(4 * (image - 0.3), 0, 1)
        reader.setInput(image[None, None])
        with torch.no_grad():
            wanted = net(torch.from_numpy(image[None, None])).numpy()
        worst = max(worst, float(np.abs(wanted - reader.forward()).max()))
    return worst


def save_reference(net: Probabilities, path: Path) -> None:
    """A small image and what torch makes of it, for the tests."""
    rows, cols = np.mgrid[0:64, 0:128].astype(float)
    stripes = 115 + 51 * np.sin(rows / 3) * np.cos(cols / 11)
    image = np.where(np.hypot(rows - 30, cols - 50) < 14, 13, stripes).astype(np.uint8)
    with torch.no_grad():
        maps = net(torch.from_numpy(image.astype(np.float32)[None, None] / 255))[0].numpy()
    np.savez_compressed(path, image=image, maps=maps.astype(np.float32))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--reference", type=Path, help="write a small image and its maps for the tests")
    args = parser.parse_args()
    net = load(args.weights)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    export(net, args.out)
    if args.reference:
        save_reference(net, args.reference)
    worst = largest_difference(net, args.out)
    print(f"{args.out.stat().st_size / 1e6:.2f} MB, OpenCV {cv2.__version__} differs by at most {worst:.1e}")
    if worst > LARGEST_DIFFERENCE:
        raise SystemExit(f"OpenCV and torch differ by {worst:.1e}, more than {LARGEST_DIFFERENCE:.0e}")


if __name__ == "__main__":
    main()
