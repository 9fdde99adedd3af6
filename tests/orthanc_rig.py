"""A real archive for the tests: Orthanc, in a network namespace of its own.

Orthanc 1.10 listens on every address and cannot be told otherwise, so it runs where
there is only a loopback: in `unshare -n` (root) or `unshare -rn`.  A small relay,
`orthanc_inside`, makes it reachable at 127.0.0.1 and nowhere else, over DICOMweb and
over DIMSE, and lets a C-MOVE come back.  `orthanc` and `archive_settings` are for every
part of the suite; they skip, with the reason, where no Orthanc can run.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
LOOPBACK = "127.0.0.1"
AE_TITLE = "ORTHANC"
OUR_AE_TITLE = "VEINSCAN"
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")


def orthanc_program() -> str | None:
    """Debian puts it beside the programs of the administrator."""
    return shutil.which("Orthanc", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


def unshare_command() -> list[str]:
    """A new network namespace; without root, together with a user namespace in which we are root."""
    return ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-r", "-n"]


@functools.cache
def why_not() -> str:
    """Why no Orthanc can run here; empty if it can."""
    if orthanc_program() is None or not PLUGIN.exists():
        return "no Orthanc with its DICOMweb plugin (Debian packages orthanc, orthanc-dicomweb)"
    if shutil.which("unshare") is None:
        return "no `unshare` (package util-linux)"
    tried = subprocess.run([*unshare_command(), "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        return f"no network namespace may be made here: {tried.stderr.strip() or tried.returncode}"
    return ""


def configuration(
    folder: Path, http: int, dimse: int, move_port: int, *, login: tuple[str, str] | None = None
) -> dict[str, Any]:
    """Orthanc's settings; it keeps everything in `folder` and answers this machine only."""
    return {
        "Name": "Test archive",
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "index"),
        "TemporaryDirectory": str(folder),
        "Plugins": [str(PLUGIN)],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        "HttpPort": http,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": login is not None,
        "RegisteredUsers": dict([login]) if login else {},
        "DicomAet": AE_TITLE,
        "DicomCheckCalledAet": True,
        "DicomPort": dimse,
        "DicomModalities": {"veinscan": [OUR_AE_TITLE, LOOPBACK, move_port]},
        "OverwriteInstances": False,
        "SaveJobs": False,
    }


def reserve_port() -> socket.socket:
    """A port of the loopback that nobody else is given while this is open, and that we may listen on."""
    held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind((LOOPBACK, 0))
    return held


def port_of(held: socket.socket) -> int:
    port: int = held.getsockname()[1]
    return port


def listen_on(held: socket.socket) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(held.getsockname())
    listener.listen(64)
    return listener


class Orthanc:
    """One Orthanc with its storage in `folder`; started when made, until `close`.

    `url` is the root of DICOMweb, `rest` that of Orthanc's own interface, `dimse` its
    address for `--dimse`.  `move_port` is where a C-MOVE to VEINSCAN comes to, at
    127.0.0.1 out here.  The ports stay the same over `kill`, `stop` and `start`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        login: tuple[str, str] | None = None,
        extra: dict[str, Any] | None = None,
        verbose: bool = False,
    ) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.login = login
        self.verbose = verbose
        self.pid: int | None = None
        self._held = [reserve_port() for _ in range(3)]
        http, dimse, self.move_port = (port_of(held) for held in self._held)
        self.rest = f"http://{LOOPBACK}:{http}"
        self.url = f"{self.rest}/dicom-web"
        self.dimse = f"{AE_TITLE}@{LOOPBACK}:{dimse}"
        self.ports = (http, dimse)
        self.config = folder / "orthanc.json"
        settings = configuration(folder, http, dimse, self.move_port, login=login) | (extra or {})
        self.config.write_text(json.dumps(settings, indent=1))
        self._control, control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._dialer, dialer = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with control, dialer:
            self._inside = subprocess.Popen(
                [*unshare_command(), sys.executable, "-I", "-S", str(HERE / "orthanc_inside.py"),
                 str(control.fileno()), str(dialer.fileno()), str(self.move_port)],
                pass_fds=(control.fileno(), dialer.fileno()), stdin=subprocess.DEVNULL,
            )  # fmt: skip
        self._dialling = threading.Thread(target=self._dial, name="orthanc-dialer", daemon=True)
        self._dialling.start()
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    # -- running -----------------------------------------------------------

    def start(self) -> None:
        """Start it, on the same storage and ports as before; ready when this returns."""
        assert self.pid is None, "Orthanc is running"
        listeners = [listen_on(held) for held in self._held[:2]]
        try:
            answer = self._ask(
                {
                    "do": "start",
                    "command": [orthanc_program(), *["--verbose"] * self.verbose, str(self.config)],
                    "log": str(self.folder / "orthanc.log"),
                    "http": self.ports[0],
                    "dimse": self.ports[1],
                },
                [listener.fileno() for listener in listeners],
            )
        finally:
            for listener in listeners:
                listener.close()
        if "pid" not in answer:
            raise RuntimeError(f"{answer.get('error')}\n{self.log()[-3000:]}")
        self.pid = answer["pid"]

    def kill(self) -> None:
        """kill -9, whatever it is doing."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end, as an administrator would."""
        self._end(signal.SIGTERM)

    def close(self) -> None:
        """End it and all that belongs to it."""
        for end in (self._control, self._dialer):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._dialling.join(10)
        self._inside.wait(20)
        for end in (self._control, self._dialer, *self._held):
            end.close()
        self.pid = None

    def _end(self, number: int) -> None:
        self._ask({"do": "end", "signal": number})
        self.pid = None

    def _ask(self, asked: dict[str, Any], fds: list[int] | None = None) -> dict[str, Any]:
        socket.send_fds(self._control, [json.dumps(asked).encode()], fds or [])
        answer: dict[str, Any] = json.loads(
            self._control.recv(1 << 16) or b'{"error": "the relay has ended"}'
        )
        return answer

    def _dial(self) -> None:
        """The way back: a connection to a listener out here, made here and handed inside."""
        while True:
            try:
                if not self._dialer.recv(16):
                    return
                try:
                    back = socket.create_connection((LOOPBACK, self.move_port), timeout=5)
                except OSError:
                    self._dialer.send(b"refused")
                    continue
                with back:
                    socket.send_fds(self._dialer, [b"here"], [back.fileno()])
            except OSError:
                return

    # -- what it holds -----------------------------------------------------

    def call(self, path: str, *, method: str = "GET", body: Any = None) -> Any:
        """Orthanc's own interface; JSON as Python's values, everything else as bytes."""
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.rest}{path}", data=data, method=method)  # noqa: S310  # always http, to the loopback
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        if self.login:
            manager = urllib.request.HTTPPasswordMgrWithDefaultRealm()
            manager.add_password(None, self.rest, *self.login)
            opener.add_handler(urllib.request.HTTPBasicAuthHandler(manager))
        with opener.open(request, timeout=60) as answer:
            found: bytes = answer.read()
            is_json = answer.headers.get_content_type() in ("application/json", "application/dicom+json")
        return json.loads(found) if is_json and found else found

    def empty(self) -> None:
        """Remove all that it holds, and its log of changes."""
        if held := self.call("/patients"):
            self.call("/tools/bulk-delete", method="POST", body={"Resources": held})
        self.call("/changes", method="DELETE")

    def count(self, level: str = "instances") -> int:
        """How many 'patients', 'studies', 'series' or 'instances' it says it holds."""
        return int(self.call("/statistics")[f"Count{level.capitalize()}"])

    def files(self) -> dict[str, bytes]:
        """Every object that it holds, as the file it keeps, by SOP Instance UID."""
        return {uid: self.call(f"/instances/{key}/file") for uid, key in self.keys().items()}

    def keys(self) -> dict[str, str]:
        """Orthanc's own name of each object, by SOP Instance UID; fails if one is held twice."""
        rows = self.call("/instances?expand")
        found = {row["MainDicomTags"]["SOPInstanceUID"]: row["ID"] for row in rows}
        assert len(found) == len(rows), "an object is held twice"
        return found

    def changes(self) -> list[tuple[str, str]]:
        """Its log: (what, Orthanc's name), for example ('NewInstance', ...), oldest first."""
        found: list[tuple[str, str]] = []
        last = 0
        while True:
            page = self.call(f"/changes?since={last}&limit=1000")
            found += [(row["ChangeType"], row["ID"]) for row in page["Changes"]]
            last = page["Last"]
            if page["Done"]:
                return found

    def add(self, file: Path | bytes) -> str:
        """Put a file into it past veinscan; its own name of the object."""
        data = file if isinstance(file, bytes) else file.read_bytes()
        return str(self.call("/instances", method="POST", body=data)["ID"])

    def log(self) -> str:
        """What it wrote since it was made; with `verbose` a line for every object that it had already."""
        place = self.folder / "orthanc.log"
        return place.read_text(errors="replace") if place.exists() else ""


def settings_text(name: str, archive: Orthanc) -> str:
    """The table of a settings file that names this archive."""
    user = f'user = "{archive.login[0]}"\nauth = "basic"\n' if archive.login else ""
    return (
        f'[pacs.{name}]\nurl = "{archive.url}"\ndimse = "{archive.dimse}"\n'
        f'calling_aet = "{OUR_AE_TITLE}"\nmove_port = {archive.move_port}\n{user}'
    )


@pytest.fixture(scope="module")
def make_orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Orthanc]]:
    """`make_orthanc(login=('user', 'password'), extra={...})`: one more archive, until the module is over."""
    if reason := why_not():
        pytest.skip(reason)
    with contextlib.ExitStack() as stack:

        def make(**options: Any) -> Orthanc:
            made = Orthanc(tmp_path_factory.mktemp("orthanc"), **options)
            stack.callback(made.close)
            return made

        yield make


@pytest.fixture(scope="module")
def orthanc(make_orthanc: Callable[..., Orthanc]) -> Orthanc:
    """A real archive, empty when the module begins."""
    return make_orthanc()


@pytest.fixture
def archive_settings(
    orthanc: Orthanc, tmp_path: Path, own_user_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A settings file in which `orthanc` is the archive 'test', in force for this test; data in tmp too."""
    place = tmp_path / "settings.toml"
    place.write_text(settings_text("test", orthanc), encoding="utf-8")
    monkeypatch.setenv("VEINSCAN_SETTINGS", str(place))
    monkeypatch.setenv("VEINSCAN_DATA_DIR", str(tmp_path / "data"))
    return place
