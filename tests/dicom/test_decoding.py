"""Every transfer syntax and photometric interpretation, against the pixels that went in."""

from __future__ import annotations

import struct
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.pixels import convert_color_space
from us_files import NATIVE, region, save, save_compressed, speckle, us

from veinscan.dicom import open_study
from veinscan.errors import DecodeError, NoStudyError

JPEG, JPEG_EXTENDED = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"
LOSSLESS_14, LOSSLESS_SV1 = "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"
JPEG_LS, J2K_LOSSLESS, J2K = "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"
JPEG_XL_LOSSLESS, JPEG_XL_JPEG, JPEG_XL = (f"1.2.840.10008.1.2.4.{n}" for n in (110, 111, 112))
RLE = "1.2.840.10008.1.2.5"


def only_clip(path: Path):
    study = open_study(path)
    assert len(study.clips) == 1
    return study.clips[0]


def apart(a, b) -> int:
    return int(np.abs(np.asarray(a, int) - np.asarray(b, int)).max())


@pytest.mark.parametrize("syntax", NATIVE)
@pytest.mark.parametrize("shape", [(1, 48, 64), (3, 47, 63)])
def test_native_grey_comes_back_exactly(tmp_path, syntax, shape):
    pixels = speckle(*shape)
    clip = only_clip(save(us(*shape), tmp_path / "a.dcm", pixels.tobytes(), syntax))
    assert clip.shape == shape
    for i in range(shape[0]):
        assert np.array_equal(clip.frame(i), pixels[i])


@pytest.mark.parametrize("syntax", NATIVE)
@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL"])
def test_native_colour_in_both_planar_configurations(tmp_path, syntax, planar, photometric):
    """PlanarConfiguration, C.7.6.3.1.3."""
    stored = speckle(2, colour=True)
    data = stored.transpose(0, 3, 1, 2) if planar else stored
    dataset = us(2, photometric=photometric, PlanarConfiguration=planar)
    clip = only_clip(save(dataset, tmp_path / "a.dcm", np.ascontiguousarray(data).tobytes(), syntax))
    assert clip.shape == (2, 48, 64, 3)
    for i in range(2):
        wanted = stored[i] if photometric == "RGB" else convert_color_space(stored[i], "YBR_FULL", "RGB")
        assert apart(clip.frame(i), wanted) <= (0 if photometric == "RGB" else 1)


@pytest.mark.parametrize("shape", [(2, 48, 64), (3, 47, 63)])
def test_big_endian_words_of_bytes_are_exchanged_back(tmp_path, shape):
    """Bytes as OW in big endian come in swapped pairs (PS3.5 section 7.3), across frames of odd size too."""
    pixels = speckle(*shape)
    data = pixels.tobytes() + b"\0" * (pixels.size % 2)
    swapped = np.frombuffer(data, "<u2").byteswap().tobytes()
    path = save(us(*shape), tmp_path / "a.dcm", swapped, "1.2.840.10008.1.2.2", vr="OW")
    for i in range(shape[0]):
        assert np.array_equal(only_clip(path).frame(i), pixels[i])


def test_native_422_shares_its_chroma_between_two_pixels(tmp_path):
    """YBR_FULL_422: Y1 Y2 Cb Cr (C.7.6.3.1.2)."""
    ycc = speckle(1, colour=True)[0]
    ycc[:, 1::2, 1:] = ycc[:, 0::2, 1:]
    packed = np.concatenate([ycc[:, 0::2, :1], ycc[:, 1::2, :1], ycc[:, 0::2, 1:]], axis=2)
    clip = only_clip(save(us(photometric="YBR_FULL_422"), tmp_path / "a.dcm", packed.tobytes()))
    assert apart(clip.frame(0), convert_color_space(ycc, "YBR_FULL", "RGB")) <= 1


def test_422_in_name_only_is_read_as_it_is_and_said(tmp_path):
    ycc = speckle(1, colour=True)
    clip = only_clip(save(us(photometric="YBR_FULL_422"), tmp_path / "a.dcm", ycc.tobytes()))
    assert apart(clip.frame(0), convert_color_space(ycc[0], "YBR_FULL", "RGB")) <= 1
    assert any("YBR_FULL although" in w for w in clip.warnings)


def test_monochrome1_is_inverted(tmp_path):
    """MONOCHROME1: the lowest value is white (C.7.6.3.1.2)."""
    pixels = speckle()
    clip = only_clip(save(us(photometric="MONOCHROME1"), tmp_path / "a.dcm", pixels.tobytes()))
    assert np.array_equal(clip.frame(0), 255 - pixels[0])


@pytest.mark.parametrize("syntax", NATIVE[:3])
@pytest.mark.parametrize("signed", [False, True])
def test_deeper_pictures_are_brought_to_eight_bits_in_order(tmp_path, syntax, signed):
    stored = np.linspace(0, 4095, 48 * 64).astype(np.int32).reshape(48, 64) - (2048 if signed else 0)
    kind = (">" if syntax == NATIVE[2] else "<") + ("i2" if signed else "u2")
    dataset = us(BitsAllocated=16, BitsStored=12, HighBit=11, PixelRepresentation=int(signed))
    clip = only_clip(save(dataset, tmp_path / "a.dcm", stored.astype(kind).tobytes(), syntax))
    assert apart(clip.frame(0), np.linspace(0, 255, 48 * 64).reshape(48, 64)) <= 1


def palette(dataset, *, depth: int = 16, entries: int = 256, first: int = 0, segmented: bool = False):
    ramp = np.arange(entries) * (255 / max(1, entries - 1))
    colours = {"Red": ramp, "Green": 255 - ramp, "Blue": ramp / 2}
    for name, levels in colours.items():
        setattr(dataset, f"{name}PaletteColorLookupTableDescriptor", [entries % 65536, first, depth])
        values = levels.astype(np.uint8).astype(np.uint16)
        if segmented:
            low, high = int(values[0]) << 8, int(values[-1]) << 8
            data = struct.pack("<6H", 0, 1, low, 1, entries - 1, high)
            setattr(dataset, f"Segmented{name}PaletteColorLookupTableData", data)
        else:
            data = values.astype("<u2") << 8 if depth == 16 else values.astype(np.uint8)
            setattr(dataset, f"{name}PaletteColorLookupTableData", data.tobytes())
    return np.stack([c.astype(np.uint8) for c in colours.values()], axis=1)


@pytest.mark.parametrize("depth", [8, 16])
def test_palette_colours(tmp_path, depth):
    """PALETTE COLOR, C.7.6.3.1.5."""
    pixels, dataset = speckle(), us(photometric="PALETTE COLOR")
    colours = palette(dataset, depth=depth)
    clip = only_clip(save(dataset, tmp_path / "a.dcm", pixels.tobytes()))
    assert clip.shape == (1, 48, 64, 3)
    assert np.array_equal(clip.frame(0), colours[pixels[0]])


def test_palette_that_starts_late_is_extended_at_both_ends(tmp_path):
    """Values below the first mapped take the first colour, those above the last (C.7.6.3.1.5)."""
    pixels, dataset = speckle(), us(photometric="PALETTE COLOR")
    colours = palette(dataset, entries=100, first=80)
    clip = only_clip(save(dataset, tmp_path / "a.dcm", pixels.tobytes()))
    assert np.array_equal(clip.frame(0), colours[np.clip(pixels[0].astype(int) - 80, 0, 99)])


def test_segmented_palette(tmp_path):
    """Linear segments, C.7.9.2."""
    pixels, dataset = speckle(), us(photometric="PALETTE COLOR")
    colours = palette(dataset, segmented=True)
    clip = only_clip(save(dataset, tmp_path / "a.dcm", pixels.tobytes()))
    assert apart(clip.frame(0), colours[pixels[0]]) <= 1


def test_palette_of_words_in_a_big_endian_file(tmp_path):
    pixels, dataset = speckle(), us(photometric="PALETTE COLOR")
    colours = palette(dataset)
    for name in ("Red", "Green", "Blue"):
        keyword = f"{name}PaletteColorLookupTableData"
        big = np.frombuffer(dataset[keyword].value, "<u2").astype(">u2").tobytes()
        dataset[keyword] = pydicom.DataElement(dataset[keyword].tag, "OW", big)
    clip = only_clip(save(dataset, tmp_path / "a.dcm", pixels.tobytes(), "1.2.840.10008.1.2.2", vr="OB"))
    assert np.array_equal(clip.frame(0), colours[pixels[0]])


def test_palette_that_is_missing_shows_grey_and_says_so(tmp_path):
    pixels = speckle()
    clip = only_clip(save(us(photometric="PALETTE COLOR"), tmp_path / "a.dcm", pixels.tobytes()))
    assert np.array_equal(clip.frame(0)[..., 1], pixels[0])
    assert any("palette" in w and "grey" in w for w in clip.warnings)


GREY_CODECS = {
    JPEG: (lambda a: imagecodecs.jpeg8_encode(a, 95), 6),
    JPEG_EXTENDED: (lambda a: imagecodecs.jpeg8_encode(a, 95), 6),
    LOSSLESS_14: (lambda a: imagecodecs.ljpeg_encode(a), 0),
    LOSSLESS_SV1: (lambda a: imagecodecs.jpeg8_encode(a, lossless=True, predictor=1), 0),
    JPEG_LS: (lambda a: imagecodecs.jpegls_encode(a), 0),
    J2K_LOSSLESS: (lambda a: imagecodecs.jpeg2k_encode(a, codecformat="J2K", reversible=True), 0),
    J2K: (lambda a: imagecodecs.jpeg2k_encode(a, 45, codecformat="J2K"), 6),
    JPEG_XL_LOSSLESS: (lambda a: imagecodecs.jpegxl_encode(a, lossless=True), 0),
    JPEG_XL: (lambda a: imagecodecs.jpegxl_encode(a, lossless=False, distance=0.5), 12),
}


@pytest.mark.parametrize("syntax", GREY_CODECS)
def test_compressed_grey(tmp_path, syntax):
    encode, tolerance = GREY_CODECS[syntax]
    pixels = speckle(3)
    frames = [encode(np.ascontiguousarray(frame)) for frame in pixels]
    clip = only_clip(save_compressed(us(3), tmp_path / "a.dcm", frames, syntax))
    for i in range(3):
        assert clip.frame(i).shape == (48, 64)
        assert apart(clip.frame(i), pixels[i]) <= tolerance
    assert not any("transfer syntax" in w for w in clip.warnings)


COLOUR_CODECS = {
    (JPEG, "YBR_FULL"): (lambda a: imagecodecs.jpeg8_encode(a, 97, subsampling="444"), 12),
    (JPEG, "YBR_FULL_422"): (lambda a: imagecodecs.jpeg8_encode(a, 97, subsampling="422"), 40),
    (JPEG, "RGB"): (lambda a: imagecodecs.jpeg8_encode(a, 97, colorspace="RGB", outcolorspace="RGB"), 12),
    (LOSSLESS_SV1, "RGB"): (
        lambda a: imagecodecs.jpeg8_encode(
            a, lossless=True, predictor=1, colorspace="RGB", outcolorspace="RGB"
        ),
        0,
    ),
    (JPEG_LS, "RGB"): (lambda a: imagecodecs.jpegls_encode(a), 0),
    (J2K_LOSSLESS, "YBR_RCT"): (
        lambda a: imagecodecs.jpeg2k_encode(a, codecformat="J2K", reversible=True),
        0,
    ),
    (J2K_LOSSLESS, "RGB"): (
        lambda a: imagecodecs.jpeg2k_encode(a, codecformat="J2K", reversible=True, mct=False),
        0,
    ),
    (J2K, "YBR_ICT"): (lambda a: imagecodecs.jpeg2k_encode(a, 50, codecformat="J2K", reversible=False), 6),
    (JPEG_XL_LOSSLESS, "RGB"): (lambda a: imagecodecs.jpegxl_encode(a, lossless=True), 0),
    (JPEG_XL, "YBR_FULL"): (lambda a: imagecodecs.jpegxl_encode(a, lossless=True, usecontainer=True), 0),
}


@pytest.mark.parametrize(("syntax", "photometric"), COLOUR_CODECS)
def test_compressed_colour(tmp_path, syntax, photometric):
    encode, tolerance = COLOUR_CODECS[syntax, photometric]
    pixels = speckle(2, colour=True)
    frames = [encode(np.ascontiguousarray(frame)) for frame in pixels]
    clip = only_clip(save_compressed(us(2, photometric=photometric), tmp_path / "a.dcm", frames, syntax))
    for i in range(2):
        assert clip.frame(i).shape == (48, 64, 3)
        assert apart(clip.frame(i), pixels[i]) <= tolerance


@pytest.mark.parametrize(("syntax", "encode"), [(JPEG_LS, "jpegls"), (J2K_LOSSLESS, "jpeg2k")])
def test_compressed_luma_and_chroma_without_a_transform_in_the_codec(tmp_path, syntax, encode):
    """YBR_FULL in JPEG-LS, or in JPEG 2000 without its own transform, is converted here."""
    ycc = speckle(1, colour=True)[0]
    data = (
        imagecodecs.jpegls_encode(ycc)
        if encode == "jpegls"
        else imagecodecs.jpeg2k_encode(ycc, codecformat="J2K", reversible=True, mct=False)
    )
    clip = only_clip(save_compressed(us(photometric="YBR_FULL"), tmp_path / "a.dcm", [data], syntax))
    assert apart(clip.frame(0), convert_color_space(ycc, "YBR_FULL", "RGB")) <= 1


def test_jpeg_marked_rgb_that_holds_ycbcr_is_put_right_and_said(tmp_path):
    """A known defect of scanners (CP-156): the stream's own JFIF mark wins."""
    pixels = speckle(1, colour=True)
    data = imagecodecs.jpeg8_encode(pixels[0], 97, subsampling="422")
    clip = only_clip(save_compressed(us(photometric="RGB"), tmp_path / "a.dcm", [data], JPEG))
    assert apart(clip.frame(0), pixels[0]) <= 40
    assert any("YCbCr although the header says RGB" in w for w in clip.warnings)


def test_jpeg_data_under_a_jpeg2000_name_is_read_and_said(tmp_path):
    pixels = speckle()
    data = imagecodecs.jpeg8_encode(pixels[0], 95)
    clip = only_clip(save_compressed(us(), tmp_path / "a.dcm", [data], J2K_LOSSLESS))
    assert apart(clip.frame(0), pixels[0]) <= 6
    assert any("not what its transfer syntax says" in w for w in clip.warnings)


@pytest.mark.parametrize("photometric", ["MONOCHROME2", "RGB", "YBR_FULL", "PALETTE COLOR"])
def test_rle(tmp_path, photometric):
    """RLE segments are planes whatever PlanarConfiguration says (PS3.5 G.3.1)."""
    from rle.utils import encode_pixel_data

    colour = photometric in ("RGB", "YBR_FULL")
    pixels, dataset = speckle(2, colour=colour), us(2, photometric=photometric, PlanarConfiguration=0)
    wanted = pixels
    if photometric == "PALETTE COLOR":
        wanted = palette(dataset)[pixels]
    elif photometric == "YBR_FULL":
        wanted = convert_color_space(pixels, "YBR_FULL", "RGB")
    frames = [
        encode_pixel_data(
            frame.tobytes(),
            rows=48,
            columns=64,
            samples_per_pixel=3 if colour else 1,
            bits_allocated=8,
            number_of_frames=1,
            byteorder="<",
        )
        for frame in pixels
    ]
    clip = only_clip(save_compressed(dataset, tmp_path / "a.dcm", frames, RLE))
    for i in range(2):
        assert apart(clip.frame(i), wanted[i]) <= 1


def test_rle_of_sixteen_bits(tmp_path):
    from rle.utils import encode_pixel_data

    stored = np.linspace(0, 65535, 48 * 64).astype("<u2").reshape(48, 64)
    data = encode_pixel_data(
        stored.tobytes(),
        rows=48,
        columns=64,
        samples_per_pixel=1,
        bits_allocated=16,
        number_of_frames=1,
        byteorder="<",
    )
    dataset = us(BitsAllocated=16, BitsStored=16, HighBit=15)
    clip = only_clip(save_compressed(dataset, tmp_path / "a.dcm", [data], RLE))
    assert apart(clip.frame(0), stored / 257) <= 1


@pytest.mark.parametrize("table", [True, False])
@pytest.mark.parametrize("fragments", [1, 3])
def test_offset_table_full_or_empty_one_fragment_or_many(tmp_path, table, fragments):
    """PS3.5 A.4: frames are found whichever way they are laid out."""
    pixels = speckle(5)
    frames = [imagecodecs.jpeg8_encode(frame, 95) for frame in pixels]
    path = save_compressed(us(5), tmp_path / "a.dcm", frames, JPEG, table=table, fragments=fragments)
    clip = only_clip(path)
    assert clip.n_frames == 5
    for i in (4, 0, 2):
        assert apart(clip.frame(i), pixels[i]) <= 6


def test_extended_offset_table(tmp_path):
    """C.7.6.3.1.8."""
    from pydicom.encaps import encapsulate_extended

    pixels = speckle(4)
    frames = [imagecodecs.jpeg8_encode(frame, 95) for frame in pixels]
    frames = [f + b"\0" * (len(f) % 2) for f in frames]
    dataset = us(4)
    value, offsets, lengths = encapsulate_extended(frames)
    dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths = offsets, lengths
    dataset.file_meta.TransferSyntaxUID = JPEG
    element = pydicom.DataElement(0x7FE00010, "OB", value)
    element.is_undefined_length = True
    dataset[0x7FE00010] = element
    pydicom.dcmwrite(tmp_path / "a.dcm", dataset)
    clip = only_clip(tmp_path / "a.dcm")
    for i in range(4):
        assert apart(clip.frame(i), pixels[i]) <= 6


def test_offset_table_that_lies_is_not_believed(tmp_path):
    pixels = speckle(3)
    frames = [imagecodecs.jpeg8_encode(frame, 95) for frame in pixels]
    path = save_compressed(us(3), tmp_path / "a.dcm", frames, JPEG)
    data = bytearray(path.read_bytes())
    at = data.index(b"\xfe\xff\x00\xe0\x0c\x00\x00\x00") + 8
    data[at + 4 : at + 12] = struct.pack("<II", 11, 4_000_000_000)
    path.write_bytes(data)
    clip = only_clip(path)
    assert any("offset table" in w for w in clip.warnings)
    assert apart(clip.frame(2), pixels[2]) <= 6


def test_a_frame_that_claims_another_size_never_reaches_its_decoder(tmp_path, monkeypatch):
    """A JPEG of 20000 x 20000 in a clip of 48 x 64 would take gigabytes."""
    small = imagecodecs.jpeg8_encode(speckle()[0], 95)
    at = small.index(b"\xff\xc0")
    huge = small[: at + 5] + struct.pack(">HH", 20000, 20000) + small[at + 9 :]
    clip = only_clip(save_compressed(us(2), tmp_path / "a.dcm", [small, huge], JPEG))
    monkeypatch.setattr(imagecodecs, "jpeg8_decode", None)
    with pytest.raises(DecodeError, match=r"20000 x 20000.*48 x 64") as caught:
        clip.frame(1)
    assert caught.value.frame_index == 1
    path = save_compressed(us(), tmp_path / "b.dcm", [huge], JPEG)
    with pytest.raises(NoStudyError, match="20000 x 20000"):
        open_study(path)


@pytest.mark.parametrize("syntax", [JPEG, JPEG_LS, J2K_LOSSLESS, JPEG_XL_LOSSLESS, RLE])
@pytest.mark.parametrize("data", [b"\0\0", b"\xff\xd8\xff\xe0", b"junk" * 50, b"\xff\x0a" + b"\xff" * 60])
def test_garbage_in_a_frame_is_one_error_with_its_number(tmp_path, syntax, data):
    good = imagecodecs.jpeg8_encode(speckle()[0], 95)
    clip = only_clip(
        save_compressed(us(2), tmp_path / "a.dcm", [good, data + b"\0" * (len(data) % 2)], syntax)
    )
    with pytest.raises(DecodeError, match="frame 1") as caught:
        clip.frame(1)
    assert caught.value.frame_index == 1


def test_frames_are_read_only_and_kept(tmp_path):
    clip = only_clip(save(us(2), tmp_path / "a.dcm", speckle(2).tobytes()))
    assert clip.frame(0) is clip.frame(0)
    with pytest.raises(ValueError, match="read-only"):
        clip.frame(0)[0, 0] = 1


def test_pydicoms_own_real_files_match_its_decoder():
    from pydicom import examples
    from pydicom.pixels import apply_color_lut, iter_pixels

    for name in ("ybr_color", "rgb_color", "palette_color"):
        path = Path(examples.get_path(name))
        dataset = pydicom.dcmread(path)
        clip = only_clip(path)
        for i, wanted in zip(range(3), iter_pixels(dataset), strict=False):
            if name == "palette_color":
                wanted = apply_color_lut(wanted, dataset) >> 8
            assert apart(clip.frame(i), wanted) <= 1


def test_grey_keeps_grey_exactly_and_bmode_blanks_colour(tmp_path):
    grey = speckle(1, 96, 128)[0]
    frame = np.repeat(grey[..., None], 3, axis=2)
    frame[20:50, 30:80] = (200, 20, 10)
    dataset = us(
        rows=96,
        columns=128,
        photometric="RGB",
        regions=[region(RegionLocationMaxX1=127, RegionLocationMaxY1=95)],
    )
    clip = only_clip(save(dataset, tmp_path / "a.dcm", frame.tobytes()))
    mask = clip.colour_mask(0)
    wanted = np.zeros_like(mask)
    wanted[20:50, 30:80] = True
    assert np.array_equal(mask, wanted), "to the pixel"
    assert np.array_equal(clip.grey(0)[60:], grey[60:])
    assert not clip.bmode(0)[mask].any()
    assert np.array_equal(clip.bmode(0)[~mask], clip.grey(0)[~mask])


def test_a_tint_of_the_whole_picture_is_not_doppler_colour(tmp_path):
    grey = speckle(1, 96, 128)[0].astype(float)
    sepia = np.stack([grey, grey * 0.88, grey * 0.72], axis=2).astype(np.uint8)
    sepia[20:50, 30:80] = (20, 30, 220)
    clip = only_clip(save(us(rows=96, columns=128, photometric="RGB"), tmp_path / "a.dcm", sepia.tobytes()))
    mask = clip.colour_mask(0)
    assert mask[21:49, 31:79].all()
    mask = mask.copy()
    mask[19:51, 29:81] = False
    assert mask.mean() < 0.01


def test_stepping_decodes_ahead_within_the_budget_and_never_twice(tmp_path):
    """Forwards or backwards, the next frames are there before they are asked for."""
    import threading

    from veinscan.dicom.cache import FrameCache

    decoded: list[int] = []
    lock = threading.Lock()

    def decode(index: int):
        with lock:
            decoded.append(index)
        if index == 30:
            raise DecodeError("damaged", frame_index=30)
        return np.full((10, 10), index, np.uint8)

    cache = FrameCache(2000)
    for index in [*range(30), *range(29, 10, -1)]:
        assert cache.get("a", index, 40, decode)[0, 0] == index
        assert cache.held_bytes <= 2000
    assert len(decoded) < 60, "30 forwards, few again on the way back"
    assert cache.get("b", 5, 40, decode)[0, 0] == 5
    with pytest.raises(DecodeError):
        cache.get("a", 30, 40, decode)
    fresh: list[int] = []
    cache = FrameCache(10_000)

    def count(index: int):
        with lock:
            fresh.append(index)
        return np.zeros((10, 10), np.uint8)

    for index in range(40):
        cache.get("a", index, 40, count)
    assert sorted(fresh) == list(range(40))


def test_many_threads_get_the_same_frames(tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    pixels = speckle(12)
    frames = [imagecodecs.jpegls_encode(f) for f in pixels]
    clip = only_clip(save_compressed(us(12), tmp_path / "a.dcm", frames, JPEG_LS))
    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(clip.frame, [i % 12 for i in range(96)]))
    for i, frame in enumerate(got):
        assert np.array_equal(frame, pixels[i % 12])
