"""Much of everything: a clip of 10 GB, many files, large private parts; only what is asked for is read.

The same with 100,000 files, in minutes, outside the suite:
`python benchmarks/reading.py --only folder --instances 100000`.
"""

from __future__ import annotations

import shutil
import struct
import tracemalloc
from collections import Counter
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from us_files import save, save_grey, speckle, us

from veinscan.dicom import open_study
from veinscan.dicom.sources import FileBytes

JPEG = "1.2.840.10008.1.2.4.50"
GIB = 1024**3
MIB = 1024**2


@pytest.fixture
def read_bytes(monkeypatch) -> Counter[str]:
    """Bytes read from each file, by its name."""
    count: Counter[str] = Counter()
    original = FileBytes.read

    def counted(self: FileBytes, offset: int, length: int) -> bytes:
        data = original(self, offset, length)
        count[self.name] += len(data)
        return data

    monkeypatch.setattr(FileBytes, "read", counted)
    return count


def huge_clip(path: Path, frames: int, frame_bytes: int) -> Path:
    """A JPEG clip with holes behind each picture: large to the reader, small on the disk."""
    coded = [imagecodecs.jpeg8_encode(np.full((48, 64), grey, np.uint8), 90) for grey in range(20, 240, 20)]
    dataset = us(frames)
    save(dataset, path, None, JPEG)
    with path.open("r+b") as stream:
        stream.seek(0, 2)
        stream.write(struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF))
        stream.write(struct.pack("<HHI", 0xFFFE, 0xE000, 0))
        for i in range(frames):
            picture = coded[i % len(coded)]
            stream.write(struct.pack("<HHI", 0xFFFE, 0xE000, frame_bytes) + picture)
            stream.seek(frame_bytes - len(picture), 1)
        stream.write(struct.pack("<HHI", 0xFFFE, 0xE0DD, 0))
    return path


def test_clip_of_ten_gigabytes_is_opened_and_shown_by_its_parts(tmp_path, read_bytes):
    """Fragments beyond 4 GiB have no place in a basic offset table (PS3.5 A.4): they are counted."""
    frames, frame_bytes = 3456, 3 * MIB
    path = huge_clip(tmp_path / "a.dcm", frames, frame_bytes)
    if path.stat().st_blocks * 512 > GIB:
        pytest.skip("the file system keeps no holes")
    assert path.stat().st_size > 10 * GIB
    tracemalloc.start()
    try:
        clip = open_study(tmp_path).clips[0]
        assert clip.n_frames == frames
        assert read_bytes["a.dcm"] < MIB
        for index in (0, frames - 1, frames // 2):
            assert abs(int(clip.frame(index).mean()) - (20 + 20 * (index % 11))) <= 1
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert read_bytes["a.dcm"] < 10 * MIB + 3 * frame_bytes
    assert peak < 32 * MIB


def test_of_many_files_headers_alone_are_read(tmp_path, read_bytes):
    """2,000 files, most of them no ultrasound: each costs one small read, and memory stays flat."""
    save(us(8, 300, 400), tmp_path / "a.dcm", bytes(8 * 300 * 400))
    other = tmp_path / "note.txt"
    other.write_bytes(b"x" * 300_000)
    for folder in range(20):
        (tmp_path / str(folder)).mkdir()
        shutil.copy(tmp_path / "a.dcm", tmp_path / str(folder) / "copy.dcm")
        for i in range(99):
            (tmp_path / str(folder) / f"{i}.txt").hardlink_to(other)
    calls: list[tuple[int, int]] = []
    tracemalloc.start()
    try:
        study = open_study(tmp_path, progress=lambda done, total: calls.append((done, total)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(study.clips) == 1
    assert len(study.skipped) == 2001
    assert calls == [(i, 2002) for i in range(1, 2003)]
    assert max(read_bytes.values()) <= 64 * 1024
    assert peak < 16 * MIB


def test_large_private_parts_are_stepped_over(tmp_path):
    """A private element of 40 MB before the pixels (PS3.5 7.8): the picture is right and it is not kept."""
    pixels = speckle()
    path = save_grey(tmp_path / "a.dcm", pixels)
    data = path.read_bytes()
    at = data.index(struct.pack("<HH2s", 0x7FE0, 0x0010, b"OB"))
    blob = 40 * MIB
    maker = struct.pack("<HH2sH", 0x7FDF, 0x0010, b"LO", 4) + b"TEST"
    head = struct.pack("<HH2sHI", 0x7FDF, 0x1001, b"OB", 0, blob)
    path.write_bytes(data[:at] + maker + head + bytes(blob) + data[at:])
    tracemalloc.start()
    try:
        clip = open_study(path).clips[0]
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert held < 4 * MIB, "a study keeps the facts of a header, not the header"
    np.testing.assert_array_equal(clip.frame(0), pixels[0])
    assert not any(tag.is_private for tag in clip.header())
