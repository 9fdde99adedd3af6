"""Pixel component calibration: the standard's own table from pixel values to velocities (PS3.3 C.8.5.5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from veinscan.dicom import Clip

COLOR_FLOW_DATA = 2
"""PixelComponentDataType for colour flow, as RegionDataType counts them (C.8.5.5.1.2)."""
CM_PER_S = 7
"""PixelComponentPhysicalUnits for cm/s."""


@dataclass(frozen=True, slots=True)
class ComponentTable:
    """Velocities by colour of the palette."""

    codes: npt.NDArray[np.uint32] = field(repr=False)
    """(n,) sorted 24-bit RGB."""
    values: npt.NDArray[np.float32] = field(repr=False)
    """(n,) cm/s."""

    @property
    def span_cm_s(self) -> float:
        """Greatest less smallest velocity."""
        return float(np.ptp(self.values))

    @property
    def step_cm_s(self) -> float | None:
        """Usual distance of neighbouring velocities."""
        steps = np.diff(np.unique(self.values))
        return float(np.median(steps)) if steps.size else None

    def velocities(
        self, frame: npt.NDArray[np.uint8], inside: npt.NDArray[np.bool_] | None
    ) -> npt.NDArray[np.float32]:
        """(rows, cols) float32 cm/s, NaN where a colour has no velocity."""
        wide = frame.astype(np.uint32)
        packed = (wide[..., 0] << 16) | (wide[..., 1] << 8) | wide[..., 2]
        at = np.clip(np.searchsorted(self.codes, packed), 0, self.codes.size - 1)
        known = self.codes[at] == packed
        if inside is not None:
            known &= inside
        return np.where(known, self.values[at], np.float32(np.nan)).astype(np.float32)


def component_table(clip: Clip) -> ComponentTable | None:
    """The table of a palette clip whose regions carry a usable pixel component calibration, else None.

    Palette clips are the case in which a stored value stands for one colour
    on the screen; a colour that two values with different velocities share is
    left out.
    """
    if "PALETTE" not in clip.photometric.upper():
        return None
    try:
        return _table(clip.header())
    except Exception:  # a damaged table is no table
        return None


def _table(header: Any) -> ComponentTable | None:
    from pydicom.pixels.processing import apply_color_lut

    for region in header.get("SequenceOfUltrasoundRegions") or []:
        if region.get("PixelComponentPhysicalUnits") != CM_PER_S:
            continue
        if region.get("PixelComponentDataType", COLOR_FLOW_DATA) != COLOR_FLOW_DATA:
            continue
        stored, values = _entries(region)
        if stored.size < 2 or stored.size != values.size:
            continue
        colours = np.asarray(apply_color_lut(stored.astype(np.uint16).reshape(1, -1), header))[0]
        if colours.dtype != np.uint8:
            colours = (colours >> 8).astype(np.uint8)
        wide = colours.astype(np.uint32)
        codes = (wide[:, 0] << 16) | (wide[:, 1] << 8) | wide[:, 2]
        unique, first, count = np.unique(codes, return_index=True, return_counts=True)
        # black and grey are the picture below, whatever value the table gives them
        grey = np.ptp(colours[first].astype(int), axis=1) < 8
        use = (count == 1) & ~grey
        if int(use.sum()) >= 2:
            return ComponentTable(unique[use], values[first][use].astype(np.float32))
    return None


def _entries(region: Any) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Stored values and their velocities, by PixelComponentOrganization 1 (ranges) or 2 (table)."""
    empty = np.zeros(0, dtype=np.int64), np.zeros(0)
    kind = region.get("PixelComponentOrganization")
    if kind == 2:
        stored, values = region.get("TableOfPixelValues"), region.get("TableOfParameterValues")
        if stored is None or values is None:
            return empty
        return np.asarray(list(stored), dtype=np.int64), np.asarray(list(values), dtype=np.float64)
    if kind == 1:
        start, stop = region.get("PixelComponentRangeStart"), region.get("PixelComponentRangeStop")
        x, y = region.get("TableOfXBreakPoints"), region.get("TableOfYBreakPoints")
        if None in (start, stop, x, y) or not 0 <= int(start) < int(stop) <= 65535:
            return empty
        stored = np.arange(int(start), int(stop) + 1)
        order = np.argsort(np.asarray(list(x), dtype=np.float64))
        places, values = (
            np.asarray(list(x), dtype=np.float64)[order],
            np.asarray(list(y), dtype=np.float64)[order],
        )
        return stored, np.interp(stored, places, values)
    return empty
