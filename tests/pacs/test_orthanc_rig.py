"""The archive of the tests itself: reachable here and nowhere else, and gone when its test is."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from orthanc_rig import AE_TITLE, OUR_AE_TITLE, Orthanc, unshare_command, why_not
from pynetdicom import AE, evt
from pynetdicom.sop_class import (
    StudyRootQueryRetrieveInformationModelMove,
    UltrasoundMultiFrameImageStorage,
    Verification,
)

LISTEN = "0A"  # include/net/tcp_states.h


def listening(table: str) -> set[tuple[str, int]]:
    """(address as /proc writes it, port) of all that listens."""
    found = set()
    for name in ("tcp", "tcp6"):
        for line in Path(table, name).read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == LISTEN:
                address, port = words[1].rsplit(":", 1)
                found.add((address, int(port, 16)))
    return found


def is_loopback(address: str) -> bool:
    return address == "0100007F" or address == "0" * 24 + "01000000"


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def wait_until(true: Callable[[], bool], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(0.02)


def test_it_answers_over_dicomweb_and_dimse(orthanc: Orthanc) -> None:
    assert orthanc.call("/dicom-web/studies?limit=1") == []
    host, port = orthanc.dimse.split("@")[1].split(":")
    entity = AE(ae_title=OUR_AE_TITLE)
    entity.add_requested_context(Verification)
    link = entity.associate(host, int(port), ae_title=AE_TITLE)
    assert link.is_established
    assert link.send_c_echo().Status == 0
    link.release()


def test_nothing_of_it_listens_outside_but_the_loopback(orthanc: Orthanc) -> None:
    assert orthanc.pid is not None
    ours, its = Path("/proc/self/ns/net"), Path(f"/proc/{orthanc.pid}/ns/net")
    assert ours.readlink() != its.readlink()
    inside = listening(f"/proc/{orthanc.pid}/net")
    anywhere = {port for address, port in inside if not is_loopback(address)}
    assert anywhere == set(orthanc.ports), "Orthanc 1.10 is known to listen on every address"
    outside = {(address, port) for address, port in listening("/proc/self/net") if port in orthanc.ports}
    assert {port for _, port in outside} == set(orthanc.ports)
    assert all(is_loopback(address) for address, _ in outside)


def test_it_keeps_the_very_bytes_and_its_ports_through_a_kill(
    orthanc: Orthanc, sample_study_dir: Path
) -> None:
    files = sorted(sample_study_dir.glob("*.dcm"))
    key = orthanc.add(files[0])
    before = (orthanc.url, orthanc.dimse, orthanc.move_port)
    orthanc.kill()
    with pytest.raises(urllib.error.URLError, match="refused"):
        orthanc.call("/system")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", orthanc.ports[1]), timeout=5)
    orthanc.start()
    assert (orthanc.url, orthanc.dimse, orthanc.move_port) == before
    assert orthanc.call(f"/instances/{key}/file") == files[0].read_bytes()
    assert list(orthanc.files()) == [pydicom.dcmread(files[0], stop_before_pixels=True).SOPInstanceUID]
    orthanc.stop()
    orthanc.start()
    assert orthanc.count() == 1
    orthanc.empty()
    assert (orthanc.count(), orthanc.count("studies"), orthanc.changes()) == (0, 0, [])


def test_it_moves_to_a_listener_out_here(orthanc: Orthanc, sample_study_dir: Path) -> None:
    source = min(sample_study_dir.glob("*.dcm"), key=lambda file: file.stat().st_size)
    orthanc.add(source)
    wanted = pydicom.dcmread(source)
    got: list[bytes] = []

    def keep(event: evt.Event) -> int:
        got.append(event.dataset.PixelData)
        return 0

    entity = AE(ae_title=OUR_AE_TITLE)
    entity.add_supported_context(UltrasoundMultiFrameImageStorage, wanted.file_meta.TransferSyntaxUID)
    entity.add_requested_context(StudyRootQueryRetrieveInformationModelMove)
    receiver = entity.start_server(
        ("127.0.0.1", orthanc.move_port), block=False, evt_handlers=[(evt.EVT_C_STORE, keep)]
    )
    try:
        host, port = orthanc.dimse.split("@")[1].split(":")
        link = entity.associate(host, int(port), ae_title=AE_TITLE)
        asked = pydicom.Dataset()
        asked.QueryRetrieveLevel = "STUDY"
        asked.StudyInstanceUID = wanted.StudyInstanceUID
        answers = [
            status.Status
            for status, _ in link.send_c_move(asked, OUR_AE_TITLE, StudyRootQueryRetrieveInformationModelMove)
        ]
        link.release()
    finally:
        receiver.shutdown()
    assert answers[-1] == 0
    assert got == [wanted.PixelData]
    orthanc.empty()


def test_a_connection_in_use_breaks_off_at_a_kill(orthanc: Orthanc) -> None:
    with socket.create_connection(("127.0.0.1", orthanc.ports[0]), timeout=10) as half:
        half.sendall(b"POST /instances HTTP/1.1\r\nHost: here\r\nContent-Length: 1000000\r\n\r\nDICM")
        time.sleep(0.1)
        orthanc.kill()
        try:
            rest = half.recv(1000)
        except ConnectionError:
            rest = b""
    assert rest == b""
    orthanc.start()
    assert orthanc.count() == 0


def test_a_login_is_asked_for_where_there_is_one(make_orthanc: Callable[..., Orthanc]) -> None:
    closed = make_orthanc(login=("anna", "secret"))
    assert closed.call("/dicom-web/studies") == []
    closed.login = None
    with pytest.raises(urllib.error.HTTPError, match="401"):
        closed.call("/dicom-web/studies")


@pytest.mark.skipif(bool(why_not()), reason=why_not())
def test_it_dies_with_a_test_run_that_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from orthanc_rig import Orthanc\n"
        "archive = Orthanc(Path(sys.argv[1])); print(archive.pid, archive._inside.pid, flush=True)\n"
        "time.sleep(600)"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, env=environment
    ) as run:
        assert run.stdout is not None
        pids = [int(word) for word in run.stdout.readline().split()]
        assert len(pids) == 2
        assert all(alive(pid) for pid in pids)
        run.send_signal(signal.SIGKILL)
        run.wait()
        wait_until(lambda: not any(alive(pid) for pid in pids))


@pytest.mark.skipif(bool(why_not()), reason=why_not())
def test_close_leaves_no_process_and_no_thread(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    archive = Orthanc(tmp_path)
    pids = (archive.pid, archive._inside.pid)
    archive.close()
    assert not any(pid is not None and alive(pid) for pid in pids)
    assert set(threading.enumerate()) <= before


def test_without_the_right_it_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    assert unshare_command()[0] == "unshare"
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("orthanc_rig.PLUGIN", Path("/nowhere/plugin.so"))
    assert "orthanc-dicomweb" in why_not.__wrapped__()
