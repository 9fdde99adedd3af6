"""Headers whose regions are the whole screen, in the ways that screens are divided: no banner is kept."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import cv2
import pydicom
import pytest
from planted import BOX, COLUMNS, ROWS, Planted, leaks

import veinscan
from veinscan.candidates import FinderSettings
from veinscan.deidentify import ProjectKey
from veinscan.deidentify.pixels import keep_of
from veinscan.export import ExportOptions, Format, export_studies, item_of, read_review

KEY = ProjectKey(b"r" * 32)
H, W = ROWS, COLUMNS
TILES = {
    "picture above, strip below": [("tissue", (0, 0, H // 2, W)), ("strip", (H // 2, 0, H, W))],
    "two pictures side by side": [("tissue", (0, 0, H, W // 2)), ("tissue", (0, W // 2, H, W))],
    "picture and bar of greys": [("tissue", (0, 0, H, W - 12)), ("grey bar", (0, W - 12, H, W))],
    "four in a grid": [
        ("tissue", (row, col, row + H // 2, col + W // 2)) for row in (0, H // 2) for col in (0, W // 2)
    ],
    "each nearly all": [("tissue", (0, 0, H - 4, W)), ("colour", (4, 0, H, W))],
    "the screen and its parts": [
        ("dummy", (0, 0, H, W)), ("tissue", (0, 0, H, W)), ("tissue", (0, 0, 90, W)), ("ecg", (90, 0, H, W)),
    ],
    "one pixel short on every side": [("tissue", (1, 1, H - 1, W - 1))],
    "of a larger screen, cut to this one": [("tissue", (0, 0, 3 * H, 3 * W // 4))],
}  # fmt: skip
FORMATS = {
    "dummy": (0, 0), "tissue": (1, 1), "colour": (1, 2), "strip": (3, 3), "ecg": (4, 10), "grey bar": (0, 13),
}  # fmt: skip


@pytest.mark.parametrize("how", TILES)
@pytest.mark.parametrize("found", [True, False])
def test_regions_that_are_the_screen_keep_no_banner(
    planted: Planted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str, found: bool
) -> None:
    """As duplex, dual and full-screen displays are written: the picture itself is looked for, else black."""
    for path in planted.folder.glob("*.dcm"):
        ds = pydicom.dcmread(path)
        items = []
        for kind, (row0, col0, row1, col1) in TILES[how]:
            item = copy.deepcopy(ds.SequenceOfUltrasoundRegions[1])
            item.RegionSpatialFormat, item.RegionDataType = FORMATS[kind]
            item.RegionLocationMinY0, item.RegionLocationMaxY1 = row0, row1 - 1
            item.RegionLocationMinX0, item.RegionLocationMaxX1 = col0, col1 - 1
            if kind in ("strip", "ecg"):
                item.PhysicalUnitsXDirection, item.PhysicalUnitsYDirection = 4, 7 if kind == "strip" else 0
            items.append(item)
        ds.SequenceOfUltrasoundRegions = items
        ds.save_as(path)
    if not found:
        monkeypatch.setattr("veinscan.dicom.clip.found_regions", lambda frames: ())
    study = veinscan.open_study(planted.folder)
    for clip in study.clips:
        keep = keep_of(clip)
        assert keep.source == "pixels" and bool(keep.boxes) == found
        assert "whole screen" in keep.doubts[0]
    options = ExportOptions(formats=(Format.COCO,))
    exported = export_studies([item_of(study, KEY)], tmp_path / "set", options, KEY).folder
    pictures = list((exported / "coco" / "images").rglob("*.png"))
    assert bool(pictures) == found
    for path in pictures:
        picture = cv2.imread(str(path))
        assert picture.any() and not picture[: BOX[0] - 4].any() and not picture[BOX[2] + 4 :].any()
    assert not leaks(exported, planted)
    told = json.loads((exported / "not_judged.json").read_text())["clips"]
    assert sum("whole screen" in entry["what"] for entry in told) == 2


def test_a_person_can_say_what_of_a_screen_is_kept(planted: Planted, tmp_path: Path) -> None:
    """A picture that was cropped before has no region that counts: its boxes come from who looked at it."""
    for path in planted.folder.glob("*.dcm"):
        ds = pydicom.dcmread(path)
        item = ds.SequenceOfUltrasoundRegions[1]
        item.RegionLocationMinX0, item.RegionLocationMaxX1 = 0, COLUMNS - 1
        item.RegionLocationMinY0, item.RegionLocationMaxY1 = 0, ROWS - 1
        ds.save_as(path)
    options = ExportOptions(formats=(Format.COCO, Format.DICOM_SEG))
    item = item_of(veinscan.open_study(planted.folder), KEY)
    first = export_studies([item], tmp_path / "first", options, KEY).folder
    review = json.loads((first / "review" / "review.json").read_text())
    for entry in review["clips"]:
        entry.update(clean=True, by="Anna", keep=[list(BOX)])
    (tmp_path / "review.json").write_text(json.dumps(review))
    said = read_review(tmp_path / "review.json")
    second = export_studies([item], tmp_path / "second", options, KEY, said=said).folder
    for path in (second / "coco" / "images").rglob("*.png"):
        picture = cv2.imread(str(path))
        assert picture.any() and not picture[: BOX[0]].any() and not picture[BOX[2] :].any()
    clips = veinscan.open_study(next((second / "dicom").iterdir())).clips
    assert [clip.header().BurnedInAnnotation for clip in clips] == ["NO", "NO"]
    assert [clip.spacing_mm for clip in clips] == [(0.2, 0.2)] * 2  # what calibrates stays in the header


def test_where_no_pixels_leave_candidates_still_do(
    planted: Planted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in planted.folder.glob("*.dcm"):
        ds = pydicom.dcmread(path)
        for name, end in (("X", COLUMNS), ("Y", ROWS)):
            item = ds.SequenceOfUltrasoundRegions[1]
            setattr(item, f"RegionLocationMin{name}0", 0)
            setattr(item, f"RegionLocationMax{name}1", end - 1)
        ds.save_as(path)
    monkeypatch.setattr("veinscan.dicom.clip.found_regions", lambda frames: ())
    options = ExportOptions(formats=(Format.JSON,), search=FinderSettings(min_score=0.0))
    item = item_of(veinscan.open_study(planted.folder), KEY)
    folder = export_studies([item], tmp_path / "set", options, KEY).folder
    clips = json.loads(next((folder / "json").iterdir()).read_text())["clips"]
    assert [clip["kept_boxes"] for clip in clips] == [[], []]
    assert any(mark["category"] == "vessel_unknown" for clip in clips for mark in clip["marks"])
