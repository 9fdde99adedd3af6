"""The one table of clinical thresholds, and what follows from it.

A class such as 'reflux by profile X' is worked out from a duration and a
profile whenever it is shown; it is never stored alone.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from veinscan.errors import InvalidInputError

DEFAULT_PROFILE = "svs_avf_avls_2022"

VEIN_GROUPS = {
    "superficial": ("GSV", "SSV", "AASV", "PASV", "saphenous", "Giacomini"),
    "calf_deep": (
        "deep femoral",
        "DFV",
        "tibial",
        "peroneal",
        "gastrocnemius",
        "soleal",
        "ATV",
        "PTV",
        "PRV",
        "GAV",
        "SOV",
    ),
    "femoropopliteal": ("common femoral", "femoral", "popliteal", "CFV", "FV", "POPV"),
    "perforator": ("perforator",),
    "tributary": ("tributary", "reticular"),
}
"""Group of a vein by the words in its international name; the first group with a match."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """One entry of the table."""

    value: float
    unit: str
    rule: str
    """'longer' (strictly) or 'at_least'."""
    source: str
    mark: str
    """'S', 'A', 'K' or 'D': how well the source is known (see thresholds.toml)."""

    def exceeded_by(self, duration_s: float) -> bool:
        """Whether a duration counts as reflux."""
        return duration_s >= self.value if self.rule == "at_least" else duration_s > self.value


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a duration means by one profile; for showing, never stored alone."""

    reflux: bool | None
    """None: not known (inadequate, a lower bound under the threshold, or a vein of no group)."""
    borderline: bool
    """The duration lies within two columns of the threshold."""
    threshold: Threshold | None
    profile: str
    version: str
    sentence: str


@cache
def _table() -> dict[str, Any]:
    with files("veinscan.plan").joinpath("thresholds.toml").open("rb") as file:
        return tomllib.load(file)


def version() -> str:
    """Version of the table."""
    return str(_table()["version"])


def profiles() -> dict[str, str]:
    """Identifiers of the profiles and their names to show."""
    return {key: str(entry["name"]) for key, entry in _table()["profiles"].items()}


def source(key: str) -> str:
    """Title of a source."""
    return str(_table()["sources"].get(key, {}).get("title", key))


def section(name: str) -> dict[str, Any]:
    """One section of the table, as it is written there."""
    return dict(_table()[name])


def measuring(key: str) -> float:
    """One of the choices of the program under `[measuring]`."""
    return float(_table()["measuring"][key]["value"])


def vein_group(vein: str) -> str | None:
    """Group of an international vein name, or None for one that names none ('unknown')."""
    words = vein.replace(",", " ").replace("-", " ").lower().split()
    text = " ".join(words)
    for group in ("perforator", "tributary", "calf_deep", "superficial", "femoropopliteal"):
        for name in VEIN_GROUPS[group]:
            wanted = name.lower()
            if wanted in words or ((" " in wanted or len(wanted) > 4) and wanted in text):
                return group
    return None


def threshold(profile: str, group: str) -> Threshold:
    """The threshold of a profile for a group of veins.

    Raises
    ------
    InvalidInputError
        The table has no such profile or group.
    """
    table = _table()["profiles"]
    if profile not in table:
        raise InvalidInputError(
            f"threshold profile '{profile}' is not known",
            where="thresholds",
            do="use one of " + ", ".join(table),
        )
    entry = table[profile].get(group)
    if not isinstance(entry, dict):
        raise InvalidInputError(
            f"group of veins '{group}' is not known",
            where="thresholds",
            do="use one of " + ", ".join(VEIN_GROUPS),
        )
    return Threshold(float(entry["value"]), entry["unit"], entry["rule"], entry["source"], entry["mark"])


def classify(
    duration_s: float | None,
    profile: str,
    vein: str,
    *,
    is_lower_bound: bool = False,
    time_step_s: float = 0.0,
) -> Verdict:
    """What a reflux duration means by a profile.

    Parameters
    ----------
    duration_s : float or None
        None for an inadequate measurement.
    profile : str
        Key of `profiles()`.
    vein : str
        International name; 'unknown' gives no verdict.
    is_lower_bound : bool
        The flow ran off the strip: longer than the threshold is certain, shorter is not.
    time_step_s : float
        Seconds per column; within two of them of the threshold a duration is borderline.
    """
    name = profiles().get(profile, profile)
    group = vein_group(vein)
    if group is None:
        threshold(profile, "superficial")  # refuses an unknown profile
        return Verdict(None, False, None, profile, version(), f"no class by {name}: the vein is not named")
    limit = threshold(profile, group)
    if duration_s is None:
        return Verdict(None, False, limit, profile, version(), "inadequate: no class")
    over = limit.exceeded_by(duration_s)
    close = abs(duration_s - limit.value) < 2 * time_step_s
    sign = ">=" if limit.rule == "at_least" else ">"
    basis = f"by {name} ({sign} {limit.value:g} s{', unverified' if limit.mark == 'K' else ''})"
    if is_lower_bound and not over:
        return Verdict(None, close, limit, profile, version(), f"not known {basis}: it runs off the strip")
    return Verdict(
        over,
        close,
        limit,
        profile,
        version(),
        f"{'reflux' if over else 'no reflux'} {basis}{', borderline' if close else ''}",
    )
