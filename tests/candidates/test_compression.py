"""Compression: how far tissue is pressed, what it does to lumens, and that they stay one candidate."""

from __future__ import annotations

import numpy as np
import pytest

from veinscan.candidates import find_candidates
from veinscan.candidates.compression import compression_of, pressed_frames
from veinscan.candidates.pressure import depth_profile, shortening
from veinscan.phantom.clips import make_clip
from veinscan.phantom.scene import SQUEEZE

SPACING = 0.08
SHAPE = (330, 440)


def clip(**options):
    return make_clip(7201, n_frames=26, shape=SHAPE, spacing_mm=SPACING, small_veins=2, **options)


@pytest.fixture(scope="module")
def pressed():
    return clip()


@pytest.fixture(scope="module")
def found(pressed):
    frames, truth = pressed
    # as shown by default: weaker ones are mostly no vessels
    return [one for one in find_candidates(frames, SPACING, skin_row=truth["skin_row"]) if one.score >= 0.3]


def shortened(frames, truth):
    profiles = {
        index: depth_profile(frame.astype(np.float32), truth["skin_row"], SPACING)
        for index, frame in enumerate(frames)
    }
    return shortening(profiles, len(frames))


def test_shortening_of_the_tissue_is_measured(pressed):
    frames, truth = pressed
    true = 1 - 1 / (1 + SQUEEZE * np.array(truth["pressure"]))
    assert np.abs(shortened(frames, truth) - true).max() < 0.03


def test_a_sweep_alone_is_no_compression():
    frames, truth = clip(compression=False)
    assert np.nanmax(shortened(frames, truth)) < 0.03


def test_few_or_unlike_frames_say_nothing():
    rng = np.random.default_rng(0)
    assert np.isnan(shortening({0: np.ones((8, 90), np.float32)}, 1)).all()
    unlike = {i: rng.normal(size=(8, 90)).astype(np.float32) for i in range(6)}
    assert np.isnan(shortening(unlike, 6)).all()


def named(found, truth):
    """Candidate of each vessel of the truth, by the frame that shows it best."""
    out = {}
    for one in found:
        for vessel in truth["vessels"]:
            known = vessel["frames"].get(str(one.best_frame))
            if known and np.hypot(*(np.array(known["centre"]) - one.centre(one.best_frame))) < 8:
                out.setdefault(vessel["name"], []).append(one)
    return out


def test_veins_close_and_arteries_do_not(found, pressed):
    _, truth = pressed
    by_name = named(found, truth)
    assert {"GSV", "artery"} <= set(by_name)
    for vessel in truth["vessels"]:
        for one in by_name.get(vessel["name"], []):
            if vessel["type"] == "vein":
                assert one.compressibility > 0.7
                # what is kept of the manoeuvre shows the lumen going and coming
                widths = one.compression.diameters_mm
                assert len(widths) == len(one.compression.frame_indices)
                assert widths[0] is not None
                assert None in widths or min(widths) < 0.5 * one.compression.resting_mm
            elif vessel["type"] == "artery":
                assert one.compressibility < 0.2
            assert one.compression.shortening == pytest.approx(SQUEEZE / (1 + SQUEEZE), abs=0.03)


def test_each_vein_that_collapses_and_returns_is_one_candidate(found, pressed):
    _, truth = pressed
    for name, candidates in named(found, truth).items():
        assert len(candidates) == 1, name
    for vessel in truth["vessels"]:
        gone = vessel["collapsed_frames"]
        one = named(found, truth).get(vessel["name"])
        if one and gone and str(max(gone) + 1) in vessel["frames"] and max(gone) + 2 < 26:
            assert min(one[0].frame_indices) < min(gone)
            assert max(one[0].frame_indices) > max(gone)


def test_the_same_clip_without_compression_has_none():
    frames, truth = clip(compression=False)
    candidates = find_candidates(frames[:8], SPACING, skin_row=truth["skin_row"])
    assert candidates
    assert all(one.compression is None and one.compressibility is None for one in candidates)


def test_a_vein_gone_for_longer_than_the_tracker_waits_is_still_one(picture, ellipse):
    here = [picture([ellipse(12.0, 18.0, 3.2, 3.6)], seed=t) for t in range(3)]
    gone = [picture([], seed=10 + t) for t in range(3)]
    order = [0, 1, 2, 0, 1, 2]
    frames = np.stack([here[k] for k in order] + [gone[k] for k in order * 4] + [here[k] for k in order])
    best = find_candidates(frames, 0.1)[0]
    assert {0, len(frames) - 1} <= set(best.frame_indices)
    assert len(best.frame_indices) <= 14


# -- the arithmetic on its own ----------------------------------------------------------------------------

MANOEUVRE = np.concatenate([np.zeros(8), 0.14 * np.sin(np.linspace(0, np.pi, 9)), np.zeros(6)])


def test_the_manoeuvre_is_found_where_it_is():
    assert pressed_frames(MANOEUVRE) == (9, 15)
    assert pressed_frames(np.full(20, 0.01)) is None
    assert pressed_frames(np.full(20, np.nan)) is None
    assert pressed_frames(np.zeros(0)) is None


@pytest.mark.parametrize("left", [0.0, 0.2, 0.6, 1.0])
def test_compressibility_is_the_share_that_is_gone(left):
    widths = {frame: 4.0 * (1 - (1 - left) * (MANOEUVRE[frame] > 0.1)) for frame in range(len(MANOEUVRE))}
    widths = {frame: width for frame, width in widths.items() if width > 0.3}
    got = compression_of(widths, MANOEUVRE)
    assert got.compressibility == pytest.approx(1 - left, abs=1e-6)
    assert got.resting_mm == 4.0


def test_a_lumen_that_was_hardly_seen_before_is_not_said_to_close():
    assert compression_of({0: 4.0, 1: 4.0}, MANOEUVRE) is None
    assert compression_of({}, MANOEUVRE) is None
    assert compression_of(dict.fromkeys(range(23), 4.0), np.zeros(23)) is None
