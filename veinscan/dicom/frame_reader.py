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
from veinscan.dicom.frame_supply import FrameSupply
from veinscan.dicom.guard import Limits
from veinscan.dicom.palette import palette_table
from veinscan.errors import UnreadableError


class FrameReader:
    """Reads and decodes single frames; the last ones stay in the study's cache.  Thread-safe.

    Parameters
    ----------
    facts : ClipFacts
    supply : FrameSupply
        Gives the bytes of a frame, and the header for a palette.
    limits : Limits
    cache : FrameCache
        Shared by the clips of a study.
    """

    def __init__(self, facts: ClipFacts, supply: FrameSupply, limits: Limits, cache: FrameCache) -> None:
        self._facts = facts
        self.supply = supply
        """May be exchanged at any time for another one that gives the same pixels."""
        self._limits = limits
        self._cache = cache
        self._lock = threading.Lock()
        self._notes: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What decoding found other than the header says, one sentence each; grows as frames are decoded."""
        return self._notes

    def dataset(self) -> FileDataset:
        """The header.  Raises UnreadableError, PacsError where an archive holds it."""
        return self.supply.header()

    def frame(self, index: int) -> Frame:
        """Frame `index` (0..n-1, unchecked), read-only.

        Raises DecodeError, UnreadableError, PacsError where it was to come from an archive.
        """
        facts = self._facts
        return self._cache.get(facts.sop_instance_uid, index, len(facts.frames.spans), self.decode)

    def decode(self, index: int) -> Frame:
        """Frame `index` decoded anew, past the cache.  Raises as `frame`."""
        supply = self.supply
        stored = supply.stored(index)
        decoded = decode_frame(
            stored.data, stored.form, where=supply.name, index=index, seconds=self._limits.frame_seconds
        )
        if decoded.note:
            self.note(decoded.note)
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
                return palette_table(dataset, little_endian=form.little_endian, where=self.supply.name)
            except UnreadableError as problem:
                self.note(f"{problem.what}: its stored values are shown as grey")
                grey = np.arange(256, dtype=np.uint8) if form.bits_allocated == 8 else np.arange(65536) >> 8
                return np.repeat(grey.astype(np.uint8)[:, None], 3, axis=1)
        return grey_table(
            form.bits_stored,
            signed=form.signed,
            inverted=form.photometric == "MONOCHROME1",
            window=self._facts.window,
        )

    def note(self, sentence: str) -> None:
        """Say something of the clip from now on, once."""
        with self._lock:
            if sentence not in self._notes:
                self._notes = (*self._notes, sentence)
