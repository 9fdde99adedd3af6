"""Compartments: right or unknown on phantoms, and unknown where no fasciae are drawn."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from veinscan.candidates.fascia import compartment_of, find_eyes
from veinscan.enhance.grid import analysis_grid
from veinscan.phantom.clips import make_clip

SEEDS = range(8000, 8010)
SPACING = 0.08


def answers(fasciae):
    """(true, said) for every lumen of one frame a seed, from the true outlines."""
    found = []
    for seed in SEEDS:
        frames, truth = make_clip(seed, n_frames=1, shape=(380, 470), spacing_mm=SPACING, fasciae=fasciae)
        grid = analysis_grid(frames[0].shape, (SPACING, SPACING))
        picture = grid.resample(frames[0].astype(np.float32))
        vessels = [v for v in truth["vessels"] if "0" in v["frames"] and v["type"] != "nerve"]
        outlines = [grid.to_grid(np.array(v["frames"]["0"]["outline"])) for v in vessels]
        eyes = find_eyes(picture, truth["skin_row"] / grid.steps[0], grid.pixel_mm, outlines)
        found += [
            (vessel["compartment"], compartment_of(outline, eyes, grid.pixel_mm))
            for vessel, outline in zip(vessels, outlines, strict=True)
        ]
    return Counter(found)


def test_the_phantom_knows_where_its_vessels_lie():
    for kind in ("transverse", "longitudinal"):
        _, truth = make_clip(7100, kind, n_frames=1, shape=(380, 470), spacing_mm=SPACING)
        for vessel in truth["vessels"]:
            expected = {"GSV": "saphenous", "deep vein": "subfascial", "artery": "subfascial"}
            if vessel["type"] != "nerve":
                assert vessel["compartment"] == expected.get(vessel["name"].split(" (")[0], "epifascial")


def test_what_is_said_is_right():
    counts = answers(True)
    said = sum(n for (_, answer), n in counts.items() if answer != "unknown")
    right = sum(n for (true, answer), n in counts.items() if answer == true)
    assert said >= 0.4 * counts.total()
    assert right >= 0.97 * said
    assert {true for true, answer in counts if answer == true} == {"epifascial", "saphenous", "subfascial"}


def test_without_fasciae_nothing_is_said():
    counts = answers(False)
    said = sum(n for (_, answer), n in counts.items() if answer != "unknown")
    assert said <= 0.02 * counts.total()


@pytest.mark.parametrize(
    "picture", [np.zeros((200, 300)), np.full((200, 300), 255.0), np.zeros((12, 12)), np.full((1, 1), 9.0)]
)
def test_a_picture_of_nothing_has_no_eye(picture):
    lumen = np.array([[4.0, 4.0], [4.0, 8.0], [8.0, 6.0]])
    assert find_eyes(picture.astype(np.float32), 0.0, 0.125, [lumen]) == []
    assert compartment_of(lumen, [], 0.125) == "unknown"
