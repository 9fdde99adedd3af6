"""What people type and read of an archive: names as DICOM writes them, and sizes."""

from __future__ import annotations


def name_words(name: str) -> str:
    """'SAMPLE^ANNA^^DR' as 'SAMPLE, ANNA (DR)'; of several writings (PS3.5 6.2.1.2) the first."""
    writing = next((group for group in name.split("=") if group.strip("^ ")), "")
    family, given, middle, prefix, suffix = ([part.strip() for part in writing.split("^")] + [""] * 5)[:5]
    whole = ", ".join(filter(None, (family, " ".join(filter(None, (given, middle))))))
    titles = ", ".join(filter(None, (prefix, suffix)))
    return f"{whole} ({titles})" if titles else whole


def name_pattern(typed: str) -> str:
    """What is typed of a name as an archive matches it: its beginning, unless wildcards say otherwise.

    'sample anna' and 'sample, anna' ask for 'sample*anna*' (PS3.4 C.2.2.2.4): how the rest is written
    differs from archive to archive.
    """
    typed = " ".join(typed.replace(",", " ").split())
    if not typed or any(sign in typed for sign in "*?^="):
        return typed
    return typed.replace(" ", "*") + "*"


def size_words(size: int) -> str:
    """Bytes as '0 kB', '350 kB', '14.2 MB', '1.25 GB'."""
    if size < 1_000_000:
        return f"{size / 1000:.0f} kB"
    if size < 1_000_000_000:
        return f"{size / 1e6:.1f} MB"
    return f"{size / 1e9:.2f} GB"
