"""Manual calibration and the proposal from burned-in ticks (design: no mm is better than a wrong one)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from us_files import region, save, us

from veinscan.dicom import ManualCalibration, open_study
from veinscan.dicom.calibration import spacing_of_points
from veinscan.dicom.depth_scale import propose_calibration
from veinscan.errors import CalibrationError, InvalidInputError

PICTURE = (60, 120, 460, 520)


def screen(tick_px: float, *, every: int | None = 2, labels: dict[int, str] | None = None, seed: int = 1):
    """A screen with a speckled picture at PICTURE and ticks of `tick_px` rows at its right."""
    rng = np.random.default_rng(seed)
    out = np.zeros((520, 640), np.uint8)
    row0, col0, row1, col1 = PICTURE
    out[row0:row1, col0:col1] = rng.rayleigh(45, (row1 - row0, col1 - col0)).clip(0, 255)
    for line in range(6):
        cv2.putText(out, f"Gn {line * 7}", (8, 90 + 15 * line), cv2.FONT_HERSHEY_SIMPLEX, 0.4, 150, 1)
    place = 0
    while row0 + place * tick_px < row1:
        row = round(row0 + place * tick_px)
        large = every is not None and place % every == 0
        out[row : row + 2, col1 + 5 : col1 + (15 if large else 9)] = 200
        if labels and place in labels:
            cv2.putText(out, labels[place], (col1 + 19, row + 6), cv2.FONT_HERSHEY_SIMPLEX, 0.42, 200, 1)
        place += 1
    return out


def clip_of(folder: Path, pixels: np.ndarray, regions=None):
    rows, columns = pixels.shape
    save(us(rows=rows, columns=columns, regions=regions), folder / "a.dcm", pixels.tobytes())
    return open_study(folder).clips[0]


@pytest.mark.parametrize("tick_px", [25.0, 33.7, 48.2, 71.5])
@pytest.mark.parametrize(("every", "tick_mm"), [(2, 5.0), (None, 10.0), (5, 10.0)])
def test_ticks_propose_a_spacing_and_set_none(tmp_path, tick_px, every, tick_mm):
    if every == 5 and tick_px > 40:
        pytest.skip("too few large ticks on the screen to tell them from the small ones")
    clip = clip_of(tmp_path, screen(tick_px, every=every))
    found = clip.picture_region
    assert found.proposed_spacing_mm == pytest.approx((tick_mm / tick_px,) * 2, rel=0.01)
    assert found.spacing_mm is None
    assert clip.spacing_mm is None, "a proposal is never used by itself"
    assert clip.proposed_calibration.tick_px == pytest.approx(tick_px, rel=0.01)
    assert "compare" in clip.proposed_calibration.sentence


def test_numbers_beside_the_ticks_decide(tmp_path):
    """Every fourth tick larger: 2.5 mm or 5 mm apart, which the numbers alone can tell."""
    clip = clip_of(tmp_path, screen(40.0, every=4))
    assert clip.proposed_calibration is None
    for number, tick_mm in (("1", 2.5), ("2", 5.0)):
        labels = {4: number, 8: str(2 * int(number))}
        folder = tmp_path / number
        proposal = clip_of(folder, screen(40.0, every=4, labels=labels)).proposed_calibration
        assert proposal.basis == "labels"
        assert proposal.tick_mm == tick_mm
        assert proposal.alternatives_mm == ()


def test_no_ticks_no_proposal(tmp_path):
    """Lines of text alone are no scale."""
    pixels = screen(40.0)
    pixels[:, PICTURE[3] :] = 0
    assert clip_of(tmp_path, pixels).proposed_calibration is None


def test_a_region_that_cannot_be_believed_gets_a_proposal(tmp_path):
    item = region(
        RegionLocationMinX0=PICTURE[1],
        RegionLocationMinY0=PICTURE[0],
        RegionLocationMaxX1=PICTURE[3] - 1,
        RegionLocationMaxY1=PICTURE[2] - 1,
        PhysicalDeltaX=0.3,
        PhysicalDeltaY=0.3,
    )
    clip = clip_of(tmp_path, screen(40.0), [item])
    (seen,) = clip.regions
    assert seen.spacing_mm is None
    assert seen.proposed_spacing_mm == pytest.approx((0.125, 0.125), rel=0.01)
    assert seen == clip.picture_region


REAL = {
    "esaote-musculoskeletal-ybr422-native": 0.0616,
    "ge-vivid-e95-colour-flow-jpegxl": 0.27239,
    "ge-voluson-s-jpeg-87f": 0.259386,
    "mindray-dc30-rle-planar-ybr": 0.145117,
    "philips-clearvue-palette-implicit": 0.165096,
    "philips-cx50-palette-bigendian": 0.262288,
    "philips-cx50-palette-rle": 0.330542,
    "philips-cx50-palette-rle-2f": 0.262288,
}


@pytest.mark.parametrize("name", REAL)
def test_real_scales_agree_with_the_calibration_that_was_hidden(shared_data, name):
    clip = open_study(shared_data / "real-us" / f"{name}.dcm").clips[0]
    frames = [clip.frame(i) for i in sorted({0, clip.n_frames // 2, clip.n_frames - 1})]
    proposal = propose_calibration(frames, clip.picture_region.box)
    assert proposal.spacing_mm == pytest.approx((REAL[name],) * 2, rel=0.005)


@pytest.mark.parametrize(
    ("name", "spacing"),
    [
        ("philips-iu22-jpegls-mono", 0.2509),  # its calipers: 1.43 cm over 57 pixels
        ("nema-us1-native", 10 / 78),  # '3cm', which is 234 rows
        ("echo-palette-rle-10f", 160 / 351),  # '16CM' along the edge of the sector
        ("ge-logiq700-power-doppler-bigendian", 160 / 354),
    ],
)
def test_real_files_without_calibration_get_a_proposal_only(shared_data, name, spacing):
    clip = open_study(shared_data / "real-us" / f"{name}.dcm").clips[0]
    assert clip.picture_region.source == "pixels"
    assert clip.picture_region.proposed_spacing_mm == pytest.approx((spacing, spacing), rel=0.025)
    assert clip.spacing_mm is None
    assert clip.regions == ()


@pytest.mark.parametrize("name", ["ge-logiqe-jpeg2000-linear", "philips-epiq7-jpeg-lossless-mono"])
def test_real_scales_in_doubt_are_not_guessed(shared_data, name):
    """Every fourth tick larger without a number that can be read; dots lost in the picture's edge."""
    clip = open_study(shared_data / "real-us" / f"{name}.dcm").clips[0]
    assert propose_calibration([clip.frame(0)], clip.picture_region.box) is None


def hidden(folder: Path, path: Path):
    """A clip with its calibration taken out of the regions."""
    dataset = pydicom.dcmread(path)
    for item in dataset.SequenceOfUltrasoundRegions:
        del item.PhysicalDeltaX, item.PhysicalDeltaY
    folder.mkdir(exist_ok=True)
    dataset.save_as(folder / path.name)
    return open_study(folder).clips[0]


def test_phantom_with_its_calibration_hidden(tmp_path, sample_study_dir):
    known = {clip.file: clip.spacing_mm for clip in open_study(sample_study_dir).clips}
    for path in sorted(sample_study_dir.glob("*.dcm")):
        clip = hidden(tmp_path / path.stem, path)
        assert clip.spacing_mm is None
        assert clip.picture_region.proposed_spacing_mm == pytest.approx(known[path.name], rel=0.005)
        assert clip.proposed_calibration.basis == "labels"
        taken = clip.calibrated(by="Anna", take_proposal=True)
        assert taken.spacing_mm == clip.picture_region.proposed_spacing_mm
        assert taken.picture_region.source == "manual"
        assert taken.manual_calibrations[0].from_proposal


def test_two_points_and_a_distance(tmp_path):
    clip = clip_of(tmp_path, screen(40.0))
    taken = clip.calibrated(by=" Anna ", points=((100, 530), (300, 530)), known_mm=25)
    assert taken.spacing_mm == taken.picture_region.spacing_mm == (0.125, 0.125)
    assert taken.picture_region.physical(100, 130) == pytest.approx(
        ((100 - taken.picture_region.box[0]) * 0.125, (130 - taken.picture_region.box[1]) * 0.125)
    )
    (kept,) = taken.manual_calibrations
    assert (kept.set_by, kept.known_mm, kept.points) == ("Anna", 25, ((100, 530), (300, 530)))
    assert any("25 mm apart" in w for w in taken.warnings)
    assert not any("nothing is measured" in w for w in taken.warnings)
    assert not any("Anna" in w for w in taken.warnings)
    assert clip.spacing_mm is None, "the clip as read stays as it was"


def test_what_a_record_keeps_calibrates_again(tmp_path):
    clip = clip_of(tmp_path, screen(40.0))
    (kept,) = clip.calibrated(by="Anna", points=((100, 530), (300, 530)), known_mm=25).manual_calibrations
    study = open_study(tmp_path)
    again = study.with_calibrations([kept, replace(kept, sop_instance_uid="1.2.3")])
    assert again.clips[0].spacing_mm == (0.125, 0.125)
    assert study.clips[0].spacing_mm is None
    later = again.clips[0].with_calibration(replace(kept, spacing_mm=(0.2, 0.2)))
    assert later.spacing_mm == (0.2, 0.2)
    assert len(later.manual_calibrations) == 1
    with pytest.raises(InvalidInputError, match="another clip"):
        clip.with_calibration(replace(kept, sop_instance_uid="1.2.3"))
    with pytest.raises(InvalidInputError, match="not in the picture"):
        clip.with_calibration(replace(kept, box=(0, 0, 9999, 10)))


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"points": ((1, 1), (100, 1))},
        {"known_mm": 3.0},
        {"points": ((1, 1), (100, 1)), "known_mm": 3.0, "spacing_mm": (0.1, 0.1)},
        {"points": ((1, 1), (2, 1)), "known_mm": 3.0},
        {"points": ((100, 200), (300, 200)), "known_mm": 0.0},
        {"points": ((100, 200), (300, 200)), "known_mm": float("nan")},
        {"points": ((100, 200), (float("inf"), 200)), "known_mm": 3.0},
        {"points": ((100, 200), (300,)), "known_mm": 3.0},
        {"points": ((100, 200), (300, 200)), "known_mm": 3000.0},
        {"spacing_mm": (0.0, 0.1)},
        {"spacing_mm": (5.0, 5.0)},
        {"spacing_mm": (0.1,)},
        {"spacing_mm": (0.1, 0.1), "by": "  "},
    ],
)
def test_calibrations_that_make_no_sense_are_refused(tmp_path, how):
    clip = clip_of(tmp_path, screen(40.0))
    with pytest.raises(InvalidInputError):
        clip.calibrated(**{"by": "Anna", **how})


def test_no_proposal_cannot_be_taken(tmp_path):
    clip = clip_of(tmp_path, np.zeros((520, 640), np.uint8))
    with pytest.raises(CalibrationError, match="no depth scale"):
        clip.calibrated(by="Anna", take_proposal=True)


def test_two_points_in_two_pictures_are_refused(tmp_path):
    """C.8.5.5: each region has its own scale."""
    halves = [
        region(RegionLocationMinX0=a, RegionLocationMaxX1=b, RegionLocationMaxY1=519, PhysicalDeltaY=0.0)
        for a, b in ((0, 299), (320, 639))
    ]
    clip = clip_of(tmp_path, screen(40.0), halves)
    with pytest.raises(CalibrationError, match="different pictures"):
        clip.calibrated(by="Anna", points=((100, 100), (100, 400)), known_mm=30)
    one = clip.calibrated(by="Anna", points=((100, 400), (300, 400)), known_mm=20)
    assert [r.spacing_mm for r in one.regions] == [None, (0.1, 0.1)]


@given(
    a=st.tuples(st.floats(0, 500), st.floats(0, 500)),
    b=st.tuples(st.floats(0, 500), st.floats(0, 500)),
    scale=st.floats(0.01, 1.0),
)
def test_points_give_back_the_spacing_they_were_made_with(a, b, scale):
    pixels = float(np.hypot(a[0] - b[0], a[1] - b[1]))
    if pixels < 10:
        with pytest.raises(InvalidInputError):
            spacing_of_points(a, b, 5.0)
    else:
        assert spacing_of_points(a, b, pixels * scale) == pytest.approx((scale, scale))


def test_calibration_holds_no_pixels_and_compares_by_value():
    one = ManualCalibration(
        sop_instance_uid="1.2",
        box=(0, 0, 10, 10),
        spacing_mm=(0.1, 0.1),
        set_by="Anna",
        set_at="2026-01-01T10:00:00+00:00",
    )
    assert one == replace(one)
    assert "Anna" not in one.sentence
