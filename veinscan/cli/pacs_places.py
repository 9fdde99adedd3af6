"""`veinscan pacs list`, `login`, `logout` and `cache`: which archives there are, what is kept of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from veinscan.cli.common import JsonOption, start
from veinscan.cli.output import Result, count, table
from veinscan.cli.pacs_options import asked
from veinscan.pacs.words import size_words

if TYPE_CHECKING:
    from veinscan.pacs.cache_entry import CachedStudy
    from veinscan.pacs.config import PacsConfig

NameArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[NAME]", help="An archive of the settings; default: the only one.", show_default=False
    ),
]


def list_archives(as_json: JsonOption = False) -> Result:
    """List the archives of the settings, and where the secret of each comes from."""
    start()
    from veinscan.pacs.config import archives
    from veinscan.settings import settings_path

    found = archives()
    data = {"archives": [_archive_json(config) for config in found.values()]}
    if not found:
        return Result(data, f"No archive is set: add a table [pacs.NAME] to {settings_path()}.")
    rows = [
        (one["name"], one["url"], one["dimse"], one["user"], one["secret"] or f"missing: {one['problem']}")
        for one in data["archives"]
    ]
    return Result(data, table(("name", "DICOMweb", "DIMSE", "user", "secret"), rows))


def login(name: NameArgument = None, as_json: JsonOption = False) -> Result:
    """Keep the password or token of an archive in the system keyring.

    It is asked for without echo, or read as one line from standard input; it is never an argument, and never
    in the settings.
    """
    start()
    from veinscan.pacs.config import archive_config
    from veinscan.pacs.credentials import check_keyring, remember

    config = archive_config(name)
    check_keyring(config)
    what = "Token" if config.auth == "bearer" else f"Password of {config.user}" if config.user else "Password"
    remember(config, asked(f"{what} at {config.name}", secret=True))
    text = f"{config.name}: kept in the system keyring; 'veinscan doctor --pacs {config.name}' tries it."
    return Result({"name": config.name, "kept": True}, text)


def logout(name: NameArgument = None, as_json: JsonOption = False) -> Result:
    """Take the password or token of an archive out of the system keyring."""
    start()
    from veinscan.pacs.config import archive_config
    from veinscan.pacs.credentials import forget

    config = archive_config(name)
    was = forget(config)
    text = "taken out of the keyring" if was else "there was nothing in the keyring"
    return Result({"name": config.name, "kept": False, "was_kept": was}, f"{config.name}: {text}.")


def _archive_json(config: PacsConfig) -> dict[str, Any]:
    from veinscan.errors import VeinscanError
    from veinscan.pacs.credentials import credentials

    try:
        found = credentials(config)
        source, problem = (found.source if found else "not needed"), None
    except VeinscanError as error:
        source, problem = None, error.what
    return {
        "name": config.name,
        "url": config.url or None,
        "dimse": config.dimse or None,
        "user": config.user or None,
        "auth": config.auth,
        "secret": source,
        "problem": problem,
    }


def cache(
    empty: Annotated[
        bool, typer.Option("--empty", help="Remove every study that is not open and holds nothing unsent.")
    ] = False,
    as_json: JsonOption = False,
) -> Result:
    """List the studies that are kept here after they were opened from an archive."""
    start()
    from veinscan.pacs.cache import StudyCache

    kept = StudyCache()
    emptied = kept.empty() if empty else None
    studies = kept.entries() if emptied is None else emptied.kept
    data = {
        "folder": kept.folder,
        "limit_bytes": kept.limit_bytes,
        "bytes": sum(one.bytes for one in studies),
        "studies": [_cached_json(one) for one in studies],
        "removed": [] if emptied is None else [_cached_json(one) for one in emptied.removed],
    }
    return Result(data, "" if as_json else _cache_text(data))


def _cached_json(one: CachedStudy) -> dict[str, Any]:
    return {
        "study_instance_uid": one.study_instance_uid,
        "archive": one.archive,
        "folder": one.folder,
        "bytes": one.bytes,
        "used_at": one.used_at,
        "complete": one.complete,
        "kept_because": one.kept_because,
    }


def _cache_text(data: dict[str, Any]) -> str:
    rows = [
        (
            f"{one['used_at'].astimezone():%Y-%m-%d %H:%M}",
            size_words(one["bytes"]),
            one["archive"],
            one["study_instance_uid"],
            ", ".join(filter(None, (one["kept_because"], "" if one["complete"] else "not whole"))),
        )
        for one in data["studies"]
    ]
    lines = [table(("used", "size", "archive", "study", ""), rows, right=(1,))] if rows else []
    if data["removed"]:
        gone = size_words(sum(one["bytes"] for one in data["removed"]))
        lines.append(f"{count(len(data['removed']), 'study', 'studies')} removed ({gone}).")
    room = f"{size_words(data['bytes'])} of at most {size_words(data['limit_bytes'])}"
    lines.append(f"{count(len(rows), 'study', 'studies')}, {room}, in {data['folder']}")
    return "\n".join(lines)
