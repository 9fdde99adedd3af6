"""What napari is given: true shape and colours, millimetres, the true frame rate, marks."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from veinscan.dicom import open_study

pytestmark = pytest.mark.gui


def test_npe2_takes_the_manifest():
    from npe2 import PluginManifest

    manifest = PluginManifest.from_distribution("veinscan")
    manifest.validate_imports()
    assert {command.title for command in manifest.contributions.commands} >= {"Open study"}


def test_the_reader_keeps_shape_colours_and_millimetres(sample_study_dir: Path):
    from napari_veinscan.reader import get_reader

    for clip in open_study(sample_study_dir).clips:
        path = str(sample_study_dir / clip.file)
        ((data, options, kind),) = get_reader(path)(path)
        assert kind == "image"
        assert tuple(data.shape) == tuple(clip.shape)
        assert options["rgb"] is (len(clip.shape) == 4)
        if not options["rgb"]:
            assert options["contrast_limits"] == (0, 255)
        assert options["scale"] == (1.0, *clip.spacing_mm)
        assert options["units"] == ("pixel", "mm", "mm")
        last = clip.n_frames - 1
        np.testing.assert_array_equal(np.asarray(data[last]), clip.frame(last))


def test_the_reader_is_for_dcm_only_and_says_why_it_cannot(tmp_path: Path):
    from napari_veinscan.reader import get_reader
    from veinscan.errors import VeinscanError

    assert get_reader("picture.tif") is None
    assert get_reader([]) is None
    bad = tmp_path / "notes.dcm"
    bad.write_text("no DICOM here")
    with pytest.raises(VeinscanError, match=r"notes\.dcm"):
        get_reader(str(bad))(str(bad))


def test_napari_opens_a_file_with_our_reader(open_window, sample_study_dir: Path):
    person = open_window()
    path = sample_study_dir / open_study(sample_study_dir).clips[2].file
    (layer,) = person.viewer.open(path, plugin="veinscan")
    assert layer.rgb
    assert layer.data.shape[-1] == 3
    assert [str(unit) for unit in layer.units] == ["pixel", "millimeter", "millimeter"]


def test_scale_bar_in_mm_and_the_slider_at_the_frame_rate(open_window, sample_study_dir: Path):
    from napari_veinscan import compat

    person = open_window(sample_study_dir)
    for row, clip in enumerate(person.session.study.clips):
        person.choose_clip(row)
        viewer = person.viewer
        assert [str(unit) for unit in viewer.layers.units] == ["pixel", "millimeter", "millimeter"]
        assert viewer.dims.axis_labels == ("frame", "depth", "width")
        assert viewer.dims.nsteps == (clip.n_frames, clip.rows, clip.columns)
        assert viewer.dims.current_step[0] == 0
        image = next(layer for layer in viewer.layers if layer.name == clip.file)
        assert tuple(image.scale) == pytest.approx((1.0, *clip.spacing_mm))
        assert viewer.canvas.overlays.scale_bar.visible
        assert not viewer.canvas.overlays.text.visible
        if clip.n_frames > 1:
            assert compat.frame_rate(viewer) == pytest.approx(clip.frame_rate_hz, abs=0.006)


def test_an_uncalibrated_clip_is_in_pixels_and_says_so(open_window, sample_study_dir: Path):
    from pydicom import dcmread

    for path in sample_study_dir.glob("*.dcm"):
        dataset = dcmread(path)
        if "SequenceOfUltrasoundRegions" in dataset:
            del dataset.SequenceOfUltrasoundRegions
            dataset.save_as(path)
    person = open_window(sample_study_dir)
    assert person.session.clip.spacing_mm is None
    assert [str(unit) for unit in person.viewer.layers.units] == ["pixel"] * 3
    overlay = person.viewer.canvas.overlays.text
    assert overlay.visible
    assert "Not calibrated" in overlay.text
    assert "not calibrated" in person.study_dock.clips.item(0).text()
    person.click(person.candidates_dock.find_here)
    person.wait_for_work()
    assert person.candidates_dock.note.text(), "why there are no candidates"
    from napari_veinscan.calipers import Tool

    person.bench.take_caliper(Tool.DIAMETER)
    person.click_picture((250, 350))
    person.click_picture((280, 380))
    assert not person.bench.calipers.reading


def test_a_folder_of_files_without_extension(open_window, extensionless_study: Path, qtbot):
    person = open_window(extensionless_study)
    clips = person.session.study.clips
    assert person.study_dock.clips.count() == len(clips) == 4
    text = person.study_dock.clips.item(0).text()
    assert "B-mode" in text
    assert f"{clips[0].n_frames} frames" in text

    def has_thumbnails() -> bool:
        icons = (person.study_dock.clips.item(row).icon() for row in range(len(clips)))
        return all(_spread(icon) > 0 for icon in icons)

    qtbot.waitUntil(has_thumbnails, timeout=20_000)


def _spread(icon) -> int:
    image = icon.pixmap(96, 72).toImage()
    greys = [image.pixelColor(x, y).value() for x in range(0, 96, 4) for y in range(0, 72, 4)]
    return max(greys) - min(greys)


def near(picture: np.ndarray, place, colour: str, reach: int, tolerance: int = 60) -> int:
    """How many pixels round a place have nearly a colour."""
    row, col = place.y(), place.x()
    part = picture[max(0, row - reach) : row + reach, max(0, col - reach) : col + reach].astype(int)
    wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    return int(np.count_nonzero(np.abs(part - wanted).max(axis=-1) < tolerance))


def test_the_canvas_shows_the_picture_and_the_marks(searched, tmp_path: Path):
    from napari_veinscan.palette import STYLES, Look

    searched.press("N")
    searched.press("A")
    accepted = searched.session.selected.candidate
    searched.press("N")
    other = searched.session.selected.candidate
    frame = min(set(accepted.frame_indices) & set(other.frame_indices))
    searched.session.select_candidate(None)
    searched.session.go_to_frame(frame)
    picture = searched.canvas_picture()
    height, width = picture.shape[:2]
    assert (width, height) == (searched.canvas.width(), searched.canvas.height())

    # the picture itself: where the probe looked it is as bright as the frame, on average
    clip = searched.session.clip
    row0, col0, row1, col1 = clip.picture_region.box
    a, b = searched.place_of((row0, col0)), searched.place_of((row1, col1))
    shown = picture[max(0, a.y()) : b.y(), max(0, a.x()) : b.x()].mean(axis=-1)
    assert shown.std() > 20
    assert shown.mean() == pytest.approx(clip.grey(frame)[row0:row1, col0:col1].mean(), abs=15)

    for candidate, look, otherwise in (
        (accepted, Look.VEIN, Look.UNREVIEWED),
        (other, Look.UNREVIEWED, Look.VEIN),
    ):
        outline = candidate.outline(frame)
        corners = [searched.place_of(tuple(corner)) for corner in outline[:: max(1, len(outline) // 12)]]
        seen = sum(near(picture, corner, STYLES[look].colour, 5) > 0 for corner in corners)
        wrong = sum(near(picture, corner, STYLES[otherwise].colour, 3, 40) > 2 for corner in corners)
        assert seen >= 0.5 * len(corners), f"the outline of a candidate that is {look} is not in its colour"
        assert wrong <= 0.25 * len(corners)

    searched.session.select_candidate(accepted.id, show=False)
    searched.press("T")
    searched.session.select_candidate(None)
    with_target = searched.canvas_picture()
    place = searched.place_of(searched.session.target.point)
    colour = STYLES[Look.TARGET].colour
    assert near(with_target, place, colour, 16) > near(picture, place, colour, 16) + 5


def test_every_look_differs_in_more_than_colour():
    from napari_veinscan.palette import STYLES, Look

    looks = (Look.UNREVIEWED, Look.VEIN, Look.REJECTED, Look.TARGET)
    for what in ("colour", "symbol", "sign"):
        assert len({getattr(STYLES[look], what) for look in looks}) == len(looks), what


def test_marks_lie_where_the_candidates_are(searched):
    layers = {layer.name: layer for layer in searched.viewer.layers}
    starts = layers["outlines"].data[:, 0]
    for row in searched.session.rows():
        for frame, outline in row.candidate.outlines.items():
            on_frame = starts[starts[:, 0] == frame][:, 1:]
            assert np.abs(on_frame - outline.mean(axis=0)).sum(axis=1).min() < np.ptp(outline) + 1
    labels = set(layers["candidates"].features["label"])
    assert labels == {str(row.candidate.rank) for row in searched.session.rows()}


def test_real_files_keep_their_colours(open_window, shared_data: Path):
    folder = shared_data / "real-us"
    if not folder.is_dir():
        pytest.skip("no real files here")
    person = open_window()
    for name in ("philips-cx50-palette-rle.dcm", "esaote-musculoskeletal-ybr422-native.dcm"):
        study = open_study(folder / name)
        (clip,) = study.clips
        (layer,) = person.viewer.open(os.fspath(folder / name), plugin="veinscan")
        assert layer.rgb == (len(clip.shape) == 4)
        np.testing.assert_array_equal(np.asarray(layer.data[0]), clip.frame(0))
        person.viewer.layers.clear()


def test_reviews_of_another_clip_are_not_shown_here(searched):
    searched.press("N")
    searched.press("A")
    record = searched.session.record
    moved = tuple(replace(r, sop_instance_uid="1.2.3") for r in record.reviews)
    searched.session.record = replace(record, reviews=moved)
    assert all(row.review is None for row in searched.session.rows())
    searched.session.record = record
