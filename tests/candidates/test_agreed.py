"""The outline that wall fit and network agree on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from veinscan.candidates.agreed import REACH_MM, agreed_outlines, pulled
from veinscan.candidates.propose import PreparedFrame, prepare
from veinscan.candidates.refine import refine_outlines
from veinscan.candidates.shapes import measure_polygons
from veinscan.enhance.grid import analysis_grid

PIXEL_MM = 0.08
MIDDLE = np.array([120.0, 150.0])
ANGLES = np.linspace(0, 2 * np.pi, 32, endpoint=False)


def ellipse(rows: float, cols: float, middle: np.ndarray = MIDDLE) -> np.ndarray:
    return middle + np.stack([rows * np.sin(ANGLES), cols * np.cos(ANGLES)], axis=1)


def radii(outline: np.ndarray) -> np.ndarray:
    return np.hypot(*(outline - MIDDLE).T)


@pytest.fixture
def prepared() -> PreparedFrame:
    """A dark disc of 20 pixels' radius in grey."""
    rows, cols = np.mgrid[:240, :300]
    away = np.hypot(rows - MIDDLE[0], cols - MIDDLE[1])
    image = (20 + 100 / (1 + np.exp(-(away - 20.0)))).astype(np.float32)
    return prepare(image, analysis_grid(image.shape, (PIXEL_MM, PIXEL_MM), 0.5), 8.0)


@given(st.floats(8, 30), st.floats(8, 30), st.floats(0.5, 6))
def test_a_vertex_is_moved_to_the_wall_or_by_the_reach(inner: float, outer: float, reach: float) -> None:
    moved = radii(pulled(ellipse(inner, inner), ellipse(outer, outer), reach))
    # the wall is a polygon of 32 corners: up to half a percent inside its circle
    wanted = inner + np.clip(outer - inner, -reach, reach)
    assert np.allclose(moved, wanted, atol=0.006 * outer)


def test_moving_to_the_wall_itself_changes_nothing() -> None:
    outline = ellipse(12, 18)
    assert np.allclose(pulled(outline, outline, 3.0), outline)


def test_without_an_outline_of_the_network_the_fitted_wall_stays(prepared: PreparedFrame) -> None:
    outlines = np.stack([ellipse(19, 19), ellipse(18, 20)])
    far = ellipse(10, 10, np.array([40.0, 40.0]))[None]
    fitted = refine_outlines(prepared.image, outlines, measure_polygons(outlines).centre, prepared.pixel_mm)
    for places in (np.zeros((0, 32, 2)), far):
        assert np.allclose(agreed_outlines(prepared, outlines, places), fitted)


def test_a_wall_far_off_is_held_near_the_networks_outline(prepared: PreparedFrame) -> None:
    scale = PIXEL_MM / prepared.pixel_mm
    middle = MIDDLE * scale
    astray = ellipse(20 * scale, 20 * scale, middle)
    astray[:8] = middle + 0.6 * (astray[:8] - middle)  # a quarter of the ring goes through the lumen
    theirs = ellipse(19 * scale, 19 * scale, middle)[None]
    (made,) = agreed_outlines(prepared, astray[None], theirs)
    off_mm = np.abs(np.hypot(*(made - middle).T) - 20 * scale) * prepared.pixel_mm
    assert off_mm.max() < REACH_MM + 0.1
    assert np.median(off_mm) < 0.12


def test_nothing_gives_nothing(prepared: PreparedFrame) -> None:
    assert agreed_outlines(prepared, np.zeros((0, 32, 2)), np.zeros((0, 32, 2))).shape == (0, 32, 2)
