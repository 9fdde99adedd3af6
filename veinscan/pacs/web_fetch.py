"""WADO-RS: objects into files, as the archive keeps them, and single frames (PS3.18 10.4)."""

from __future__ import annotations

import contextlib
import queue
import re
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from veinscan.dicom.codestream import Codec, describe
from veinscan.dicom.guard import MIB, clean_uid
from veinscan.errors import NotSavedError, PacsError
from veinscan.pacs.answers import HttpStatusError, concerns_archive, unusable, web_page
from veinscan.pacs.archive import Stop
from veinscan.pacs.guarded import Ask
from veinscan.pacs.model import Fetched, InstanceRow
from veinscan.pacs.part10 import is_part10, looks_like_web_page, read_head, sop_instance_uid
from veinscan.pacs.parts import MultipartError, media_type, parameter, read_parts
from veinscan.pacs.transport import Answer, GuardedSession
from veinscan.pacs.web_series import by_series, objects_of
from veinscan.settings_pacs import PacsConfig

MAX_OBJECT_BYTES = 16 * 1024 * MIB
"""One object; a long uncompressed clip is a few GB."""
MAX_FRAME_BYTES = 256 * MIB
AS_STORED = 'multipart/related; type="application/dicom"; transfer-syntax=*'
"""Without its last parameter an archive may decode to Explicit VR Little Endian (PS3.18 8.7.3.5.2)."""
_FRAME_ACCEPTS = (
    'multipart/related; type="application/octet-stream"; transfer-syntax=*',
    'multipart/related; type="image/jpeg"; transfer-syntax=*,'
    ' multipart/related; type="image/dicom-rle"; transfer-syntax=*,'
    ' multipart/related; type="image/jp2"; transfer-syntax=*,'
    ' multipart/related; type="image/jls"; transfer-syntax=*,'
    ' multipart/related; type="application/octet-stream"',
    'multipart/related; type="application/octet-stream"',
    "*/*",
)
"""Asked in this order, the next where an archive cannot give the one before (400, 406, 415)."""
_OF_CODEC = {
    Codec.JPEG: "1.2.840.10008.1.2.4.50",
    Codec.JPEG_LOSSLESS: "1.2.840.10008.1.2.4.70",
    Codec.JPEG_LS: "1.2.840.10008.1.2.4.81",
    Codec.JPEG_2000: "1.2.840.10008.1.2.4.91",
}
_KIND = re.compile(r"(application|audio|font|message|model|text|video)/[a-z0-9.+-]{1,60}")
"""Media types that a sentence may repeat; anything else is text of the archive's."""
_NOT_THIS_WAY = (400, 406, 415)
_SINGLE = ("application/dicom", "application/octet-stream")
_MOST_PARTS = 1000
_MOST_KNOWN = 10_000
"""Objects of which it is remembered how their frames come."""


@dataclass(frozen=True, slots=True)
class EncodedFrame:
    """One frame as it came."""

    data: bytes = field(repr=False)
    """Its code stream, or its pixels where the transfer syntax is uncompressed."""
    transfer_syntax_uid: str
    """Of `data`; not always that of the object, since an archive may decode."""
    as_stored: bool = False
    """Whether it came in answer to the question for what the archive keeps, undecoded."""


class Fetcher:
    """Reads objects of one archive."""

    def __init__(self, session: GuardedSession, config: PacsConfig, connections: int) -> None:
        self._session = session
        self._config = config
        self._connections = connections
        self._accepts: dict[str, int] = {}
        self._gives_series = True
        root = f"{config.url}/{config.wado_prefix}" if config.wado_prefix else config.url
        self._root = f"{root}/studies"

    def fetch(
        self, instances: Sequence[InstanceRow], folder: Path, *, stop: Stop | None
    ) -> Iterator[Fetched]:
        """See `Archive.fetch`."""
        ended = threading.Event()
        arrived: queue.SimpleQueue[Fetched | BaseException] = queue.SimpleQueue()
        groups, single = by_series(instances) if self._gives_series else ([], instances)
        waiting = deque([*groups, *([instance] for instance in single)])
        turn = threading.Lock()

        def stopped() -> bool:
            return ended.is_set() or (stop is not None and stop())

        def work() -> None:
            while not ended.is_set():
                with turn:
                    some = waiting.popleft() if waiting else None
                if some is None:
                    return
                try:
                    if len(some) > 1:
                        left = self._series(some, folder, stopped, arrived.put)
                        with turn:
                            waiting.extend([one] for one in left)
                    else:
                        arrived.put(self._one(some[0], folder, stopped))
                except BaseException as error:  # raised where somebody waits for it
                    ended.set()
                    arrived.put(error)
                    return

        workers = min(self._connections, len(instances))
        with ThreadPoolExecutor(max(1, workers), thread_name_prefix="wado") as pool:
            try:
                for _ in range(workers):
                    pool.submit(work)
                for _ in instances:
                    result = arrived.get()
                    if isinstance(result, BaseException):
                        raise result
                    yield result
            finally:
                ended.set()

    def _series(
        self,
        wanted: Sequence[InstanceRow],
        folder: Path,
        stop: Stop,
        take: Callable[[Fetched], None],
    ) -> list[InstanceRow]:
        """Ask for their whole series; those that did not come with it, to be asked for one by one."""
        came: set[str] = set()
        url = self._url(wanted[0]).rpartition("/instances/")[0]
        ask = self._ask(MAX_OBJECT_BYTES, stop)
        try:
            with (
                self._session.opened("GET", url, ask, headers={"Accept": AS_STORED}) as answer,
                self._readable(),
            ):
                for fetched in objects_of(self._parts(answer), wanted, folder):
                    came.add(fetched.instance.sop_instance_uid)
                    take(fetched)
        except PacsError as error:
            if not came and concerns_archive(error):
                raise
            # what is wrong with it shows where the objects are asked for by themselves
            self._gives_series = bool(came)
        except OSError as error:
            raise _not_written(error, self._config.where) from None
        return [instance for instance in wanted if instance.sop_instance_uid not in came]

    def _one(self, instance: InstanceRow, folder: Path, stop: Stop) -> Fetched:
        """One object; an error that concerns only this one comes in the result, others are raised."""
        try:
            path, size = self._into_file(instance, folder, stop)
        except PacsError as error:
            if not concerns_archive(error):
                return Fetched(instance, None, error=error)
            raise
        return Fetched(instance, path, size)

    def _into_file(self, instance: InstanceRow, folder: Path, stop: Stop) -> tuple[Path, int]:
        where = instance.sop_instance_uid
        url = self._url(instance)
        path = folder / f"{where}.dcm"
        half = folder / f"{where}.part"
        ask = self._ask(MAX_OBJECT_BYTES, stop)
        try:
            with self._session.opened("GET", url, ask, headers={"Accept": AS_STORED}) as answer:
                size = self._write(answer, half)
            self._check(half, instance)
            half.replace(path)
            return path, size
        except OSError as error:
            raise _not_written(error, where) from None
        finally:
            with contextlib.suppress(OSError):
                half.unlink(missing_ok=True)

    def _write(self, answer: Answer, path: Path) -> int:
        sizes: list[int] = []
        with self._readable(), path.open("wb") as out:
            for _, chunks in self._parts(answer):
                if sizes:
                    raise self._unusable("it holds more than the one object that was asked for")
                sizes.append(0)
                for piece in chunks:
                    sizes[0] += out.write(piece)
        if not sizes:
            raise self._unusable("it is empty")
        return sizes[0]

    def frame(self, instance: InstanceRow, index: int, *, stop: Stop | None) -> EncodedFrame:
        """See `WebArchive.frame`."""
        if index < 0:
            raise PacsError(f"there is no frame {index}", where=self._config.where, step="wado")
        url = f"{self._url(instance)}/frames/{index + 1}"
        ask = self._ask(MAX_FRAME_BYTES, stop)
        failure: HttpStatusError | None = None
        for accept in range(self._accepts.get(instance.sop_instance_uid, 0), len(_FRAME_ACCEPTS)):
            try:
                with self._session.opened(
                    "GET", url, ask, headers={"Accept": _FRAME_ACCEPTS[accept]}
                ) as answer:
                    frame = replace(self._frame(answer), as_stored=accept == 0)
            except HttpStatusError as error:
                failure = failure or error
                if error.status not in _NOT_THIS_WAY:
                    break
            else:
                if len(self._accepts) >= _MOST_KNOWN:
                    self._accepts.clear()
                # of this object alone: one that is odd says nothing of the archive's others
                self._accepts[instance.sop_instance_uid] = accept
                return frame
        if failure is None:
            raise RuntimeError("unreachable")
        raise failure

    def _frame(self, answer: Answer) -> EncodedFrame:
        with self._readable():
            for headers, chunks in self._parts(answer):
                data = b"".join(chunks)
                kind = headers.get("content-type", answer.content_type)
                syntax = clean_uid(parameter(kind, "transfer-syntax"))
                return EncodedFrame(data, syntax or _guessed(media_type(kind), data))
        raise self._unusable("it holds no frame")

    def _parts(self, answer: Answer) -> Iterator[tuple[Mapping[str, str], Iterator[bytes]]]:
        """Header and body of each part; an answer that is not multipart is one part.

        Raises MultipartError, also out of the bodies.
        """
        kind = media_type(answer.content_type)
        if answer.status == 204:
            return
        chunks = answer.chunks()
        if not kind.startswith("multipart/"):
            if kind not in _SINGLE and not kind.startswith("image/"):
                raise self._unusable(
                    f"it is {kind if _KIND.fullmatch(kind) else 'of no known kind'} and not DICOM"
                )
            if not answer.has_length:
                raise self._unusable("it does not say where its end is")
            yield {}, chunks
            return
        for part in read_parts(chunks, parameter(answer.content_type, "boundary"), most=_MOST_PARTS):
            if media_type(part.headers.get("content-type", "")) == "text/html":
                raise web_page(self._config.where)
            yield part.headers, part.chunks()

    @contextlib.contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except MultipartError as error:
            raise self._unusable(str(error)) from None

    def _check(self, path: Path, instance: InstanceRow) -> None:
        """That the file is a Part 10 file, and says to be the object that was asked for."""
        head = read_head(path)
        if not is_part10(head):
            if looks_like_web_page(head):
                raise web_page(self._config.where)
            raise self._unusable("it is not a DICOM file")
        if sop_instance_uid(head) != instance.sop_instance_uid:
            raise self._unusable("it is another object than was asked for")

    def _url(self, instance: InstanceRow) -> str:
        uids = (instance.study_instance_uid, instance.series_instance_uid, instance.sop_instance_uid)
        if any(not uid or clean_uid(uid) != uid for uid in uids):
            raise PacsError("this is not a UID", where=self._config.where, do="check it", step="wado")
        return f"{self._root}/{uids[0]}/series/{uids[1]}/instances/{uids[2]}"

    def _ask(self, most: int, stop: Stop | None) -> Ask:
        return self._session.ask("wado", max_bytes=most, stop=stop)

    def _unusable(self, what: str) -> PacsError:
        return unusable(what, step="wado", where=self._config.where)


def _not_written(error: OSError, where: str) -> NotSavedError:
    return NotSavedError(
        f"the object cannot be written ({error.strerror or type(error).__name__})",
        where=where,
        do="make room, or choose another folder",
    )


def _guessed(kind: str, data: bytes) -> str:
    """Transfer syntax of a frame that comes without one; '' where its bytes do not say (PS3.18 8.7.3.3)."""
    if kind in ("image/dicom-rle", "image/x-dicom-rle"):
        return "1.2.840.10008.1.2.5"
    if (info := describe(data)) is not None:
        return _OF_CODEC.get(info.codec, "")
    return "1.2.840.10008.1.2.1" if kind in ("application/octet-stream", "") else ""
