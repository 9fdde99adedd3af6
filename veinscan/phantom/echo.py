"""From tissue to picture: scatterers, point spread function, detection, TGC, log compression.

The complex envelope is simulated (baseband, so the carrier needs no fine
grid): a scatterer field times the tissue's amplitude, convolved across the
beam with a Gaussian whose width grows away from the focus, and along it with
the pulse.  Several looks with independent speckle are averaged after
detection, as a scanner's spatial compounding does.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import scipy.fft

from veinscan.phantom.anatomy import Anatomy, Array
from veinscan.phantom.scene import Placed, State, View, place, resting_places
from veinscan.phantom.seeds import FloatMap, scatterers, smooth_noise, stream
from veinscan.phantom.tissue import Plane, cut, plane_shape, roughness, sample

THROMBUS_DB = -41.0
ELEVATION_STEP_MM = 0.5
"""Planes this far apart have independent speckle: about the thickness of the slice."""
PAD = 24
"""Columns mirrored at both sides before the convolution across the beam."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Probe and settings of the scanner."""

    frequency_mhz: float = 13.0
    focus_mm: float = 14.0
    lateral_mm: float = 0.19
    """Sigma of the beam at its focus."""
    focal_zone_mm: float = 11.0
    """Distance from the focus at which the beam is sqrt(2) wider."""
    axial_mm: float = 0.075
    """Sigma of the pulse's envelope near the skin."""
    looks: int = 3
    dynamic_range_db: float = 62.0
    gain_db: float = 0.0
    tgc_error_db: tuple[float, ...] = (0.0,) * 8
    """What the eight depth sliders leave over."""
    depth_loss_db_mm: float = 0.22
    """Attenuation that the TGC does not make up for."""
    noise_db: float = -64.0
    """Electronic noise at the skin; it rises with the TGC."""
    clutter_db: float = -24.0
    """Amplitude of the beam's skirt."""
    blood_db: float = -52.0
    """Level of slowly flowing blood."""
    smoothing_mm: float = 0.045
    speckle_reduction_db: float = 9.0
    """Differences up to this are taken for speckle and evened out, as scanners do by default."""


def make_machine(seed: int, session: int = 0, *, gain_db: float | None = None) -> Machine:
    """Settings that vary from seed to seed as they do from one sonographer to the next."""
    rng = stream(seed, "machine", session)
    frequency = float(rng.choice([12.0, 13.0, 14.0, 15.0]))
    return Machine(
        frequency_mhz=frequency,
        focus_mm=float(rng.uniform(9.0, 17.0)),
        lateral_mm=float(rng.uniform(0.17, 0.22)),
        axial_mm=float(rng.uniform(0.9, 1.05)) / frequency,  # a pulse of about two cycles
        dynamic_range_db=float(rng.uniform(58.0, 66.0)),
        gain_db=float(rng.uniform(-4.0, 4.0)) if gain_db is None else gain_db,
        tgc_error_db=tuple(float(v) for v in rng.normal(0.0, 0.9, 8)),
        depth_loss_db_mm=float(rng.uniform(0.1, 0.4)),
        noise_db=float(rng.uniform(-70.0, -62.0)),
        clutter_db=float(rng.uniform(-27.0, -21.0)),
        blood_db=float(rng.uniform(-56.0, -48.0)),
    )


class Camera:
    """Takes B-mode frames of one anatomy in one view."""

    def __init__(self, anatomy: Anatomy, view: View, machine: Machine, *, name: str) -> None:
        self.anatomy = anatomy
        self.view = view
        self.machine = machine
        self.name = name
        self._plane: Plane | None = None
        self._plane_y: float | None = None
        self._rough = roughness(anatomy.seed, name, plane_shape(view), view.spacing_mm)
        self._beam = self._beam_spectrum()
        self._pulse = self._pulse_kernel()

    def frame(self, state: State) -> tuple[npt.NDArray[np.uint8], list[Placed]]:
        """One picture, (rows, cols) uint8, and the vessels in it."""
        placed = place(self.anatomy, self.view, state)
        levels = self.decibels(state, placed)
        return self._display(levels), placed

    def decibels(self, state: State, placed: list[Placed]) -> FloatMap:
        """Echo amplitude in dB before log compression, (rows, cols) float32; 0 dB is a bright fascia."""
        plane = self._plane_at(state.y_mm)
        u, z = resting_places(self.anatomy, placed, self.view, state)
        amplitude = np.exp(sample(plane.diffuse_db, self.view, u, z) * np.float32(np.log(10) / 20))
        line = sample(plane.line, self.view, u, z)
        bone = sample(plane.bone, self.view, u, z)
        behind = sample(plane.behind_bone, self.view, u, z)
        cos = sample(self._rough[0], self.view, u, z)
        sin = sample(self._rough[1], self.view, u, z)
        rng = stream(self.anatomy.seed, self.name, "frame", state.index)

        loss = np.zeros_like(amplitude)
        lumen = np.zeros_like(amplitude)
        # veins first: a flattened one must not lie over the artery beside it
        for item in sorted(placed, key=lambda one: one.vessel.kind, reverse=True):
            self._draw(item, amplitude, line, loss, lumen)
        loss += self._contact()
        gain = self._transmission(loss) * (1.0 - behind * np.float32(0.985))
        rough_part, even_part = (
            line * np.float32(0.55) + bone * np.float32(0.5),
            line * np.float32(0.5) + bone,
        )
        diffuse = (amplitude + rough_part) * gain
        even = even_part * gain
        total = np.zeros_like(amplitude)
        for look in range(self.machine.looks):
            real, imaginary = self._scatter(state, look, u, z)
            if lumen.any():  # blood is never the same twice
                real = real * (1 - lumen) + lumen * rng.standard_normal(
                    lumen.shape, dtype=np.float32
                ) * np.float32(0.7)
                imaginary = imaginary * (1 - lumen) + lumen * rng.standard_normal(
                    lumen.shape, dtype=np.float32
                ) * np.float32(0.7)
            field = np.empty(amplitude.shape, dtype=np.complex64)
            field.real = diffuse * real + even * cos
            field.imag = diffuse * imaginary + even * sin
            total += self.detect(field)
        total /= np.float32(self.machine.looks)
        total = np.hypot(total, self._noise(rng))
        return np.asarray(20.0 * np.log10(np.maximum(total, 1e-6)), dtype=np.float32)

    def _plane_at(self, y_mm: float) -> Plane:
        if self._plane is None or self._plane_y != y_mm:
            self._plane, self._plane_y = cut(self.anatomy, self.view, y_mm), y_mm
        return self._plane

    def _scatter(self, state: State, look: int, u: FloatMap, z: FloatMap) -> tuple[FloatMap, FloatMap]:
        shape, seed = plane_shape(self.view), self.anatomy.seed
        if self.view.longitudinal:
            real, imaginary = scatterers(seed, self.name, 0, look, shape)
            return sample(real, self.view, u, z), sample(imaginary, self.view, u, z)
        place_y = state.y_mm / ELEVATION_STEP_MM
        first = int(np.floor(place_y))
        share = place_y - first
        low, high = scatterers(seed, self.name, first, look, shape), None
        if share > 1e-6:
            high = scatterers(seed, self.name, first + 1, look, shape)
        parts = []
        for k in range(2):
            mixed = low[k]
            if high is not None:
                mixed = low[k] * np.float32(np.cos(share * np.pi / 2)) + high[k] * np.float32(
                    np.sin(share * np.pi / 2)
                )
            parts.append(sample(mixed, self.view, u, z))
        return parts[0], parts[1]

    def _draw(
        self, item: Placed, amplitude: FloatMap, line: FloatMap, loss: FloatMap, lumen: FloatMap
    ) -> None:
        """Put one vessel into the maps, in the part of the picture that it touches."""
        view, vessel = self.view, item.vessel
        here = rows, cols = item.window(view, 1.6)
        u, z = view.across_mm[cols], view.depths_mm[rows]
        if z.size == 0 or u.size == 0:
            return
        distance, facing = item.level(view, u, z)
        if vessel.kind == "nerve":
            self._draw_nerve(item, distance, facing, u, z, amplitude[here], line[here])
            return
        inside = 1.0 / (1.0 + np.exp(np.clip(distance / 0.02, -40, 40)))
        wall = 10 ** (vessel.wall_db / 20)
        # the tissue just outside belongs to the vessel: adventitia, without septa running into the lumen
        sheath = np.exp(-((np.clip(distance, 0, None) / 0.45) ** 2))
        glint = facing**7
        if vessel.kind == "artery":
            bright = 0.32 * np.exp(-(((distance - 0.13) / 0.06) ** 2)) * glint + 0.6 * np.exp(
                -(((distance - 0.57) / 0.17) ** 2)
            )
            media = np.exp(-(((distance - 0.32) / 0.13) ** 2))
            amplitude[here] *= (1 - 0.7 * media).astype(np.float32)
            sheath = np.exp(-((np.clip(distance - 0.5, 0, None) / 0.4) ** 2))
        else:
            thick = 0.07 + 0.015 * vessel.half_height_mm
            # of a flattened vein a faint seam is left, a little shorter than its widest wall
            open_share = min(1.0, item.half_height_mm / vessel.half_height_mm * 2.0)
            bright = np.exp(-(((distance - 0.15) / thick) ** 2)) * (1.0 if vessel.occluded else 0.75)
            if not view.longitudinal:
                ends = 1.0 - np.clip(np.abs(u - item.x_mm) / (1.05 * item.half_width_mm), 0, 1) ** 2
                bright = bright * (open_share + (1 - open_share) * 0.45 * ends)
        tone = self._wall_tone(item, u, z)
        amplitude[here] += (
            wall * bright * tone * (0.03 + 0.09 * glint) + 0.012 * sheath * (distance > 0)
        ).astype(np.float32)
        line[here] *= (1 - 0.85 * np.clip(sheath, 0, 1) * (distance < 0.5)).astype(np.float32)
        line[here] += (wall * bright * tone * (0.015 + 0.45 * glint)).astype(np.float32)
        content = 10 ** ((THROMBUS_DB if vessel.occluded else self.machine.blood_db) / 20)
        amplitude[here] = (amplitude[here] * (1 - inside) + content * inside).astype(np.float32)
        line[here] *= (1 - inside).astype(np.float32)
        if not vessel.occluded:
            np.maximum(lumen[here], inside.astype(np.float32), out=lumen[here])
            # blood takes less out of the beam than the tissue the TGC is set for
            loss[here] -= (0.75 * inside).astype(np.float32)
        # refraction at the flanks throws thin shadows
        flank = np.exp(-((distance / 0.12) ** 2)) * (1 - facing) ** 3
        loss[here] += (2.6 * flank).astype(np.float32)

    def _wall_tone(self, item: Placed, u: Array, z: Array) -> Array:
        """Unevenness of a wall's brightness around and along the vessel, (rows, cols)."""
        phase = stream(self.anatomy.seed, "wall", item.vessel.name).uniform(0, 2 * np.pi, 4)
        if self.view.longitudinal:
            side = np.where(z[:, None] > item.z_mm, 1.0, -1.0)
            wave = (
                np.sin(u / 1.7 + phase[0] + side)
                + np.sin(u / 0.61 + phase[1] + 2 * side)
                + np.sin(u / 4.3 + phase[2])
            )
        else:
            angle = np.arctan2(z[:, None] - item.z_mm, u - item.x_mm)
            wave = np.sin(2 * angle + phase[0]) + np.sin(3 * angle + phase[1]) + np.sin(7 * angle + phase[2])
        return np.asarray(np.clip(0.85 + 0.28 * wave, 0.12, 1.5), dtype=np.float64)

    def _draw_nerve(
        self,
        item: Placed,
        distance: Array,
        facing: Array,
        u: Array,
        z: Array,
        amplitude: FloatMap,
        line: FloatMap,
    ) -> None:
        """Honeycomb: dark fascicles in a bright sheath."""
        view = self.view
        off = (view.plane_x_mm - item.x_mm) if view.longitudinal else u - item.x_mm
        x = np.broadcast_to(off, distance.shape)
        y = z[:, None] - item.z_mm
        pitch = min(1.0, item.half_height_mm * 0.68)
        row = np.round(y / (pitch * 0.87))
        across = x / pitch + 0.5 * np.mod(row, 2)
        near = np.hypot((across - np.round(across)) * pitch, y - row * pitch * 0.87)
        fascicle = 1.0 / (1.0 + np.exp((near - 0.42 * pitch) / 0.04))
        inside = 1.0 / (1.0 + np.exp(np.clip(distance / 0.04, -40, 40)))
        level = 10 ** (-22 / 20) * (1 - fascicle) + 10 ** (-46 / 20) * fascicle
        rim = np.exp(-(((distance - 0.05) / 0.15) ** 2))
        amplitude *= (1 - inside).astype(np.float32)
        amplitude += (level * inside + 0.10 * rim * (0.5 + facing)).astype(np.float32)
        line *= (1 - inside).astype(np.float32)
        line += (0.12 * rim * facing**3 + 0.02 * inside * (1 - fascicle)).astype(np.float32)

    def _transmission(self, loss: FloatMap) -> FloatMap:
        """Two-way gain along the beam from what vessels give or take (dB/mm), (rows, cols)."""
        total = np.cumsum(loss, axis=0, dtype=np.float32) * np.float32(self.view.spacing_mm)
        soft = cv2.GaussianBlur(total, (0, 0), sigmaX=0.14 / self.view.spacing_mm, sigmaY=0.6)
        capped = np.clip(soft, -5.0, 9.0)
        return np.asarray(np.exp(capped * np.float32(-2.0 * np.log(10) / 20)), dtype=np.float32)

    def _contact(self) -> FloatMap:
        """Uneven transmission from column to column in dB/mm: skin contact, fat, small scars."""
        rng = stream(self.anatomy.seed, self.name, "contact")
        cols = self.view.shape[1]
        uneven = smooth_noise(rng, (4, cols), (4.0, 1.6 / self.view.spacing_mm))[0] * 0.05
        edge = np.minimum(np.arange(cols), np.arange(cols)[::-1]) * self.view.spacing_mm
        ends = 0.12 * np.exp(-((edge / 1.6) ** 2)) * rng.uniform(0.0, 1.0)
        return np.asarray((uneven + ends)[None, :], dtype=np.float32)

    def _beam_spectrum(self) -> FloatMap:
        """(rows, frequencies): transfer function across the beam at every depth."""
        view, machine = self.view, self.machine
        padded = int(scipy.fft.next_fast_len(view.shape[1] + 2 * PAD))  # type: ignore[no-untyped-call]
        frequency = scipy.fft.fftfreq(padded, view.spacing_mm)
        away = (view.depths_mm - machine.focus_mm) / machine.focal_zone_mm
        sigma = machine.lateral_mm * np.sqrt(1.0 + away**2)
        main = np.exp(-2 * (np.pi * sigma[:, None] * frequency) ** 2)
        skirt = np.exp(-2 * (np.pi * 6.0 * sigma[:, None] * frequency) ** 2)
        spectrum = main + 10 ** (machine.clutter_db / 20) * skirt
        # unit energy: speckle keeps its level at every depth
        energy = np.mean(spectrum**2, axis=1, keepdims=True)
        return np.asarray(spectrum / np.sqrt(energy), dtype=np.float32)

    def _pulse_kernel(self) -> FloatMap:
        """Pulse along the beam with its short ring-down, unit energy, as a column."""
        spacing, sigma = self.view.spacing_mm, self.machine.axial_mm
        half = int(np.ceil(1.2 / spacing))
        z = np.arange(-half, half + 1) * spacing
        kernel = np.exp(-0.5 * (z / sigma) ** 2)
        tail = np.where(z > 0, np.exp(-z / 0.35) * (1 - np.exp(-z / 0.1)), 0.0)
        kernel = kernel + 10 ** (-25 / 20) * tail
        return np.asarray(kernel[::-1] / np.sqrt(np.sum(kernel**2)), dtype=np.float32)[:, None]

    def detect(self, field: npt.NDArray[np.complex64]) -> FloatMap:
        """Envelope after beam and pulse of a complex scatterer field, both (rows, cols)."""
        padded = self._beam.shape[1]
        wide = np.pad(field, ((0, 0), (PAD, padded - field.shape[1] - PAD)), mode="reflect")
        spectrum = scipy.fft.fft(wide, axis=1, overwrite_x=True)
        spectrum *= self._beam
        beam = scipy.fft.ifft(spectrum, axis=1, overwrite_x=True)[:, PAD : PAD + field.shape[1]]
        identity = np.ones((1, 1), dtype=np.float32)
        parts = [
            cv2.sepFilter2D(np.ascontiguousarray(part), cv2.CV_32F, identity, self._pulse)
            for part in (beam.real, beam.imag)
        ]
        return np.asarray(np.hypot(parts[0], parts[1]), dtype=np.float32)

    def _noise(self, rng: np.random.Generator) -> FloatMap:
        depth = np.maximum(self.view.depths_mm, 0.0)
        level = 10 ** ((self.machine.noise_db + 0.55 * depth) / 20)
        white = np.abs(rng.standard_normal(self.view.shape, dtype=np.float32))
        return np.asarray(white * level[:, None].astype(np.float32), dtype=np.float32)

    def _display(self, levels: FloatMap) -> npt.NDArray[np.uint8]:
        """TGC, log compression and grey map."""
        machine, depth = self.machine, self.view.depths_mm
        stops = np.linspace(0.0, depth[-1], len(machine.tgc_error_db))
        slope = np.interp(depth, stops, machine.tgc_error_db) - machine.depth_loss_db_mm * np.maximum(
            depth, 0.0
        )
        shown: FloatMap = levels + (slope + machine.gain_db)[:, None].astype(np.float32)
        sigma = machine.smoothing_mm / self.view.spacing_mm
        if sigma > 0.3:
            shown = np.asarray(cv2.GaussianBlur(shown, (0, 0), sigma), dtype=np.float32)
        if machine.speckle_reduction_db > 0:
            reach = max(1.2, 0.14 / self.view.spacing_mm)
            shown = np.asarray(
                cv2.bilateralFilter(shown, 5, machine.speckle_reduction_db, reach), dtype=np.float32
            )
        share = np.clip((shown + machine.dynamic_range_db - 6.0) / machine.dynamic_range_db, 0.0, 1.0)
        # a mild S curve, as the default grey maps of scanners have
        curve = share + 0.10 * np.sin(2 * np.pi * (share - 0.5)) / np.pi
        return np.asarray(np.round(np.clip(curve, 0, 1) * 250.0), dtype=np.uint8)
