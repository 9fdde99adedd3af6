"""Scales of colour bars that a reader gives: kept, put back on the clip, and used."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from veinscan.dicom.model import Region, RegionKind
from veinscan.doppler import bar_of, flow_of
from veinscan.errors import CalibrationError, InvalidInputError
from veinscan.phantom.colour import ColourSettings, colour_map, paint
from veinscan.plan import editing
from veinscan.plan.colour_scales import colour_scale_of, remove_colour_scale, set_colour_scale
from veinscan.plan.model import Reader
from veinscan.plan.normal import normalised

ANNA = Reader(name="Anna")


def colour_clip(power: bool = False, **changes: Any) -> Any:
    """A clip with a bar without labels, and one vessel at 6 cm/s towards the probe on a scale of 20."""
    settings = ColourSettings(nyquist_cm_s=20.0)
    shown = np.full((200, 260), np.nan, np.float32)
    shown[60:120, 60:160] = 6.0
    frame = np.zeros((200, 320, 3), np.uint8)
    frame[:, :260] = paint(np.full((200, 260), 70, np.uint8), shown, np.ones((200, 260), bool), settings)
    bar = colour_map(settings)[::-1]
    frame[30:158, 285:301] = bar[np.arange(128) * len(bar) // 128][:, None]
    if power:
        ramp = np.linspace(1, 0, 128)[:, None]
        frame[30:158, 285:301] = (ramp * [255, 180, 0] + [0, 0, 0]).astype(np.uint8)[:, None]
    values: dict[str, Any] = {
        "sop_instance_uid": "1.2.4", "regions": (), "frame": lambda _k: frame, "photometric": "RGB",
        "picture_region": None, "file": "a.dcm", "colour_scale": None, "n_frames": 1,
    }  # fmt: skip
    return SimpleNamespace(**(values | changes))


def test_a_scale_is_kept_with_who_gave_it_and_replaced_by_a_later_one() -> None:
    clip = colour_clip()
    record = set_colour_scale(editing.new_record("1.2.3"), clip, ANNA, top=30, bottom=-10)
    kept = colour_scale_of(record, clip)
    assert kept is not None
    assert (kept.top, kept.bottom, kept.unit, kept.set_by) == (30.0, -10.0, "cm/s", "Anna")
    assert kept.set_at is not None
    assert kept.box == pytest.approx((30, 285, 158, 301), abs=3)
    assert normalised(record) == record
    later = set_colour_scale(record, clip, Reader(name="Ben"), top=20, bottom=-20)
    assert [one.set_by for one in later.colour_scales] == ["Ben"]
    assert remove_colour_scale(later, clip).colour_scales == ()


def test_flow_uses_what_the_record_holds_and_says_so() -> None:
    clip = colour_clip()
    with pytest.raises(CalibrationError, match="not known"):
        flow_of(clip)
    clip.colour_scale = colour_scale_of(
        set_colour_scale(editing.new_record("1.2.3"), clip, ANNA, top=20, bottom=-20), clip
    )
    flow = flow_of(clip)
    assert flow.source == "given"
    assert np.nanmedian(flow.flow_cm_s) == pytest.approx(6.0, abs=flow.step_cm_s or 0)
    clip.colour_scale = colour_scale_of(
        set_colour_scale(editing.new_record("1.2.3"), clip, ANNA, top=-10, bottom=10), clip
    )
    assert np.nanmedian(flow_of(clip).flow_cm_s) == pytest.approx(-3.0, abs=0.4)


def test_a_scale_in_khz_needs_the_frequency() -> None:
    clip = colour_clip()
    clip.colour_scale = colour_scale_of(
        set_colour_scale(editing.new_record("1.2.3"), clip, ANNA, top=2, bottom=-2, unit="kHz"), clip
    )
    with pytest.raises(CalibrationError, match="kHz"):
        flow_of(clip)
    clip.regions = (
        Region(kind=RegionKind.COLOR_FLOW, box=(0, 0, 200, 260), transducer_frequency_khz=5000.0),
    )
    bar = bar_of(clip)
    assert bar is not None
    # v = c f / (2 f0): 154000 cm/s times 2 kHz over 10 MHz
    assert bar.top == pytest.approx(30.8)
    assert "kHz" in bar.note
    assert np.nanmedian(flow_of(clip).flow_cm_s) == pytest.approx(6.0 * 30.8 / 20, abs=0.6)


@pytest.mark.parametrize(
    ("ends", "unit"),
    [((20, 20), "cm/s"), ((20, 10), "cm/s"), ((900, -900), "cm/s"), ((20, -20), "m/s"),
     ((float("nan"), -20), "cm/s")],
)  # fmt: skip
def test_ends_that_make_no_scale_are_refused(ends: tuple[float, float], unit: str) -> None:
    with pytest.raises(InvalidInputError):
        set_colour_scale(
            editing.new_record("1.2.3"), colour_clip(), ANNA, top=ends[0], bottom=ends[1], unit=unit
        )


def test_without_a_bar_or_a_reader_or_a_direction_nothing_is_kept() -> None:
    record = editing.new_record("1.2.3")
    grey = np.zeros((200, 320, 3), np.uint8)
    cv2.circle(grey, (100, 100), 40, (120, 120, 120), -1)
    with pytest.raises(CalibrationError, match="no colour bar"):
        set_colour_scale(record, colour_clip(frame=lambda _k: grey), ANNA, top=20, bottom=-20)
    with pytest.raises(CalibrationError, match="no direction"):
        set_colour_scale(record, colour_clip(power=True), ANNA, top=20, bottom=-20)
    with pytest.raises(InvalidInputError, match="name"):
        set_colour_scale(record, colour_clip(), Reader(name=" "), top=20, bottom=-20)
