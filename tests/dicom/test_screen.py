"""What is found in the pixels when no region says so, and time on sweeping strips."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest
from us_files import region, save, us

from veinscan.dicom import ClipKind, Region, RegionKind, open_study
from veinscan.dicom.screen import find_colour_boxes, find_m_mode, find_strip, find_wrap_column

STRIP_SCREENS = [
    *(f"ge-logiq-book-tibial-pw-{n}" for n in range(7)),
    "ge-voluson-umbilical-pw",
    "ge-voluson-uterine-pw",
    "sonosite-femoral-pw",
]


def overlap(a, b) -> float:
    """Intersection over union of two boxes."""
    rows = min(a[2], b[2]) - max(a[0], b[0])
    cols = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(0, rows) * max(0, cols)
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def as_clip(folder: Path, rgb: np.ndarray, **tags):
    rows, columns = rgb.shape[:2]
    save(us(rows=rows, columns=columns, photometric="RGB", **tags), folder / "a.dcm", rgb.tobytes())
    return open_study(folder).clips[0]


def without_regions(folder: Path, path: Path):
    dataset = pydicom.dcmread(path)
    dataset.pop("SequenceOfUltrasoundRegions", None)
    dataset.pop("ImageType", None)
    folder.mkdir(exist_ok=True)
    dataset.save_as(folder / path.name)
    return open_study(folder).clips[0]


@pytest.mark.parametrize("name", STRIP_SCREENS)
def test_real_duplex_screens_without_header_are_known(tmp_path, shared_data, name):
    bgr = cv2.imread(str(shared_data / "real-doppler" / f"{name}.png"))
    clip = as_clip(tmp_path, np.ascontiguousarray(bgr[..., ::-1]))
    assert clip.kind in (ClipKind.DUPLEX, ClipKind.SPECTRAL)
    strip = next(r for r in clip.found_regions if r.is_spectrum)
    assert strip.box[0] > 0.3 * clip.rows, "the strip stands in the lower part of all of them"
    assert strip.time_step_s is None
    assert strip.velocity_step_cm_s is None


def test_no_strip_is_found_where_there_is_none(shared_data):
    for path in sorted((shared_data / "real-us").glob("*.dcm")):
        assert find_strip(open_study(path).clips[0].frame(0)) is None, path.name


def test_phantom_without_its_regions(tmp_path, sample_study_dir):
    """Kind, picture, colour box and strip of every clip, from the pixels alone."""
    for known in open_study(sample_study_dir).clips:
        clip = without_regions(tmp_path / known.file, known.path)
        assert clip.regions == ()
        assert clip.kind == known.kind
        assert clip.spacing_mm is None
        assert overlap(clip.picture_region.box, known.picture_region.box) > 0.85
        assert clip.picture_region.source == "pixels"
        for wanted in known.regions:
            if wanted.is_spectrum:
                strip = next(r for r in clip.found_regions if r.is_spectrum)
                assert overlap(strip.box, wanted.box) > 0.6
            if wanted.kind is RegionKind.COLOR_BAR:  # 12 columns wide, its sides blurred by JPEG
                bar = next(r for r in clip.found_regions if r.kind is RegionKind.COLOR_BAR)
                assert overlap(bar.box, wanted.box) > 0.8


def test_colour_bar_of_a_real_file(shared_data):
    """Two halves with a dark middle are one bar."""
    clip = open_study(shared_data / "real-us" / "ge-logiq700-power-doppler-bigendian.dcm").clips[0]
    (bar,) = (r for r in clip.found_regions if r.kind is RegionKind.COLOR_BAR)
    assert overlap(bar.box, (153, 19, 281, 43)) > 0.9


@pytest.mark.parametrize(
    ("name", "box"),
    [
        ("ge-logiq700-power-doppler-bigendian", (140, 227, 322, 412)),
        ("nema-us1-native", (147, 87, 295, 548)),  # of two boxes side by side, both
        ("echo-palette-rle-10f", (97, 224, 308, 417)),
    ],
)
def test_colour_box_of_real_files(shared_data, name, box):
    """Corners read off the pictures by eye."""
    clip = open_study(shared_data / "real-us" / f"{name}.dcm").clips[0]
    found = clip.colour_boxes(0)
    whole = (
        min(b[0] for b in found),
        min(b[1] for b in found),
        max(b[2] for b in found),
        max(b[3] for b in found),
    )
    assert overlap(whole, box) > 0.75


def test_two_bars_on_both_sides_are_two_screens(shared_data):
    assert open_study(shared_data / "real-us" / "nema-us1-native.dcm").clips[0].dual_screen
    assert (
        not open_study(shared_data / "real-us" / "ge-logiq700-power-doppler-bigendian.dcm")
        .clips[0]
        .dual_screen
    )


@pytest.mark.parametrize("name", ["nema-us1-native", "nema-us1-jpeg2000-lossy"])
def test_the_scale_beside_two_screens_is_that_of_both(shared_data, name):
    clip = open_study(shared_data / "real-us" / f"{name}.dcm").clips[0]
    assert len([r for r in clip.found_regions if r.is_picture]) == 2
    assert clip.picture_region.proposed_spacing_mm == pytest.approx((0.1282, 0.1282), rel=0.01)
    assert clip.spacing_mm is None


def test_two_pictures_apart_are_two_screens(tmp_path):
    rng = np.random.default_rng(2)
    rgb = np.zeros((300, 500, 3), np.uint8)
    for left in (20, 270):
        rgb[40:260, left : left + 210] = rng.rayleigh(50, (220, 210, 1)).clip(0, 255)
    clip = as_clip(tmp_path, rgb)
    assert clip.dual_screen
    assert clip.kind == ClipKind.BMODE
    rgb[40:260, 230:270] = rng.rayleigh(50, (220, 40, 1)).clip(0, 255)
    assert not as_clip(tmp_path / "one", rgb).dual_screen


BARE_KINDS = {
    "esaote-musculoskeletal-ybr422-native": ("bmode", False),
    "ge-logiq700-power-doppler-bigendian": ("power", False),
    "ge-logiqe-jpeg2000-linear": ("bmode", False),
    "ge-voluson-s-jpeg-87f": ("bmode", False),
    "mindray-dc30-rle-planar-ybr": ("bmode", False),
    "nema-us1-native": ("power", True),
    "philips-clearvue-palette-implicit": ("bmode", False),
    "philips-cx50-palette-bigendian": ("bmode", False),
    "philips-cx50-palette-rle": ("bmode", False),
    "philips-epiq7-jpeg-lossless-mono": ("bmode", False),
}
"""By eye: kind, and whether two screens are shown."""


@pytest.mark.parametrize("name", BARE_KINDS)
def test_kind_of_real_files_from_their_pixels_alone(tmp_path, shared_data, name):
    clip = without_regions(tmp_path / "bare", shared_data / "real-us" / f"{name}.dcm")
    assert clip.regions == ()
    assert (clip.kind, clip.dual_screen) == BARE_KINDS[name]


def test_an_area_of_one_colour_is_no_flow(shared_data):
    """The second of two frames holds each index's complement: its palette paints the dark blue."""
    clip = open_study(shared_data / "real-us" / "philips-cx50-palette-rle-2f.dcm").clips[0]
    assert np.ptp(clip.frame(1)[400, 600].astype(int)) > 60
    assert clip.kind == ClipKind.BMODE


def joined(sample_study_dir, *, apart: int) -> np.ndarray:
    """Two pictures of one phantom clip that touch: what stands `apart` columns from each other."""
    clip = next(c for c in open_study(sample_study_dir).clips if c.kind == ClipKind.BMODE)
    row0, col0, row1, col1 = clip.picture_region.box
    half = (col1 - col0) // 2
    out = np.zeros((clip.rows, clip.columns), np.uint8)
    grey = clip.grey(0)
    out[row0:row1, col0 : col0 + half] = grey[row0:row1, col0 : col0 + half]
    start = col0 + apart
    out[row0:row1, col0 + half : col0 + 2 * half] = grey[row0:row1, start : start + half]
    return out


def test_two_joined_pictures_are_two_screens(tmp_path, sample_study_dir):
    clip = as_clip(tmp_path / "two", np.repeat(joined(sample_study_dir, apart=60)[..., None], 3, axis=2))
    assert clip.dual_screen
    assert clip.kind == ClipKind.BMODE
    left, right = (r.box for r in clip.found_regions if r.is_picture)
    assert left[3] == right[1]
    assert overlap(left, (left[0], left[1], left[2], (left[1] + right[3]) // 2)) > 0.97
    # the same picture gone on with is one
    whole = joined(sample_study_dir, apart=left[3] - left[1])
    clip = as_clip(tmp_path / "one", np.repeat(whole[..., None], 3, axis=2))
    assert not clip.dual_screen


def m_mode(grey: np.ndarray, box, columns: int, *, swing: float = 6.0) -> np.ndarray:
    """One column of a picture over time: tissue that moves in the middle, and noise."""
    row0, col0, row1, col1 = box
    line = grey[row0:row1, (col0 + col1) // 2].astype(float)
    rows = np.arange(len(line))
    moving = swing * np.exp(-(((rows / len(line) - 0.6) / 0.15) ** 2))
    trace = np.stack(
        [np.interp(rows + moving * abs(np.sin(np.pi * t / 80)), rows, line) for t in range(columns)], 1
    )
    speckle = cv2.GaussianBlur(np.random.default_rng(5).normal(0, 1, trace.shape), (0, 0), 1.5)
    return np.clip(trace * (1 + 0.2 * speckle / speckle.std()), 0, 255).astype(np.uint8)


def test_a_trace_over_time_is_m_mode_and_a_picture_is_not(tmp_path, sample_study_dir):
    """The strip below the picture, the screen of most scanners; and the strip alone."""
    for known in open_study(sample_study_dir).clips:
        if known.kind != ClipKind.BMODE:
            continue
        box = known.picture_region.box
        trace = m_mode(known.grey(0), box, known.columns - 120)[: known.rows // 2 - 40]
        top = known.rows // 2
        rgb = np.zeros((known.rows, known.columns, 3), np.uint8)
        rgb[top : top + len(trace), 60:-60] = trace[..., None]
        alone = as_clip(tmp_path / f"alone-{known.file}", rgb)
        assert alone.kind == ClipKind.M_MODE
        small = cv2.resize(known.grey(0)[box[0] : box[2], box[1] : box[3]], (300, top - 60))
        rgb[30 : top - 30, 200:500] = small[..., None]
        both = as_clip(tmp_path / f"both-{known.file}", rgb)
        assert both.kind == ClipKind.M_MODE
        (found,) = (r.box for r in both.found_regions if r.kind is RegionKind.M_MODE)
        assert overlap(found, (top, 60, top + len(trace), known.columns - 60)) > 0.8
        picture = both.picture_region
        assert picture is not None
        assert overlap(picture.box, (30, 200, top - 30, 500)) > 0.8


def test_no_real_picture_is_taken_for_a_trace(shared_data):
    for path in sorted((shared_data / "real-us").glob("*.dcm")):
        assert find_m_mode(open_study(path).clips[0].frame(0)) is None, path.name
    for path in sorted((shared_data / "real-doppler").glob("*.png")):
        frame = np.ascontiguousarray(cv2.imread(str(path))[..., ::-1])
        assert find_strip(frame) is not None or find_m_mode(frame) is None, path.name


def test_colour_box_outline_wins_over_the_colour_in_it():
    frame = np.full((200, 300, 3), 40, np.uint8)
    corners = np.array([[80, 50], [240, 50], [220, 150], [60, 150]])
    cv2.polylines(frame, [corners], True, (230, 230, 230), 1)
    frame[90:100, 120:140] = (200, 20, 20)
    flow = np.zeros((200, 300), bool)
    flow[90:100, 120:140] = True
    (found,) = find_colour_boxes(frame, flow)
    assert overlap(found, (50, 60, 151, 241)) > 0.9
    assert find_colour_boxes(np.full((200, 300, 3), 40, np.uint8), flow) == [(90, 120, 100, 140)]


def sweeping_frame(gap: int, width: int = 200) -> np.ndarray:
    """A strip of 80 rows whose spectrum is cut by a gap of 6 columns at `gap`."""
    frame = np.zeros((100, width), np.uint8)
    rng = np.random.default_rng(3)
    frame[30:60] = rng.integers(60, 200, (30, width))
    frame[:, gap : gap + 6] = 0
    frame[60] = 120
    return frame


@pytest.mark.parametrize("gap", [10, 77, 150])
def test_wrap_column_of_a_sweeping_strip(gap):
    assert find_wrap_column(sweeping_frame(gap), (10, 0, 90, 200)) == gap
    full = sweeping_frame(gap)
    full[30:60, gap : gap + 6] = 90
    assert find_wrap_column(full, (10, 0, 90, 200)) is None


def test_times_across_the_wrap_are_refused(tmp_path):
    """RegionFlags bits 3-4 = 10: sweeping (C.8.5.5.1.3); the reference time holds on its side alone."""
    item = region(
        RegionSpatialFormat=3,
        RegionDataType=3,
        RegionFlags=2 << 3,
        RegionLocationMinY0=10,
        RegionLocationMaxX1=199,
        RegionLocationMaxY1=89,
        PhysicalUnitsXDirection=4,
        PhysicalUnitsYDirection=7,
        PhysicalDeltaX=0.01,
        PhysicalDeltaY=-0.5,
        ReferencePixelX0=76,
        ReferencePixelY0=50,
    )
    pixels = sweeping_frame(77)
    save(us(rows=100, columns=200, regions=[item]), tmp_path / "a.dcm", pixels.tobytes())
    clip = open_study(tmp_path).clips[0]
    (strip,) = clip.regions
    assert strip.scroll == "sweeping"
    assert strip.seconds_between(10, 50) is None, "without the column being written no time is told"
    strip = clip.strip_at(strip, 0)
    assert strip.wrap_col == 77
    assert strip.seconds_between(10, 50) == pytest.approx(0.4)
    assert strip.seconds_between(120, 150) == pytest.approx(0.3)
    assert strip.seconds_between(50, 120) is None
    assert strip.seconds_between(120, 50) is None
    assert strip.physical(60, 26) == (0.0, pytest.approx(-0.5))
    assert strip.physical(60, 120) == (0.0, None)


def test_times_on_a_scrolling_strip_are_all_told():
    strip = Region(kind=RegionKind.SPECTRAL_PW, box=(0, 0, 10, 100), time_step_s=0.01, flags=1 << 3)
    assert strip.seconds_between(10, 90) == pytest.approx(0.8)
    assert strip.seconds_between(90, 10) == pytest.approx(-0.8)
    assert replace(strip, time_step_s=None).seconds_between(1, 2) is None
