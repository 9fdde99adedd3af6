"""`Clip`: one ultrasound object, its frames decoded on demand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pydicom

from veinscan.dicom.calibration import (
    ManualCalibration,
    ManualColourScale,
    applied,
    check_calibration,
    check_colour_scale,
    manual_calibration,
)
from veinscan.dicom.chroma import colour_parts, colour_pixels
from veinscan.dicom.colour import Frame, grey_of
from veinscan.dicom.depth_scale import ProposedCalibration, propose_calibration
from veinscan.dicom.facts import ClipFacts
from veinscan.dicom.frame_reader import FrameReader
from veinscan.dicom.header import cleaned
from veinscan.dicom.kind import kind_from_header, kind_from_pixels
from veinscan.dicom.model import Box, ClipKind, Region, RegionKind, SpacingMm
from veinscan.dicom.regions import picture_region, region_at, side_by_side
from veinscan.dicom.screen import bars_on_both_sides, find_colour_boxes, find_wrap_column, found_regions
from veinscan.dicom.skin import skin_row_in
from veinscan.dicom.timing import OrderKey
from veinscan.errors import InvalidInputError, UnreadableError

UNCALIBRATED = "nothing is measured in mm until it is calibrated by a known distance"


class Clip:
    """A DICOM ultrasound object: one picture or many.

    Made by `open_study`.  Opening has read its header only; a frame is read
    and decoded when it is asked for, and the last ones stay in memory.  All
    methods may be called from several threads.
    """

    def __init__(
        self,
        facts: ClipFacts,
        reader: FrameReader,
        manual: tuple[ManualCalibration, ...] = (),
        colour_scale: ManualColourScale | None = None,
    ) -> None:
        self._facts = facts
        self._reader = reader
        self._manual = manual
        self.colour_scale = colour_scale
        """What a reader says of the scale of its colour bar; None where nobody said."""
        self._proposal: tuple[ProposedCalibration | None] | None = None
        self._warnings = [
            *facts.warnings,
            *facts.regions.warnings,
            *(note for region in facts.regions.regions for note in region.warnings),
            *facts.time.warnings,
            *(calibration.sentence for calibration in manual),
            *([] if colour_scale is None else [colour_scale.sentence]),
        ]
        if self.spacing_mm is None:
            self._warnings.append(_why_no_spacing(picture_region(self._known_regions)))

    def __repr__(self) -> str:
        return f"<Clip {self.file!r}: {self.n_frames} x {self.rows} x {self.columns}>"

    @property
    def file(self) -> str:
        """Path relative to the study, with `/`; for a single file its name."""
        return self._reader.supply.name

    @property
    def path(self) -> Path:
        """The file on disk, even if it is still to come from an archive; for a member of a zip, the zip."""
        return self._reader.supply.path

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
        """Calibrated regions in the file's order, with what readers set; the whole-screen dummy is none.

        Where the picture's region has no usable scale, burned-in ticks are
        looked for once (in up to three frames) and told as `proposed_spacing_mm`.
        """
        return self._regions

    @cached_property
    def _regions(self) -> tuple[Region, ...]:
        known = self._known_regions
        region = picture_region(known)
        if region is None or region.spacing_mm is not None:
            return known
        proposal = self._proposal_for(region)
        if proposal is None:
            return known
        proposed = replace(region, proposed_spacing_mm=proposal.spacing_mm)
        return tuple(proposed if r is region else r for r in known)

    @property
    def _known_regions(self) -> tuple[Region, ...]:
        """Regions from header and readers alone: no frame is decoded for them."""
        return applied(self._facts.regions.regions, self._manual)

    @cached_property
    def found_regions(self) -> tuple[Region, ...]:
        """Pictures, colour bars and strip found in the pixels, without any scale; `source` is 'pixels'.

        For clips whose file has no regions; looks at up to three frames.
        """
        frames = self._few_frames()
        return found_regions(frames) if frames else ()

    @cached_property
    def picture_region(self) -> Region | None:
        """The tissue or colour-flow region that candidates are searched in, or None.

        Where the file has no region for it, the picture found in the pixels:
        it has a box and at most a proposed spacing.
        """
        region = picture_region(self._regions)
        if region is None and not any(r.is_spectrum for r in self._known_regions):
            region = picture_region(self.found_regions)
            proposal = self._proposal_for(region) if region is not None else None
            if region is not None and proposal is not None:
                region = replace(region, proposed_spacing_mm=proposal.spacing_mm)
        return region

    @property
    def spacing_mm(self) -> SpacingMm | None:
        """Size of a pixel of the picture region in mm, or None (and a warning) where not calibrated."""
        region = picture_region(self._known_regions)
        return None if region is None else region.spacing_mm

    @cached_property
    def proposed_calibration(self) -> ProposedCalibration | None:
        """What the depth scale suggests for an uncalibrated picture: for a person to judge, never used."""
        region = self.picture_region
        return None if region is None or region.spacing_mm is not None else self._proposal_for(region)

    def _proposal_for(self, region: Region) -> ProposedCalibration | None:
        if self._proposal is None:
            beside = [region.box]
            if region.source == "pixels":  # two screens share the scale beside them
                beside += [r.box for r in self.found_regions if r.is_picture]
            firsts, ends = zip(*((box[:2], box[2:]) for box in beside), strict=True)
            row0, col0 = (min(values) for values in zip(*firsts, strict=True))
            row1, col1 = (max(values) for values in zip(*ends, strict=True))
            self._proposal = (propose_calibration(self._few_frames(), (row0, col0, row1, col1)),)
        return self._proposal[0]

    def _few_frames(self) -> list[Frame]:
        """First, middle and last frame, those that can be decoded."""
        out = []
        for index in sorted({0, self.n_frames // 2, self.n_frames - 1}):
            try:
                out.append(self.frame(index))
            except UnreadableError:
                continue
        return out

    @property
    def manual_calibrations(self) -> tuple[ManualCalibration, ...]:
        """What readers set by hand on this clip."""
        return self._manual

    def with_calibration(self, *calibrations: ManualCalibration) -> Clip:
        """The same clip with calibrations that were set by hand, as kept in a record.

        A later one for the same picture replaces an earlier one.  Raises
        InvalidInputError for one of another clip, or that this clip cannot have.
        """
        by_box = {calibration.box: calibration for calibration in self._manual}
        for calibration in calibrations:
            check_calibration(calibration, self)
            by_box[calibration.box] = calibration
        return Clip(self._facts, self._reader, tuple(by_box.values()), self.colour_scale)

    def with_colour_scale(self, scale: ManualColourScale) -> Clip:
        """The same clip with the scale of its colour bar as a reader gave it.

        Raises InvalidInputError for one of another clip, or whose bar is not in the picture.
        """
        check_colour_scale(scale, self)
        return Clip(self._facts, self._reader, self._manual, scale)

    def calibrated(
        self,
        *,
        by: str,
        points: Sequence[Iterable[float]] | None = None,
        known_mm: float | None = None,
        spacing_mm: Sequence[float] | None = None,
        take_proposal: bool = False,
    ) -> Clip:
        """The same clip calibrated by a person, in one of three ways.

        Parameters
        ----------
        by : str
            Who sets it.
        points, known_mm
            Two points `(row, col)` and their distance in mm; pixels are taken for square.
        spacing_mm : (row, col)
            Size of a pixel of the picture region.
        take_proposal : bool
            Take `proposed_calibration`.

        Raises
        ------
        InvalidInputError
            Where what is given is no calibration, or makes the picture of an unbelievable size.
        CalibrationError
            Where there is no picture, no proposal, or the points lie in different pictures.
        """
        return self.with_calibration(
            manual_calibration(
                self,
                by=by,
                points=points,
                known_mm=known_mm,
                spacing_mm=spacing_mm,
                take_proposal=take_proposal,
            )
        )

    @property
    def whole(self) -> Region:
        """All of the screen as a picture without a scale: for clips in which no picture was found."""
        return Region(kind=RegionKind.TISSUE, box=(0, 0, self.rows, self.columns), source="pixels")

    def strip_at(self, region: Region, index: int) -> Region:
        """A strip's region with `wrap_col` as frame `index` shows it; unchanged where it is not sweeping."""
        if not region.scroll.startswith("sweeping"):
            return region
        return replace(region, wrap_col=find_wrap_column(self.frame(index), region.box))

    def colour_boxes(self, index: int) -> tuple[Box, ...]:
        """Boxes of Doppler colour in the picture, found in a frame: outlines, else around the colour."""
        frame = self.frame(index)
        region = self.picture_region
        if frame.ndim == 2 or region is None:
            return ()
        return tuple(find_colour_boxes(frame, colour_parts(frame, region).flow))

    @cached_property
    def skin_row(self) -> float | None:
        """Whole-frame row of the skin: from the picture region's reference pixel, else found in its pixels.

        None where neither tells.  Looks at up to three frames when the header is silent.
        """
        return skin_row_in(self, self.picture_region or self.whole)

    @property
    def laterality(self) -> str:
        """'left', 'right' or 'unknown', from the header alone."""
        return self._facts.laterality

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is missing, repaired or not to be trusted, one sentence each; grows as frames are decoded."""
        return tuple(dict.fromkeys([*self._warnings, *self._reader.notes]))

    @property
    def dual_screen(self) -> bool:
        """Whether two pictures stand side by side: by the regions, else by two of them in the pixels."""
        known = self._known_regions
        if any(region.is_picture for region in known):
            return side_by_side(known)
        return side_by_side(self.found_regions) or bars_on_both_sides(self.found_regions)

    @cached_property
    def kind(self) -> ClipKind:
        """What the clip shows: from its regions and header, else from the pixels of a frame."""
        known = self._known_regions
        found = kind_from_header(
            known, self._facts.image_type, colour=not self.photometric.startswith("MONO")
        )
        if found is not None:
            return found
        try:
            frame = self.frame(self.n_frames // 2)
        except UnreadableError:
            return ClipKind.OTHER
        return kind_from_pixels(frame, known, picture_region(known))

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
        PacsError
            Where an archive that it was to come from does not give it.
        """
        if not isinstance(index, (int, np.integer)) or not 0 <= index < self.n_frames:
            raise InvalidInputError(
                f"there is no frame {index}",
                where=self.file,
                do=f"frames count from 0 to {self.n_frames - 1}",
            )
        return self._reader.frame(int(index))

    def grey(self, index: int) -> Frame:
        """(rows, cols) uint8 luminance of a frame.  Raises as `frame`."""
        return grey_of(self.frame(index))

    def colour_mask(self, index: int) -> npt.NDArray[np.bool_]:
        """(rows, cols) bool: pixels that are coloured, a tint of the picture aside.  Raises as `frame`."""
        return colour_pixels(self.frame(index), picture_region(self._known_regions))

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
        return cleaned(self._reader.dataset())

    def raw_header(self) -> pydicom.Dataset:
        """The header without pixels as it was parsed, private parts included; any value may raise when read.

        For de-identification alone, which says what becomes of each part.
        """
        return self._reader.dataset()


def _why_no_spacing(region: Region | None) -> str:
    what = "no calibrated picture in the file" if region is None else "its picture has no usable calibration"
    return f"{what}: {UNCALIBRATED}"
