"""`vesselness`: an absolute measure of dark tubes and ellipses, with sizes in mm."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from veinscan.enhance import vesselness
from veinscan.enhance.grid import analysis_grid
from veinscan.enhance.medial import medialness, size_maps
from veinscan.enhance.tissue import filled, shadows, tissue_mask
from veinscan.errors import InvalidInputError

METHODS = ("default", "frangi", "sato", "meijering")


def scene(
    lumens: list[tuple[float, float, float, float]],
    *,
    spacing: tuple[float, float] = (0.1, 0.1),
    size_mm: tuple[float, float] = (24.0, 30.0),
) -> np.ndarray:
    """Smooth tissue of grey 110 with black ellipses (depth, across, height, width in mm)."""
    rows, cols = (round(side / step) for side, step in zip(size_mm, spacing, strict=True))
    row, col = np.mgrid[:rows, :cols]
    y, x = (row + 0.5) * spacing[0], (col + 0.5) * spacing[1]
    image = np.full((rows, cols), 110.0)
    for depth, across, height, width in lumens:
        image[((y - depth) / height * 2) ** 2 + ((x - across) / width * 2) ** 2 <= 1] = 8.0
    return cv2.GaussianBlur(image, (0, 0), 0.2 / spacing[1], sigmaY=0.15 / spacing[0]).astype(np.uint8)


@pytest.mark.parametrize("method", METHODS)
def test_shape_type_and_bounds(method):
    image = scene([(10, 12, 3, 3)], spacing=(0.09, 0.13))
    response = vesselness(image, (0.09, 0.13), method=method)
    assert response.shape == image.shape
    assert response.dtype == np.float32
    assert response.min() >= 0.0
    assert 0.0 < response.max() <= 1.0


@pytest.mark.parametrize("diameter", [1.0, 1.6, 2.5, 4.0, 6.3])
@pytest.mark.parametrize("grade", ["exact", "live"])
def test_the_top_is_the_middle_of_the_lumen_at_every_size(diameter, grade):
    response = vesselness(scene([(11, 16, diameter, diameter)]), 0.1, grade=grade)
    row, col = np.unravel_index(response.argmax(), response.shape)
    assert ((row + 0.5) * 0.1, (col + 0.5) * 0.1) == pytest.approx((11, 16), abs=0.15 + 0.12 * diameter)
    assert response.max() > 0.3


def test_sizes_answer_alike():
    tops = [vesselness(scene([(11, 16, d, d)]), 0.1).max() for d in (1.5, 2.0, 3.0, 4.0, 6.0)]
    assert min(tops) > 0.6 * max(tops)


def test_a_tube_answers_along_its_whole_middle():
    response = vesselness(scene([(12, 15, 3, 200)]), 0.1)
    middle = response[118:122].max(axis=0)
    assert middle.min() > 0.5 * middle.max() > 0.1


def test_tissue_without_a_vessel_stays_silent():
    assert vesselness(scene([]), 0.1).max() < 0.02
    edge = np.full((200, 200), 20, np.uint8)
    edge[100:] = 150  # one wall only
    assert vesselness(edge, 0.1).max() < 0.05


def test_a_bright_structure_is_no_dark_vessel():
    image = 255 - scene([(11, 16, 3, 3)])
    assert vesselness(image, 0.1)[105:115, 155:165].max() < 0.02


def test_the_answer_does_not_depend_on_the_rest_of_the_frame():
    alone = vesselness(scene([(8, 8, 3, 3)]), 0.1)
    company = vesselness(scene([(8, 8, 3, 3), (18, 24, 5, 5)]), 0.1)
    np.testing.assert_allclose(company[40:120, 40:120], alone[40:120, 40:120], atol=1e-5)


def test_pixels_of_another_shape_give_the_same_map_in_mm():
    square = vesselness(scene([(11, 16, 3, 4)]), 0.1)
    for spacing in ((0.05, 0.1), (0.1, 0.16), (0.15, 0.075)):
        image = scene([(11, 16, 3, 4)], spacing=spacing)
        flat = cv2.resize(vesselness(image, spacing), square.shape[::-1], interpolation=cv2.INTER_AREA)
        assert np.corrcoef(flat.ravel(), square.ravel())[0, 1] > 0.97


def test_a_flip_flips_the_map():
    image = scene([(9, 10, 3, 4), (16, 21, 2, 2)], size_mm=(25.6, 32.0))
    plain = vesselness(image, 0.125)
    for axis in (0, 1):
        turned = np.flip(vesselness(np.flip(image, axis).copy(), 0.125), axis)
        assert np.corrcoef(turned.ravel(), plain.ravel())[0, 1] > 0.995


@pytest.mark.parametrize("spacing", [0.05, 0.1, 0.16])
def test_live_is_nearly_exact(picture, spacing):
    image = picture([(8, 9, 3.0), (20, 12, 5.0), (18, 27, 2.4), (6, 27, 1.2)])
    exact = vesselness(image, spacing)
    live = vesselness(image, spacing, grade="live")
    assert np.corrcoef(exact.ravel(), live.ravel())[0, 1] > 0.995


def test_live_is_nearly_exact_on_real_images():
    folder = Path(__file__).parents[3] / "shared" / "data" / "vessels" / "images"
    paths = sorted(folder.glob("*.png"))[::40]
    if not paths:
        pytest.skip("no real images here")
    for path in paths:
        image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        exact = vesselness(image, 0.07)
        live = vesselness(image, 0.07, grade="live")
        assert np.corrcoef(exact.ravel(), live.ravel())[0, 1] > 0.995, path.name


@pytest.mark.parametrize("shape", [(37, 41), (38, 41), (37, 42), (70, 33)])
def test_live_asks_at_the_places_that_exact_asks_at(shape):
    image = np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32)
    exact = list(size_maps(image, 1.0, (7.0, 9.0)))
    live = list(size_maps(image, 1.0, (7.0, 9.0), grade="live"))
    for one, other in zip(exact, live, strict=True):
        assert (one.step, other.step) == (1, 2)
        np.testing.assert_allclose(other.response, one.response[::2, ::2], atol=0.005)


def test_the_screen_around_the_picture_gives_nothing():
    image = scene([(11, 16, 3, 3)])
    screen = np.zeros((400, 500), np.uint8)
    screen[60 : 60 + image.shape[0], 80 : 80 + image.shape[1]] = image
    response = vesselness(screen, 0.1)
    outside = np.ones(screen.shape, bool)
    outside[60 : 60 + image.shape[0], 80 : 80 + image.shape[1]] = False
    assert response[outside].max() == 0.0
    # the picture's edge is no wall
    inside = response[60 : 60 + image.shape[0], 80 : 80 + image.shape[1]]
    inside[80:140, 130:190] = 0
    assert inside.max() < 0.05


def test_a_mask_keeps_the_answer_within_it():
    image = scene([(8, 8, 3, 3), (16, 22, 3, 3)])
    mask = np.zeros(image.shape, bool)
    mask[:, :150] = True
    response = vesselness(image, 0.1, mask=mask)
    assert response[:, 153:].max() == 0.0
    assert response[70:90, 70:90].max() > 0.3
    with pytest.raises(InvalidInputError, match="mask"):
        vesselness(image, 0.1, mask=mask[1:])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (2, 2), (3, 5), (60, 60)])
@pytest.mark.parametrize("grey", [0, 90, 255])
def test_constant_and_tiny_pictures_give_nothing(method, shape, grey):
    response = vesselness(np.full(shape, grey, np.uint8), 0.1, method=method)
    assert response.shape == shape
    assert response.max() == 0.0


@pytest.mark.parametrize(
    ("image", "options", "says"),
    [
        (np.zeros((5, 5, 3), np.uint8), {}, "colour"),
        (np.zeros((2, 5, 5, 3), np.uint8), {}, "shape"),
        (np.zeros((0, 5), np.uint8), {}, "shape"),
        (np.full((5, 5), np.nan), {}, "NaN"),
        (np.full((5, 5), np.inf), {}, "NaN"),
        (np.full((5, 5), -1.0), {}, "0 to 255"),
        (np.full((5, 5), 4095, np.uint16), {}, "0 to 255"),
        (np.zeros((5, 5), bool), {}, "uint8"),
        (np.zeros((5, 5), np.uint8), {"spacing_mm": 0}, "spacing_mm"),
        (np.zeros((5, 5), np.uint8), {"spacing_mm": "wide"}, "spacing_mm"),
        (np.zeros((5, 5), np.uint8), {"spacing_mm": (1,)}, "spacing_mm"),
        (np.zeros((5, 5), np.uint8), {"spacing_mm": np.array([[0.1, 0.1, 0.1]])}, "spacing_mm"),
        (np.broadcast_to(np.uint8(0), (9000, 9000)), {}, "at most"),
        (np.zeros((5, 5), np.uint8), {"spacing_mm": (1,)}, "spacing_mm"),
        (np.zeros((5, 5), np.uint8), {"spacing_mm": np.array([[0.1, 0.1]])}, "spacing_mm"),
        (np.zeros((5, 5), np.uint8), {"spacing_mm": True}, "spacing_mm"),
        (np.zeros((5, 5), np.uint8), {"diameters_mm": (4, 2)}, "smaller"),
        (np.zeros((5, 5), np.uint8), {"diameters_mm": (1, 2, 3)}, "diameters_mm"),
        (np.zeros((5, 5), np.uint8), {"diameters_mm": (np.nan, 3)}, "diameters_mm"),
        (np.zeros((5, 5), np.uint8), {"grade": "fast"}, "grade"),
        (np.zeros((5, 5), np.uint8), {"method": "jerman"}, "method"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(image, options, says):
    with pytest.raises(InvalidInputError, match=says):
        vesselness(image, **({"spacing_mm": 0.1} | options))


def test_float_grey_levels_are_taken_as_they_are():
    image = scene([(11, 16, 3, 3)])
    np.testing.assert_array_equal(vesselness(image.astype(np.float64), 0.1), vesselness(image, 0.1))


def test_the_order_of_sizes_and_a_wider_range_never_lower_the_answer():
    image = scene([(11, 16, 3, 3)]).astype(np.float32)
    narrow = medialness(image, 0.1, (2.0, 4.0))
    # 2 mm to 8 mm holds the same steps as 2 to 4 and more
    wide = medialness(image, 0.1, (2.0, 8.0))
    assert (wide >= narrow - 1e-6).all()


def test_the_grid_maps_points_there_and_back():
    for shape, spacing in (((480, 640), (0.07, 0.07)), ((300, 200), (0.05, 0.2)), ((37, 41), (0.3, 0.3))):
        grid = analysis_grid(shape, spacing)
        points = np.array([[0.0, 0.0], [10.2, 7.7], [shape[0] - 1, shape[1] - 1]])
        np.testing.assert_allclose(grid.to_frame(grid.to_grid(points)), points, atol=1e-9)
        assert grid.pixel_mm >= min(0.125, min(spacing))
        # a bright spot stays where it was
        image = np.zeros(shape, np.float32)
        image[shape[0] // 2, shape[1] // 3] = 255
        small = grid.resample(cv2.GaussianBlur(image, (0, 0), 4))
        top = np.array(np.unravel_index(small.argmax(), small.shape), float)
        miss = (grid.to_frame(top) - (shape[0] // 2, shape[1] // 3)) * np.array(spacing)
        assert np.abs(miss).max() <= grid.pixel_mm


def test_filling_leaves_tissue_alone_and_invents_no_edges():
    image = scene([(11, 16, 3, 3)]).astype(np.float32)
    mask = np.ones(image.shape, bool)
    mask[:, 200:] = False
    out = filled(np.where(mask, image, 0).astype(np.float32), mask)
    np.testing.assert_array_equal(out[mask], image[mask])
    assert np.abs(out[~mask] - 110).max() < 12


def test_a_lumen_is_tissue_and_the_screen_is_not():
    image = scene([(11, 16, 4, 4)]).astype(np.float32)
    image[:, :40] = 0
    mask = tissue_mask(image, 0.1)
    assert not mask[:, :38].any()
    assert mask[:, 42:].all()


def test_text_beside_the_picture_is_no_tissue():
    screen = np.zeros((400, 500), np.uint8)
    image = scene([(11, 16, 3, 3)])
    screen[60 : 60 + image.shape[0], 180 : 180 + image.shape[1]] = image
    for line in range(60, 380, 24):
        cv2.putText(screen, "OB 8800", (12, line), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (255,), 2)
    mask = tissue_mask(screen.astype(np.float32), 0.1)
    assert not mask[:, :170].any()
    assert mask[70:290, 190:470].all()


@pytest.mark.parametrize("grade", ["exact", "live"])
def test_a_black_shadow_to_the_bottom_gives_nothing(grade):
    image = scene([(6, 8, 3, 3)])
    image[100:, 180:220] = 0  # as wide as a vein, below bone
    response = vesselness(image, 0.1, grade=grade)
    assert response[104:, 170:230].max() < 0.1 * response[50:70, 70:90].max()


@pytest.mark.parametrize("grade", ["exact", "live"])
def test_the_edge_of_a_sector_gives_nothing(grade):
    image = scene([(12, 15, 3, 3)])
    rows, cols = np.mgrid[: image.shape[0], : image.shape[1]]
    sector = np.abs(cols - 150) < 60 + 0.4 * rows
    image[~sector] = 0
    response = vesselness(image, 0.1, grade=grade)
    assert response[~cv2.dilate(sector.astype(np.uint8), np.ones((3, 3))).astype(bool)].max() == 0.0
    response[100:140, 130:170] = 0
    # the black runs out to a tip where the sector's edge meets the picture's: that one is not told
    assert response[:, 8:-8].max() < 0.05


@pytest.mark.parametrize("grade", ["exact", "live"])
@pytest.mark.parametrize(("width_mm", "level"), [(2.0, 12), (4.0, 12), (4.0, 25), (6.0, 25)])
def test_a_shadow_that_is_dim_and_not_black_gives_nothing(picture, grade, width_mm, level):
    image = picture([(8, 9, 3.0), (20, 12, 5.0)])
    plain = vesselness(image, 0.1, grade=grade)
    rng = np.random.default_rng(1)
    noise = cv2.GaussianBlur(rng.normal(size=image.shape), (0, 0), 1.5)
    half = round(width_mm / 0.2)
    band = np.s_[120:, 250 - half : 250 + half]
    image[band] = np.clip(level + noise * (4.0 / noise.std()), 0, 255)[band].astype(np.uint8)
    response = vesselness(image, 0.1, grade=grade)
    assert response[126:, 250 - half : 250 + half].max() < 0.1 * plain.max()
    # what is beside it stays
    np.testing.assert_allclose(response[50:110, 50:130], plain[50:110, 50:130], atol=1e-5)
    assert response[170:230, 100:140].max() > 0.5 * plain[170:230, 100:140].max()


def test_a_deep_vein_in_tissue_that_fades_is_no_shadow(picture):
    image = picture([(8, 9, 3.0), (24, 20, 3.0)])
    rows = np.arange(len(image))[:, None]
    faded = (image * np.clip(1.2 - rows / len(image), 0.2, 1.0)).astype(np.uint8)
    small = faded.astype(np.float32)
    assert not shadows(small, np.ones(small.shape, bool), 0.1).any()
    assert vesselness(faded, 0.1)[225:255, 185:215].max() > 0.05


@pytest.mark.parametrize("grade", ["exact", "live"])
def test_text_and_calipers_upon_tissue_give_nothing(picture, grade):
    image = picture([(8, 9, 3.0), (20, 12, 5.0)])
    plain = vesselness(image, 0.1, grade=grade)
    written = image.copy()
    cv2.putText(written, "GSV 4.2", (200, 240), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255,), 1)
    cv2.putText(written, "Rt", (230, 90), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (255,), 2)
    cv2.drawMarker(written, (80, 65), (255,), cv2.MARKER_CROSS, 9, 1)
    drawn = cv2.dilate((written != image).astype(np.uint8), np.ones((9, 9))) > 0
    response = vesselness(written, 0.1, grade=grade)
    assert response[drawn].max() < plain[drawn].max() + 0.1 * plain.max()
    # a caliper in a lumen leaves the lumen there
    assert response[70:90, 80:100].max() > 0.8 * plain[70:90, 80:100].max()
    assert np.corrcoef(response[~drawn], plain[~drawn])[0, 1] > 0.99
