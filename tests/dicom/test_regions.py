"""Region calibration, each rule and each vendor's departure with its clause of PS3.3."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from us_files import region, save, speckle, us

from veinscan.dicom import RegionKind, open_study
from veinscan.dicom.guard import DEFAULT_LIMITS
from veinscan.dicom.regions import picture_region, read_regions, region_at, side_by_side

ROWS, COLUMNS = 480, 640


def read(*items, rows=ROWS, columns=COLUMNS, **tags):
    return read_regions(us(rows=rows, columns=columns, regions=items, **tags), rows, columns, DEFAULT_LIMITS)


def big(**values):
    return region(
        **{
            "RegionLocationMinX0": 40,
            "RegionLocationMinY0": 60,
            "RegionLocationMaxX1": 599,
            "RegionLocationMaxY1": 419,
            "PhysicalDeltaX": 0.01,
            "PhysicalDeltaY": 0.01,
            **values,
        }
    )


def strip(**values):
    return big(
        **{
            "RegionSpatialFormat": 3,
            "RegionDataType": 3,
            "PhysicalUnitsXDirection": 4,
            "PhysicalUnitsYDirection": 7,
            "PhysicalDeltaX": 0.005,
            "PhysicalDeltaY": -0.5,
            "ReferencePixelX0": 0,
            "ReferencePixelY0": 200,
            **values,
        }
    )


def one(*items, **kwargs):
    found = read(*items, **kwargs)
    assert len(found.regions) == 1, found.warnings
    return found.regions[0]


def test_centimetres_become_mm_and_rows_and_columns_stay_apart():
    """PhysicalUnits 3 is cm (C.8.5.5.1.15); X and Y deltas may differ."""
    found = one(big(PhysicalDeltaX=0.02, PhysicalDeltaY=0.01))
    assert found.kind == RegionKind.TISSUE
    assert found.spacing_mm == pytest.approx((0.1, 0.2))
    assert found.units == ("mm", "mm")
    assert found.box == (60, 40, 420, 600)


def test_negative_deltas_give_positive_spacing():
    """A sign is a direction (C.8.5.5.1.17): an ACUSON picture runs right to left."""
    found = one(big(PhysicalDeltaX=-0.0525))
    assert found.spacing_mm == pytest.approx((0.1, 0.525))
    assert found.deltas == pytest.approx((0.1, -0.525))


def test_reference_pixel_counts_from_the_regions_corner():
    """C.8.5.5.1.16; for a picture it is usually the probe's face: the skin line comes for free."""
    found = one(big(ReferencePixelX0=279, ReferencePixelY0=12))
    assert found.reference == (72, 319)
    assert found.skin_row == 72
    assert found.physical(172, 319) == pytest.approx((10.0, 0.0))


def test_reference_of_another_depth_than_zero_is_not_the_skin():
    """As a Mindray with a curved probe writes it: depth 0 is the centre of curvature, far above the skin."""
    found = one(
        big(
            ReferencePixelX0=279,
            ReferencePixelY0=168,
            ReferencePixelPhysicalValueX=7.0,
            ReferencePixelPhysicalValueY=1.5,
        )
    )
    assert found.skin_row is None
    assert found.physical(60 + 168, 40 + 279) == pytest.approx((15.0, 70.0))


def test_reference_pixel_above_the_picture_is_legal_and_gives_no_skin():
    """It may be negative (C.8.5.5.1.16): the apex of a curved probe."""
    found = one(big(ReferencePixelX0=183, ReferencePixelY0=-82))
    assert found.reference == (-22, 223)
    assert found.skin_row is None
    assert found.spacing_mm is not None


def test_absolute_reference_pixel_is_recognised_beyond_the_far_edge():
    """Written from the image's corner, it would lie outside the region if read as the standard says."""
    found = one(big(ReferencePixelX0=300, ReferencePixelY0=400))
    assert found.reference == (400, 300)
    assert any("C.8.5.5.1.16" in w for w in found.warnings)


@pytest.mark.parametrize(("maker", "model"), [("GE Healthcare", "Voluson S"), ("Medistim", "VeriQ C")])
def test_absolute_reference_pixel_of_known_makers(maker, model):
    """Makers whose files break C.8.5.5.1.16."""
    found = one(
        big(ReferencePixelX0=300, ReferencePixelY0=70), Manufacturer=maker, ManufacturerModelName=model
    )
    assert found.reference == (70, 300)
    assert found.skin_row == 70


@pytest.mark.parametrize(("x", "y"), [(0, 0), (5, 3), (559, 0), (279, 200)])
def test_reference_at_a_corner_or_low_in_the_picture_is_not_the_skin(x, y):
    """C.8.5.5.1.16 lets it lie anywhere."""
    assert one(big(ReferencePixelX0=x, ReferencePixelY0=y)).skin_row is None


def test_whole_screen_dummy_is_no_region():
    """Spatial format 0, data type 0, no units: ACUSON's first region covers the true one."""
    dummy = region(
        RegionSpatialFormat=0,
        RegionDataType=0,
        RegionLocationMaxX1=639,
        RegionLocationMaxY1=479,
        PhysicalUnitsXDirection=0,
        PhysicalUnitsYDirection=0,
        PhysicalDeltaX=1.0,
        PhysicalDeltaY=1.0,
    )
    found = read(dummy, big())
    assert [r.kind for r in found.regions] == [RegionKind.TISSUE]
    assert found.warnings == ()


def test_implausible_depth_is_refused_with_the_value_seen():
    """A dicomParser file claims 46 cm: no mm, a plain warning."""
    found = one(big(PhysicalDeltaX=0.229, PhysicalDeltaY=0.229))
    assert found.spacing_mm is None
    assert found.deltas == (None, None)
    assert any("824 mm deep" in w and "implausible" in w for w in found.warnings)


@pytest.mark.parametrize("depth_cm", [29.9, 30.1])
def test_the_limit_of_plausible_depth_is_30_cm(depth_cm):
    """PhysicalDeltaY (C.8.5.5.1.17) times the rows."""
    found = one(big(PhysicalDeltaX=0.01, PhysicalDeltaY=depth_cm / 360))
    assert (found.spacing_mm is None) == (depth_cm > 30)


@pytest.mark.parametrize("bad", [0.0, None, math.nan, math.inf])
@pytest.mark.parametrize("axis", ["X", "Y"])
def test_delta_missing_zero_or_not_a_number_gives_no_mm(bad, axis):
    """PhysicalDeltaX and Y are of type 1 (C.8.5.5)."""
    found = one(big(**{f"PhysicalDelta{axis}": bad}))
    assert found.spacing_mm is None
    assert any(f"along {axis}" in w for w in found.warnings)


def test_units_other_than_cm_give_no_mm():
    """PhysicalUnitsXDirection and Y (C.8.5.5.1.15)."""
    found = one(big(PhysicalUnitsXDirection=0, PhysicalUnitsYDirection=0))
    assert found.spacing_mm is None
    assert any("not calibrated in cm" in w for w in found.warnings)


@pytest.mark.parametrize("over", [0, 1])
def test_last_pixel_counted_as_rows_or_columns_is_clipped_silently(over):
    """CX50 and Mindray write the count, not the last index (C.8.5.5.1.14 says pixels of the frame)."""
    found = one(big(RegionLocationMaxX1=COLUMNS - 1 + over, RegionLocationMaxY1=ROWS - 1 + over))
    assert found.box == (60, 40, ROWS, COLUMNS)
    assert found.spacing_mm is not None
    assert found.warnings == ()


def test_region_of_another_size_of_picture_is_stale():
    """Resized or cropped after calibration: the box may be right, the mm are not."""
    found = one(
        big(RegionLocationMaxX1=1200, RegionLocationMaxY1=900, ReferencePixelX0=3, ReferencePixelY0=3)
    )
    assert found.box == (60, 40, ROWS, COLUMNS)
    assert found.spacing_mm is None
    assert found.skin_row is None
    assert any("resized or cropped" in w for w in found.warnings)


@pytest.mark.parametrize(
    ("corners", "why"),
    [
        ({"RegionLocationMinX0": 700, "RegionLocationMaxX1": 900}, "outside"),
        ({"RegionLocationMinY0": 4_000_000_000, "RegionLocationMaxY1": 4_100_000_000}, "outside"),
        ({"RegionLocationMinX0": 500, "RegionLocationMaxX1": 400}, "exchanged"),
        ({"RegionLocationMaxY1": None}, "no place"),
    ],
)
def test_box_without_a_place_in_the_picture_is_left_out_and_said(corners, why):
    """RegionLocationMin and Max (C.8.5.5)."""
    found = read(big(**corners), big())
    assert len(found.regions) == 1
    assert any("region 1 is left out" in w and why in w for w in found.warnings)


def test_one_column_strip_is_kept():
    """A CX50 writes a waveform of a single column."""
    found = one(
        big(
            RegionSpatialFormat=4,
            RegionDataType=10,
            RegionLocationMinX0=500,
            RegionLocationMaxX1=500,
            PhysicalUnitsXDirection=4,
            PhysicalUnitsYDirection=0,
            PhysicalDeltaX=0.0045,
        )
    )
    assert found.kind == RegionKind.WAVEFORM
    assert found.shape == (360, 1)
    assert found.time_step_s == pytest.approx(0.0045)


@pytest.mark.parametrize(
    ("space", "data", "kind"),
    [
        (1, 1, RegionKind.TISSUE),
        (1, 2, RegionKind.COLOR_FLOW),
        (2, 1, RegionKind.M_MODE),
        (2, 2, RegionKind.M_MODE),
        (3, 3, RegionKind.SPECTRAL_PW),
        (3, 4, RegionKind.SPECTRAL_CW),
        (3, 7, RegionKind.WAVEFORM),
        (4, 10, RegionKind.WAVEFORM),
        (5, 0, RegionKind.GRAPHICS),
        (0, 13, RegionKind.GREY_BAR),
        (0, 14, RegionKind.COLOR_BAR),
    ],
)
def test_kinds_follow_spatial_format_and_data_type(space, data, kind):
    """C.8.5.5.1.1 and C.8.5.5.1.2."""
    assert one(big(RegionSpatialFormat=space, RegionDataType=data)).kind == kind


def test_spectrum_with_velocities_upwards():
    """PhysicalDeltaY is per pixel downwards: negative where up is towards the probe (C.8.5.5.1.17)."""
    found = one(strip())
    assert found.velocity_step_cm_s == pytest.approx(0.5)
    assert found.frequency_step_hz is None
    assert found.time_step_s == pytest.approx(0.005)
    assert found.baseline_row == 260
    assert found.up_is_positive is True
    assert found.physical(160, 240) == pytest.approx((50.0, 1.0))
    assert found.spacing_mm is None


def test_inverted_spectrum():
    """The sign of PhysicalDeltaY (C.8.5.5.1.17) tells which way is up."""
    found = one(strip(PhysicalDeltaY=0.5))
    assert found.up_is_positive is False
    assert found.physical(160, 40)[0] == pytest.approx(-50.0)


def test_baseline_where_the_reference_is_not_zero():
    """ReferencePixelPhysicalValueY (C.8.5.5)."""
    found = one(strip(ReferencePixelY0=100, ReferencePixelPhysicalValueY=20.0))
    assert found.baseline_row == pytest.approx(60 + 100 + 40)


def test_spectrum_in_hertz_has_no_velocity():
    """RegionFlags bit 2 (C.8.5.5.1.3) and units 5."""
    found = one(strip(PhysicalUnitsYDirection=5, RegionFlags=4, PhysicalDeltaY=-20.0))
    assert found.velocity_step_cm_s is None
    assert found.frequency_step_hz == pytest.approx(20.0)


def test_flag_against_unit_is_said():
    """RegionFlags bit 2 (C.8.5.5.1.3) against PhysicalUnitsYDirection (C.8.5.5.1.15)."""
    found = one(strip(RegionFlags=4))
    assert found.velocity_step_cm_s == pytest.approx(0.5)
    assert any("units are believed" in w for w in found.warnings)


def test_spectrum_without_reference_has_no_baseline():
    """ReferencePixelY0 is of type 3 (C.8.5.5)."""
    found = one(strip(ReferencePixelX0=None, ReferencePixelY0=None))
    assert found.baseline_row is None
    assert found.physical(100, 140) == (None, pytest.approx(0.5))
    assert any("velocity zero is not known" in w for w in found.warnings)


def test_implausible_velocities_and_times_are_refused():
    """PhysicalDeltaX and Y (C.8.5.5.1.17) no scanner writes."""
    assert one(strip(PhysicalDeltaY=-50.0)).velocity_step_cm_s is None
    assert one(strip(PhysicalDeltaX=5.0)).time_step_s is None


def test_flags_priority_and_scrolling():
    """RegionFlags bits 0, 3 and 4 (C.8.5.5.1.3)."""
    found = one(strip(RegionFlags=0b10001))
    assert not found.high_priority
    assert found.scroll == "sweeping"
    assert one(strip(RegionFlags=0b01000)).scroll == "scrolling"


def test_doppler_settings_are_kept():
    """Frequencies, angles and sample volume of C.8.5.5, all of type 3."""
    found = one(
        strip(
            TransducerFrequency=5000,
            PulseRepetitionFrequency=3500,
            DopplerCorrectionAngle=-60.0,
            SteeringAngle=15.0,
            DopplerSampleVolumeXPosition=300,
            DopplerSampleVolumeYPosition=120,
        )
    )
    assert found.transducer_frequency_khz == 5000
    assert found.pulse_repetition_frequency_hz == 3500
    assert found.doppler_correction_angle_deg == -60
    assert found.steering_angle_deg == 15
    assert found.sample_volume == (120, 300)


def test_overlap_goes_by_priority_then_to_the_smaller():
    """RegionFlags bit 0: high priority lies on top (C.8.5.5.1.3)."""
    below = big(RegionFlags=1)
    inner = {
        "RegionLocationMinX0": 100,
        "RegionLocationMaxX1": 300,
        "RegionLocationMinY0": 100,
        "RegionLocationMaxY1": 300,
    }
    on_top = big(RegionDataType=2, **inner)
    regions = read(below, on_top).regions
    assert region_at(regions, 200, 200).kind == RegionKind.COLOR_FLOW
    assert region_at(regions, 400, 500).kind == RegionKind.TISSUE
    assert region_at(regions, 10, 10) is None
    regions = read(big(), big(RegionDataType=2, RegionFlags=1, **inner)).regions
    assert region_at(regions, 200, 200).kind == RegionKind.TISSUE
    regions = read(big(), on_top).regions
    assert region_at(regions, 200, 200).kind == RegionKind.COLOR_FLOW


def test_the_picture_is_the_largest_calibrated_one():
    left = big(RegionLocationMaxX1=300)
    right = big(RegionLocationMinX0=301, PhysicalDeltaX=0.0)
    regions = read(right, left, strip()).regions
    assert picture_region(regions).box[1] == 40
    assert picture_region(()) is None


def test_two_pictures_side_by_side():
    left, right = big(RegionLocationMaxX1=300), big(RegionLocationMinX0=301)
    assert side_by_side(read(left, right).regions)
    assert not side_by_side(
        read(big(), big(RegionDataType=2, RegionLocationMinX0=100, RegionLocationMaxX1=300)).regions
    )
    assert not side_by_side(read(left, strip(RegionLocationMinX0=301)).regions)


@given(
    delta=st.tuples(st.floats(0.001, 0.05), st.floats(0.001, 0.05)),
    signs=st.tuples(st.sampled_from([-1, 1]), st.sampled_from([-1, 1])),
    reference=st.tuples(st.integers(-500, 300), st.integers(-500, 500)),
    value=st.tuples(st.floats(-20, 20), st.floats(-20, 20)),
    point=st.tuples(st.floats(0, 479), st.floats(0, 639)),
)
def test_physical_and_pixel_are_inverse_and_linear(delta, signs, reference, value, point):
    """Value = reference value + (pixel - corner - reference pixel) x delta (C.8.5.5.1.16, .17)."""
    found = one(
        big(
            PhysicalDeltaY=delta[0] * signs[0],
            PhysicalDeltaX=delta[1] * signs[1],
            ReferencePixelY0=reference[0],
            ReferencePixelX0=reference[1],
            ReferencePixelPhysicalValueY=value[0],
            ReferencePixelPhysicalValueX=value[1],
        )
    )
    there = found.physical(*point)
    assert found.pixel(*there) == pytest.approx(point, abs=1e-6)
    assert found.spacing_mm is not None
    step = np.subtract(found.physical(point[0] + 1, point[1] + 1), there)
    assert np.abs(step) == pytest.approx(found.spacing_mm)


NASTY = [None, 0, 1, -1, 2**31 - 1, -(2**31), math.nan, math.inf, -math.inf, 1e308, 1e-308]


@pytest.mark.parametrize(("x", "y"), list(itertools.product(NASTY, NASTY)))
def test_nasty_numbers_never_raise_nor_give_a_calibration(x, y):
    found = read(
        big(PhysicalDeltaX=None if x is None else float(x), PhysicalDeltaY=None if y is None else float(y))
    )
    for item in found.regions:
        assert item.spacing_mm is None
        assert all(v is None or math.isfinite(v) for v in item.physical(10, 10))


def test_sequence_that_is_none_or_of_thousands(tmp_path):
    assert read().regions == ()
    many = read(*[big() for _ in range(400)])
    assert len(many.regions) == DEFAULT_LIMITS.regions
    assert any("400 regions" in w for w in many.warnings)


def test_clip_without_usable_calibration_says_why(tmp_path):
    """SequenceOfUltrasoundRegions is of type 1C (C.8.5.5), and often missing."""
    path = save(us(), tmp_path / "a.dcm", speckle().tobytes())
    clip = open_study(path).clips[0]
    assert clip.spacing_mm is None
    assert clip.regions == ()
    found = clip.picture_region
    assert (found.source, found.spacing_mm, found.proposed_spacing_mm) == ("pixels", None, None)
    assert any("no calibrated picture" in w for w in clip.warnings)
    path = save(us(regions=[region(PhysicalDeltaX=0.0)]), tmp_path / "b.dcm", speckle().tobytes())
    clip = open_study(path).clips[0]
    assert clip.spacing_mm is None
    assert clip.picture_region is not None
    assert any("no usable calibration" in w for w in clip.warnings)
