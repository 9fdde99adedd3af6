"""Velocity from colour against the velocities that were painted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from veinscan.doppler import find_colour_bar, flow_evidence, unwrap, velocities
from veinscan.doppler.labels import read_scale
from veinscan.errors import CalibrationError, InvalidInputError
from veinscan.phantom.colour import ColourSettings, colour_map, estimate, paint


def painted(seed: int, quality: int, **changes: Any) -> tuple[Any, Any, Any, ColourSettings]:
    """(frame, shown velocities, true velocities, settings): one vessel faster than the scale, one slower."""
    rng = np.random.default_rng(seed)
    values: dict[str, Any] = {
        "nyquist_cm_s": float(rng.uniform(5, 40)),
        "baseline": float(rng.uniform(0.4, 0.6)),
        "inverted": bool(seed % 2),
        "steps": 64,
        "noise": 0.1,
    }
    settings = ColourSettings(**(values | changes))
    shape = (240, 320)
    rows, cols = np.mgrid[: shape[0], : shape[1]]
    true = np.full(shape, np.nan, np.float32)
    for centre, peak in (((80, 90), 1.5), ((170, 220), -0.6)):
        rho = np.hypot((rows - centre[0]) / 30, (cols - centre[1]) / 50)
        inside = rho < 1
        true[inside] = (peak * settings.nyquist_cm_s * (1 - rho**2))[inside]
    shown = estimate(true, settings, 0.08, rng)
    grey = np.full(shape, 70, np.uint8)
    frame = np.zeros((240, 380, 3), np.uint8)
    frame[:, :320] = paint(grey, shown, np.ones(shape, bool), settings)
    bar = colour_map(settings)[::-1]
    frame[40:200, 345:361] = bar[np.minimum(np.arange(160) * len(bar) // 160, len(bar) - 1)][:, None]
    if quality < 100:
        data = cv2.imencode(".jpg", frame[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        frame = cv2.imdecode(data, cv2.IMREAD_COLOR)[:, :, ::-1].copy()
    return frame, shown, true, settings


@pytest.mark.parametrize("quality", [100, 85, 65])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_velocity_within_a_step_and_aliasing_found(seed: int, quality: int) -> None:
    frame, shown, true, settings = painted(seed, quality)
    low, high = settings.limits_cm_s
    found = find_colour_bar(frame)
    assert found is not None and found.kind == "velocity"
    assert abs(found.zero / len(found.colours) - high / (high - low)) < 0.03
    inside = np.zeros(frame.shape[:2], bool)
    inside[:, :320] = True
    flow = velocities(frame, found.with_scale(high, low), inside)[:, :320]
    both = np.isfinite(flow) & np.isfinite(shown)
    assert both.sum() > 0.9 * np.isfinite(shown).sum()
    assert np.isfinite(flow).sum() < 1.12 * np.isfinite(shown).sum()
    assert np.median(np.abs(flow - shown)[both]) <= (high - low) / settings.steps
    aliased, estimate_ = unwrap(flow, high - low)
    wrapped = both & np.isfinite(true) & (np.abs(shown - np.nan_to_num(true)) > 0.5 * (high - low))
    assert (wrapped & aliased).sum() >= 0.95 * wrapped.sum()
    assert (wrapped & aliased & both).sum() >= 0.95 * (aliased & both).sum()
    assert np.nanmedian(np.abs(estimate_ - true)[wrapped]) < 0.1 * (high - low)


def test_a_true_reversal_is_not_aliasing() -> None:
    rows, cols = np.mgrid[:80, :120]
    flow = (8.0 * np.sin(cols / 19.0) * np.ones_like(rows)).astype(np.float32)
    aliased, estimate_ = unwrap(flow, 20.0)
    assert not aliased.any()
    np.testing.assert_allclose(estimate_, flow)


def test_power_gives_no_velocity() -> None:
    frame = np.zeros((200, 300, 3), np.uint8)
    ramp = np.linspace(0, 1, 120)
    frame[40:160, 260:276] = np.stack([60 + 195 * ramp, 200 * ramp**2, 0 * ramp], 1).astype(np.uint8)[::-1][
        :, None
    ]
    bar = find_colour_bar(frame)
    assert bar is not None and bar.kind == "power"
    with pytest.raises(CalibrationError, match="no direction"):
        velocities(frame, bar)
    with pytest.raises(InvalidInputError):
        bar.with_scale(10, -10)


def test_without_a_scale_it_is_asked_for() -> None:
    frame = painted(1, 100)[0]
    bar = find_colour_bar(frame)
    assert bar is not None
    with pytest.raises(CalibrationError, match="two ends"):
        velocities(frame, bar)


def test_a_picture_without_colour_has_no_bar() -> None:
    grey = np.random.default_rng(0).integers(0, 255, (200, 300, 1), dtype=np.uint8).repeat(3, axis=2)
    assert find_colour_bar(grey) is None


@pytest.mark.parametrize(
    ("name", "kind", "ends"),
    [
        ("real-doppler/mindray-carotid-colour.png", "velocity", (43.8, -43.8)),
        ("real-doppler/sonosite-femoral-pw.png", "velocity", (27.0, -27.0)),
        ("real-doppler/mindray-dc8-pw-part-filled.png", "velocity", None),
        ("real-doppler/ge-voluson-uterine-pw.png", "velocity", None),
    ],
)
def test_bars_of_real_screens(
    shared_data: Path, name: str, kind: str, ends: tuple[float, float] | None
) -> None:
    image = cv2.imread(str(shared_data / name))
    assert image is not None
    frame = np.ascontiguousarray(image[:, :, ::-1])
    bar = find_colour_bar(frame)
    assert bar is not None and bar.kind == kind
    read = read_scale(frame, bar)
    # an unread label is honest, a wrong one is not
    assert (read.top, read.bottom) == (ends if ends is not None else (None, None))


def test_labels_win_over_a_header_with_the_wrong_frequency(shared_data: Path) -> None:
    import veinscan
    from veinscan.doppler import bar_of, flow_of

    clip = veinscan.open_study(shared_data / "real-us" / "ge-vivid-e95-colour-flow-jpegxl.dcm").clips[0]
    bar = bar_of(clip)
    assert bar is not None and bar.source == "labels"
    assert (bar.top, bar.bottom) == (64.0, -64.0)
    assert "header" in bar.note
    flow = flow_of(clip, 0)
    assert np.nanmax(np.abs(flow.flow_cm_s)) <= 65
    power = veinscan.open_study(shared_data / "real-us" / "ge-logiq700-power-doppler-bigendian.dcm").clips[0]
    with pytest.raises(CalibrationError, match="power"):
        flow_of(power, 0)


def test_flow_evidence_of_a_pulse_and_of_a_steady_vessel() -> None:
    flow = np.full((12, 60, 60), np.nan, np.float32)
    beat = 1 + 0.9 * np.sin(np.arange(12) * 2 * np.pi / 6)
    flow[:, 10:20, 10:20] = (10 * beat)[:, None, None]
    flow[:, 40:50, 40:50] = -4.0
    square = np.array([[10, 10], [10, 19], [19, 19], [19, 10]], np.float32)
    artery = flow_evidence(flow, dict.fromkeys(range(12), square))
    vein = flow_evidence(flow, dict.fromkeys(range(12), square + 30))
    empty = flow_evidence(flow, {0: square + 12})
    assert artery.flow_fraction == vein.flow_fraction == 1.0
    assert artery.pulsatility is not None and artery.pulsatility > 1.2
    assert vein.pulsatility == pytest.approx(0.0)
    assert vein.mean_velocity_cm_s == pytest.approx(-4.0)
    assert empty.mean_velocity_cm_s is None


def palette_clip(organization: int, **changes: Any) -> Any:
    """A palette clip of one frame whose region says which stored value is which velocity."""
    from types import SimpleNamespace

    from pydicom.dataset import Dataset

    header, region = Dataset(), Dataset()
    # values 10 to 20 run from blue to red, the rest of the palette is grey
    red, green, blue = (np.arange(256, dtype=np.uint16) * 256 for _ in range(3))
    for k in range(11):
        red[10 + k], green[10 + k], blue[10 + k] = 20 * k * 256, 10 * 256, (220 - 20 * k) * 256
    for name, table in (("Red", red), ("Green", green), ("Blue", blue)):
        setattr(header, f"{name}PaletteColorLookupTableDescriptor", [256, 0, 16])
        setattr(header, f"{name}PaletteColorLookupTableData", table.tobytes())
    region.PixelComponentPhysicalUnits, region.PixelComponentDataType = 7, 2
    region.PixelComponentOrganization = organization
    if organization == 2:
        region.TableOfPixelValues = list(range(10, 21))
        region.TableOfParameterValues = [float(k - 15) * 2 for k in range(10, 21)]
    else:
        region.PixelComponentRangeStart, region.PixelComponentRangeStop = 10, 20
        region.TableOfXBreakPoints, region.TableOfYBreakPoints = [10, 20], [-10.0, 10.0]
    for name, value in changes.items():
        setattr(region, name, value)
    header.SequenceOfUltrasoundRegions = [region]
    stored = np.full((40, 60), 100)
    stored[5:35, 5:55] = 10 + np.arange(50)[None, :] // 5
    tables = np.stack([red, green, blue], axis=1) >> 8
    frame = tables[stored].astype(np.uint8)
    return SimpleNamespace(
        photometric="PALETTE COLOR", header=lambda: header, frame=lambda k: frame, picture_region=None,
        file="a", regions=(), n_frames=1, stored=stored,
    )  # fmt: skip


@pytest.mark.parametrize("organization", [1, 2])
def test_the_standard_s_own_calibration_of_a_palette_comes_first(organization: int) -> None:
    from veinscan.doppler import flow_of, flow_stack

    clip = palette_clip(organization)
    flow = flow_of(clip, 0)
    assert flow.source == "pixel component"
    coloured = (clip.stored >= 10) & (clip.stored <= 20)
    np.testing.assert_allclose(flow.flow_cm_s[coloured], (clip.stored[coloured] - 15) * 2.0)
    assert np.isnan(flow.flow_cm_s[~coloured]).all()
    assert flow_stack(clip).shape == (1, 40, 60)


@pytest.mark.parametrize(
    "changes",
    [{"PixelComponentPhysicalUnits": 3}, {"PixelComponentDataType": 1}, {"TableOfPixelValues": [10]}],
)
def test_a_table_of_something_else_is_not_taken_for_velocity(changes: dict[str, Any]) -> None:
    from veinscan.doppler import flow_of

    with pytest.raises(CalibrationError, match="bar"):
        flow_of(palette_clip(2, **changes), 0)


@pytest.mark.parametrize(
    ("labels", "ends"),
    [
        (("27", "-27"), (27.0, -27.0)),
        (("27", "27"), (27.0, -27.0)),
        (("-38.5", "38.5"), (-38.5, 38.5)),
        (("-27", "-27"), (None, None)),
        (("27", "-80"), (None, None)),
        (("fast", "slow"), (None, None)),
    ],
)
def test_labels_are_read_with_their_sign_or_not_at_all(
    labels: tuple[str, str], ends: tuple[float | None, float | None]
) -> None:
    frame = np.zeros((240, 400, 3), np.uint8)
    bar = colour_map(ColourSettings(nyquist_cm_s=20.0))[::-1]
    frame[50:178, 285:301] = bar[np.arange(128) * len(bar) // 128][:, None]
    for text, row in zip(labels, (42, 194), strict=True):
        cv2.putText(frame, text, (280, row), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (230, 230, 230), 1, cv2.LINE_AA)
    found = find_colour_bar(frame)
    assert found is not None
    read = read_scale(frame, found)
    assert (read.top, read.bottom) == ends


@pytest.mark.parametrize(("angle", "corrected"), [(60.0, True), (None, False), (0.0, False)])
def test_velocities_are_angle_corrected_only_where_the_header_says_so(
    angle: float | None, corrected: bool
) -> None:
    from types import SimpleNamespace

    from veinscan.dicom.model import Region, RegionKind
    from veinscan.doppler import bar_of

    frame = painted(1, 100)[0]
    region = Region(
        kind=RegionKind.COLOR_FLOW, box=(0, 0, 240, 320), doppler_correction_angle_deg=angle,
        transducer_frequency_khz=5000.0, pulse_repetition_frequency_hz=2000.0,
    )  # fmt: skip
    given = SimpleNamespace(box=(40, 345, 200, 361), top=20.0, bottom=-20.0, unit="cm/s")
    clip: Any = SimpleNamespace(frame=lambda _k: frame, regions=(region,), file="a", colour_scale=given)
    bar = bar_of(clip)
    assert bar is not None and bar.angle_corrected is corrected
    # what is worked out from frequencies lies along the beam whatever the angle
    clip.colour_scale = None
    nyquist = bar_of(clip)
    assert nyquist is not None and nyquist.source == "nyquist"
    assert not nyquist.angle_corrected
    assert nyquist.top - nyquist.bottom == pytest.approx(2 * 154_000 * 2 / (4 * 5000))
    assert "upper end" in nyquist.note
