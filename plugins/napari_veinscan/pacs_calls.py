"""What the window asks of `veinscan.pacs`: in one place, loaded when it is first used.

Whatever asks an archive, the cache or the queue is work for a thread of its own; reading the
settings and the note in a study folder is not.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from veinscan.errors import InvalidInputError, PacsError
from veinscan.settings import data_dir, settings_path

if TYPE_CHECKING:
    from veinscan.dicom import Study
    from veinscan.follow_up.earlier import EarlierStudies, EarlierStudy
    from veinscan.pacs.archive import Archive
    from veinscan.pacs.cache_entry import Hold
    from veinscan.pacs.config import PacsConfig
    from veinscan.pacs.origin import Origin
    from veinscan.pacs.queue import SendQueue
    from veinscan.pacs.remote import RemoteStudy
    from veinscan.pacs.send import Enqueued
    from veinscan.plan.model import Record

PATIENCE_S = 1.0
"""How long a closing window waits for work that waits for another computer: nothing hangs on its end."""

PARTS = ("dicomweb_client", "requests", "urllib3", "keyring", "pynetdicom")
"""What the extra 'pacs' installs."""


def configured() -> dict[str, PacsConfig]:
    """The archives of the settings file, by name; a small file is read, no archive is asked.

    Raises InvalidInputError for settings that cannot be read, PacsError where the extra is missing.
    """
    missing = [part for part in PARTS if find_spec(part) is None]
    if missing:
        raise PacsError(
            f"the parts that talk to an archive are not installed ({', '.join(missing)} missing)",
            do="install veinscan with the extra 'pacs': pip install 'veinscan[pacs]'",
            step="settings",
        )
    from veinscan.pacs.config import archives

    return archives()


def shown(config: PacsConfig) -> str:
    """An archive as a choice names it: 'clinic (pacs.example.org)'."""
    host = urlsplit(config.url).netloc if config.url else config.dimse
    return f"{config.name} ({host})" if host else config.name


def settings_file() -> Path:
    """Where archives are set up."""
    return settings_path()


def connect(name: str | None, *, dimse: str | None = None) -> Archive:
    """The archive of this name, or at this DIMSE address, ready to be asked.

    Raises PacsError with step 'login' where it wants a password that nobody gave.
    """
    from veinscan.pacs.connect import connect as connect_to

    return connect_to(name or None, dimse=dimse or None)


def use_password(name: str, secret: str) -> None:
    """Log in to an archive with this password or token until the program ends.

    Raises InvalidInputError for one that no archive takes (control characters).
    """
    from veinscan.pacs.credentials import hold

    hold(_config(name), secret)


def keep_password(name: str, secret: str) -> None:
    """Keep it in the keyring of the system, which may ask a person first: not in the window's thread.

    Raises PacsError where there is no keyring to keep it in.
    """
    from veinscan.pacs.credentials import remember

    remember(_config(name), secret)


def _config(name: str) -> PacsConfig:
    config = configured().get(name)
    if config is None:
        raise InvalidInputError(f"there is no archive '{name}' any more", do="look at the settings")
    return config


def user_of(name: str) -> str:
    """Who logs in to an archive, as the settings say."""
    config = configured().get(name)
    return config.user if config is not None else ""


def asks_for_password(name: str) -> str:
    """'password' or 'token': what an archive takes; empty where the settings name no way to log in."""
    config = configured().get(name)
    return {"basic": "password", "bearer": "token"}.get(config.auth, "") if config is not None else ""


def check(name: str, each: Callable[[Any], None]) -> tuple[Any, ...]:
    """Every step of the way to an archive; `each` is told as they come."""
    from veinscan.pacs.doctor import check as check_archive

    return check_archive(name, told=each)


def origin(study_root: Path) -> Origin | None:
    """Which archive a study folder was pulled from."""
    from veinscan.pacs.origin import origin_of

    return origin_of(study_root)


def queue() -> SendQueue:
    """What is to go into archives."""
    from veinscan.pacs.queue import SendQueue

    return SendQueue(queue_folder())


def queue_folder() -> Path:
    """Where that lies; there is none before anything was sent."""
    return data_dir() / "pacs-queue"


def find_earlier(name: str, study: Study, stop: Callable[[], bool]) -> EarlierStudies:
    """Earlier studies of the same patient in an archive."""
    from veinscan.pacs.earlier import find_earlier_in_archive

    with connect(name) as archive:
        return find_earlier_in_archive(archive, study, stop=stop)


def fetch_earlier(
    one: EarlierStudy, progress: Callable[[int, int, int], None], stop: Callable[[], bool]
) -> None:
    """A study that `find_earlier` found, with its plan, into the cache: `one.path` can be opened then."""
    from veinscan.pacs.earlier import bring

    with connect(one.archive) as archive:
        bring(archive, one, progress=progress, stop=stop)


def near_and_archived(near: EarlierStudies, archived: EarlierStudies) -> EarlierStudies:
    """What lies near and what an archive holds, as one list."""
    from veinscan.pacs.earlier import both

    return both(near, archived)


def put_version(
    study: Study, version: Path, archive: str, *, draft: bool, segmentation: bool, page: bool, profile: str
) -> Enqueued:
    """A saved version, and what is made of it, into the queue of an archive: durable when it returns."""
    from veinscan.pacs.send import enqueue_version

    def make_page(of: Any, record: Record, path: Path) -> None:
        from veinscan.report import write_report

        write_report(of, record, path, format="dicom", profile=profile)

    return enqueue_version(
        study,
        version,
        archive=archive,
        drafts=draft,
        with_seg=segmentation,
        make_pdf=make_page if page else None,
        queue=queue(),
    )


def put_pictures(study: Study, archive: str) -> int:
    """The clips and stills of a study in a folder into the queue of an archive; how many.

    Raises InvalidInputError for a study in a zip.
    """
    from veinscan.pacs.select import objects_to_push

    if not study.path.is_dir():
        raise InvalidInputError(
            "the clips of a zip or single file cannot be sent", do="unpack it, and open that"
        )
    chosen = [
        one
        for one in objects_to_push([study.path], images=True).objects
        if one.facts.kind == "image" and one.facts.study_instance_uid == study.study_instance_uid
    ]
    waiting = queue()
    for one in chosen:
        waiting.add(archive, "", one.path)
    return len(chosen)


def open_remote(
    archive: Archive,
    study_uid: str,
    *,
    clip_ready: Callable[[int], None],
    finished: Callable[[], None],
    progress: Callable[[int, int, int], None],
    stop: Callable[[], bool],
) -> RemoteStudy:
    """A study that can be looked at while its files come into the cache."""
    from veinscan.pacs.remote import open_remote as open_first

    return open_first(
        archive, study_uid, clip_ready=clip_ready, finished=finished, progress=progress, stop=stop
    )


def is_in_cache(study_root: Path) -> bool:
    """Whether a study folder lies in the cache."""
    return (data_dir() / "pacs-cache").absolute() in Path(study_root).absolute().parents


def hold(study_root: Path) -> Hold:
    """Keep a study of the cache from being removed, until `release`."""
    from veinscan.pacs.cache import StudyCache

    return StudyCache().hold(study_root)
