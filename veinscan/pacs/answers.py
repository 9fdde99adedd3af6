"""What went wrong on the way to an archive, in one sentence: statuses, broken connections, wrong answers.

The text of an answer and of an exception is never passed on: an archive
quotes what it was asked, and HTTP libraries quote the address, and both may
hold a patient's name.
"""

from __future__ import annotations

import email.utils
import re
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import requests
from urllib3 import exceptions as lower

from veinscan.errors import PacsError

_SERVICES = {"qido": "search (QIDO-RS)", "wado": "reading (WADO-RS)", "stow": "storing (STOW-RS)"}
_TEMPORARY = frozenset({408, 425, 429, 500, 502, 503, 504, 509})
_LONGEST_RETRY_AFTER_S = 24 * 3600.0


class HttpStatusError(PacsError):
    """The archive answered with a status that is not a success."""

    status = 0


class BrokenOffError(PacsError):
    """A connection that stood ended before its time."""


_OF_THE_ARCHIVE = frozenset({401, 403, 407, 408, 425, 429, 502, 503, 504})


def concerns_archive(error: PacsError) -> bool:
    """Whether the archive, the line or the login is at fault; else the next object may well fare better."""
    if isinstance(error, HttpStatusError):
        return error.status in _OF_THE_ARCHIVE
    if isinstance(error, BrokenOffError):
        return False
    return error.temporary or error.step not in ("qido", "wado", "stow")


def status_error(status: int, headers: Any, *, step: str, where: str) -> HttpStatusError:
    """The error of an HTTP status that is not a success."""
    error = _status_error(status, headers, step=step, where=where)
    error.status = status
    return error


def _status_error(status: int, headers: Any, *, step: str, where: str) -> HttpStatusError:
    try:
        phrase = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        phrase = str(status)
    service = _SERVICES.get(step, "request")
    if status == 401:
        what, do = f"the login was refused ({phrase})", "check user and password or token of this archive"
        return HttpStatusError(what, where=where, do=do, step="login")
    if status == 403:
        what = f"the login is not allowed to do this: {service} ({phrase})"
        return HttpStatusError(
            what, where=where, do="ask the archive's administrator for the right", step="login"
        )
    if status == 407:
        what = f"a proxy wants a login ({phrase})"
        return HttpStatusError(what, where=where, do="connect to the archive without it", step="tcp")
    do = {
        404: "check the address and its prefixes; the object may also have gone from the archive",
        405: f"check whether the archive offers {service} at this address",
        413: "ask the archive's administrator to allow larger requests",
        501: f"check whether the archive offers {service} at this address",
    }.get(status, "")
    temporary = status in _TEMPORARY
    if temporary:
        do = "try again later"
    return HttpStatusError(
        f"the archive refused: {service} ({phrase})",
        where=where,
        do=do or "ask the archive's administrator; its own log says more",
        step=step,
        temporary=temporary,
        retry_after_s=retry_after(headers.get("Retry-After")) if temporary else None,
    )


def retry_after(value: str | None) -> float | None:
    """Seconds from a Retry-After header (RFC 9110 10.2.3), at most a day; None where it is of no use."""
    if not value:
        return None
    if re.fullmatch(r"\s*[0-9]{1,9}\s*", value):
        return min(float(value), _LONGEST_RETRY_AFTER_S)
    try:
        at = email.utils.parsedate_to_datetime(value[:100])
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max((at - datetime.now(UTC)).total_seconds(), 0.0), _LONGEST_RETRY_AFTER_S)


def web_page(where: str) -> PacsError:
    """An HTML page came where DICOM was asked for."""
    return PacsError(
        "the archive answered with a web page: the login has expired or the address is wrong",
        where=where,
        do="check the login and the address of its DICOMweb root",
        step="login",
    )


def unusable(what: str, *, step: str, where: str) -> PacsError:
    """An answer that breaks the standard."""
    return PacsError(
        f"the archive's answer cannot be used: {what}",
        where=where,
        do="check that the address is that of its DICOMweb root",
        step=step,
    )


def connection_error(error: BaseException, *, step: str, where: str) -> PacsError:
    """The error of a connection that could not be made, or broke."""
    chain = tuple(_chain(error))
    for each in chain:
        if isinstance(each, PacsError):
            return each
    for each in chain:
        if isinstance(each, ssl.SSLError):
            return _tls(each, where)
    again = "try again later"
    for each in chain:
        if isinstance(each, (socket.gaierror, lower.NameResolutionError)):
            return PacsError(
                "its host name is not known",
                where=where,
                do="check the address, and whether this machine is in the right network",
                step="name",
                temporary=True,
            )
        # looked for before the other: urllib3 2 makes a refused connection a kind of time-out
        if isinstance(each, lower.NewConnectionError):
            reason = next((e for e in chain if isinstance(e, OSError) and e.errno), None)
            said = f" ({reason.strerror})" if reason is not None and reason.strerror else ""
            what, do = f"no connection{said}", "check that it runs, its address and port"
            return PacsError(what, where=where, do=do, step="tcp", temporary=True)
        if isinstance(each, (lower.ConnectTimeoutError, requests.ConnectTimeout)):
            what = "it does not answer: no connection within the time limit"
            do = "check address, port and firewall"
            return PacsError(what, where=where, do=do, step="tcp", temporary=True)
    for each in chain:
        if isinstance(each, (lower.LocationParseError, requests.exceptions.InvalidURL)):
            return PacsError("its address cannot be used", where=where, do="check url", step="settings")
        if isinstance(each, (lower.DecodeError, requests.exceptions.ContentDecodingError)):
            return unusable("its compression is broken", step=step, where=where)
        if isinstance(each, (lower.InvalidHeader, requests.exceptions.InvalidHeader)):
            return unusable("its header is broken", step=step, where=where)
        name = type(each).__name__
        if name in ("BadStatusLine", "UnknownProtocol", "LineTooLong", "HeaderParsingError"):
            return unusable("it is not HTTP", step=step, where=where)
        if name == "HTTPException":
            return unusable("its header is too long", step=step, where=where)
        if "chunk size line" in str(each):
            return unusable("it is not HTTP", step=step, where=where)
        if name in ("InvalidChunkLength", "IncompleteRead"):
            return BrokenOffError(
                "the answer broke off before its end", where=where, do=again, step=step, temporary=True
            )
    return BrokenOffError("the connection broke off", where=where, do=again, step=step, temporary=True)


_CERTIFICATE = {
    9: "it is not valid yet",
    10: "it has expired",
    18: "it vouches for itself, and nobody else does",
    19: "nobody whom this machine trusts vouches for it",
    20: "nobody whom this machine trusts vouches for it",
    21: "nobody whom this machine trusts vouches for it",
    23: "it was revoked",
    62: "it was issued for another host",
    64: "it was issued for another address",
}
"""OpenSSL's verification results (X509_V_ERR_...) in words."""


_NOT_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "RECORD")


def _tls(error: ssl.SSLError, where: str) -> PacsError:
    if isinstance(error, ssl.SSLCertVerificationError):
        why = _CERTIFICATE.get(error.verify_code, "it does not hold")
        do = "ask the archive's administrator"
        if error.verify_code in (18, 19, 20, 21):
            do = "put the certificate of the hospital's authority into a PEM file and name it as ca_bundle"
        return PacsError(f"its certificate was refused: {why}", where=where, do=do, step="tls")
    reason = (getattr(error, "reason", "") or "").upper()
    if "CERTIFICATE_REQUIRED" in reason or "BAD_CERTIFICATE" in reason or "HANDSHAKE_FAILURE" in reason:
        what, do = "it wants a certificate of ours", "name one as client_certificate, with its client_key"
    elif "UNKNOWN_CA" in reason or "CERTIFICATE" in reason:
        what, do = "it refused our certificate", "ask the archive's administrator for one that it takes"
    elif any(word in reason for word in _NOT_TLS):
        what, do = "it does not speak TLS at this port", "check the port"
    elif "PROTOCOL_VERSION" in reason or "UNSUPPORTED_PROTOCOL" in reason:
        what, do = "it speaks only a TLS older than 1.2", "ask the archive's administrator"
    else:
        return PacsError(
            "the encrypted connection failed", where=where, do="try again later", step="tls", temporary=True
        )
    return PacsError(what, where=where, do=do, step="tls")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and what it was made of: its cause, its context, its `reason` and its arguments."""
    seen: set[int] = set()
    waiting: list[Any] = [error]
    while waiting and len(seen) < 50:
        current = waiting.pop(0)
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        waiting += [current.__cause__, current.__context__, getattr(current, "reason", None), *current.args]
