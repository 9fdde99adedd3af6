"""Multipart messages: however they are cut, the parts are the same; files come back byte for byte."""

from __future__ import annotations

import email
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veinscan.pacs.parts import (
    MOST_PART_HEADER_BYTES,
    FilesBody,
    MultipartError,
    media_type,
    parameter,
    read_parts,
)

BOUNDARY = "b-0'x"
bodies = st.binary(max_size=200).map(lambda b: b.replace(b"--" + BOUNDARY.encode(), b""))
near = st.lists(
    st.sampled_from([b"\r\n", b"--", b"\r", b"\n", b"-", b"\r\n--", b"b-0", b"\r\n--b-0'", b"x", b"\0"]),
    max_size=30,
).map(b"".join)
tricky = (near | bodies).filter(lambda b: b"\r\n--" + BOUNDARY.encode() not in b"\r\n" + b)


def message(parts: list[bytes], *, preamble: bytes = b"", epilogue: bytes = b"\r\n") -> bytes:
    mark = b"--" + BOUNDARY.encode()
    middle = b"".join(
        mark + b"\r\nContent-Type: a/b\r\nContent-Length: %d\r\n\r\n" % len(p) + p + b"\r\n" for p in parts
    )
    return preamble + middle + mark + b"--" + epilogue


def cut(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    at = 0
    for size in sizes:
        yield data[at : at + size]
        at += size
    yield data[at:]


def read(chunks: Iterator[bytes], most: int = 1000) -> list[bytes]:
    return [b"".join(part.chunks()) for part in read_parts(chunks, BOUNDARY, most=most)]


@settings(max_examples=150, deadline=None)
@given(
    parts=st.lists(tricky, max_size=5),
    sizes=st.lists(st.integers(0, 40), max_size=60),
    preamble=st.sampled_from([b"", b"\r\n", b"This is a message.\r\n", b"--\r\n--b-0\r\n"]),
    epilogue=st.sampled_from([b"", b"\r\n", b"\r\nmore", b"--"]),
)
def test_however_it_is_cut_the_parts_are_the_same(
    parts: list[bytes], sizes: list[int], preamble: bytes, epilogue: bytes
):
    data = message(parts, preamble=preamble, epilogue=epilogue)
    assert read(cut(data, sizes)) == parts


@settings(max_examples=100, deadline=None)
@given(parts=st.lists(tricky, min_size=1, max_size=3), data=st.data(), size=st.integers(1, 50))
def test_what_is_cut_off_is_never_taken_for_whole(parts: list[bytes], data: st.DataObject, size: int):
    whole = message(parts, epilogue=b"")
    end = data.draw(st.integers(0, len(whole) - 1))
    short = whole[:end]
    got: list[bytes] = []
    with pytest.raises(MultipartError):
        for part in read_parts((short[i : i + size] for i in range(0, len(short), size)), BOUNDARY):
            body = b"".join(part.chunks())
            got.append(body)
    assert got == parts[: len(got)]


@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=400) | near, size=st.integers(1, 60))
def test_garbage_is_a_message_or_an_error(data: bytes, size: int):
    try:
        read(data[i : i + size] for i in range(0, len(data), size))
    except MultipartError as error:
        assert str(error)


def test_parts_that_are_not_read_are_skipped():
    data = message([b"one", b"two" * 1000, b"three"])
    heads = [part.headers for part in read_parts(iter([data]), BOUNDARY)]
    assert [head["content-length"] for head in heads] == ["3", "3000", "5"]


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "broke off"),
        (b"x" * 100_000, "no boundary"),
        (b"--b-0'x\r\n" + b"A: " + b"b" * 2 * MOST_PART_HEADER_BYTES, "too large"),
        (b"--b-0'x\r\n" + b"A: b\r\n" * MOST_PART_HEADER_BYTES, "too large"),
        (b"--b-0'x" + b" " * 2 * MOST_PART_HEADER_BYTES, "too large"),
        (b"--b-0'x\r\n\r\n\r\n" * 2000 + b"--b-0'x--", "more than 1000 parts"),
    ],
)
def test_what_has_no_end_is_refused(data: bytes, word: str):
    with pytest.raises(MultipartError, match=word):
        read(data[i : i + 999] for i in range(0, len(data), 999))


@pytest.mark.parametrize("boundary", ["", "ä", "x" * 201])
def test_boundaries_that_are_none(boundary: str):
    with pytest.raises(MultipartError, match="boundary"):
        list(read_parts(iter([b"--x--"]), boundary))


def test_memory_is_bounded_by_the_pieces():
    mark = b"\r\n--" + BOUNDARY.encode()

    def endless() -> Iterator[bytes]:
        yield mark + b"\r\n\r\n"
        for _ in range(400):
            yield b"\r\n--b-0" * 10_000  # begins like the boundary all the time
        yield mark + b"--"

    tracemalloc.start()
    try:
        (part,) = read_parts(endless(), BOUNDARY)
        total = sum(len(piece) for piece in part.chunks())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total == 0 or total == 400 * 70_000
    assert peak < 2_000_000


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("multipart/related; boundary=abc", "abc"),
        ('Multipart/Related; Boundary="a b;c"; type="application/dicom"', "a b;c"),
        ('multipart/related; type="application/dicom; transfer-syntax=1.2"; boundary=x-y', "x-y"),
        ("multipart/related", ""),
        ("", ""),
        ("multipart/related; boundary=\r\nX: y", "X: y"),
    ],
)
def test_the_boundary_of_a_header(header: str, found: str):
    assert parameter(header, "boundary") == found
    assert media_type(header) in ("multipart/related", "")


@settings(max_examples=60, deadline=None)
@given(contents=st.lists(st.binary(max_size=300), max_size=4))
def test_files_go_out_and_come_back(tmp_path_factory: pytest.TempPathFactory, contents: list[bytes]):
    folder = tmp_path_factory.mktemp("files")
    files = []
    for number, content in enumerate(contents):
        files.append(folder / f"{number}.dcm")
        files[-1].write_bytes(content)
    body = FilesBody(files)
    sent = b"".join(body)
    assert len(sent) == len(body)
    assert sent == b"".join(body)  # a request may be sent again
    assert [b"".join(p.chunks()) for p in read_parts(iter([sent]), body.boundary)] == contents
    assert parameter(body.content_type, "boundary") == body.boundary
    assert parameter(body.content_type, "type") == "application/dicom"
    parsed = email.message_from_bytes(f"Content-Type: {body.content_type}\r\n\r\n".encode() + sent)
    assert len(parsed.get_payload()) == max(len(contents), 1) if contents else True


def test_a_boundary_that_occurs_in_a_file_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    offered = iter(["first", "second", "third"])
    monkeypatch.setattr("secrets.token_hex", lambda size: next(offered))
    path = tmp_path / "x.dcm"
    # across the border of two pieces that are read
    path.write_bytes(b"y" * (256 * 1024 - 4) + b"--first" + b"y" * 300_000 + b"--second")
    assert FilesBody([path]).boundary == "third"


def test_a_file_that_changes_while_it_is_sent_is_noticed(tmp_path: Path):
    path = tmp_path / "x.dcm"
    path.write_bytes(b"x" * 100)
    body = FilesBody([path])
    path.write_bytes(b"x" * 90)
    with pytest.raises(OSError, match="changed"):
        b"".join(body)
    with pytest.raises(OSError):
        FilesBody([tmp_path / "missing"])
