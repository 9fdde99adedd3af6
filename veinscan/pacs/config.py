"""Which archives there are: the `[pacs.NAME]` tables of the settings file."""

from __future__ import annotations

from veinscan.errors import InvalidInputError
from veinscan.settings import Settings, load, settings_path
from veinscan.settings_pacs import PacsConfig, archive_at

__all__ = ["PacsConfig", "archive_at", "archive_config", "archives"]


def archives(settings: Settings | None = None) -> dict[str, PacsConfig]:
    """All archives of the settings by name, in the order of the file.

    Raises
    ------
    InvalidInputError
        The settings file cannot be used.
    """
    return dict((load() if settings is None else settings).archives)


def archive_config(name: str | None = None, settings: Settings | None = None) -> PacsConfig:
    """One archive; without a name the only one there is.

    Raises
    ------
    InvalidInputError
        There is none of that name, none at all, or several and no name.
    """
    known = archives(settings)
    if name is None and len(known) == 1:
        return next(iter(known.values()))
    if name is not None and name in known:
        return known[name]
    named = ", ".join(f"'{each}'" for each in known)
    if not known:
        raise InvalidInputError(
            "no archive is set up",
            where=str(settings_path()),
            do='write [pacs.NAME] and below it url = "https://..." into that file, as docs/pacs.md shows',
        )
    if name is None:
        raise InvalidInputError(
            f"{len(known)} archives are set up: {named}", where="--pacs", do="say which one with --pacs NAME"
        )
    raise InvalidInputError(f"there is no archive '{name[:60]}'", where="--pacs", do=f"name one of {named}")
