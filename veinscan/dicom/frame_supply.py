"""Where the frames of a clip come from: its file, or whoever else can give one frame at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from pydicom.dataset import FileDataset

from veinscan.dicom.decode import PixelFormat
from veinscan.dicom.facts import ClipFacts
from veinscan.dicom.guard import Limits
from veinscan.dicom.header import read_header
from veinscan.dicom.sources import Bytes


@dataclass(frozen=True, slots=True)
class StoredFrame:
    """One frame, not decoded yet."""

    data: bytes = field(repr=False)
    form: PixelFormat
    """How `data` is stored."""


class FrameSupply(Protocol):
    """Gives the header and single frames of one object.  All methods may be called from several threads."""

    @property
    def name(self) -> str:
        """Relative to the study, with `/`."""
        ...

    @property
    def path(self) -> Path:
        """The file that holds the object, or will."""
        ...

    def stored(self, index: int) -> StoredFrame:
        """Frame `index` (0..n-1, unchecked).  Raises UnreadableError, PacsError."""
        ...

    def header(self) -> FileDataset:
        """The header.  Raises UnreadableError, PacsError."""
        ...


class FileSupply:
    """The frames of a file, or of a member of a zip.

    Parameters
    ----------
    facts : ClipFacts
        Where the frames lie and how they are stored.
    original : Bytes
        The file, read again for its header.
    limits : Limits
    """

    def __init__(self, facts: ClipFacts, original: Bytes, limits: Limits) -> None:
        self._facts = facts
        self._original = original
        self._limits = limits

    @property
    def name(self) -> str:
        """See `FrameSupply.name`."""
        return self._original.name

    @property
    def path(self) -> Path:
        """See `FrameSupply.path`; for a member of a zip, the zip."""
        return self._original.path

    def stored(self, index: int) -> StoredFrame:
        """See `FrameSupply.stored`."""
        return StoredFrame(self._facts.frames.read(self._facts.source, index), self._facts.form)

    def header(self) -> FileDataset:
        """See `FrameSupply.header`: read anew."""
        return read_header(self._original, self._limits).dataset
