"""Objects that an archive sends: onto the disk as they come, and whole or not there.

The data set is written as it was received, behind a preamble and file meta
information of our own (PS3.10 7.1); it is never decoded and encoded again.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from pydicom.dataset import FileMetaDataset
from pydicom.filewriter import write_file_meta_info
from pynetdicom import PYNETDICOM_IMPLEMENTATION_UID, PYNETDICOM_IMPLEMENTATION_VERSION
from pynetdicom.dimse_primitives import C_STORE

from veinscan.dicom.guard import DEFAULT_LIMITS, clean_uid
from veinscan.dicom.header import quiet, read_header
from veinscan.dicom.sources import FileBytes
from veinscan.dicom.values import uid
from veinscan.errors import PacsError, UnreadableError
from veinscan.pacs.dimse_association import Line, send
from veinscan.pacs.dimse_peer import reason_of
from veinscan.pacs.dimse_wire import Message
from veinscan.pacs.model import Fetched, InstanceRow

MAX_OBJECT_BYTES = 8 * 1024**3
"""Bytes of one object; the longest loops have one or two GiB."""
_OUT_OF_RESOURCES, _NOT_ASKED, _NOT_UNDERSTOOD = 0xA700, 0x0124, 0xC000
"""C-STORE statuses that we answer with (PS3.4 B.2.3, PS3.7 annex C)."""


@dataclass(slots=True)
class Incoming:
    """One data set on its way to the disk; written to in the thread of the upper layer."""

    instance: InstanceRow | None
    """What was asked for; None where nobody asked."""
    folder: Path
    header: bytes
    size: int = 0
    problem: PacsError | None = None
    status: int = 0x0000
    part: Path | None = None
    _file: BinaryIO | None = None

    def write(self, data: bytes) -> None:
        """The next bytes, as they came; what cannot be kept is counted and dropped."""
        self.size += len(data)
        if self.problem is not None or self.instance is None:
            if self.size > MAX_OBJECT_BYTES:
                raise OSError("an object without end")
            return
        if self.size > MAX_OBJECT_BYTES:
            self._fail(f"the object is larger than {MAX_OBJECT_BYTES // 1024**3} GiB", _OUT_OF_RESOURCES)
            return
        try:
            if self._file is None:
                self.part = self.folder / f".{secrets.token_hex(8)}.part"
                self._file = self.part.open("xb")
                self._file.write(self.header)
            self._file.write(data)
        except OSError as error:
            self._unwritable(error)

    def finish(self) -> Fetched | None:
        """The object under its own name; None where nobody asked for it."""
        if self.instance is None:
            return None
        if self._file is not None and self.problem is None:
            try:
                self._file.close()
            except OSError as error:
                self._unwritable(error)
        if self.problem is None and self.part is None:
            self._fail("the object that came is empty", _NOT_UNDERSTOOD)
        if self.problem is None and self.part is not None:
            if wrong := _wrong(self.part, self.instance):
                self._fail(wrong, _NOT_UNDERSTOOD)
            else:
                path = self.folder / f"{self.instance.sop_instance_uid}.dcm"
                try:
                    size = self.part.stat().st_size
                    self.part.replace(path)
                except OSError as error:
                    self._unwritable(error)
                else:
                    return Fetched(self.instance, path, size)
        return Fetched(self.instance, None, error=self.problem)

    def discard(self) -> None:
        """Leave nothing of it."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
        if self.part is not None:
            with contextlib.suppress(OSError):
                self.part.unlink(missing_ok=True)

    def _unwritable(self, error: OSError) -> None:
        self._fail(
            f"the object cannot be written ({reason_of(error)})",
            _OUT_OF_RESOURCES,
            do="make room, or choose another folder",
        )
        if self.problem is not None:
            self.problem.__cause__ = error

    def _fail(self, what: str, status: int, *, do: str = "tell the archive's administrator") -> None:
        assert self.instance is not None  # noqa: S101 - only what was asked for can fail
        self.discard()
        self.status = status
        self.problem = PacsError(what, where=self.instance.sop_instance_uid, do=do, step="get")


@dataclass(slots=True)
class Wanted:
    """What was asked for and has not come yet; opens the files for it."""

    folder: Path
    instances: dict[str, InstanceRow]
    contexts: dict[Any, dict[int, Any]] = field(default_factory=dict)
    """Accepted contexts of each association, by number."""
    strangers: int = 0
    """Objects that came and were not asked for."""

    @classmethod
    def of(cls, instances: Sequence[InstanceRow], folder: Path) -> Wanted:
        """All of them; what has no proper UIDs cannot be asked for."""
        return cls(folder, {one.sop_instance_uid: one for one in instances if is_proper(one)})

    def open_object(self, command: Any, context_id: int | None, association: Any) -> Incoming:
        """Where the data set of a C-STORE request goes."""
        contexts = self.contexts.get(association)
        if contexts is None:  # one that the archive opened
            contexts = {one.context_id: one for one in association.accepted_contexts}
        context = None if context_id is None else contexts.get(context_id)
        with quiet():
            sop, kind = uid(command, "AffectedSOPInstanceUID"), uid(command, "AffectedSOPClassUID")
        instance = self.instances.pop(sop, None)
        if instance is None or context is None or context.abstract_syntax != kind:
            if instance is not None:
                self.instances[sop] = instance
            self.strangers += 1
            return Incoming(None, self.folder, b"", status=_NOT_ASKED)
        return Incoming(instance, self.folder, part10_header(kind, sop, str(context.transfer_syntax[0])))

    def settle(self, message: Message, line: Line) -> Fetched | None:
        """Finish an object that came and answer for it; None for one that nobody asked for."""
        incoming = message.body
        if not isinstance(incoming, Incoming):
            incoming = Incoming(None, self.folder, b"", status=_NOT_UNDERSTOOD)
        fetched = incoming.finish()
        _answer(message, incoming.status)
        if self.strangers > len(self.instances) + 100:
            raise PacsError(
                "the archive keeps sending objects that nobody asked for",
                where=line.watch.peer.where,
                do="ask its administrator",
                step=line.watch.step,
            )
        return fetched

    def refuse(self, message: Message) -> None:
        """Answer for an object that comes after all was called off, and leave nothing of it."""
        if isinstance(message.body, Incoming):
            message.body.discard()
        if isinstance(message.primitive, C_STORE):
            _answer(message, _OUT_OF_RESOURCES)


def _answer(message: Message, status: int) -> None:
    request: Any = message.primitive
    answer = C_STORE()
    answer.MessageIDBeingRespondedTo = request.MessageID
    # what is no UID is not said back
    answer.AffectedSOPClassUID = clean_uid(request.AffectedSOPClassUID) or None
    answer.AffectedSOPInstanceUID = clean_uid(request.AffectedSOPInstanceUID) or None
    answer.Status = status
    send(message.association, answer, message.context_id or 1)


def is_proper(instance: InstanceRow) -> bool:
    """Whether its UIDs are UIDs, so that they can be asked for and name a file."""
    uids = (instance.study_instance_uid, instance.series_instance_uid, instance.sop_instance_uid)
    return all(one and clean_uid(one) == one for one in uids)


def part10_header(sop_class: str, sop_instance: str, transfer_syntax: str) -> bytes:
    """Preamble, 'DICM' and file meta information (PS3.10 7.1)."""
    meta: Any = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = sop_instance
    meta.TransferSyntaxUID = transfer_syntax
    meta.ImplementationClassUID = PYNETDICOM_IMPLEMENTATION_UID
    meta.ImplementationVersionName = PYNETDICOM_IMPLEMENTATION_VERSION
    meta.FileMetaInformationVersion = b"\0\1"
    buffer: Any = BytesIO()
    buffer.write(bytes(128) + b"DICM")
    with quiet():
        write_file_meta_info(buffer, meta)
    return bytes(buffer.getvalue())


def _wrong(path: Path, wanted: InstanceRow) -> str:
    """Why a file is not what was asked for; '' where it is."""
    try:
        header = read_header(FileBytes(path, path.name, path.lstat()), DEFAULT_LIMITS)
    except (UnreadableError, OSError):
        return "what the archive sent is not a DICOM object"
    with quiet():
        sop, study = (uid(header.dataset, name) for name in ("SOPInstanceUID", "StudyInstanceUID"))
    if sop != wanted.sop_instance_uid:
        return "the archive sent another object than was asked for"
    if study != wanted.study_instance_uid:
        return "the archive sent an object that names another study"
    return ""
