"""Veins of unseen phantom clips: found by diameter band, diameter and depth errors, false positives a clip.

    python -m benchmarks.find_phantoms [--clips 24] [--first-seed 3000] [--method joint] [--json points.json]

Half the clips move for six frames; every sixth holds no vessel, every seventh is longitudinal.
A candidate hits the vein its centre lies in, on its best frame.  Errors are of the
strongest candidate on each.  Arteries are told apart: their wall has layers, and the outer one is measured.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import cv2
import numpy as np

from veinscan.candidates import find_candidates
from veinscan.phantom.clips import make_clip

BANDS = ((0.5, 1.0), (1.0, 2.0), (2.0, 3.0), (3.0, 6.0), (6.0, 12.0))
LIMITS = (0.25, 0.5, 1.0, 2.0)
USUAL = 0.3
"""A score from which a candidate is worth a look."""


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--clips", type=int, default=24)
    parser.add_argument("--first-seed", type=int, default=3000)
    parser.add_argument("--method", choices=("joint", "classical"), default="joint")
    parser.add_argument("--json", type=Path, help="write the free-response points")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    judged: list[tuple[float, int, str | None, float, float, float]] = []
    widths: dict[tuple[int, str], float] = {}
    arteries: set[tuple[int, str]] = set()
    empty: list[int] = []
    frames_seen, seconds = 0, 0.0
    for number in range(args.clips):
        seed = args.first_seed + number
        spacing = float(np.exp(np.random.default_rng(seed).uniform(np.log(0.05), np.log(0.12))))
        none = number % 6 == 5
        frames, truth = make_clip(
            seed,
            "longitudinal" if number % 7 == 6 and not none else "transverse",
            spacing_mm=spacing,
            shape=(round(30 / spacing), round(36 / spacing)),
            n_frames=6 if number % 2 else 1,
            vessels=not none,
        )
        vessels = [one for one in truth["vessels"] if one["type"] != "nerve" and one["frames"]]
        if not vessels:
            empty.append(number)
        for one in vessels:
            sizes = [entry["diameter_mm"] for entry in one["frames"].values()]
            widths[number, one["name"]] = float(np.median(sizes))
            if one["type"] == "artery":
                arteries.add((number, one["name"]))
        start = time.process_time()
        found = find_candidates(
            frames, spacing, skin_row=float(truth.get("skin_row", 0) or 0), method=args.method
        )
        seconds += time.process_time() - start
        frames_seen += len(frames)
        for candidate in found:
            row, col = candidate.centre(candidate.best_frame)
            hit, wrong, deep = None, np.nan, np.nan
            for one in vessels:
                entry = one["frames"].get(str(candidate.best_frame))
                if entry is None:
                    continue
                outline = np.asarray(entry["outline"], np.float32)[:, None, ::-1]
                if cv2.pointPolygonTest(np.ascontiguousarray(outline), (col, row), False) >= 0:
                    hit = one["name"]
                    wrong = candidate.diameter_mm - entry["diameter_mm"]
                    deep = candidate.depth_mm - entry["depth_mm"]
            judged.append((candidate.score, number, hit, wrong, deep, candidate.diameter_mm))
    judged.sort(key=lambda entry: -entry[0])
    points: list[tuple[float, float, float]] = []
    best: dict[tuple[int, str], float] = {}
    wrongs: dict[tuple[int, str], tuple[float, float]] = {}
    false = 0
    for score, number, hit, wrong, deep, _ in judged:
        if hit is None:
            false += 1
        elif (number, hit) not in best:
            best[number, hit], wrongs[number, hit] = score, (abs(wrong), abs(deep))
        points.append((false / args.clips, len(best) / max(len(widths), 1), score))
    print(
        f"{args.method}: {args.clips} clips, {len(widths)} vessels, {frames_seen} frames, "
        f"{1e3 * seconds / frames_seen:.0f} ms of processor time a frame"
    )
    for limit in LIMITS:
        below = [point for point in points if point[0] <= limit]
        if below:
            print(f"  at {limit:g} a clip: {below[-1][1]:.3f} found, score from {below[-1][2]:.3f}")
    threshold = next((point[2] for point in points if point[0] > 0.5), 0.0)
    rows = [
        (
            f"veins of {low:g} to {high:g} mm",
            {key for key, value in widths.items() if low <= value < high} - arteries,
        )
        for low, high in BANDS
    ]
    for name, these in (*rows, ("arteries", arteries)):
        hits = sum(best.get(key, -1.0) > threshold for key in these)
        errors = [wrongs[key] for key in these if best.get(key, -1.0) > threshold]
        mean = np.mean(errors, axis=0) if errors else (np.nan, np.nan)
        print(f"  {name}: {hits} of {len(these)}; mean error {mean[0]:.2f} mm wide, {mean[1]:.2f} mm deep")
    veins = {key for key, value in widths.items() if 1 <= value < 6} - arteries
    for score_from in (USUAL, threshold):
        hits = sum(best.get(key, -1.0) > score_from for key in veins)
        wrong_ones = [(number, s) for s, number, hit, *_ in judged if hit is None and s > score_from]
        touched = {number for number, _ in wrong_ones} & set(empty)
        print(
            f"  above {score_from:.3f}: {hits} of {len(veins)} veins of 1 to 6 mm, "
            f"{len(wrong_ones) / args.clips:.2f} false ones a clip, "
            f"{len(touched)} of {len(empty)} empty clips show one"
        )
    print(f"  strongest false ones {[round(s, 2) for s, _, h, *_ in judged if h is None][:8]}")
    if args.json:
        args.json.write_text(json.dumps([point[:2] for point in points]))


if __name__ == "__main__":
    main()
