"""Flow inside the candidates of a colour clip: velocity, a beat, aliasing, and what that warns of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from veinscan.candidates.model import Candidate, Pulse
from veinscan.doppler.colour import flow_of
from veinscan.doppler.colour_bar import bar_of
from veinscan.doppler.evidence import FlowEvidence, flow_evidence
from veinscan.doppler.pixel_component import component_table
from veinscan.errors import CalibrationError

if TYPE_CHECKING:
    from veinscan.dicom import Clip
    from veinscan.doppler.colour_bar import ColourBar

Array = npt.NDArray[np.float64]

LEAST_COLOUR = 0.10
"""Share of a lumen with colour, on the frame with most, below which there is no flow to speak of."""

ALIASED = 0.05
"""Share of the coloured pixels beyond the scale from which flow aliases."""

BEAT_S = (0.4, 1.6)
"""Shortest and longest beat looked for: 150 to 38 a minute."""

LEAST_BEATS = 2.0
"""So many beats must fit into the clip."""

LONGEST_STEP_S = 0.2
"""Frames further apart than this cannot follow a beat."""

REGULAR = 0.5
"""Correlation of the flow with itself one beat later from which it pulsates."""

BETWEEN = 0.2
"""Half a beat later that correlation is at most this, or there is no beat but a slow change."""

LEAST_SWING = 0.4
"""Greatest less least velocity, by the mean speed, below which a beat is too faint to warn of."""

EXCLUDE = "an artery has to be excluded before anything is planned here"


def with_flow(
    clip: Clip, candidates: Sequence[Candidate], *, bar: ColourBar | None = None
) -> tuple[tuple[Candidate, ...], list[str]]:
    """The candidates with their flow, and warnings for the whole clip.

    `candidates` lie in whole-frame pixels; `bar` is the colour bar with a scale that a person gave.
    Colour at rest changes no score: a silent vein stays where it is in the order.
    """
    coloured = [one for one in candidates if (one.flow_fraction or 0.0) >= LEAST_COLOUR]
    if not coloured:
        return tuple(candidates), []
    try:
        flows = _flow_within(clip, coloured, bar)
    except CalibrationError as error:
        why = f"no velocities: {error.what}"
        return tuple(
            replace(one, flow_note=why) if (one.flow_fraction or 0.0) >= LEAST_COLOUR else one
            for one in candidates
        ), [why]
    times = clip.frame_times_s
    out = []
    for one in candidates:
        flow = flows.get(one.id)
        if flow is None:
            out.append(one)
            continue
        pulse, note = pulse_of(flow, None if times is None else np.asarray(times, np.float64))
        warned = (*one.warnings, *artery_warnings(flow, pulse))
        out.append(replace(one, flow=flow, pulse=pulse, flow_note=note, warnings=warned))
    return tuple(out), []


def _flow_within(
    clip: Clip, candidates: Sequence[Candidate], bar: ColourBar | None
) -> dict[str, FlowEvidence]:
    """Evidence by candidate; only the surroundings of the lumens are kept of each frame."""
    if bar is None and component_table(clip) is None:
        bar = bar_of(clip, candidates[0].best_frame)
    shape = clip.shape[1:3]
    boxes: dict[str, tuple[slice, slice]] = {}
    parts: dict[str, list[npt.NDArray[np.float32]]] = {}
    over: dict[str, list[npt.NDArray[np.bool_]]] = {}
    for one in candidates:
        points = np.concatenate(list(one.outlines.values()))
        low = np.clip(np.floor(points.min(axis=0)).astype(int) - 1, 0, None)
        high = np.minimum(np.ceil(points.max(axis=0)).astype(int) + 2, shape)
        boxes[one.id] = (slice(int(low[0]), int(high[0])), slice(int(low[1]), int(high[1])))
        parts[one.id], over[one.id] = [], []
    for frame in sorted({frame for one in candidates for frame in one.frame_indices}):
        flow = flow_of(clip, frame, bar=bar)
        for one in candidates:
            if frame in one.outlines:
                parts[one.id].append(flow.flow_cm_s[boxes[one.id]].copy())
                over[one.id].append(flow.aliased[boxes[one.id]].copy())
    found = {}
    for one in candidates:
        rows, cols = boxes[one.id]
        corner = np.array([rows.start, cols.start], np.float32)
        frames = sorted(one.outlines)
        evidence = flow_evidence(
            np.stack(parts[one.id]),
            {place: one.outlines[frame] - corner for place, frame in enumerate(frames)},
            aliased=np.stack(over[one.id]),
        )
        found[one.id] = replace(
            evidence, frame_indices=tuple(frames[place] for place in evidence.frame_indices)
        )
    return found


def pulse_of(flow: FlowEvidence, times_s: Array | None) -> tuple[Pulse | None, str]:
    """A beat in the flow, and why none can be told where that is so.

    `times_s` (frames,) of the whole clip.  The velocity over time is laid over itself: a beat shows as a
    correlation one beat later that is gone half a beat later.  One squeeze of the leg gives no such thing.
    """
    too_short = f"too few frames with colour to tell a beat: {LEAST_BEATS:g} beats are needed"
    frames = np.asarray(flow.frame_indices, int)
    if times_s is None or len(frames) < 8 or frames[-1] >= len(times_s):
        return None, too_short
    at = times_s[frames]
    steps = np.diff(at)
    step = float(np.median(steps))
    if not 0 < step <= LONGEST_STEP_S or steps.max() > 3 * step:
        return None, too_short
    length = float(at[-1] - at[0])
    if length < LEAST_BEATS * BEAT_S[0]:
        return None, too_short
    fine = min(step, 0.05)
    even = np.interp(np.arange(at[0], at[-1] + 1e-9, fine), at, flow.velocities_cm_s)
    longest = min(BEAT_S[1], length / LEAST_BEATS)
    lags = np.arange(round(0.5 * BEAT_S[0] / fine), int(longest / fine) + 2)
    alike = np.array([_alike(even, int(lag)) for lag in lags])
    best: Pulse | None = None
    for place in range(1, len(lags) - 1):
        lag = lags[place]
        if lag * fine < BEAT_S[0] or alike[place] < max(alike[place - 1], alike[place + 1], REGULAR):
            continue
        if _alike(even, int(lag) // 2) > BETWEEN:
            continue
        if best is None or alike[place] > best.regularity:
            best = Pulse(
                per_minute=round(60.0 / (float(lag) * fine), 1), regularity=round(float(alike[place]), 3)
            )
    return best, "" if best is not None or longest >= 1.0 else too_short


def _alike(values: Array, lag: int) -> float:
    """Correlation of a series with itself `lag` samples later."""
    one, other = values[: len(values) - lag], values[lag:]
    if len(one) < 4 or one.std() < 1e-6 or other.std() < 1e-6:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def artery_warnings(flow: FlowEvidence, pulse: Pulse | None) -> tuple[str, ...]:
    """What in the flow is like an artery's, a sentence each; veins pressed by hand can alias too."""
    found = []
    swing = flow.pulsatility or 0.0
    if pulse is not None and swing >= LEAST_SWING:
        found.append(f"flow in it pulsates, about {pulse.per_minute:.0f} a minute: {EXCLUDE}")
    if flow.aliased_fraction >= ALIASED:
        found.append(f"flow in it is beyond the colour scale on {flow.aliased_fraction:.0%} of it: {EXCLUDE}")
    return tuple(found)
