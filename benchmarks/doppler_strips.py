"""How far reflux measurements are from the truth, over many strips made without the measuring code.

    python benchmarks/doppler_strips.py --seeds 60 --first 5000

Prints one line for each kind of strip; the goals stand in docs/doppler.md.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from scipy.ndimage import median_filter

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "doppler"))

from hard_strips import KINDS, make, region_of

from veinscan.doppler import Strip, Traces, axes_from_region, measure_reflux, read_strip, trace
from veinscan.doppler.model import RefluxMeasurement


def edge_cm_s(strip: Strip, traces: Traces, found: RefluxMeasurement) -> float:
    """Highest edge of the displayed spectrum during the reflux, as a scanner would print it."""
    up = (found.antegrade == "up") == strip.axes.up_is_positive
    curve = median_filter(np.nan_to_num(traces.side(-1 if up else 1).maximum), 5)
    step = strip.axes.time_step_s
    return float(curve[int((found.onset_s or 0) / step) : int((found.end_s or 0) / step) + 1].max())


def run(kind: str, seeds: range) -> str:
    duration, allowed, peak, spike, edge, wrong, misread = [], [], [], [], [], [], 0
    for seed in seeds:
        strip = make(seed, kind)
        truth = strip.truth
        read = read_strip(strip.frame, axes_from_region(region_of(strip)))
        traces = trace(read)
        found = measure_reflux(read, traces=traces)
        gap = None if strip.look.sweep_column is None else strip.box[1] + strip.look.sweep_column
        misread += (gap is None) != (read.wrap_column is None) or abs(
            (read.wrap_column or 0) - (gap or 0)
        ) > 4
        if kind == "no_spike":
            wrong += [seed] if found.adequate else []
            continue
        if kind == "competent":
            wrong += [seed] if not (found.adequate and found.reflux_s == 0) else []
            continue
        pairs = list(zip(found.attempts, truth["attempts"], strict=False))
        if len(found.attempts) != len(truth["attempts"]) or any(
            not one.reflux_s or one.is_lower_bound != true["is_lower_bound"] for one, true in pairs
        ):
            wrong.append(seed)
            continue
        for one, true in pairs:
            duration.append(abs((one.reflux_s or 0.0) - true["reflux_s"]))
            allowed.append(duration[-1] <= max(0.04, 2 * strip.time_step_s))
            peak.append((one.peak_reflux_cm_s or np.nan) / true["peak_reflux_cm_s"])
            edge.append(edge_cm_s(read, traces, one) / true["peak_reflux_cm_s"])
            spike.append((one.antegrade_peak_cm_s or np.nan) / true["antegrade_peak_cm_s"])
    text = f"{kind:12s} n {len(seeds)}  wrong answer {len(wrong)} {wrong[:8]}  gap misread {misread}"
    if duration:
        ms = 1000 * np.asarray(duration)
        middle = float(np.median(peak))
        text += (
            f"  duration error: median {np.median(ms):.1f} ms, 95 % {np.quantile(ms, 0.95):.1f} ms,"
            f" within 40 ms or two columns {np.mean(allowed):.1%}"
            f"  peak ratio: median {middle:.3f}, scatter {np.std(peak) / middle:.1%}"
            f" (robust {1.4826 * np.median(np.abs(np.asarray(peak) - middle)) / middle:.1%})"
            f"  spike ratio {np.median(spike):.3f}  displayed edge over true peak {np.median(edge):.3f}"
        )
    return text


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--first", type=int, default=5000)
    parser.add_argument("--kinds", nargs="*", default=list(KINDS))
    chosen = parser.parse_args()
    for name in chosen.kinds:
        sys.stdout.write(run(name, range(chosen.first, chosen.first + chosen.seeds)) + "\n")
        sys.stdout.flush()
