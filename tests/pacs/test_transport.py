"""The guarded session: whom it trusts, where it goes, how much and how long it takes, what it says."""

# ruff: noqa: SIM117 - what is expected to fail stands on a line of its own
from __future__ import annotations

import gzip
import io
import logging
import socket
import ssl
import threading
import time
import traceback
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from hostile_server import HostileServer, Request, gzip_bomb, http, json_answer, wait_until

from veinscan.errors import CancelledError, PacsError
from veinscan.pacs.credentials import Credentials
from veinscan.pacs.guarded import Ask
from veinscan.pacs.transport import GuardedSession, tls_context
from veinscan.settings_pacs import PacsConfig

LOGIN = Credentials("basic", "open-sesame", "anna", "test")
OK = json_answer([])


def ask(**changed: Any) -> Ask:
    given = {
        "step": "qido",
        "max_bytes": 1_000_000,
        "seconds": 10.0,
        "pause_s": 10.0,
        "where": "here",
    } | changed
    return Ask(**given)


def get(
    server: HostileServer, *, asked: Ask | None = None, login: Credentials | None = LOGIN, **config: Any
) -> bytes:
    """What comes back from a GET; the session is closed again."""
    with GuardedSession(server.config(**config), login) as session:
        with session.opened("GET", f"{server.url}/studies?PatientName=SECRET", asked or ask()) as answer:
            return b"".join(answer.chunks())


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def bundle(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trust") / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def server_tls(authority: trustme.CA, *names: str, **more: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*(names or ("localhost",)), **more).configure_cert(context)
    return context


class TestTls:
    def test_a_certificate_of_the_bundle_is_taken(self, authority: trustme.CA, bundle: Path):
        with HostileServer(lambda request: OK, tls=server_tls(authority)) as server:
            assert get(server, ca_bundle=bundle) == b"[]"
            assert server.requests[0].headers["authorization"].startswith("Basic ")

    @pytest.mark.parametrize("how", ["unknown", "wrong host", "expired", "not yet", "itself"])
    def test_any_other_is_refused_before_a_byte_of_the_request_is_sent(
        self, authority: trustme.CA, bundle: Path, how: str
    ):
        from datetime import UTC, datetime, timedelta

        now = datetime.now(UTC)
        tls, word = {
            "unknown": lambda: (server_tls(trustme.CA()), "nobody whom this machine trusts"),
            "itself": lambda: (_self_signed(), "nobody"),
            "wrong host": lambda: (server_tls(authority, "elsewhere.example"), "another host"),
            "expired": lambda: (
                server_tls(authority, not_before=now - timedelta(9), not_after=now - timedelta(1)),
                "expired",
            ),
            "not yet": lambda: (
                server_tls(authority, not_before=now + timedelta(1), not_after=now + timedelta(9)),
                "not valid yet",
            ),
        }[how]()
        with HostileServer(lambda request: OK, tls=tls) as server:
            with pytest.raises(PacsError, match=word) as caught:
                get(server, ca_bundle=bundle)
            assert not server.requests
        assert caught.value.step == "tls"
        assert not caught.value.temporary

    def test_without_a_bundle_the_system_decides(self, authority: trustme.CA):
        with HostileServer(lambda request: OK, tls=server_tls(authority)) as server:
            with pytest.raises(PacsError, match="ca_bundle") as caught:
                get(server)
        assert caught.value.step == "tls"

    @pytest.mark.parametrize("way", ["session", "call", "environment"])
    def test_verification_cannot_be_turned_off(
        self, authority: trustme.CA, bundle: Path, way: str, monkeypatch: pytest.MonkeyPatch
    ):
        with HostileServer(lambda request: OK, tls=server_tls(authority)) as server:
            if way == "environment":
                # would make requests trust it, behind the back of the settings
                for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
                    monkeypatch.setenv(name, str(bundle))
            with GuardedSession(server.config(), None) as session, session.asking(ask()):
                if way == "session":
                    session.verify = False
                with pytest.raises(PacsError) as caught:
                    session.get(server.url, verify=way != "call")
            assert caught.value.step == "tls"
            assert not server.requests

    def test_an_old_protocol_is_refused(self, authority: trustme.CA, bundle: Path):
        assert tls_context(PacsConfig(name="x", url="https://x")).minimum_version == ssl.TLSVersion.TLSv1_2
        assert tls_context(PacsConfig(name="x", url="https://x", ca_bundle=bundle)).check_hostname

    def test_a_client_certificate_is_shown(self, authority: trustme.CA, bundle: Path, tmp_path: Path):
        tls = server_tls(authority)
        tls.verify_mode = ssl.CERT_REQUIRED
        authority.configure_trust(tls)
        ours = authority.issue_cert("veinscan@example.org")
        cert, key = tmp_path / "ours.pem", tmp_path / "ours.key"
        for blob in ours.cert_chain_pems:
            blob.write_to_path(str(cert), append=True)
        ours.private_key_pem.write_to_path(str(key))
        with HostileServer(lambda request: OK, tls=tls) as server:
            assert get(server, ca_bundle=bundle, client_certificate=cert, client_key=key) == b"[]"
            with pytest.raises(PacsError, match="certificate of ours") as caught:
                get(server, ca_bundle=bundle)
            assert caught.value.step == "tls"

    @pytest.mark.parametrize("content", [None, b"", b"not PEM"])
    @pytest.mark.parametrize("key", ["ca_bundle", "client_certificate"])
    def test_a_broken_certificate_file_is_named(self, tmp_path: Path, content: bytes | None, key: str):
        path = tmp_path / "file.pem"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(PacsError, match=r"file\.pem") as caught:
            GuardedSession(PacsConfig(name="x", url="https://localhost", **{key: path}), None)
        assert caught.value.step == "settings"

    def test_a_locked_key_is_refused_and_not_asked_for_on_the_terminal(
        self, authority: trustme.CA, tmp_path: Path
    ):
        from cryptography.hazmat.primitives import serialization as form

        ours = authority.issue_cert("veinscan@example.org")
        key = form.load_pem_private_key(ours.private_key_pem.bytes(), None)
        path = tmp_path / "both.pem"
        locked = key.private_bytes(
            form.Encoding.PEM, form.PrivateFormat.PKCS8, form.BestAvailableEncryption(b"secret")
        )
        path.write_bytes(ours.cert_chain_pems[0].bytes() + locked)
        with pytest.raises(PacsError, match="locked"):
            GuardedSession(PacsConfig(name="x", url="https://localhost", client_certificate=path), None)

    def test_plain_http_where_tls_is_expected(self):
        with HostileServer(lambda request: OK) as server:
            with pytest.raises(PacsError, match="does not speak TLS") as caught:
                _get(server.root.replace("http:", "https:"))
        assert caught.value.step == "tls"

    @pytest.mark.parametrize("piece", [b"", b"\x16\x03\x03\x40\x00", b"x"])
    def test_a_handshake_without_end(self, piece: bytes):
        ending = threading.Event()

        def serve(listener: socket.socket) -> None:
            client, _ = listener.accept()
            with client:
                while piece and not ending.wait(0.02):
                    try:
                        client.sendall(piece)
                    except OSError:
                        return
                ending.wait(20)

        with socket.create_server(("127.0.0.1", 0)) as listener:
            thread = threading.Thread(target=serve, args=(listener,))
            thread.start()
            config = PacsConfig(name="x", url=f"https://localhost:{listener.getsockname()[1]}", timeout_s=0.4)
            began = time.monotonic()
            try:
                with GuardedSession(config, LOGIN) as session, pytest.raises(PacsError) as caught:
                    with session.opened("GET", config.url, ask()):
                        pass
                assert time.monotonic() - began < 15
            finally:
                ending.set()
                thread.join()
        assert caught.value.step in ("tcp", "tls")


def _self_signed() -> ssl.SSLContext:
    """An authority's own certificate in place of one that it issued."""
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(1))
        .not_valid_after(now + datetime.timedelta(9))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pem = made.public_bytes(Encoding.PEM) + key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    import tempfile

    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(pem)
        file.flush()
        context.load_cert_chain(file.name)
    return context


class TestAddresses:
    @pytest.mark.parametrize(
        "url",
        [
            "http://archive.example/dicom-web",
            "http://10.0.0.1/dicom-web",
            "ftp://localhost/x",
            "https://anna:secret@archive.example/x",
            "https://archive.example/x?token=1",
            "file:///etc/passwd",
            "archive.example",
        ],
    )
    def test_what_must_not_be_connected_to_is_refused_again_here(self, url: str):
        with pytest.raises(PacsError) as caught:
            GuardedSession(PacsConfig(name="x", url=url), LOGIN)
        assert caught.value.step == "settings"
        assert "secret" not in str(caught.value)

    def test_a_name_that_only_pretends_to_be_this_machine_gets_nothing(self, monkeypatch: pytest.MonkeyPatch):
        ours = next((a for a in _addresses_of_this_machine() if not a.startswith("127.")), None)
        if ours is None:
            pytest.skip("this machine has only its loopback")
        real = socket.getaddrinfo
        with HostileServer(lambda request: OK) as server:
            with socket.create_server((ours, 0)) as outside:
                port = outside.getsockname()[1]
                monkeypatch.setattr(socket, "getaddrinfo", lambda host, *a, **k: real(ours, *a, **k))
                with pytest.raises(PacsError, match="another machine") as caught:
                    get(server, url=f"http://localhost:{port}/x") if False else _get(
                        f"http://localhost:{port}"
                    )
        assert caught.value.step == "tcp"

    def test_nobody_listens(self):
        with socket.socket() as held:
            held.bind(("127.0.0.1", 0))
            with pytest.raises(PacsError, match=r"no connection.*refused") as caught:
                _get(f"http://127.0.0.1:{held.getsockname()[1]}")
        assert caught.value.step == "tcp"
        assert caught.value.temporary

    def test_an_unknown_name(self, monkeypatch: pytest.MonkeyPatch):
        def unknown(*args: Any, **kwargs: Any) -> Any:
            raise socket.gaierror(socket.EAI_NONAME, "SECRET")

        monkeypatch.setattr(socket, "getaddrinfo", unknown)
        with pytest.raises(PacsError, match="host name is not known") as caught:
            _get("https://archive.invalid")
        assert caught.value.step == "name"
        assert caught.value.temporary

    def test_other_requests_do_not_leave_the_session(self):
        with HostileServer(lambda request: OK) as server, HostileServer(lambda request: OK) as other:
            with GuardedSession(server.config(), LOGIN) as session, session.asking(ask()):
                with pytest.raises(PacsError, match="we do not follow"):
                    session.get(f"{other.url}/studies")
            assert not other.requests

    def test_proxies_and_netrc_of_the_environment_have_no_say(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ):
        netrc = tmp_path / "netrc"
        netrc.write_text("machine localhost login mallory password wrong\n")
        netrc.chmod(0o600)
        monkeypatch.setenv("NETRC", str(netrc))
        with HostileServer(lambda request: OK) as server, HostileServer(lambda request: OK) as proxy:
            for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
                monkeypatch.setenv(name, proxy.root)
            get(server, login=None)
            assert "authorization" not in server.requests[0].headers
            assert not proxy.requests


def _get(root: str) -> bytes:
    config = PacsConfig(name="x", url=f"{root}/dicom-web", timeout_s=5.0)
    with GuardedSession(config, LOGIN) as session:
        with session.opened("GET", f"{config.url}/studies", ask()) as answer:
            return b"".join(answer.chunks())


def _addresses_of_this_machine() -> list[str]:
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))  # sends nothing
            return [str(probe.getsockname()[0])]
    except OSError:
        return []


class TestRedirects:
    @pytest.mark.parametrize(
        "status", ["301 Moved", "302 Found", "303 See", "307 Temporary", "308 Permanent"]
    )
    def test_to_the_same_place_it_is_followed(self, status: str):
        def answer(request: Request) -> list[bytes]:
            if request.path.startswith("/dicom-web/studies"):
                return http(status=status, Location="/elsewhere?x=1")
            return OK

        with HostileServer(answer) as server:
            assert get(server) == b"[]"
            assert [r.path for r in server.requests][-1] == "/elsewhere?x=1"
            assert all("authorization" in r.headers for r in server.requests)

    @pytest.mark.parametrize("scheme", ["http", "https"])
    @pytest.mark.parametrize("where", ["host", "port", "scheme"])
    def test_elsewhere_it_is_not_and_the_login_stays_here(
        self, authority: trustme.CA, bundle: Path, where: str, scheme: str
    ):
        tls = server_tls(authority, "localhost", "127.0.0.1")
        first = tls if scheme == "https" else None
        second = None if (scheme == "https") == (where == "scheme") else tls
        with HostileServer(lambda request: OK, tls=second) as other:
            host = "127.0.0.1" if where == "host" else "localhost"
            target = f"{'https' if second else 'http'}://{host}:{other.port}/x?PatientName=SECRET"

            def answer(request: Request) -> list[bytes]:
                return http(status="302 Found", Location=target)

            with HostileServer(answer, tls=first) as server:
                with pytest.raises(PacsError, match=f"{host}:{other.port}, and we do not follow") as caught:
                    get(server, ca_bundle=bundle)
                assert len(server.requests) == 1
            assert not other.requests
            assert not other.connections
        assert "SECRET" not in str(caught.value)
        assert caught.value.step == "qido"

    @pytest.mark.parametrize(
        "target", ["", "//", "http://[", "javascript:alert(1)", "file:///etc/passwd", "http:///x"]
    )
    def test_to_nowhere(self, target: str):
        with HostileServer(lambda request: http(status="302 Found", Location=target)) as server:
            with pytest.raises(PacsError):
                get(server)

    @pytest.mark.parametrize("host", ["<b>doe^jane", "doe%20jane", "<img src=x>", "j\xf6hn\x1b[31m"])
    def test_a_place_that_is_none_is_not_repeated(self, host: str):
        answer = http(b"", status="302 Found", Location=f"http://{host}/")
        with HostileServer(lambda request: answer) as server:
            with pytest.raises(PacsError, match="redirects us, and we do not follow"):
                get(server)

    def test_in_circles(self):
        with HostileServer(lambda request: http(status="302 Found", Location=request.path)) as server:
            with pytest.raises(PacsError, match="circles"):
                get(server)
            assert len(server.requests) <= 5

    def test_what_is_sent_is_not_sent_again_elsewhere(self):
        with HostileServer(lambda request: http(status="307 Temporary", Location="/other")) as server:
            with GuardedSession(server.config(), LOGIN) as session:
                with pytest.raises(PacsError, match="do not follow"):
                    with session.opened("POST", f"{server.url}/studies", ask(step="stow"), data=b"x"):
                        pass
            assert len(server.requests) == 1


HTML = b"<!DOCTYPE html><html><body>Please log in</body></html>"


class TestStatuses:
    @pytest.mark.parametrize(
        ("status", "step", "temporary", "word"),
        [
            ("401 Unauthorized", "login", False, "refused"),
            ("403 Forbidden", "login", False, "not allowed"),
            ("404 Not Found", "qido", False, "404"),
            ("400 Bad Request", "qido", False, "400"),
            ("407 Proxy Authentication Required", "tcp", False, "proxy"),
            ("408 Request Timeout", "qido", True, "408"),
            ("413 Too Large", "qido", False, "larger"),
            ("425 Too Early", "qido", True, "425"),
            ("429 Too Many Requests", "qido", True, "429"),
            ("500 Internal Server Error", "qido", True, "500"),
            ("501 Not Implemented", "qido", False, "offers"),
            ("503 Service Unavailable", "qido", True, "503"),
            ("507 SECRET", "qido", False, "507"),
            ("799 SECRET", "qido", False, "799"),
            ("304 Not Modified", "qido", False, "304"),
            ("206 Partial", "qido", False, "only a part"),
        ],
    )
    def test_become_sentences(self, status: str, step: str, temporary: bool, word: str):
        with HostileServer(lambda request: http(HTML + b"SECRET", status=status, Retry_After="7")) as server:
            with pytest.raises(PacsError, match=word) as caught:
                get(server)
        error = caught.value
        assert (error.step, error.temporary) == (step, temporary)
        assert "SECRET" not in str(error)
        assert error.retry_after_s == (7.0 if temporary else None)

    @pytest.mark.parametrize("kind", ["text/html", "text/html; charset=utf-8", "Application/XHTML+xml"])
    def test_a_login_page_with_status_200(self, kind: str):
        with HostileServer(lambda request: http(HTML, kind)) as server:
            with pytest.raises(
                PacsError, match="web page: the login has expired or the address is wrong"
            ) as caught:
                get(server)
        assert caught.value.step == "login"

    def test_retry_after_is_read_and_bounded(self):
        from veinscan.pacs.answers import retry_after

        assert retry_after("120") == 120
        assert retry_after("999999999") == 24 * 3600
        assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
        for useless in (None, "", "-5", "soon", "1e9", "9" * 5000, "Wed, 99 Foo 2015"):
            assert retry_after(useless) is None


def endless(piece: bytes) -> Iterator[bytes]:
    while True:
        yield piece


class TestLimits:
    """Each ends with one sentence, within a time limit that is far below the test's own."""

    def hostile(self, answer: Callable[[HostileServer], Iterator[bytes]], **limits: Any) -> PacsError:
        holder: list[HostileServer] = []
        with HostileServer(lambda request: answer(holder[0])) as server:
            holder.append(server)
            began = time.monotonic()
            with pytest.raises(PacsError) as caught:
                get(server, asked=ask(**limits))
            # a limit that did not hold would meet the server's own end, 20 s on
            assert time.monotonic() - began < 15
        assert "SECRET" not in str(caught.value)
        assert ";" in str(caught.value) or caught.value.do == ""
        return caught.value

    @pytest.mark.parametrize(
        "start",
        [
            b"",
            b"HTTP/1.1 200 OK\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Type: application/dicom+json\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Type: application/dicom+json\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Type: application/dicom+json\r\nContent-Length: 100\r\n\r\n[",
        ],
        ids=["at once", "in the head", "before the body", "before a chunk", "in the body"],
    )
    def test_silence(self, start: bytes):
        def answer(server: HostileServer) -> Iterator[bytes]:
            yield start
            yield from server.silence()

        error = self.hostile(answer, pause_s=0.4)
        assert error.temporary
        assert "0.4 s" in str(error)

    @pytest.mark.parametrize(
        ("place", "limit"),
        [(place, "pause_s") for place in ("status", "header", "continue", "body", "chunked", "trailer")]
        + [("header", "seconds"), ("chunked", "seconds")],
    )
    def test_a_slow_trickle(self, place: str, limit: str):
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/dicom+json\r\n"
        before, piece = {
            "status": (b"HTTP/1.1 200 ", b"O"),
            "header": (head + b"X: ", b"y"),
            "continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
            "body": (head + b"\r\n", b" "),
            "chunked": (head + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
            "trailer": (head + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n"),
        }[place]

        def answer(server: HostileServer) -> Iterator[bytes]:
            yield before
            yield from server.drip(endless(piece), 0.02)

        error = self.hostile(answer, **{limit: 0.4})
        assert error.temporary
        assert "0.4 s" in str(error)

    @pytest.mark.parametrize(
        "place", ["line", "headers", "continue", "body", "chunks", "chunk header", "trailer"]
    )
    def test_an_endless_answer(self, place: str):
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/dicom+json\r\n"
        chunked = head + b"Transfer-Encoding: chunked\r\n\r\n"
        before, piece = {
            "line": (b"HTTP/1.1 200 ", b"O" * 4096),
            "headers": (head, b"".join(b"X-%d: y\r\n" % n for n in range(50))),
            "continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 200),
            "body": (head + b"\r\n", b" " * 65536),
            "chunks": (chunked, b"1000\r\n" + b" " * 4096 + b"\r\n"),
            "chunk header": (chunked, b"0" * 65536),
            "trailer": (chunked + b"0\r\n", b"X: y\r\n" * 5000),
        }[place]

        def answer(server: HostileServer) -> Iterator[bytes]:
            yield before
            yield from endless(piece)

        error = self.hostile(answer, max_bytes=100_000)
        assert not error.temporary

    def test_a_length_that_says_too_much_is_not_waited_for(self):
        def answer(server: HostileServer) -> Iterator[bytes]:
            for length in ("99999999999999999999999999", "2000000"):
                yield from http(length=False, Content_Length=length)[:1]
            yield from server.silence()

        assert "larger than" in str(self.hostile(answer))

    @pytest.mark.parametrize("encoding", ["gzip", "deflate", "x-gzip", "GZIP"])
    def test_a_bomb_is_stopped_while_it_unpacks(self, encoding: str):
        import tracemalloc

        size = 100_000_000
        if encoding == "deflate":
            packer = zlib.compressobj(9)
            bomb = packer.compress(b" " * size) + packer.flush()
        else:
            bomb = gzip_bomb(size)
        tracemalloc.start()
        try:
            error = self.hostile(lambda server: iter(http(bomb, Content_Encoding=encoding)))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert "larger than 1 MB" in str(error)
        assert peak < 30_000_000 + len(bomb) * 4

    def test_a_bomb_in_a_bomb(self):
        bomb = gzip.compress(gzip_bomb(100_000_000))
        error = self.hostile(lambda server: iter(http(bomb, Content_Encoding="gzip, gzip")))
        assert "did not offer" in str(error)

    @pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "gzip, br", "x" * 5000])
    def test_what_was_not_offered_is_not_unpacked(self, encoding: str):
        assert "did not offer" in str(self.hostile(lambda s: iter(http(b"x", Content_Encoding=encoding))))

    @pytest.mark.parametrize(
        "answer",
        [
            b"",
            b"\r\n",
            b"\0" * 100,
            b"SSH-2.0-OpenSSH_9\r\n",
            b"HTTP/1.1 two hundred\r\n\r\n",
            b"HTTP/9.9 200 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n",
            b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nx",
            b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nx",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nnot gzip",
        ],
    )
    def test_what_is_not_http(self, answer: bytes):
        self.hostile(lambda server: iter([answer]))

    def test_a_writer_is_not_held_up_by_one_who_does_not_read(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            config = PacsConfig(name="x", url=f"http://127.0.0.1:{listener.getsockname()[1]}")
            with GuardedSession(config, None) as session:
                body = io.BytesIO(bytes(50_000_000))
                with pytest.raises(PacsError) as caught:
                    with session.opened("POST", config.url, ask(step="stow", pause_s=0.4), data=body):
                        pass
        assert caught.value.temporary

    @pytest.mark.parametrize("when", ["head", "body", "sending"])
    def test_stop_is_heard_while_waiting(self, when: str):
        stop = threading.Event()
        with HostileServer(lambda request: answer()) as server:

            def answer() -> Iterator[bytes]:
                if when == "body":
                    yield http(length=False)[0]
                stop.set()
                yield from server.silence()

            began = time.monotonic()
            with pytest.raises(CancelledError):
                get(server, asked=ask(stop=stop.is_set, seconds=60, pause_s=60))
            assert time.monotonic() - began < 15


class TestConnections:
    def test_they_are_kept_and_used_again(self):
        answer = [OK[0].replace(b"Connection: close\r\n", b""), OK[1]]
        with HostileServer(lambda request: answer) as server:
            with GuardedSession(server.config(), None) as session:
                for _ in range(3):
                    url = f"{server.url}/studies"
                    with session.opened("GET", url, ask(), headers={"X-Keep": "yes"}) as got:
                        assert b"".join(got.chunks()) == b"[]"
            assert (len(server.requests), server.connections) == (3, 1)

    def test_one_that_died_unseen_costs_nothing(self):
        answer = [OK[0].replace(b"Connection: close\r\n", b""), OK[1]]
        with HostileServer(lambda request: answer) as server:
            with GuardedSession(server.config(), None) as session:
                for _ in range(4):
                    with session.opened("GET", f"{server.url}/studies", ask()) as got:
                        assert b"".join(got.chunks()) == b"[]"
            assert len(server.requests) == 4

    def test_what_stores_is_sent_once(self):
        with HostileServer(lambda request: []) as server:
            with GuardedSession(server.config(), None) as session:
                with pytest.raises(PacsError) as caught:
                    with session.opened("POST", f"{server.url}/studies", ask(step="stow"), data=b"x"):
                        pass
            assert len(server.requests) == 1
        assert caught.value.temporary

    def test_a_request_outside_of_an_ask_is_a_mistake_of_ours(self):
        with HostileServer(lambda request: OK) as server, GuardedSession(server.config(), None) as session:
            with pytest.raises(RuntimeError):
                session.get(server.url)


class TestSecrets:
    def test_a_mistyped_token_is_a_login_that_is_refused(self):
        answer = http(b"", status="401 Unauthorized")
        with HostileServer(lambda request: answer) as server:
            with pytest.raises(PacsError) as caught:
                get(server, login=Credentials("bearer", "tok\u20acn", "", "test"))
        assert (caught.value.step, caught.value.temporary) == ("login", False)

    def test_bearer_and_basic_logins_are_sent_as_they_should(self):
        with HostileServer(lambda request: OK) as server:
            get(server, login=Credentials("bearer", "tok-en"))
            get(server, login=Credentials("basic", "pässword", "änna"))
        import base64

        first, second = (r.headers["authorization"] for r in server.requests)
        assert first == "Bearer tok-en"
        assert base64.b64decode(second.removeprefix("Basic ")).decode() == "änna:pässword"

    @pytest.mark.parametrize("status", [None, "401 Unauthorized", "500 Oops", "302 Found"])
    def test_no_log_at_any_level_holds_an_address_or_a_login(self, status: str | None):
        heard = io.StringIO()
        handler = logging.StreamHandler(heard)
        handler.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))
        root = logging.getLogger()
        level = root.level
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        for name in ("urllib3", "requests", "dicomweb_client", "urllib3.connectionpool"):
            logging.getLogger(name).setLevel(logging.DEBUG)
        try:
            tail = ["X: SECRET\r\n", "Warning: 299 SECRET\r\n"]
            answer = http(b"[]", status=status, Location="http://x/SECRET") if status else None
            answer = answer or [OK[0].replace(b"\r\n", ("\r\n" + tail[1]).encode(), 1), OK[1]]
            with HostileServer(lambda request: answer) as server:
                from veinscan.pacs.model import StudyQuery
                from veinscan.pacs.web import WebArchive

                with WebArchive(server.config(), login=LOGIN) as archive:
                    query = StudyQuery(patient_name="SECRET", patient_id="SECRET")
                    try:
                        archive.find_studies(query)
                    except PacsError as error:
                        logging.getLogger("x").error("failed", exc_info=error)
                        heard.write("".join(traceback.format_exception(error)))
                assert "SECRET" in server.requests[0].path
        finally:
            root.removeHandler(handler)
            root.setLevel(level)
            for name in ("urllib3", "requests", "dicomweb_client", "urllib3.connectionpool"):
                logging.getLogger(name).setLevel(logging.NOTSET)
        text = heard.getvalue()
        assert "urllib3.connectionpool DEBUG message at" in text  # the handler did hear them
        assert "dicomweb_client.web DEBUG message at" in text
        assert "SECRET" not in text
        assert "open-sesame" not in text
        assert "anna" not in text

    def test_nor_is_anything_printed(
        self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ):
        import http.client

        monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
        with HostileServer(lambda request: OK) as server:
            assert get(server) == b"[]"
        assert capfd.readouterr() == ("", "")

    def test_an_error_keeps_nothing_of_the_request_in_its_chain(self):
        with socket.socket() as held:
            held.bind(("127.0.0.1", 0))
            config = PacsConfig(name="x", url=f"http://127.0.0.1:{held.getsockname()[1]}")
            with GuardedSession(config, LOGIN) as session, pytest.raises(PacsError) as caught:
                with session.opened("GET", f"{config.url}/?PatientName=SECRET", ask()):
                    pass
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None

    @pytest.mark.parametrize("when", ["head", "body"])
    def test_nor_does_one_of_the_guard_in_its_trace(self, when: str):
        holder: list[HostileServer] = []

        def answer(request: Request) -> Iterator[bytes]:
            if when == "body":
                yield http(length=False)[0]
            yield from holder[0].silence()

        with HostileServer(answer) as server, pytest.raises(PacsError) as caught:
            holder.append(server)
            get(server, asked=ask(pause_s=0.3))
        frames = list(traceback.walk_tb(caught.value.__traceback__))
        assert not [frame for frame, _ in frames if "urllib3" in frame.f_code.co_filename]
        assert caught.value.__context__ is None


def test_threads_do_not_mix_up_what_they_ask(tmp_path: Path):
    with HostileServer(lambda request: OK) as server, GuardedSession(server.config(), None) as session:
        failed: list[BaseException] = []

        def work(most: int) -> None:
            try:
                for _ in range(10):
                    with session.opened("GET", server.url, ask(max_bytes=most)) as answer:
                        assert b"".join(answer.chunks()) == b"[]"
            except BaseException as error:
                failed.append(error)

        threads = [threading.Thread(target=work, args=(most,)) for most in (2, 3, 4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failed
        wait_until(lambda: len(server.requests) == 30)
