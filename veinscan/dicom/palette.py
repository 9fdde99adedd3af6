"""Palettes: stored value to colour (PS3.3 C.7.6.3.1.5 and .6, segmented ones C.7.9.2)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.pixels.processing import apply_color_lut

from veinscan.dicom.guard import only_veinscan_errors
from veinscan.dicom.header import quiet
from veinscan.dicom.values import numbers, raw_value
from veinscan.errors import UnreadableError

_COLOURS = ("Red", "Green", "Blue")
_ENTRIES = 65536
"""The most a palette can have (C.7.6.3.1.5)."""


def palette_table(dataset: Any, *, little_endian: bool, where: str) -> npt.NDArray[np.uint8]:
    """(n, 3) uint8 colours by stored value, for every value that BitsAllocated can hold.

    pydicom expands the palette and extends it at both ends as the standard
    asks.  Raises UnreadableError where the palette is missing or damaged.
    """
    with quiet(), only_veinscan_errors("its palette is damaged", where=where):
        bits = 16 if raw_value(dataset, "BitsAllocated") == 16 else 8
        values = np.arange(1 << bits, dtype=np.uint8 if bits == 8 else np.uint16)
        table = apply_color_lut(values, _palette_only(dataset, little_endian))[:, :3]
    if table.dtype != np.uint8 and int(table.max(initial=0)) > 255:
        table = table >> 8  # 16-bit colours; writers also put 8-bit colours into 16-bit entries
    return np.ascontiguousarray(table.astype(np.uint8))


def _palette_only(dataset: Any, little_endian: bool) -> pydicom.Dataset:
    """The palette module alone, in little endian: pydicom takes its plain form for that in any file."""
    out = pydicom.Dataset()
    out.file_meta = pydicom.dataset.FileMetaDataset()
    out.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    out.PixelRepresentation = 1 if raw_value(dataset, "PixelRepresentation") == 1 else 0
    for colour in _COLOURS:
        descriptor = [int(v) for v in numbers(dataset, f"{colour}PaletteColorLookupTableDescriptor")]
        if len(descriptor) != 3 or descriptor[2] not in (8, 16):
            raise UnreadableError("its palette is missing or has no usable descriptor (C.7.6.3.1.5)")
        element = pydicom.DataElement(
            pydicom.tag.Tag(f"{colour}PaletteColorLookupTableDescriptor"), "US", descriptor
        )
        if descriptor[1] < 0:
            element = pydicom.DataElement(element.tag, "SS", descriptor)
        out[element.tag] = element
        plain = _words(raw_value(dataset, f"{colour}PaletteColorLookupTableData"), little_endian)
        if plain:
            out[f"{colour}PaletteColorLookupTableData"] = _binary(
                f"{colour}PaletteColorLookupTableData", plain
            )
            continue
        keyword = f"Segmented{colour}PaletteColorLookupTableData"
        segmented = _words(raw_value(dataset, keyword), little_endian)
        if not segmented:
            raise UnreadableError("its palette is missing (C.7.6.3.1.5)")
        _bounded(segmented, descriptor[2])
        out[keyword] = _binary(keyword, segmented)
    return out


def _binary(keyword: str, value: bytes) -> pydicom.DataElement:
    return pydicom.DataElement(pydicom.tag.Tag(keyword), "OW", value)


def _words(value: Any, little_endian: bool) -> bytes:
    """Palette data as little endian bytes; they are words (OW), or in old files numbers (US)."""
    if value is None:
        return b""
    if not isinstance(value, bytes):
        return np.asarray(list(value), dtype="<u2").tobytes()
    if little_endian:
        return value
    return np.frombuffer(value[: len(value) // 2 * 2], dtype=">u2").astype("<u2").tobytes()


def _bounded(data: bytes, bits: int) -> None:
    """Refuse segments that would expand beyond a palette's size: three numbers can ask for 65,535 entries."""
    values = (
        np.frombuffer(data[: len(data) // 2 * 2], dtype="<u2" if bits == 16 else np.uint8)
        .astype(int)
        .tolist()
    )
    lengths = _segment_lengths(values, indirect_words=2 if bits == 16 else 4)
    if len(values) > 2 * _ENTRIES or sum(lengths.values()) > _ENTRIES:
        raise UnreadableError(f"its segmented palette expands to more than {_ENTRIES} entries (C.7.9.2)")


def _segment_lengths(values: list[int], *, indirect_words: int) -> dict[int, int]:
    """Expanded length of each segment by its place; an indirect one may only repeat direct ones before it."""
    out: dict[int, int] = {}
    order: list[int] = []
    place = 0
    while place + 1 < len(values):
        opcode, length = values[place], values[place + 1]
        start, place = place, place + 2
        if opcode == 2:
            # `length` segments from an earlier place are repeated: bounded by the longest run of so many
            out[start] = sum(sorted((out[o] for o in order), reverse=True)[:length])
            place += indirect_words
        elif opcode in (0, 1):
            out[start] = length
            order.append(start)
            place += length if opcode == 0 else 1
        else:
            break
    return out
