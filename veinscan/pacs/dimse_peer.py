"""Whom to associate with, what to propose, how long it may take; used by all of DIMSE."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from veinscan.errors import CancelledError, PacsError
from veinscan.pacs.archive import Stop

CONNECT_S = 10.0
"""The longest wait for a host name, and for a TCP connection with its TLS handshake."""
MAX_CONTEXTS = 128
"""Presentation contexts of one association: odd numbers from 1 to 255 (PS3.8 9.3.2.2)."""
POLL_S = 0.05
"""How soon a stop is noticed."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Whom to associate with, as whom, and for how long at most."""

    title: str
    host: str
    port: int
    calling: str
    where: str
    """How sentences name the archive."""
    timeout_s: float = 60.0
    transfer_timeout_s: float = 1800.0
    tls: Callable[[], ssl.SSLContext] | None = field(default=None, repr=False)


@dataclass(slots=True)
class Watch:
    """How long something may go on, and who may stop it."""

    peer: Peer
    step: str
    stop: Stop | None = None
    until: float = field(init=False)

    def __post_init__(self) -> None:
        self.again()

    def again(self) -> None:
        """A new transfer begins: its time counts from here."""
        self.until = time.monotonic() + self.peer.transfer_timeout_s

    def check(self) -> None:
        """CancelledError after a stop, PacsError after the time for the whole."""
        if self.stop is not None and self.stop():
            raise CancelledError("stopped", where=self.peer.where)
        if time.monotonic() > self.until:
            raise PacsError(
                f"the archive took longer than {self.peer.transfer_timeout_s:g} s in all",
                where=self.peer.where,
                do="try again, or raise transfer_timeout_s in the settings",
                step=self.step,
                temporary=True,
            )


@dataclass(frozen=True, slots=True)
class Asked:
    """A presentation context to propose."""

    abstract: str
    transfers: Sequence[str]
    receiving: bool = False
    """We play the part of the storage for it (C-GET; PS3.7 D.3.3.4)."""


def reason_of(error: OSError) -> str:
    """What the system says, without any path."""
    return (error.strerror or "unknown reason").lower()


def senseless(what: str, watch: Watch) -> PacsError:
    """The sentence for a peer that speaks no DICOM, or none that can be read."""
    return PacsError(
        f"the other side sent {what}",
        where=watch.peer.where,
        do="check that host and port are those of the archive",
        step=watch.step,
    )
