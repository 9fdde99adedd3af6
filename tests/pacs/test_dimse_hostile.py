"""What a hostile or broken peer does over DIMSE: each ends with one sentence, in time, and leaves nothing."""

from __future__ import annotations

import itertools
import socket
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dimse_peers import (
    accept,
    behaved,
    command,
    pdata,
    pdu,
    raw,
    read_pdu,
    released,
    request_of,
    slowly,
    until_closed,
)
from pynetdicom import evt

from veinscan.errors import CancelledError, PacsError
from veinscan.pacs import dimse_objects
from veinscan.pacs.dimse import DimseArchive
from veinscan.pacs.dimse_find import FIND, encoded
from veinscan.pacs.model import InstanceRow, StudyQuery
from veinscan.settings_pacs import PacsConfig

TIMEOUT_S, WHOLE_S = 0.5, 1.5
GOODBYES_S = 8.0
"""What ends of associations may take besides, on a busy machine."""
NAME = "Secret^Anna"
IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
US = "1.2.840.10008.5.1.4.1.1.6.1"
NO_DATA, WITH_DATA = 0x0101, 0x0001
PENDING = 0xFF00


def archive_at(dimse: str, **more: Any) -> DimseArchive:
    values = {"name": "test", "dimse": dimse, "timeout_s": TIMEOUT_S, "transfer_timeout_s": WHOLE_S} | more
    return DimseArchive(PacsConfig(**values))


def row(number: int = 1) -> InstanceRow:
    return InstanceRow(
        study_instance_uid="1.2.3",
        series_instance_uid="1.2.3.4",
        sop_instance_uid=f"1.2.3.4.{number}",
        sop_class_uid=US,
        modality="US",
    )


def ends_in_time(call: Callable[[], Any]) -> PacsError:
    """The PacsError that a call raises; it has to come within the limits, and say nothing of the peer's."""
    begun = time.monotonic()
    with pytest.raises(PacsError) as caught:
        call()
    assert time.monotonic() - begun < TIMEOUT_S + WHOLE_S + GOODBYES_S
    assert "\n" not in str(caught.value)
    assert "Secret" not in repr(caught.value)
    assert caught.value.step
    return caught.value


@pytest.fixture(autouse=True)
def nothing_left_running() -> Any:
    before = set(threading.enumerate())
    yield
    until = time.monotonic() + GOODBYES_S
    while left := [one for one in threading.enumerate() if one not in before and one.is_alive()]:
        assert time.monotonic() < until, left
        time.sleep(0.02)


# -- before there is an association --------------------------------------------


def silent(connection: socket.socket) -> None:
    until_closed(connection)


def hangs_up(connection: socket.socket) -> None:
    read_pdu(connection)


def speaks_http(connection: socket.socket) -> None:
    read_pdu(connection)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    until_closed(connection)


def announces_4_gb(connection: socket.socket) -> None:
    read_pdu(connection)
    connection.sendall(b"\x02\x00\xff\xff\xff\xf0")
    while True:
        connection.sendall(bytes(65536))


def trickles(connection: socket.socket) -> None:
    read_pdu(connection)
    slowly(connection, pdu(2, bytes(2000)))


def babbles(connection: socket.socket) -> None:
    read_pdu(connection)
    connection.sendall(pdu(2, b"\x00\x01\x00\x00" + b"\x21\x50\xff\xff" * 400))
    until_closed(connection)


def cut_short(connection: socket.socket) -> None:
    read_pdu(connection)
    connection.sendall(pdu(2, bytes(200))[:100])


def aborts(connection: socket.socket) -> None:
    read_pdu(connection)
    connection.sendall(pdu(7, b"\x00\x00\x02\x00"))
    until_closed(connection)


def accepts_nothing(connection: socket.socket) -> None:
    _, body = read_pdu(connection)
    application = b"\x10\x00" + struct.pack(">H", 21) + b"1.2.840.10008.3.1.1.1"
    context = b"\x21\x00" + struct.pack(">H", 8 + len(IMPLICIT)) + b"\x01\x00\x03\x00\x40\x00"
    context += struct.pack(">H", len(IMPLICIT)) + IMPLICIT.encode()
    user = b"\x50\x00\x00\x08\x51\x00\x00\x04\x00\x00\x40\x00"
    connection.sendall(pdu(2, b"\x00\x01\x00\x00" + body[4:36] + bytes(32) + application + context + user))
    until_closed(connection)


BEFORE = [
    silent, hangs_up, speaks_http, announces_4_gb, trickles, babbles, cut_short, aborts, accepts_nothing,
]  # fmt: skip


@pytest.mark.parametrize("serve", BEFORE, ids=lambda one: one.__name__)
def test_no_association(serve: Callable[[socket.socket], None]) -> None:
    with raw(serve) as peer:
        error = ends_in_time(archive_at(peer.dimse).echo)
        assert error.step == "association"


@pytest.mark.parametrize(
    ("answer", "words", "temporary"),
    [
        ((1, 1, 7), "it is not called PEER", False),
        ((1, 1, 3), "it does not know our AE title VEINSCAN", False),
        ((1, 1, 1), "gave no reason", False),
        ((2, 3, 1), "congested", True),
        ((2, 3, 2), "all its connections are taken", True),
        ((1, 2, 2), "version of the protocol", False),
    ],
)
def test_a_refused_association_says_why(answer: tuple[int, int, int], words: str, temporary: bool) -> None:
    def refuses(connection: socket.socket) -> None:
        read_pdu(connection)
        connection.sendall(pdu(3, bytes([0, *answer])))
        until_closed(connection)

    with raw(refuses) as peer:
        error = ends_in_time(archive_at(peer.dimse).echo)
    assert words in error.what
    assert error.do
    assert (error.step, error.temporary) == ("association", temporary)


def test_a_port_that_nobody_listens_at_and_a_name_that_nobody_has() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    error = ends_in_time(archive_at(f"PEER@127.0.0.1:{port}").echo)
    assert (error.step, error.temporary) == ("tcp", True)
    assert f"nothing listens at port {port}" in error.what
    error = ends_in_time(archive_at("PEER@nobody.invalid:104", timeout_s=5.0).echo)
    assert error.step == "name"


# -- answers to a query ---------------------------------------------------------


def answer(asked: Any, status: int | None, **more: Any) -> bytes:
    values = {
        "AffectedSOPClassUID": FIND,
        "CommandField": 0x8020,
        "MessageIDBeingRespondedTo": asked.MessageID,
        "CommandDataSetType": WITH_DATA if status == PENDING else NO_DATA,
    } | more
    if status is not None:
        values["Status"] = status
    return command(**values)


def one_study(number: int) -> bytes:
    from pydicom.uid import ImplicitVRLittleEndian

    keys = {
        "PatientName": NAME,
        "StudyInstanceUID": f"1.2.{number}",
        "SeriesInstanceUID": f"1.2.3.{number}",
    }
    return encoded(keys, ImplicitVRLittleEndian)


def matches(connection: socket.socket, numbers: Any) -> tuple[int, Any]:
    accept(connection)
    context, asked = request_of(connection)
    for number in numbers:
        connection.sendall(pdata(context, 3, answer(asked, PENDING)) + pdata(context, 2, one_study(number)))
    return context, asked


def never_answers(connection: socket.socket) -> None:
    matches(connection, ())
    until_closed(connection)


def drops(connection: socket.socket) -> None:
    matches(connection, range(3))


def aborts_within(connection: socket.socket) -> None:
    matches(connection, range(3))
    connection.sendall(pdu(7, b"\x00\x00\x00\x00"))
    until_closed(connection)


def releases_within(connection: socket.socket) -> None:
    matches(connection, range(3))
    connection.sendall(pdu(5, bytes(4)))
    until_closed(connection)


def no_status(connection: socket.socket) -> None:
    context, asked = matches(connection, range(1))
    connection.sendall(pdata(context, 3, answer(asked, None)))
    until_closed(connection)


def another_message(connection: socket.socket) -> None:
    context, asked = matches(connection, ())
    connection.sendall(pdata(context, 3, answer(asked, 0, MessageIDBeingRespondedTo=77)))
    until_closed(connection)


def no_command(connection: socket.socket) -> None:
    context, _ = matches(connection, ())
    connection.sendall(pdata(context, 3, b"\xff\x07\x13" * 200))
    until_closed(connection)


def unknown_command(connection: socket.socket) -> None:
    context, asked = matches(connection, ())
    connection.sendall(pdata(context, 3, answer(asked, 0, CommandField=0x7777)))
    until_closed(connection)


def event_reports(connection: socket.socket) -> None:
    context, _ = matches(connection, ())
    report = command(
        AffectedSOPClassUID="1.2.840.10008.1.20.1", CommandField=0x0100, MessageID=1,
        CommandDataSetType=NO_DATA, AffectedSOPInstanceUID="1.2", EventTypeID=1,
    )  # fmt: skip
    while True:
        connection.sendall(pdata(context, 3, report) * 50)


def endless_command(connection: socket.socket) -> None:
    context, _ = matches(connection, ())
    while True:
        connection.sendall(pdata(context, 1, bytes(10_000)))


def endless_answer(connection: socket.socket) -> None:
    context, asked = matches(connection, ())
    connection.sendall(pdata(context, 3, answer(asked, PENDING)))
    while True:
        connection.sendall(pdata(context, 0, bytes(16_000)))


def trickles_an_answer(connection: socket.socket) -> None:
    context, asked = matches(connection, ())
    slowly(connection, pdata(context, 3, answer(asked, 0)))


def empty_fragments(connection: socket.socket) -> None:
    context, _ = matches(connection, ())
    while True:
        connection.sendall(pdata(context, 0, b"") + pdu(4, b""))
        time.sleep(0.01)


def an_object(connection: socket.socket) -> None:
    context, _ = matches(connection, ())
    store = command(
        AffectedSOPClassUID=US, CommandField=0x0001, MessageID=9, Priority=0,
        CommandDataSetType=WITH_DATA, AffectedSOPInstanceUID="1.2.3.4.1",
    )  # fmt: skip
    connection.sendall(pdata(context, 3, store) + pdata(context, 2, bytes(1000)))
    until_closed(connection)


def announces_too_much(connection: socket.socket) -> None:
    matches(connection, range(2))
    connection.sendall(b"\x04\x00\x7f\xff\xff\xff")
    while True:
        connection.sendall(bytes(65536))


WITHIN = [
    never_answers, drops, aborts_within, releases_within, no_status, another_message, no_command,
    unknown_command, event_reports, endless_command, endless_answer, trickles_an_answer, empty_fragments,
    an_object, announces_too_much,
]  # fmt: skip


@pytest.mark.parametrize("serve", WITHIN, ids=lambda one: one.__name__)
def test_answers_that_cannot_be_used(serve: Callable[[socket.socket], None]) -> None:
    with raw(serve) as peer:
        threads = threading.active_count()
        error = ends_in_time(lambda: archive_at(peer.dimse).find_studies(StudyQuery(patient_name=NAME)))
        assert error.step == "find"
        assert threading.active_count() < threads + 10


def test_endless_matches_end_at_the_limit() -> None:
    def endless(connection: socket.socket) -> None:
        matches(connection, itertools.count())

    with raw(endless) as peer:
        found = archive_at(peer.dimse, transfer_timeout_s=30.0).find_studies(StudyQuery(limit=7, modality=""))
        assert (len(found.rows), found.complete) == (7, False)
        error = ends_in_time(lambda: archive_at(peer.dimse).find_instances("1.2.3"))
        assert error.step == "find"


def test_a_full_answer_is_cancelled_and_the_association_released() -> None:
    seen: list[str] = []

    def find(event: Any) -> Any:
        import pydicom

        for number in range(1, 1000):
            if event.is_cancelled:
                seen.append("cancelled")
                yield 0xFE00, None
                return
            dataset = pydicom.Dataset()
            dataset.StudyInstanceUID = f"1.2.{number}"
            dataset.StudyDate = f"2024{number % 12 + 1:02d}01"
            yield PENDING, dataset
            time.sleep(0.005)

    handlers = [(evt.EVT_C_FIND, find), (evt.EVT_RELEASED, lambda event: seen.append("released"))]
    with behaved([(FIND, [IMPLICIT, EXPLICIT])], handlers) as dimse:
        found = archive_at(dimse, timeout_s=10.0, transfer_timeout_s=60.0).find_studies(
            StudyQuery(limit=5, modality="")
        )
    assert (len(found.rows), found.complete) == (5, False)
    assert seen == ["cancelled", "released"]
    days = [one.on for one in found.rows]
    assert days == sorted(days, reverse=True)  # type: ignore[type-var]


@pytest.mark.parametrize(
    ("status", "words", "temporary"),
    [(0xA700, "out of resources", True), (0xA900, "does not take the query", False),
     (0xC123, "cannot work on the query", False), (0x0122, "does not take this kind", False),
     (0x0124, "not allowed", False), (0x9999, "not known", False)],
)  # fmt: skip
def test_a_status_in_words(status: int, words: str, temporary: bool) -> None:
    def refuses(connection: socket.socket) -> None:
        context, asked = matches(connection, ())
        connection.sendall(pdata(context, 3, answer(asked, status, ErrorComment=NAME)))
        until_closed(connection)

    with raw(refuses) as peer:
        error = ends_in_time(lambda: archive_at(peer.dimse).find_studies(StudyQuery()))
    assert words in error.what
    assert f"{status:04X}" in error.what
    assert error.temporary is temporary


def test_a_stop_is_heard_wherever_it_comes() -> None:
    for serve in (silent, never_answers, trickles):
        with raw(serve) as peer:
            asked = iter([False, False, False])
            begun = time.monotonic()
            with pytest.raises(CancelledError):
                archive_at(peer.dimse, timeout_s=60.0).find_studies(
                    StudyQuery(), stop=lambda asked=asked: next(asked, True)
                )
            assert time.monotonic() - begun < GOODBYES_S


# -- objects ---------------------------------------------------------------------


def data_set(number: int = 1, size: int = 2000, study: str = "1.2.3") -> bytes:
    """Of an object as `row` lists it, Explicit VR Little Endian."""
    from io import BytesIO

    import pydicom

    dataset = pydicom.Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = US, f"1.2.3.4.{number}"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study, "1.2.3.4"
    dataset.PatientName = NAME
    dataset.add_new(0x00091001, "OB", bytes(size))
    out = BytesIO()
    pydicom.dcmwrite(out, dataset, implicit_vr=False, little_endian=True)
    return out.getvalue()


def storing(connection: socket.socket) -> tuple[int, int, Any]:
    """Association and C-GET request: context of the request, of an object, and what was asked."""
    request = accept(connection)
    context, asked = request_of(connection)
    objects = {
        (str(item.abstract_syntax), str(item.transfer_syntax[0])): item.context_id
        for item in request.variable_items
        if item.item_type == 0x20
    }
    return context, objects[US, EXPLICIT], asked


def store_command(number: int = 1, **more: Any) -> bytes:
    values = {
        "AffectedSOPClassUID": US,
        "CommandField": 0x0001,
        "MessageID": number,
        "Priority": 0,
        "CommandDataSetType": WITH_DATA,
        "AffectedSOPInstanceUID": f"1.2.3.4.{number}",
    } | more
    return command(**values)


def got(asked: Any, status: int) -> bytes:
    return answer(asked, status, CommandField=0x8010, CommandDataSetType=NO_DATA)


def drops_within_an_object(connection: socket.socket) -> None:
    _, objects, _ = storing(connection)
    connection.sendall(pdata(objects, 3, store_command()) + pdata(objects, 0, data_set()[:700]))
    time.sleep(0.1)


def stalls_within_an_object(connection: socket.socket) -> None:
    _, objects, _ = storing(connection)
    connection.sendall(pdata(objects, 3, store_command()) + pdata(objects, 0, data_set()[:700]))
    until_closed(connection)


def trickles_an_object(connection: socket.socket) -> None:
    _, objects, _ = storing(connection)
    connection.sendall(pdata(objects, 3, store_command()))
    for at in range(0, 2000, 10):
        connection.sendall(pdata(objects, 0, data_set()[at : at + 10]))
        time.sleep(0.05)


def sends_without_end(connection: socket.socket) -> None:
    _, objects, _ = storing(connection)
    connection.sendall(pdata(objects, 3, store_command()) + pdata(objects, 0, data_set()))
    while True:
        connection.sendall(pdata(objects, 0, bytes(16_000)))


def pending_without_end(connection: socket.socket) -> None:
    context, _, asked = storing(connection)
    while True:
        connection.sendall(pdata(context, 3, got(asked, PENDING)))
        time.sleep(0.01)


def strangers_without_end(connection: socket.socket) -> None:
    _, objects, _ = storing(connection)
    for number in itertools.count(100):
        sent = store_command(number % 60_000 + 100)
        connection.sendall(pdata(objects, 3, sent) + pdata(objects, 2, data_set(size=10)))


def in_another_context(connection: socket.socket) -> None:
    context, objects, _ = storing(connection)
    connection.sendall(pdata(context, 3, store_command()) + pdata(context, 2, data_set()))
    connection.sendall(pdata(objects + 100, 3, store_command()) + pdata(objects + 100, 2, data_set()))
    until_closed(connection)


GETS = [
    drops_within_an_object, stalls_within_an_object, trickles_an_object, sends_without_end,
    pending_without_end, strangers_without_end, in_another_context,
]  # fmt: skip


@pytest.mark.parametrize("serve", GETS, ids=lambda one: one.__name__)
def test_objects_that_do_not_come(
    serve: Callable[[socket.socket], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dimse_objects, "MAX_OBJECT_BYTES", 4_000_000)
    with raw(serve) as peer:
        error = ends_in_time(lambda: list(archive_at(peer.dimse).fetch([row()], tmp_path)))
        assert error.step == "get"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("sent", "status", "words"),
    [
        (data_set(2), 0xC000, "another object than was asked for"),
        (data_set(study="9.9"), 0xC000, "names another study"),
        (b"\xff" * 3000, 0xC000, "not a DICOM object|another object"),
        (b"MZ" + bytes(3000), 0xC000, "not a DICOM object|another object"),
        (data_set(size=50_000), 0xA700, "larger than"),
    ],
    ids=["another object", "another study", "noise", "a program", "too large"],
)
def test_a_wrong_object_is_refused_and_the_next_taken(
    sent: bytes, status: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dimse_objects, "MAX_OBJECT_BYTES", 40_000)
    answers: list[int] = []

    def serve(connection: socket.socket) -> None:
        context, objects, asked = storing(connection)
        for number, data in ((1, sent), (99, data_set(99)), (3, data_set(3))):
            connection.sendall(pdata(objects, 3, store_command(number)) + pdata(objects, 2, data))
            answers.append(int(request_of(connection)[1].Status))
        connection.sendall(pdata(context, 3, got(asked, 0x0000)))
        released(connection)

    with raw(serve) as peer:
        wrong, right = archive_at(peer.dimse, timeout_s=10.0, transfer_timeout_s=20.0).fetch(
            [row(1), row(3)], tmp_path
        )
    assert wrong.path is None
    assert wrong.error is not None
    assert any(each in wrong.error.what for each in words.split("|"))
    assert answers == [status, 0x0124, 0x0000]
    assert right.path == tmp_path / "1.2.3.4.3.dcm"
    assert right.path.read_bytes().endswith(data_set(3))
    assert [path.name for path in tmp_path.iterdir()] == ["1.2.3.4.3.dcm"]


def test_names_of_files_are_never_the_peers(tmp_path: Path) -> None:
    """A UID that climbs out of the folder is no UID, and is neither asked for nor taken."""
    folder = tmp_path / "in"
    folder.mkdir()

    def serve(connection: socket.socket) -> None:
        context, objects, asked = storing(connection)
        proper = store_command(AffectedSOPInstanceUID="1.2.3.4.9.9.9.9")
        for uid in (b"../../../../evil", b"/etc/passwd.evil", b"1.2.3.4.1/../../"):
            connection.sendall(pdata(objects, 3, proper.replace(b"1.2.3.4.9.9.9.9\0", uid)))
            connection.sendall(pdata(objects, 2, data_set()))
            assert request_of(connection)[1].Status == 0x0124
        connection.sendall(pdata(context, 3, got(asked, 0x0000)))
        released(connection)

    bad = InstanceRow(study_instance_uid="1.2.3", series_instance_uid="1.2", sop_instance_uid="../evil")
    with raw(serve) as peer:
        archive = archive_at(peer.dimse, timeout_s=10.0, transfer_timeout_s=20.0)
        came = list(archive.fetch([row(), bad], folder))
    assert [one.path for one in came] == [None, None]
    assert [path.name for path in tmp_path.rglob("*")] == ["in"]


def test_leaving_in_the_middle_ends_the_association(tmp_path: Path) -> None:
    seen: list[int] = []

    def serve(connection: socket.socket) -> None:
        context, objects, asked = storing(connection)
        for number in (1, 2):
            connection.sendall(pdata(objects, 3, store_command(number)) + pdata(objects, 2, data_set(number)))
            request_of(connection)
        seen.append(int(request_of(connection)[1].CommandField))
        connection.sendall(pdata(context, 3, got(asked, 0xFE00)))
        released(connection)

    with raw(serve) as peer:
        archive = archive_at(peer.dimse, timeout_s=10.0, transfer_timeout_s=20.0)
        for fetched in archive.fetch([row(1), row(2), row(3)], tmp_path):
            assert fetched.path is not None
            if fetched.instance.sop_instance_uid.endswith(".2"):
                break
    assert seen[0] == 0x0FFF  # C-CANCEL-RQ
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.2.3.4.1.dcm", "1.2.3.4.2.dcm"]


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    def serve(connection: socket.socket) -> None:
        context, objects, asked = storing(connection)
        connection.sendall(pdata(objects, 3, store_command()) + pdata(objects, 2, data_set()))
        assert request_of(connection)[1].Status == 0xA700
        connection.sendall(pdata(context, 3, got(asked, 0xB000)))
        released(connection)

    with raw(serve) as peer:
        archive = archive_at(peer.dimse, timeout_s=10.0, transfer_timeout_s=20.0)
        (one,) = archive.fetch([row()], tmp_path / "not there")
    assert one.path is None
    assert one.error is not None
    assert isinstance(one.error.__cause__, OSError)
    assert list(tmp_path.iterdir()) == []
