"""The order for the question of the feeder: explained, with its weights in one table, never a verdict.

`order.toml` holds every weight and limit.  The order is apart from the score: the score says how much
something is like a vessel, the order where a person who looks for a feeder would look first.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

from veinscan.candidates.model import Candidate
from veinscan.candidates.shapes import outside
from veinscan.candidates.words import COMPARTMENT_WORDS

Place = tuple[int, tuple[float, float]]
"""A marked place of the same clip: frame index and `(row, col)`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeederPlace:
    """A candidate's place in the order, and why."""

    candidate: Candidate
    place: int
    """1 is looked at first."""
    points: float
    """Weighted sum of the parts, at most 1."""
    parts: Mapping[str, float] = field(default_factory=dict)
    """What each criterion of the table added."""
    reasons: tuple[str, ...] = ()
    """Each part in words, those that added most first."""


@cache
def order_table() -> Mapping[str, Any]:
    """The table `order.toml`: version, sources, criteria with weights and limits, penalty."""
    with files("veinscan.candidates").joinpath("order.toml").open("rb") as file:
        return tomllib.load(file)


def feeder_order(
    candidates: Sequence[Candidate], spacing_mm: tuple[float, float], *, targets: Sequence[Place] = ()
) -> list[FeederPlace]:
    """The candidates of one clip in the order in which a feeder would be looked for among them.

    Parameters
    ----------
    candidates : sequence of Candidate
        Of one clip, in the same pixels.
    spacing_mm : (row, col)
        Sides of those pixels in mm.
    targets : sequence of (frame index, (row, col))
        Places that are marked on the clip; what lies near them comes first.

    Returns
    -------
    list of FeederPlace
        First to look at first.  Equal input gives equal order; equal points keep the order of the scores.
    """
    table = order_table()["criteria"]
    penalty = float(order_table()["artery"]["penalty"])
    network = [one for one in candidates if _is_superficial(one)]
    rows = []
    for one in candidates:
        said = {
            "superficial": _depth(one, table["superficial"]),
            "size": _size(one, table["size"]),
            "compartment": (float(table["compartment"][one.compartment]), _where(one)),
            "near": _near(one, network, targets, np.asarray(spacing_mm, np.float64), table["near"]),
            "vessel": (one.score, f"score {one.score:.2f}"),
            "compressible": _compressible(one, table["compressible"]),
        }
        parts = {name: float(table[name]["weight"]) * value for name, (value, _) in said.items()}
        reasons = [said[name][1] for name in sorted(parts, key=lambda name: -parts[name])]
        if one.warnings:
            parts["artery"] = -penalty
            reasons.insert(0, "flow like an artery's")
        rows.append((sum(parts.values()), one, parts, tuple(reasons)))
    rows.sort(key=lambda row: (-round(row[0], 9), row[1].rank))
    return [
        FeederPlace(candidate=one, place=place, points=round(points, 4), parts=parts, reasons=reasons)
        for place, (points, one, parts, reasons) in enumerate(rows, start=1)
    ]


def _where(one: Candidate) -> str:
    words = COMPARTMENT_WORDS[one.compartment]
    return words if one.compartment != "unknown" else f"compartment {words}"


def _falling(value: float, full: float, none: float) -> float:
    """1 up to `full`, 0 from `none` on, straight between."""
    return float(np.clip((none - value) / (none - full), 0.0, 1.0))


def _depth(one: Candidate, row: Mapping[str, Any]) -> tuple[float, str]:
    value = _falling(one.depth_mm, row["full_mm"], row["none_mm"])
    word = "superficial" if value == 1 else "deep" if value == 0 else "not superficial"
    return value, f"{one.depth_mm:.1f} mm deep: {word}"


def _size(one: Candidate, row: Mapping[str, Any]) -> tuple[float, str]:
    (low, high), (least, most) = row["full_mm"], row["range_mm"]
    width = one.diameter_mm
    value = min(_falling(-width, -low, -least), _falling(width, high, most))
    within = "within" if least <= width <= most else "outside"
    return value, f"{width:.1f} mm wide: {within} {least:g} to {most:g} mm"


def _compressible(one: Candidate, row: Mapping[str, Any]) -> tuple[float, str]:
    if one.compressibility is None:
        return float(row["untested"]), "compression not seen"
    return one.compressibility, f"pressure takes {one.compressibility:.0%} of its diameter"


def _is_superficial(one: Candidate) -> bool:
    depth = order_table()["criteria"]["superficial"]
    return one.compartment != "subfascial" and one.depth_mm < depth["none_mm"] and not one.warnings


def _near(
    one: Candidate,
    network: Sequence[Candidate],
    targets: Sequence[Place],
    spacing: npt.NDArray[np.float64],
    row: Mapping[str, Any],
) -> tuple[float, str]:
    """Nearness to the targets where there are any on its frames, else to the superficial network."""
    marked = [
        outside(np.asarray(one.outlines[frame], np.float64) * spacing, np.asarray(point) * spacing)
        for frame, point in targets
        if frame in one.outlines
    ]
    if marked:
        least, what = min(marked), "a target"
    elif not _is_superficial(one):
        return 0.0, "not of the superficial network"
    else:
        others = [(_apart_mm(one, other, spacing), other.rank) for other in network if other is not one]
        found = [(gap, rank) for gap, rank in others if gap is not None]
        if not found:
            return 0.0, "no other superficial candidate beside it"
        least, rank = min(found)
        what = f"candidate {rank}"
    value = _falling(least, row["full_mm"], row["none_mm"])
    if least <= row["connected_mm"]:
        return value, f"touches {what}"
    return value, f"{least:.1f} mm from {what}"


def _apart_mm(one: Candidate, other: Candidate, spacing: npt.NDArray[np.float64]) -> float | None:
    """Distance of the outlines on the frame that shows the first best and both; None without such a frame."""
    shared = sorted(set(one.outlines) & set(other.outlines))
    if not shared:
        return None
    frame = min(shared, key=lambda index: (abs(index - one.best_frame), index))
    ours, theirs = (np.asarray(each.outlines[frame], np.float64) * spacing for each in (one, other))
    if outside(ours, theirs[0]) == 0.0 or outside(theirs, ours[0]) == 0.0:
        return 0.0
    # outlines have a vertex every few tenths of a millimetre
    return float(np.hypot(*(ours[:, None] - theirs[None]).transpose(2, 0, 1)).min())
