"""Phantom pictures as arrays with their truth: what tests and benchmarks call.

No files are involved: `make_clip(seed, ...)` gives frames and the exact
answer, for as many seeds as wanted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from veinscan.errors import InvalidInputError
from veinscan.phantom.anatomy import Anatomy, Array, Vessel, make_anatomy, treat
from veinscan.phantom.colour import ColourSettings, box_mask, estimate, paint, velocity_map
from veinscan.phantom.echo import Camera, make_machine
from veinscan.phantom.flow import Augmentation, heartbeat, percentile_of_profile
from veinscan.phantom.scene import SMALLEST_LUMEN_MM, Placed, State, View, flattened, semi_axes
from veinscan.phantom.seeds import FloatMap, stream
from veinscan.phantom.spectrum import StripSettings, strip

KINDS = ("transverse", "longitudinal", "colour", "spectrum")
Frames = npt.NDArray[np.uint8]
ARTERY_PROFILE, VEIN_PROFILE = 3.5, 2.5


@dataclass(frozen=True, kw_only=True)
class PhantomClip:
    """Frames of a picture (no screen around it) and everything that is true of them."""

    kind: str
    frames: Frames
    """(n, rows, cols) uint8, or (n, rows, cols, 3) RGB for colour; a strip has one frame."""
    frame_time_s: float
    truth: dict[str, Any]
    """As a clip of truth.json, in pixels of `frames`."""
    view: View | None = None
    velocity_cm_s: FloatMap | None = None
    """Colour: (n, rows, cols) true velocity along the beam, NaN outside flowing blood."""
    colour: ColourSettings | None = None
    colour_box: Array | None = None
    strip_settings: StripSettings | None = None
    placed: tuple[Placed, ...] = field(default=(), repr=False)
    """Vessels on the last frame."""


def make_clip(seed: int, kind: str = "transverse", **options: Any) -> tuple[Frames, dict[str, Any]]:
    """Frames and truth of one phantom clip.

    Parameters
    ----------
    seed : int
        Equal seed and options give equal bytes.
    kind : {'transverse', 'longitudinal', 'colour', 'spectrum'}
    **options
        Those of `render_bmode`, `render_colour` or `render_strip`: `spacing_mm`, `shape`, `n_frames`,
        `vessels=False` for a picture without any, `gain_db`, `treated=('tributary',)` ...

    Returns
    -------
    frames : (n, rows, cols) uint8, or (n, rows, cols, 3) RGB for 'colour'
    truth : dict
        One entry of `clips` in truth.json, points as `(row, col)` in pixels of `frames`.

    Raises
    ------
    InvalidInputError
        For a kind that does not exist, or sizes of no use.
    """
    clip = render(seed, kind, **options)
    return clip.frames, clip.truth


def render(seed: int, kind: str = "transverse", **options: Any) -> PhantomClip:
    """Like `make_clip`, with everything known about the clip."""
    if kind not in KINDS:
        raise InvalidInputError(
            f"there is no phantom clip of kind '{kind}'", do=f"use one of {', '.join(KINDS)}"
        )
    if kind == "colour":
        return render_colour(seed, **options)
    if kind == "spectrum":
        return render_strip(seed, **options)
    return render_bmode(seed, kind, **options)


def _check(shape: tuple[int, int], spacing_mm: float, n_frames: int) -> None:
    if not (0.03 <= spacing_mm <= 0.3):
        raise InvalidInputError(f"a spacing of {spacing_mm} mm is out of range", do="use 0.03 to 0.3 mm")
    if min(shape) < 64 or max(shape) > 4096:
        raise InvalidInputError(
            f"a picture of {shape} pixels is out of range", do="use 64 to 4096 pixels a side"
        )
    if not 1 <= n_frames <= 2000:
        raise InvalidInputError(f"{n_frames} frames are out of range", do="use 1 to 2000")


def leg(
    seed: int, *, vessels: bool, small_veins: int | None, width_mm: float, treated: Sequence[str]
) -> Anatomy:
    """The anatomy of a clip."""
    anatomy = make_anatomy(seed, vessels=vessels, small_veins=small_veins, width_mm=width_mm)
    return treat(anatomy, treated) if treated else anatomy


def _view(kind: str, anatomy: Anatomy, shape: tuple[int, int], spacing_mm: float, seed: int) -> View:
    gel_rows = int(np.ceil(stream(seed, "gel").uniform(0.3, 0.8) / spacing_mm))
    plane = 0.0
    if kind == "longitudinal":
        names = {vessel.name for vessel in anatomy.vessels}
        plane = float(anatomy.vessel("GSV" if "GSV" in names else "nerve").centre(0.0)[0])
        if "GSV" not in names:
            plane += 4.0
    return View(
        longitudinal=kind == "longitudinal",
        shape=shape,
        spacing_mm=spacing_mm,
        gel_mm=gel_rows * spacing_mm,
        plane_x_mm=plane,
    )


def script(
    seed: int, kind: str, n_frames: int, frame_time_s: float, *, compression: bool, sweep_mm: float
) -> list[State]:
    """What happens during a clip: a sweep along the leg, then a press and release of the probe at one place."""
    rng = stream(seed, "script", kind)
    rate_hz = float(rng.uniform(0.95, 1.4))
    phase = rng.uniform(0, 2 * np.pi, 6)
    still = n_frames == 1
    pressed = 0 if still or not compression or kind == "longitudinal" else max(n_frames // 2 + 1, 2)
    states = []
    for index in range(n_frames):
        t = index * frame_time_s
        swept = n_frames - pressed
        y = 0.0
        if kind != "longitudinal" and sweep_mm and swept > 1:
            y = sweep_mm * (min(index, swept - 1) / (swept - 1) - 1.0)
        pressure = 0.0
        if pressed and index >= swept:
            share = (index - swept + 1) / (pressed + 1)
            pressure = float(np.clip(1.25 * np.sin(np.pi * share) ** 1.4, 0.0, 1.0))
        wobble = (
            0.16 * np.sin(2 * np.pi * 0.31 * t + phase[0]) + 0.05 * np.sin(2 * np.pi * 1.3 * t + phase[1]),
            0.08 * np.sin(2 * np.pi * 0.27 * t + phase[2]) + 0.03 * np.sin(2 * np.pi * 1.1 * t + phase[3]),
        )
        states.append(
            State(
                index=index,
                time_s=t,
                y_mm=round(float(y), 4),
                shift_mm=(float(wobble[0]), float(wobble[1])),
                pressure=pressure,
                pulse=float(heartbeat(t + phase[4], rate_hz)),
                breath=float(np.sin(2 * np.pi * 0.25 * t + phase[5])),
            )
        )
    return states


def _minor_axis_px(outline: Array) -> float:
    """Smallest width of a polygon over all directions, in pixels."""
    angle = np.linspace(0, np.pi, 90, endpoint=False)
    along = outline @ np.stack([np.sin(angle), np.cos(angle)])
    return float(np.min(along.max(axis=0) - along.min(axis=0)))


def _centroid(outline: Array) -> Array:
    following = np.roll(outline, -1, axis=0)
    cross = outline[:, 0] * following[:, 1] - following[:, 0] * outline[:, 1]
    return np.asarray(((outline + following) * cross[:, None]).sum(axis=0) / (3 * cross.sum()))


def _lumen_entry(outline: Array, item: Placed, view: View) -> dict[str, Any] | None:
    rows, cols = view.shape
    low, high = outline.min(axis=0), outline.max(axis=0)
    if low[0] < 0 or high[0] > rows - 1 or (not view.longitudinal and (low[1] < 0 or high[1] > cols - 1)):
        return None
    entry: dict[str, Any] = {"outline": np.round(outline, 2).tolist()}
    if view.longitudinal:
        half = len(outline) // 2
        top, bottom = outline[:half], outline[half:][::-1]
        thickness = (bottom[:, 0] - top[:, 0]) * view.spacing_mm
        # across the axis, not along the beam
        slope = np.gradient((top[:, 0] + bottom[:, 0]) / 2, top[:, 1])
        widest = int(np.argmax(thickness))
        middle = half // 2 if thickness[half // 2] > 0.9 * thickness[widest] else widest
        centre = (top[middle] + bottom[middle]) / 2
        entry |= {
            "centre": np.round(centre, 2).tolist(),
            "diameter_mm": round(float(thickness[middle] * np.cos(np.arctan(slope[middle]))), 3),
            "depth_mm": round(float((top[middle, 0] - view.skin_row) * view.spacing_mm), 3),
            "length_mm": round(float((high[1] - low[1]) * view.spacing_mm), 2),
        }
    else:
        entry |= {
            "centre": np.round(_centroid(outline), 2).tolist(),
            "diameter_mm": round(_minor_axis_px(outline) * view.spacing_mm, 3),
            "depth_mm": round(float((low[0] - view.skin_row) * view.spacing_mm), 3),
        }
    return entry


def _vessel_truth(
    anatomy: Anatomy, states: list[State], frames: list[list[Placed]], view: View
) -> list[dict[str, Any]]:
    found = []
    for number, vessel in enumerate(anatomy.vessels):
        parts: dict[int, dict[str, Any]] = {}
        collapsed = []
        for state, placed in zip(states, frames, strict=True):
            item = placed[number]
            if 2 * item.half_height_mm < SMALLEST_LUMEN_MM:
                collapsed.append(state.index)
                continue
            for part, outline in enumerate(item.outlines(view)):
                entry = _lumen_entry(outline, item, view)
                if entry is not None:
                    parts.setdefault(part, {})[str(state.index)] = entry
        for part, seen in parts.items():
            found.append(
                {
                    "name": vessel.name if part == 0 else f"{vessel.name} ({part + 1})",
                    "type": vessel.kind,
                    "occluded": vessel.occluded,
                    "compressible": vessel.compressible,
                    "collapsed_frames": collapsed,
                    "frames": seen,
                }
            )
    return found


def render_bmode(
    seed: int,
    kind: str = "transverse",
    *,
    spacing_mm: float = 0.07,
    shape: tuple[int, int] = (440, 545),
    n_frames: int = 8,
    frame_time_s: float = 0.0667,
    vessels: bool = True,
    small_veins: int | None = None,
    compression: bool = True,
    sweep_mm: float = 5.0,
    gain_db: float | None = None,
    treated: Sequence[str] = (),
    session: int = 0,
) -> PhantomClip:
    """B-mode frames of one view with their truth.

    Parameters
    ----------
    spacing_mm : float
        Size of the square pixels.
    shape : (rows, cols)
    n_frames : int
        With `compression` the first half sweeps along the leg by `sweep_mm`, the second presses and releases.
    vessels : bool
        False: no vein and no artery (the nerve stays).
    small_veins : int, optional
        Number of veins above the saphenous fascia.
    gain_db : float, optional
        Overall gain; by default it varies with the seed.
    treated : names of veins
        Closed since: filled with echoes, incompressible, smaller.
    session : int
        Another examination of the same leg: other speckle, other hand.
    """
    _check(shape, spacing_mm, n_frames)
    anatomy = leg(
        seed, vessels=vessels, small_veins=small_veins, width_mm=shape[1] * spacing_mm, treated=treated
    )
    view = _view(kind, anatomy, shape, spacing_mm, seed)
    machine = make_machine(seed * 7 + session, gain_db=gain_db)
    camera = Camera(anatomy, view, machine, name=f"{kind} {session}")
    states = script(
        seed + 1000003 * session, kind, n_frames, frame_time_s, compression=compression, sweep_mm=sweep_mm
    )
    pictures, places = [], []
    for state in states:
        picture, placed = camera.frame(state)
        pictures.append(picture)
        places.append(placed)
    truth = {
        "kind": kind,
        "spacing_mm": spacing_mm,
        "skin_row": view.skin_row,
        "side": anatomy.side,
        "pressure": [round(state.pressure, 3) for state in states],
        "vessels": _vessel_truth(anatomy, states, places, view),
        "doppler": None,
    }
    return PhantomClip(
        kind=kind,
        frames=np.stack(pictures),
        frame_time_s=frame_time_s,
        truth=truth,
        view=view,
        placed=tuple(places[-1]),
    )


def _colour_means(
    anatomy: Anatomy,
    time_s: float,
    rate_hz: float,
    flow: Mapping[str, Augmentation],
    nyquist: float,
    toward: float,
    cosine: float,
) -> dict[str, float]:
    """Mean velocity along the beam, by vessel, at one moment of a colour clip."""
    means = {}
    for vessel in anatomy.vessels:
        if vessel.kind == "artery":
            n = ARTERY_PROFILE
            # systole goes beyond the limit, diastole does not: aliasing in this one place
            top = nyquist * (0.35 + 1.15 * float(heartbeat(time_s, rate_hz)))
            means[vessel.name] = -toward * top * n / (n + 2)
        elif vessel.kind == "vein" and not vessel.occluded:
            mean = float(flow[vessel.name].mean_cm_s(np.asarray([time_s]))[0])
            means[vessel.name] = toward * mean * cosine
    return means


def venous_flow(seed: int, vessel: Vessel, *, competent: bool = False) -> Augmentation:
    """Squeeze and release as this vein answers it; deep veins are competent."""
    rng = stream(seed, "flow", vessel.name)
    spike = float(rng.uniform(17.0, 27.0)) * (1.0 if vessel.half_height_mm > 1.2 else 0.7)
    reflux = float(rng.uniform(8.0, 14.0)) * (1.0 if vessel.half_height_mm > 1.2 else 0.7)
    if competent or vessel.name == "deep vein":
        reflux = 0.0
    return Augmentation(
        rest_cm_s=vessel.flow_cm_s * 0.7,
        squeeze_s=0.30,
        release_s=0.80,
        spike_cm_s=spike,
        reflux_cm_s=reflux,
        reflux_s=float(rng.uniform(0.7, 1.6)),
        profile=VEIN_PROFILE,
    )


def render_colour(
    seed: int,
    *,
    spacing_mm: float = 0.07,
    shape: tuple[int, int] = (440, 545),
    n_frames: int = 12,
    frame_time_s: float = 0.11,
    vessels: bool = True,
    small_veins: int | None = None,
    gain_db: float | None = None,
    treated: Sequence[str] = (),
    session: int = 0,
    inverted: bool = False,
    baseline: float = 0.5,
    nyquist_cm_s: float | None = None,
    beam_angle_deg: float = 66.0,
) -> PhantomClip:
    """A transverse colour Doppler clip: squeeze and release, refluxing veins, an artery that aliases in systole.

    `beam_angle_deg` is the angle of beam and vessels: velocities on the bar are along the beam and not
    corrected for it.  See `render_bmode` for the rest.
    """
    _check(shape, spacing_mm, n_frames)
    anatomy = leg(
        seed, vessels=vessels, small_veins=small_veins, width_mm=shape[1] * spacing_mm, treated=treated
    )
    view = _view("transverse", anatomy, shape, spacing_mm, seed)
    # the scale is turned up and the gain down for colour
    machine = replace(make_machine(seed * 7 + session, gain_db=gain_db), looks=2)
    camera = Camera(anatomy, view, machine, name=f"colour {session}")
    rng = stream(seed, "colour", session)
    states = script(
        seed + 1000003 * session, "colour", n_frames, frame_time_s, compression=False, sweep_mm=0.0
    )
    toward = 1.0 if rng.random() < 0.5 else -1.0
    cosine = float(np.cos(np.radians(beam_angle_deg)))
    rate_hz = float(rng.uniform(1.0, 1.3))
    flow = {v.name: venous_flow(seed, v) for v in anatomy.vessels if v.kind == "vein"}
    fastest = (
        max([f.spike_cm_s for f in flow.values()], default=20.0) * cosine * (VEIN_PROFILE + 2) / VEIN_PROFILE
    )
    nyquist = nyquist_cm_s if nyquist_cm_s is not None else round(fastest * 1.1, 1)
    settings = ColourSettings(nyquist_cm_s=nyquist, inverted=inverted, baseline=baseline)
    corners = _colour_box(anatomy, view)
    mask = box_mask(corners, shape)
    profiles = {v.name: (ARTERY_PROFILE if v.kind == "artery" else VEIN_PROFILE) for v in anatomy.vessels}
    pictures, places, fields = [], [], []
    by_frame: dict[str, Any] = {}
    for state in states:
        state_now = replace(state, pulse=float(heartbeat(state.time_s, rate_hz)))
        grey, placed = camera.frame(state_now)
        means = _colour_means(anatomy, state.time_s, rate_hz, flow, nyquist, toward, cosine)
        for vessel in anatomy.vessels:
            if (
                2 * semi_axes(vessel, state_now)[1] < SMALLEST_LUMEN_MM
                or flattened(vessel, state_now.pressure) > 0.9
            ):
                means.pop(vessel.name, None)
        field_cm_s = velocity_map(placed, means, view, profiles)
        shown = estimate(field_cm_s, settings, spacing_mm, stream(seed, "colour noise", session, state.index))
        pictures.append(paint(grey, shown, mask, settings))
        places.append(placed)
        fields.append(np.where(mask, field_cm_s, np.float32(np.nan)))
        by_frame[str(state.index)] = {
            name: _colour_entry(mean, profiles[name], settings) for name, mean in means.items()
        }
    low, high = settings.limits_cm_s
    truth = {
        "kind": "colour",
        "spacing_mm": spacing_mm,
        "skin_row": view.skin_row,
        "side": anatomy.side,
        "pressure": [0.0] * n_frames,
        "vessels": _vessel_truth(anatomy, states, places, view),
        "doppler": {
            "mode": "colour",
            "nyquist_cm_s": nyquist,
            "bar_low_cm_s": round(low, 4),
            "bar_high_cm_s": round(high, 4),
            "inverted": inverted,
            "wall_filter_cm_s": settings.wall_filter_cm_s,
            "beam_angle_deg": beam_angle_deg,
            "angle_corrected": False,
            "antegrade": "towards" if toward > 0 else "away",
            "colour_box": np.round(corners, 2).tolist(),
            "frames": by_frame,
        },
    }
    return PhantomClip(
        kind="colour",
        frames=np.stack(pictures),
        frame_time_s=frame_time_s,
        truth=truth,
        view=view,
        velocity_cm_s=np.stack(fields),
        colour=settings,
        colour_box=corners,
        placed=tuple(places[-1]),
    )


def _colour_entry(mean: float, profile: float, settings: ColourSettings) -> dict[str, Any]:
    peak = mean * percentile_of_profile(profile, 100.0)
    low, high = settings.limits_cm_s
    return {
        "mean_cm_s": round(mean, 3),
        "peak_cm_s": round(peak, 3),
        "profile_exponent": profile,
        "aliased": bool(peak > high or peak < low),
    }


def _colour_box(anatomy: Anatomy, view: View) -> Array:
    """Corners (4, 2) `(row, col)` of a box around the saphenous vein, the artery and what is near."""
    names = [v for v in anatomy.vessels if v.kind != "nerve"] or list(anatomy.vessels)
    xs = [float(v.centre(0.0)[0]) for v in names]
    zs = [float(v.centre(0.0)[1]) for v in names]
    half_cols = view.shape[1] * view.spacing_mm / 2
    wide = max(float(v.half_width_mm) for v in names) + 2.0
    left, right = max(min(xs) - wide, -half_cols + 1.2), min(max(xs) + wide, half_cols - 1.2)
    top = max(min(zs) - wide, 0.8)
    bottom = min(max(zs) + wide, float(view.depths_mm[-1]) - 1.0)
    corners = view.to_pixels(np.asarray([left, right, right, left]), np.asarray([top, top, bottom, bottom]))
    return np.round(corners)


def render_strip(
    seed: int,
    *,
    flow: Augmentation | None = None,
    settings: StripSettings | None = None,
    antegrade_up: bool | None = None,
    session: int = 0,
) -> PhantomClip:
    """A spectral strip of a squeeze and release, with its truth; frames are (1, rows, columns).

    Without `flow`, timing and velocities vary with the seed; `Augmentation(spike_cm_s=0, reflux_cm_s=0)`
    is a squeeze that moved nothing, `Augmentation(reflux_cm_s=0)` a competent valve.
    """
    rng = stream(seed, "strip", session)
    if flow is None:
        squeeze = float(rng.uniform(0.45, 0.8))
        flow = Augmentation(
            rest_cm_s=float(rng.uniform(1.5, 4.0)),
            squeeze_s=squeeze,
            release_s=squeeze + float(rng.uniform(0.45, 0.75)),
            spike_cm_s=float(rng.uniform(16.0, 28.0)),
            reflux_cm_s=float(rng.uniform(8.0, 17.0)),
            reflux_s=float(rng.uniform(0.6, 1.9)),
            decay_s=float(rng.uniform(1.2, 3.5)),
            profile=float(rng.uniform(2.0, 4.0)),
        )
    up = bool(rng.random() < 0.3) if antegrade_up is None else antegrade_up
    if settings is None:
        settings = strip_settings_for(flow, up, rng)
    picture = strip(flow, settings, seed + 1000003 * session, antegrade_up=up)
    truth = {
        "kind": "spectrum",
        "spacing_mm": None,
        "skin_row": None,
        "vessels": [],
        "doppler": {
            "mode": "pw",
            "antegrade": "up" if up else "down",
            "baseline_row": settings.baseline_row,
            "time_step_s": settings.step_s,
            "velocity_step_cm_s": settings.step_cm_s,
            "angle_deg": settings.angle_deg,
            "angle_corrected": True,
            "profile_exponent": round(flow.profile, 4),
            **flow.truth((settings.columns - 1) * settings.step_s),
        },
    }
    return PhantomClip(
        kind="spectrum", frames=picture[None], frame_time_s=0.0, truth=truth, strip_settings=settings
    )


def strip_settings_for(
    flow: Augmentation, antegrade_up: bool, rng: np.random.Generator, *, rows: int = 200, columns: int = 560
) -> StripSettings:
    """A scale that holds the velocities with room to spare, with the baseline on a whole row."""
    fast = flow.spike_cm_s * percentile_of_profile(flow.profile, 100.0) * 1.25
    back = max(flow.reflux_cm_s * percentile_of_profile(flow.profile, 100.0) * 1.45, 0.35 * fast)
    high, low = (fast, back) if antegrade_up else (back, fast)
    span = float(np.ceil((high + low) / 10.0) * 10.0)
    step = span / rows
    base = round(rows * high / (high + low))
    return StripSettings(
        rows=rows,
        columns=columns,
        length_s=4.0,
        low_cm_s=-(rows - base) * step,
        high_cm_s=base * step,
        noise_db=float(rng.uniform(-34.0, -26.0)),
        mirror_db=float(rng.uniform(-27.0, -20.0)),
        dynamic_range_db=float(rng.uniform(34.0, 42.0)),
        gain_db=float(rng.uniform(-3.0, 4.0)),
    )
