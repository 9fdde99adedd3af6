# ruff: noqa: SIM117 - what is expected to fail stands on a line of its own
"""Many small objects of a series in one answer; whatever is wrong with it, each is asked for by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from hostile_server import HostileServer, Request, http, multipart, related
from many_studies import instance_of, make_studies
from orthanc_rig import Orthanc

from veinscan.errors import CancelledError, PacsError
from veinscan.pacs.connect import connect
from veinscan.pacs.model import Fetched, InstanceRow
from veinscan.pacs.web import WebArchive
from veinscan.pacs.web_series import FEWEST, MOST_FRAMES, by_series

SERIES = "1.2.3.4"
COUNT = 8


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """SOP Instance UID to the bytes of an object."""
    made = make_studies(tmp_path_factory.mktemp("s"), 1, kinds=("native",) * (COUNT + 4), shape=(8, 8))
    return {instance_of(path): path.read_bytes() for files in made.values() for path in files}


@pytest.fixture
def rows(objects: dict[str, bytes]) -> list[InstanceRow]:
    return [row(uid) for uid in list(objects)[:COUNT]]


def row(uid: str, **more: int) -> InstanceRow:
    return InstanceRow(study_instance_uid="1.2.3", series_instance_uid=SERIES, sop_instance_uid=uid, **more)


def is_series(request: Request) -> bool:
    return request.path.endswith(f"/series/{SERIES}")


def served(
    objects: dict[str, bytes], series: Callable[[Request], Iterable[bytes]]
) -> Callable[[Request], Iterable[bytes]]:
    """A server that answers for the series as the test says, and for single objects as it should."""

    def answer(request: Request) -> Iterable[bytes]:
        if is_series(request):
            return series(request)
        return http(multipart(objects[request.path.rpartition("/")[2]]), related())

    return answer


def fetched(server: HostileServer, rows: list[InstanceRow], folder: Path) -> tuple[list[Fetched], int, int]:
    """What came, and how many requests were for the series and for single objects."""
    with WebArchive(server.config()) as archive:
        got = list(archive.fetch(rows, folder))
    asked = [is_series(request) for request in server.requests]
    assert not [path for path in folder.iterdir() if path.suffix != ".dcm"]
    return got, sum(asked), len(asked) - sum(asked)


def assert_all(got: list[Fetched], rows: list[InstanceRow], objects: dict[str, bytes]) -> None:
    assert sorted(one.instance.sop_instance_uid for one in got) == sorted(
        one.sop_instance_uid for one in rows
    )
    for one in got:
        assert one.path is not None, one.error
        assert one.path.read_bytes() == objects[one.instance.sop_instance_uid]
        assert one.size == one.path.stat().st_size


def test_one_answer_holds_them_all(rows, objects, tmp_path: Path) -> None:
    body = multipart(*(objects[one.sop_instance_uid] for one in reversed(rows)))
    with HostileServer(served(objects, lambda _: http(body, related()))) as server:
        got, series, single = fetched(server, rows, tmp_path)
        assert "transfer-syntax=*" in server.requests[0].headers["accept"]
    assert_all(got, rows, objects)
    assert (series, single) == (1, 0)


def test_what_does_not_come_with_it_is_asked_for_by_itself(rows, objects, tmp_path: Path) -> None:
    body = multipart(*(objects[one.sop_instance_uid] for one in rows[:5]))
    with HostileServer(served(objects, lambda _: http(body, related()))) as server:
        got, series, single = fetched(server, rows, tmp_path)
    assert_all(got, rows, objects)
    assert (series, single) == (1, 3)


def test_an_answer_that_breaks_off_keeps_what_was_whole(rows, objects, tmp_path: Path) -> None:
    body = multipart(*(objects[one.sop_instance_uid] for one in rows[:5]))
    cut = http(body, related(), length=False)
    cut[1] = cut[1][: -len(objects[rows[4].sop_instance_uid]) // 2]
    with HostileServer(served(objects, lambda _: cut)) as server:
        got, series, single = fetched(server, rows, tmp_path)
    assert_all(got, rows, objects)
    assert (series, single) == (1, 4)


def test_objects_that_nobody_asked_for_are_thrown_away(rows, objects, tmp_path: Path) -> None:
    body = multipart(*objects.values(), *objects.values())
    with HostileServer(served(objects, lambda _: http(body, related()))) as server:
        got, _, single = fetched(server, rows, tmp_path)
    assert_all(got, rows, objects)
    assert single == 0
    assert len(list(tmp_path.iterdir())) == COUNT


def test_endless_strangers_end_it(rows, objects, tmp_path: Path) -> None:
    stranger = multipart(list(objects.values())[-1], end=False)
    sent = []

    def endless(request: Request) -> Iterable[bytes]:
        yield http(b"", related(), length=False)[0]
        for _ in range(100_000):
            sent.append(1)
            yield stranger

    with HostileServer(served(objects, endless)) as server:
        got, series, single = fetched(server, rows, tmp_path)
    assert_all(got, rows, objects)
    assert (series, single) == (1, COUNT)
    assert len(sent) < 100_000


@pytest.mark.parametrize("junk", [b"", b"no DICOM", b"\0" * 128 + b"DICM" + b"\xff" * 300])
def test_parts_that_are_no_objects_are_not_taken(junk, rows, objects, tmp_path: Path) -> None:
    body = multipart(junk, *(objects[one.sop_instance_uid] for one in rows), junk)
    with HostileServer(served(objects, lambda _: http(body, related()))) as server:
        got, series, _ = fetched(server, rows, tmp_path)
    assert_all(got, rows, objects)
    assert series == 1


@pytest.mark.parametrize("status", ["400 Bad Request", "404 Not Found", "406 Not Acceptable"])
def test_an_archive_that_gives_no_series_is_asked_once(status, rows, objects, tmp_path: Path) -> None:
    with HostileServer(served(objects, lambda _: http(status=status))) as server:
        with WebArchive(server.config()) as archive:
            for number in range(2):
                (tmp_path / str(number)).mkdir()
                assert_all(list(archive.fetch(rows, tmp_path / str(number))), rows, objects)
        assert [is_series(request) for request in server.requests].count(True) == 1


@pytest.mark.parametrize(
    ("answer", "step"),
    [(http(status="401 Unauthorized"), "login"), (http(b"<html>Log in</html>", "text/html"), "login")],
)
def test_what_is_wrong_with_the_archive_is_told_at_once(answer, step, rows, objects, tmp_path: Path) -> None:
    with HostileServer(served(objects, lambda _: answer)) as server:
        with WebArchive(server.config()) as archive, pytest.raises(PacsError) as caught:
            list(archive.fetch(rows, tmp_path))
    assert caught.value.step == step
    assert not list(tmp_path.iterdir())


def test_a_silent_archive_ends_within_the_limit(rows, objects, tmp_path: Path) -> None:
    with HostileServer(served(objects, lambda _: server.silence())) as server:
        with WebArchive(server.config(timeout_s=0.4)) as archive, pytest.raises(PacsError) as caught:
            list(archive.fetch(rows, tmp_path))
    assert caught.value.temporary


def test_stop_ends_it_amid_the_answer(rows, objects, tmp_path: Path) -> None:
    def slow(request: Request) -> Iterable[bytes]:
        yield http(b"", related(), length=False)[0]
        yield multipart(objects[rows[0].sop_instance_uid], end=False)
        yield from server.silence()

    with HostileServer(served(objects, slow)) as server, WebArchive(server.config()) as archive:
        with pytest.raises(CancelledError):
            list(archive.fetch(rows, tmp_path, stop=lambda: bool(server.requests)))
    assert not [path for path in tmp_path.iterdir() if path.suffix != ".dcm"]


def test_which_are_worth_it() -> None:
    few = [row(f"1.2.{number}") for number in range(FEWEST)]
    assert by_series(few) == ([few], [])
    assert by_series(few[1:]) == ([], few[1:])
    large = [replace(one, frames=MOST_FRAMES // 2) for one in few]
    assert by_series(large) == ([], large)
    other = [replace(one, series_instance_uid="1.9") for one in few]
    mixed = [one for pair in zip(few, other, strict=True) for one in pair]
    assert by_series(mixed) == ([few, other], [])
    assert by_series([*few, few[0]]) == ([], [*few, few[0]]), "one that is asked for twice"
    bad = [replace(one, series_instance_uid="../1") for one in few]
    assert by_series(bad) == ([], bad)


def test_a_real_archive_gives_a_series(orthanc: Orthanc, archive_settings: Path, tmp_path: Path) -> None:
    orthanc.empty()
    kinds = ("native", "jpeg", "rle", "implicit") * 3
    (files,) = make_studies(tmp_path / "in", 1, seed=61, kinds=kinds, shape=(32, 40)).values()
    originals = {instance_of(path): path.read_bytes() for path in files}
    for data in originals.values():
        orthanc.add(data)
    uid = orthanc.call("/studies?expand")[0]["MainDicomTags"]["StudyInstanceUID"]
    (tmp_path / "out").mkdir()
    with connect("test") as archive:
        listed = archive.find_instances(uid)
        assert by_series(listed) == ([list(listed)], [])
        got = list(archive.fetch(listed, tmp_path / "out"))
    assert {one.instance.sop_instance_uid: one.path.read_bytes() for one in got if one.path} == originals
