"""One rule for where depth begins: candidates and targets of one clip agree."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from us_files import region, save, us

from veinscan.candidates import find_in_clip
from veinscan.dicom import open_study
from veinscan.dicom.skin import depth_origin
from veinscan.plan import editing, geometry
from veinscan.plan.model import Reader

SKIN = 40


def picture(skin: int = SKIN, rows: int = 240, columns: int = 260) -> np.ndarray:
    """Speckle below the skin, nothing above, and a dark lumen of 3 mm."""
    rng = np.random.default_rng(4)
    out = rng.rayleigh(60, (rows, columns)).clip(20, 255)
    r, c = np.ogrid[:rows, :columns]
    distance = np.hypot(r - 130, c - 130) * 0.1
    out[distance < 1.5] = rng.uniform(0, 10, int((distance < 1.5).sum()))
    out[(distance >= 1.5) & (distance < 2.0)] += 60
    out[:skin] = 0
    return out.clip(0, 255).astype(np.uint8)


def clip_of(folder: Path, **values):
    box = {"RegionLocationMaxX1": 259, "RegionLocationMaxY1": 239}
    item = region(**box, PhysicalDeltaX=0.01, PhysicalDeltaY=0.01, **values)
    pixels = picture()
    save(us(rows=240, columns=260, regions=[item]), folder / "a.dcm", pixels.tobytes())
    return open_study(folder).clips[0]


@pytest.mark.parametrize(
    "reference", [{}, {"ReferencePixelX0": 130, "ReferencePixelY0": 25}], ids=["pixels", "header"]
)
def test_candidate_and_target_count_depth_from_the_same_row(tmp_path, reference):
    clip = clip_of(tmp_path, **reference)
    wanted = 25 if reference else SKIN
    best = min(
        find_in_clip(clip).candidates,
        key=lambda c: np.hypot(*(np.subtract(c.centre(c.best_frame), (130, 130)))),
    )
    top = float(best.outline(best.best_frame)[:, 0].min())
    assert top - best.depth_mm / 0.1 == pytest.approx(wanted, abs=3)
    target = editing.target_at_point(clip, 0, (130, 130), Reader(name="Anna"))
    assert target.calibration is not None
    assert target.calibration.skin_row == pytest.approx(wanted, abs=3)
    assert target.calibration.skin_row == depth_origin(clip, clip.picture_region)[0] == clip.skin_row
    assert target.depth_mm == pytest.approx(best.depth_mm, abs=0.5)
    assert geometry.depth_mm(clip, (130, 130)) == pytest.approx((130 - clip.skin_row) * 0.1)


def test_without_skin_depth_begins_at_the_box_and_that_is_said(tmp_path):
    item = region(PhysicalDeltaX=0.01, PhysicalDeltaY=0.01)
    save(us(regions=[item]), tmp_path / "a.dcm", bytes(48 * 64))
    clip = open_study(tmp_path).clips[0]
    assert clip.skin_row is None
    assert depth_origin(clip, clip.picture_region) == (0.0, False)
    assert any("skin" in warning for warning in find_in_clip(clip).warnings)
    assert geometry.calibration_at(clip, (3.0, 3.0)).skin_row == 0
