"""B-mode clips as arrays with their truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from veinscan.errors import InvalidInputError
from veinscan.phantom.anatomy import Anatomy, Array, make_anatomy, treat
from veinscan.phantom.colour import ColourSettings
from veinscan.phantom.echo import Camera, make_machine
from veinscan.phantom.flow import heartbeat
from veinscan.phantom.scene import Placed, State, View
from veinscan.phantom.seeds import FloatMap, stream
from veinscan.phantom.spectrum import StripSettings
from veinscan.phantom.truth import vessel_truth

Frames = npt.NDArray[np.uint8]


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
    frequency_mhz: float | None = None


def check_sizes(shape: tuple[int, int], spacing_mm: float, n_frames: int) -> None:
    """Refuse sizes of no use; InvalidInputError."""
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


def make_view(kind: str, anatomy: Anatomy, shape: tuple[int, int], spacing_mm: float, seed: int) -> View:
    """The probe over a leg: thin gel on top, lengthwise through the saphenous vein."""
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
    """What happens during a clip: a sweep along the leg, then press and release of the probe at one place."""
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
    fasciae: bool = True,
    treated: Sequence[str] = (),
    session: int = 0,
    name: str = "",
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
    fasciae : bool
        False: the saphenous and the muscular fascia are not seen (the septum between two muscles is).
    treated : names of veins
        Closed since: filled with echoes, incompressible, smaller.
    session : int
        Another examination of the same leg: other speckle, other hand.
    name : str
        Another clip of the same examination: other speckle, same settings.
    """
    check_sizes(shape, spacing_mm, n_frames)
    anatomy = leg(
        seed, vessels=vessels, small_veins=small_veins, width_mm=shape[1] * spacing_mm, treated=treated
    )
    anatomy = replace(anatomy, fasciae=fasciae)
    view = make_view(kind, anatomy, shape, spacing_mm, seed)
    machine = make_machine(seed, session, gain_db=gain_db)
    camera = Camera(anatomy, view, machine, name=f"{kind} {session} {name}")
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
        "vessels": vessel_truth(anatomy, states, places, view),
        "doppler": None,
    }
    return PhantomClip(
        kind=kind,
        frames=np.stack(pictures),
        frame_time_s=frame_time_s,
        truth=truth,
        view=view,
        placed=tuple(places[-1]),
        frequency_mhz=machine.frequency_mhz,
    )
