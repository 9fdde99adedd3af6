"""Bytes made to hang, exhaust or escape the reader: each gets one clear answer, in little time and memory."""

from __future__ import annotations

import base64
import os
import resource
import socket
import struct
import time
import tracemalloc
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from us_files import region, save, save_compressed, save_grey, speckle, us

from veinscan.dicom import Limits, open_study
from veinscan.errors import DecodeError, NoStudyError, UnreadableError, VeinscanError

DEFLATED = "1.2.840.10008.1.2.1.99"

SLOW_JPEG_LS = zlib.decompress(
    base64.b85decode(
        "c-s4a<Npf=h2Q{BH#Y_*1_nk31_lElcHrV*1F{))Kp3ck11QG$|Hl9C4BQ+*1rCgif(-"
        "v}F>o+~G=SvRuqfW%o=_pBrtB5eB3HQbm|^a;$SF&?&XtFT08Mged2ZR;-Q9gEpz*L<kDFl!1M`GqJ;@Bm0-"
        "w5wXha+{;3#VFoY|lu!`u)#b5>^J9w)=44gn9H&YYRNSoFb-"
        "#XlbX(K&OXy4~jtGlPPRrLoC7&v#GUJNIO6Hdfi%F?0Ue@J9z598At!SfXfbV4=VYbke#rXY23%)-"
        "G>!Zgoq`nexfgY|5#d+l*FUeOGZ+US3|hzyF?TKN#Gzg8&8wwgd)-"
        "_HD<tr{BJvyKRNyJjdvNNfX{1h1z|t&Ryfdz%V<vx%hC^@7LR|x@cc!y<g6wzUlpM^WEDnBs(xL)^2aL$mg1L?e@m5-"
        ")rZm7wrw&{kQ6NMu7uElkS${iI2KCgl=bZC?CqaU!Jtz?tijKOLT5U^+9?5_QMY+&$R>7A5QP8fw0!S{O|+BY}>%V%+|r^oq"
        "nWG?{>Pt_dhb8X18x`_&0I;fA0K?EEgEeU;h2uyImyu-"
        "%*p_IXnUa>PKTLI1(G!FGeq5y#HVPfBd6q(SN4S^Zz7qFkUe535U_Vm0=BxFZU;On15Kv#&9oSAy2)si1xExpP59$&nB)h1v"
        "%qKT`1H+e=k3TIOHx=;0FT(m+0O4@RTp<9p4!k4YYrriu|`(^^fGa^xryM^*<O`XZAmBV&T5>oaH-Dg7*Jf!@nms{z!C}{QK"
        "yx`k#(7|9yhGzA7xMZeW;^{6F~PKjrYF0vhR`Sy=e~Gcc$p**{CR^$6VCz~H6%*KWpt|Nj*n0f*zyaPW!z_nQxLz!N+9bzsJ"
        "e8v9tVn=bsQgN51$p+pA`W>yyMsH>%y!vtDH99h&YZ$6*3M@hN7OiAIguimN^hq$zq6d1TQ1qIj)7JOQeZeiXkaa>UFo(yY8"
        "N1}+zO05csfCW+@CEPA9o?Gpeciz*@)bZq#U}TW;WKc7{v}EcdJ}y(0zLHBGA{K>p9jz5XJ5wgGNHB0ns&w=?-"
        "`>MxA;7>k$y3#4+U-qK&MdPGzjo*2$B$cT%Ixebe*E|XrNO|0W1dli{@dI0;{Vq<Y!G3c<lx-UXmdd%gQ3V{W18q6KI2>3za"
        "CvaT3^4sm-"
        "(b+C_lr2#D>h^39oGnxb|$|`Wt^QJIcJdLE>Vm>;3r_8U|mZdh2gAR~$6pKNI;NnalYYBU68<WtaAGrj{<P>3{z~;<Ekl=jD"
        "eX@d^vM-!K7SW>)W7ob`1L1LN=A>vc8f@8n_t086mfTm"
    )
)
"""A JPEG-LS frame of speckle with some bytes changed."""


@contextmanager
def within(seconds: float = 5.0, mib: float = 64.0):
    """Fail where the body takes longer or allocates more (numpy and Python memory)."""
    tracemalloc.start()
    began = time.monotonic()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert time.monotonic() - began < seconds
    assert peak < mib * 1024 * 1024


def refused(path: Path, match: str, **kwargs) -> NoStudyError:
    with within(), pytest.raises(NoStudyError, match=match) as caught:
        open_study(path, **kwargs)
    assert "\n" not in str(caught.value)
    return caught.value


def patched(path: Path, old: bytes, new: bytes) -> Path:
    data = path.read_bytes()
    assert data.count(old) == 1
    path.write_bytes(data.replace(old, new))
    return path


def element(group: int, number: int, vr: bytes, value: bytes) -> bytes:
    long = vr in (b"OB", b"OW", b"SQ", b"UN", b"UT")
    head = struct.pack("<HH2s", group, number, vr)
    return head + (struct.pack("<HI", 0, len(value)) if long else struct.pack("<H", len(value))) + value


def test_pipe_socket_and_device_are_never_opened(tmp_path):
    save_grey(tmp_path / "a.dcm")
    os.mkfifo(tmp_path / "pipe.dcm")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket.dcm"))
        with within():
            study = open_study(tmp_path)
    assert {s.path for s in study.skipped} == {"pipe.dcm", "socket.dcm"}
    assert all("not a regular file" in s.reason for s in study.skipped)
    refused(tmp_path / "pipe.dcm", "not a regular file")
    refused(Path("/dev/zero"), "not a regular file")


def test_a_file_that_becomes_a_pipe_does_not_hang(tmp_path):
    path = save_grey(tmp_path / "a.dcm")
    clip = open_study(path).clips[0]
    path.unlink()
    os.mkfifo(path)
    with within(), pytest.raises(UnreadableError, match="changed"):
        clip.frame(0)


def test_links_are_not_followed_out_of_the_folder(tmp_path):
    secret = save_grey(tmp_path / "elsewhere" / "secret.dcm")
    folder = tmp_path / "study"
    save_grey(folder / "a.dcm")
    (folder / "out.dcm").symlink_to(secret)
    (folder / "outside").symlink_to(secret.parent, target_is_directory=True)
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    (folder / "broken.dcm").symlink_to(tmp_path / "nothing")
    (folder / "inside.dcm").symlink_to(folder / "a.dcm")
    with within():
        study = open_study(folder)
    assert len(study.clips) == 1
    why = {s.path: s.reason for s in study.skipped}
    assert "leads out" in why["out.dcm"]
    assert "not followed" in why["outside"]
    assert "not followed" in why["loop"]
    assert "broken" in why["broken.dcm"] or "leads out" in why["broken.dcm"]
    assert "copy of" in why["inside.dcm"]


def test_zip_names_that_lead_out_are_refused_and_nothing_is_unpacked(tmp_path):
    good = save_grey(tmp_path / "made" / "a.dcm").read_bytes()
    folder = tmp_path / "zips"
    folder.mkdir()
    with zipfile.ZipFile(folder / "s.zip", "w") as archive:
        for name in ("../../evil.dcm", "/etc/evil.dcm", "C:/evil.dcm", "ok/a.dcm"):
            archive.writestr(name, good)
    study = open_study(folder / "s.zip")
    assert [c.file for c in study.clips] == ["ok/a.dcm"]
    assert len(study.skipped) == 3
    assert all("leads out" in s.reason for s in study.skipped)
    study.clips[0].frame(0)
    assert [p.name for p in folder.iterdir()] == ["s.zip"]


def test_zip_bomb_is_refused_unread(tmp_path):
    with zipfile.ZipFile(tmp_path / "s.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("bomb.dcm", b"\0" * 128 + b"DICM" + b"\0" * (64 * 1024 * 1024))
    refused(tmp_path / "s.zip", "bomb")


def test_zip_that_lies_about_a_size(tmp_path):
    """The directory says small, the stream is large: no more than was said is unpacked."""
    path = tmp_path / "s.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.dcm", os.urandom(1000) + b"\0" * 40_000_000)
    data = path.read_bytes().replace(struct.pack("<I", 40_001_000), struct.pack("<I", 5000))
    path.write_bytes(data)
    refused(path, ".")


def test_damaged_and_encrypted_zips(tmp_path):
    path = tmp_path / "s.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.dcm", save_grey(tmp_path / "a.dcm").read_bytes())
    whole = path.read_bytes()
    for cut in range(10, len(whole), len(whole) // 23):
        path.write_bytes(whole[:cut] + whole[-60:])
        with within():
            try:
                open_study(path)
            except VeinscanError:
                continue
    flagged = bytearray(whole)
    flagged[6] |= 1
    flagged[whole.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(flagged)
    refused(path, "encrypted")


def test_deflate_bomb_stops_at_the_limit(tmp_path):
    """4 MB can inflate to 3 GB."""
    path = save(us(), tmp_path / "a.dcm", speckle().tobytes(), DEFLATED)
    data = path.read_bytes()
    start = data.index(DEFLATED.encode()) + len(DEFLATED)
    body = path.read_bytes()[start:]
    end = start + next(i for i in range(len(body)) if _inflates(body[i:]))
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = b"".join(packer.compress(b"\0" * 1_000_000) for _ in range(200)) + packer.flush()
    path.write_bytes(data[:end] + bomb)
    assert path.stat().st_size < 1_000_000
    refused(path, "bomb", limits=Limits(inflated_bytes=8_000_000))


def _inflates(data: bytes) -> bool:
    try:
        return len(zlib.decompressobj(-15).decompress(data)) > 1000
    except zlib.error:
        return False


def test_length_fields_cannot_make_it_allocate(tmp_path):
    """Pixel data of 4 GB in a file of 4 kB."""
    path = save_grey(tmp_path / "a.dcm")
    patched(
        path,
        b"\xe0\x7f\x10\x00OB\x00\x00" + struct.pack("<I", 48 * 64),
        b"\xe0\x7f\x10\x00OB\x00\x00" + b"\xf0\xff\xff\xff",
    )
    with within():
        study = open_study(path)
    assert study.clips[0].n_frames == 1, "the one frame is whole"
    assert any("ends before" in w for w in study.clips[0].warnings)
    path = save_grey(tmp_path / "b.dcm", PatientName="A" * 20)
    patched(path, b"PN" + struct.pack("<H", 20), b"UN\0\0" + b"\xf0\xff\xff\x7f")
    refused(path, "incomplete|damaged")


@pytest.mark.parametrize("frames", [0, -1, 2**31 - 1, 3_000_000_000])
def test_number_of_frames_that_cannot_be(tmp_path, frames):
    refused(save(us(NumberOfFrames=frames), tmp_path / "a.dcm", speckle().tobytes()), str(frames))


def test_number_of_frames_that_is_no_number(tmp_path):
    path = save(us(NumberOfFrames=77), tmp_path / "a.dcm", speckle().tobytes())
    refused(patched(path, b"IS\x02\x0077", b"IS\x02\x00xx"), "NumberOfFrames")


@pytest.mark.parametrize(
    ("tags", "match"),
    [
        ({"Rows": 65535, "Columns": 65535}, "65535 x 65535"),
        ({"Rows": 0}, "0 rows"),
        ({"Rows": None}, "0 rows"),
        ({"BitsAllocated": 12}, "12 bits"),
        ({"BitsAllocated": 64}, "64 bits"),
        ({"BitsStored": 16}, "16 bits stored in 8"),
        ({"SamplesPerPixel": 3}, "3 samples"),
        ({"PhotometricInterpretation": "HSV"}, "HSV"),
        ({"PhotometricInterpretation": "YBR_RCT", "SamplesPerPixel": 3}, "JPEG 2000"),
    ],
)
def test_impossible_pictures(tmp_path, tags, match):
    refused(save(us(**tags), tmp_path / "a.dcm", speckle().tobytes()), match)


def test_odd_422(tmp_path):
    refused(
        save(us(columns=63, photometric="YBR_FULL_422"), tmp_path / "a.dcm", b"\0" * 48 * 63 * 2),
        "even number",
    )


def test_native_pixels_of_undefined_length_and_compressed_ones_without_fragments(tmp_path):
    path = save_grey(tmp_path / "a.dcm")
    length = struct.pack("<I", 48 * 64)
    patched(path, b"OB\0\0" + length, b"OB\0\0" + b"\xff" * 4)
    refused(path, "undefined length|no item")
    path = save_grey(tmp_path / "b.dcm")
    patched(path, b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0")
    refused(path, "not in fragments")


@pytest.mark.parametrize("table", [True, False])
@pytest.mark.parametrize("drop", [1, 8, 200, 2500])
def test_encapsulated_pixels_cut_anywhere(tmp_path, table, drop):
    """No delimiter, a cut item, frames missing: what is whole is shown, the rest is said."""
    import imagecodecs

    frames = [imagecodecs.jpeg8_encode(f, 95) for f in speckle(6)]
    path = save_compressed(us(6), tmp_path / "a.dcm", frames, "1.2.840.10008.1.2.4.50", table=table)
    path.write_bytes(path.read_bytes()[:-drop])
    with within():
        study = open_study(path)
        clip = study.clips[0]
        for i in range(clip.n_frames):
            clip.frame(i)
    if drop <= 8:
        assert clip.n_frames == 6
    else:
        assert 0 < clip.n_frames < 6
        assert any("of 6 frames are whole" in s.reason for s in study.skipped)
    assert any("incomplete" in w for w in clip.warnings)


def test_offset_tables_of_nonsense(tmp_path):
    import imagecodecs

    frames = [imagecodecs.jpeg8_encode(f, 95) for f in speckle(3)]
    path = save_compressed(us(3), tmp_path / "a.dcm", frames, "1.2.840.10008.1.2.4.50")
    whole = path.read_bytes()
    at = whole.index(b"\xfe\xff\x00\xe0\x0c\x00\x00\x00") + 8
    rng = np.random.default_rng(5)
    for _ in range(50):
        path.write_bytes(whole[:at] + rng.bytes(12) + whole[at + 12 :])
        clip = open_study(path).clips[0]
        assert [clip.frame(i).shape for i in range(clip.n_frames)] == [(48, 64)] * 3


def test_nested_sequences_end_in_a_sentence(tmp_path):
    """Two hundred levels exhaust a recursive parser."""
    path = save_grey(tmp_path / "a.dcm")
    depth = 3000
    start = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    end = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
    data = path.read_bytes()
    at = data.index(b"\x10\x00\x10\x00PN")
    path.write_bytes(data[:at] + start * depth + end * depth + data[at:])
    refused(path, "nested too deep|damaged")


def test_nested_regions_and_headers_of_defined_length_do_not_reach_the_caller(tmp_path):
    """pydicom reads these lazily and would fail in whoever touches them."""
    inner = element(0x0008, 0x0100, b"SH", b"x ")
    for _ in range(400):
        inner = element(0x0008, 0x1140, b"SQ", b"\xfe\xff\x00\xe0" + struct.pack("<I", len(inner)) + inner)
    path = save_grey(tmp_path / "a.dcm")
    data = path.read_bytes()
    at = data.index(b"\x10\x00\x10\x00PN")
    path.write_bytes(data[:at] + inner + data[at:])
    with within():
        header = open_study(path).clips[0].header()
    str(header)
    assert header.PatientID == "P1"


def test_headers_beyond_the_limit(tmp_path):
    path = save_grey(tmp_path / "a.dcm")
    data = path.read_bytes()
    at = data.index(b"\xe0\x7f\x10\x00")
    blob = element(0x0011, 0x1001, b"UN", b"\1" * 3_000_000)
    path.write_bytes(data[:at] + element(0x0011, 0x0010, b"LO", b"X ") + blob + data[at:])
    assert len(open_study(path).clips) == 1
    refused(path, "header is longer", limits=Limits(header_bytes=1_000_000))


def test_segmented_palette_bomb(tmp_path):
    """Three numbers ask for 65,535 entries, a thousand times over."""
    dataset = us(photometric="PALETTE COLOR")
    for name in ("Red", "Green", "Blue"):
        setattr(dataset, f"{name}PaletteColorLookupTableDescriptor", [256, 0, 16])
        bomb = struct.pack("<3H", 0, 1, 0) + struct.pack("<3H", 1, 65535, 9) * 5000
        setattr(dataset, f"Segmented{name}PaletteColorLookupTableData", bomb)
    clip = open_study(save(dataset, tmp_path / "a.dcm", speckle().tobytes())).clips[0]
    with within():
        clip.frame(0)
    assert any("palette" in w for w in clip.warnings)


@pytest.mark.parametrize(
    "descriptor", [[256, 0, 0], [256, 0, 32], [0, 0, 16], [1, 65535, 8], [65535, 32768, 16], [3, 0, 8]]
)
@pytest.mark.parametrize("size", [0, 1, 2, 256, 70000])
def test_palettes_of_nonsense(tmp_path, descriptor, size):
    dataset = us(photometric="PALETTE COLOR")
    for name in ("Red", "Green", "Blue"):
        setattr(dataset, f"{name}PaletteColorLookupTableDescriptor", descriptor)
        setattr(dataset, f"{name}PaletteColorLookupTableData", b"\7" * size)
    try:
        clip = open_study(save(dataset, tmp_path / "a.dcm", speckle().tobytes())).clips[0]
    except VeinscanError:
        return
    with within():
        assert clip.frame(0).shape == (48, 64, 3)


def test_unknown_vr_and_garbage_after_the_header(tmp_path):
    path = save_grey(tmp_path / "a.dcm")
    patched(path, b"\x10\x00\x10\x00PN", b"\x10\x00\x10\x00ZZ")
    with within():
        try:
            open_study(path).clips[0].frame(0)
        except VeinscanError as problem:
            assert "\n" not in str(problem)


@pytest.mark.parametrize("mark", [b"MZ", b"\x7fELF", b"#!", b"\xcf\xfa\xed\xfe"])
def test_executable_preamble_is_said(tmp_path, mark):
    """A file can be DICOM and a program at once (CVE-2019-11687)."""
    path = save_grey(tmp_path / "a.dcm")
    path.write_bytes(mark + path.read_bytes()[len(mark) :])
    (clip,) = open_study(path).clips
    assert any("program" in w for w in clip.warnings)
    assert not any("program" in w for w in open_study(save_grey(tmp_path / "b.dcm")).clips[0].warnings)
    path.write_bytes(b"II*\0" + path.read_bytes()[4:])
    assert not any("program" in w for w in open_study(path).clips[0].warnings), "a TIFF is allowed there"


def test_names_with_direction_and_control_characters_stay_out_of_messages(tmp_path):
    path = save(us(PhotometricInterpretation="RXXXXXXXGB"), tmp_path / "a.dcm", speckle().tobytes())
    patched(path, b"RXXXXXXXGB", b"R\xe2\x80\xae\x07\x1b[1GB")
    problem = refused(path, "R")
    assert not any(ord(c) < 32 or c in "\u202e\x7f" for c in str(problem))


def test_unknown_character_set_is_said_and_read(tmp_path):
    path = save(us(SpecificCharacterSet="ISO_IR 100"), tmp_path / "a.dcm", speckle().tobytes())
    clip = open_study(patched(path, b"ISO_IR 100", b"KLINGON 99")).clips[0]
    assert any("character set" in w for w in clip.warnings)
    clip.header()


def test_same_uid_with_other_bytes_is_a_copy_that_is_said(tmp_path):
    save_grey(tmp_path / "a.dcm", SOPInstanceUID="1.2.3")
    save_grey(tmp_path / "b.dcm", SOPInstanceUID="1.2.3", pixels=speckle(seed=9))
    study = open_study(tmp_path)
    assert [c.file for c in study.clips] == ["a.dcm"]
    assert "a.dcm" in study.skipped[0].reason


def test_folders_nested_deeper_than_the_limit_and_more_files_than_allowed(tmp_path):
    save_grey(tmp_path / "a.dcm")
    deep = tmp_path
    for i in range(10):
        deep = deep / str(i)
    save_grey(deep / "b.dcm")
    study = open_study(tmp_path, limits=Limits(folder_depth=5))
    assert len(study.clips) == 1
    assert any("nested deeper" in s.reason for s in study.skipped)
    study = open_study(tmp_path, limits=Limits(files=1))
    assert any("more than 1 files" in s.reason for s in study.skipped)


def test_folder_that_may_not_be_read(tmp_path):
    save_grey(tmp_path / "study" / "a.dcm")
    closed = tmp_path / "study" / "closed"
    closed.mkdir()
    closed.chmod(0)
    try:
        study = open_study(tmp_path / "study")
        assert len(study.clips) == 1
        if os.geteuid() != 0:
            assert any(s.path == "closed" for s in study.skipped)
    finally:
        closed.chmod(0o700)


def test_jpeg_that_claims_more_than_the_header(tmp_path):
    import imagecodecs

    small = imagecodecs.jpeg8_encode(speckle()[0], 95)
    at = small.index(b"\xff\xc0")
    huge = small[: at + 5] + struct.pack(">HH", 20000, 20000) + small[at + 9 :]
    path = save_compressed(us(2), tmp_path / "a.dcm", [small, huge], "1.2.840.10008.1.2.4.50")
    clip = open_study(path).clips[0]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with within(), pytest.raises(DecodeError, match="20000"):
        clip.frame(1)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000, "in kB"


def test_region_sequence_that_is_no_sequence(tmp_path):
    path = save_grey(tmp_path / "a.dcm", regions=[region()])
    data = path.read_bytes()
    at = data.index(b"\x18\x00\x11\x60SQ")
    path.write_bytes(data[: at + 4] + b"OB" + data[at + 6 :])
    clip = open_study(path).clips[0]
    assert clip.regions == ()
    assert clip.spacing_mm is None


def test_damaged_jpeg_ls_is_given_up_in_time(tmp_path):
    """CharLS is busy for seconds with frames like this one, which fuzzing found; it is ended."""
    import imagecodecs

    good = imagecodecs.jpegls_encode(speckle()[0])
    path = save_compressed(us(2), tmp_path / "a.dcm", [good, SLOW_JPEG_LS], "1.2.840.10008.1.2.4.80")
    clip = open_study(path, limits=Limits(frame_seconds=0.5)).clips[0]
    clip.frame(0)
    began = time.monotonic()
    with pytest.raises(DecodeError, match="ended after"):
        clip.frame(1)
    assert time.monotonic() - began < 4
    again = open_study(path).clips[0]
    assert np.array_equal(again.frame(0), speckle()[0]), "the decoder works on after it was ended"


def test_no_value_of_a_file_reaches_the_terminal_or_a_log(tmp_path, capfd, caplog):
    """pydicom's own warnings quote values: names, dates, UIDs."""
    import warnings

    path = save(us(SOPClassUID="1.2.840.10008.5.1.4.1.1.7"), tmp_path / "class.dcm", speckle().tobytes())
    data = path.read_bytes().replace(b"1.2.840.10008.5.1.4.1.1.7\0", b"1.2.040.10008.5.1.4.1.1.7\0")
    path.write_bytes(data)
    good = save(
        us(
            SpecificCharacterSet="ISO_IR 100",
            PatientName="SECRET^Name",
            StudyDate="SECRETDATE",
            StudyTime="SECRET",
            ContentDate="99999999",
        ),
        tmp_path / "b.dcm",
        speckle().tobytes(),
    )
    patched(good, b"ISO_IR 100", b"ISO_IR 999")
    capfd.readouterr()
    caplog.clear()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        study = open_study(tmp_path)
        clip = study.clip(good.name)
        clip.frame(0)
        str(clip.kind), str(clip.warnings)
        clip.header()
    said = capfd.readouterr()
    assert said.out == said.err == ""
    assert [str(w.message) for w in told] == []
    assert caplog.text == ""
    assert not any("SECRET" in w for w in clip.warnings)
    assert not any("SECRET" in s.reason for s in study.skipped)
