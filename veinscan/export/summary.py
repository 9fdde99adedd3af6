"""What a data set says of itself: counts, what could not be judged, checksums, `dataset.json`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from veinscan.deidentify.identity import Pixels
from veinscan.deidentify.key import ProjectKey
from veinscan.export.folder import CHECKSUMS, SCHEMA, ExportFolder
from veinscan.export.model import ExportOptions, Split, WrittenFile
from veinscan.export.people import Question
from veinscan.export.work import Done


def info() -> dict[str, str]:
    """What made a data set."""
    from veinscan import __version__

    return {"description": "veinscan export, de-identified", "version": __version__}


def counts_of(
    parts: Iterable[dict[str, Any]], failed: dict[str, Done], questions: Sequence[Question]
) -> tuple[dict[str, Any], int]:
    """Sums over the parts, and how many sentences there are to look at."""
    sums = ("clips", "frames", "labelled_frames", "negative_clips", "confirmed_clips")
    counts: dict[str, Any] = {"patients": 0, "studies": 0, "failed": len(failed), **dict.fromkeys(sums, 0)}
    patients: set[str] = set()
    marks: dict[str, int] = {}
    splits: dict[str, int] = {split.value: 0 for split in Split}
    doubts = len(questions)
    for part in parts:
        patients.add(part["patient"])
        counts["studies"] += 1
        splits[part["split"]] += 1
        doubts += len(part["not_judged"])
        for name in sums:
            counts[name] += part.get(name, 0)
        for name, number in part["marks"].items():
            marks[name] = marks.get(name, 0) + number
    return {
        **counts,
        "patients": len(patients),
        "patients_in_question": len({one for question in questions for one in question.patients}),
        "marks": dict(sorted(marks.items())),
        "splits": splits,
    }, doubts


def not_judged(
    parts: Iterable[dict[str, Any]], failed: dict[str, Done], questions: Iterable[Question]
) -> dict[str, Any]:
    """What the export could not judge, and what it left out."""
    return {
        "patients": [asdict(question) for question in questions],
        "clips": [entry for part in parts for entry in part["not_judged"]],
        "failed": [
            {"study": name, "reason": done.told or done.reason} for name, done in sorted(failed.items())
        ],
        "always": [
            "Text inside the picture is searched for, not recognised: a person looks at the contact sheets.",
            "Faces, skin and rare findings that could tell who somebody is are not searched for.",
        ],
    }


def write_checksums(
    folder: ExportFolder, parts: Iterable[dict[str, Any]], written: Iterable[WrittenFile]
) -> WrittenFile:
    """`checksums.sha256`, as `sha256sum -c` reads it."""
    temporary = folder.root / f"{CHECKSUMS}.part"
    with temporary.open("w", encoding="ascii", newline="\n") as file:
        for part in parts:
            for path, digest, _ in part["files"]:
                file.write(f"{digest}  {path}\n")
        for one in written:
            file.write(f"{one.sha256}  {one.path}\n")
    temporary.replace(folder.root / CHECKSUMS)
    return folder.note(CHECKSUMS)


def dataset_json(
    options: ExportOptions, key: ProjectKey, counts: dict[str, Any], checksums: WrittenFile
) -> dict[str, Any]:
    """What `dataset.json` holds."""
    from veinscan import __version__
    from veinscan.deidentify.table import EDITION
    from veinscan.plan.thresholds import DEFAULT_PROFILE, version

    return {
        "format": "veinscan-dataset",
        "schema": SCHEMA,
        "veinscan": __version__,
        "project": key.mark,
        "parameters": _plain(asdict(options)),
        "thresholds": {"profile": DEFAULT_PROFILE, "version": version()},
        "deidentification": {
            "profile": f"PS3.15 E.1 basic profile, table E.1-1 of {EDITION}",
            "dates": options.deidentify.dates.value,
            "notes": options.deidentify.notes,
            "pixels": _PIXELS[options.deidentify.pixels],
        },
        "counts": counts,
        "checksums": {"file": checksums.path, "sha256": checksums.sha256},
    }


_PIXELS = {
    Pixels.CLEANED: "black outside the usable regions; see review/",
    Pixels.WHOLE: "not cleaned: whole screens, with their banners",
}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(member) for member in value]
    return value
