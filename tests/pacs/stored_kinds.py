"""One clip of every way in which pixels are stored."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import memory_archive  # noqa: F401  # makes the reader's test objects importable
import numpy as np
import pydicom
from pydicom.pixels import get_encoder
from pydicom.uid import RLELossless
from us_files import NATIVE, STUDY, region, save, save_compressed, speckle, us

JPEG, LOSSLESS, JPEG_LS = (f"1.2.840.10008.1.2.4.{n}" for n in (50, 70, 80))
J2K_LOSSLESS, J2K = (f"1.2.840.10008.1.2.4.{n}" for n in (90, 91))
FRAMES, ROWS, COLUMNS = 3, 47, 63

Encode = Callable[[Any], bytes]


def _jpeg(**how: Any) -> Encode:
    return lambda picture: imagecodecs.jpeg8_encode(picture, **how)


def _j2k(**how: Any) -> Encode:
    return lambda picture: imagecodecs.jpeg2k_encode(picture, codecformat="J2K", **how)


def _palette() -> dict[str, Any]:
    ramp = np.arange(256, dtype="<u2") * 257
    data = {"Red": ramp, "Green": ramp[::-1], "Blue": ramp // 2}
    out: dict[str, Any] = {}
    for colour, values in data.items():
        out[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        out[f"{colour}PaletteColorLookupTableData"] = values.astype("<u2").tobytes()
    return out


def make_kinds(folder: Path) -> dict[str, Path]:
    """Name to file; all of one study, one patient and one series."""
    found: dict[str, Path] = {}
    regions = [region(PhysicalDeltaX=0.012345678901234567, PhysicalDeltaY=1 / 150)]

    def header(photometric: str, **tags: Any) -> pydicom.FileDataset:
        number = len(found) + 1
        return us(
            FRAMES, ROWS, COLUMNS, photometric=photometric, regions=regions,
            SOPInstanceUID=f"{STUDY}.3.{number}", InstanceNumber=number, **tags,
        )  # fmt: skip

    def pixels(*, colour: bool = False) -> Any:
        return speckle(FRAMES, ROWS, COLUMNS, colour=colour, seed=len(found))

    def native(name: str, photometric: str, data: bytes, syntax: str, **tags: Any) -> None:
        found[name] = save(header(photometric, **tags), folder / name, data, syntax)

    def compressed(name: str, photometric: str, encode: Encode, syntax: str, **tags: Any) -> None:
        frames = [encode(one) for one in pixels(colour=photometric not in ("MONOCHROME2", "PALETTE COLOR"))]
        made = header(photometric, **tags)
        found[name] = save_compressed(made, folder / name, frames, syntax, fragments=1 + len(found) % 2)

    for syntax in NATIVE:
        native(f"grey-{syntax}", "MONOCHROME2", pixels().tobytes(), syntax)
    wide = (pixels().astype(np.uint16) << 4).astype("<u2")
    for syntax in NATIVE[1:3]:
        data = wide.astype(">u2" if syntax == NATIVE[2] else "<u2").tobytes()
        native(f"wide-{syntax}", "MONOCHROME2", data, syntax, BitsAllocated=16, BitsStored=12, HighBit=11)
    for photometric in ("RGB", "YBR_FULL"):
        for planar in (0, 1):
            stored = pixels(colour=True)
            data = (stored.transpose(0, 3, 1, 2) if planar else stored).tobytes()
            native(f"{photometric}-{planar}", photometric, data, NATIVE[1], PlanarConfiguration=planar)
    native("palette", "PALETTE COLOR", pixels().tobytes(), NATIVE[1], **_palette())
    half = header("YBR_FULL_422", Columns=64)
    data = np.random.default_rng(5).integers(0, 255, FRAMES * ROWS * 64 * 2, dtype=np.uint8).tobytes()
    found["422"] = save(half, folder / "422", data, NATIVE[1])
    native("422-whole", "YBR_FULL_422", pixels(colour=True).tobytes(), NATIVE[1])
    lossy = {"LossyImageCompression": "01"}
    for note, tags in (("", lossy), ("-silent", {})):
        compressed(f"jpeg{note}", "MONOCHROME2", _jpeg(level=95), JPEG, **tags)
        compressed(f"jpeg-422{note}", "YBR_FULL_422", _jpeg(level=90, subsampling="422"), JPEG, **tags)
    compressed("jpeg-rgb", "RGB", _jpeg(level=90, colorspace="RGB", outcolorspace="RGB"), JPEG, **lossy)
    compressed("lossless", "MONOCHROME2", _jpeg(lossless=True, predictor=1), LOSSLESS)
    compressed("jpeg-ls", "MONOCHROME2", imagecodecs.jpegls_encode, JPEG_LS)
    compressed("j2k-lossless", "YBR_RCT", _j2k(reversible=True), J2K_LOSSLESS)
    compressed("j2k", "YBR_ICT", _j2k(level=50, reversible=False), J2K, **lossy)
    for name, photometric in (("rle", "MONOCHROME2"), ("rle-rgb", "RGB"), ("rle-palette", "PALETTE COLOR")):
        made = header(photometric, **(_palette() if "palette" in name else {}))
        encoder = get_encoder(RLELossless)
        parts = [encoder.encode(one, **_described(made)) for one in pixels(colour=photometric == "RGB")]
        found[name] = save_compressed(made, folder / name, parts, RLELossless)
    return found


def _described(dataset: pydicom.Dataset) -> dict[str, Any]:
    return {
        "rows": dataset.Rows,
        "columns": dataset.Columns,
        "samples_per_pixel": dataset.SamplesPerPixel,
        "number_of_frames": 1,
        "bits_allocated": 8,
        "bits_stored": 8,
        "pixel_representation": 0,
        "photometric_interpretation": dataset.PhotometricInterpretation,
        "planar_configuration": 0,
        "encoding_plugin": "pydicom",
    }
