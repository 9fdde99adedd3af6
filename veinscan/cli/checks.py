"""The checks behind `veinscan doctor`, each as plain data; what is wrong goes into a list of problems."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from veinscan.errors import VeinscanError


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong and what cures it; `matters` when veinscan cannot do its main work without."""

    what: str
    do: str = ""
    matters: bool = False

    def as_json(self) -> dict[str, Any]:
        """As `problems[]` of the JSON object."""
        return asdict(self)


PACS_PARTS = ("dicomweb_client", "requests", "urllib3", "keyring", "pynetdicom")
"""What the extra [pacs] brings."""

_REINSTALL = "run: pip install --upgrade --force-reinstall veinscan"

TOOLS = {
    "dciodvfy": "checks DICOM files against the standard (Debian: dicom3tools)",
    "dsrdump": "prints DICOM SR documents (Debian: dcmtk)",
    "pdftoppm": "turns the plan into pictures (Debian: poppler-utils)",
    "xvfb-run": "a display for tests (Debian: xvfb)",
}
"""Programs that help a developer; veinscan itself needs none of them."""


def versions(problems: list[Problem]) -> dict[str, str | None]:
    """Versions of veinscan, Python and every package that veinscan declares; null where one is missing."""
    from veinscan import __version__

    found: dict[str, str | None] = {
        "veinscan": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }
    try:
        declared = importlib.metadata.requires("veinscan") or []
    except importlib.metadata.PackageNotFoundError:
        problems.append(Problem("veinscan runs from its source, not installed", "run: pip install -e ."))
        declared = []
    for requirement in declared:
        name = re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]
        extra = re.search(r"extra\s*==\s*['\"](\w+)['\"]", requirement)
        if extra and extra.group(1) not in ("gui", "pacs"):
            continue
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
            if not extra:
                problems.append(Problem(f"{name} is not installed", f"run: pip install {name}", matters=True))
    return found


def transfer_syntaxes(problems: list[Problem]) -> list[dict[str, Any]]:
    """Every transfer syntax, tried by reading a small file of it the way a study is read."""
    try:
        from veinscan.cli.trial_files import trial_files
    except ImportError as error:
        problems.append(
            Problem(f"no DICOM file can be read: {error.name} is missing", _REINSTALL, matters=True)
        )
        return []
    results = []
    try:
        with tempfile.TemporaryDirectory(prefix="veinscan-") as folder:
            for trial in trial_files(Path(folder)):
                problem = trial.problem or trial.read()
                results.append(
                    {"uid": trial.uid, "name": trial.name, "works": not problem, "problem": problem or None}
                )
                if problem:
                    problems.append(
                        Problem(
                            f"files in {trial.name} cannot be read ({problem})",
                            _REINSTALL,
                            matters=True,
                        )
                    )
    except OSError as error:
        problems.append(
            Problem(
                f"no temporary file can be written ({error.strerror})", "set TMPDIR to another folder", True
            )
        )
    return results


def window(problems: list[Problem]) -> dict[str, Any]:
    """Whether a napari window can open; without one the command line still does its work."""
    from veinscan.cli.probe import probe_window

    probe = probe_window()
    if not probe.works:
        problems.append(Problem(probe.problem, probe.cure))
    return {
        "gui_installed": probe.gui_installed,
        "display": probe.display,
        "works": probe.works,
        "problem": probe.problem or None,
    }


def tools(problems: list[Problem]) -> dict[str, str | None]:
    """Where the programs in `TOOLS` are; none is needed."""
    return {name: shutil.which(name) for name in TOOLS}


def settings(problems: list[Problem]) -> dict[str, Any]:
    """The settings with where each value comes from."""
    from veinscan.settings import load, settings_names, settings_path

    path = settings_path()
    result: dict[str, Any] = {"path": str(path), "exists": path.exists(), "values": {}, "sources": {}}
    try:
        loaded = load()
    except VeinscanError as error:
        problems.append(Problem(f"{error.where}: {error.what}", error.do, matters=True))
        return result
    result["values"] = {name: getattr(loaded, name) for name in settings_names()}
    result["sources"] = dict(loaded.sources)
    return result


def archives(problems: list[Problem]) -> dict[str, Any]:
    """The archives of the settings, and whether this installation can talk to one; none is asked."""
    from veinscan.pacs.config import archives as configured

    missing = [name for name in PACS_PARTS if importlib.util.find_spec(name) is None]
    try:
        names = list(configured())
    except VeinscanError:
        names = []  # `settings` says what is wrong with the file
    if names and missing:
        problems.append(
            Problem(
                f"no archive can be reached: {', '.join(missing)} is not installed",
                'run: pip install "veinscan[pacs]"',
            )
        )
    return {"names": names, "missing": missing, "keyring": None if "keyring" in missing else _keyring()}


def _keyring() -> str | None:
    """The system keyring by its name; None where there is none that keeps anything."""
    import keyring

    try:
        found = keyring.get_keyring()
    except Exception:  # whatever a backend raises, there is none then
        return None
    return None if found.priority <= 0 else str(found.name)


def places(problems: list[Problem]) -> dict[str, str]:
    """The folders that veinscan writes to for this user."""
    from veinscan.log import log_path
    from veinscan.settings import data_dir

    found = {"data": data_dir(), "log": log_path()}
    for name, path in found.items():
        folder = path.parent if name == "log" else path
        existing = next(p for p in (folder, *folder.parents) if p.exists())
        if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
            problems.append(
                Problem(
                    f"the {name} folder {folder} cannot be written to",
                    f"check its permissions, or set VEINSCAN_{name.upper()}_DIR to another folder",
                    matters=name == "data",
                )
            )
    return {name: str(path) for name, path in found.items()}
