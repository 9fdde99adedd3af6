"""What a clip shows: from its regions, its ImageType, its pixels."""

from __future__ import annotations

import numpy as np
import pytest
from us_files import region, save, us

from veinscan.dicom import ClipKind, open_study
from veinscan.dicom.chroma import colour_parts
from veinscan.dicom.guard import DEFAULT_LIMITS
from veinscan.dicom.kind import has_picture, kind_from_header
from veinscan.dicom.regions import read_regions
from veinscan.dicom.skin import find_skin_row

TISSUE = {"RegionSpatialFormat": 1, "RegionDataType": 1}
FLOW = {"RegionSpatialFormat": 1, "RegionDataType": 2}
PW = {"RegionSpatialFormat": 3, "RegionDataType": 3}
M = {"RegionSpatialFormat": 2, "RegionDataType": 1}


def noise(rows=240, columns=320, seed=3) -> np.ndarray:
    """A grey picture with the texture of tissue on an empty screen."""
    rng = np.random.default_rng(seed)
    out = np.zeros((rows, columns), np.uint8)
    out[40:220, 40:260] = rng.rayleigh(40, (180, 220)).clip(0, 200)
    return out


def coloured(grey: np.ndarray, *, bar: str = "", flow: bool = True) -> np.ndarray:
    out = np.repeat(grey[..., None], 3, axis=2)
    rng = np.random.default_rng(4)
    if flow:
        levels = rng.integers(80, 255, (40, 60))
        out[100:140, 100:160] = 0
        out[100:140, 100:160, 0] = levels
        if bar == "warm":
            out[100:140, 100:160, 1] = levels // 2
    if bar:
        ramp = np.linspace(60, 255, 60).astype(np.uint8)
        out[60:180, 290:302] = 0
        out[60:120, 290:302, 0] = ramp[::-1, None]
        out[120:180, 290:302, 2 if bar == "red and blue" else 0] = ramp[:, None]
    return out


def clip_of(tmp_path, frame: np.ndarray, regions=None, **tags):
    photometric = "RGB" if frame.ndim == 3 else "MONOCHROME2"
    dataset = us(
        rows=frame.shape[0], columns=frame.shape[1], photometric=photometric, regions=regions, **tags
    )
    return open_study(save(dataset, tmp_path / "a.dcm", frame.tobytes())).clips[0]


@pytest.mark.parametrize(
    ("regions", "kind"),
    [
        ([TISSUE, PW], "duplex"),
        ([FLOW, TISSUE, PW], "duplex"),
        ([PW], "spectral"),
        ([M], "m_mode"),
        ([TISSUE, M], "m_mode"),
    ],
)
def test_regions_decide_first(regions, kind):
    """RegionSpatialFormat and RegionDataType, C.8.5.5.1.1 and .2."""
    dataset = us(regions=[region(**r) for r in regions])
    found = read_regions(dataset, 48, 64, DEFAULT_LIMITS).regions
    assert kind_from_header(found, (), colour=True) == kind


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("0001", None),
        ("0002", "m_mode"),
        ("0004", "spectral"),
        ("0008", "spectral"),
        ("0009", "duplex"),
        ("0011", "colour"),
        ("0101", "power"),
        ("", None),
        ("x", None),
    ],
)
def test_image_type_tells_where_there_are_no_regions(value, kind):
    """The fourth value of ImageType is a bit field of modes (C.8.5.6.1.1)."""
    assert kind_from_header((), ("ORIGINAL", "PRIMARY", "VASCULAR", value), colour=True) == kind


def test_grey_picture(tmp_path):
    clip = clip_of(tmp_path, noise())
    assert clip.kind == ClipKind.BMODE
    clip = clip_of(tmp_path, coloured(noise(), flow=False))
    assert clip.kind == ClipKind.BMODE


@pytest.mark.parametrize(("bar", "kind"), [("red and blue", "colour"), ("warm", "power"), ("", "colour")])
@pytest.mark.parametrize("with_region", [False, True])
def test_colour_and_power_by_the_bar(tmp_path, bar, kind, with_region):
    box = {
        "RegionLocationMinX0": 40,
        "RegionLocationMinY0": 40,
        "RegionLocationMaxX1": 259,
        "RegionLocationMaxY1": 219,
    }
    regions = [region(**box)] if with_region else None
    assert clip_of(tmp_path, coloured(noise(), bar=bar), regions).kind == kind


def test_a_bar_alone_is_no_flow(tmp_path):
    frame = coloured(noise(), bar="red and blue", flow=False)
    assert clip_of(tmp_path, frame).kind == ClipKind.BMODE
    parts = colour_parts(frame)
    assert not parts.flow.any()
    row0, col0, _, col1 = parts.bars[0]
    assert (col0, col1) == (290, 302)
    assert row0 >= 60
    assert parts.bar_is_warm is False


def test_a_coloured_banner_is_no_flow(tmp_path):
    frame = coloured(noise(), flow=False)
    frame[:30] = (30, 50, 110)
    assert clip_of(tmp_path, frame).kind == ClipKind.BMODE


def test_flow_is_where_the_colour_is():
    parts = colour_parts(coloured(noise(), bar="red and blue"))
    assert parts.flow[101:139, 101:159].mean() > 0.95
    parts.flow[98:142, 98:162] = False
    assert not parts.flow.any()


def test_page_of_text_has_no_picture():
    page = np.zeros((480, 640), np.uint8)
    rng = np.random.default_rng(1)
    for row in range(40, 440, 16):
        page[row : row + 9, 40:560] = np.where(rng.random((9, 520)) < 0.25, 255, 0)
    page[0:30] = 60
    assert not has_picture(page)
    assert has_picture(noise())


def test_two_pictures_are_a_dual_screen(tmp_path):
    left = region(RegionLocationMaxX1=150, RegionLocationMaxY1=239)
    right = region(RegionLocationMinX0=160, RegionLocationMaxX1=319, RegionLocationMaxY1=239)
    assert clip_of(tmp_path, noise(), [left, right]).dual_screen
    assert not clip_of(tmp_path, noise(), [left]).dual_screen


def test_skin_is_where_the_picture_begins():
    frame = noise()
    assert find_skin_row([frame], (0, 0, 240, 320)) == pytest.approx(40, abs=2)
    assert find_skin_row([np.zeros_like(frame)], (0, 0, 240, 320)) is None
    assert find_skin_row([frame], (0, 0, 240, 3)) is None
    low = np.roll(frame, 120, axis=0)
    low[:160] = 0
    assert find_skin_row([low], (0, 0, 240, 320)) is None


def test_skin_row_of_a_clip_comes_from_the_header_first(tmp_path):
    box = {"RegionLocationMaxX1": 319, "RegionLocationMaxY1": 239}
    given = region(**box, ReferencePixelX0=150, ReferencePixelY0=50)
    assert clip_of(tmp_path, noise(), [given]).skin_row == 50
    assert clip_of(tmp_path, noise(), [region(**box)]).skin_row == pytest.approx(40, abs=2)
