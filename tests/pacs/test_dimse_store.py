"""C-STORE: the bytes of a file as they are, and what the other side says of them in words."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from dimse_peers import accept, behaved, command, pdata, raw, read_pdu, request_of, until_closed
from hypothesis import given, settings
from hypothesis import strategies as st
from many_studies import make_studies
from pynetdicom import evt
from pynetdicom.dsutils import split_dataset
from test_dimse_hostile import US, archive_at, ends_in_time

from veinscan.errors import CancelledError
from veinscan.pacs.dimse_words import query_status, store_status, store_warning

EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
SYNTAXES = [EXPLICIT, IMPLICIT, "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.5"]
KINDS = [US, "1.2.840.10008.5.1.4.1.1.3.1", "1.2.840.10008.5.1.4.1.1.88.33"]
PATIENT = {"timeout_s": 10.0, "transfer_timeout_s": 30.0}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    (made,) = make_studies(tmp_path_factory.mktemp("store"), 1, shape=(24, 32)).values()
    return made


def data_set(path: Path) -> bytes:
    return path.read_bytes()[split_dataset(path)[1] :]


def uid(path: Path) -> str:
    return str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID)


def answered(asked: Any, status: int) -> bytes:
    return command(
        AffectedSOPClassUID=asked.AffectedSOPClassUID,
        CommandField=0x8001,
        MessageIDBeingRespondedTo=asked.MessageID,
        CommandDataSetType=0x0101,
        Status=status,
        AffectedSOPInstanceUID=asked.AffectedSOPInstanceUID,
    )


@pytest.mark.parametrize("size", [1_000, 16_384, 131_072])
def test_every_transfer_syntax_goes_as_it_is(files: list[Path], size: int) -> None:
    got: dict[str, tuple[str, bytes]] = {}

    def keep(event: Any) -> int:
        got[str(event.request.AffectedSOPInstanceUID)] = (
            str(event.context.transfer_syntax),
            event.request.DataSet.getvalue(),
        )
        return 0x0000

    with behaved(
        [(kind, SYNTAXES) for kind in KINDS], [(evt.EVT_C_STORE, keep)], maximum_pdu_size=size
    ) as dimse:
        outcomes = archive_at(dimse, **PATIENT).store(files)
    assert [(one.accepted, one.code, one.reason) for one in outcomes] == [(True, None, "")] * len(files)
    assert [one.sop_instance_uid for one in outcomes] == [uid(path) for path in files]
    for path in files:
        syntax, data = got[uid(path)]
        assert syntax == pydicom.filereader.read_file_meta_info(path).TransferSyntaxUID
        assert data == data_set(path)
    assert len({syntax for syntax, _ in got.values()}) == 4


def test_what_the_archive_does_not_take_is_never_converted(files: list[Path]) -> None:
    got: list[str] = []

    def keep(event: Any) -> int:
        got.append(str(event.request.AffectedSOPInstanceUID))
        return 0x0000

    with behaved([(kind, [EXPLICIT]) for kind in KINDS], [(evt.EVT_C_STORE, keep)]) as dimse:
        outcomes = archive_at(dimse, **PATIENT).store(files)
    plain = [pydicom.filereader.read_file_meta_info(path).TransferSyntaxUID == EXPLICIT for path in files]
    assert [one.accepted for one in outcomes] == plain
    assert got == [uid(path) for path, is_plain in zip(files, plain, strict=True) if is_plain]
    for one in outcomes:
        assert one.accepted or "in this transfer syntax" in one.reason
        assert not one.temporary


STATUSES = [
    (0x0000, True, False, ""),
    (0xB000, True, False, "coercion"),
    (0xB006, True, False, "without some of its elements"),
    (0xB007, True, False, "does not fit its kind"),
    (0x0111, True, False, "has it already"),
    (0xA700, False, True, "out of resources"),
    (0xA7FF, False, True, "out of resources"),
    (0xA900, False, False, "does not fit its kind"),
    (0xC000, False, False, "cannot understand"),
    (0xCFFF, False, False, "cannot understand"),
    (0x0122, False, False, "does not take this kind"),
    (0x0124, False, False, "not allowed"),
    (0x0110, False, True, "failed while working"),
    (0x0001, False, False, "not known"),
]


def test_statuses_in_words(files: list[Path]) -> None:
    """One association, and what is refused does not keep the next one back."""
    left = iter(STATUSES)
    handlers = [(evt.EVT_C_STORE, lambda event: next(left)[0])]
    with behaved([(kind, SYNTAXES) for kind in KINDS], handlers) as dimse:
        outcomes = archive_at(dimse, **PATIENT).store(files[:1] * len(STATUSES))
    for one, (status, accepted, temporary, words) in zip(outcomes, STATUSES, strict=True):
        assert (one.accepted, one.temporary, one.code) == (accepted, temporary, status or None)
        assert words in one.reason
        assert accepted or f"{status:04X}" in one.reason


@given(st.integers(0, 0xFFFF))
@settings(max_examples=200)
def test_every_status_has_words(status: int) -> None:
    warning = store_warning(status)
    assert bool(warning) == (0xB000 <= status <= 0xBFFF)
    assert store_status(status).reason
    assert query_status(status).reason
    assert store_status(status).temporary == (0xA700 <= status <= 0xA7FF or status in (0x0110, 0x0213))


def test_a_file_that_is_none_does_not_keep_others_back(files: list[Path], tmp_path: Path) -> None:
    (tmp_path / "text.dcm").write_text("hello")
    (tmp_path / "empty.dcm").touch()
    (tmp_path / "only meta.dcm").write_bytes(files[0].read_bytes()[: split_dataset(files[0])[1]])
    with behaved([(kind, SYNTAXES) for kind in KINDS], [(evt.EVT_C_STORE, lambda event: 0)]) as dimse:
        outcomes = archive_at(dimse, **PATIENT).store(
            [*sorted(tmp_path.iterdir()), tmp_path / "gone", files[0]]
        )
    assert [one.accepted for one in outcomes] == [False, False, False, False, True]
    assert all(not one.temporary and "no DICOM file" in one.reason for one in outcomes[:-1])


def test_one_that_the_archive_stumbles_over_does_not_keep_others_back(files: list[Path]) -> None:
    taken: list[str] = []

    def serve(connection: socket.socket) -> None:
        accept(connection)
        while True:
            context, asked = request_of(connection)
            if asked.AffectedSOPInstanceUID == uid(files[1]):
                return  # the connection breaks off
            taken.append(str(asked.AffectedSOPInstanceUID))
            connection.sendall(pdata(context, 3, answered(asked, 0)))

    with raw(serve) as peer:
        outcomes = archive_at(peer.dimse, **PATIENT).store(files)
        assert peer.calls == 2
    assert [one.accepted for one in outcomes] == [True, False, True, True, True]
    assert outcomes[1].temporary
    assert outcomes[1].sop_instance_uid == uid(files[1])
    assert taken == [uid(path) for path in files if path != files[1]]


def test_an_archive_that_always_breaks_off_is_not_asked_for_ever(files: list[Path]) -> None:
    def serve(connection: socket.socket) -> None:
        accept(connection)
        request_of(connection)

    with raw(serve) as peer:
        outcomes = archive_at(peer.dimse, **PATIENT).store(files)
        assert peer.calls == 3
    assert [(one.accepted, one.temporary) for one in outcomes] == [(False, True)] * len(files)


def test_no_connection_at_all_is_an_error(files: list[Path]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    assert ends_in_time(lambda: archive_at(f"PEER@127.0.0.1:{port}").store(files)).step == "tcp"


def big(path: Path, size: int) -> Path:
    dataset = pydicom.Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = US, "1.2.3.77"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3", "1.2.3.4"
    dataset.add_new(0x00091001, "OB", np.random.default_rng(1).bytes(size))
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = EXPLICIT
    dataset.save_as(path, enforce_file_format=True)
    return path


def test_a_peer_that_does_not_read_is_left(tmp_path: Path) -> None:
    def serve(connection: socket.socket) -> None:
        accept(connection)
        peer.over.wait(20)

    file = big(tmp_path / "big.dcm", 40_000_000)
    with raw(serve) as peer:
        (one,) = archive_at(peer.dimse).store([file])
        peer.over.set()
    assert (one.accepted, one.temporary) == (False, True)


def test_an_answer_before_the_end_of_an_object_is_none(tmp_path: Path) -> None:
    def serve(connection: socket.socket) -> None:
        accept(connection)
        early = command(
            AffectedSOPClassUID=US, CommandField=0x8001, MessageIDBeingRespondedTo=1,
            CommandDataSetType=0x0101, Status=0, AffectedSOPInstanceUID="1.2.3.77",
        )  # fmt: skip
        connection.sendall(pdata(1, 3, early))
        until_closed(connection)

    file = big(tmp_path / "big.dcm", 40_000_000)
    with raw(serve) as peer:
        (one,) = archive_at(peer.dimse, **PATIENT).store([file])
    assert not one.accepted


def test_a_stop_within_an_object_aborts(tmp_path: Path) -> None:
    begun: list[int] = []
    ended: list[int] = []

    def serve(connection: socket.socket) -> None:
        accept(connection)
        begun.append(read_pdu(connection)[0])
        while (kind := read_pdu(connection)[0]) == 4:
            pass
        ended.append(kind)

    file = big(tmp_path / "big.dcm", 40_000_000)
    with raw(serve) as peer, pytest.raises(CancelledError):
        archive_at(peer.dimse, **PATIENT).store([file], stop=lambda: bool(begun))
    assert (begun, ended) == ([4], [7])
