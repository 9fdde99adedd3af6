"""`veinscan reflux`: numbers, calibration by clicks, marks moved by hand, values kept on a target."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cli_studies import ultrasound, write
from pydicom.dataset import Dataset

KEYS = {
    "file", "sop_instance_uid", "attempt", "reflux_s", "is_lower_bound", "peak_reflux_cm_s",
    "antegrade_peak_cm_s", "onset_s", "interrupted", "manoeuvre", "polarity_confirmed", "threshold_profile",
    "adequate",
}  # fmt: skip
"""Of the contract; more may be there."""
CLICKS = ("--box", "20,10,230,310", "--click", "20,10,50,0", "--click", "220,210,-50,2")
"""What the region of `strip_header` says, as two clicks."""


def spectrum() -> np.ndarray:
    """A strip in (20, 10, 230, 310): a squeeze upwards, then 1.2 s downwards; 0.5 cm/s and 10 ms a pixel."""
    rng = np.random.default_rng(5)
    frame = np.zeros((240, 320), np.uint8)
    times, rows = np.arange(300) * 0.01, np.arange(210)[:, None]
    top = 45 * np.clip((times - 0.40) / 0.08, 0, 1) * np.clip((0.85 - times) / 0.1, 0, 1)
    back = -25 * np.clip((times - 0.9) / 0.05, 0, 1) * np.clip((2.12 - times) / 0.02, 0, 1)
    speed = (100 - rows) * 0.5
    inside = ((speed > 0) & (speed < top)) | ((speed < 0) & (speed > back))
    grain = 150 + 20 * np.log(rng.exponential(size=(210, 300)) + 1e-3)
    frame[20:230, 10:310] = np.clip(np.where(inside, grain, 25 + 10 * rng.random((210, 300))), 0, 255)
    return frame


def strip_header(**changes: object) -> Dataset:
    region = Dataset()
    region.RegionSpatialFormat, region.RegionDataType, region.RegionFlags = 3, 3, 0
    region.RegionLocationMinX0, region.RegionLocationMinY0 = 10, 20
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = 309, 229
    region.PhysicalUnitsXDirection, region.PhysicalUnitsYDirection = 4, 7
    region.PhysicalDeltaX, region.PhysicalDeltaY = 0.01, -0.5
    region.ReferencePixelX0, region.ReferencePixelY0 = 0, 100
    for name, value in changes.items():
        setattr(region, name, value)
    header = ultrasound(SequenceOfUltrasoundRegions=[region])
    header.NumberOfFrames = 1
    return header


@pytest.fixture
def study(tmp_path: Path) -> Path:
    write(tmp_path / "study" / "strip", strip_header(), spectrum().tobytes())
    return tmp_path / "study"


@pytest.fixture
def uncalibrated(tmp_path: Path) -> Path:
    """The same strip whose region says nothing of its scales."""
    header = strip_header(PhysicalUnitsXDirection=0, PhysicalUnitsYDirection=0)
    write(tmp_path / "study" / "strip", header, spectrum().tobytes())
    return tmp_path / "study"


def test_the_numbers_of_a_strip_and_the_keys_of_the_contract(cli, study: Path):
    called = cli("reflux", study, "--json")
    assert called.code == 0
    (one,) = called.json["measurements"]
    assert set(one) >= KEYS
    assert one["file"] == "strip"
    assert one["adequate"] is True
    assert one["reflux_s"] == pytest.approx(1.22, abs=0.04)
    assert one["onset_s"] == pytest.approx(0.90, abs=0.03)
    assert one["peak_reflux_cm_s"] == pytest.approx(24, rel=0.06)
    assert (one["attempt"], one["antegrade"], one["polarity_confirmed"]) == (1, "up", False)
    assert "unconfirmed" in cli("reflux", study).out
    confirmed = cli("reflux", study, "--antegrade", "up", "--json").json["measurements"][0]
    assert confirmed["polarity_confirmed"] is True
    assert not list(study.rglob("*.png"))
    assert not (study / "veinscan").exists()


def test_wrong_calls_end_with_2_and_say_what_to_do(cli, study: Path):
    for wrong in (
        ("--onset", "1.0"),
        ("--file", "strip", "--box", "1,2,3,4"),
        ("--file", "strip", "--box", "20,10,230,310", "--click", "1,2,3,4"),
        ("--file", "strip", "--box", "20,10,230", "--click", "1,2,3,4", "--click", "1,2,3,4"),
        ("--file", "strip", "--end", "1.4", "--attempt", "4"),
        ("--target", "7"),
    ):
        called = cli("reflux", study, *wrong)
        assert called.code == 2, wrong
        assert called.out == ""
    assert cli("reflux", study, "--profile", "nobody").code != 0
    assert cli("reflux", study, "--antegrade", "left").code != 0


def test_without_calibration_there_is_no_number_until_two_clicks(cli, uncalibrated: Path):
    called = cli("reflux", uncalibrated, "--json")
    assert called.code == 0
    assert called.json["measurements"] == []
    assert "two clicks" in called.json["warnings"][0]["warning"]
    clicked = cli("reflux", uncalibrated, "--file", "strip", *CLICKS, "--reader", "Anna", "--json").json
    assert clicked["version"] == 1
    # kept: the next call measures by it
    (again,) = cli("reflux", uncalibrated, "--json").json["measurements"]
    assert again["calibration"] == "clicks"
    assert again["reflux_s"] == pytest.approx(1.22, abs=0.04)
    (kept,) = cli("targets", "list", uncalibrated, "--json").json["strip_calibrations"]
    assert (kept["set_by"], kept["unit"], kept["box"]) == ("Anna", "cm/s", [20, 10, 230, 310])


def test_marks_moved_by_hand_are_kept_beside_what_was_measured(cli, study: Path):
    write(study / "picture", ultrasound())
    cli("targets", "add", study, "--file", "picture", "--frame", 0, "--point", "130,170", "--reader", "Anna")
    first = cli("reflux", study, "--target", 1, "--reader", "Anna", "--json").json
    assert first["version"] == 2
    marks = ("--file", "strip", "--onset", 1.0, "--end", 2.0, "--reader", "Ben")
    (one,) = cli("reflux", study, "--target", 1, *marks, "--json").json["measurements"]
    assert (one["reflux_s"], one["corrected_by"]) == (1.0, "Ben")
    assert one["measured_reflux_s"] == pytest.approx(1.22, abs=0.04)
    # measured again, a value that a person corrected stays
    cli("reflux", study, "--target", 1, "--reader", "Anna")
    (target,) = cli("targets", "list", study, "--json").json["targets"]
    (value,) = target["reflux"]
    assert (value["reflux_s"], value["source"], value["corrected_by"]) == (1.0, "corrected", "Ben")
    assert value["measured_reflux_s"] == pytest.approx(1.22, abs=0.04)


def test_pictures_go_where_told_and_replace_only_their_own(cli, study: Path, tmp_path: Path):
    folder = tmp_path / "pictures"
    assert cli("reflux", study, "-o", folder, "--json").json["pictures"] == ["strip-001-1.png"]
    assert sorted(path.name for path in folder.iterdir()) == ["reflux.json", "strip-001-1.png"]
    assert cli("reflux", study, "-o", folder).code == 0
    other = tmp_path / "other"
    other.mkdir()
    (other / "strip-001-1.png").write_bytes(b"mine")
    called = cli("reflux", study, "-o", other)
    assert called.code != 0
    assert "did not write" in called.err
    assert (other / "strip-001-1.png").read_bytes() == b"mine"
    assert cli("reflux", study, "-o", study / "strip").code != 0
