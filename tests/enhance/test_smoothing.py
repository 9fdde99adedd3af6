"""Options before a filter: less speckle, more contrast, the mean of registered frames."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from veinscan.enhance import registered_mean, smoothed
from veinscan.errors import InvalidInputError


@pytest.mark.parametrize("method", ["median", "tv"])
def test_speckle_goes_and_the_lumen_stays_where_it_is(picture, method):
    image = picture([(15.0, 18.0, 4.0)])
    out = smoothed(image, 0.1, method)
    assert out.shape == image.shape
    assert out.dtype == np.float32
    assert out[200:290, 20:120].std() < 0.8 * image[200:290, 20:120].std()
    assert out[145:155, 175:185].mean() < 40
    assert out[100:110, 100:260].mean() > 80


def test_clahe_evens_out_the_contrast(picture):
    dim = (picture([(15.0, 18.0, 4.0)]) * 0.3).astype(np.uint8)
    out = smoothed(dim, 0.1, "clahe")
    assert out.std() > 1.5 * dim.std()
    assert out.min() >= 0 and out.max() <= 255


@pytest.mark.parametrize("method", ["none", "median", "tv", "clahe"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (3, 3), (40, 40)])
def test_tiny_and_constant_pictures_come_back(method, shape):
    out = smoothed(np.full(shape, 90, np.uint8), 0.1, method)
    assert out.shape == shape
    assert np.ptp(out) < 1e-3


def test_none_changes_nothing_and_nonsense_is_refused(picture):
    image = picture([])
    np.testing.assert_array_equal(smoothed(image, 0.1, "none"), image)
    for call in (
        lambda: smoothed(image, 0.1, "wavelet"),  # type: ignore[arg-type]
        lambda: smoothed(image, (1,), "median"),
        lambda: smoothed(np.zeros((4, 4, 3), np.uint8), 0.1, "median"),
        lambda: registered_mean([], 0.1),
        lambda: registered_mean([image, image[1:]], 0.1),
        lambda: registered_mean([image], 0.1, index=1),
        lambda: registered_mean([image, np.full(image.shape, np.nan)], 0.1),
    ):
        with pytest.raises(InvalidInputError):
            call()


@pytest.mark.parametrize("shift", [(0.0, 0.0), (3.0, -5.0), (-2.5, 6.5)])
def test_moved_frames_are_laid_on_each_other(picture, shift):
    first = picture([(10.0, 12.0, 3.0), (20.0, 24.0, 4.0)]).astype(np.float32)
    rng = np.random.default_rng(0)

    def shown(down: float, right: float) -> np.ndarray:
        moved = cv2.warpAffine(
            first, np.array([[1.0, 0.0, right], [0.0, 1.0, down]]), (360, 300), borderMode=cv2.BORDER_REFLECT
        )
        return np.clip(moved + rng.normal(0, 20, moved.shape), 0, 255)

    frames = [shown(0, 0), *(shown(*shift) for _ in range(4))]
    mean = registered_mean(frames, 0.1, index=0)
    inner = (slice(20, -20), slice(20, -20))
    alone = np.abs(frames[0] - first)[inner].mean()
    assert np.abs(mean - first)[inner].mean() < 0.75 * alone


def test_a_frame_of_something_else_is_left_out(picture):
    first = picture([(10.0, 12.0, 3.0)], seed=1)
    other = picture([(20.0, 24.0, 5.0)], seed=2)
    np.testing.assert_allclose(registered_mean([first, other], 0.1, index=0), first, atol=1.0)
