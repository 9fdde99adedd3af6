"""`Clip`: one ultrasound object, its frames decoded on demand."""

from __future__ import annotations

import threading
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pydicom

from veinscan.dicom.cache import FrameCache
from veinscan.dicom.chroma import colour_pixels
from veinscan.dicom.colour import Frame, grey_of, grey_table
from veinscan.dicom.decode import decode_frame
from veinscan.dicom.facts import ClipFacts
from veinscan.dicom.guard import Limits
from veinscan.dicom.header import cleaned, read_header
from veinscan.dicom.kind import kind_from_header, kind_from_pixels
from veinscan.dicom.model import ClipKind, Region, RegionKind, SpacingMm
from veinscan.dicom.palette import palette_table
from veinscan.dicom.regions import picture_region, region_at, side_by_side
from veinscan.dicom.skin import skin_row_in
from veinscan.dicom.sources import Bytes
from veinscan.dicom.timing import OrderKey
from veinscan.errors import InvalidInputError, UnreadableError


class Clip:
    """A DICOM ultrasound object: one picture or many.

    Made by `open_study`.  Opening has read its header only; a frame is read
    and decoded when it is asked for, and the last ones stay in memory.  All
    methods may be called from several threads.
    """

    def __init__(self, facts: ClipFacts, original: Bytes, limits: Limits, cache: FrameCache) -> None:
        self._facts = facts
        self._original = original
        self._limits = limits
        self._cache = cache
        self._lock = threading.Lock()
        self._warnings = [
            *facts.warnings,
            *facts.regions.warnings,
            *(note for region in facts.regions.regions for note in region.warnings),
            *facts.time.warnings,
        ]
        if self.spacing_mm is None:
            self._warnings.append(_why_no_spacing(self.picture_region))

    def __repr__(self) -> str:
        return f"<Clip {self.file!r}: {self.n_frames} x {self.rows} x {self.columns}>"

    @property
    def file(self) -> str:
        """Path relative to the study, with `/`; for a single file its name."""
        return self._original.name

    @property
    def path(self) -> Path:
        """The file on disk; for a member of a zip, the zip."""
        return self._original.path

    @property
    def sop_instance_uid(self) -> str:
        """SOPInstanceUID (0008,0018)."""
        return self._facts.sop_instance_uid

    @property
    def sop_class_uid(self) -> str:
        """SOPClassUID (0008,0016)."""
        return self._facts.sop_class_uid

    @property
    def series_instance_uid(self) -> str:
        """SeriesInstanceUID (0020,000E); '' where the file has none."""
        return self._facts.series_instance_uid

    @property
    def study_instance_uid(self) -> str:
        """StudyInstanceUID (0020,000D)."""
        return self._facts.study_instance_uid

    @property
    def order(self) -> OrderKey:
        """What places the clip among the others of its study."""
        return self._facts.order

    @property
    def rows(self) -> int:
        """Rows of a frame."""
        return self._facts.form.rows

    @property
    def columns(self) -> int:
        """Columns of a frame."""
        return self._facts.form.columns

    @property
    def n_frames(self) -> int:
        """Frames that can be read; a still has 1."""
        return len(self._facts.frames.spans)

    @property
    def shape(self) -> tuple[int, ...]:
        """(frames, rows, cols), or (frames, rows, cols, 3) in colour."""
        flat = (self.n_frames, self.rows, self.columns)
        return flat if self.photometric.startswith("MONOCHROME") else (*flat, 3)

    @property
    def transfer_syntax(self) -> str:
        """Transfer Syntax UID of the file."""
        return self._facts.form.transfer_syntax

    @property
    def photometric(self) -> str:
        """PhotometricInterpretation as stored; frames come as grey or RGB whatever it is."""
        return self._facts.form.photometric

    @property
    def frame_times_s(self) -> npt.NDArray[np.float64] | None:
        """(n,) float64 seconds from the first frame, or None (with a warning) where the file does not say."""
        return self._facts.time.times_s

    @property
    def frame_rate_hz(self) -> float | None:
        """Mean frame rate, or None for a still and where the file does not say."""
        return self._facts.time.rate_hz

    @property
    def regions(self) -> tuple[Region, ...]:
        """Calibrated regions in the file's order; the whole-screen dummy is none."""
        return self._facts.regions.regions

    @property
    def picture_region(self) -> Region | None:
        """The tissue or colour-flow region that candidates are searched in, or None."""
        return picture_region(self.regions)

    @property
    def spacing_mm(self) -> SpacingMm | None:
        """Size of a pixel of the picture region in mm, or None (and a warning) where not calibrated."""
        region = self.picture_region
        return None if region is None else region.spacing_mm

    @cached_property
    def skin_row(self) -> float | None:
        """Whole-frame row of the skin: from the picture region's reference pixel, else found in its pixels.

        None where neither tells.  Looks at up to three frames when the header is silent.
        """
        region = self.picture_region
        if region is None:
            region = Region(kind=RegionKind.TISSUE, box=(0, 0, self.rows, self.columns))
        return skin_row_in(self, region)

    @property
    def laterality(self) -> str:
        """'left', 'right' or 'unknown', from the header alone."""
        return self._facts.laterality

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is missing, repaired or not to be trusted, one sentence each; grows as frames are decoded."""
        with self._lock:
            return tuple(dict.fromkeys(self._warnings))

    @property
    def dual_screen(self) -> bool:
        """Whether two pictures stand side by side."""
        return side_by_side(self.regions)

    @cached_property
    def kind(self) -> ClipKind:
        """What the clip shows: from its regions and header, else from the pixels of a frame."""
        found = kind_from_header(
            self.regions, self._facts.image_type, colour=not self.photometric.startswith("MONO")
        )
        if found is not None:
            return found
        try:
            frame = self.frame(self.n_frames // 2)
        except UnreadableError:
            return ClipKind.OTHER
        return kind_from_pixels(frame, self.regions, self.picture_region)

    def region_at(self, row: float, col: float) -> Region | None:
        """The region a point `(row, col)` belongs to; where they overlap, the one on top (C.8.5.5.1.3)."""
        return region_at(self.regions, row, col)

    def frame(self, index: int) -> Frame:
        """One frame, uint8: (rows, cols) grey or (rows, cols, 3) RGB, read-only.

        Raises
        ------
        InvalidInputError
            For an index that is not in 0..n_frames - 1.
        DecodeError
            Where the frame is damaged.
        UnreadableError
            Where the file has changed or gone.
        """
        if not isinstance(index, (int, np.integer)) or not 0 <= index < self.n_frames:
            raise InvalidInputError(
                f"there is no frame {index}",
                where=self.file,
                do=f"frames count from 0 to {self.n_frames - 1}",
            )
        return self._cache.get(self.sop_instance_uid, int(index), self.n_frames, self._decode)

    def grey(self, index: int) -> Frame:
        """(rows, cols) uint8 luminance of a frame.  Raises as `frame`."""
        return grey_of(self.frame(index))

    def colour_mask(self, index: int) -> npt.NDArray[np.bool_]:
        """(rows, cols) bool: pixels that are coloured, a tint of the picture aside.  Raises as `frame`."""
        return colour_pixels(self.frame(index), self.picture_region)

    def bmode(self, index: int) -> Frame:
        """(rows, cols) uint8 grey in which coloured pixels are 0: a filled vessel is a hole in the tissue.

        Colour Doppler replaces the grey picture where there is flow, so what
        lay below is not known; blood is dark.  Raises as `frame`.
        """
        grey = self.grey(index).copy()
        if len(self.shape) == 4:
            grey[self.colour_mask(index)] = 0
        return grey

    def header(self) -> pydicom.Dataset:
        """The header without pixels and private parts, read anew; elements that cannot be read are left out.

        It holds patient data: nothing of it belongs in a log, a message or a file name.
        """
        return cleaned(read_header(self._original, self._limits).dataset)

    def _decode(self, index: int) -> Frame:
        facts = self._facts
        data = facts.frames.read(facts.source, index)
        decoded = decode_frame(data, facts.form, where=self.file, index=index)
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
            dataset = read_header(self._original, self._limits).dataset
            try:
                return palette_table(dataset, little_endian=form.little_endian, where=self.file)
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
            if sentence not in self._warnings:
                self._warnings.append(sentence)


def _why_no_spacing(region: Region | None) -> str:
    what = "no calibrated picture in the file" if region is None else "its picture has no usable calibration"
    return f"{what}: nothing is measured in mm until it is calibrated by a known distance"
