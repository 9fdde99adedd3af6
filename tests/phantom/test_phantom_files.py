"""The files: valid, calibrated, coloured as labelled, the same again, and matched by their follow-up."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from phantom_sample import SAMPLE, SAMPLE_SEED
from pydicom.pixels import pixel_array

from veinscan.errors import InvalidInputError
from veinscan.phantom import make_study
from veinscan.phantom.bmode import render_bmode
from veinscan.phantom.colour import ColourSettings, colour_map
from veinscan.phantom.study import write_session

NAMES = ["0001_transverse.dcm", "0002_longitudinal.dcm", "0003_colour.dcm", "0004_duplex.dcm"]


def truth_of(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "truth.json").read_text()))


def clip_of(folder: Path, kind: str) -> tuple[pydicom.Dataset, dict[str, Any]]:
    clip = next(c for c in truth_of(folder)["clips"] if c["kind"] == kind)
    return pydicom.dcmread(folder / clip["file"]), clip


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy (dicom3tools) is not installed")
@pytest.mark.parametrize("which", ["baseline", "follow_up"])
def test_objects_are_valid(fresh: dict[str, Path], which: str) -> None:
    for path in sorted(fresh[which].glob("*.dcm")):
        done = subprocess.run(["dciodvfy", "-new", str(path)], capture_output=True, text=True, check=False)
        report = done.stdout + done.stderr
        assert done.returncode == 0
        assert "Error" not in report
        assert "Warning" not in report


@pytest.mark.parametrize("name", [NAMES[1], NAMES[3]])
def test_same_seed_gives_the_same_bytes_in_another_process(
    fresh: dict[str, Path], tmp_path: Path, name: str
) -> None:
    for session, which in enumerate(("baseline", "follow_up")):
        write_session(tmp_path, SAMPLE_SEED, session=session, only=[name])
        first = hashlib.sha256((fresh[which] / name).read_bytes()).hexdigest()
        assert first == hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
        entry = next(c for c in truth_of(fresh[which])["clips"] if c["file"] == name)
        assert truth_of(tmp_path)["clips"] == [entry]


def test_same_seed_gives_the_same_moving_pictures_in_another_process(fresh: dict[str, Path]) -> None:
    """The lossy clips: their truth, and their pixels as far as JPEG keeps them."""
    header, clip = clip_of(fresh["baseline"], "transverse")
    tissue = header.SequenceOfUltrasoundRegions[0]
    made = render_bmode(SAMPLE_SEED, spacing_mm=clip["spacing_mm"], shape=(450, 543), n_frames=26)
    stored = pixel_array(header, index=25)[
        tissue.RegionLocationMinY0 : tissue.RegionLocationMaxY1 + 1,
        tissue.RegionLocationMinX0 : tissue.RegionLocationMaxX1 + 1,
    ]
    assert np.abs(stored[..., 1].astype(int) - made.frames[25]).mean() < 3
    seen = {v["name"]: v["frames"] for v in clip["vessels"]}
    for vessel in made.truth["vessels"]:
        for index, lumen in vessel["frames"].items():
            assert seen[vessel["name"]][index]["diameter_mm"] == lumen["diameter_mm"]
            assert seen[vessel["name"]][index]["depth_mm"] == lumen["depth_mm"]


def _close(first: Any, second: Any) -> bool:
    """Equal but for the last digit of a rounded number."""
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(_close(first[k], second[k]) for k in first)
    if isinstance(first, list):
        return len(first) == len(second) and all(map(_close, first, second))
    if isinstance(first, float):
        return bool(abs(first - second) <= 0.011)
    return bool(first == second)


@pytest.mark.parametrize("which", ["baseline", "follow_up"])
def test_sample_data_is_what_the_command_makes(fresh: dict[str, Path], which: str) -> None:
    kept, made = truth_of(SAMPLE / which), truth_of(fresh[which])
    for clip, again in zip(kept["clips"], made["clips"], strict=True):
        if (
            clip["doppler"] and clip["kind"] == "colour"
        ):  # pixel contours: one pixel more or less is no matter
            for side in (clip, again):
                for seen in side["doppler"]["frames"].values():
                    for vessel in seen.values():
                        vessel["aliased_outlines"] = len(vessel["aliased_outlines"])
    assert _close(kept, made)
    for name in NAMES:
        old, new = pydicom.dcmread(SAMPLE / which / name), pydicom.dcmread(fresh[which] / name)
        assert [e.tag for e in old] == [e.tag for e in new]
        assert old.SOPInstanceUID == new.SOPInstanceUID
        apart = np.abs(pixel_array(old, index=0).astype(int) - pixel_array(new, index=0).astype(int))
        assert apart.mean() < 2.0  # letters differ between versions of OpenCV


def test_sample_data_is_small_enough_to_ship() -> None:
    assert sum(p.stat().st_size for p in SAMPLE.rglob("*") if p.is_file()) <= 12_000_000


def test_transfer_syntaxes_and_kinds(fresh: dict[str, Path]) -> None:
    headers = [pydicom.dcmread(fresh["baseline"] / n, stop_before_pixels=True) for n in NAMES]
    assert [h.file_meta.TransferSyntaxUID.name for h in headers] == [
        "JPEG Baseline (Process 1)",
        "RLE Lossless",
        "JPEG Baseline (Process 1)",
        "Explicit VR Little Endian",
    ]
    assert [h.PhotometricInterpretation for h in headers] == [
        "YBR_FULL_422",
        "MONOCHROME2",
        "YBR_FULL_422",
        "RGB",
    ]
    assert {h.StudyInstanceUID for h in headers} == {truth_of(fresh["baseline"])["study_instance_uid"]}
    assert len({h.SOPInstanceUID for h in headers}) == 4
    times = [h.AcquisitionDateTime for h in headers]
    assert times == sorted(times)
    for header in headers[:3]:
        assert header.FrameIncrementPointer == 0x00181063
        assert float(header.FrameTime) > 0


def test_tissue_region_calibrates_the_picture(fresh: dict[str, Path]) -> None:
    for kind in ("transverse", "longitudinal", "colour", "duplex"):
        header, clip = clip_of(fresh["baseline"], kind)
        tissue = next(r for r in header.SequenceOfUltrasoundRegions if r.RegionDataType == 1)
        assert tissue.PhysicalUnitsXDirection == tissue.PhysicalUnitsYDirection == 3  # cm
        assert tissue.PhysicalDeltaY * 10 == pytest.approx(clip["spacing_mm"])
        # C.8.5.5.1.16: the reference pixel counts from the region's corner
        assert tissue.RegionLocationMinY0 + tissue.ReferencePixelY0 == pytest.approx(
            clip["skin_row"], abs=1e-6
        )
        assert tissue.RegionLocationMaxX1 < header.Columns
        assert tissue.RegionLocationMaxY1 < header.Rows


def test_skin_lies_where_the_truth_says(fresh: dict[str, Path]) -> None:
    for kind in ("transverse", "longitudinal"):
        header, clip = clip_of(fresh["baseline"], kind)
        frame = pixel_array(header, index=0).astype(float)
        grey = frame if frame.ndim == 2 else frame.mean(axis=2)
        tissue = header.SequenceOfUltrasoundRegions[0]
        rows = grey[
            tissue.RegionLocationMinY0 : tissue.RegionLocationMinY0 + 30,
            tissue.RegionLocationMinX0 : tissue.RegionLocationMaxX1 + 1,
        ].mean(axis=1)
        rise = int(np.argmax(np.diff(rows))) + tissue.RegionLocationMinY0 + 0.5
        assert abs(rise - clip["skin_row"]) <= 3


def test_rle_clip_holds_exactly_the_rendered_frames(fresh: dict[str, Path]) -> None:
    header, _ = clip_of(fresh["baseline"], "longitudinal")
    tissue = header.SequenceOfUltrasoundRegions[0]
    stored = pixel_array(header)[
        :,
        tissue.RegionLocationMinY0 : tissue.RegionLocationMaxY1 + 1,
        tissue.RegionLocationMinX0 : tissue.RegionLocationMaxX1 + 1,
    ]
    made = render_bmode(
        SAMPLE_SEED, "longitudinal", spacing_mm=0.08, shape=stored.shape[1:], n_frames=len(stored)
    )
    np.testing.assert_array_equal(stored, made.frames)


def test_colour_bar_keeps_its_colours_through_jpeg(fresh: dict[str, Path]) -> None:
    header, clip = clip_of(fresh["baseline"], "colour")
    doppler = clip["doppler"]
    row0, col0, row1, col1 = doppler["bar_box"]
    bar = pixel_array(header, index=0)[row0:row1, col0 + 3 : col1 - 3].astype(float).mean(axis=1)
    wanted = colour_map(ColourSettings(nyquist_cm_s=doppler["nyquist_cm_s"])).astype(float)
    rows = np.arange(row1 - row0)
    expected = wanted[((row1 - row0 - 1 - rows + 0.5) / (row1 - row0) * len(wanted)).astype(int)]
    assert np.median(np.abs(bar - expected)) < 12
    assert bar[0, 0] > bar[0, 2] + 60  # red and yellow on top
    assert bar[-1, 2] > bar[-1, 0] + 60  # blue below
    region = next(r for r in header.SequenceOfUltrasoundRegions if r.RegionDataType == 14)
    top = region.ReferencePixelY0 * -region.PhysicalDeltaY
    assert top == pytest.approx(doppler["bar_high_cm_s"], abs=abs(region.PhysicalDeltaY))


def test_strip_region_agrees_with_truth(fresh: dict[str, Path]) -> None:
    header, clip = clip_of(fresh["baseline"], "duplex")
    region = next(r for r in header.SequenceOfUltrasoundRegions if r.RegionDataType == 3)
    doppler = clip["doppler"]
    assert (region.RegionSpatialFormat, region.PhysicalUnitsXDirection, region.PhysicalUnitsYDirection) == (
        3,
        4,
        7,
    )
    assert region.PhysicalDeltaY < 0
    assert -region.PhysicalDeltaY == pytest.approx(doppler["velocity_step_cm_s"])
    assert region.PhysicalDeltaX == pytest.approx(doppler["time_step_s"])
    assert region.RegionLocationMinY0 + region.ReferencePixelY0 == doppler["baseline_row"]
    assert doppler["adequate"]
    assert doppler["reflux_s"] > 0.5


def test_banner_and_header_name_the_same_made_up_person(fresh: dict[str, Path]) -> None:
    header, _ = clip_of(fresh["baseline"], "transverse")
    assert header.PatientID == f"PHANTOM-{SAMPLE_SEED:05d}"
    assert header.BurnedInAnnotation == "YES"
    banner = pixel_array(header, index=0)[4:20, 6:200]
    assert (banner.max(axis=2) > 180).mean() > 0.03  # letters are there


def test_follow_up_is_the_same_person_later(fresh: dict[str, Path]) -> None:
    first, _ = clip_of(fresh["baseline"], "transverse")
    later, _ = clip_of(fresh["follow_up"], "transverse")
    assert (first.PatientID, first.PatientName) == (later.PatientID, later.PatientName)
    assert first.StudyInstanceUID != later.StudyInstanceUID
    assert first.SOPInstanceUID != later.SOPInstanceUID
    assert later.StudyDate > first.StudyDate


def test_follow_up_truth_matches_by_name_and_shows_closed_veins(fresh: dict[str, Path]) -> None:
    before = {v["name"]: v for v in clip_of(fresh["baseline"], "transverse")[1]["vessels"]}
    after = {v["name"]: v for v in clip_of(fresh["follow_up"], "transverse")[1]["vessels"]}
    assert before.keys() == after.keys()
    treated = truth_of(fresh["follow_up"])["treated"]
    assert treated
    for name, vessel in after.items():
        assert vessel["occluded"] == (name in treated)
        if name in treated:
            assert not vessel["collapsed_frames"]
            assert before[name]["collapsed_frames"]
            assert vessel["frames"]["0"]["diameter_mm"] < 0.92 * before[name]["frames"]["0"]["diameter_mm"]


def test_scripted_target_lies_in_an_open_vein(fresh: dict[str, Path]) -> None:
    truth = truth_of(fresh["baseline"])
    target = truth["scripted_target"]
    clip = next(c for c in truth["clips"] if c["file"] == target["file"])
    vessel = next(v for v in clip["vessels"] if v["name"] == target["vessel"])
    outline = np.asarray(vessel["frames"][str(target["frame_index"])]["outline"])
    low, high = outline.min(axis=0), outline.max(axis=0)
    assert np.all(low < target["point"])
    assert np.all(target["point"] < high)
    assert vessel["type"] == "vein"


def test_a_folder_with_another_study_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "someone.dcm").write_bytes(b"x")
    with pytest.raises(InvalidInputError, match="other DICOM"):
        make_study(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["someone.dcm"]


def test_bad_arguments_are_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="negative"):
        make_study(tmp_path / "a", seed=-1)
    with pytest.raises(InvalidInputError, match="same folder"):
        make_study(tmp_path / "a", follow_up=tmp_path / "a")
    (tmp_path / "file").write_text("x")
    with pytest.raises(InvalidInputError, match="is a file"):
        make_study(tmp_path / "file")
