"""What a compressed frame says about itself, read before any decoder touches it.

A decoder allocates what the stream's own header asks for, whatever the DICOM
header says: a 64 x 80 clip can hold a JPEG of 20000 x 20000.  So the size is
read here first, and compared.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import StrEnum


class Codec(StrEnum):
    """How a frame is compressed."""

    JPEG = "JPEG"
    JPEG_LOSSLESS = "lossless JPEG"
    JPEG_LS = "JPEG-LS"
    JPEG_2000 = "JPEG 2000"
    JPEG_XL = "JPEG XL"
    RLE = "RLE"


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """Facts of a compressed frame's own header."""

    codec: Codec
    rows: int
    columns: int
    components: int
    """0 where the header does not say (JPEG XL)."""
    bits: int
    """Bits a sample; 0 where the header does not say."""
    subsampled: bool = False
    """Whether components differ in resolution: then they cannot be R, G, B."""
    says_ycc: bool | None = None
    """Whether the stream itself names its colours YCbCr (True) or RGB (False); None where it is silent."""


def describe(data: bytes) -> StreamInfo | None:
    """Facts of a JPEG, JPEG-LS, JPEG 2000 or JPEG XL stream; None where it is none of these or is damaged."""
    try:
        if data[:2] == b"\xff\xd8":
            return _jpeg(data)
        if data[:4] == b"\xff\x4f\xff\x51":
            return _jpeg2000(data, 0)
        if data[4:8] == b"jP  ":
            start = data.find(b"\xff\x4f\xff\x51", 0, 65536)
            return _jpeg2000(data, start) if start > 0 else None
        if data[:2] == b"\xff\x0a":
            return _jpegxl(data[2:])
        if data[4:8] == b"JXL ":
            return _jpegxl_container(data)
    except (struct.error, IndexError):
        return None
    return None


def _jpeg(data: bytes) -> StreamInfo | None:
    """Markers up to the start of frame (ITU-T T.81 B.1, B.2)."""
    position, says_ycc = 2, None
    while position + 4 <= len(data):
        if data[position] != 0xFF:
            return None
        marker = data[position + 1]
        if marker == 0xFF:  # fill byte
            position += 1
            continue
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:
            position += 2
            continue
        (length,) = struct.unpack_from(">H", data, position + 2)
        body = position + 4
        if marker == 0xE0 and data[body : body + 5] == b"JFIF\0":
            says_ycc = True
        elif marker == 0xEE and data[body : body + 5] == b"Adobe" and length >= 14:
            says_ycc = data[body + 11] == 1
        elif marker == 0xF7 or (0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)):
            return _start_of_frame(data, body, marker, says_ycc)
        elif marker in (0xDA, 0xD9):
            return None
        position += 2 + max(2, length)
    return None


def _start_of_frame(data: bytes, body: int, marker: int, says_ycc: bool | None) -> StreamInfo:
    bits, rows, columns, components = struct.unpack_from(">BHHB", data, body)
    parts = [data[body + 6 + 3 * i : body + 9 + 3 * i] for i in range(components)]
    if any(len(part) < 3 for part in parts):
        raise IndexError
    if says_ycc is None and bytes(part[0] for part in parts) == b"RGB":
        says_ycc = False
    codec = (
        Codec.JPEG_LS
        if marker == 0xF7
        else Codec.JPEG_LOSSLESS
        if marker in (0xC3, 0xC7, 0xCB, 0xCF)
        else Codec.JPEG
    )
    subsampled = len({part[1] for part in parts}) > 1
    return StreamInfo(codec, rows, columns, components, bits, subsampled, says_ycc)


def _jpeg2000(data: bytes, start: int) -> StreamInfo:
    """SIZ and COD markers (ITU-T T.800 A.5.1, A.6.1)."""
    x1, y1, x0, y0 = struct.unpack_from(">IIII", data, start + 8)
    (components,) = struct.unpack_from(">H", data, start + 40)
    bits = (data[start + 42] & 0x7F) + 1
    subsampled = any(
        data[start + 43 + 3 * i : start + 45 + 3 * i] != b"\1\1" for i in range(min(components, 4))
    )
    return StreamInfo(Codec.JPEG_2000, y1 - y0, x1 - x0, components, bits, subsampled)


class _Bits:
    """Bits of a JPEG XL stream, least significant first."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data[:32], "little")

    def take(self, count: int) -> int:
        out = self._value & ((1 << count) - 1)
        self._value >>= count
        return out


_RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}


def _jpegxl(data: bytes) -> StreamInfo:
    """SizeHeader (ISO/IEC 18181-1 D.2)."""
    if len(data) < 10:
        raise IndexError
    bits = _Bits(data)
    small = bits.take(1)

    def side() -> int:
        return (bits.take(5) + 1) * 8 if small else bits.take((9, 13, 18, 30)[bits.take(2)]) + 1

    rows = side()
    ratio = bits.take(3)
    columns = side() if ratio == 0 else rows * _RATIOS[ratio][0] // _RATIOS[ratio][1]
    return StreamInfo(Codec.JPEG_XL, rows, columns, 0, 0)


def _jpegxl_container(data: bytes) -> StreamInfo | None:
    """The codestream box of a JPEG XL container (ISO/IEC 18181-2)."""
    position = 0
    while position + 16 <= len(data):
        (length,) = struct.unpack_from(">I", data, position)
        kind = data[position + 4 : position + 8]
        head = 8
        if length == 1:
            (length,), head = struct.unpack_from(">Q", data, position + 8), 16
        if kind in (b"jxlc", b"jxlp"):
            start = position + head + (4 if kind == b"jxlp" else 0)
            if data[start : start + 2] == b"\xff\x0a":
                return _jpegxl(data[start + 2 : start + 40])
        if length < 8:
            return None
        position += length
    return None
