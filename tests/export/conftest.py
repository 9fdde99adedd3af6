from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "deidentify"))  # studies with a person everywhere

from export_samples import KEY, Sources
from planted import add_record, plant

import veinscan
from veinscan.export import Exported, ExportOptions, Format, export_studies, item_of


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Sources:
    """One study in every character set, two of them of one person; not to be written into."""
    folder = tmp_path_factory.mktemp("sources")
    planted = [plant(folder / "in", seed) for seed in range(4)]
    planted.append(plant(folder / "later", 104, follow_up_of=3))
    for one in planted:
        add_record(one)
    return Sources(planted, [item_of(veinscan.open_study(one.folder), KEY) for one in planted])


@pytest.fixture(scope="session")
def all_formats() -> ExportOptions:
    return ExportOptions(formats=tuple(Format))


@pytest.fixture(scope="session")
def exported(
    sources: Sources, all_formats: ExportOptions, tmp_path_factory: pytest.TempPathFactory
) -> Exported:
    """An export of them in every format; not to be written into."""
    return export_studies(sources.items, tmp_path_factory.mktemp("out") / "set", all_formats, KEY)
