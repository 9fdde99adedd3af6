"""Sending: what is chosen goes into the queue, durably, and from there into the archive."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from veinscan.errors import InvalidInputError, NotSavedError, VeinscanError
from veinscan.pacs.archive import Stop
from veinscan.pacs.origin import origin_of
from veinscan.pacs.queue import Connect, Progress, RunResult, SendQueue
from veinscan.pacs.queue_entry import Sending, State
from veinscan.pacs.queue_folder import Damaged
from veinscan.pacs.select import Chosen, LeftOut, objects_to_push
from veinscan.pacs.select_records import links, why_not
from veinscan.pacs.send_derived import PdfMaker, as_saved, report_of, segmentations_of
from veinscan.record.store import SavedRecord, StudyLike, record_paths, user_folder
from veinscan.record.versions import Version, read_versions

NO_OUTLINE = "no Segmentation is made of this plan: nothing in it has an outline on a clip that is here"
"""Why the wish for Segmentations brings none."""

_LOOK_S = 0.2
_LONGEST_SLEEP_S = 30.0


@dataclass(frozen=True, slots=True)
class PushResult:
    """What became of everything that was to be sent."""

    archive: str
    """Name in the settings, or `AET@host:port`."""
    objects: tuple[Sending, ...]
    """As they are now; each with its reason."""
    left_out: tuple[LeftOut, ...]
    damaged: tuple[Damaged, ...] = ()
    """What lies set aside in the queue."""
    stopped: bool = False

    @property
    def stored(self) -> tuple[Sending, ...]:
        """Shown to be in the archive."""
        return tuple(one for one in self.objects if one.state is State.STORED)

    @property
    def refused(self) -> tuple[Sending, ...]:
        """Not to be tried again as they are."""
        return tuple(one for one in self.objects if one.state is State.REFUSED)

    @property
    def unsent(self) -> tuple[Sending, ...]:
        """Still in the queue."""
        return tuple(one for one in self.objects if one.pending)


@dataclass(frozen=True, slots=True)
class Enqueued:
    """What lies in the queue now."""

    sendings: tuple[Sending, ...]
    left_out: tuple[LeftOut, ...] = ()


def push(
    archive_name: str | None,
    paths: Iterable[str | Path],
    *,
    dimse: str | None = None,
    drafts: bool = False,
    images: bool = False,
    with_seg: bool = False,
    with_pdf: bool = False,
    make_pdf: PdfMaker | None = None,
    deidentified_study: bool = False,
    wait: bool = False,
    queue: SendQueue | None = None,
    connect: Connect | None = None,
    stop: Stop | None = None,
    progress: Progress | None = None,
) -> PushResult:
    """Send study folders or files; everything lies in the queue before the first try.

    Parameters
    ----------
    archive_name : str or None
        In the settings; None: the only one, or `dimse` alone.
    paths, drafts, images
        As `objects_to_push`.
    dimse : str, optional
        'AET@host:port': over DIMSE.
    with_seg, with_pdf : bool
        Of study folders, also the outlines of each version that is sent as Segmentations, and its
        pages as an Encapsulated PDF, which `make_pdf` makes.
    deidentified_study : bool
        Objects without the patient's identity may make a study that the archive does not know yet.
    wait : bool
        Try again, with growing waits, until nothing is unsent or `stop` says so.
    queue, connect, stop, progress
        As `SendQueue.run`.

    Raises
    ------
    InvalidInputError
        A path that is not there, an archive that the settings do not know.
    NotSavedError
        An object could not be put into the queue.
    """
    name, dimse = _named(archive_name, dimse, known=connect is not None)
    if with_pdf and make_pdf is None:
        raise InvalidInputError("nothing makes the pages of the plan", where="with_pdf", do="pass make_pdf")
    places = [Path(path) for path in paths]
    queue = queue or SendQueue()
    held = _held(queue, name, dimse, places)
    selection = objects_to_push(places, drafts=drafts, images=images, held=held)
    left_out = list(selection.left_out)
    derived: list[Path | bytes] = []
    if with_seg or with_pdf:
        derived, problems = _made(places, selection.objects, with_seg, make_pdf if with_pdf else None)
        left_out += problems
        # what was made just now is no longer missing
        paths_made = {path for path in derived if isinstance(path, Path)}
        left_out = [one for one in left_out if one.path not in paths_made]
    sources = dict.fromkeys([*(one.path for one in selection.objects), *derived])
    entries: list[Sending] = []
    for source in sources:
        try:
            entries.append(queue.add(name, dimse, source, deidentified_study=deidentified_study, flush=False))
        except InvalidInputError as error:
            # one that cannot be sent keeps no other back
            where = source if isinstance(source, Path) else Path()
            left_out.append(LeftOut(path=where, reason=f"{error.what}; {error.do}"))
    queue.flush()
    keys = list(dict.fromkeys(one.key for one in entries))
    result = queue.run(connect, now=True, stop=stop, progress=progress, only=keys)
    while result.busy and not result.stopped and _slept(_LOOK_S, stop):
        # another window or command is sending some of them: what becomes of those is worth a moment
        result = queue.run(connect, stop=stop, progress=progress, only=keys)
    if wait:
        result = work_off(queue, keys, result, connect=connect, stop=stop, progress=progress)
    now = {one.key: one for one in queue.all()}
    objects = tuple(now[key] for key in keys if key in now)
    return PushResult(name or dimse or "", objects, tuple(left_out), result.damaged, result.stopped)


def enqueue_version(
    study: StudyLike,
    saved: SavedRecord | Path,
    *,
    archive: str | None = None,
    dimse: str | None = None,
    drafts: bool = False,
    with_seg: bool = False,
    make_pdf: PdfMaker | None = None,
    queue: SendQueue | None = None,
) -> Enqueued:
    """Put a saved version into the queue of the archive that its study came from, and what is made of it.

    It lies there, durably, when this returns; nothing is sent yet.  A version that
    is not final goes only with `drafts`, one with unreviewed candidates never.

    Raises
    ------
    InvalidInputError
        The study did not come from an archive and none is named; the file is no version of its record.
    NotSavedError
        It could not be put into the queue.
    """
    if archive is None and dimse is None:
        origin = origin_of(Path(study.root))
        if origin is None:
            raise InvalidInputError(
                "the study did not come from an archive", do="say which archive it is to go to"
            )
        if origin.archive == origin.dimse:
            raise InvalidInputError(
                "the study was pulled from an address that no settings name",
                do="say which archive it is to go to",
            )
        # by the settings alone: whoever handed over the folder may have written an address into its note
        archive = origin.archive
    path = saved if isinstance(saved, Path) else saved.path
    version = _version(study, path)
    versions, _ = read_versions(record_paths(study), study.study_instance_uid)
    reason = why_not(version, versions, drafts=drafts)
    if reason:
        uid = version.sop_instance_uid
        return Enqueued((), (LeftOut(path=path, reason=reason, sop_instance_uid=uid, kind="record"),))
    queue = queue or SendQueue()
    held = _held(queue, archive or "", dimse, [Path(study.root)])
    between = links([version.sop_instance_uid], versions, held) if drafts else ()
    before = sorted((versions[uid] for uid in between), key=lambda one: one.when)
    entries = [queue.add(archive or "", dimse, one) for one in (*(each.path for each in before), path)]
    made, left_out = _made_of(study, version, with_seg, make_pdf)
    entries += [queue.add(archive or "", dimse, one) for one in made]
    return Enqueued(tuple(entries), tuple(left_out))


def unsent(study: StudyLike | None = None, *, queue: SendQueue | None = None) -> tuple[Sending, ...]:
    """What is not in its archive yet or was refused, of one study or of all."""
    return tuple(
        one
        for one in (queue or SendQueue()).all()
        if one.state is not State.STORED
        and (study is None or one.study_instance_uid == study.study_instance_uid)
    )


def work_off(
    queue: SendQueue,
    keys: Sequence[str],
    result: RunResult,
    *,
    connect: Connect | None = None,
    stop: Stop | None = None,
    progress: Progress | None = None,
) -> RunResult:
    """Pass after pass, each when something is due, until none of the objects is pending or `stop` says so."""
    wanted = set(keys)
    while not result.stopped:
        waiting = [one for one in queue.pending() if one.key in wanted]
        if not waiting:
            break
        now = datetime.now(UTC)
        waits = [(one.next_try - now).total_seconds() if one.next_try else 0.0 for one in waiting]
        # at least a little: what another process holds would be asked for without end
        if not _slept(min(max(min(waits), _LOOK_S), _LONGEST_SLEEP_S), stop):
            return replace(result, stopped=True)
        result = queue.run(connect, stop=stop, progress=progress, only=wanted)
    return result


def _slept(seconds: float, stop: Stop | None) -> bool:
    """Whether nobody stopped it."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if stop is not None and stop():
            return False
        time.sleep(min(left, _LOOK_S))
    return True


def _named(name: str | None, dimse: str | None, *, known: bool) -> tuple[str, str | None]:
    """The archive as the queue keeps it; InvalidInputError for one that the settings do not know."""
    if known:
        return name or "", dimse
    from veinscan.pacs.connect import chosen

    config = chosen(name, dimse)
    return (config.name if dimse is None else name or ""), dimse


def _held(queue: SendQueue, archive: str, dimse: str | None, places: Iterable[Path]) -> set[str]:
    """What an archive holds, as far as it is known here: what was sent from here, or pulled from there."""
    found = {
        one.sop_instance_uid
        for one in queue.all()
        if one.state is not State.REFUSED and (one.archive, one.dimse) == (archive, dimse or "")
    }
    for place in places:
        origin = origin_of(place) if place.is_dir() else None
        if origin is not None and origin.archive == archive:
            found.update(origin.objects)
    return found


def _made(
    places: Sequence[Path], objects: Sequence[Chosen], with_seg: bool, make_pdf: PdfMaker | None
) -> tuple[list[Path | bytes], list[LeftOut]]:
    """What is made of the chosen versions of study folders."""
    from veinscan.dicom import open_study

    made: list[Path | bytes] = []
    problems: list[LeftOut] = []
    for place in places:
        versions = [one.version for one in objects if one.version is not None and _under(one, place)]
        if not place.is_dir():
            problems += [
                LeftOut(path=one.path, reason="outlines and pages are made of study folders: name the folder")
                for one in versions
                if one.path == place
            ]
            continue
        for study_uid in dict.fromkeys(one.study_instance_uid for one in versions):
            try:
                study = open_study(place, study_uid=study_uid)
            except VeinscanError as error:
                problems.append(LeftOut(path=place, reason=f"outlines and pages cannot be made: {error}"))
                continue
            for version in versions:
                if version.study_instance_uid == study_uid:
                    found, left = _made_of(study, version, with_seg, make_pdf)
                    made += found
                    problems += left
    return made, problems


def _under(one: Chosen, place: Path) -> bool:
    own = user_folder(one.facts.study_instance_uid)  # where a study's folder cannot be written
    return one.path.is_relative_to(place) or one.path.is_relative_to(own)


def _made_of(
    study: StudyLike, version: Version, with_seg: bool, make_pdf: PdfMaker | None
) -> tuple[list[Path | bytes], list[LeftOut]]:
    record = as_saved(version.content.record, version.sop_instance_uid)
    made: list[Path | bytes] = []
    problems: list[LeftOut] = []
    if with_seg:
        try:
            outlines = segmentations_of(study, record)
        except (NotSavedError, InvalidInputError) as error:
            problems.append(LeftOut(path=version.path, reason=str(error), kind="segmentation"))
        else:
            made += outlines
            if not outlines:
                problems.append(LeftOut(path=version.path, reason=NO_OUTLINE, kind="segmentation"))
    if make_pdf is not None:
        try:
            made.append(report_of(study, record, make_pdf))
        except VeinscanError as error:
            problems.append(LeftOut(path=version.path, reason=str(error), kind="report"))
    return made, problems


def _version(study: StudyLike, path: Path) -> Version:
    versions, damaged = read_versions([path], study.study_instance_uid)
    for error in damaged.values():
        raise error
    for version in versions.values():
        return version
    raise InvalidInputError("it is no version of the study's record", where=path.name)
