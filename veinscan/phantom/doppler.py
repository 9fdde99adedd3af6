"""Colour Doppler clips and spectral strips as arrays with their truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from veinscan.phantom.anatomy import Anatomy, Array, Vessel
from veinscan.phantom.bmode import PhantomClip, check_sizes, leg, make_view, script
from veinscan.phantom.colour import ColourSettings, box_mask, estimate, paint, velocity_map
from veinscan.phantom.echo import Camera, make_machine
from veinscan.phantom.flow import Augmentation, heartbeat, percentile_of_profile
from veinscan.phantom.scene import SMALLEST_LUMEN_MM, Placed, View, flattened, semi_axes
from veinscan.phantom.seeds import FloatMap, stream
from veinscan.phantom.spectrum import StripSettings, strip
from veinscan.phantom.truth import vessel_truth

ARTERY_PROFILE, VEIN_PROFILE = 3.5, 2.5


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
            top = nyquist * (0.35 + 1.35 * float(heartbeat(time_s, rate_hz)))
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
    """Transverse colour Doppler: squeeze and release, refluxing veins, an artery that aliases in systole.

    `beam_angle_deg` is the angle of beam and vessels: velocities on the bar are along the beam and not
    corrected for it.  See `render_bmode` for the rest.
    """
    check_sizes(shape, spacing_mm, n_frames)
    anatomy = leg(
        seed, vessels=vessels, small_veins=small_veins, width_mm=shape[1] * spacing_mm, treated=treated
    )
    view = make_view("transverse", anatomy, shape, spacing_mm, seed)
    # the scale is turned up and the gain down for colour
    machine = replace(make_machine(seed, session, gain_db=gain_db), looks=2)
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
        outlines = _aliased_outlines(placed, field_cm_s, mask, view, settings)
        by_frame[str(state.index)] = {
            name: _colour_entry(mean, profiles[name], settings) | {"aliased_outlines": outlines.get(name, [])}
            for name, mean in means.items()
        }
    low, high = settings.limits_cm_s
    truth = {
        "kind": "colour",
        "spacing_mm": spacing_mm,
        "skin_row": view.skin_row,
        "side": anatomy.side,
        "pressure": [0.0] * n_frames,
        "vessels": vessel_truth(anatomy, states, places, view),
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
        frequency_mhz=machine.frequency_mhz,
    )


def _aliased_outlines(
    placed: list[Placed],
    field_cm_s: FloatMap,
    mask: npt.NDArray[np.bool_],
    view: View,
    settings: ColourSettings,
) -> dict[str, list[Any]]:
    """By vessel the polygons `(row, col)` around the pixels whose velocity is off the bar."""
    low, high = settings.limits_cm_s
    with np.errstate(invalid="ignore"):
        beyond = ((field_cm_s >= high) | (field_cm_s < low)) & mask
    found: dict[str, list[Any]] = {}
    if not beyond.any():
        return found
    for item in placed:
        here = rows, cols = item.window(view, 0.2)
        if not beyond[here].any():
            continue
        distance, _ = item.level(view, view.across_mm[cols], view.depths_mm[rows])
        part = (beyond[here] & (distance < 0)).astype(np.uint8)
        contours, _ = cv2.findContours(part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        corner = np.asarray([rows.start, cols.start])
        shapes = [(contour[:, 0, ::-1] + corner).tolist() for contour in contours if len(contour) >= 4]
        if shapes:
            found[item.vessel.name] = shapes
    return found


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
    truth: dict[str, Any] = {
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
