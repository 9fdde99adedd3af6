from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from veinscan.pacs.origin import Origin, PulledObject, origin_of, origin_path, read_origin, write_origin

WHEN = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
GOOD = Origin(
    archive="clinic",
    dimse="PACS@10.0.0.1:104",
    study_instance_uid="1.2.3",
    pulled_at=WHEN,
    complete=True,
    objects={"1.2.3.4": PulledObject(12, "0" * 64)},
)


uids = st.lists(st.integers(0, 10**6), min_size=1, max_size=8).map(lambda parts: ".".join(map(str, parts)))
names = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    archive=names,
    dimse=st.just("") | names,
    study=uids,
    complete=st.booleans(),
    objects=st.dictionaries(
        uids, st.builds(PulledObject, st.integers(1, 2**40), st.just("ab" * 32)), max_size=5
    ),
)
def test_what_is_written_is_read(
    tmp_path: Path, archive: str, dimse: str, study: str, complete: bool, objects: dict[str, PulledObject]
) -> None:
    origin = Origin(
        archive=archive,
        dimse=dimse,
        study_instance_uid=study,
        pulled_at=WHEN,
        complete=complete,
        objects=objects,
    )
    write_origin(tmp_path, origin)
    assert origin_of(tmp_path) == origin


def test_a_folder_that_was_not_pulled_has_none(tmp_path: Path) -> None:
    assert read_origin(tmp_path) == (None, "")
    assert origin_of(tmp_path / "nowhere") is None


def damaged() -> dict[str, Any]:
    return {
        "format": "1",
        "study_instance_uid": "../../etc",
        "archive": "a\nb",
        "dimse": None,
        "pulled_at": "yesterday",
        "objects": [],
        "veinscan": 1,
    }


@pytest.mark.parametrize("key", list(damaged()))
def test_a_value_that_is_not_ours_makes_it_unusable(tmp_path: Path, key: str) -> None:
    write_origin(tmp_path, GOOD)
    content = json.loads(origin_path(tmp_path).read_text())
    content[key] = damaged()[key]
    origin_path(tmp_path).write_text(json.dumps(content))
    origin, why = read_origin(tmp_path)
    assert origin is None and why and str(damaged()[key])[:5] not in why


@pytest.mark.parametrize(
    "item", [{"size": -1, "sha256": "0" * 64}, {"size": True, "sha256": "0" * 64}, {"size": 1}, 7]
)
def test_an_object_without_size_or_checksum_makes_it_unusable(tmp_path: Path, item: object) -> None:
    write_origin(tmp_path, GOOD)
    content = json.loads(origin_path(tmp_path).read_text())
    content["objects"] = {"1.2": item}
    origin_path(tmp_path).write_text(json.dumps(content))
    assert "no UID, size or checksum" in read_origin(tmp_path)[1]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"format": NaN}',
        b'{"format": 1e999}',
        b'{"format": 2}',
        b"9" * 5000,
    ],
)
def test_hostile_bytes_are_a_reason_and_no_exception(tmp_path: Path, data: bytes) -> None:
    origin_path(tmp_path).parent.mkdir()
    origin_path(tmp_path).write_bytes(data)
    origin, why = read_origin(tmp_path)
    assert origin is None and why.startswith(("it is", "a newer"))


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    origin_path(tmp_path).parent.mkdir()
    os.mkfifo(origin_path(tmp_path))
    assert read_origin(tmp_path) == (None, "it is not a regular file")


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    origin_path(tmp_path).parent.mkdir()
    with origin_path(tmp_path).open("wb") as file:
        file.truncate(2**31)
    assert "larger than" in read_origin(tmp_path)[1]
