"""Network and wall fit together: what it adds, what it explains, and the classical path beside it."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from veinscan.candidates import FinderSettings, find_candidates, joint, joint_score, measure_at
from veinscan.candidates.finder import search
from veinscan.candidates.propose import classical_seeds, prepare
from veinscan.candidates.shadow import open_below, shadow_below
from veinscan.candidates.shapes import outside
from veinscan.enhance.grid import analysis_grid
from veinscan.errors import InvalidInputError
from veinscan.phantom.clips import make_clip

SPACING = 0.09


@pytest.fixture(scope="module")
def phantom():
    """One frame with its vessels' outlines and diameters."""
    frames, truth = make_clip(31, spacing_mm=SPACING, shape=(300, 380), n_frames=1)
    entries = [one["frames"].get("0") for one in truth["vessels"] if one["type"] != "nerve"]
    return frames[0], [(np.asarray(one["outline"]), one) for one in entries if one]


def test_a_click_inside_or_at_the_rim_measures_that_lumen_and_one_far_outside_nothing(phantom):
    image, vessels = phantom
    rng = np.random.default_rng(3)
    inside = 0
    wide = [(outline, entry) for outline, entry in vessels if entry["diameter_mm"] > 1.5]
    for outline, entry in wide:
        middle = np.array(entry["centre"])
        for share in (0.0, 0.6, 0.95):
            found = measure_at(
                image, middle + share * (outline[rng.integers(len(outline))] - middle), SPACING
            )
            inside += (
                found is not None
                and outside(outline, np.array(found.centre)) == 0
                and abs(found.diameter_mm - entry["diameter_mm"]) < 0.3 + 0.15 * entry["diameter_mm"]
            )
    assert inside >= 0.9 * 3 * len(wide)
    tried = 0
    while tried < 12:
        click = rng.uniform((40, 15), np.array(image.shape) - 15)
        if min(outside(one, click) * SPACING - entry["diameter_mm"] for one, entry in vessels) > 0:
            tried += 1
            found = measure_at(image, click, SPACING)
            assert found is None or outside(found.outline.astype(float), click) * SPACING < 0.5


def test_both_methods_find_the_veins_and_name_what_they_went_by(phantom):
    image, vessels = phantom
    for method, names in (("joint", set(joint_score.NAMES)), ("classical", {"walls", "prior"})):
        found = find_candidates(image[None], SPACING, method=method)
        good = [one for one in found if one.score > 0.3]
        wide = [(outline, entry) for outline, entry in vessels if entry["diameter_mm"] > 1.5]
        hit = sum(any(outside(outline, np.array(one.centre(0))) == 0 for one in good) for outline, _ in wide)
        assert hit >= 0.8 * len(wide)
        assert names <= set(found[0].evidence)
        assert ("network" in found[0].evidence) == (method == "joint")


def test_an_unknown_method_is_refused(phantom):
    with pytest.raises(InvalidInputError, match="classical"):
        find_candidates(phantom[0][None], SPACING, method="guess")
    settings = FinderSettings(method="guess")  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="classical"):
        search(lambda _: phantom[0], (1, *phantom[0].shape), (SPACING, SPACING), settings)


def test_the_parts_of_the_joint_score_sum_to_it(phantom):
    image, _ = phantom
    grid = analysis_grid(image.shape, (SPACING, SPACING))
    rows = (0, image.shape[0]), (0, grid.grid_shape[0])
    prepared = prepare(image.astype(np.float32), grid, 8.0, rows[1])
    view = joint.network_view(image, (SPACING, SPACING), grid, *rows)
    pool = joint.pool_of(prepared, view, (0.5, 8.0))
    np.testing.assert_allclose(joint_score.parts(pool).sum(axis=1), joint_score.logits(pool), atol=1e-9)
    turned = view.to_maps(pool.outlines)
    back = np.stack([view.to_grid(view.maps.to_image(one)) for one in turned])
    np.testing.assert_allclose(back, pool.outlines, atol=1e-3)


def test_the_classical_places_a_network_half_sees_get_a_ring_and_those_it_rules_out_do_not(phantom):
    image, vessels = phantom
    grid = analysis_grid(image.shape, (SPACING, SPACING))
    rows = (0, image.shape[0]), (0, grid.grid_shape[0])
    prepared = prepare(image.astype(np.float32), grid, 8.0, rows[1])
    view = joint.network_view(image, (SPACING, SPACING), grid, *rows)
    seeds = classical_seeds(prepared, (0.5, 8.0))
    row, col = view.maps.vessel.shape
    half = np.where(np.arange(col) < col // 2, np.float32(2 * joint.HINT), np.float32(0.0))
    faint = replace(view, maps=replace(view.maps, vessel=np.tile(half, (row, 1)).astype(np.float32)))
    pool = joint.pool_of(prepared, faint, (0.5, 8.0), seeds)
    assert not len(joint.network_places(prepared, faint))
    middle = grid.grid_shape[1] / 2
    reached = seeds.centres[:, 1] - seeds.half_px < middle
    assert 5 <= len(pool.outlines) <= 2 * reached.sum() < 2 * len(seeds.centres)
    left = [one for one, entry in vessels if entry["centre"][1] < image.shape[1] / 2 - 30]
    assert left
    for outline in left:
        centres = grid.to_frame(pool.outlines.mean(axis=1))
        assert any(outside(outline, centre) == 0 for centre in centres)
    black = replace(view, maps=replace(view.maps, vessel=np.zeros((row, col), np.float32)))
    assert not len(joint.pool_of(prepared, black, (0.5, 8.0), seeds).outlines)


def test_a_nerve_scores_less_than_the_same_ring_that_is_none():
    columns = np.zeros((2, len(joint.COLUMNS)))
    columns[1, joint.COLUMNS.index("nerve")] = 0.8
    plain, nerve = joint_score.logits(
        joint.Pool(np.zeros((2, 32, 2)), np.zeros((2, 25)), columns, np.zeros((0, 32, 2)))
    )
    assert nerve < plain - 1


def test_what_is_dark_to_the_bottom_is_shadow_and_a_lumen_with_tissue_below_is_not(picture, ellipse):
    image = picture([ellipse(8.0, 10.0, 4.0, 5.0)])
    image[60:, 230:290] = 3
    grid = analysis_grid(image.shape, (0.1, 0.1))
    prepared = prepare(image.astype(np.float32), grid, 8.0, (0, grid.grid_shape[0]))
    angle = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    circle = 18 * np.stack([np.sin(angle), np.cos(angle)], axis=1)
    outlines = np.stack([grid.to_grid(circle + middle) for middle in ((79.5, 99.5), (90, 260))])
    lumen, shadow = shadow_below(prepared, outlines)
    assert lumen < 0.2
    assert shadow > 0.8
    image[60:, 230:290] = 0
    image[110:112, 225:295] = 200  # the frame of a colour box
    prepared = prepare(image.astype(np.float32), grid, 8.0, (0, grid.grid_shape[0]))
    lumen, shadow = open_below(prepared, outlines)
    assert lumen == 0.0
    assert shadow > 0.3


def test_outlines_are_compared_and_resampled_evenly():
    angle = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    circle = np.stack([np.sin(angle), np.cos(angle)], axis=1) * 20
    again = joint.evenly(circle[np.sort(np.random.default_rng(0).choice(200, 120, replace=False))])
    assert again.shape == (32, 2)
    assert joint.agreement(circle, again) > 0.93
    assert joint.agreement(circle, circle + np.array([0, 20])) == pytest.approx(0.243, abs=0.05)
    assert joint.agreement(circle, circle + np.array([0, 60])) == 0
    assert cv2.contourArea(again.astype(np.float32).reshape(-1, 1, 2)) == pytest.approx(np.pi * 400, rel=0.03)


def test_a_place_off_the_tissue_counts_when_sure_and_beside_tissue():
    mask = np.zeros((200, 200), bool)
    mask[:100] = True
    angles = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    circle = 15 * np.stack([np.sin(angles), np.cos(angles)], axis=1)
    inside, at_the_edge, outside = (np.array([row, 100.0]) + circle for row in (60.0, 102.0, 160.0))
    assert joint.looked_at(mask, inside, 0.05)
    assert not joint.looked_at(mask, inside, 0.01)
    assert joint.looked_at(mask, at_the_edge, 0.9)
    assert not joint.looked_at(mask, at_the_edge, 0.3)
    assert not joint.looked_at(mask, outside, 0.99)
