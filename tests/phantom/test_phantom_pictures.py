"""The pictures: truth and pixels agree, veins collapse, arteries do not, the beam widens off its focus."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from skimage.draw import polygon2mask

from veinscan.errors import InvalidInputError
from veinscan.phantom import make_clip, render
from veinscan.phantom.anatomy import make_anatomy
from veinscan.phantom.echo import Camera, Machine
from veinscan.phantom.scene import View

SMALL = {"shape": (330, 408), "spacing_mm": 0.093}


def masks(frame: np.ndarray, seen: dict[str, Any], spacing_mm: float) -> tuple[np.ndarray, np.ndarray]:
    """Inside of the outline (a little shrunk), and the ring 0.6 to 1.4 mm around its centre line."""
    outline = np.asarray(seen["outline"])
    centre = np.asarray(seen["centre"])
    away = outline - centre
    radius = np.hypot(*away.T)[:, None]
    inner = polygon2mask(frame.shape, centre + away * 0.75)
    near = polygon2mask(frame.shape, centre + away * (1 + 0.25 / (radius * spacing_mm)))
    far = polygon2mask(frame.shape, centre + away * (1 + 1.4 / (radius * spacing_mm)))
    return inner, far & ~near


@pytest.mark.parametrize("seed", [1, 5, 23])
def test_lumens_are_dark_where_the_truth_says(seed: int) -> None:
    frames, truth = make_clip(seed, n_frames=1, **SMALL)
    checked = 0
    for vessel in truth["vessels"]:
        if vessel["type"] == "nerve" or "0" not in vessel["frames"]:
            continue
        inner, ring = masks(frames[0], vessel["frames"]["0"], truth["spacing_mm"])
        assert frames[0][inner].mean() < frames[0][ring].mean() - 25, vessel["name"]
        checked += 1
    assert checked >= 4


@pytest.mark.parametrize("seed", [2, 8])
def test_walls_are_drawn_where_the_truth_says(seed: int) -> None:
    """The steepest rise above and below the centre lies on the outline to a pixel or two."""
    frames, truth = make_clip(seed, n_frames=1, gain_db=0.0, **SMALL)
    for vessel in truth["vessels"]:
        if vessel["type"] != "vein" or "0" not in vessel["frames"]:
            continue
        seen = vessel["frames"]["0"]
        outline = np.asarray(seen["outline"])
        row, col = (round(v) for v in seen["centre"])
        column = frames[0][:, col - 2 : col + 3].astype(float).mean(axis=1)
        here = outline[np.abs(outline[:, 1] - col) < 0.25 / truth["spacing_mm"] + 2]
        near, far = here[:, 0].min(), here[:, 0].max()
        rise = np.diff(column)
        reach = round(0.6 / truth["spacing_mm"])
        low, high = max(round(near) - reach, 0), round(far) + reach
        above = low + int(np.argmin(rise[low:row]))
        below = row + int(np.argmax(rise[row:high]))
        assert abs(above + 0.5 - near) * truth["spacing_mm"] < 0.3, vessel["name"]
        assert abs(below + 0.5 - far) * truth["spacing_mm"] < 0.3, vessel["name"]


def test_veins_collapse_and_the_artery_does_not() -> None:
    frames, truth = make_clip(4, n_frames=12, **SMALL)
    pressed = int(np.argmax(truth["pressure"]))
    for vessel in truth["vessels"]:
        sizes = {int(i): seen["diameter_mm"] for i, seen in vessel["frames"].items()}
        if vessel["type"] == "vein":
            assert pressed in vessel["collapsed_frames"]
            assert pressed not in sizes
            # what was lumen is filled with tissue now
            open_frame = vessel["frames"]["0"]
            inner, _ = masks(frames[0], open_frame, truth["spacing_mm"])
            row, col = (round(v) for v in open_frame["centre"])
            around = frames[pressed][max(row - 20, 0) : row + 10, col - 4 : col + 5]
            assert around.mean() > frames[0][inner].mean() + 15, vessel["name"]
        elif vessel["type"] == "artery":
            assert vessel["collapsed_frames"] == []
            assert set(sizes) == set(range(12))
            assert min(sizes.values()) > 0.8 * max(sizes.values())
            assert max(sizes.values()) > 1.02 * min(sizes.values())  # it beats


def test_veins_move_between_frames() -> None:
    _, truth = make_clip(4, n_frames=6, compression=False, **SMALL)
    for vessel in truth["vessels"]:
        centres = np.asarray([seen["centre"] for seen in vessel["frames"].values()])
        moved = np.ptp(centres, axis=0).max() * truth["spacing_mm"]
        assert 0.02 < moved < 3.0, vessel["name"]


def test_longitudinal_view_shows_a_dark_band_with_its_length() -> None:
    frames, truth = make_clip(6, "longitudinal", n_frames=2, **SMALL)
    gsv = next(v for v in truth["vessels"] if v["name"] == "GSV")["frames"]["0"]
    assert gsv["length_mm"] > 25
    inner = polygon2mask(frames[0].shape, np.asarray(gsv["outline"]))
    assert frames[0][inner].mean() < frames[0][~inner].mean() - 20


def test_without_vessels_only_the_nerve_is_left() -> None:
    _, truth = make_clip(3, vessels=False, n_frames=1, **SMALL)
    assert {v["type"] for v in truth["vessels"]} <= {"nerve"}


def test_sizes_and_depths_vary_within_what_was_asked_for() -> None:
    sizes, depths, counts, sides = [], [], set(), set()
    for seed in range(40):
        anatomy = make_anatomy(seed)
        veins = [v for v in anatomy.vessels if v.kind == "vein"]
        sizes += [2 * v.half_height_mm for v in veins]
        depths += [float(v.centre(0.0)[1]) - v.half_height_mm for v in veins]
        counts.add(len(veins))
        sides.add(np.sign(float(anatomy.vessel("artery").centre(0.0)[0])))
    assert min(sizes) >= 1.0
    assert max(sizes) <= 6.0
    assert min(sizes) < 1.3
    assert max(sizes) > 5.5
    assert min(depths) < 3.0
    assert max(depths) > 15.0
    assert len(counts) >= 3
    assert sides == {-1.0, 1.0}


def test_vessels_do_not_overlap() -> None:
    for seed in range(25):
        placed = make_anatomy(seed).vessels
        for k, one in enumerate(placed):
            for other in placed[k + 1 :]:
                (x1, z1), (x2, z2) = one.centre(0.0), other.centre(0.0)
                gap = float(np.hypot(x1 - x2, z1 - z2))
                assert gap > max(one.half_height_mm, one.half_width_mm) + other.half_height_mm, (
                    seed,
                    one.name,
                )


def test_equal_seeds_are_equal_and_others_are_not() -> None:
    first, truth = make_clip(9, n_frames=2, **SMALL)
    again, same = make_clip(9, n_frames=2, **SMALL)
    np.testing.assert_array_equal(first, again)
    assert truth == same
    assert np.abs(make_clip(10, n_frames=2, **SMALL)[0].astype(int) - first).mean() > 5


def test_truth_does_not_depend_on_gain() -> None:
    dark, truth = make_clip(9, n_frames=1, gain_db=-8.0, **SMALL)
    bright, same = make_clip(9, n_frames=1, gain_db=8.0, **SMALL)
    assert truth == same
    assert bright.mean() > dark.mean() + 20


def _camera(machine: Machine) -> Camera:
    view = View(longitudinal=False, shape=(400, 256), spacing_mm=0.07, gel_mm=0.0)
    return Camera(make_anatomy(0), view, machine, name="psf")


def test_the_beam_is_narrowest_at_its_focus() -> None:
    machine = Machine(focus_mm=14.0)
    camera = _camera(machine)
    widths = {}
    for depth in (4.0, 14.0, 26.0):
        field = np.zeros((400, 256), dtype=np.complex64)
        row = round(depth / 0.07)
        field[row, 128] = 1.0
        spread = camera.detect(field)[row]
        above = np.flatnonzero(spread > spread.max() / 2)
        widths[depth] = (above[-1] - above[0] + 1) * 0.07
    wanted = 2.355 * machine.lateral_mm
    assert widths[14.0] == pytest.approx(wanted, rel=0.25)
    assert widths[4.0] > 1.15 * widths[14.0]
    assert widths[26.0] > 1.15 * widths[14.0]


def test_speckle_of_one_look_is_fully_developed() -> None:
    """The envelope of a homogeneous field is Rayleigh: mean over deviation is 1.91 (sqrt(pi / (4 - pi)))."""
    rng = np.random.default_rng(0)
    field = (rng.standard_normal((400, 256)) + 1j * rng.standard_normal((400, 256))).astype(np.complex64)
    envelope = _camera(Machine()).detect(field)[40:-40, 20:-20]
    assert envelope.mean() / envelope.std() == pytest.approx(1.91, abs=0.12)


@pytest.mark.parametrize("seed", range(4))
def test_colour_aliases_in_the_artery_and_nowhere_else(seed: int) -> None:
    frames = render(seed, "colour", n_frames=14, shape=(220, 272), spacing_mm=0.14).truth["doppler"]["frames"]
    aliased = {name for seen in frames.values() for name, entry in seen.items() if entry["aliased"]}
    assert aliased == {"artery"}


def test_colours_show_the_true_velocity() -> None:
    clip = render(2, "colour", n_frames=6, **SMALL)
    assert clip.colour is not None
    assert clip.velocity_cm_s is not None
    low, high = clip.colour.limits_cm_s
    from veinscan.phantom.colour import colour_map

    colours = colour_map(clip.colour).astype(int)
    errors = []
    for frame, true in zip(clip.frames, clip.velocity_cm_s, strict=True):
        coloured = (np.ptp(frame, axis=2) > 25) & np.isfinite(true)
        coloured &= (true > low) & (true < high) & (np.abs(true) > 2)
        apart = np.abs(frame[coloured].astype(int)[:, None] - colours[None]).sum(axis=2)
        shown = low + (np.argmin(apart, axis=1) + 0.5) / len(colours) * (high - low)
        errors.append(np.abs(shown - true[coloured]))
    step = (high - low) / len(colours)
    assert np.median(np.concatenate(errors)) < 2.0 * step


def test_closed_veins_hold_no_colour() -> None:
    clip = render(1, "colour", n_frames=6, treated=("tributary",), **SMALL)
    vessel = next(v for v in clip.truth["vessels"] if v["name"] == "tributary")
    inner = polygon2mask(clip.frames.shape[1:3], np.asarray(vessel["frames"]["5"]["outline"]))
    assert np.ptp(clip.frames[5][inner].astype(int), axis=1).max() < 10


def test_nonsense_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="no phantom clip"):
        make_clip(0, "sideways")
    with pytest.raises(InvalidInputError, match="spacing"):
        make_clip(0, spacing_mm=5.0)
    with pytest.raises(InvalidInputError, match="frames"):
        make_clip(0, n_frames=0)
