"""A web server that says whatever a test tells it to, byte for byte, over http or https.

One function of the test writes the answers, as pieces of raw HTTP: it may be slow, endless, wrong or
broken in ways that no HTTP library would produce.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self

from pydicom.datadict import tag_for_keyword
from pydicom.uid import generate_uid

from veinscan.settings_pacs import PacsConfig


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes = field(repr=False)

    @property
    def query(self) -> str:
        return self.path.partition("?")[2]


Answer = Callable[[Request], Iterable[bytes]]


class HostileServer:
    """Listens on 127.0.0.1 until closed; `requests` holds what came."""

    def __init__(self, answer: Answer, *, tls: ssl.SSLContext | None = None, host: str = "localhost") -> None:
        self.answer = answer
        self.requests: list[Request] = []
        self.connections = 0
        self.ending = threading.Event()
        self._tls = tls
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError):
                    outer._serve(self.request)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = False
            block_on_close = True
            request_queue_size = 64

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        self.root = f"{'https' if tls else 'http'}://{host}:{self.port}"
        self.url = f"{self.root}/dicom-web"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def _serve(self, plain: socket.socket) -> None:
        self.connections += 1
        plain.settimeout(20)
        with self._tls.wrap_socket(plain, server_side=True) if self._tls else plain as sock:
            stream = sock.makefile("rb")
            while not self.ending.is_set() and (request := _read_request(stream)) is not None:
                if not request.method:
                    sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                    return
                self.requests.append(request)
                for piece in self.answer(request):
                    sock.sendall(piece)
                if request.headers.get("x-keep") != "yes":
                    with contextlib.suppress(OSError):
                        sock.shutdown(socket.SHUT_WR)
                    return

    def drip(self, pieces: Iterable[bytes], every_s: float = 0.05) -> Iterator[bytes]:
        """The pieces one by one with waits between them, until the server is closed."""
        for piece in pieces:
            if self.ending.wait(every_s):
                return
            yield piece

    def silence(self) -> Iterator[bytes]:
        """Nothing, for as long as the server lives."""
        self.ending.wait(20)
        yield from ()

    def config(self, **more: Any) -> PacsConfig:
        """Settings of an archive at this server, with short limits."""
        given = {"name": "hostile", "url": self.url, "timeout_s": 5.0, "transfer_timeout_s": 10.0} | more
        return PacsConfig(**given)

    def close(self) -> None:
        self.ending.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _read_request(stream: Any) -> Request | None:
    line = stream.readline(65536)
    if not line:
        return None
    if line.count(b" ") < 2 or not line[:3].isalpha():
        return Request("", "", {}, line)
    method, path, _ = line.decode("latin-1").split(" ", 2)
    headers: dict[str, str] = {}
    while (line := stream.readline(65536)).strip():
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    return Request(method, path, headers, stream.read(int(headers.get("content-length", "0"))))


def http(
    body: bytes = b"",
    kind: str = "application/dicom+json",
    *,
    status: str = "200 OK",
    length: bool = True,
    **headers: str,
) -> list[bytes]:
    """One well-formed answer."""
    lines = [f"HTTP/1.1 {status}", "Connection: close"]
    if kind:
        lines.append(f"Content-Type: {kind}")
    if length:
        lines.append(f"Content-Length: {len(body)}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ["\r\n".join(lines).encode("latin-1") + b"\r\n\r\n", body]


def json_answer(value: object, **headers: str) -> list[bytes]:
    return http(json.dumps(value).encode(), **headers)


def multipart(
    *bodies: bytes, boundary: str = "XyZ", kind: str = "application/dicom", end: bool = True
) -> bytes:
    parts = [f"--{boundary}\r\nContent-Type: {kind}\r\n\r\n".encode() + body + b"\r\n" for body in bodies]
    return b"".join(parts) + (f"--{boundary}--\r\n".encode() if end else b"")


def related(boundary: str = "XyZ", kind: str = "application/dicom") -> str:
    return f'multipart/related; type="{kind}"; boundary={boundary}'


def row(**values: object) -> dict[str, object]:
    """One row of an answer, by keyword."""
    return {
        f"{tag_for_keyword(keyword):08X}": {
            "vr": "LO",
            "Value": value if isinstance(value, list) else [value],
        }
        for keyword, value in values.items()
    }


def gzip_bomb(unpacked: int) -> bytes:
    """`unpacked` bytes of spaces, a thousand times smaller."""
    return gzip.compress(b" " * unpacked, 9)


def new_uid() -> str:
    return str(generate_uid())


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)
