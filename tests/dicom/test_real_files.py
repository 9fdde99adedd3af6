"""Real files of real scanners; what is special in each stands in the README beside them."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest

from veinscan.dicom import RegionKind, open_study

# name: (kind, shape, (spacing row, col) or None, frame rate)
EXPECTED = {
    "acuson-colour-doppler-jpeg-fragmented": ("colour", (8, 240, 320, 3), None, 22.58),
    "acuson-colour-doppler-native": ("colour", (8, 240, 320, 3), None, 22.58),
    "echo-palette-jpegls-10f": ("colour", (10, 430, 600, 3), None, 13.16),
    "echo-palette-rle-10f": ("colour", (10, 430, 600, 3), None, 13.16),
    "esaote-musculoskeletal-ybr422-native": ("bmode", (1, 555, 800, 3), 0.0616, None),
    "ge-logiq700-power-doppler-bigendian": ("power", (1, 480, 640, 3), None, None),
    "ge-logiqe-jpeg2000-linear": ("bmode", (1, 965, 1660, 3), 0.0472941, None),
    "ge-vivid-e95-colour-flow-jpegxl": ("colour", (27, 708, 1016, 3), 0.27239, 21.08),
    "ge-voluson-s-jpeg-87f": ("bmode", (87, 743, 975, 3), 0.259386, 28.58),
    "mindray-dc30-rle-planar-ybr": ("bmode", (1, 910, 1260, 3), 0.145117, None),
    "nema-us1-jpeg2000-lossless": ("power", (1, 480, 640, 3), None, None),
    "nema-us1-jpeg2000-lossy": ("power", (1, 480, 640, 3), None, None),
    "nema-us1-native": ("power", (1, 480, 640, 3), None, None),
    "nema-us1-rle": ("power", (1, 480, 640, 3), None, None),
    "philips-clearvue-palette-implicit": ("bmode", (1, 600, 800, 3), 0.1650963, None),
    "philips-cx50-palette-bigendian": ("bmode", (1, 600, 800, 3), 0.2622879, None),
    "philips-cx50-palette-rle": ("bmode", (1, 600, 800, 3), 0.3305421, None),
    "philips-cx50-palette-rle-2f": (None, (2, 600, 800, 3), 0.2622879, None),
    "philips-epiq7-jpeg-lossless-mono": ("bmode", (1, 768, 1024), 0.254767, None),
    "philips-iu22-jpegls-mono": ("bmode", (1, 768, 1024), None, None),
}


@pytest.fixture
def real(shared_data) -> Path:
    return shared_data / "real-us"


def clip_of(folder: Path, name: str):
    return open_study(folder / f"{name}.dcm").clips[0]


@pytest.mark.parametrize("name", EXPECTED)
def test_kind_shape_calibration_and_time(real, name):
    kind, shape, spacing, rate = EXPECTED[name]
    clip = clip_of(real, name)
    assert kind is None or clip.kind == kind
    assert clip.shape == shape
    if spacing is None:
        assert clip.spacing_mm is None
        assert any("nothing is measured in mm" in w for w in clip.warnings)
    else:
        assert clip.spacing_mm == pytest.approx((spacing, spacing), rel=1e-4)
    assert clip.frame_rate_hz == (None if rate is None else pytest.approx(rate, abs=0.01))
    frame = clip.frame(clip.n_frames - 1)
    assert frame.dtype == np.uint8
    assert frame.shape == shape[1:]
    assert frame.max() > 100


@pytest.mark.parametrize("name", EXPECTED)
def test_pixels_agree_with_pydicom_within_one_grey_level(real, name):
    from pydicom.pixels import apply_color_lut, iter_pixels

    if name == "ge-vivid-e95-colour-flow-jpegxl":
        pytest.skip("pydicom reads no JPEG XL")
    if name == "philips-epiq7-jpeg-lossless-mono":
        pytest.skip("pydicom has no lossless JPEG decoder here")
    clip = clip_of(real, name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom speaks of the character set's spelling
        dataset = pydicom.dcmread(real / f"{name}.dcm")
    for i, wanted in zip(range(2), iter_pixels(dataset), strict=False):
        if clip.photometric == "PALETTE COLOR":
            if name == "philips-cx50-palette-bigendian":
                # pydicom takes the palette's big-endian words for little-endian ones; the indices are right
                for colour in ("Red", "Green", "Blue"):
                    element = dataset[f"{colour}PaletteColorLookupTableData"]
                    element.value = np.frombuffer(element.value, ">u2").astype("<u2").tobytes()
            wanted = apply_color_lut(wanted, dataset) >> 8
        assert np.abs(clip.frame(i).astype(int) - wanted.astype(int)).max() <= 1


def test_the_same_picture_in_four_transfer_syntaxes(real):
    wanted = clip_of(real, "nema-us1-native").frame(0).astype(int)
    for name, most in (("nema-us1-rle", 0), ("nema-us1-jpeg2000-lossless", 0)):
        assert np.abs(clip_of(real, name).frame(0) - wanted).max() <= most
    assert np.abs(clip_of(real, "nema-us1-jpeg2000-lossy").frame(0) - wanted).mean() < 3


def test_the_same_clip_fragmented_jpeg_and_native(real):
    jpeg, native = (clip_of(real, f"acuson-colour-doppler-{n}") for n in ("jpeg-fragmented", "native"))
    assert jpeg.frame_times_s == pytest.approx(native.frame_times_s)
    for i in range(8):
        assert np.abs(jpeg.frame(i).astype(int) - native.frame(i)).mean() < 6
    others = np.abs(jpeg.frame(0).astype(int) - native.frame(4)).mean()
    assert others > np.abs(jpeg.frame(0).astype(int) - native.frame(0)).mean()


def test_the_same_picture_in_big_endian_and_rle(real):
    """8-bit pixels and palette as big-endian words."""
    big, rle = (clip_of(real, f"philips-cx50-palette-{n}") for n in ("bigendian", "rle-2f"))
    assert np.array_equal(big.frame(0), rle.frame(0))


def test_voluson_reference_pixel_is_absolute(real):
    region = clip_of(real, "ge-voluson-s-jpeg-87f").regions[0]
    assert region.reference == (742, 1)
    assert any("C.8.5.5.1.16" in w for w in region.warnings)


def test_acuson_dummy_is_left_out_and_its_depth_refused(real):
    clip = clip_of(real, "acuson-colour-doppler-native")
    assert [r.kind for r in clip.regions] == [RegionKind.TISSUE]
    assert any("463 mm deep" in w for w in clip.warnings)


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("philips-cx50-palette-rle", 64),
        ("ge-logiqe-jpeg2000-linear", 67),
        ("ge-vivid-e95-colour-flow-jpegxl", 71),
    ],
)
def test_skin_row_from_the_reference_pixel(real, name, row):
    assert clip_of(real, name).picture_region.skin_row == pytest.approx(row, abs=0.01)


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("esaote-musculoskeletal-ybr422-native", 79),
        ("ge-voluson-s-jpeg-87f", 91),
        ("mindray-dc30-rle-planar-ybr", 270),
        ("philips-epiq7-jpeg-lossless-mono", 170),
    ],
)
def test_skin_row_found_in_the_picture(real, name, row):
    """Rows read off the pictures by eye."""
    clip = clip_of(real, name)
    assert clip.picture_region.skin_row is None
    assert clip.skin_row == pytest.approx(row, abs=6)


def test_colours_lie_where_the_colour_box_is(real):
    """The Vivid's flow is blue and red inside its box, and the grey picture has none."""
    clip = clip_of(real, "ge-vivid-e95-colour-flow-jpegxl")
    mask = clip.colour_mask(0)
    inside = mask[225:530, 480:730]
    assert inside.mean() > 0.08
    frame = clip.frame(0)
    coloured = frame[225:530, 480:730][inside].astype(int)
    assert (coloured[:, 2] > coloured[:, 0]).mean() > 0.5
    assert mask[100:560, 200:470].mean() < 0.005


def test_mislabelled_jpeg_of_a_test_phantom(shared_data):
    path = shared_data / "real-doppler" / "sonoque-phantom-resolution.dcm"
    clip = open_study(path).clips[0]
    assert clip.spacing_mm == pytest.approx((0.0291, 0.0291))
    frame = clip.frame(0).astype(int)
    assert np.abs(frame[..., 0] - frame[..., 1]).mean() < 2, "a grey picture stays grey"
    assert any("YCbCr although the header says RGB" in w for w in clip.warnings)


def test_a_folder_of_all_of_them_asks_which_study(real):
    from veinscan.errors import AmbiguousStudyError

    with pytest.raises(AmbiguousStudyError) as caught:
        open_study(real)
    for uid in caught.value.study_uids:
        assert open_study(real, study_uid=uid).clips


def test_wrong_spelling_of_the_character_set_is_said(real):
    assert any("character set" in w for w in clip_of(real, "acuson-colour-doppler-native").warnings)


def test_lossless_jpeg_agrees_with_a_second_decoder(real):
    """pydicom brings none for process 14, so two independent codecs are compared."""
    import imagecodecs
    from pydicom.encaps import get_frame

    name = "philips-epiq7-jpeg-lossless-mono"
    data = get_frame(pydicom.dcmread(real / f"{name}.dcm").PixelData, 0, number_of_frames=1)
    assert np.array_equal(clip_of(real, name).frame(0), imagecodecs.jpegsof3_decode(data))
