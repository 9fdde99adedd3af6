"""Every way in which no line to an archive comes about has a sentence of its own."""

from __future__ import annotations

import contextlib
import datetime
import socket
import ssl
import threading
from collections.abc import Callable, Iterator

import pytest
import trustme

from veinscan.errors import PacsError
from veinscan.pacs.doctor_line import dial, resolve, secure

HOST = "127.0.0.1"


@contextlib.contextmanager
def serving(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server on the loopback that does `answer` with every connection; its port."""
    with socket.create_server((HOST, 0)) as listener:
        listener.settimeout(0.05)
        ended = threading.Event()

        def accept() -> None:
            while not ended.is_set():
                with contextlib.suppress(OSError):
                    connection, _ = listener.accept()
                    connection.settimeout(5)
                    with connection, contextlib.suppress(OSError):
                        answer(connection)

        worker = threading.Thread(target=accept)
        worker.start()
        try:
            yield listener.getsockname()[1]
        finally:
            ended.set()
            worker.join()


def https(certificate: trustme.LeafCert, **settings: object) -> Callable[[socket.socket], None]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    for name, value in settings.items():
        if name == "clients":
            assert isinstance(value, trustme.CA)
            value.configure_trust(context)
            context.verify_mode = ssl.CERT_REQUIRED
        else:
            setattr(context, name, value)

    def answer(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(1000)
            secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    return answer


def trusting(ca: trustme.CA | None, client: trustme.LeafCert | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca is not None:
        ca.configure_trust(context)
    if client is not None:
        client.configure_cert(context)
    return context


def reach(port: int, context: ssl.SSLContext, *, own_certificate: bool = False, host: str = HOST) -> None:
    connection = dial(resolve(host, port, limit_s=5), host=host, limit_s=2)
    secure(connection, context, host=host, own_bundle=False, own_certificate=own_certificate).close()


def failing(port: int, context: ssl.SSLContext, **more: bool) -> PacsError:
    with pytest.raises(PacsError) as caught:
        reach(port, context, **more)
    assert caught.value.step == "tls" and caught.value.do
    assert f"{HOST}:{port}" in caught.value.where
    return caught.value


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def test_a_good_server_passes(authority: trustme.CA):
    with serving(https(authority.issue_cert(HOST))) as port:
        reach(port, trusting(authority))


def test_a_client_certificate_that_fits_passes(authority: trustme.CA):
    with serving(https(authority.issue_cert(HOST), clients=authority)) as port:
        reach(port, trusting(authority, authority.issue_cert("reader@veins")), own_certificate=True)


def test_no_such_name():
    with pytest.raises(PacsError, match=r"no host of this name|no name server") as caught:
        resolve("archive.invalid", 443, limit_s=20)
    assert caught.value.step == "name" and caught.value.do


def test_a_name_that_is_none():
    with pytest.raises(PacsError) as caught:
        resolve("a" * 70 + ".example", 443, limit_s=20)
    assert caught.value.step == "name"


def test_a_name_server_that_is_silent(monkeypatch):
    over = threading.Event()
    monkeypatch.setattr("socket.getaddrinfo", lambda *args, **more: over.wait(20) and [])
    with pytest.raises(PacsError, match="did not answer") as caught:
        resolve("archive.example", 443, limit_s=0.05)
    over.set()
    assert (caught.value.step, caught.value.temporary) == ("name", True)


def test_refused():
    with socket.create_server((HOST, 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(PacsError, match=f"nothing listens on port {port}") as caught:
        dial(resolve(HOST, port, limit_s=5), host=HOST, limit_s=2)
    assert (caught.value.step, caught.value.temporary) == ("tcp", True)


def test_filtered():
    """A full queue of a socket that nobody accepts from drops what comes, as a firewall does."""
    with socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.bind((HOST, 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex((HOST, port))
        with pytest.raises(PacsError, match="nothing came back") as caught:
            dial(resolve(HOST, port, limit_s=5), host=HOST, limit_s=0.3)
    assert "firewall" in caught.value.do


def test_no_way_there(monkeypatch):
    def connect(self: socket.socket, place: object) -> None:
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr("socket.socket.connect", connect)
    with pytest.raises(PacsError, match="no way") as caught:
        dial(((socket.AF_INET, (HOST, 80)),), host=HOST, limit_s=1)
    assert "VPN" in caught.value.do


def test_the_second_address_is_tried_where_the_first_refuses():
    with serving(lambda connection: None) as port, socket.create_server((HOST, 0)) as closed:
        gone = closed.getsockname()[1]
        closed.close()
        addresses = ((socket.AF_INET, (HOST, gone)), (socket.AF_INET, (HOST, port)))
        with dial(addresses, host=HOST, limit_s=2) as connection:
            assert connection.getpeername()[1] == port


def test_expired(authority: trustme.CA):
    then = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    old = authority.issue_cert(HOST, not_before=then, not_after=then + datetime.timedelta(days=1))
    with serving(https(old)) as port:
        assert "expired" in failing(port, trusting(authority)).what


def test_not_valid_yet(authority: trustme.CA):
    then = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=100)
    early = authority.issue_cert(HOST, not_before=then, not_after=then + datetime.timedelta(days=1))
    with serving(https(early)) as port:
        error = failing(port, trusting(authority))
    assert "not valid yet" in error.what and "clock" in error.do


@pytest.mark.parametrize("name", ["192.0.2.1", "old-archive.example"])
def test_of_another_name(authority: trustme.CA, name: str):
    with serving(https(authority.issue_cert(name))) as port:
        assert "for another name than 127.0.0.1" in failing(port, trusting(authority)).what


def test_of_an_unknown_authority(authority: trustme.CA):
    with serving(https(authority.issue_cert(HOST))) as port:
        error = failing(port, trusting(None))
        assert "authority that is not known" in error.what and "ca_bundle" in error.do
        connection = dial(resolve(HOST, port, limit_s=5), host=HOST, limit_s=2)
        with pytest.raises(PacsError, match="nor in the CA bundle"):
            secure(connection, trusting(trustme.CA()), host=HOST, own_bundle=True, own_certificate=False)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_certificate_is_asked_for(authority: trustme.CA, version: ssl.TLSVersion):
    with serving(https(authority.issue_cert(HOST), clients=authority, maximum_version=version)) as port:
        error = failing(port, trusting(authority))
        assert "asks for a client certificate" in error.what and "client_certificate" in error.do
        stranger = trustme.CA().issue_cert("stranger@veins")
        error = failing(port, trusting(authority, stranger), own_certificate=True)
        assert "refuses the client certificate" in error.what


def test_a_port_that_speaks_http_alone(authority: trustme.CA):
    def answer(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with serving(answer) as port:
        assert "does not speak TLS" in failing(port, trusting(authority)).what


def test_a_port_that_hangs_up(authority: trustme.CA):
    with serving(lambda connection: None) as port:
        assert "does not speak TLS" in failing(port, trusting(authority)).what


def test_a_port_that_says_nothing(authority: trustme.CA):
    over = threading.Event()
    with serving(lambda connection: over.wait(5) and None) as port:
        connection = dial(resolve(HOST, port, limit_s=5), host=HOST, limit_s=0.2)
        with pytest.raises(PacsError, match="no TLS in time") as caught:
            secure(connection, trusting(authority), host=HOST, own_bundle=False, own_certificate=False)
        over.set()
    assert caught.value.temporary


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1:DeprecationWarning")
def test_a_server_of_old_tls(authority: trustme.CA):
    """An archive that ends at TLS 1.1: here a client that begins at 1.3 and a server that ends at 1.2."""
    context = trusting(authority)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    old = https(authority.issue_cert(HOST), maximum_version=ssl.TLSVersion.TLSv1_2)
    with serving(old) as port:
        assert "no TLS 1.2 or newer" in failing(port, context).what
