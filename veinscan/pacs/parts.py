"""Multipart messages piece by piece: reading `multipart/related` answers, writing STOW requests.

dicomweb-client holds a message whole in memory, parses each object and, on
storing, writes it anew; here an object goes from the socket to the disk and
back as it is, byte for byte, with a bounded piece of it in memory.
RFC 2046 5.1, RFC 2387, PS3.18 8.6.1.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from email.message import Message
from pathlib import Path

MOST_PART_HEADER_BYTES = 16 * 1024
_PREAMBLE = 64 * 1024
_READ = 256 * 1024


class MultipartError(ValueError):
    """A message that is not as it has to be; the text is a clause for a sentence."""


class Part:
    """One part of a message, while it arrives."""

    def __init__(self, headers: Mapping[str, str], body: Iterator[bytes]) -> None:
        self.headers = headers
        """Names in lower case."""
        self._body = body

    def chunks(self) -> Iterator[bytes]:
        """Pieces of its body, once; none of them is empty."""
        return self._body


def read_parts(chunks: Iterable[bytes], boundary: str, *, most: int = 100_000) -> Iterator[Part]:
    """Parts of a message, in order; what is not read of one is skipped on the way to the next.

    Parameters
    ----------
    chunks : iterable of bytes
        The message, cut anywhere.
    boundary : str
        As in the Content-Type header.
    most : int
        Parts at most.

    Raises
    ------
    MultipartError
        No boundary at all, an unreadable or too large part header, too many parts, no end boundary.
    """
    if not 1 <= len(boundary) <= 200 or not boundary.isascii():
        raise MultipartError("its boundary is missing or wrong")
    reader = _Reader(iter(chunks), b"--" + boundary.encode("ascii"))
    reader.to_first_part()
    count = 0
    while reader.next_part():
        count += 1
        if count > most:
            raise MultipartError(f"it has more than {most} parts")
        part = Part(reader.headers(), reader.body())
        yield part
        for _ in part.chunks():
            pass


class _Reader:
    """Holds what has arrived and is not given out yet: at most a chunk and a boundary."""

    def __init__(self, chunks: Iterator[bytes], marker: bytes) -> None:
        self._chunks = chunks
        self._marker = marker
        self._held = bytearray()

    def _more(self) -> bool:
        for chunk in self._chunks:
            if chunk:
                self._held += chunk
                return True
        return False

    def _line(self, most: int, what: str) -> bytes:
        """Take one line without its end."""
        at = 0
        while (end := self._held.find(b"\n", at)) < 0:
            at = len(self._held)
            if at > most:
                raise MultipartError(f"{what} is too large")
            if not self._more():
                raise MultipartError("it broke off before its end boundary")
        line = bytes(self._held[:end]).removesuffix(b"\r")
        del self._held[: end + 1]
        return line

    def to_first_part(self) -> None:
        """Skip the preamble; the first boundary may stand at the very start, without CRLF before it."""
        # as if a line had ended just before: the boundary is then found like every other one
        self._held[:0] = b"\r\n"
        skipped = 0
        for piece in self.body():
            skipped += len(piece)
            if skipped > _PREAMBLE:
                raise MultipartError("it has no boundary where the first part should begin")

    def next_part(self) -> bool:
        """Step over a boundary; False where it is the end boundary."""
        rest = self._line(MOST_PART_HEADER_BYTES, "its boundary line") if self._dashes() else b"--"
        return not rest.startswith(b"--")

    def _dashes(self) -> bool:
        """False where the end boundary is the last of the message, perhaps without a line end."""
        while len(self._held) < 2:
            if not self._more():
                raise MultipartError("it broke off before its end boundary")
        return not self._held.startswith(b"--")

    def headers(self) -> dict[str, str]:
        """Header of the part that begins here."""
        found: dict[str, str] = {}
        left = MOST_PART_HEADER_BYTES
        while line := self._line(left, "the header of a part"):
            left -= len(line) + 2
            if left < 0:
                raise MultipartError("the header of a part is too large")
            name, colon, value = line.decode("latin-1").partition(":")
            if colon:
                found[name.strip().lower()] = value.strip()
        return found

    def body(self) -> Iterator[bytes]:
        """Everything up to the next boundary, which is taken with it."""
        delimiter = b"\r\n" + self._marker
        while True:
            at = self._held.find(delimiter)
            if at >= 0:
                if at:
                    piece = bytes(memoryview(self._held)[:at])
                    del self._held[: at + len(delimiter)]
                    yield piece
                else:
                    del self._held[: len(delimiter)]
                return
            safe = len(self._held) - len(delimiter) + 1
            if safe > 0:
                piece = bytes(memoryview(self._held)[:safe])
                del self._held[:safe]
                yield piece
            if not self._more():
                raise MultipartError("it broke off before its end boundary")


class FilesBody:
    """Files as a `multipart/related` message with a known length, read while it is sent."""

    def __init__(self, files: Sequence[Path], *, kind: str = "application/dicom") -> None:
        """Look at the files' sizes and choose a boundary that is in none of them.

        Raises
        ------
        OSError
            A file cannot be read.
        """
        self._files = [(path, path.stat().st_size) for path in files]
        self._kind = kind
        self.boundary = _free_boundary(files)

    @property
    def content_type(self) -> str:
        """Header for the request."""
        return f'multipart/related; type="{self._kind}"; boundary={self.boundary}'

    def _head(self, size: int) -> bytes:
        return (
            f"\r\n--{self.boundary}\r\nContent-Type: {self._kind}\r\nContent-Length: {size}\r\n\r\n".encode()
        )

    def _tail(self) -> bytes:
        return f"\r\n--{self.boundary}--\r\n".encode()

    def __len__(self) -> int:
        """Bytes of the whole message."""
        return sum(len(self._head(size)) + size for _, size in self._files) + len(self._tail())

    def __iter__(self) -> Iterator[bytes]:
        """Pieces of the message.

        Raises
        ------
        OSError
            A file cannot be read, or is not as long as it was.
        """
        for path, size in self._files:
            yield self._head(size)
            sent = 0
            with path.open("rb") as stream:
                while piece := stream.read(_READ):
                    sent += len(piece)
                    yield piece
            if sent != size:
                raise OSError(f"a file changed from {size} to {sent} bytes while it was sent")
        yield self._tail()


def _free_boundary(files: Sequence[Path]) -> str:
    """A random boundary of 128 bits; looked for in the files all the same, since they are anybody's."""
    while True:
        boundary = secrets.token_hex(16)
        if not any(_holds(path, b"--" + boundary.encode()) for path in files):
            return boundary


def _holds(path: Path, wanted: bytes) -> bool:
    with path.open("rb") as stream:
        held = b""
        while piece := stream.read(_READ):
            if wanted in held + piece:
                return True
            held = piece[1 - len(wanted) :]
    return False


def media_type(content_type: str) -> str:
    """Type and subtype of a Content-Type header, in lower case."""
    return content_type.partition(";")[0].strip().lower()


def parameter(content_type: str, name: str) -> str:
    """A parameter of a Content-Type header, quoted or not; '' where there is none."""
    message = Message()
    message["Content-Type"] = content_type.replace("\r", " ").replace("\n", " ")
    value = message.get_param(name)
    return value if isinstance(value, str) else ""
