"""The command line over files of real scanners: each is a clip or is skipped with a reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_studies import tree


def test_every_real_file_is_inspected(cli, shared_data: Path):
    files = sorted((shared_data / "real-us").glob("*.dcm"))
    assert len(files) >= 20
    for path in files:
        called = cli("inspect", path, "--json")
        assert (called.code, called.err) == (0, ""), path.name
        (clip,) = called.json["clips"]
        assert clip["file"] == path.name and clip["frames"] >= 1
        calibrated = any(region["spacing_mm"] for region in clip["regions"])
        assert calibrated or clip["warnings"], path.name


@pytest.mark.parametrize(
    "name", ["philips-clearvue-palette-implicit", "esaote-musculoskeletal-ybr422-native", "nema-us1-rle"]
)
def test_a_real_still_is_searched(cli, shared_data: Path, tmp_path: Path, name: str):
    path = shared_data / "real-us" / f"{name}.dcm"
    called = cli("find", path, "-o", tmp_path / "out", "--json")
    assert (called.code, called.err) == (0, "")
    (clip,) = called.json["clips"]
    if name == "nema-us1-rle":
        assert clip["candidates"] == [] and any("no candidates" in warning for warning in clip["warnings"])
    assert (clip["picture"] in tree(tmp_path / "out")) == bool(clip["candidates"])


@pytest.mark.parametrize("name", ["ybr_color", "rgb_color", "palette_color"])
def test_pydicom_s_own_real_files(cli, name: str):
    import pydicom.examples

    path = pydicom.examples.get_path(name)
    called = cli("inspect", path, "--json")
    assert (called.code, called.err) == (0, "")
    assert len(called.json["clips"]) == 1
