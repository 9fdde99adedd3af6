"""UIDs made here: random for what is new, derived where two people must arrive at the same one.

All are UUIDs under 2.25 (PS3.5 annex B.2), so that none is ever taken from
the text of a header.
"""

from __future__ import annotations

import hashlib
import uuid

_PLACE = uuid.UUID("6d1f6f0e-0d0b-5b52-9a3c-5a5f4d3b7c11")


def new_uid() -> str:
    """A UID that nobody else has."""
    return f"2.25.{uuid.uuid4().int}"


def derived_uid(*parts: str) -> str:
    """The same UID for the same parts, on any machine (a version 5 UUID)."""
    name = "|".join(parts).encode("utf-8", "surrogatepass")
    hashed = hashlib.sha1(_PLACE.bytes + name, usedforsecurity=False).digest()
    return f"2.25.{uuid.UUID(bytes=hashed[:16], version=5).int}"
