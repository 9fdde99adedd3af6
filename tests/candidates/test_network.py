"""The trained network: the numbers of the training framework, places in the image's pixels, and bad input."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from veinscan.candidates import network
from veinscan.errors import InvalidInputError
from veinscan.phantom.clips import make_clip

REFERENCE = Path(__file__).parent / "network_reference.npz"


@pytest.fixture(scope="module")
def reference() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """(64, 128) uint8 image of a dark disc, and (4, 32, 64) maps of the training framework."""
    with np.load(REFERENCE) as held:
        return held["image"], held["maps"]


def disc_maps(*discs: tuple[float, float, float], nerve: float = 0.0) -> network.LumenMaps:
    """Maps of ideal lumens: (row, col, radius) in image pixels of the network's own size."""
    rows, cols = (grid * 2 + 0.5 for grid in np.mgrid[0:120, 0:150].astype(np.float32))
    vessel, core = (np.zeros((120, 150), np.float32) for _ in range(2))
    for row, col, radius in discs:
        inside = radius - np.hypot(rows - row, cols - col)
        vessel = np.maximum(vessel, 1 / (1 + np.exp(-np.clip(inside, -30, 30))))
        core = np.maximum(core, 1 / (1 + np.exp(-np.clip(inside - 0.5 * radius, -30, 30))))
    return network.LumenMaps(
        vessel.astype(np.float32), np.full_like(vessel, nerve), core.astype(np.float32), (0.5, 0.5)
    )


def test_opencv_gives_what_the_training_framework_gave(
    reference: tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]],
) -> None:
    image, wanted = reference
    got = network.shipped_network().forward(image.astype(np.float32) / 255)
    assert got.shape == wanted.shape
    assert np.abs(got - wanted).max() < 1e-3


def test_a_frame_of_another_size_in_between_changes_nothing(
    reference: tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]],
) -> None:
    image, _ = reference
    first = network.lumen_probability(image, 0.08)
    network.lumen_probability(np.zeros((300, 210), np.uint8), 0.06)
    np.testing.assert_array_equal(first, network.lumen_probability(image, 0.08))


def test_both_sizes_of_the_picture_lie_over_each_other() -> None:
    rows, cols = np.mgrid[:230, :317]
    image = (120 + 60 * np.sin(rows / 23) * np.cos(cols / 31)).astype(np.uint8)
    sizes = []

    def seen(padded: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The picture itself as every map, and which of the two it was as the last."""
        sizes.append(padded.shape)
        half = cv2.resize(padded, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        return np.stack([half, half, half, np.full_like(half, len(sizes) - 1)])

    maps = network.averaged_maps(image, (0.07, 0.09), seen)
    wanted = cv2.resize(image, maps.vessel.shape[::-1], interpolation=cv2.INTER_AREA) / 255
    assert sizes[1][0] < sizes[0][0]
    # one in the core map only at the coarse size: the mean of both is a half
    np.testing.assert_allclose(maps.core, 0.5, atol=1e-6)
    np.testing.assert_allclose(maps.vessel[4:-4, 4:-4], wanted[4:-4, 4:-4], atol=0.02)
    np.testing.assert_array_equal(maps.vessel, maps.nerve)


def test_the_map_has_the_shape_of_the_image() -> None:
    for shape in ((1, 1), (1, 40), (37, 3), (250, 333)):
        found = network.lumen_probability(np.full(shape, 90, np.uint8), 0.07)
        assert found.shape == shape
        assert found.dtype == np.float32
        assert 0 <= found.min() <= found.max() <= 1


@pytest.mark.parametrize(("radius", "tolerance"), [(6.0, 0.12), (12.0, 0.06), (40.0, 0.03)])
def test_an_ideal_lumen_is_outlined_where_it_lies(radius: float, tolerance: float) -> None:
    (found,) = [item for item, _ in network.proposals_of(disc_maps((101.0, 143.0, radius)))]
    np.testing.assert_allclose(found.outline.mean(axis=0), (101.0, 143.0), atol=0.5)
    area = cv2.contourArea(found.outline.reshape(-1, 1, 2))
    assert area == pytest.approx(np.pi * radius**2, rel=2 * tolerance)
    assert found.vessel_probability > 0.8
    assert 0 < found.score <= 1


def test_lumens_that_touch_are_parted() -> None:
    maps = disc_maps((100.0, 100.0, 30.0), (100.0, 155.0, 24.0))
    centres = sorted(item.outline.mean(axis=0)[1] for item, _ in network.proposals_of(maps))
    assert len(centres) == 2
    np.testing.assert_allclose(centres, (100, 155), atol=3)


def test_a_nerve_scores_lower_than_the_same_shape_that_is_none() -> None:
    plain, nervous = (
        network.proposals_of(disc_maps((100.0, 150.0, 20.0), nerve=n))[0][0] for n in (0.0, 0.6)
    )
    assert nervous.score < plain.score
    assert nervous.nerve_probability == pytest.approx(0.6, abs=0.01)


@pytest.mark.parametrize("spacing_mm", [0.05, 0.08, 0.11])
def test_veins_of_a_phantom_are_found_at_every_spacing(spacing_mm: float) -> None:
    shape = (round(26 / spacing_mm), round(32 / spacing_mm))
    frames, truth = make_clip(7, spacing_mm=spacing_mm, shape=shape, n_frames=1)
    probability = network.lumen_probability(frames[0], spacing_mm)
    found = network.propose(frames[0], spacing_mm, min_score=0.3)
    wanted = [v["frames"]["0"] for v in truth["vessels"] if v["type"] == "vein" and "0" in v["frames"]]
    wanted = [entry for entry in wanted if entry["diameter_mm"] >= 1.5]
    assert len(wanted) >= 2
    hits = 0
    for entry in wanted:
        row, col = entry["centre"]
        near = [np.hypot(*(item.outline.mean(axis=0) - (row, col))) * spacing_mm for item in found]
        hits += (
            min(near, default=99.0) < entry["diameter_mm"] / 2 and probability[round(row), round(col)] > 0.3
        )
    assert hits >= 0.8 * len(wanted)
    assert len(found) <= len(truth["vessels"]) + 3


def test_pixels_need_not_be_square() -> None:
    frames, _ = make_clip(7, spacing_mm=0.08, shape=(320, 400), n_frames=1)
    flat = cv2.resize(frames[0], (400, 200), interpolation=cv2.INTER_AREA)
    square = network.propose(frames[0], 0.08, min_score=0.5)
    flattened = network.propose(flat, (0.128, 0.08), min_score=0.3)
    assert square
    for item in square:
        row, col = item.outline.mean(axis=0) * (0.625, 1)
        assert min(np.hypot(*(other.outline.mean(axis=0) - (row, col))) for other in flattened) < 6


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_plain_field_holds_no_lumen(level: int) -> None:
    assert network.propose(np.full((300, 400), level, np.uint8), 0.08, min_score=0.5) == []


def test_a_very_large_field_is_looked_at_in_coarser_pixels() -> None:
    padded, (rows, cols), scale = network.network_input(np.zeros((3000, 500), np.uint8), (0.5, 0.5))
    assert (rows, cols) == (2048, 342)
    assert padded.shape == (2048, 384)
    assert scale == pytest.approx((2048 / 3000, 342 / 500))


@pytest.mark.parametrize(
    ("side", "held", "padded"),
    [(448, 448, 448), (458, 448, 448), (500, 500, 512), (66, 64, 64), (40, 40, 64)],
)
def test_a_few_rows_too_many_are_squeezed_rather_than_padded(side: int, held: int, padded: int) -> None:
    image = np.tile(np.arange(side, dtype=np.uint8)[:, None] // 2, (1, 128))
    given, (rows, cols), scale = network.network_input(image, (0.08, 0.08))
    assert (rows, cols) == (held, 128)
    assert given.shape == (padded, 128)
    assert scale == pytest.approx((held / side, 1.0))
    # the last row of the picture is still there, as the last one that is not padding
    assert given[rows - 1].mean() == pytest.approx(image[-1].mean() / 255, abs=0.01)
    assert not given[rows:].any()


@pytest.mark.parametrize(
    ("image", "spacing_mm"),
    [
        (np.zeros((40, 40), np.float32), 0.08),
        (np.zeros((40, 40, 3), np.uint8), 0.08),
        (np.zeros((0, 40), np.uint8), 0.08),
        ([[1, 2], [3, 4]], 0.08),
        (np.zeros((40, 40), np.uint8), 0.0),
        (np.zeros((40, 40), np.uint8), float("nan")),
        (np.zeros((40, 40), np.uint8), (0.08, -0.08)),
        (np.zeros((40, 40), np.uint8), (0.08, 0.08, 0.08)),
        (np.zeros((40, 40), np.uint8), "fine"),
    ],
)
def test_what_is_no_grey_frame_is_refused_with_what_to_pass(image: object, spacing_mm: object) -> None:
    with pytest.raises(InvalidInputError, match="pass"):
        network.propose(image, spacing_mm)  # type: ignore[arg-type]
