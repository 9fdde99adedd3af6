"""Rules of the plugin that are read from its source: no display is needed."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import yaml

from veinscan.plan.thresholds import profiles

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = ROOT / "plugins" / "napari_veinscan"
SOURCES = [
    *PLUGIN.glob("*.py"),
    *(ROOT / "tests" / "gui").glob("*.py"),
    *(ROOT / "benchmarks").glob("window*.py"),
]


OWN = {
    name
    for path in PLUGIN.glob("*.py")
    if path.name != "compat.py"
    for node in ast.walk(ast.parse(path.read_text("utf-8")))
    for name in (
        [node.attr]
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "self"
        else [node.name]
        if isinstance(node, ast.FunctionDef)
        else []
    )
}
"""Private names of the plugin's own classes."""


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_only_the_quarantine_reaches_into_private_parts(path: Path):
    if path == PLUGIN / "compat.py":
        return
    tree = ast.parse(path.read_text("utf-8"))
    found = [
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.startswith("__")
        and node.attr not in OWN
        and ast.unparse(node.value) not in ("self", "cls", "super()")
    ]
    found += [
        f"line {node.lineno}: from {node.module}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and any(part.startswith("_") for part in (node.module or "").split("."))
        and node.module != "__future__"
    ]
    assert not found


@pytest.mark.parametrize("path", sorted(PLUGIN.glob("*.py")), ids=lambda path: path.name)
def test_modules_stay_readable(path: Path):
    assert len(path.read_text("utf-8").splitlines()) <= 500


def test_the_manifest_offers_the_profiles_that_there_are():
    manifest = yaml.safe_load((PLUGIN / "napari.yaml").read_text("utf-8"))
    properties = manifest["contributions"]["configurations"]["review"]["properties"]
    assert properties["threshold_profile"]["enum"] == list(profiles())


@pytest.mark.gui
def test_preferences_of_code_and_manifest_are_the_same(qapp):
    from dataclasses import asdict

    from napari_veinscan.palette import VESSELNESS_COLOURS
    from napari_veinscan.preferences import Preferences

    manifest = yaml.safe_load((PLUGIN / "napari.yaml").read_text("utf-8"))
    properties = manifest["contributions"]["configurations"]["review"]["properties"]
    assert {name: entry["default"] for name, entry in properties.items()} == asdict(Preferences())
    assert properties["vesselness_colours"]["enum"] == list(VESSELNESS_COLOURS)


@pytest.mark.gui
def test_every_command_speaks_for_itself_and_no_key_is_taken_twice(qapp):
    from napari_veinscan.docks import all_commands
    from napari_veinscan.keys import combination_of

    commands = list(all_commands())
    assert len({command.id for command in commands}) == len(commands)
    keys = [combination_of(key) for command in commands for key in command.keys]
    assert len(set(keys)) == len(keys)
    for command in commands:
        assert command.title[0].isupper() or command.title.startswith("after"), command.id
        assert len(command.title) <= 45, command.id
