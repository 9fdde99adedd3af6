"""The bytes of one frame to uint8 grey or RGB.

Decoders are imagecodecs' (libjpeg-turbo, CharLS, OpenJPEG, libjxl) and
pylibjpeg-rle's.  Each frame's own header is read first and must agree with the
clip's: a decoder is never asked for more pixels than the DICOM header names.

Decoding stays in the process: a worker would copy every frame and double the
time to the first one.  The size check bounds memory, the decoders let go of
Python's lock, and tests/hostile/fuzz_many.py shows that mutated frames neither
crash nor exceed the limits.  The exception is JPEG-LS: CharLS takes seconds to
give up on some damaged frames, so it works in a process that can be ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from veinscan.dicom.codestream import Codec, StreamInfo, describe
from veinscan.dicom.colour import Frame, unpack_422, ycc_to_rgb
from veinscan.dicom.guard import DEFAULT_LIMITS, only_veinscan_errors
from veinscan.dicom.worker import jpeg_ls
from veinscan.errors import DecodeError

NATIVE = {
    "1.2.840.10008.1.2": "Implicit VR Little Endian",
    "1.2.840.10008.1.2.1": "Explicit VR Little Endian",
    "1.2.840.10008.1.2.2": "Explicit VR Big Endian",
    "1.2.840.10008.1.2.1.99": "Deflated Explicit VR Little Endian",
}
RLE = "1.2.840.10008.1.2.5"
COMPRESSED: dict[str, frozenset[Codec]] = {
    "1.2.840.10008.1.2.4.50": frozenset({Codec.JPEG}),
    "1.2.840.10008.1.2.4.51": frozenset({Codec.JPEG}),
    "1.2.840.10008.1.2.4.57": frozenset({Codec.JPEG_LOSSLESS}),
    "1.2.840.10008.1.2.4.70": frozenset({Codec.JPEG_LOSSLESS}),
    "1.2.840.10008.1.2.4.80": frozenset({Codec.JPEG_LS}),
    "1.2.840.10008.1.2.4.81": frozenset({Codec.JPEG_LS}),
    "1.2.840.10008.1.2.4.90": frozenset({Codec.JPEG_2000}),
    "1.2.840.10008.1.2.4.91": frozenset({Codec.JPEG_2000}),
    "1.2.840.10008.1.2.4.110": frozenset({Codec.JPEG_XL}),
    "1.2.840.10008.1.2.4.111": frozenset({Codec.JPEG_XL}),
    "1.2.840.10008.1.2.4.112": frozenset({Codec.JPEG_XL}),
    "1.2.840.10008.1.2.4.201": frozenset({Codec.JPEG_2000}),
    "1.2.840.10008.1.2.4.202": frozenset({Codec.JPEG_2000}),
    "1.2.840.10008.1.2.4.203": frozenset({Codec.JPEG_2000}),
    RLE: frozenset({Codec.RLE}),
}
"""Transfer syntaxes that are read, with what their frames should be."""


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """How the pixels of a clip are stored (C.7.6.3)."""

    rows: int
    columns: int
    samples: int
    bits_allocated: int
    bits_stored: int
    signed: bool
    photometric: str
    planar: int
    little_endian: bool
    transfer_syntax: str

    @property
    def native(self) -> bool:
        """Whether the pixels are not compressed."""
        return self.transfer_syntax in NATIVE

    @property
    def frame_bytes(self) -> int:
        """Bytes of one native frame."""
        if self.photometric == "YBR_FULL_422":
            return self.rows * self.columns * 2
        return self.rows * self.columns * self.samples * (self.bits_allocated // 8)


@dataclass(frozen=True, slots=True)
class Decoded:
    """Samples of one frame as the decoder gives them."""

    samples: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
    """(rows, cols) stored values, or (rows, cols, 3) RGB."""
    note: str = ""
    """What differed from the header and was put right."""


def decode_frame(
    data: bytes, form: PixelFormat, *, where: str, index: int, seconds: float = DEFAULT_LIMITS.frame_seconds
) -> Decoded:
    """Decode one frame.

    Returns stored values (rows, cols) for one sample a pixel, else RGB
    (rows, cols, 3).  Raises DecodeError with the frame's index.
    """
    try:
        with only_veinscan_errors("its pixels cannot be decoded", error=DecodeError):
            if form.native:
                return Decoded(_native(data, form))
            if form.transfer_syntax == RLE:
                return Decoded(_rle(data, form))
            return _stream(data, form, seconds)
    except DecodeError as problem:
        raise DecodeError(
            problem.what, where=f"{where}, frame {index}", do=problem.do, frame_index=index
        ) from problem


def check_head(head: bytes, form: PixelFormat, *, whole: bool) -> list[str]:
    """What the beginning of a compressed frame says against the header, without decoding it.

    `whole`: whether `head` is all of the frame.  Raises DecodeError where the
    frame cannot be decoded for sure.
    """
    if form.transfer_syntax == RLE:
        wanted = form.samples * (form.bits_allocated // 8)
        seen = int.from_bytes(head[:4], "little")
        if len(head) < 64 or seen != wanted:  # PS3.5 G.5: a header of 64 bytes, one segment a byte plane
            raise DecodeError(f"its RLE frames have {seen} segments, {wanted} are needed (PS3.5 G.2)")
        return []
    info = describe(head)
    if info is None:
        if whole:
            raise DecodeError("the frame is not a whole compressed picture (its header cannot be read)")
        return []
    return _checked(info, form)


def _checked(info: StreamInfo, form: PixelFormat) -> list[str]:
    """Notes on a stream that can be decoded; DecodeError for one that must not be."""
    _same_size(info, form)
    notes = []
    if info.codec not in COMPRESSED[form.transfer_syntax]:
        notes.append(f"its frames are {info.codec}, not what its transfer syntax says; read as {info.codec}")
    if info.codec == Codec.JPEG and info.components == 3:
        notes.append(_is_ycc(info, form)[1])
    return [note for note in notes if note]


def _dtype(form: PixelFormat) -> np.dtype[np.uint8] | np.dtype[np.uint16]:
    if form.bits_allocated == 8:
        return np.dtype(np.uint8)
    return np.dtype("<u2" if form.little_endian else ">u2")


def _native(data: bytes, form: PixelFormat) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
    if form.photometric == "YBR_FULL_422":
        return ycc_to_rgb(unpack_422(data, form.rows, form.columns))
    values = np.frombuffer(data, _dtype(form)).astype(
        np.uint8 if form.bits_allocated == 8 else np.uint16, copy=False
    )
    return _coloured(values, form, planar=form.planar == 1)


def _rle(data: bytes, form: PixelFormat) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
    from rle.rle import decode_frame as decode_rle

    plain = decode_rle(data, form.rows * form.columns, form.bits_allocated, "<")
    values = np.frombuffer(plain, np.uint8 if form.bits_allocated == 8 else np.dtype("<u2"))
    # PS3.5 G.3.1: the segments are planes, whatever PlanarConfiguration says
    return _coloured(values, form, planar=True)


def _coloured(
    values: npt.NDArray[Any], form: PixelFormat, *, planar: bool
) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
    if form.samples == 1:
        return values.reshape(form.rows, form.columns)
    if planar:
        picture = values.reshape(form.samples, form.rows, form.columns).transpose(1, 2, 0)
    else:
        picture = values.reshape(form.rows, form.columns, form.samples)
    rgb = _eight_bits(picture, form.bits_stored)
    return ycc_to_rgb(rgb) if form.photometric.startswith("YBR_FULL") else np.ascontiguousarray(rgb)


def _eight_bits(picture: npt.NDArray[Any], bits: int) -> Frame:
    if picture.dtype == np.uint8:
        return np.asarray(picture, dtype=np.uint8)
    return np.asarray(picture >> max(0, bits - 8), dtype=np.uint16).astype(np.uint8)


def _stream(data: bytes, form: PixelFormat, seconds: float) -> Decoded:
    import imagecodecs

    info = describe(data)
    if info is None:
        raise DecodeError("the frame is not a whole compressed picture (its header cannot be read)")
    notes = _checked(info, form)
    if info.codec == Codec.JPEG and info.components == 3:
        ycc, _ = _is_ycc(info, form)
        # an array of our own spares the decoder a copy: a third of its time
        picture: npt.NDArray[Any] = np.empty((form.rows, form.columns, 3), np.uint8)
        imagecodecs.jpeg8_decode(data, colorspace="YCBCR" if ycc else "RGB", outcolorspace="RGB", out=picture)
        converted = True
    else:
        if info.codec in (Codec.JPEG, Codec.JPEG_LOSSLESS):
            colour = "RGB" if info.components == 3 else None  # no transform in the decoder
            picture = imagecodecs.jpeg8_decode(data, colorspace=colour, outcolorspace=colour)
        elif info.codec == Codec.JPEG_LS:
            picture = jpeg_ls.decode(data, seconds)
        elif info.codec == Codec.JPEG_2000:
            picture = imagecodecs.jpeg2k_decode(data)
        else:
            picture = imagecodecs.jpegxl_decode(data)
        # JPEG 2000 undoes its own colour transform (YBR_RCT, YBR_ICT) and JPEG XL always gives RGB
        converted = info.codec == Codec.JPEG_XL
    return Decoded(_fitted(np.asarray(picture), form, converted), "; ".join(notes))


def _same_size(info: StreamInfo, form: PixelFormat) -> None:
    if (info.rows, info.columns) != (form.rows, form.columns):
        raise DecodeError(
            f"its {info.codec} picture is {info.rows} x {info.columns},"
            f" the header says {form.rows} x {form.columns}"
        )
    if info.components not in (0, form.samples):
        raise DecodeError(
            f"its {info.codec} picture has {info.components} samples a pixel, the header says {form.samples}"
        )
    if info.bits > 16:
        raise DecodeError(f"its {info.codec} picture has {info.bits} bits a sample; at most 16 are read")


def _is_ycc(info: StreamInfo, form: PixelFormat) -> tuple[bool, str]:
    """Whether a JPEG of three components holds YCbCr, and what to say where that is not what the header says.

    Components of different resolution cannot be R, G, B; a JFIF or Adobe
    marker says what it is; only a silent stream is taken at the header's word.
    """
    named = form.photometric != "RGB"
    ycc = True if info.subsampled else named if info.says_ycc is None else info.says_ycc
    if ycc == named:
        return ycc, ""
    held = "YCbCr" if ycc else "RGB"
    return ycc, f"its JPEG frames hold {held} although the header says {form.photometric}; read as {held}"


def _fitted(
    picture: npt.NDArray[np.generic], form: PixelFormat, converted: bool
) -> Frame | npt.NDArray[np.uint16]:
    """Check the decoder's array against the header and finish its colours."""
    if picture.dtype.kind == "i":
        picture = picture.astype(np.uint16)
    if picture.dtype not in (np.uint8, np.uint16):
        raise DecodeError(f"its pixels decode to {picture.dtype}; only 8 and 16 bit whole numbers are read")
    if picture.ndim == 3 and picture.shape[2] == 1:
        picture = picture[..., 0]
    shape = (form.rows, form.columns) if form.samples == 1 else (form.rows, form.columns, 3)
    if form.samples == 1 and picture.shape == (form.rows, form.columns, 3):
        picture = picture[..., 0]
    if picture.shape != shape:
        raise DecodeError(f"its pixels decode to the shape {picture.shape}, the header says {shape}")
    values: npt.NDArray[np.uint8] | npt.NDArray[np.uint16] = picture  # type: ignore[assignment]
    if form.samples == 1:
        return values
    rgb = np.ascontiguousarray(_eight_bits(values, form.bits_stored))
    if not converted and form.photometric in ("YBR_FULL", "YBR_FULL_422"):
        return ycc_to_rgb(rgb)
    return rgb
