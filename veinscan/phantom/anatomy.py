"""What lies in the leg: layers, vessels, nerve and bone, in millimetres.

World coordinates: x across the leg (transverse view, right of the picture is
positive), y along it, z down from the skin.  All of it is smooth and known in
closed form, so the truth of every picture is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from veinscan.phantom.seeds import stream

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Wave:
    """A smooth height over (x, y): a plane with a few slow ripples."""

    base: float
    slope_x: float = 0.0
    slope_y: float = 0.0
    ripples: tuple[tuple[float, float, float, float], ...] = ()
    """(amplitude mm, cycles/mm along x, cycles/mm along y, phase)."""

    def __call__(self, x: Array | float, y: Array | float) -> Array:
        """Height in mm at x, y in mm (broadcast)."""
        x_mm, y_mm = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
        height = self.base + self.slope_x * x_mm + self.slope_y * y_mm
        for amplitude, per_x, per_y, phase in self.ripples:
            height = height + amplitude * np.sin(2 * np.pi * (per_x * x_mm + per_y * y_mm) + phase)
        return np.asarray(height, dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vessel:
    """A tube along y: a vein, an artery, or a nerve."""

    name: str
    kind: str
    """'vein', 'artery' or 'nerve'."""
    x_mm: Wave
    z_mm: Wave
    half_width_mm: float
    half_height_mm: float
    harmonics: tuple[tuple[int, float, float], ...] = ()
    """Departure of the cross-section from an ellipse: (order, share, phase)."""
    tilt_rad: float = 0.0
    """Turn of the cross-section: positive lowers its right end."""
    wall_db: float = 0.0
    softness: tuple[float, float] = (0.1, 0.6)
    """Probe pressure (0..1) at which a vein begins to give way, and at which it is flat."""
    occluded: bool = False
    flow_cm_s: float = 0.0
    """Mean velocity at rest along the vessel; positive is towards the heart."""

    @property
    def compressible(self) -> bool:
        """Whether light pressure flattens it."""
        return self.kind == "vein" and not self.occluded

    def centre(self, y: Array | float) -> tuple[Array, Array]:
        """(x, z) of the axis in mm at y."""
        return self.x_mm(0.0, y), self.z_mm(0.0, y)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bone:
    """A cylinder along y whose near surface throws a full shadow."""

    x_mm: float
    top_mm: float
    radius_mm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Anatomy:
    """One place of one leg."""

    seed: int
    side: str
    dermis_mm: Wave
    """Depth of the border of dermis and fat."""
    muscular_fascia_mm: Wave
    eye_x_mm: Wave
    """Where the two fasciae part around the saphenous vein."""
    eye_height_mm: float
    eye_width_mm: float
    septum_mm: Wave
    """Fascia between two muscles."""
    bone: Bone | None
    vessels: tuple[Vessel, ...]
    fasciae: bool = True
    """Whether the saphenous and the muscular fascia are seen as lines."""

    def saphenous_fascia(self, x: Array | float, y: Array | float) -> Array:
        """Depth of the saphenous (superficial) fascia in mm: it leaves the muscular one as an eye."""
        away = (np.asarray(x, dtype=np.float64) - self.eye_x_mm(0.0, y)) / self.eye_width_mm
        gap = 0.55 + self.eye_height_mm * np.exp(-(np.abs(away) ** 2.2))
        # the fascia thins out far from the eye but never crosses the muscular one
        return np.asarray(self.muscular_fascia_mm(x, y) - gap, dtype=np.float64)

    def compartment(self, vessel: Vessel, y: float) -> str:
        """Where the axis of a vessel lies at y: 'epifascial', 'saphenous' or 'subfascial'."""
        x, z = vessel.centre(y)
        if z < self.saphenous_fascia(x, y):
            return "epifascial"
        return "saphenous" if z < self.muscular_fascia_mm(x, y) else "subfascial"

    def vessel(self, name: str) -> Vessel:
        """The vessel of that name; KeyError when there is none."""
        for vessel in self.vessels:
            if vessel.name == name:
                return vessel
        raise KeyError(name)


def _ripples(
    rng: np.random.Generator, amplitude: float, period_mm: float, count: int = 3
) -> tuple[tuple[float, float, float, float], ...]:
    waves = []
    for _ in range(count):
        angle = rng.uniform(0, 2 * np.pi)
        per_mm = rng.uniform(0.6, 1.4) / period_mm
        share = amplitude * rng.uniform(0.4, 1.0) / np.sqrt(count)
        waves.append(
            (
                float(share),
                float(per_mm * np.cos(angle)),
                float(per_mm * np.sin(angle)),
                float(rng.uniform(0, 2 * np.pi)),
            )
        )
    return tuple(waves)


def _course(rng: np.random.Generator, base: float, drift: float, wander: float, period_mm: float) -> Wave:
    """Position of an axis along y: `base` at y = 0."""
    phase = float(rng.uniform(0, 2 * np.pi))
    per_mm = float(rng.uniform(0.7, 1.3) / period_mm)
    start = base - wander * np.sin(phase)
    return Wave(float(start), 0.0, float(rng.normal(0.0, drift)), ((wander, 0.0, per_mm, phase),))


def _shape(rng: np.random.Generator, size: float) -> tuple[tuple[int, float, float], ...]:
    return tuple(
        (n, float(size * rng.uniform(0.2, 1.0) / n), float(rng.uniform(0, 2 * np.pi))) for n in (2, 3, 4)
    )


def _vein(
    rng: np.random.Generator,
    name: str,
    at: tuple[float, float],
    diameter_mm: float,
    *,
    flattening: float,
    softness: tuple[float, float],
    wander: float,
    wall_db: float,
) -> Vessel:
    half_height = diameter_mm / 2
    return Vessel(
        name=name,
        kind="vein",
        x_mm=_course(rng, at[0], 0.03, wander, 24.0),
        z_mm=_course(rng, at[1], 0.012, 0.35 * wander, 30.0),
        half_width_mm=half_height * flattening,
        half_height_mm=half_height,
        harmonics=_shape(rng, 0.13),
        tilt_rad=float(np.clip(rng.normal(0.0, 0.22), -0.5, 0.5)),
        wall_db=wall_db,
        softness=softness,
        flow_cm_s=float(rng.uniform(2.0, 6.0)),
    )


class _Room:
    """Keeps new vessels clear of those already placed."""

    def __init__(self) -> None:
        self.taken: list[tuple[float, float, float]] = []

    def free(self, x: float, z: float, radius: float) -> bool:
        return all(np.hypot(x - px, z - pz) > radius + pr + 1.3 for px, pz, pr in self.taken)

    def take(self, x: float, z: float, radius: float) -> None:
        self.taken.append((x, z, radius))


def make_anatomy(
    seed: int,
    *,
    vessels: bool = True,
    small_veins: int | None = None,
    width_mm: float = 38.0,
    bone: bool = True,
) -> Anatomy:
    """A leg at one level, made up from a seed.

    Parameters
    ----------
    seed : int
        Equal seeds give equal legs.
    vessels : bool
        False leaves out veins and artery (the nerve stays): for counting false positives.
    small_veins : int, optional
        Veins of 1 to 3.5 mm above the fascia; 2 to 4 by default.
    width_mm : float
        Width of the picture they have to lie in.
    bone : bool
        Whether a bone and its shadow show at one side.
    """
    rng = stream(seed, "anatomy")
    room = _Room()
    half = width_mm / 2
    gsv_mm = float(rng.uniform(3.2, 5.8))
    fascia_mm = float(rng.uniform(10.5, 14.0))
    eye_x = float(rng.uniform(-0.25, 0.25) * half)
    # veins lie in a pressed ellipse: transverse lumens of leg veins are seldom round
    flat = float(rng.uniform(1.05, 1.3))
    muscular = Wave(
        fascia_mm, float(rng.normal(0, 0.025)), float(rng.normal(0, 0.01)), _ripples(rng, 0.7, 34.0)
    )
    eye_height = gsv_mm + float(rng.uniform(1.2, 2.4))
    eye_width = float(rng.uniform(6.0, 8.5)) * (0.6 + gsv_mm / 10)
    found: list[Vessel] = []

    gsv_z = float(muscular(eye_x, 0.0)) - 0.55 - eye_height * float(rng.uniform(0.46, 0.54))
    if vessels:
        gsv = _vein(
            rng,
            "GSV",
            (eye_x, gsv_z),
            gsv_mm,
            flattening=flat,
            softness=(0.12, 0.62),
            wander=0.5,
            wall_db=2.0,
        )
        found.append(gsv)
    room.take(eye_x, gsv_z, gsv_mm * 0.62)

    # deep pair: artery, and a vein beside it, under the muscular fascia
    artery_mm = float(rng.uniform(2.6, 5.0))
    deep_side = -1.0 if rng.random() < 0.5 else 1.0
    artery_x = float(np.clip(eye_x + deep_side * rng.uniform(1.0, 8.0), -half + 6, half - 6))
    artery_z = fascia_mm + float(rng.uniform(5.0, 7.5)) + artery_mm / 2
    vein_mm = float(rng.uniform(3.6, 5.8))
    vein_x = artery_x + (1.0 if rng.random() < 0.5 else -1.0) * (artery_mm / 2 + vein_mm / 2 + 1.5)
    vein_z = artery_z + float(rng.uniform(-0.3, 1.2))
    room.take(artery_x, artery_z, artery_mm / 2 + 0.5)
    room.take(vein_x, vein_z, vein_mm * 0.6)
    if vessels:
        found.append(
            Vessel(
                name="artery",
                kind="artery",
                x_mm=_course(rng, artery_x, 0.02, 0.3, 40.0),
                z_mm=_course(rng, artery_z, 0.02, 0.2, 40.0),
                half_width_mm=artery_mm / 2,
                half_height_mm=artery_mm / 2,
                wall_db=5.0,
                flow_cm_s=-float(rng.uniform(14.0, 20.0)),
            )
        )
        found.append(
            _vein(
                rng,
                "deep vein",
                (vein_x, vein_z),
                vein_mm,
                flattening=1.12,
                softness=(0.3, 0.9),
                wander=0.3,
                wall_db=0.0,
            )
        )

    anatomy = Anatomy(
        seed=seed,
        side="left" if rng.random() < 0.5 else "right",
        dermis_mm=Wave(float(rng.uniform(1.2, 1.7)), 0.0, 0.0, _ripples(rng, 0.12, 9.0)),
        muscular_fascia_mm=muscular,
        eye_x_mm=Wave(eye_x, 0.0, float(rng.normal(0, 0.02))),
        eye_height_mm=eye_height,
        eye_width_mm=eye_width,
        septum_mm=Wave(
            fascia_mm + float(rng.uniform(3.2, 4.6)), -0.02 * deep_side, 0.0, _ripples(rng, 0.7, 26.0)
        ),
        bone=None,
        vessels=(),
    )

    # superficial tributaries and reticular veins, above the saphenous fascia
    count = int(rng.integers(2, 5)) if small_veins is None else small_veins
    for index in range(count):
        tributary = index == 0
        diameter = float(rng.uniform(2.2, 3.4) if tributary else rng.uniform(1.0, 2.2))
        for _ in range(60):
            x = float(rng.uniform(-half + 3, half - 3))
            roof = float(anatomy.saphenous_fascia(x, 0.0)) - diameter / 2 - 0.6
            floor = 1.9 + diameter / 2 + 0.4
            if roof <= floor:
                continue
            z = float(rng.uniform(floor, min(roof, floor + 5.0)))
            if room.free(x, z, diameter * 0.65):
                break
        else:
            continue
        room.take(x, z, diameter * 0.65)
        if vessels:
            name = "tributary" if tributary else f"reticular {index}"
            found.append(
                _vein(
                    rng,
                    name,
                    (x, z),
                    diameter,
                    flattening=float(rng.uniform(1.05, 1.45)),
                    softness=(0.03, float(rng.uniform(0.3, 0.45))),
                    wander=float(rng.uniform(0.3, 0.9)),
                    wall_db=-3.0 if tributary else -6.0,
                )
            )

    # the nerve: beside the saphenous vein in its eye, or with the deep pair
    for _ in range(60):
        if rng.random() < 0.5:
            x = eye_x + float(rng.choice([-1.0, 1.0])) * (gsv_mm * 0.62 + float(rng.uniform(2.2, 3.2)))
            z = float(muscular(x, 0.0) + anatomy.saphenous_fascia(x, 0.0)) / 2
            size = min(0.85, float(muscular(x, 0.0) - anatomy.saphenous_fascia(x, 0.0)) / 2 - 0.35)
        else:
            x = artery_x + float(rng.choice([-1.0, 1.0])) * float(rng.uniform(5.0, 9.0))
            z, size = artery_z + float(rng.uniform(-1.5, 1.5)), float(rng.uniform(1.1, 1.6))
        if size > 0.6 and abs(x) < half - 4 and room.free(x, z, size * 1.5):
            break
    else:
        x, z, size = -artery_x, artery_z + 1.0, 1.2
    room.take(x, z, size * 1.6)
    found.append(
        Vessel(
            name="nerve",
            kind="nerve",
            x_mm=_course(rng, x, 0.02, 0.2, 40.0),
            z_mm=_course(rng, z, 0.01, 0.1, 40.0),
            half_width_mm=size * 1.45,
            half_height_mm=size,
            wall_db=-2.0,
        )
    )

    shaft = None
    if bone:
        side = -1.0 if artery_x > 0 else 1.0
        top = max(fascia_mm + float(rng.uniform(6.0, 9.0)), 19.0)
        radius = float(rng.uniform(8, 12))
        # the shadow must not hide vessels whose truth is written
        clear = max(side * (px + side * pr) for px, pz, pr in room.taken if pz > top - 4) + 1.0 + radius
        place = max(half * float(rng.uniform(0.72, 0.95)), clear)
        shaft = Bone(x_mm=side * place, top_mm=top, radius_mm=radius)
    return replace(anatomy, vessels=tuple(found), bone=shaft)


def treat(anatomy: Anatomy, names: Sequence[str]) -> Anatomy:
    """The same leg weeks later: the named veins are closed, filled with echoes, and have shrunk."""
    rng = stream(anatomy.seed, "treated")
    changed = []
    for vessel in anatomy.vessels:
        shrink, breath = float(rng.uniform(0.68, 0.85)), float(rng.uniform(0.95, 1.05))
        if vessel.name in names:
            changed.append(
                replace(
                    vessel,
                    half_width_mm=vessel.half_width_mm * shrink,
                    half_height_mm=vessel.half_height_mm * shrink,
                    occluded=True,
                    wall_db=vessel.wall_db + 3.0,
                    flow_cm_s=0.0,
                )
            )
        elif vessel.kind == "vein":
            changed.append(replace(vessel, half_height_mm=vessel.half_height_mm * breath))
        else:
            changed.append(vessel)
    return replace(anatomy, vessels=tuple(changed))
