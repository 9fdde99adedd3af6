"""How strongly the resting tissue scatters: skin, fat with septa, fasciae, muscle, bone.

Two maps for one plane: `diffuse_db`, the level of fully developed speckle,
and `line`, the amplitude of thin interfaces (septa, fasciae, perimysium).
0 dB is a bright fascia.  Levels were set by eye against pictures of
superficial leg veins with 12 to 15 MHz probes; the order (fascia, dermis,
nerve sheath, fat septa, muscle, fat lobule, blood) is that of any textbook.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from veinscan.phantom.anatomy import Anatomy, Array, Wave
from veinscan.phantom.scene import SQUEEZE, View
from veinscan.phantom.seeds import FloatMap, smooth_noise, stream

DERMIS_DB, FAT_DB, COMPARTMENT_DB, MUSCLE_DB, DEEP_MUSCLE_DB = -24.0, -36.0, -34.0, -40.0, -42.0
MARGIN_MM = 3.0
"""Tissue kept around the picture, for motion and pressure."""


@dataclass(frozen=True, slots=True)
class Plane:
    """Resting tissue cut by one plane, on the picture's pixel size with a margin.

    Row r is at depth r * spacing - gel - MARGIN, column c at u = (c - (cols - 1) / 2) * spacing.
    """

    diffuse_db: FloatMap
    line: FloatMap
    bone: FloatMap
    """Amplitude of the bone's surface."""
    behind_bone: FloatMap
    """1 in the bone's shadow."""


def plane_shape(view: View) -> tuple[int, int]:
    """(rows, cols) of the maps of `Plane`."""
    rows = int(np.ceil((view.shape[0] * (1.0 + SQUEEZE)) + 2 * MARGIN_MM / view.spacing_mm)) + 1
    margin = int(np.ceil(MARGIN_MM / view.spacing_mm))
    return rows, view.shape[1] + 2 * margin


def plane_axes(view: View) -> tuple[Array, Array]:
    """(u, z) in mm of the columns and rows of `Plane`."""
    rows, cols = plane_shape(view)
    u = (np.arange(cols, dtype=np.float64) - (cols - 1) / 2) * view.spacing_mm
    z = np.arange(rows, dtype=np.float64) * view.spacing_mm - view.gel_mm - MARGIN_MM
    return u, z


@dataclass(frozen=True, slots=True)
class _Strand:
    """A thin sheet seen as a bright line: where it lies in its layer, how far it reaches, how bright."""

    layer: str
    x: float
    y: float
    share: float
    reach_x: float
    reach_y: float
    tilt_x: float
    tilt_y: float
    bow: float
    amplitude: float


@lru_cache(maxsize=8)
def _strands(seed: int, width_mm: float) -> tuple[_Strand, ...]:
    rng = stream(seed, "strands")
    strands: list[_Strand] = []
    half = width_mm / 2 + 4
    plan = (
        # layer, number per mm of width, reach x, reach y, tilt, bow, brightness
        ("fat", 5.0, (1.5, 7.0), (1.5, 7.0), 0.13, 0.07, 0.75),
        ("compartment", 1.6, (0.8, 3.0), (1.5, 6.0), 0.14, 0.08, 0.40),
        ("muscle", 7.0, (0.3, 2.2), (5.0, 16.0), 0.20, 0.10, 0.44),
        ("deep", 20.0, (0.3, 2.6), (5.0, 16.0), 0.22, 0.10, 0.38),
    )
    for layer, per_mm, reach_x, reach_y, tilt, bow, bright in plan:
        lean = float(rng.normal(0, 0.12)) if layer in ("muscle", "deep") else 0.0
        for _ in range(int(per_mm * width_mm * 1.2)):
            strand = _Strand(
                layer=layer,
                x=float(rng.uniform(-half, half)),
                y=float(rng.uniform(-half, half)),
                share=float(rng.uniform(0.02, 0.98)),
                reach_x=float(np.exp(rng.uniform(*np.log(reach_x)))),
                reach_y=float(np.exp(rng.uniform(*np.log(reach_y)))),
                tilt_x=float(rng.normal(0, tilt)),
                tilt_y=float(rng.normal(0, 0.03) + lean),
                bow=float(rng.normal(0, bow)),
                # many faint ones, few bright ones
                amplitude=bright * float(rng.beta(0.9, 2.4)),
            )
            strands.append(strand)
    return tuple(strands)


@lru_cache(maxsize=8)
def _shading(seed: int, name: str) -> Wave:
    """Slow change of brightness along an interface."""
    rng = stream(seed, "shading", name)
    ripples = []
    for _ in range(9):
        angle, per_mm = rng.uniform(0, 2 * np.pi), 1.0 / rng.uniform(1.6, 14.0)
        ripples.append(
            (
                0.33,
                float(per_mm * np.cos(angle)),
                float(per_mm * np.sin(angle)),
                float(rng.uniform(0, 2 * np.pi)),
            )
        )
    return Wave(0.0, ripples=tuple(ripples))


def _draw_strands(
    anatomy: Anatomy, view: View, y_mm: float, borders: dict[str, tuple[Array, Array]]
) -> FloatMap:
    """Amplitude map of all strands that cross the plane."""
    rows, cols = plane_shape(view)
    u, z = plane_axes(view)
    canvas = np.zeros((rows, cols), dtype=np.uint8)
    width = u[-1] - u[0]
    for strand in _strands(anatomy.seed, round(float(max(width, 38.0)), 1)):
        if view.longitudinal:
            centre, reach, tilt = strand.y, strand.reach_y, strand.tilt_y
            away = (view.plane_x_mm - strand.x) / strand.reach_x
        else:
            centre, reach, tilt = strand.x, strand.reach_x, strand.tilt_x
            away = (y_mm - strand.y) / strand.reach_y
        level = strand.amplitude * float(np.exp(-(away**2)))
        if level < 0.03 or not u[0] - reach < centre < u[-1] + reach:
            continue
        along = np.linspace(-1.0, 1.0, 9)
        where = centre + along * reach
        top, bottom = borders[strand.layer]
        high, low = np.interp(where, u, top), np.interp(where, u, bottom)
        depth = (
            high + strand.share * (low - high) + tilt * along * reach + strand.bow * reach * (along**2 - 0.4)
        )
        keep = (depth > high) & (depth < low)
        points = np.stack([(where - u[0]) / view.spacing_mm, (depth - z[0]) / view.spacing_mm], axis=-1)
        fixed = np.round(points * 16).astype(np.int32)
        for k in range(8):
            if keep[k] and keep[k + 1]:
                fade = 1.0 - abs(float(along[k] + along[k + 1]) / 2) ** 2 * 0.8
                ink = int(min(255.0, 255.0 * level * fade))
                cv2.line(
                    canvas,
                    (int(fixed[k, 0]), int(fixed[k, 1])),
                    (int(fixed[k + 1, 0]), int(fixed[k + 1, 1])),
                    ink,
                    1,
                    cv2.LINE_AA,
                    4,
                )
    soft = cv2.GaussianBlur(canvas.astype(np.float32) / 255.0, (0, 0), max(0.5, 0.05 / view.spacing_mm))
    return np.asarray(soft * np.float32(1.6), dtype=np.float32)


def _lobules(anatomy: Anatomy, view: View, y_mm: float) -> FloatMap:
    """Inhomogeneity of the parenchyma in dB, coherent over neighbouring planes."""
    shape = plane_shape(view)
    correlation = (0.9 / view.spacing_mm, 2.6 / view.spacing_mm)
    if view.longitudinal:
        fine = smooth_noise(stream(anatomy.seed, "lobules", "long"), shape, correlation)
        return np.asarray(fine * np.float32(2.2), dtype=np.float32)
    step = 2.5
    first = int(np.floor(y_mm / step))
    share = y_mm / step - first
    weights = np.cos(share * np.pi / 2), np.sin(share * np.pi / 2)
    total = np.zeros(shape, dtype=np.float32)
    for offset, weight in enumerate(weights):
        total += np.float32(weight) * smooth_noise(
            stream(anatomy.seed, "lobules", first + offset), shape, correlation
        )
    return np.asarray(total * np.float32(2.2), dtype=np.float32)


@lru_cache(maxsize=8)
def _dark_lobules(seed: int, width_mm: float) -> tuple[tuple[float, ...], ...]:
    """Fat lobules that are darker than the rest: (x, y, share of the layer, reach x, y, z in mm, dB)."""
    rng = stream(seed, "dark lobules")
    half = width_mm / 2
    return tuple(
        (
            float(rng.uniform(-half, half)),
            float(rng.uniform(-half, half)),
            float(rng.uniform(0.25, 0.8)),
            float(rng.uniform(1.0, 3.4)),
            float(rng.uniform(2.0, 6.0)),
            float(rng.uniform(0.35, 1.0)),
            float(rng.uniform(3.0, 8.0)),
        )
        for _ in range(round(width_mm * 0.8))
    )


def _darken(anatomy: Anatomy, view: View, y_mm: float, level: FloatMap, top: Array, bottom: Array) -> None:
    """Lower the level inside dark lobules: what is taken for a small vein at first sight."""
    u, z = plane_axes(view)
    for x, y, share, reach_x, reach_y, reach_z, loss in _dark_lobules(
        anatomy.seed, round(float(u[-1] - u[0]), 1)
    ):
        if view.longitudinal:
            along, reach, away = y, reach_y, (view.plane_x_mm - x) / reach_x
        else:
            along, reach, away = x, reach_x, (y_mm - y) / reach_y
        if abs(away) >= 1 or not u[0] < along < u[-1]:
            continue
        high, low = float(np.interp(along, u, top)), float(np.interp(along, u, bottom))
        centre = high + share * (low - high)
        rows = slice(*np.searchsorted(z, [centre - reach_z * 1.6, centre + reach_z * 1.6]))
        cols = slice(*np.searchsorted(u, [along - reach * 1.6, along + reach * 1.6]))
        rho = np.hypot((u[cols] - along) / reach, ((z[rows] - centre) / reach_z)[:, None])
        inside = 1.0 / (1.0 + np.exp((np.hypot(rho, away) - 1.0) / 0.12))
        level[rows, cols] -= (loss * inside).astype(np.float32)


def cut(anatomy: Anatomy, view: View, y_mm: float) -> Plane:
    """The resting tissue in the plane of the view (at y for a transverse one)."""
    u, z = plane_axes(view)
    x, y = (np.full_like(u, view.plane_x_mm), u) if view.longitudinal else (u, np.full_like(u, y_mm))
    dermis = anatomy.dermis_mm(x, y)
    deep = anatomy.muscular_fascia_mm(x, y)
    superficial = anatomy.saphenous_fascia(x, y)
    septum = anatomy.septum_mm(x, y)
    bottom = np.full_like(u, z[-1])
    depth = z[:, None]

    level = np.full((z.size, u.size), FAT_DB, dtype=np.float32)
    _darken(anatomy, view, y_mm, level, dermis, superficial)
    level = np.where(depth > superficial, np.float32(COMPARTMENT_DB), level)
    level = np.where(depth > deep, np.float32(MUSCLE_DB), level)
    level = np.where(depth > septum, np.float32(DEEP_MUSCLE_DB), level)
    level += _lobules(anatomy, view, y_mm)
    # the dermis fades into the fat rather than ending at a line
    skin = 1.0 / (1.0 + np.exp((depth - dermis) / 0.10))
    level = (level * (1 - skin) + (DERMIS_DB - 3.0 * np.clip(depth, 0, 3) / dermis) * skin).astype(np.float32)
    level = np.where(depth < 0.0, np.float32(-62.0), level)

    line = _draw_strands(
        anatomy,
        view,
        y_mm,
        {
            "fat": (dermis, superficial),
            "compartment": (superficial, deep),
            "muscle": (deep, septum),
            "deep": (septum, bottom),
        },
    )
    for name, course, amplitude, width in (
        ("saphenous", superficial, 0.75, 0.10),
        ("muscular", deep, 0.95, 0.13),
        ("septum", septum, 0.50, 0.10),
    ):
        if name != "septum" and not anatomy.fasciae:
            continue
        slope = np.gradient(course, u)
        tone = np.clip(0.52 + 0.46 * _shading(anatomy.seed, name)(x, y), 0.12, 1.3)
        glint = tone * np.exp(-((slope / 0.45) ** 2))
        line += (amplitude * glint * np.exp(-(((depth - course) / width) ** 2))).astype(np.float32)
    # entry echo of the skin, and the thin bright line under the epidermis
    line += (0.8 * np.exp(-(((depth - 0.12) / 0.07) ** 2))).astype(np.float32)

    bone = np.zeros_like(level)
    behind = np.zeros_like(level)
    if anatomy.bone is not None:
        shaft = anatomy.bone
        away = (x - shaft.x_mm) / shaft.radius_mm
        edge = np.abs(away) < 1.0
        surface = shaft.top_mm + shaft.radius_mm * (1.0 - np.sqrt(np.clip(1.0 - away**2, 0.0, 1.0)))
        shade = _shading(anatomy.seed, "bone")(x, y)
        # the shaft is neither round nor smooth
        surface = surface + 0.22 * _shading(anatomy.seed, "shaft")(x, y)
        facing = np.clip(1.0 - away**2, 0.0, 1.0) ** 4
        tone = np.clip(0.8 + 0.45 * shade, 0.15, 1.5)
        shape = np.exp(-(((depth - surface) / np.where(depth < surface, 0.13, 0.42)) ** 2))
        bone = np.where(edge, 1.5 * tone * facing * shape, 0.0).astype(np.float32)
        behind = np.where(edge, 1.0 / (1.0 + np.exp(-(depth - surface - 0.35) / 0.2)), 0.0).astype(np.float32)
    return Plane(np.ascontiguousarray(level), np.ascontiguousarray(line), bone, behind)


def roughness(seed: int, name: str, shape: tuple[int, int], spacing_mm: float) -> tuple[FloatMap, FloatMap]:
    """(cos, sin) of the slowly changing phase of an interface that is not flat to a wavelength."""
    correlation = (0.5 / spacing_mm, 0.9 / spacing_mm)
    phase = smooth_noise(stream(seed, "roughness", name), shape, correlation) * np.float32(2.2)
    return np.cos(phase), np.sin(phase)


def sample(image: FloatMap, view: View, u: npt.NDArray[np.float32], z: npt.NDArray[np.float32]) -> FloatMap:
    """Values of a map of `Plane` at resting places (mm), by linear interpolation."""
    _, cols = image.shape
    columns = u / np.float32(view.spacing_mm) + np.float32((cols - 1) / 2)
    rows = (z + np.float32(view.gel_mm + MARGIN_MM)) / np.float32(view.spacing_mm)
    return np.asarray(
        cv2.remap(image, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), dtype=np.float32
    )
