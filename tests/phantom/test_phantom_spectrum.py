"""Strip and flow: what is written as truth can be read off the pixels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veinscan.phantom import Augmentation, StripSettings, make_clip, render
from veinscan.phantom.flow import percentile_of_profile, profile_quantiles

QUIET = {"noise_db": -45.0, "mirror_db": -60.0}


def mean_velocity(strip: np.ndarray, settings_: StripSettings) -> np.ndarray:
    """Mean velocity per column, weighted by brightness."""
    velocity = (settings_.baseline_row - np.arange(settings_.rows)) * settings_.step_cm_s
    weight = np.clip(strip.astype(float) - 60, 0, None)
    return (weight * velocity[:, None]).sum(axis=0) / np.maximum(weight.sum(axis=0), 1e-9)


def fixed(up: bool) -> tuple[Augmentation, StripSettings]:
    flow = Augmentation(reflux_cm_s=11.0, reflux_s=1.1, flutter=0.0)
    high, low = (62.0, 38.0) if up else (38.0, 62.0)
    return flow, StripSettings(low_cm_s=-low, high_cm_s=high, rows=200, **QUIET)


@pytest.mark.parametrize("up", [True, False])
def test_reflux_can_be_read_off_the_strip(up: bool) -> None:
    flow, axes = fixed(up)
    clip = render(5, "spectrum", flow=flow, settings=axes, antegrade_up=up)
    truth = clip.truth["doppler"]
    mean = mean_velocity(clip.frames[0], axes) * (1 if up else -1)
    times = np.arange(axes.columns) * axes.step_s
    retrograde = times[mean < -2.0]
    assert retrograde.min() == pytest.approx(truth["onset_s"], abs=0.05)
    assert retrograde.max() == pytest.approx(truth["end_s"], abs=0.04)
    assert truth["reflux_s"] == pytest.approx(truth["end_s"] - truth["onset_s"])
    assert -mean.min() == pytest.approx(truth["mean_peak_reflux_cm_s"], rel=0.2)
    # antegrade is on the side the truth says
    spike = (times > flow.squeeze_s + 0.2) & (times < flow.release_s - 0.1)
    assert mean[spike].mean() > 8


def test_envelope_reaches_the_true_peak() -> None:
    flow, axes = fixed(True)
    clip = render(5, "spectrum", flow=flow, settings=axes, antegrade_up=True)
    truth = clip.truth["doppler"]
    velocity = (axes.baseline_row - np.arange(axes.rows)) * axes.step_cm_s
    lit = clip.frames[0].astype(float)
    envelope = []
    for column in range(int(1.55 / axes.step_s), int(1.9 / axes.step_s)):
        below = velocity[(velocity < 0) & (lit[:, column] > 90)]
        envelope.append(-below.min() if below.size else 0.0)
    assert np.median(envelope) == pytest.approx(truth["peak_reflux_cm_s"], rel=0.25)


def test_no_spike_is_inadequate_and_a_good_valve_has_no_reflux() -> None:
    nothing = Augmentation(spike_cm_s=0.0, reflux_cm_s=0.0).truth(4.0)
    assert nothing["adequate"] is False
    assert nothing["reflux_s"] is None
    competent = Augmentation(reflux_cm_s=0.0).truth(4.0)
    assert competent["adequate"] is True
    assert competent["reflux_s"] == 0.0


def test_reflux_that_runs_off_the_strip_is_a_lower_bound() -> None:
    flow = Augmentation(reflux_s=9.0, decay_s=20.0)
    truth = flow.truth(4.0)
    assert truth["is_lower_bound"] is True
    assert isinstance(truth["end_s"], float)
    assert truth["end_s"] == pytest.approx(4.0, abs=0.01)


@settings(max_examples=40, deadline=None)
@given(
    reflux=st.floats(0.3, 2.2),
    speed=st.floats(5.0, 20.0),
    release=st.floats(0.9, 1.4),
)
def test_truth_follows_the_definitions(reflux: float, speed: float, release: float) -> None:
    flow = Augmentation(reflux_s=reflux, reflux_cm_s=speed, release_s=release)
    truth = flow.truth(4.0)
    times = np.arange(0, 4, 0.0005)
    mean = flow.mean_cm_s(times)
    assert isinstance(truth["onset_s"], float)
    assert isinstance(truth["end_s"], float)
    assert mean[times < truth["onset_s"] - 0.001][-1] >= -1e-6  # the last crossing before the peak
    assert np.all(mean[(times >= truth["end_s"] + 0.001)] >= -1.0)
    assert truth["reflux_s"] == pytest.approx(reflux, abs=0.12)
    assert truth["is_lower_bound"] is False


def test_aliasing_wraps_to_the_other_edge() -> None:
    flow, axes = fixed(True)
    narrow = replace(axes, high_cm_s=20.0, low_cm_s=-60.0)
    strip = render(5, "spectrum", flow=flow, settings=narrow, antegrade_up=True).frames[0].astype(float)
    spike = slice(int(0.9 / axes.step_s), int(1.15 / axes.step_s))
    assert strip[-40:, spike].mean() > 2 * strip[120:150, spike].mean()


def test_mirror_and_noise_are_there_as_asked() -> None:
    flow, axes = fixed(True)
    spike = slice(int(0.9 / axes.step_s), int(1.15 / axes.step_s))
    mirror_rows = slice(round(axes.baseline_row) + 8, round(axes.baseline_row) + 40)
    clean = render(5, "spectrum", flow=flow, settings=axes, antegrade_up=True).frames[0]
    mirrored = render(
        5, "spectrum", flow=flow, settings=replace(axes, mirror_db=-14.0), antegrade_up=True
    ).frames[0]
    noisy = render(
        5, "spectrum", flow=flow, settings=replace(axes, noise_db=-20.0), antegrade_up=True
    ).frames[0]
    assert mirrored[mirror_rows, spike].mean() > clean[mirror_rows, spike].mean() + 15
    assert noisy[5:40, -100:].mean() > clean[5:40, -100:].mean() + 15


def test_spectrum_has_the_speckle_of_a_spectrogram() -> None:
    """Brightness inside the flow varies strongly from pixel to pixel: it is no filled curve."""
    flow, axes = fixed(True)
    strip = render(5, "spectrum", flow=flow, settings=axes, antegrade_up=True).frames[0].astype(float)
    rows = slice(round(axes.baseline_row) + 4, round(axes.baseline_row) + 14)
    inside = strip[rows, int(1.6 / axes.step_s) : int(2.2 / axes.step_s)]
    assert inside.mean() > 80
    assert inside.std() > 15


@pytest.mark.parametrize("exponent", [2.0, 3.0, 6.0])
def test_percentiles_of_the_profile(exponent: float) -> None:
    """Against numbers drawn over the lumen's area."""
    rng = np.random.default_rng(1)
    radius = np.sqrt(rng.random(200_000))
    drawn = 1 - radius**exponent
    assert percentile_of_profile(exponent, 95.0) == pytest.approx(
        np.percentile(drawn, 95) / drawn.mean(), rel=0.01
    )
    assert profile_quantiles(exponent, 400).mean() == pytest.approx(1.0, rel=0.01)


def test_strips_vary_with_the_seed_and_repeat_with_it() -> None:
    first, truth = make_clip(1, "spectrum")
    again, same = make_clip(1, "spectrum")
    np.testing.assert_array_equal(first, again)
    assert truth == same
    durations = {make_clip(seed, "spectrum")[1]["doppler"]["reflux_s"] for seed in range(5)}
    assert len(durations) == 5
