"""Training, validation and test by patient: all studies of a person are in one of them.

Patients are put in an order that the seed decides and that does not depend on
the order of the studies; the list is then cut.  Pictures of one vein, of one
leg or of a follow-up thus never stand on two sides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from veinscan.export.model import Split


def split_patients(
    patients: Iterable[str],
    fractions: tuple[float, float, float],
    seed: int,
    groups: Mapping[str, str] | None = None,
) -> dict[str, Split]:
    """Which split each patient is in.

    Parameters
    ----------
    patients
        Pseudonyms; each counts once, however many studies it has.
    fractions
        Shares of patients for training, validation and test; they sum to 1.
    seed : int
        Another seed gives another order.
    groups : mapping, optional
        Patients with the same value are not parted: they may be one person.

    Numbers of patients are rounded by largest remainder; with two patients or
    more and a share above 0 for training, training is never empty.
    """
    members: dict[str, list[str]] = {}
    for patient in sorted(set(patients)):
        members.setdefault((groups or {}).get(patient, patient), []).append(patient)
    order = sorted(members, key=lambda one: hashlib.sha256(f"{seed}|{one}".encode()).digest())
    counts = _counts(sum(len(group) for group in members.values()), fractions)
    places = [split for split, count in zip(Split, counts, strict=True) for _ in range(count)]
    found: dict[str, Split] = {}
    for group in order:
        found |= dict.fromkeys(members[group], places[len(found)])
    return dict(sorted(found.items()))


def _counts(total: int, fractions: tuple[float, float, float]) -> list[int]:
    """Whole numbers that sum to `total`, as near the fractions as can be."""
    exact = [share * total for share in fractions]
    counts = [int(value) for value in exact]
    rests = sorted(range(3), key=lambda k: (-(exact[k] - counts[k]), k))
    for k in rests[: total - sum(counts)]:
        counts[k] += 1
    if total and fractions[0] > 0 and counts[0] == 0:
        counts[max(range(3), key=lambda k: counts[k])] -= 1
        counts[0] += 1
    return counts
