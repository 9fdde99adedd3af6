"""Flow of candidates: a beat is told from a squeeze, arteries are warned of, silence costs nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from veinscan import open_study
from veinscan.candidates import Candidate
from veinscan.candidates.flow import artery_warnings, pulse_of, with_flow
from veinscan.doppler.evidence import FlowEvidence
from veinscan.errors import CalibrationError

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data" / "baseline"


def evidence(velocities, **values):
    numbers = np.asarray(velocities, float)
    speed = np.abs(numbers)
    given = {
        "flow_fraction": 0.8,
        "mean_velocity_cm_s": float(numbers.mean()),
        "pulsatility": float(np.ptp(speed) / max(speed.mean(), 1e-6)),
        "reversal_fraction": 0.0,
        "aliased_fraction": 0.0,
        "frame_indices": tuple(range(len(numbers))),
        "velocities_cm_s": tuple(numbers.tolist()),
    }
    return FlowEvidence(**(given | values))


def beats(times, rate_hz):
    """Quick rise, slow fall."""
    return 6 + 8 * np.exp(-((times * rate_hz) % 1.0) / 0.25)


@pytest.mark.parametrize("per_minute", [50, 72, 110])
@pytest.mark.parametrize("step", [0.03, 0.1])
def test_a_beat_is_found_at_its_rate(per_minute, step):
    times = np.arange(0, 4.0, step)
    pulse, note = pulse_of(evidence(beats(times, per_minute / 60)), times)
    assert note == ""
    assert pulse.per_minute == pytest.approx(per_minute, rel=0.08)
    assert artery_warnings(evidence(beats(times, per_minute / 60)), pulse)


@pytest.mark.parametrize("step", [0.03, 0.1])
def test_a_squeeze_a_breath_and_steady_flow_are_no_beat(step):
    times = np.arange(0, 4.0, step)
    squeeze = 2 + 9 * np.exp(-(((times - 1.2) / 0.25) ** 2)) - 5 * np.exp(-(((times - 2.4) / 0.5) ** 2))
    breath = 5 + 3 * np.sin(2 * np.pi * 0.25 * times)
    steady = 5 + np.random.default_rng(1).normal(0, 0.2, len(times))
    for flow in (squeeze, breath, steady):
        pulse, _ = pulse_of(evidence(flow), times)
        assert artery_warnings(evidence(flow), pulse) == ()


def test_too_little_to_tell_says_so():
    times = np.arange(0, 4.0, 0.1)
    for flow, at in (
        (evidence(beats(times[:5], 1.2)), times),
        (evidence(beats(times, 1.2)), None),
        (evidence(beats(times, 1.2)), times * 10),
    ):
        pulse, note = pulse_of(flow, at)
        assert pulse is None
        assert "too few" in note


def test_aliasing_alone_warns():
    assert artery_warnings(evidence([5.0] * 10, aliased_fraction=0.2), None)
    assert artery_warnings(evidence([5.0] * 10, aliased_fraction=0.01), None) == ()


@pytest.fixture(scope="module")
def colour():
    """The sample's colour clip, and a candidate for each of its vessels by the truth's outlines."""
    clip = next(one for one in open_study(SAMPLE).clips if one.file == "0003_colour.dcm")
    truth = json.loads((SAMPLE / "truth.json").read_text())["clips"][2]
    candidates = []
    for rank, vessel in enumerate(truth["vessels"], start=1):
        frames = {int(k): v for k, v in vessel["frames"].items()}
        best = min(frames)
        candidates.append(
            Candidate(
                id=vessel["name"],
                frame_indices=tuple(sorted(frames)),
                best_frame=best,
                outlines={k: np.array(v["outline"], np.float32) for k, v in frames.items()},
                centres={k: tuple(v["centre"]) for k, v in frames.items()},
                diameter_mm=frames[best]["diameter_mm"],
                depth_mm=frames[best]["depth_mm"],
                flow_fraction=0.0 if vessel["type"] == "nerve" else 0.8,
                score=0.9,
                rank=rank,
            )
        )
    return clip, truth, candidates


def test_the_artery_is_warned_of_and_squeezed_veins_are_not(colour):
    clip, truth, candidates = colour
    found, warnings = with_flow(clip, candidates)
    assert warnings == []
    kinds = {vessel["name"]: vessel["type"] for vessel in truth["vessels"]}
    for one in found:
        kind = kinds[one.id]
        assert bool(one.warnings) == (kind == "artery"), one.id
        if kind == "nerve":
            assert one.flow is None
            continue
        assert one.flow.mean_velocity_cm_s is not None
        assert set(one.flow.frame_indices) <= set(one.frame_indices)
    artery = next(one for one in found if one.id == "artery")
    assert artery.pulse is not None
    assert any("pulsates" in words for words in artery.warnings)
    assert [one.id for one in found] == [one.id for one in candidates]


def test_without_a_scale_the_share_stays_and_the_reason_is_given(colour, monkeypatch):
    clip, _, candidates = colour

    def unknown(*_args, **_values):
        raise CalibrationError("the scale of the colour bar is not known", where="colour bar")

    monkeypatch.setattr("veinscan.candidates.flow.flow_of", unknown)
    found, warnings = with_flow(clip, candidates)
    assert warnings == ["no velocities: the scale of the colour bar is not known"]
    for one, before in zip(found, candidates, strict=True):
        assert one.flow is None
        assert one.flow_fraction == before.flow_fraction
        assert bool(one.flow_note) == (before.flow_fraction > 0.1)


def test_silent_candidates_cost_nothing(colour, monkeypatch):
    clip, _, candidates = colour
    monkeypatch.setattr("veinscan.candidates.flow.flow_of", None)  # would fail if it were called
    silent = [one for one in candidates if one.flow_fraction == 0.0]
    assert with_flow(clip, silent) == (tuple(silent), [])
