"""Who is trusted to be an archive, and who we are to it: TLS, always verified.

There is no way to turn verification off: what `verify` says, in a call or on
the session, has no effect.  The authorities are those of `ca_bundle`, else
those of the system as OpenSSL finds them.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

from requests.adapters import HTTPAdapter

from veinscan.errors import PacsError
from veinscan.pacs.guarded import LoopbackPool, TlsPool, guarded_context
from veinscan.settings_pacs import PacsConfig


def tls_context(config: PacsConfig) -> ssl.SSLContext:
    """Who is trusted, and who we are: TLS 1.2 at least, host name and certificate always verified.

    Raises
    ------
    PacsError
        A certificate file cannot be read; `step` is 'settings'.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if config.ca_bundle is None:
        context.load_default_certs()
    else:
        _load(config, "ca_bundle", config.ca_bundle, lambda path: context.load_verify_locations(path))
    if config.client_certificate is not None:
        _load(
            config,
            "client_certificate or client_key",
            config.client_certificate,
            # a password on the key would be asked for on the terminal
            lambda path: context.load_cert_chain(path, config.client_key, password=lambda: b""),
        )
    return guarded_context(context)


def _load(config: PacsConfig, what: str, path: Path, load: Callable[[Path], object]) -> None:
    reason = ""
    try:
        load(path)
    except FileNotFoundError:
        reason = "there is no such file"
    except ssl.SSLError:
        reason = "it holds no usable PEM certificate (or a key that is locked or of another certificate)"
    except OSError as error:
        reason = error.strerror or type(error).__name__
    if reason:
        raise PacsError(
            f"{what} {path}: {reason}", where=config.where, do="mend it in the settings file", step="settings"
        )


class Adapter(HTTPAdapter):
    """Own connections, own trust; what `verify` and `cert` say has no effect."""

    def __init__(self, context: ssl.SSLContext | None, connections: int) -> None:
        self._context = context
        super().__init__(pool_connections=1, pool_maxsize=connections, max_retries=0, pool_block=False)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Connections are guarded ones."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": LoopbackPool, "https": TlsPool}

    def build_connection_pool_key_attributes(
        self, request: Any, verify: Any, cert: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Our own trust, whatever `verify` and `cert` say."""
        host, _ = super().build_connection_pool_key_attributes(request, True, None)
        return host, {"ssl_context": self._context} if host["scheme"] == "https" else {}

    def close(self) -> None:
        """Close every connection now."""
        # requests leaves it to the garbage collector, and a response that somebody keeps holds it back
        pools = self.poolmanager.pools
        for key in list(pools.keys()):
            if (pool := pools.get(key)) is not None:
                pool.close()
        super().close()

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Nothing: the context of `tls_context` says it all."""
