"""C-MOVE: who may come to our storage, with what, and that it is closed before and after."""

from __future__ import annotations

import gc
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trustme
from dimse_peers import LOOPBACK, TITLE, raw, silent_connections
from pynetdicom import AE, build_context, evt
from pynetdicom.sop_class import Verification
from test_dimse_hostile import EXPLICIT, IMPLICIT, US, data_set, ends_in_time, row

from veinscan.errors import CancelledError, PacsError
from veinscan.pacs.dimse import DimseArchive
from veinscan.pacs.dimse_move import MOVE
from veinscan.settings_pacs import PacsConfig

# the archive of these tests is made of pynetdicom, which forgets sockets that the other side has closed;
# ours are looked after by the tests with raw sockets
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as held:
        return int(held.getsockname()[1])


class Mover:
    """An archive that answers a C-MOVE by what `send` does with the way back."""

    def __init__(self, send: Any, *, tls: ssl.SSLContext | None = None) -> None:
        self.port_back = free_port()
        self.asked: list[Any] = []
        self._send = send
        entity = AE(ae_title=TITLE)
        entity.add_supported_context(MOVE, [IMPLICIT, EXPLICIT])
        self.server = entity.start_server(
            (LOOPBACK, 0), block=False, evt_handlers=[(evt.EVT_C_MOVE, self._move)], ssl_context=tls
        )
        self.dimse = f"{TITLE}@{LOOPBACK}:{self.server.socket.getsockname()[1]}"

    def _move(self, event: Any) -> Iterator[Any]:
        # by hand, and not by pynetdicom's own way back: the tests misuse it
        self.asked.append((str(event.move_destination), event.identifier))
        self._send(self)
        yield (LOOPBACK, self.port_back, {"contexts": [build_context(US)]})
        yield 0

    def back(self, *, calling: str = TITLE, called: str = "VEINSCAN", tls: Any = None) -> Any:
        entity = AE(ae_title=calling)
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 10
        entity.add_requested_context(US, [EXPLICIT])
        entity.add_requested_context(Verification)
        return entity.associate(LOOPBACK, self.port_back, ae_title=called, tls_args=tls)

    def close(self) -> None:
        self.server.shutdown()


def config_of(mover: Mover, **more: Any) -> PacsConfig:
    values = {
        "name": "test", "dimse": mover.dimse, "move_port": mover.port_back,
        "timeout_s": 10.0, "transfer_timeout_s": 20.0,
    }  # fmt: skip
    return PacsConfig(**(values | more))


def send_object(association: Any, number: int = 1) -> int:
    """C-STORE of bytes as they are; the status."""
    from io import BytesIO

    from pynetdicom.dimse_primitives import C_STORE

    context = next(one for one in association.accepted_contexts if one.abstract_syntax == US)
    request = C_STORE()
    request.MessageID = number
    request.AffectedSOPClassUID, request.AffectedSOPInstanceUID = US, f"1.2.3.4.{number}"
    request.Priority = 0
    request.DataSet = BytesIO(data_set(number))
    association._reactor_checkpoint.clear()
    while not association._is_paused:
        pass
    association.dimse.send_msg(request, context.context_id)
    _, answer = association.dimse.get_msg(block=True)
    association._reactor_checkpoint.set()
    return int(answer.Status)


@pytest.fixture
def mover(request: pytest.FixtureRequest) -> Iterator[Any]:
    made: list[Mover] = []

    def make(send: Any, **more: Any) -> Mover:
        made.append(Mover(send, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()
    made.clear()
    gc.collect()  # while the warnings of sockets that pynetdicom forgot are let pass


def test_what_was_asked_for_comes_and_nothing_else(mover: Any, tmp_path: Path) -> None:
    said: dict[str, Any] = {}

    def send(mine: Mover) -> None:
        for calling, called in (("STRANGER", "VEINSCAN"), (TITLE, "OTHER"), ("", "")):
            said[calling, called] = mine.back(calling=calling or "X", called=called or "Y").is_rejected
        association = mine.back()
        said["echo"] = association.send_c_echo().Status
        said.setdefault("objects", [send_object(association, number) for number in (1, 99, 3, 1)])
        association.release()

    mine = mover(send)
    came = list(DimseArchive(config_of(mine)).fetch([row(1), row(2), row(3)], tmp_path))
    assert said == {
        ("STRANGER", "VEINSCAN"): True, (TITLE, "OTHER"): True, ("", ""): True,
        "echo": 0x0000, "objects": [0x0000, 0x0124, 0x0000, 0x0124],
    }  # fmt: skip
    paths = {one.instance.sop_instance_uid: one.path for one in came}
    assert paths["1.2.3.4.2"] is None
    for number in (1, 3):
        path = paths[f"1.2.3.4.{number}"]
        assert path is not None
        assert path.read_bytes().endswith(data_set(number))
    destination, asked = mine.asked[0]
    assert destination == "VEINSCAN"
    assert asked.QueryRetrieveLevel == "IMAGE"
    assert list(asked.SOPInstanceUID) == ["1.2.3.4.1", "1.2.3.4.2", "1.2.3.4.3"]
    # what did not come is asked for once more, alone
    assert [one.SOPInstanceUID for _, one in mine.asked[1:]] == ["1.2.3.4.2"]
    assert len(list(tmp_path.iterdir())) == 2


def test_nobody_listens_before_and_after(mover: Any, tmp_path: Path) -> None:
    listening: list[Any] = []

    def send(mine: Mover) -> None:
        with socket.create_connection((LOOPBACK, mine.port_back), timeout=5) as there:
            listening.append(there.getpeername()[0])

    mine = mover(send)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((LOOPBACK, mine.port_back), timeout=5)
    (one,) = DimseArchive(config_of(mine)).fetch([row()], tmp_path)
    assert one.path is None
    assert listening == [LOOPBACK]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((LOOPBACK, mine.port_back), timeout=5)
    # bound to the one address that the archive reaches us at
    assert _addresses_of_listeners(mine.port_back) == set()


def _addresses_of_listeners(port: int) -> set[str]:
    table = Path("/proc/self/net/tcp")
    if not table.exists():
        return set()
    rows = [line.split() for line in table.read_text().splitlines()[1:]]
    return {words[1] for words in rows if words[3] == "0A" and int(words[1].split(":")[1], 16) == port}


def test_callers_who_say_nothing_do_not_keep_the_archive_out(mover: Any, tmp_path: Path) -> None:
    def send(mine: Mover) -> None:
        with silent_connections(mine.port_back, 3):
            association = mine.back()
            assert send_object(association) == 0
            association.release()

    (one,) = DimseArchive(config_of(mover(send))).fetch([row()], tmp_path)
    assert one.path is not None


def test_a_port_that_is_taken_is_told(mover: Any, tmp_path: Path) -> None:
    mine = mover(lambda mine: None)
    with socket.create_server((LOOPBACK, mine.port_back)):
        error = ends_in_time(lambda: list(DimseArchive(config_of(mine)).fetch([row()], tmp_path)))
    assert (error.step, error.temporary) == ("move", True)
    assert f"port {mine.port_back} (move_port)" in error.what


def test_an_archive_that_never_sends_ends_in_time(mover: Any, tmp_path: Path) -> None:
    over = threading.Event()
    mine = mover(lambda mine: over.wait(20))
    try:
        error = ends_in_time(
            lambda: list(
                DimseArchive(config_of(mine, timeout_s=0.5, transfer_timeout_s=1.0)).fetch([row()], tmp_path)
            )
        )
        assert error.step == "move"
        with pytest.raises(CancelledError):
            list(DimseArchive(config_of(mine)).fetch([row()], tmp_path, stop=lambda: bool(mine.asked[1:])))
    finally:
        over.set()
    assert list(tmp_path.iterdir()) == []


def test_it_drops_the_way_back_in_the_middle(mover: Any, tmp_path: Path) -> None:
    def send(mine: Mover) -> None:
        association = mine.back()
        assert send_object(association, 1) == 0
        association.dul.socket.socket.shutdown(socket.SHUT_RDWR)

    mine = mover(send)
    came = list(DimseArchive(config_of(mine)).fetch([row(1), row(2)], tmp_path))
    assert {one.instance.sop_instance_uid: one.path is not None for one in came} == {
        "1.2.3.4.1": True, "1.2.3.4.2": False,
    }  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["1.2.3.4.1.dcm"]


def test_an_archive_that_does_not_know_where_to_move_to(mover: Any, tmp_path: Path) -> None:
    def unknown(event: Any) -> Iterator[Any]:
        asked.append(event.identifier)
        yield None, None

    asked: list[Any] = []
    mine = mover(lambda mine: None)
    mine.server.bind(evt.EVT_C_MOVE, unknown)
    error = ends_in_time(
        lambda: list(DimseArchive(config_of(mine)).fetch([row(1), row(2), row(3)], tmp_path))
    )
    assert "does not know where to move to (status A801)" in error.what
    assert "enter our AE title with this machine's address and move_port" in error.do
    assert len(asked) == 1


def test_two_at_once_wait_for_each_other(mover: Any, tmp_path: Path) -> None:
    def send(mine: Mover) -> None:
        association = mine.back()
        for number in range(1, 4):
            send_object(association, number)
        association.release()

    archive = DimseArchive(config_of(mover(send)))
    got: list[int] = []

    def fetch(folder: Path) -> None:
        folder.mkdir()
        came = list(archive.fetch([row(1), row(2), row(3)], folder))
        got.append(sum(one.path is not None for one in came))

    threads = [threading.Thread(target=fetch, args=(tmp_path / str(n),)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert got == [3, 3, 3]


# -- through TLS -------------------------------------------------------------------


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("papers")
    authority, other = trustme.CA(), trustme.CA()
    server, ours = authority.issue_cert(LOOPBACK), authority.issue_cert(LOOPBACK)
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    other.cert_pem.write_to_path(str(folder / "other.pem"))
    ours.private_key_and_cert_chain_pem.write_to_path(str(folder / "ours.pem"))
    listening = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.configure_cert(listening)
    listening.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(listening)
    calling = ssl.create_default_context()
    server.configure_cert(calling)
    authority.configure_trust(calling)
    return {"folder": folder, "listening": listening, "calling": calling}


def test_there_and_back_through_tls(mover: Any, papers: dict[str, Any], tmp_path: Path) -> None:
    back: list[bool] = []

    def send(mine: Mover) -> None:
        plain = mine.back()
        back.append(plain.is_established)
        nameless = ssl.create_default_context(cafile=str(papers["folder"] / "ca.pem"))
        back.append(mine.back(tls=(nameless, LOOPBACK)).is_established)
        association = mine.back(tls=(papers["calling"], LOOPBACK))
        back.append(association.is_established)
        assert send_object(association) == 0
        association.release()

    mine = mover(send, tls=papers["listening"])
    config = config_of(
        mine, dimse_tls=True, ca_bundle=papers["folder"] / "ca.pem",
        client_certificate=papers["folder"] / "ours.pem",
    )  # fmt: skip
    (one,) = DimseArchive(config).fetch([row()], tmp_path)
    assert one.path is not None
    assert back == [False, False, True]
    for wrong, step in (
        ({"ca_bundle": papers["folder"] / "other.pem"}, "tls"),
        ({"client_certificate": None, "move_port": None}, "tls"),
        ({"client_certificate": None}, "settings"),
        ({"dimse_tls": False}, "association"),
    ):
        with pytest.raises(PacsError) as caught:
            list(DimseArchive(replace(config, **wrong)).fetch([row(2)], tmp_path))
        assert caught.value.step == step, wrong


def test_a_plain_archive_where_tls_is_set(papers: dict[str, Any]) -> None:
    def babbles(connection: socket.socket) -> None:
        connection.sendall(b"\x07\x00\x00\x00\x00\x04\x00\x00\x00\x00")
        connection.recv(1000)

    with raw(babbles) as peer:
        config = PacsConfig(name="test", dimse=peer.dimse, dimse_tls=True, timeout_s=2.0)
        error = ends_in_time(DimseArchive(config).echo)
    assert error.step == "tls"
