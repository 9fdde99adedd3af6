"""Frames of one object on demand: its bytes read, decoded, and turned into what a person sees."""

from __future__ import annotations

import threading
from functools import cached_property

import numpy as np
import numpy.typing as npt
from pydicom.dataset import FileDataset

from veinscan.dicom.cache import FrameCache
from veinscan.dicom.colour import Frame, grey_table
from veinscan.dicom.decode import decode_frame
from veinscan.dicom.facts import ClipFacts
from veinscan.dicom.guard import Limits
from veinscan.dicom.header import read_header
from veinscan.dicom.palette import palette_table
from veinscan.dicom.sources import Bytes
from veinscan.errors import UnreadableError


class FrameReader:
    """Reads and decodes single frames; the last ones stay in the study's cache.  Thread-safe.

    Parameters
    ----------
    facts : ClipFacts
        Where the frames lie and how they are stored.
    original : Bytes
        The file, read again for a palette.
    limits : Limits
    cache : FrameCache
        Shared by the clips of a study.
    """

    def __init__(self, facts: ClipFacts, original: Bytes, limits: Limits, cache: FrameCache) -> None:
        self._facts = facts
        self.original = original
        """The file."""
        self._limits = limits
        self._cache = cache
        self._lock = threading.Lock()
        self._notes: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What decoding found other than the header says, one sentence each; grows as frames are decoded."""
        return self._notes

    def dataset(self) -> FileDataset:
        """The header, read anew.  Raises UnreadableError."""
        return read_header(self.original, self._limits).dataset

    def frame(self, index: int) -> Frame:
        """Frame `index` (0..n-1, unchecked), read-only.  Raises DecodeError, UnreadableError."""
        facts = self._facts
        return self._cache.get(facts.sop_instance_uid, index, len(facts.frames.spans), self.decode)

    def decode(self, index: int) -> Frame:
        """Frame `index` decoded anew, past the cache.  Raises as `frame`."""
        facts = self._facts
        data = facts.frames.read(facts.source, index)
        decoded = decode_frame(
            data, facts.form, where=self.original.name, index=index, seconds=self._limits.frame_seconds
        )
        if decoded.note:
            self._note(decoded.note)
        values = decoded.samples
        if values.ndim == 3:
            return np.asarray(values, dtype=np.uint8)
        table = self._table
        if table is None:
            return np.asarray(values, dtype=np.uint8)
        if len(table) <= 65536:
            values = values & np.asarray(len(table) - 1, dtype=values.dtype)
        return np.take(table, values, axis=0)

    @cached_property
    def _table(self) -> npt.NDArray[np.uint8] | None:
        """By stored value: (n, 3) colours, (n,) greys, or None where values are greys already."""
        form = self._facts.form
        if form.photometric == "PALETTE COLOR":
            dataset = self.dataset()
            try:
                return palette_table(dataset, little_endian=form.little_endian, where=self.original.name)
            except UnreadableError as problem:
                self._note(f"{problem.what}: its stored values are shown as grey")
                grey = np.arange(256, dtype=np.uint8) if form.bits_allocated == 8 else np.arange(65536) >> 8
                return np.repeat(grey.astype(np.uint8)[:, None], 3, axis=1)
        return grey_table(
            form.bits_stored,
            signed=form.signed,
            inverted=form.photometric == "MONOCHROME1",
            window=self._facts.window,
        )

    def _note(self, sentence: str) -> None:
        with self._lock:
            if sentence not in self._notes:
                self._notes = (*self._notes, sentence)
