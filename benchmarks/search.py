"""Speed of the whole search against `skimage.filters.frangi` on the same frames in the same run.

    python -m benchmarks.search [--rounds 3] [--frames 100]

`find_in_clip` on the sample study's transverse clip: its first frame alone, the clip, and a clip of 100
frames (the sample's, forth and back) with the largest memory it takes beyond that.  Reading and
decoding the frames is in it.  Peer and parts are timed in turn and medians taken; all cores that the
process may use.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
from skimage.filters import frangi

import veinscan
from veinscan.candidates import FinderSettings, find_in_clip
from veinscan.candidates.pipeline import threads_here
from veinscan.dicom import Clip

SAMPLE = Path(__file__).parents[1] / "sample_data" / "baseline"
SIGMAS = (2, 3, 4, 5, 6, 8)


class Reordered:
    """A clip of some frames of another, in any order and as often as wanted."""

    def __init__(self, clip: Clip, order: Sequence[int]) -> None:
        self._clip = clip
        self._order = list(order)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._clip, name)

    @property
    def n_frames(self) -> int:
        return len(self._order)

    def bmode(self, index: int) -> Any:
        return self._clip.bmode(self._order[index])

    def frame(self, index: int) -> Any:
        return self._clip.frame(self._order[index])


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
    scaled = clip.bmode(0)[row0:row1, col0:col1].astype(np.float32) / 255
    count = clip.n_frames
    back_and_forth = np.abs((np.arange(args.frames) + count - 1) % (2 * count - 2) - (count - 1))

    def peer_call() -> object:
        return frangi(scaled, sigmas=SIGMAS, black_ridges=True)  # type: ignore[no-untyped-call]

    def search(order: Sequence[int], method: str = "joint") -> object:
        settings = FinderSettings(method=method)  # type: ignore[arg-type]
        return find_in_clip(cast(Clip, Reordered(clip, order)), settings)

    search(range(2))  # weights are read once
    few = peak_mb()
    parts: dict[str, tuple[int, Callable[[], object]]] = {
        "frangi": (1, peer_call),
        "still": (1, partial(search, [0])),
        "clip": (count, partial(search, range(count))),
        "classical": (count, partial(search, range(count), "classical")),
    }
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in parts}
    for _ in range(args.rounds):
        for name, (frames, work) in parts.items():
            wall, processor = timed(work)
            taken[name].append((wall / frames, processor / frames))
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
    peers = [timed(peer_call)]
    whole = timed(partial(search, back_and_forth.tolist()))
    peers.append(timed(peer_call))
    peer = np.mean(peers, axis=0)
    print(
        f"  {args.frames} frames: {whole[0] / 1e3:.1f} s, as {whole[0] / peer[0]:.1f} calls of frangi "
        f"(of processor time {whole[1] / peer[1]:.1f})"
    )
    more = f"{max(peak_mb() - max(before, few), 0.0):.0f} MB more after {args.frames}"
    print(f"  memory: {before:.0f} MB after {count} frames, {more}")


if __name__ == "__main__":
    main()
