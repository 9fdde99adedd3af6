"""The guarded HTTP session: TLS always verified, one origin, bounded answers, and errors in words.

It is what dicomweb-client is given to send its requests with, and what
carries the raw streams of objects.  The environment has no say in it
(`trust_env` is off): a netrc file would send another login, REQUESTS_CA_BUNDLE
and CURL_CA_BUNDLE would change whom we trust behind the back of `ca_bundle`,
and a proxy variable would lead patient data through a machine that nobody
named for it.
"""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from veinscan.errors import InvalidInputError, PacsError, VeinscanError
from veinscan.pacs.answers import connection_error, status_error, unusable, web_page
from veinscan.pacs.archive import Stop
from veinscan.pacs.credentials import Credentials
from veinscan.pacs.guarded import Ask, Guard, guarding, too_large
from veinscan.pacs.part10 import looks_like_web_page
from veinscan.pacs.parts import media_type
from veinscan.pacs.quiet import quiet
from veinscan.pacs.trust import Adapter, tls_context
from veinscan.settings_pacs import PacsConfig, check_url

__all__ = ["CHUNK", "CONNECT_S", "Answer", "GuardedSession", "tls_context"]

CONNECT_S = 10.0
"""The longest wait for a connection; `timeout_s` may be shorter."""
CHUNK = 256 * 1024
MAX_JSON_VALUES = 4_000_000
"""Lists, objects and commas of an answer: empty lists take twenty times as much memory as text."""
MOST_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ENCODINGS = frozenset({"", "identity", "gzip", "x-gzip", "deflate"})


class _Login(requests.auth.AuthBase):
    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        known = self._credentials
        if known.auth == "bearer":
            # as bytes: what is not Latin-1 is for the archive to refuse, and no broken connection
            request.headers["Authorization"] = b"Bearer " + known.secret.encode()
        else:  # RFC 7617: UTF-8, which requests does only with bytes
            requests.auth.HTTPBasicAuth(known.user.encode(), known.secret.encode())(request)
        return request


class _Asking(threading.local):
    ask: Ask | None = None


class GuardedSession(requests.Session):
    """A session for one archive.  Every request needs an `Ask`, given by `asking` or `opened`.

    Whatever goes wrong comes out as PacsError or CancelledError, also out of dicomweb-client's methods.
    """

    def __init__(self, config: PacsConfig, credentials: Credentials | None, *, connections: int = 8) -> None:
        super().__init__()
        self._config = config
        self._where = config.where
        try:
            self._origin = _origin(check_url(config.url, config.where))
        except InvalidInputError as error:
            raise PacsError(error.what, where=error.where, do=error.do, step="settings") from None
        self._timeout = min(CONNECT_S, config.timeout_s)
        self._asking = _Asking()
        self.trust_env = False
        self.headers["User-Agent"] = "veinscan"
        self.headers["Accept-Encoding"] = "gzip, deflate"
        self.auth = _Login(credentials) if credentials is not None else None
        self.adapters.clear()
        # to this machine without TLS: the authorities, which take a while to load, are not needed
        tls = tls_context(config) if self._origin[0] == "https" else None
        self.mount(f"{self._origin[0]}://", Adapter(tls, connections))
        quiet("dicomweb_client", "requests", "urllib3", "keyring")

    def ask(self, step: str, *, max_bytes: int, stop: Stop | None, transfer: bool = True) -> Ask:
        """An `Ask` within the limits of the settings; `transfer`: more than a short question."""
        config = self._config
        return Ask(
            step=step,
            max_bytes=max_bytes,
            seconds=config.transfer_timeout_s if transfer else config.timeout_s,
            pause_s=config.timeout_s,
            stop=stop,
            where=config.where,
        )

    @contextmanager
    def asking(self, ask: Ask) -> Iterator[None]:
        """Requests of this thread inside are what `ask` says; their bodies are read whole."""
        before, self._asking.ask = self._asking.ask, ask
        try:
            yield
        finally:
            self._asking.ask = before

    @contextmanager
    def opened(self, method: str, url: str, ask: Ask, **kwargs: Any) -> Iterator[Answer]:
        """Send a request and read its body piece by piece."""
        with self.asking(ask):
            # large and compressed already, and what was cut off is then always noticed
            headers = {"Accept-Encoding": "identity"} | kwargs.pop("headers", {})
            request = self.prepare_request(requests.Request(method, url, headers=headers, **kwargs))
            answer = self._open(request)
        try:
            yield answer
        finally:
            answer.close()

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """None: requests itself follows nothing."""
        return None

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send what dicomweb-client asks, within the limits, and read the answer whole.

        Raises
        ------
        PacsError
            Anything but a success, a redirect elsewhere, a web page, an answer that is too large or too slow.
        CancelledError
            The person stopped it.
        """
        answer = self._open(request)
        try:
            body = b"".join(answer.chunks())
        finally:
            answer.close()
        body = body.removeprefix(b"\xef\xbb\xbf")
        if looks_like_web_page(body[:200]):
            raise web_page(self._where)
        if sum(body.count(sign) for sign in b",[{") > MAX_JSON_VALUES:
            ask = self._asking.ask
            raise unusable("it holds too many values", step=ask.step if ask else "", where=self._where)
        whole = answer.response
        headers = {k: v for k, v in whole.headers.items() if k.lower() not in _OF_THE_BODY}
        whole.raw = urllib3.HTTPResponse(io.BytesIO(body), headers=headers, preload_content=False)
        return whole

    def _open(self, request: requests.PreparedRequest) -> Answer:
        ask = self._asking.ask
        if ask is None:
            raise RuntimeError("a request without an Ask")
        request.headers.pop("Host", None)  # dicomweb-client's lacks the port
        request.url = _wildcards_as_they_are(request.url or "")
        guard = Guard(ask)
        for _ in range(MOST_REDIRECTS + 1):
            if _origin(request.url or "") != self._origin:
                raise self._elsewhere(request.url or "", ask)
            response = self._exchange(request, guard)
            if response.status_code not in _REDIRECTS:
                break
            target = response.headers.get("Location", "")
            response.close()
            try:
                url = urljoin(request.url or "", target)
            except ValueError:
                url = ""
            if request.method != "GET" or not target:
                raise self._elsewhere(url, ask)
            request = request.copy()
            request.url = url
        else:
            raise unusable("it sends us around in circles", step=ask.step, where=ask.where)
        try:
            self._check(response, ask)
        except VeinscanError:
            response.close()
            raise
        guard.answering()
        return Answer(response, guard)

    def _exchange(self, request: requests.PreparedRequest, guard: Guard) -> requests.Response:
        failure: VeinscanError | None = None
        # A connection that was kept open may have died unseen: what only asks may ask once more.
        for _ in range(2 if request.method == "GET" else 1):
            try:
                with guarding(guard):
                    return super().send(
                        request,
                        stream=True,
                        verify=True,
                        cert=None,
                        proxies={},
                        allow_redirects=False,
                        timeout=(self._timeout, guard.ask.pause_s),
                    )
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
                broken = failure = connection_error(error, step=guard.ask.step, where=guard.ask.where)
                if broken.step not in ("qido", "wado") or not broken.temporary:
                    break
            except VeinscanError as error:  # the guard's
                failure = error
                break
        if failure is None:
            raise RuntimeError("unreachable")
        raise _bare(failure)

    def _check(self, response: requests.Response, ask: Ask) -> None:
        status = response.status_code
        kind = media_type(response.headers.get("Content-Type", ""))
        if status == 409 and ask.step == "stow":
            pass  # PS3.18 10.5.3.2: its body says which object failed and why
        elif not 200 <= status < 300:
            raise status_error(status, response.headers, step=ask.step, where=ask.where)
        if kind in ("text/html", "application/xhtml+xml"):
            raise web_page(ask.where)
        if status == 206:
            raise unusable("it is only a part", step=ask.step, where=ask.where)
        encoding = response.headers.get("Content-Encoding", "").strip().lower()
        if encoding not in _ENCODINGS:
            raise unusable("it is compressed in a way that we did not offer", step=ask.step, where=ask.where)
        length = response.headers.get("Content-Length", "")
        if length.isascii() and length.isdigit() and (len(length) > 15 or int(length) > ask.max_bytes):
            raise PacsError(too_large(ask.max_bytes), where=ask.where, step=ask.step)

    def _elsewhere(self, url: str, ask: Ask) -> PacsError:
        scheme, host, port = _origin(url)
        here = (scheme, host, port) == self._origin
        # anything else than a host's name or address is text of the archive's, and not passed on
        place = "" if here or not _HOST.fullmatch(host) else f" to {scheme}://{host}:{port}"
        return PacsError(
            f"the archive redirects us{place}, and we do not follow",
            where=ask.where,
            do="if that is where the archive is now, write it as url into the settings file",
            step=ask.step,
        )


_HOST = re.compile(r"[a-z0-9.:_-]{1,80}")
_SIGNS = {"%2A": "*", "%3F": "?"}
_OF_THE_BODY = ("content-encoding", "content-length", "transfer-encoding")


class Answer:
    """A response whose body is still to come."""

    def __init__(self, response: requests.Response, guard: Guard) -> None:
        self.response = response
        self._guard = guard

    @property
    def status(self) -> int:
        """HTTP status."""
        return self.response.status_code

    @property
    def content_type(self) -> str:
        """The header as it came; '' where there is none."""
        return str(self.response.headers.get("Content-Type", ""))

    @property
    def has_length(self) -> bool:
        """Whether a body that was cut off is noticed: else it ends where the connection does."""
        headers = self.response.headers
        coded = headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity")
        chunked = "chunked" in headers.get("Transfer-Encoding", "").lower()
        return (chunked or "Content-Length" in headers) and not coded

    def chunks(self, size: int = CHUNK) -> Iterator[bytes]:
        """Pieces of the unpacked body.

        Raises
        ------
        PacsError
            Too large, too slow, or broken off.
        CancelledError
            The person stopped it.
        """
        guard, ask = self._guard, self._guard.ask
        total = 0
        pieces = self.response.raw.stream(size, decode_content=True)
        while True:
            failure: VeinscanError | None = None
            piece = b""
            try:
                piece = next(pieces, b"")
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
                failure = connection_error(error, step=ask.step, where=ask.where)
            except VeinscanError as error:  # the guard's
                failure = error
            if failure is not None:
                raise _bare(failure)
            if not piece:
                return
            total += len(piece)
            if total > ask.max_bytes:
                raise guard.error(too_large(ask.max_bytes), temporary=False)
            # what unpacks to much from few bytes asks the clock here, not at the socket
            guard.left_s()
            yield piece

    def close(self) -> None:
        """Give the connection back, or close it where the body was not read to its end."""
        self.response.close()


def _bare(error: VeinscanError) -> VeinscanError:
    """The error without the way it came: addresses and logins are among the values of those calls.

    Raised outside of every handler, so that it does not hang on what a library said either.
    """
    error.__context__ = None
    return error.with_traceback(None)


def _wildcards_as_they_are(url: str) -> str:
    """`*` and `?` of a query unescaped, as RFC 3986 3.4 allows: Orthanc's plugin 1.7 reads no escapes."""
    path, mark, query = url.partition("?")
    for escaped, sign in _SIGNS.items():
        query = query.replace(escaped, sign)
    return path + mark + query


def _origin(url: str) -> tuple[str, str, int]:
    try:
        parts = urlsplit(url)
        scheme = parts.scheme.lower()
        return scheme, (parts.hostname or "").lower(), parts.port or {"http": 80, "https": 443}.get(scheme, 0)
    except ValueError:
        return "", "", 0
