"""Frames of a clip one by one from an archive, until its file is here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from pydicom.dataset import FileDataset

from veinscan.dicom.decode import COMPRESSED, NATIVE, PixelFormat
from veinscan.dicom.frame_supply import FrameSupply, StoredFrame
from veinscan.dicom.values import text
from veinscan.errors import PacsError
from veinscan.pacs.archive import Stop
from veinscan.pacs.model import InstanceRow

_SERVER_ERROR = 500
_BIG_ENDIAN = "1.2.840.10008.1.2.2"
_LOSSY = {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"}
"""What archives encode to when they are asked for a picture."""


class Encoded(Protocol):
    """One frame as it came, of `veinscan.pacs.web.EncodedFrame`."""

    @property
    def data(self) -> bytes: ...  # noqa: D102
    @property
    def transfer_syntax_uid(self) -> str: ...  # noqa: D102
    @property
    def as_stored(self) -> bool: ...  # noqa: D102


class FrameArchive(Protocol):
    """What is used of an archive that gives single frames."""

    def frame(self, instance: InstanceRow, index: int, *, stop: Stop | None = None) -> Encoded: ...  # noqa: D102


class Traffic:
    """How many frames are on their way: what is looked at goes before what comes in the background."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._frames = 0
        self._any = False

    @contextmanager
    def frame(self) -> Iterator[None]:
        """While a frame is fetched."""
        with self._changed:
            self._frames += 1
        try:
            yield
        finally:
            with self._changed:
                self._frames -= 1
                self._any = True
                self._changed.notify_all()

    def wait_for_first(self, seconds: float) -> None:
        """Until the first frame has come, or so long."""
        with self._changed:
            self._changed.wait_for(lambda: self._any, seconds)

    def wait_for_frames(self, seconds: float) -> None:
        """Until no frame is on its way, or so long."""
        with self._changed:
            self._changed.wait_for(lambda: self._frames == 0, seconds)


class RemoteSupply:
    """The `FrameSupply` of a clip whose file is still to come, and of its file from `arrived` on.

    A frame is taken over the wire only where its pixels are surely those of
    the file: as the archive keeps them.  What it had to decode or encode for
    us, and palettes that it does not give with its description, wait for the
    whole file, which `whole` then fetches first.

    Parameters
    ----------
    archive : FrameArchive
    row : InstanceRow
    header : FileDataset
        The archive's description of the object.
    form : PixelFormat
        As described; its transfer syntax is not known.
    path : Path
        Where the file will be.
    whole : callable
        Fetches the file and returns its frames; raises PacsError, NotSavedError, CancelledError.
    wanted : callable
        Called when somebody asks for a frame whose file is not here.
    traffic : Traffic
    stop : callable
        True cancels what is on its way.
    """

    def __init__(
        self,
        archive: FrameArchive,
        row: InstanceRow,
        header: FileDataset,
        form: PixelFormat,
        path: Path,
        *,
        whole: Callable[[InstanceRow], FrameSupply],
        wanted: Callable[[], None],
        traffic: Traffic,
        stop: Stop,
    ) -> None:
        self._archive = archive
        self._row = row
        self._header = header
        self._form = form
        self._path = path
        self._whole = whole
        self._wanted = wanted
        self._traffic = traffic
        self._stop = stop
        self._local: FrameSupply | None = None
        self._file_first = form.photometric == "PALETTE COLOR" and not _has_palette(header)

    @property
    def name(self) -> str:
        """See `FrameSupply.name`: as the file will be called."""
        return self._path.name

    @property
    def path(self) -> Path:
        """See `FrameSupply.path`."""
        return self._path

    @property
    def is_local(self) -> bool:
        """Whether frames come from the file."""
        return self._local is not None

    def arrived(self, local: FrameSupply) -> None:
        """Take frames from the file from now on."""
        self._local = local

    def stored(self, index: int) -> StoredFrame:
        """See `FrameSupply.stored`."""
        local = self._local
        if local is None:
            self._wanted()
        if local is None and not self._file_first:
            with self._traffic.frame():
                frame = self._over_the_wire(index)
            if frame is not None:
                return frame
            self._file_first = True
        return (local or self._local or self._whole(self._row)).stored(index)

    def header(self) -> FileDataset:
        """See `FrameSupply.header`; for a palette that was not described, that of the file."""
        local = self._local
        if local is None and self._file_first:
            local = self._whole(self._row)
        return self._header if local is None else local.header()

    def _over_the_wire(self, index: int) -> StoredFrame | None:
        """None where the archive cannot give the frame as it keeps it."""
        try:
            came = self._archive.frame(self._row, index, stop=self._stop)
        except PacsError as problem:
            # a server error is how archives say that they cannot cut this object into frames
            if problem.temporary and getattr(problem, "status", None) != _SERVER_ERROR:
                raise
            return None
        lossy = text(self._header, "LossyImageCompression") == "01"
        form = form_as_sent(self._form, came, lossy=lossy)
        return None if form is None else StoredFrame(came.data[: _length(form, came.data)], form)


def form_as_sent(form: PixelFormat, came: Encoded, *, lossy: bool) -> PixelFormat | None:
    """How the bytes of a frame are stored; None where they may not be the file's own pixels.

    `lossy`: whether the object says that it was compressed with loss (0028,2110).
    """
    syntax = came.transfer_syntax_uid
    if syntax in NATIVE:
        if not came.as_stored:
            return None  # decoded for us: its colours and planes are no longer those of the description
        sent = replace(form, transfer_syntax=syntax, little_endian=syntax != _BIG_ENDIAN)
        if form.photometric == "YBR_FULL_422" and len(came.data) >= 3 * form.rows * form.columns:
            sent = replace(sent, photometric="YBR_FULL")  # as in a file: some writers keep the name
        if form.photometric in ("YBR_ICT", "YBR_RCT") or len(came.data) < sent.frame_bytes:
            return None
        return sent
    if syntax not in COMPRESSED:
        return None
    if not came.as_stored and (syntax in _LOSSY) != lossy:
        return None  # encoded for us
    return replace(form, transfer_syntax=syntax)


def _length(form: PixelFormat, data: bytes) -> int:
    """Native frames may be padded to an even length (PS3.5 8.1.1)."""
    return form.frame_bytes if form.native else len(data)


def _has_palette(header: FileDataset) -> bool:
    return all(
        f"{colour}PaletteColorLookupTableData" in header
        or f"Segmented{colour}PaletteColorLookupTableData" in header
        for colour in ("Red", "Green", "Blue")
    )
