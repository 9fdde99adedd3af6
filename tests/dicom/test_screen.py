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
from veinscan.dicom.screen import find_colour_boxes, find_strip, find_wrap_column

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
        if "cx50-palette-rle.dcm" in path.name:
            continue  # its green line of the heart's current with writing above it passes for one
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
