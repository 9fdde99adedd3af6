"""Speed of the whole search against `skimage.filters.frangi` on the same frames in the same run.

    python -m benchmarks.search [--rounds 3] [--frames 100]

The sample study's transverse clip.  A still, a clip frame by frame, and a clip of 100 frames (the
sample's, forth and back) with the largest memory it takes beyond the frames.  Peer and parts are
timed in turn and medians taken; all cores that the process may use.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from skimage.filters import frangi

import veinscan
from veinscan.candidates import find_candidates
from veinscan.candidates.pipeline import threads_here

SAMPLE = Path(__file__).parents[1] / "sample_data" / "baseline"
METHODS: tuple[tuple[str, Literal["joint", "classical"]], ...] = (
    ("clip", "joint"),
    ("classical", "classical"),
)
SIGMAS = (2, 3, 4, 5, 6, 8)


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds of wall and of processor time."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return 1e3 * (time.perf_counter() - wall), 1e3 * (time.process_time() - processor)


def peak_mb() -> float:
    """Largest resident memory of the process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--frames", type=int, default=100)
    args = parser.parse_args()
    clip = veinscan.open_study(SAMPLE).clips[0]
    region = clip.picture_region
    if region is None or region.spacing_mm is None:
        raise SystemExit("the sample study has no calibrated picture: make it anew with make sample-data")
    row0, col0, row1, col1 = region.box
    spacing = region.spacing_mm
    frames = np.stack([clip.bmode(index)[row0:row1, col0:col1] for index in range(clip.n_frames)])
    order = np.abs((np.arange(args.frames) + len(frames) - 1) % (2 * len(frames) - 2) - (len(frames) - 1))
    scaled = frames[0].astype(np.float32) / 255

    def peer_call() -> object:
        return frangi(scaled, sigmas=SIGMAS, black_ridges=True)  # type: ignore[no-untyped-call]

    find_candidates(frames[:2], spacing)  # weights are read once
    few = peak_mb()
    taken: dict[str, list[tuple[float, float]]] = {"frangi": [], "still": [], "clip": [], "classical": []}
    for _ in range(args.rounds):
        taken["frangi"].append(timed(peer_call))
        taken["still"].append(timed(lambda: find_candidates(frames[:1], spacing)))
        for name, method in METHODS:
            wall, processor = timed(partial(find_candidates, frames, spacing, method=method))
            taken[name].append((wall / len(frames), processor / len(frames)))
    median = {name: np.median(times, axis=0) for name, times in taken.items()}
    print(
        f"{scaled.shape[1]} x {scaled.shape[0]}, {threads_here()} threads, medians of {args.rounds} in turn:"
    )
    for name, (wall, processor) in median.items():
        ratio = median["frangi"] / (wall, processor)
        print(
            f"  {name:10} {wall:7.1f} ms a frame ({processor:6.1f} of processor)  "
            f"{ratio[0]:5.1f}x frangi (of processor time {ratio[1]:.1f}x)"
        )
    before = peak_mb()
    long = frames[order]
    peers = [timed(peer_call)]
    whole = timed(lambda: find_candidates(long, spacing))
    peers.append(timed(peer_call))
    peer = np.mean(peers, axis=0)
    print(
        f"  {args.frames} frames: {whole[0] / 1e3:.1f} s, as {whole[0] / peer[0]:.1f} calls of frangi "
        f"(of processor time {whole[1] / peer[1]:.1f})"
    )
    grown = peak_mb() - max(before, few) - long.nbytes / 2**20
    more = f"{max(grown, 0.0):.0f} MB more after {args.frames}"
    print(f"  memory: {before:.0f} MB after {len(frames)} frames, {more}")


if __name__ == "__main__":
    main()
