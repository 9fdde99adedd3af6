"""A whole duplex study on disk, with its truth, and its follow-up."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from veinscan.errors import InvalidInputError, VeinscanError
from veinscan.phantom import objects
from veinscan.phantom.anatomy import Anatomy
from veinscan.phantom.bmode import leg
from veinscan.phantom.seeds import stream
from veinscan.phantom.writing import Patient, StudyInfo

FILES = ("0001_transverse.dcm", "0002_longitudinal.dcm", "0003_colour.dcm", "0004_duplex.dcm")
TRUTH = "truth.json"
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
        written += write_session(later, seed, session=1)
    return written + write_session(baseline, seed, session=0)


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
        birth_date=date(int(rng.integers(1948, 1990)), int(rng.integers(1, 13)), 14).strftime("%Y%m%d"),
    )
    begun = datetime(2025, 1, 6, 8, 0) + timedelta(
        days=int(rng.integers(0, 300)), minutes=int(rng.integers(0, 500))
    )
    return patient, begun, int(rng.integers(13, 29))


def _treated(anatomy: Anatomy) -> tuple[str, ...]:
    """Veins that are closed at the follow-up: the tributary and the first reticular vein."""
    small = [v.name for v in anatomy.vessels if v.kind == "vein" and v.name not in ("GSV", "deep vein")]
    return tuple(small[:2])


def write_session(folder: Path, seed: int, *, session: int, only: Collection[str] = FILES) -> list[Path]:
    """Write one examination into a folder that exists: session 0 is the baseline, 1 the follow-up.

    `only` names the clips to make; truth.json then holds those.
    """
    patient, begun, days = _made_up(seed)
    begun += timedelta(days=days * session, minutes=23 * session)
    anatomy = leg(seed, vessels=True, small_veins=None, width_mm=WIDTH_MM, treated=())
    treated = _treated(anatomy) if session else ()
    info = StudyInfo(seed=seed, session=session, patient=patient, begun=begun, side=anatomy.side)
    makers = (
        objects.write_transverse,
        objects.write_longitudinal,
        objects.write_colour,
        objects.write_duplex,
    )
    entries = []
    paths = []
    for number, (name, maker) in enumerate(zip(FILES, makers, strict=True), start=1):
        if name not in only:
            continue
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
        "scripted_target": _scripted_target(entries[0], anatomy) if entries[0]["file"] == FILES[0] else None,
    }
    path = folder / TRUTH
    try:
        path.write_text(json.dumps(truth, separators=(",", ":")) + "\n", encoding="utf-8", newline="\n")
    except OSError as error:
        raise VeinscanError(f"the file cannot be written ({error.strerror})", where=path.name) from error
    return [*paths, path]


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
