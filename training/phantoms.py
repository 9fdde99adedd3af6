"""Labelled frames of the project's own phantom, for training beside the real images.

    python -m training.phantoms --count 120 --out phantoms.npz

Seeds from FIRST_SEED on are for training alone; every test and benchmark uses smaller ones.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from training.data import Sample, sample_of

FIRST_SEED = 70_000
WIDTH_MM = 36.0
HEIGHT_MM = 30.0


def phantom_frames(seed: int) -> list[Sample]:
    """One or two labelled frames: mostly transverse, some lengthwise, pressed, or without a vessel."""
    from veinscan.phantom.clips import make_clip  # heavy, and training from a file needs none of it

    rng = np.random.default_rng(seed)
    spacing = float(np.exp(rng.uniform(np.log(0.05), np.log(0.12))))
    lengthwise = rng.random() < 0.2
    pressed = not lengthwise and rng.random() < 0.3
    frames, truth = make_clip(
        seed,
        "longitudinal" if lengthwise else "transverse",
        spacing_mm=spacing,
        shape=(round(HEIGHT_MM / spacing), round(WIDTH_MM / spacing)),
        n_frames=3 if pressed else 1,
        vessels=bool(rng.random() < 0.85),
    )
    samples = []
    for index in (0, len(frames) - 1) if pressed else (0,):
        components, nerve = (np.zeros(frames[index].shape, np.int32) for _ in range(2))
        for number, vessel in enumerate(truth["vessels"], start=1):
            entry = vessel["frames"].get(str(index))
            if entry is not None:
                polygon = np.round(np.asarray(entry["outline"])[:, ::-1]).astype(np.int32)
                cv2.fillPoly(nerve if vessel["type"] == "nerve" else components, [polygon], number)
        samples.append(sample_of(f"phantom-{seed}-{index}", frames[index], components, nerve > 0, spacing))
    return samples


def save(samples: list[Sample], path: Path) -> None:
    """All frames into one compressed file."""
    arrays: dict[str, np.ndarray] = {"mm": np.array([sample.mm for sample in samples])}
    for index, sample in enumerate(samples):
        arrays[f"image{index}"] = sample.image
        arrays[f"components{index}"] = sample.components.astype(np.uint8)
        arrays[f"nerve{index}"] = sample.nerve
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]


def read(path: Path) -> list[Sample]:
    """What `save` wrote."""
    with np.load(path) as held:
        return [
            sample_of(
                f"phantom-{index}",
                held[f"image{index}"],
                held[f"components{index}"].astype(np.int32),
                held[f"nerve{index}"],
                float(mm),
            )
            for index, mm in enumerate(held["mm"])
        ]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--count", type=int, default=120, help="clips")
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    samples = [
        sample
        for seed in range(args.first_seed, args.first_seed + args.count)
        for sample in phantom_frames(seed)
    ]
    save(samples, args.out)
    print(f"{len(samples)} frames")


if __name__ == "__main__":
    main()
