"""Where each frame of a clip lies in its file, without reading the frames.

Native frames lie one after another.  Encapsulated ones are found through the
extended offset table, the basic offset table, or the fragments themselves
(PS3.5 A.4); a table that does not fit the fragments is not believed.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from itertools import pairwise

from veinscan.dicom.guard import Limits
from veinscan.dicom.header import PixelElement
from veinscan.dicom.sources import Bytes
from veinscan.errors import UnreadableError

_ITEM = b"\xfe\xff\x00\xe0"
_END = b"\xfe\xff\xdd\xe0"
_CHUNK = 64 * 1024

Span = tuple[int, int]
"""`(offset, length)` in bytes."""


@dataclass(slots=True)
class FrameMap:
    """For every readable frame the spans of its bytes, in order."""

    spans: list[tuple[Span, ...]]
    promised: int
    """Frames that the header names."""
    warnings: list[str] = field(default_factory=list)
    incomplete: str = ""
    """Why fewer frames are there than promised, '' where all are."""
    swapped_from: int | None = None
    """Where the value starts, if its bytes come in exchanged pairs."""

    def read(self, source: Bytes, index: int) -> bytes:
        """The bytes of one frame."""
        if self.swapped_from is not None:
            return self._unswapped(source, *self.spans[index][0])
        parts = [source.read(offset, length) for offset, length in self.spans[index]]
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _unswapped(self, source: Bytes, offset: int, length: int) -> bytes:
        """Bytes with each pair exchanged back; a frame may start or end within a pair."""
        before = (offset - (self.swapped_from or 0)) % 2
        data = bytearray(source.read(offset - before, length + before + (length + before) % 2))
        data[0::2], data[1::2] = data[1::2], data[0 : len(data) // 2 * 2 : 2]
        return bytes(data[before : before + length])


def native_frames(
    source: Bytes, pixels: PixelElement, n_frames: int, frame_bytes: int, bits: int
) -> FrameMap:
    """Frames of uncompressed pixel data.

    Raises UnreadableError where not even one frame is whole.
    """
    if pixels.length is None:
        raise UnreadableError("uncompressed pixel data of undefined length", where=source.name)
    in_file = max(0, source.size - pixels.offset)
    held = min(pixels.length, in_file)
    whole = min(n_frames, held // frame_bytes)
    out = FrameMap([((pixels.offset + i * frame_bytes, frame_bytes),) for i in range(whole)], n_frames)
    out.swapped_from = pixels.offset if pixels.swapped_pairs and bits == 8 else None
    if whole < n_frames:
        wanted = n_frames * frame_bytes
        if in_file < pixels.length:
            cause = f"the file is incomplete ({source.size} of {pixels.offset + pixels.length} bytes)"
        else:
            cause = f"its pixel data are too short ({pixels.length} of {wanted} bytes)"
        out.incomplete = f"{cause}: {whole} of {n_frames} frames are whole"
    elif in_file < pixels.length:
        out.warnings.append("the file ends before its pixel data do; all frames are there")
    _need_one(out, source)
    return out


def encapsulated_frames(
    source: Bytes,
    pixels: PixelElement,
    n_frames: int,
    limits: Limits,
    *,
    extended: tuple[bytes, bytes] | None = None,
    one_fragment_a_frame: bool = False,
) -> FrameMap:
    """Frames of compressed pixel data.

    Parameters
    ----------
    extended : (offsets, lengths), optional
        Values of ExtendedOffsetTable and ExtendedOffsetTableLengths (C.7.6.3.1.8).
    one_fragment_a_frame : bool
        Whether the transfer syntax forbids splitting a frame (RLE, PS3.5 A.4.2).

    Raises
    ------
    UnreadableError
        Where not even one frame is whole.
    """
    items, broken = _items(source, pixels.offset, limits)
    if not items:
        raise UnreadableError(
            broken or "its compressed pixel data hold no item (PS3.5 A.4)", where=source.name
        )
    table, fragments = items[0], items[1:]
    out = FrameMap([], n_frames)
    start = table[0] + table[1]
    offsets = _offsets(source, table, extended)
    spans = _by_offsets(offsets, start, fragments, n_frames) if offsets else None
    if offsets and spans is None:
        out.warnings.append("its offset table does not fit its fragments; the fragments were counted instead")
    if spans is None:
        spans = _by_fragments(source, fragments, n_frames, one_fragment_a_frame)
    if len(spans) > n_frames:
        out.warnings.append(
            f"it holds {len(spans)} compressed frames; its header names {n_frames}, which are read"
        )
        spans = spans[:n_frames]
    out.spans = spans
    if len(spans) < n_frames:
        out.incomplete = (
            f"{broken or 'its pixel data are too short'}: {len(spans)} of {n_frames} frames are whole"
        )
    elif broken:
        out.warnings.append(f"{broken}; all frames are there")
    _need_one(out, source)
    return out


def _need_one(found: FrameMap, source: Bytes) -> None:
    if not found.spans:
        raise UnreadableError(found.incomplete or "it holds no frame", where=source.name)


def _items(source: Bytes, position: int, limits: Limits) -> tuple[list[Span], str]:
    """All whole items from the offset table on, and what is wrong with the rest ('' for nothing)."""
    items: list[Span] = []
    buffer, base, chunk = b"", position, _CHUNK
    while True:
        at = position - base
        if at < 0 or at + 8 > len(buffer):
            buffer, base, at = source.read(position, chunk), position, 0
        head = buffer[at : at + 8]
        if len(head) < 8:
            return (
                items,
                f"the file is incomplete (it ends at byte {source.size}, in its compressed pixel data)",
            )
        tag, (length,) = head[:4], struct.unpack("<I", head[4:])
        if tag == _END:
            return items, ""
        if tag != _ITEM or length == 0xFFFFFFFF:
            return items, f"its compressed pixel data are damaged at byte {position} (no item starts there)"
        if position + 8 + length > source.size:
            missing = position + 8 + length
            return items, f"the file is incomplete ({source.size} of at least {missing} bytes)"
        if len(items) > limits.fragments:
            return items, f"it has more than {limits.fragments} fragments"
        items.append((position + 8, length))
        position += 8 + length
        chunk = (
            16 if length > _CHUNK // 4 else _CHUNK
        )  # large frames are stepped over, small ones read in bulk


def _offsets(source: Bytes, table: Span, extended: tuple[bytes, bytes] | None) -> list[int]:
    if extended is not None and len(extended[0]) >= 8 and len(extended[0]) % 8 == 0:
        return list(struct.unpack(f"<{len(extended[0]) // 8}Q", extended[0]))
    data = source.read(*table)
    count = len(data) // 4
    return list(struct.unpack(f"<{count}I", data[: count * 4]))


def _by_offsets(
    offsets: list[int], start: int, fragments: list[Span], n_frames: int
) -> list[tuple[Span, ...]] | None:
    """Fragments grouped by the table, or None where the table does not fit them.

    Offsets count from the first byte of the first item after the table
    (PS3.5 A.4), so they name the item's tag, 8 bytes before its value.
    """
    if len(offsets) != n_frames or offsets[0] != 0:
        return None
    starts = [span[0] - 8 - start for span in fragments]
    place = {offset: index for index, offset in enumerate(starts)}
    if any(b <= a for a, b in pairwise(offsets)):
        return None
    reach = (fragments[-1][0] + fragments[-1][1] - start) if fragments else 0
    inside = [offset for offset in offsets if offset < reach]
    if any(offset not in place for offset in inside):
        return None
    if len(inside) < len(offsets) and len(inside) == 0:
        return None
    edges = [place[offset] for offset in inside] + [len(fragments)]
    # In a cut file the last frame may lack fragments; nothing tells, so the decoder has the last word.
    return [tuple(fragments[a:b]) for a, b in pairwise(edges)]


def _by_fragments(
    source: Bytes, fragments: list[Span], n_frames: int, one_fragment_a_frame: bool
) -> list[tuple[Span, ...]]:
    if len(fragments) == n_frames or one_fragment_a_frame:
        return [(span,) for span in fragments]
    if n_frames == 1:
        return [tuple(fragments)] if fragments else []
    if len(fragments) < n_frames:
        return [(span,) for span in fragments]
    begins = [
        i
        for i, (offset, length) in enumerate(fragments)
        if starts_frame(source.read(offset, min(12, length)))
    ]
    if not begins or begins[0] != 0:
        return [(span,) for span in fragments]
    edges = [*begins, len(fragments)]
    return [tuple(fragments[a:b]) for a, b in pairwise(edges)]


def starts_frame(head: bytes) -> bool:
    """Whether bytes begin a JPEG, JPEG-LS, JPEG 2000 or JPEG XL stream."""
    return (
        head[:3] == b"\xff\xd8\xff"
        or head[:4] == b"\xff\x4f\xff\x51"
        or head[:2] == b"\xff\x0a"
        or head[4:8] in (b"jP  ", b"JXL ")
    )
