"""The wall fit at a click."""

from __future__ import annotations

import numpy as np
import pytest

from veinscan.candidates import measure_at
from veinscan.errors import InvalidInputError


def cases() -> list[tuple[float, float, float, float, tuple[float, float], int]]:
    """Minor axis, aspect, tilt, click off the middle, spacing, seed: all different, always the same."""
    rng = np.random.default_rng(5)
    spacings = ((0.05, 0.05), (0.1, 0.1), (0.08, 0.12))
    return [
        (
            round(float(minor), 2),
            round(float(rng.uniform(1.0, 1.8)), 2),
            round(float(rng.uniform(-40, 40))),
            round(float(rng.uniform(0, 0.25)), 2),
            spacings[index % 3],
            index,
        )
        for index, minor in enumerate(np.linspace(1.4, 6.0, 18))
    ]


@pytest.mark.parametrize(("minor", "aspect", "tilt", "off", "spacing", "seed"), cases())
def test_an_ellipse_is_measured_from_any_click_near_its_middle(
    picture, ellipse, minor, aspect, tilt, off, spacing, seed
):
    vein = ellipse(10.0, 13.0, minor, minor * aspect, tilt)
    image = picture([vein], spacing=spacing, size_mm=(20, 26), seed=seed)
    click = ((10.0 + off * minor) / spacing[0] - 0.5, 13.0 / spacing[1] - 0.5)
    found = measure_at(image, click, spacing)
    assert found is not None
    assert found.diameter_mm == pytest.approx(minor, abs=0.25 + 0.06 * minor)
    row, col = found.centre
    assert ((row + 0.5) * spacing[0], (col + 0.5) * spacing[1]) == pytest.approx((10.0, 13.0), abs=0.35)
    half_height = np.hypot(
        minor / 2 * np.cos(np.deg2rad(tilt)), minor * aspect / 2 * np.sin(np.deg2rad(tilt))
    )
    assert found.depth_mm == pytest.approx(10.0 - half_height, abs=0.4)


def test_no_wall_gives_nothing():
    assert measure_at(np.full((200, 200), 80, np.uint8), (100, 100), 0.1) is None
    assert measure_at(np.zeros((1, 1), np.uint8), (0, 0), 0.1) is None


def test_depth_counts_from_the_skin(picture, ellipse):
    image = picture([ellipse(12.0, 16.0, 4.0, 4.0)], size_mm=(24, 32))
    top = measure_at(image, (120, 160), 0.1)
    lower = measure_at(image, (120, 160), 0.1, skin_row=30)
    assert top is not None
    assert lower is not None
    assert top.depth_mm - lower.depth_mm == pytest.approx(3.0)


@pytest.mark.parametrize("point", [(-1, 5), (5, 200), (np.nan, 5), (1e9, 0)])
def test_a_point_off_the_image_is_refused(point):
    with pytest.raises(InvalidInputError, match="lies off"):
        measure_at(np.zeros((100, 100), np.uint8), point, 0.1)


@pytest.mark.parametrize(
    "image", [np.zeros((5, 5, 3), np.uint8), np.full((9, 9), np.nan), np.full((9, 9), 300.0)]
)
def test_an_image_that_is_none_is_refused(image):
    with pytest.raises(InvalidInputError):
        measure_at(image, (2, 2), 0.1)
