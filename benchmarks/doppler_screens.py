"""The envelope on real screens against what the scanner printed, after a two-click calibration.

    python benchmarks/doppler_screens.py [FOLDER with the screens] [-o DIR for overlays]

The umbilical picture was used to set `OUTER_SHARE`; the uterine one was not.
"""

from __future__ import annotations

import argparse
import json
import sys
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d, median_filter
from scipy.signal import find_peaks

from veinscan.doppler import axes_from_clicks, draw_strip, read_strip, trace

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


def main(folder: Path, output: Path | None) -> None:
    printed = json.loads((folder / "printed-values.json").read_text())
    for name, (box, *clicks) in CLICKS.items():
        frame = cv2.imread(str(folder / name))[:, :, ::-1].copy()
        strip = read_strip(frame, axes_from_clicks(box, *clicks))
        found = trace(strip)
        if output is not None:
            output.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(output / name), draw_strip(strip, traces=found)[:, :, ::-1])
        line = f"{name:34s} {strip.columns.size} columns of {box[3] - box[1]}"
        if name in TRACED:
            inside = (strip.columns >= TRACED[name][0]) & (strip.columns <= TRACED[name][1])
            outer = median_filter(np.nan_to_num(found.towards.maximum), 5)[inside]
            beat = 60 / printed[name]["HR"]["value"] / strip.axes.time_step_s
            soft = gaussian_filter1d(outer, 2.0)
            tops = find_peaks(soft, distance=int(0.6 * beat), prominence=0.25 * np.ptp(soft))[0]
            lows = [outer[a:b].min() for a, b in pairwise(tops)]
            values = {"PS": outer[tops].mean(), "ED": np.mean(lows), "TAmax": outer.mean()}
            for key, value in values.items():
                wanted = printed[name][key]["value"]
                line += f"  {key} {value:.1f} (printed {wanted:.1f}, {100 * (value / wanted - 1):+.1f} %)"
        sys.stdout.write(line + "\n")


if __name__ == "__main__":
    here = Path(__file__).resolve().parents[2] / "shared" / "data" / "real-doppler"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=here)
    parser.add_argument("-o", "--output", type=Path)
    chosen = parser.parse_args()
    main(chosen.folder, chosen.output)
