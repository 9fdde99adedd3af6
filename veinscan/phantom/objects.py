"""The four objects of a phantom study: screens composed, regions calibrated, truth in whole-frame pixels."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import numpy.typing as npt
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit, RLELossless

from veinscan.errors import VeinscanError
from veinscan.phantom import screen
from veinscan.phantom.bmode import PhantomClip, render_bmode
from veinscan.phantom.doppler import render_colour, render_strip
from veinscan.phantom.flow import Augmentation
from veinscan.phantom.writing import StudyInfo, region, write_clip

CM, SECONDS, CM_S, NONE = 3, 4, 7, 0
"""Physical units (C.8.5.5.1.15)."""
TISSUE, COLOUR_FLOW, SPECTRAL, COLOUR_BAR = 1, 2, 3, 14
"""Region data types (C.8.5.5.1.2)."""

_T = TypeVar("_T")


def _known(value: _T | None) -> _T:
    """The value, which this kind of clip always has."""
    if value is None:
        raise VeinscanError("a phantom clip lacks what its kind has")
    return value


def _labels(info: StudyInfo, when: datetime, place: str, settings: tuple[str, ...]) -> screen.Labels:
    return screen.Labels(
        clinic="SAMPLE VEIN CLINIC",
        patient=info.patient.shown,
        patient_id=info.patient.patient_id,
        when=when.strftime("%d.%m.%Y  %H:%M:%S"),
        place=place,
        settings=settings,
    )


def _shifted(points: Any, offset: tuple[int, int]) -> Any:
    return [[round(r + offset[0], 2), round(c + offset[1], 2)] for r, c in points]


def _entry(clip: PhantomClip, offset: tuple[int, int]) -> dict[str, Any]:
    """Truth of a clip in whole-frame pixels."""
    truth = dict(clip.truth)
    vessels = []
    for vessel in truth["vessels"]:
        frames = {
            index: {
                **seen,
                "outline": _shifted(seen["outline"], offset),
                "centre": _shifted([seen["centre"]], offset)[0],
            }
            for index, seen in vessel["frames"].items()
        }
        vessels.append({**vessel, "frames": frames})
    truth["vessels"] = vessels
    if truth["skin_row"] is not None:
        truth["skin_row"] = truth["skin_row"] + offset[0]
    if truth["doppler"] and "colour_box" in truth["doppler"]:
        truth["doppler"] = {
            **truth["doppler"],
            "colour_box": _shifted(truth["doppler"]["colour_box"], offset),
        }
    return truth


def _tissue(box: screen.Box, clip: PhantomClip) -> Any:
    view = _known(clip.view)
    delta = view.spacing_mm / 10.0
    return region(
        box,
        space=1,
        data=TISSUE,
        units=(CM, CM),
        deltas=(delta, delta),
        reference=((box[3] - box[1]) // 2, round(view.skin_row)),
        extra={"TransducerFrequency": round(1000 * _known(clip.frequency_mhz))},
    )


def _box(at: tuple[int, int], clip: PhantomClip) -> screen.Box:
    rows, cols = clip.frames.shape[1:3]
    return at[0], at[1], at[0] + rows, at[1] + cols


def _compose(
    clip: PhantomClip, shape: tuple[int, int], at: tuple[int, int], labels: screen.Labels
) -> npt.NDArray[np.uint8]:
    """(n, rows, cols, 3) screens with the clip's picture at `at`."""
    view = _known(clip.view)
    frame = screen.blank(shape, labels)
    box = _box(at, clip)
    screen.put_grey_bar(frame, (at[0], box[3] + 52, at[0] + 120, box[3] + 64))
    frames = np.repeat(frame[None], len(clip.frames), axis=0)
    for target, picture in zip(frames, clip.frames, strict=True):
        screen.put_picture(target, picture, box, view.spacing_mm, view.skin_row, labels.place)
    return frames


def _side_letter(info: StudyInfo) -> str:
    return info.side[0].upper()


@dataclass(frozen=True, slots=True)
class _Plain:
    """A grey clip of the study: what sets one apart from another."""

    plane: Literal["transverse", "longitudinal"]
    spacing_mm: float
    shape: tuple[int, int]
    """Rows and columns of the picture."""
    n_frames: int
    at: tuple[int, int]
    """Where on the screen the picture's corner lies."""
    screen_shape: tuple[int, int]
    place: str
    settings: tuple[str, ...]
    syntax: str
    description: str
    grey: bool
    """Whether the object holds one sample a pixel."""


_TRANSVERSE = _Plain(
    plane="transverse",
    spacing_mm=0.07,
    shape=(450, 543),
    n_frames=26,
    at=(64, 110),
    screen_shape=(600, 800),
    place="CALF MED TRANS",
    settings=("G 58", "DR 62", "FR 15 Hz", "D 3.1 cm"),
    syntax=JPEGBaseline8Bit,
    description="Transverse sweep and compression",
    grey=False,
)
_LONGITUDINAL = _Plain(
    plane="longitudinal",
    spacing_mm=0.08,
    shape=(350, 450),
    n_frames=7,
    at=(60, 96),
    screen_shape=(480, 640),
    place="GSV CALF LONG",
    settings=("G 56", "DR 62", "FR 15 Hz", "D 2.8 cm"),
    syntax=RLELossless,
    description="Longitudinal",
    grey=True,
)


def _write_plain(
    kind: _Plain, path: Path, info: StudyInfo, number: int, when: datetime, treated: tuple[str, ...]
) -> dict[str, Any]:
    clip = render_bmode(
        info.seed,
        kind.plane,
        spacing_mm=kind.spacing_mm,
        shape=kind.shape,
        n_frames=kind.n_frames,
        treated=treated,
        session=info.session,
    )
    labels = _labels(
        info,
        when,
        f"{_side_letter(info)} {kind.place}",
        ("B", f"F {_known(clip.frequency_mhz):.0f} MHz", *kind.settings),
    )
    frames = _compose(clip, kind.screen_shape, kind.at, labels)
    write_clip(
        path,
        np.ascontiguousarray(frames[..., 1]) if kind.grey else frames,
        info,
        number=number,
        when=when,
        syntax=kind.syntax,
        regions=[_tissue(_box(kind.at, clip), clip)],
        image_flags="0001",
        description=kind.description,
        frame_time_ms=clip.frame_time_s * 1000,
    )
    return _entry(clip, kind.at)


def write_transverse(
    path: Path, info: StudyInfo, number: int, when: datetime, treated: tuple[str, ...]
) -> dict[str, Any]:
    """Write the transverse sweep with its compression; return its truth."""
    return _write_plain(_TRANSVERSE, path, info, number, when, treated)


def write_longitudinal(
    path: Path, info: StudyInfo, number: int, when: datetime, treated: tuple[str, ...]
) -> dict[str, Any]:
    """Write the longitudinal clip; return its truth."""
    return _write_plain(_LONGITUDINAL, path, info, number, when, treated)


def write_colour(
    path: Path, info: StudyInfo, number: int, when: datetime, treated: tuple[str, ...]
) -> dict[str, Any]:
    """Write the colour Doppler clip; return its truth."""
    clip = render_colour(
        info.seed,
        spacing_mm=0.07,
        shape=(450, 543),
        n_frames=20,
        treated=treated,
        session=info.session,
    )
    bar_settings, drawn_box, view = _known(clip.colour), _known(clip.colour_box), _known(clip.view)
    at = (64, 110)
    labels = _labels(
        info,
        when,
        f"{_side_letter(info)} CALF MED TRANS  AUGM",
        (
            "B",
            f"F {_known(clip.frequency_mhz):.0f} MHz",
            "G 54",
            "",
            "C",
            "F 6.3 MHz",
            "G 46",
            f"PRF {4 * 6.3e6 * _known(clip.colour).nyquist_cm_s / 154000 / 1000:.1f} kHz",
            "WF low",
        ),
    )
    frames = _compose(clip, (600, 800), at, labels)
    corners = drawn_box + np.asarray(at)
    picture = _box(at, clip)
    bar = (250, 725, 378, 737)
    for frame in frames:
        screen.put_outline(frame, corners)
        screen.put_colour_bar(frame, bar, bar_settings)
    low, high = bar_settings.limits_cm_s
    step = (high - low) / (bar[2] - bar[0])
    box = (int(corners[0, 0]), int(corners[0, 1]), int(corners[2, 0]) + 1, int(corners[2, 1]) + 1)
    delta = clip.truth["spacing_mm"] / 10
    regions = [
        _tissue(picture, clip),
        region(
            box,
            space=1,
            data=COLOUR_FLOW,
            units=(CM, CM),
            deltas=(delta, delta),
            reference=(
                picture[1] + (picture[3] - picture[1]) // 2 - box[1],
                round(at[0] + view.skin_row) - box[0],
            ),
            flags=0,
            extra={"TransducerFrequency": 6300},
        ),
        region(
            bar,
            space=5,
            data=COLOUR_BAR,
            units=(NONE, CM_S),
            deltas=(1.0, -step),
            reference=(0, round(high / step)),
        ),
    ]
    write_clip(
        path,
        frames,
        info,
        number=number,
        when=when,
        syntax=JPEGBaseline8Bit,
        regions=regions,
        image_flags="0011",
        description="Colour Doppler, squeeze and release",
        frame_time_ms=clip.frame_time_s * 1000,
    )
    entry = _entry(clip, at)
    entry["doppler"]["bar_box"] = list(bar)
    return entry


def write_duplex(
    path: Path, info: StudyInfo, number: int, when: datetime, treated: tuple[str, ...]
) -> dict[str, Any]:
    """Write the still of picture and spectral strip; return its truth."""
    clip = render_bmode(
        info.seed,
        "longitudinal",
        spacing_mm=0.1,
        shape=(236, 380),
        n_frames=1,
        treated=treated,
        session=info.session,
        name="duplex",
    )
    flow = None
    if info.session:  # with its tributaries closed the trunk still refluxes, for a moment only
        flow = Augmentation(
            rest_cm_s=2.5, squeeze_s=0.6, release_s=1.15, spike_cm_s=20.0, reflux_cm_s=5.0, reflux_s=0.32
        )
    strip = render_strip(info.seed, flow=flow, session=info.session)
    settings, view = _known(strip.strip_settings), _known(clip.view)
    at, strip_at = (58, 210), (336, 96)
    labels = _labels(
        info,
        when,
        f"{_side_letter(info)} GSV CALF  AUGM",
        (
            "B",
            f"F {_known(clip.frequency_mhz):.0f} MHz",
            "G 56",
            "",
            "PW",
            f"F {settings.frequency_mhz:.1f} MHz",
            f"PRF {settings.prf_hz / 1000:.1f} kHz",
            "SV 3 mm",
            f"AC {settings.angle_deg:.0f}",
            "WF low",
        ),
    )
    frames = _compose(clip, (600, 800), at, labels)
    frame = frames[0]
    vein = next(v for v in clip.placed if v.vessel.name == "GSV")
    centre = view.shape[1] // 2
    row = at[0] + (float(vein.z_mm[centre]) + view.gel_mm) / view.spacing_mm
    slope = float(np.gradient(vein.z_mm, view.spacing_mm)[centre])
    size = 2 * vein.half_height_mm / view.spacing_mm * 0.9
    screen.put_gate(
        frame, (row, at[1] + centre), at[0], at[0] + 236, steering_deg=18.0, slope=slope, size_px=size
    )
    box = (strip_at[0], strip_at[1], strip_at[0] + settings.rows, strip_at[1] + settings.columns)
    screen.put_strip(frame, strip.frames[0], box, settings)
    regions = [
        _tissue(_box(at, clip), clip),
        region(
            box,
            space=3,
            data=SPECTRAL,
            units=(SECONDS, CM_S),
            deltas=(settings.step_s, -settings.step_cm_s),
            reference=(0, round(settings.baseline_row)),
            extra={
                "TransducerFrequency": round(settings.frequency_mhz * 1000),
                "PulseRepetitionFrequency": round(settings.prf_hz),
                "DopplerCorrectionAngle": settings.angle_deg,
                "SteeringAngle": 18.0,
                "DopplerSampleVolumeXPosition": at[1] + centre,
                "DopplerSampleVolumeYPosition": round(row),
            },
        ),
    ]
    write_clip(
        path,
        frames,
        info,
        number=number,
        when=when,
        syntax=ExplicitVRLittleEndian,
        regions=regions,
        image_flags="0009",
        description="Duplex, squeeze and release",
        frame_time_ms=None,
    )
    entry = _entry(clip, at)
    doppler = dict(strip.truth["doppler"])
    doppler["baseline_row"] = doppler["baseline_row"] + strip_at[0]
    doppler["strip_box"] = list(box)
    doppler["vessel"] = "GSV"
    return {**entry, "kind": "duplex", "doppler": doppler}
