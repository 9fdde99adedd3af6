"""De-identification: a project's secret key, headers, pixels and records without the person.

Names load when they are first used: the codecs and pydicom's dictionaries
are needed by those who write DICOM objects alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from veinscan.deidentify.header import clean_header
    from veinscan.deidentify.identity import (
        Dates,
        Identity,
        Options,
        Pixels,
        known_words,
        patient_pseudonym,
    )
    from veinscan.deidentify.image import clean_image
    from veinscan.deidentify.key import ProjectKey, project_key, read_key
    from veinscan.deidentify.pixels import Keep, blacked, keep_of, whole_of
    from veinscan.deidentify.record import deidentify_record
    from veinscan.deidentify.writing_search import writing_in

__all__ = [
    "Dates",
    "Identity",
    "Keep",
    "Options",
    "Pixels",
    "ProjectKey",
    "blacked",
    "clean_header",
    "clean_image",
    "deidentify_record",
    "keep_of",
    "known_words",
    "patient_pseudonym",
    "project_key",
    "read_key",
    "whole_of",
    "writing_in",
]

_HOMES = {
    "Dates": "identity",
    "Identity": "identity",
    "Keep": "pixels",
    "Options": "identity",
    "Pixels": "identity",
    "ProjectKey": "key",
    "blacked": "pixels",
    "clean_header": "header",
    "clean_image": "image",
    "deidentify_record": "record",
    "keep_of": "pixels",
    "known_words": "identity",
    "patient_pseudonym": "identity",
    "project_key": "key",
    "read_key": "key",
    "whole_of": "pixels",
    "writing_in": "writing_search",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
