"""A whole duplex study on disk, with its truth, and its follow-up."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit, RLELossless

from veinscan.errors import InvalidInputError, VeinscanError
from veinscan.phantom import screen
from veinscan.phantom.anatomy import Anatomy
from veinscan.phantom.clips import PhantomClip, leg, render_bmode, render_colour, render_strip
from veinscan.phantom.flow import Augmentation
from veinscan.phantom.seeds import stream
from veinscan.phantom.writing import Patient, StudyInfo, region, write_clip

FILES = ("0001_transverse.dcm", "0002_longitudinal.dcm", "0003_colour.dcm", "0004_duplex.dcm")
TRUTH = "truth.json"
CM, SECONDS, CM_S, NONE = 3, 4, 7, 0
TISSUE, COLOUR_FLOW, SPECTRAL, COLOUR_BAR, GREY_BAR = 1, 2, 3, 14, 13
WIDTH_MM = 38.0

_FAMILY = (
    "Amberfield",
    "Brackwater",
    "Corvane",
    "Dunmoor",
    "Eskerly",
    "Fennimarsh",
    "Gorsedale",
    "Hollowick",
)
_GIVEN = ("Aveline", "Bramwell", "Cosima", "Dorian", "Elspeth", "Fabrice", "Guinevra", "Hartwin")


def make_study(folder: str | Path, *, seed: int = 0, follow_up: str | Path | None = None) -> list[Path]:
    """Write a synthetic duplex study of four clips with exact truth.

    A transverse sweep that ends in a compression (JPEG), a longitudinal clip (RLE), a transverse colour
    Doppler clip (JPEG) and a duplex still with a spectral strip (native), and `truth.json`.

    Parameters
    ----------
    folder : path
        Made when missing; files of an earlier phantom in it are replaced.
    seed : int
        Equal seeds give equal bytes, UIDs and dates included.
    follow_up : path, optional
        Where to write a second study: the same made-up patient weeks later, some veins closed.

    Returns
    -------
    list of Path
        The files written, `truth.json` of `folder` last.

    Raises
    ------
    InvalidInputError
        The seed is negative, or a folder is a file, holds other DICOM files, or is given twice.
    VeinscanError
        The folder cannot be written.
    """
    if seed < 0:
        raise InvalidInputError(f"a seed of {seed} is negative", do="use 0 or more")
    baseline = Path(folder)
    later = Path(follow_up) if follow_up is not None else None
    if later is not None and later.resolve() == baseline.resolve():
        raise InvalidInputError("study and follow-up have the same folder", do="give two different folders")
    for place in (baseline, later):
        if place is not None:
            _prepare(place)
    written: list[Path] = []
    if later is not None:
        written += _write_session(later, seed, session=1)
    return written + _write_session(baseline, seed, session=0)


def _prepare(folder: Path) -> None:
    """Make the folder; refuse one that holds another study."""
    if folder.exists() and not folder.is_dir():
        raise InvalidInputError("the path is a file", where=folder.name, do="give a folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        others = sorted(p.name for p in folder.glob("*.dcm") if p.name not in FILES)
    except OSError as error:
        raise VeinscanError(
            f"the folder cannot be used ({error.strerror})",
            where=folder.name,
            do="choose one you may write to",
        ) from error
    if others:
        raise InvalidInputError(
            f"the folder holds {len(others)} other DICOM file(s)",
            where=folder.name,
            do="give an empty or new folder",
        )


def _made_up(seed: int) -> tuple[Patient, datetime, int]:
    """Patient, time of the baseline and days to the follow-up."""
    rng = stream(seed, "patient")
    patient = Patient(
        name=f"{rng.choice(_FAMILY)}^{rng.choice(_GIVEN)}",
        patient_id=f"PHANTOM-{seed:05d}",
        sex="O",
        birth_date=f"{int(rng.integers(1948, 1990))}{int(rng.integers(1, 13)):02d}{int(rng.integers(1, 28)):02d}",
    )
    begun = datetime(2025, 1, 6, 8, 0) + timedelta(
        days=int(rng.integers(0, 300)), minutes=int(rng.integers(0, 500))
    )
    return patient, begun, int(rng.integers(13, 29))


def _treated(anatomy: Anatomy) -> tuple[str, ...]:
    """Veins that are closed at the follow-up: the tributary and the first reticular vein."""
    small = [v.name for v in anatomy.vessels if v.kind == "vein" and v.name not in ("GSV", "deep vein")]
    return tuple(small[:2])


def _write_session(folder: Path, seed: int, *, session: int) -> list[Path]:
    patient, begun, days = _made_up(seed)
    begun += timedelta(days=days * session, minutes=17 * session)
    anatomy = leg(seed, vessels=True, small_veins=None, width_mm=WIDTH_MM, treated=())
    treated = _treated(anatomy) if session else ()
    info = StudyInfo(seed=seed, session=session, patient=patient, begun=begun, side=anatomy.side)
    makers = (_transverse, _longitudinal, _colour, _duplex)
    entries = []
    paths = []
    for number, (name, maker) in enumerate(zip(FILES, makers, strict=True), start=1):
        when = begun + timedelta(minutes=2 * number)
        path = folder / name
        entry = maker(path, info, number, when, treated)
        entries.append({"file": name, **entry})
        paths.append(path)
    truth = {
        "schema": 1,
        "seed": seed,
        "session": "follow_up" if session else "baseline",
        "study_instance_uid": info.study_uid,
        "treated": list(treated),
        "clips": entries,
        "scripted_target": _scripted_target(entries[0], anatomy),
    }
    path = folder / TRUTH
    try:
        path.write_text(
            json.dumps(truth, indent=None, separators=(",", ":")) + "\n", encoding="utf-8", newline="\n"
        )
    except OSError as error:
        raise VeinscanError(f"the file cannot be written ({error.strerror})", where=path.name) from error
    return [*paths, path]


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
    view = clip.view
    assert view is not None
    delta = view.spacing_mm / 10.0
    return region(
        box,
        space=1,
        data=TISSUE,
        units=(CM, CM),
        deltas=(delta, delta),
        reference=((box[3] - box[1]) // 2, round(view.skin_row)),
        extra={"TransducerFrequency": 13000},
    )


def _box(at: tuple[int, int], clip: PhantomClip) -> screen.Box:
    rows, cols = clip.frames.shape[1:3]
    return at[0], at[1], at[0] + rows, at[1] + cols


def _compose(
    clip: PhantomClip, shape: tuple[int, int], at: tuple[int, int], labels: screen.Labels
) -> npt.NDArray[np.uint8]:
    """(n, rows, cols, 3) screens with the clip's picture at `at`."""
    assert clip.view is not None
    frame = screen.blank(shape, labels)
    box = _box(at, clip)
    screen.put_grey_bar(frame, (at[0], box[3] + 52, at[0] + 120, box[3] + 64))
    frames = np.repeat(frame[None], len(clip.frames), axis=0)
    for target, picture in zip(frames, clip.frames, strict=True):
        screen.put_picture(target, picture, box, clip.view.spacing_mm, clip.view.skin_row, labels.place)
    return frames


def _side_letter(info: StudyInfo) -> str:
    return info.side[0].upper()


def _transverse(
    path: Path, info: StudyInfo, number: int, when: datetime, treated: tuple[str, ...]
) -> dict[str, Any]:
    clip = render_bmode(
        info.seed,
        "transverse",
        spacing_mm=0.07,
        shape=(450, 543),
        n_frames=28,
        treated=treated,
        session=info.session,
    )
    at = (64, 110)
    labels = _labels(
        info,
        when,
        f"{_side_letter(info)} CALF MED TRANS",
        ("B", "F 13 MHz", "G 58", "DR 62", "FR 15 Hz", "D 3.1 cm"),
    )
    frames = _compose(clip, (600, 800), at, labels)
    write_clip(
        path,
        frames,
        info,
        number=number,
        when=when,
        syntax=JPEGBaseline8Bit,
        regions=[_tissue(_box(at, clip), clip)],
        image_flags="0001",
        description="Transverse sweep and compression",
        frame_time_ms=clip.frame_time_s * 1000,
    )
    return _entry(clip, at)


def _longitudinal(
    path: Path, info: StudyInfo, number: int, when: datetime, treated: tuple[str, ...]
) -> dict[str, Any]:
    clip = render_bmode(
        info.seed,
        "longitudinal",
        spacing_mm=0.08,
        shape=(350, 450),
        n_frames=8,
        treated=treated,
        session=info.session,
    )
    at = (60, 96)
    labels = _labels(
        info,
        when,
        f"{_side_letter(info)} GSV CALF LONG",
        ("B", "F 13 MHz", "G 56", "DR 62", "FR 15 Hz", "D 2.8 cm"),
    )
    frames = _compose(clip, (480, 640), at, labels)[..., 1]
    write_clip(
        path,
        np.ascontiguousarray(frames),
        info,
        number=number,
        when=when,
        syntax=RLELossless,
        regions=[_tissue(_box(at, clip), clip)],
        image_flags="0001",
        description="Longitudinal",
        frame_time_ms=clip.frame_time_s * 1000,
    )
    return _entry(clip, at)


def _colour(
    path: Path, info: StudyInfo, number: int, when: datetime, treated: tuple[str, ...]
) -> dict[str, Any]:
    clip = render_colour(
        info.seed,
        spacing_mm=0.07,
        shape=(450, 543),
        n_frames=20,
        treated=treated,
        session=info.session,
    )
    assert clip.colour is not None and clip.colour_box is not None
    at = (64, 110)
    labels = _labels(
        info,
        when,
        f"{_side_letter(info)} CALF MED TRANS  AUGM",
        ("B", "F 13 MHz", "G 54", "", "C", "F 6.3 MHz", "G 46", f"PRF {0.42:.2f} kHz", "WF low"),
    )
    frames = _compose(clip, (600, 800), at, labels)
    corners = clip.colour_box + np.asarray(at)
    picture = _box(at, clip)
    bar = (250, 725, 378, 737)
    for frame in frames:
        screen.put_outline(frame, corners)
        screen.put_colour_bar(frame, bar, clip.colour)
    low, high = clip.colour.limits_cm_s
    step = (high - low) / (bar[2] - bar[0])
    box = (int(corners[0, 0]), int(corners[0, 1]), int(corners[2, 0]) + 1, int(corners[2, 1]) + 1)
    delta = clip.truth["spacing_mm"] / 10
    assert clip.view is not None
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
                round(at[0] + clip.view.skin_row) - box[0],
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


def _duplex(
    path: Path, info: StudyInfo, number: int, when: datetime, treated: tuple[str, ...]
) -> dict[str, Any]:
    clip = render_bmode(
        info.seed,
        "longitudinal",
        spacing_mm=0.1,
        shape=(236, 380),
        n_frames=1,
        treated=treated,
        session=info.session + 10,
    )
    flow = None
    if info.session:  # with its tributaries closed the trunk still refluxes, for a moment only
        flow = Augmentation(
            rest_cm_s=2.5, squeeze_s=0.6, release_s=1.15, spike_cm_s=20.0, reflux_cm_s=5.0, reflux_s=0.32
        )
    strip = render_strip(info.seed, flow=flow, session=info.session)
    settings = strip.strip_settings
    assert settings is not None and clip.view is not None
    at, strip_at = (58, 210), (336, 96)
    labels = _labels(
        info,
        when,
        f"{_side_letter(info)} GSV CALF  AUGM",
        (
            "B",
            "F 13 MHz",
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
    centre = clip.view.shape[1] // 2
    row = at[0] + (float(vein.z_mm[centre]) + clip.view.gel_mm) / clip.view.spacing_mm
    slope = float(np.gradient(vein.z_mm, clip.view.spacing_mm)[centre])
    size = 2 * vein.half_height_mm / clip.view.spacing_mm * 0.9
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


def _scripted_target(entry: dict[str, Any], anatomy: Anatomy) -> dict[str, Any]:
    """The point a demonstration marks: the largest small vein, on the last frame before the compression."""
    index = str(
        max(i for i, p in enumerate(entry["pressure"]) if p == 0.0 and i < len(entry["pressure"]) // 2)
    )
    open_veins = [
        v
        for v in entry["vessels"]
        if v["type"] == "vein" and v["name"] not in ("GSV", "deep vein") and index in v["frames"]
    ]
    if not open_veins:
        open_veins = [v for v in entry["vessels"] if v["name"] == "GSV"]
    chosen = open_veins[0]
    name = chosen["name"].split()[0]
    return {
        "file": entry["file"],
        "frame_index": int(index),
        "point": chosen["frames"][index]["centre"],
        "side": anatomy.side,
        "vein": name,
        "vessel": chosen["name"],
        "notes": "scripted point of the synthetic study",
    }
