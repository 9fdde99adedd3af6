"""Exported pictures: nothing of the banner, nothing lost, the clip's own speed, read back."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from veinscan.dicom import open_study
from veinscan.errors import CancelledError, InvalidInputError, NotSavedError
from veinscan.report import movie
from veinscan.report.movie import (
    clean_frame,
    export_clip,
    export_frame,
    frame_picture,
    movie_timing,
    usable_boxes,
)
from veinscan.report.pictures import Mark

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data" / "baseline"


@pytest.fixture(scope="module")
def clips():
    return open_study(SAMPLE).clips


def test_what_lies_outside_the_regions_is_black(clips):
    for clip in clips:
        frame, (row0, col0, row1, col1) = clean_frame(clip, 0)
        outside = np.ones((clip.rows, clip.columns), bool)
        for a, b, c, d in usable_boxes(clip):
            outside[a:c, b:d] = False
            np.testing.assert_array_equal(frame[a:c, b:d], clip.frame(0)[a:c, b:d])
        assert clip.frame(0)[outside].max() > 100, "the sample has a banner there"
        assert frame[outside].max() == 0
        assert outside[:row0].all()
        assert outside[:, :col0].all()
        assert outside[row1:].all()
        assert outside[:, col1:].all()


def test_a_frame_is_the_region_and_the_banner_comes_only_when_asked(clips, tmp_path: Path):
    clip = clips[0]
    clean = cv2.imread(str(export_frame(tmp_path / "a.png", clip, 3, scale_bar=False)))
    whole = cv2.imread(str(export_frame(tmp_path / "b.png", clip, 3, scale_bar=False, everything=True)))
    (row0, col0, row1, col1) = usable_boxes(clip)[0]
    aspect = (row1 - row0) * clip.spacing_mm[0] / ((col1 - col0) * clip.spacing_mm[1])
    assert clean.shape[0] / clean.shape[1] == pytest.approx(aspect, abs=0.01)
    assert whole.shape[0] / whole.shape[1] == pytest.approx(clip.rows / clip.columns, abs=0.01)
    back = cv2.resize(clean, (col1 - col0, row1 - row0), interpolation=cv2.INTER_AREA)[:, :, 0]
    assert np.corrcoef(back.ravel(), clip.grey(3)[row0:row1, col0:col1].ravel())[0, 1] > 0.99


def test_marks_and_scale_bar_are_drawn_when_wanted(clips):
    clip = clips[0]
    row0, col0, row1, _ = usable_boxes(clip)[0]
    corner = np.array([row0, col0], np.float32)
    ring = np.array([[100, 100], [100, 160], [150, 160], [150, 100]], np.float32) + corner
    mark = Mark(label="1", colour=(0, 158, 115), outline=ring)
    bare = frame_picture(clip, 0, scale_bar=False)
    assert (frame_picture(clip, 0) != bare).any(), "a scale bar"
    drawn = frame_picture(clip, 0, lambda index: [mark] if index == 0 else [], scale_bar=False)
    changed = np.argwhere((drawn != bare).any(axis=-1))
    scale = bare.shape[0] / (row1 - row0)
    assert changed.min(axis=0) == pytest.approx([100 * scale - 20, 100 * scale - 5], abs=20)
    other = frame_picture(clip, 1, lambda index: [mark] if index == 0 else [], scale_bar=False)
    np.testing.assert_array_equal(other, frame_picture(clip, 1, scale_bar=False))


def test_an_mp4_holds_every_frame_at_the_clips_rate(clips, tmp_path: Path):
    clip = clips[1]
    done = []
    path = export_clip(tmp_path / "clip.mp4", clip, progress=lambda n, of: done.append((n, of)))
    assert done[-1] == (clip.n_frames, clip.n_frames)
    film = cv2.VideoCapture(str(path))
    assert film.get(cv2.CAP_PROP_FPS) == pytest.approx(clip.frame_rate_hz, rel=0.01)
    for index in range(clip.n_frames):
        there, bgr = film.read()
        assert there
        wanted = frame_picture(clip, index)
        assert bgr.shape == wanted.shape
        grey = bgr.mean(axis=-1)
        assert np.corrcoef(grey.ravel(), wanted.mean(axis=-1).ravel())[0, 1] > 0.97
    assert not film.read()[0]
    film.release()


def test_a_gif_lasts_as_long_as_the_clip(clips, tmp_path: Path):
    clip = clips[2]
    path = export_clip(tmp_path / "clip.gif", clip, frames=range(2, 8))
    with Image.open(path) as film:
        assert film.n_frames == 6
        total = 0
        for index in range(film.n_frames):
            film.seek(index)
            total += film.info["duration"]
            wanted = frame_picture(clip, 2 + index)
            seen = np.asarray(film.convert("RGB"), float)
            assert np.abs(seen - wanted).mean() < 6
    assert total == pytest.approx(1000 * 6 / clip.frame_rate_hz, abs=10)


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(st.floats(0.017, 0.9), min_size=1, max_size=60))
def test_a_movie_lasts_as_long_as_its_clip(steps):
    times = np.concatenate([[0.0], np.cumsum(steps)])
    rate, repeats = movie_timing(times)
    assert len(repeats) == len(times)
    lasts = times[-1] + float(np.median(steps))
    assert sum(repeats) / rate == pytest.approx(lasts, abs=1.0 / rate)
    if np.ptp(steps) == 0:
        assert set(repeats) == {1}


def test_nothing_is_written_when_cancelled_or_unreadable(clips, tmp_path: Path, monkeypatch):
    def stop(_done: int, _of: int) -> None:
        raise CancelledError("stopped by the reader")

    for name in ("clip.mp4", "clip.gif"):
        with pytest.raises(CancelledError):
            export_clip(tmp_path / name, clips[1], progress=stop)
    monkeypatch.setattr(movie.cv2, "imdecode", lambda *_: None)
    with pytest.raises(NotSavedError):
        export_frame(tmp_path / "a.png", clips[0], 0)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_refusals_say_what_to_do(clips, tmp_path: Path):
    with pytest.raises(InvalidInputError, match=r"\.mp4 or \.gif"):
        export_clip(tmp_path / "clip.avi", clips[0])
    with pytest.raises(InvalidInputError, match="no frames"):
        export_clip(tmp_path / "clip.gif", clips[0], frames=[])


def test_a_clip_that_does_not_say_where_its_picture_is_needs_to_be_asked_for(
    clips, tmp_path: Path, monkeypatch
):
    clip = clips[0]
    monkeypatch.setattr(movie, "usable_boxes", lambda _clip: ())
    with pytest.raises(InvalidInputError, match="patient's data"):
        export_frame(tmp_path / "a.png", clip, 0)
    assert export_frame(tmp_path / "b.png", clip, 0, everything=True).is_file()
