"""Speed of `vesselness` against `skimage.filters.frangi` on the same frame in the same run.

    python -m benchmarks.vesselness [--rounds 5] [--threads 1]

1024 x 768, sizes equivalent to sigmas 2, 3, 4, 5, 6 and 8 px, every pixel analysed (a spacing that
the grid keeps).  Then the usual case: 0.5 to 8 mm on frames of usual spacing, where the grid is
coarser than the frame.  Peer and parts are timed in turn and medians taken; wall and processor time.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import cv2
import numpy as np
from skimage.filters import frangi

from veinscan.enhance import vesselness
from veinscan.enhance.api import SIGMA_PER_DIAMETER
from veinscan.enhance.grid import GRID_MM
from veinscan.enhance.medial import AXES, READINGS, diameters_between, level_of
from veinscan.phantom.clips import make_clip

SIGMAS = (2, 3, 4, 5, 6, 8)
SHAPE = (768, 1024)
PASSES = {"exact": 9, "live": 8}
"""Passes over the picture for one axis of one size, each of two reads and a write."""


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds of wall and of processor time."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return 1e3 * (time.perf_counter() - wall), 1e3 * (time.process_time() - processor)


def bytes_touched(grade: str, sizes: tuple[float, float], pixel_mm: float) -> float:
    """Bytes that the passes over axes and sizes read and write (reads of caches included)."""
    reading = READINGS[grade]
    total = 0.0
    for size in diameters_between(*sizes):
        level = level_of(size, pixel_mm, reading.pixels_across, 8)
        places = SHAPE[0] * SHAPE[1] / 4**level
        if size / pixel_mm / 2**level >= reading.every_other_from:
            places /= 4
        total += places * AXES * PASSES[grade] * 3 * (2 if reading.fixed_point else 4)
    return total


def copy_bandwidth() -> float:
    """Bytes a second read and written by a copy of 8 MB, the best of many."""
    source = np.ones(8 << 18, np.float32)
    target = np.empty_like(source)
    best = min(timed(lambda: np.copyto(target, source))[0] for _ in range(30))
    return 2 * source.nbytes / (best / 1e3)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, help="threads of OpenCV, its own choice when not given")
    args = parser.parse_args()
    if args.threads:
        cv2.setNumThreads(args.threads)
    frame = make_clip(5, "transverse", spacing_mm=0.05, shape=SHAPE, n_frames=1)[0][0]
    scaled = frame.astype(np.float32) / 255
    wide = SIGMAS[0] / SIGMA_PER_DIAMETER * GRID_MM, SIGMAS[-1] / SIGMA_PER_DIAMETER * GRID_MM
    small = np.ascontiguousarray(cv2.resize(frame, (640, 480), interpolation=cv2.INTER_AREA))

    def peer() -> object:
        return frangi(scaled, sigmas=SIGMAS, black_ridges=True)  # type: ignore[no-untyped-call]

    works: dict[str, Callable[[], object]] = {
        "frangi": peer,
        "exact, every pixel": lambda: vesselness(frame, GRID_MM, wide),
        "live, every pixel": lambda: vesselness(frame, GRID_MM, wide, grade="live"),
        "exact, 0.05 mm, 0.5 to 8 mm": lambda: vesselness(frame, 0.05),
        "live, 0.05 mm, 0.5 to 8 mm": lambda: vesselness(frame, 0.05, grade="live"),
        "live, 0.08 mm, 0.5 to 8 mm": lambda: vesselness(frame, 0.08, grade="live"),
        "live, 640 x 480, 0.08 mm": lambda: vesselness(small, 0.08, grade="live"),
    }
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for _ in range(args.rounds):
        for name, work in works.items():
            taken[name].append(timed(work))
    median = {name: np.median(times, axis=0) for name, times in taken.items()}
    threads = cv2.getNumThreads()
    print(f"{SHAPE[1]} x {SHAPE[0]}, {threads} threads of OpenCV, medians of {args.rounds} in turn:")
    for name, (wall, processor) in median.items():
        ratio = median["frangi"] / (wall, processor)
        print(
            f"  {name:28} {wall:7.1f} ms ({processor:7.1f} of processor)  {ratio[0]:5.1f}x ({ratio[1]:.1f}x)"
        )
    exact, live = (vesselness(frame, GRID_MM, wide, grade=grade) for grade in ("exact", "live"))
    print(f"  live against exact: correlation {np.corrcoef(exact.ravel(), live.ravel())[0, 1]:.4f}")
    bandwidth = copy_bandwidth()
    for grade in ("exact", "live"):
        touched = bytes_touched(grade, wide, GRID_MM)
        limit = 1e3 * touched / bandwidth
        times = median[f"{grade}, every pixel"][1] / limit
        print(
            f"  {grade}: {touched / 1e6:.0f} MB read and written take {limit:.1f} ms at the "
            f"{bandwidth / 1e9:.0f} GB/s of a warm copy; it takes {times:.1f} times that"
        )


if __name__ == "__main__":
    main()
