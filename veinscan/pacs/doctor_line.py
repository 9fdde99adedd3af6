"""The way to an archive below its own language: name, TCP, TLS, each with what to do where it fails.

Errors of these layers look alike from above ('no connection').  Here each cause
has a sentence of its own.
"""

from __future__ import annotations

import errno
import socket
import ssl
import threading
from collections.abc import Sequence

from veinscan.errors import PacsError

ALERT_S = 0.5
"""How long a server is given to refuse a client after the handshake."""

Address = tuple[int, tuple[str, int]]
"""Address family, and host and port as `socket.connect` takes them."""


def resolve(host: str, port: int, *, limit_s: float) -> tuple[Address, ...]:
    """The addresses of a host name.

    Raises
    ------
    PacsError
        With step 'name': no such name, or no name server that answers within `limit_s`.
    """
    found: list[Address] = []
    failed: list[OSError | UnicodeError] = []

    def look_up() -> None:
        try:
            for family, _kind, _protocol, _name, place in socket.getaddrinfo(
                host, port, type=socket.SOCK_STREAM
            ):
                if (one := (int(family), (str(place[0]), int(place[1])))) not in found:
                    found.append(one)
        except (OSError, UnicodeError) as error:
            failed.append(error)

    # The system's resolver takes no time limit.
    worker = threading.Thread(target=look_up, daemon=True, name="veinscan-resolve")
    worker.start()
    worker.join(limit_s)
    where = host
    if worker.is_alive():
        raise PacsError(
            f"the name server did not answer within {limit_s:g} s",
            where=where,
            do="check that this machine is in the hospital's network (VPN), and its DNS settings",
            step="name",
            temporary=True,
        )
    if failed:
        again = isinstance(failed[0], socket.gaierror) and failed[0].errno == socket.EAI_AGAIN
        inside = "a name inside the hospital is known only in its network (VPN)"
        raise PacsError(
            "no name server can be asked for this name" if again else "there is no host of this name",
            where=where,
            do="check that this machine is in the hospital's network (VPN), and its DNS settings"
            if again
            else f"check the spelling in the settings; {inside}",
            step="name",
            temporary=again,
        )
    return tuple(found)


def dial(addresses: Sequence[Address], *, host: str, limit_s: float) -> socket.socket:
    """A TCP connection to the first address that takes one.

    Raises
    ------
    PacsError
        With step 'tcp': refused, filtered (nothing comes back), no way there.
    """
    last: OSError | None = None
    for family, place in addresses:
        connection = socket.socket(family, socket.SOCK_STREAM)
        connection.settimeout(limit_s / len(addresses))
        try:
            connection.connect(place)
        except OSError as error:
            connection.close()
            last = error
            continue
        connection.settimeout(limit_s)
        return connection
    port = addresses[0][1][1]
    raise _no_connection(last, f"{host}:{port}", port, limit_s)


def _no_connection(error: OSError | None, where: str, port: int, limit_s: float) -> PacsError:
    if isinstance(error, ConnectionRefusedError):
        what = f"the machine is there, but nothing listens on port {port}"
        do = "check the port in the settings, and whether the archive runs; a firewall may also refuse"
    elif isinstance(error, TimeoutError):
        what = f"nothing came back within {limit_s:g} s"
        do = (
            f"ask the administrator to open port {port} of the archive for this machine (a firewall drops it)"
        )
    elif error is not None and error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN):
        what = "there is no way to this address"
        do = "check that this machine is in the hospital's network (cable, VPN)"
    else:
        reason = (error.strerror or type(error).__name__) if error is not None else "no address"
        what, do = f"no connection ({reason})", "check host and port in the settings"
    return PacsError(what, where=where, do=do, step="tcp", temporary=True)


def secure(
    connection: socket.socket, context: ssl.SSLContext, *, host: str, own_bundle: bool, own_certificate: bool
) -> ssl.SSLSocket:
    """TLS over a TCP connection, verified; a moment is waited, as a server may refuse a client only then.

    Parameters
    ----------
    connection : socket
        Is taken over: closed when this fails.
    context : ssl.SSLContext
        As the archive's transport uses it.
    host : str
        The name that the certificate has to be for.
    own_bundle, own_certificate : bool
        Whether the settings name a CA bundle, and a client certificate.

    Raises
    ------
    PacsError
        With step 'tls'.
    """
    where = f"{host}:{connection.getpeername()[1]}"
    try:
        secured = context.wrap_socket(connection, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        connection.close()
        raise _bad_certificate(error, where, host, own_bundle) from None
    except (OSError, ValueError) as error:
        connection.close()
        raise _no_tls(error, where, own_certificate) from None
    try:
        # In TLS 1.3 a server says only after the handshake that it misses a certificate (RFC 8446 4.4.2.4).
        secured.settimeout(ALERT_S)
        secured.recv(1)
    except TimeoutError:
        pass  # it waits for a request: all is well
    except OSError as error:
        secured.close()
        hung_up = isinstance(error, (ConnectionError, ssl.SSLEOFError))
        raise (
            _client_refused(where, own_certificate) if hung_up else _no_tls(error, where, own_certificate)
        ) from None
    return secured


def _bad_certificate(
    error: ssl.SSLCertVerificationError, where: str, host: str, own_bundle: bool
) -> PacsError:
    code = error.verify_code
    if code == 10:
        what = "the archive's certificate has expired"
        do = "ask the archive's administrator to renew it; and check this machine's clock"
    elif code == 9:
        what = "the archive's certificate is not valid yet"
        do = "check the clock and the time zone of this machine"
    elif code in (62, 64):
        what = f"the archive's certificate is for another name than {host}"
        do = "use the name it was issued for as host in the settings, or ask for a certificate of this name"
    elif code in (18, 19, 20, 21, 2):
        what = "the archive's certificate was issued by an authority that is not known here" + (
            " nor in the CA bundle of the settings" if own_bundle else ""
        )
        do = (
            "ask the administrator for the certificate of the authority that issued it, as a PEM file, and "
            "name that file as ca_bundle in the settings"
        )
    elif code == 23:
        what, do = "the archive's certificate was revoked", "ask the archive's administrator for a new one"
    else:
        what = f"the archive's certificate is not accepted ({error.verify_message})"
        do = "ask the archive's administrator"
    return PacsError(what, where=where, do=do, step="tls")


def _client_refused(where: str, own_certificate: bool) -> PacsError:
    if own_certificate:
        what = "the archive refuses the client certificate of the settings"
        do = "ask the administrator whether it is registered, still valid, and from the right authority"
    else:
        what = "the archive asks for a client certificate"
        do = "ask the administrator for one; name it as client_certificate and client_key in the settings"
    return PacsError(what, where=where, do=do, step="tls")


_ASKS_FOR_CERTIFICATE = (
    "CERTIFICATE_REQUIRED",
    "HANDSHAKE_FAILURE",
    "BAD_CERTIFICATE",
    "CERTIFICATE_UNKNOWN",
    "ALERT_UNKNOWN_CA",
    "CERTIFICATE_EXPIRED",
    "CERTIFICATE_REVOKED",
    "UNSUPPORTED_CERTIFICATE",
    "ACCESS_DENIED",
)
"""Alerts (RFC 8446 6.2) by which a server refuses a client for its certificate."""


def _no_tls(error: OSError | ValueError, where: str, own_certificate: bool) -> PacsError:
    reason = str(getattr(error, "reason", "") or "")
    temporary = False
    if any(name in reason for name in _ASKS_FOR_CERTIFICATE):
        return _client_refused(where, own_certificate)
    if "PROTOCOL" in reason and "VERSION" in reason:
        what = "the archive speaks no TLS 1.2 or newer"
        do = "ask the administrator to enable TLS 1.2; older versions are not secure and not used"
    elif isinstance(error, TimeoutError):
        what, temporary = "the archive began no TLS in time", True
        do = "check the port: something listens there, but it may not be the archive's https"
    elif reason or isinstance(error, (ConnectionResetError, ConnectionAbortedError, ssl.SSLEOFError)):
        what = f"this port does not speak TLS ({reason.replace('_', ' ').lower() or 'it hung up'})"
        do = "check the port in the settings; https needs the archive's https port"
    else:
        what, do = f"no TLS ({type(error).__name__})", "check host and port in the settings"
    return PacsError(what, where=where, do=do, step="tls", temporary=temporary)
