"""Our side as a TLS server, where objects of a C-MOVE come back to; as a client it is that of DICOMweb."""

from __future__ import annotations

import ssl

from veinscan.errors import PacsError
from veinscan.pacs.transport import tls_context
from veinscan.settings_pacs import PacsConfig


def server_context(config: PacsConfig) -> ssl.SSLContext:
    """Both sides show a certificate (PS3.15 B.9), and whoever has none is not let in.

    Raises
    ------
    PacsError
        There is no certificate of ours, or a file cannot be read; `step` is 'settings'.
    """
    if config.client_certificate is None:
        raise PacsError(
            "objects that come back over TLS (C-MOVE) need a certificate of ours",
            where=config.where,
            do="add client_certificate, or take move_port out (C-GET needs none)",
            step="settings",
        )
    tls_context(config)  # says what is wrong with a file
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    if config.ca_bundle is None:
        context.load_default_certs(ssl.Purpose.CLIENT_AUTH)
    else:
        context.load_verify_locations(config.ca_bundle)
    context.load_cert_chain(config.client_certificate, config.client_key, password=lambda: b"")
    return context
