"""The baseline of a comparison from an archive: found by the patient, pulled with its plan, and held."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from veinscan.cli.output import count, say
from veinscan.errors import AmbiguousStudyError, NoStudyError, PacsError

if TYPE_CHECKING:
    from veinscan.dicom import Study
    from veinscan.follow_up.earlier import EarlierStudies, EarlierStudy


@contextlib.contextmanager
def baseline_in_archive(
    follow_up: Study, baseline_uid: str | None, *, pacs: str | None, dimse: str | None
) -> Iterator[EarlierStudy]:
    """The earlier study of the same patient, lying at its `path` for as long as the block runs.

    Parameters
    ----------
    follow_up : Study
    baseline_uid : str or None
        Which of several.
    pacs, dimse : str or None
        As `veinscan.pacs.connect.connect` takes them.

    Raises
    ------
    NoStudyError
        The archive has no earlier study of the patient with a plan, or not the one named.
    AmbiguousStudyError
        It has several, and none is named.
    PacsError
        The archive cannot be asked, or the study did not come whole.
    """
    from veinscan.cli.interrupt import Interrupt
    from veinscan.cli.progress import Bar
    from veinscan.pacs.cache import StudyCache
    from veinscan.pacs.connect import connect
    from veinscan.pacs.earlier import bring, find_earlier_in_archive

    cache = StudyCache()
    with Interrupt() as stop, connect(pacs, dimse=dimse) as archive:
        found = find_earlier_in_archive(
            archive, follow_up, without_record=baseline_uid is not None, cache=cache, stop=stop
        )
        for note in found.notes:
            say(f"veinscan: {archive.name}: {note}")
        one = chosen(found, baseline_uid, archive.name)
        with cache.hold(one.path):
            with Bar("Pulling", delay_s=1.0) as bar:

                def progress(done: int, total: int, size: int) -> None:
                    bar.update(done, total)

                pulled = bring(archive, one, cache=cache, dimse=dimse or "", progress=progress, stop=stop)
            for text in pulled.notes:
                say(f"veinscan: {archive.name}: {text}")
            if pulled.failed:
                raise PacsError(
                    f"the baseline did not come whole: {count(len(pulled.failed), 'object')} missing,"
                    f" {pulled.failed[0].reason}",
                    where=archive.name,
                    do="repeat the command: what is here is not fetched again",
                    step="wado",
                    temporary=any(failed.temporary for failed in pulled.failed),
                )
            yield one


def chosen(found: EarlierStudies, baseline_uid: str | None, archive: str) -> EarlierStudy:
    """The study that is meant; errors as `baseline_in_archive`."""
    if baseline_uid is not None:
        for one in found.studies:
            if one.study_instance_uid == baseline_uid:
                return one
        raise NoStudyError(
            f"the archive lists no study {baseline_uid[:64]} of this patient before the follow-up",
            where=archive,
            do="leave --baseline-study out to see which there are",
        )
    if not found.studies:
        raise NoStudyError(
            "the archive has no earlier study of this patient with a plan",
            where=archive,
            do="name one without a plan with --baseline-study, or a baseline on this machine",
        )
    if len(found.studies) > 1:
        shown = tuple(study_line(one) for one in found.studies)
        raise AmbiguousStudyError(
            f"the archive has {len(found.studies)} earlier studies of this patient with a plan",
            where=archive,
            do=f"choose one with --baseline-study UID: {'; '.join(shown)}",
            study_uids=tuple(one.study_instance_uid for one in found.studies),
            shown=shown,
        )
    return found.studies[0]


def study_line(one: EarlierStudy) -> str:
    """'2.25.1 of 2026-01-02, 17 days before'."""
    day = f"of {one.on}" if one.on is not None else "of an unknown day"
    before = "" if one.days_before is None else f", {count(one.days_before, 'day')} before"
    return f"{one.study_instance_uid} {day}{before}"
