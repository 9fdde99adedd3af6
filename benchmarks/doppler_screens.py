"""The displayed edge on real screens against what the scanner printed, after a two-click calibration.

    python benchmarks/doppler_screens.py [FOLDER with the screens] [-o DIR for overlays]

What scanners print is the edge of the spectrum they show, so `Side.maximum` is compared; the 95th percentile
stands beside it.  So does the trace that the scanner itself drew, read off the picture by its colour and
averaged by the same rules: how far these (which beats, where end diastole is) are from the scanner's own.
"""

from __future__ import annotations

import argparse
import json
import sys
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d, median_filter
from scipy.signal import find_peaks

from veinscan.doppler import Strip, axes_from_clicks, draw_strip, read_strip, trace

CLICKS = {
    "ge-voluson-umbilical-pw.png": ((462, 61, 846, 1076), (499, 62.5), (45, 0), (813, 962.5), (-45, 3)),
    "ge-voluson-uterine-pw.png": ((270, 37, 472, 596), (276, 37.5), (100, 0), (466, 477.5), (-40, 3)),
    "sonosite-femoral-pw.png": ((166, 84, 414, 595), (200.5, 85.5), (120, 0), (400.5, 585.5), (-40, 10)),
    "mindray-dc8-pw-part-filled.png": ((510, 2, 780, 944), (547, 7), (100, 0), (711, 507), (0, 4)),
} | {
    f"ge-logiq-book-tibial-pw-{k}.png": ((262, 27, 436, 460), (293.5, 27), (100, -6), (408, 458), (0, 0))
    for k in range(7)
}
"""Box of the strip, then two clicks with what the burned-in axes say there (velocity, seconds)."""
TRACED = {"ge-voluson-umbilical-pw.png": (154, 997), "ge-voluson-uterine-pw.png": (117, 459)}
"""Columns over which the scanner drew its own trace."""


def strip_on(folder: Path, name: str) -> Strip:
    """The strip of a screen, by its two clicks."""
    box, *clicks = CLICKS[name]
    frame = cv2.imread(str(folder / name))[:, :, ::-1].copy()
    return read_strip(frame, axes_from_clicks(box, *clicks))


def indices(name: str, strip: Strip, curve: npt.NDArray[np.float64], rate: float) -> dict[str, float]:
    """PS, ED and TAmax (cm/s) of a curve over the columns that the scanner traced, as means of the beats."""
    inside = (strip.columns >= TRACED[name][0]) & (strip.columns <= TRACED[name][1])
    outer = median_filter(np.nan_to_num(curve), 5)[inside]
    beat = 60 / rate / strip.axes.time_step_s
    soft = gaussian_filter1d(outer, 2.0)
    tops = find_peaks(soft, distance=int(0.6 * beat), prominence=0.25 * np.ptp(soft))[0]
    lows = [outer[a:b].min() for a, b in pairwise(tops)]
    return {"PS": float(outer[tops].mean()), "ED": float(np.mean(lows)), "TAmax": float(outer.mean())}


def against_printed(
    folder: Path, name: str, strip: Strip, curve: npt.NDArray[np.float64]
) -> dict[str, tuple[float, float]]:
    """Measured and printed value of each index."""
    printed = json.loads((folder / "printed-values.json").read_text())[name]
    found = indices(name, strip, curve, printed["HR"]["value"])
    return {key: (value, printed[key]["value"]) for key, value in found.items()}


def drawn_by_scanner(folder: Path, name: str, strip: Strip) -> npt.NDArray[np.float64] | None:
    """(n,) the scanner's own trace; only where its colour is off the strip's map (grey strips)."""
    top, left, _, right = strip.axes.box
    rgb = cv2.imread(str(folder / name))[top : int(strip.axes.baseline_row) - 6, left:right, ::-1].astype(int)
    warm = (rgb[:, :, 0] - rgb[:, :, 2] > 60) & (rgb[:, :, 0] > 150)
    if warm.any(axis=0).mean() > 0.95:  # a brown map
        return None
    warm &= ~((rgb[:, :, 1] > 225) & (rgb[:, :, 2] < 60))  # marks of the peaks
    seen = np.flatnonzero(warm.any(axis=0))
    rows = [np.flatnonzero(warm[:, k]).mean() for k in seen]
    row = top + np.interp(strip.columns, left + seen, rows)
    return np.asarray((strip.axes.baseline_row - row) * strip.axes.value_step, dtype=np.float64)


def main(folder: Path, output: Path | None) -> None:
    for name, (box, *_) in CLICKS.items():
        strip = strip_on(folder, name)
        found = trace(strip)
        if output is not None:
            output.mkdir(parents=True, exist_ok=True)
            picture = draw_strip(strip, traces=found, maximum=True)
            cv2.imwrite(str(output / name), picture[:, :, ::-1])
        sys.stdout.write(f"{name:34s} {strip.columns.size} columns of {box[3] - box[1]}\n")
        if name not in TRACED:
            continue
        for what, curve in (
            ("edge", found.towards.maximum),
            ("95th percentile", found.towards.envelope),
            ("scanner's own trace", drawn_by_scanner(folder, name, strip)),
        ):
            if curve is not None:
                values = against_printed(folder, name, strip, curve)
                text = "  ".join(
                    f"{key} {value:.1f} (printed {wanted:.1f}, {100 * (value / wanted - 1):+.1f} %)"
                    for key, (value, wanted) in values.items()
                )
                sys.stdout.write(f"  {what:20s} {text}\n")


if __name__ == "__main__":
    here = Path(__file__).resolve().parents[2] / "shared" / "data" / "real-doppler"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=here)
    parser.add_argument("-o", "--output", type=Path)
    chosen = parser.parse_args()
    main(chosen.folder, chosen.output)
