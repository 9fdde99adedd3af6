"""From a name in the settings, or an AE title and address, to an archive."""

from __future__ import annotations

from dataclasses import replace

from veinscan.errors import InvalidInputError
from veinscan.pacs.archive import Archive
from veinscan.pacs.config import PacsConfig, archive_at, archive_config


def connect(name: str | None = None, *, dimse: str | None = None) -> Archive:
    """The archive to talk to; nothing is sent yet.

    Parameters
    ----------
    name : str, optional
        Table of the settings file; None: the only one there is.
    dimse : str, optional
        'AET@host:port': over DIMSE, whatever the settings say.  With a name, its other settings hold.

    Raises
    ------
    InvalidInputError
        No such archive, or settings that cannot be used.
    PacsError
        No credentials, certificates that cannot be read, or the extra `pacs` is not installed.
    """
    config = chosen(name, dimse)
    try:
        if config.url:
            from veinscan.pacs.web import WebArchive

            return WebArchive(config)
        from veinscan.pacs.dimse import DimseArchive

        return DimseArchive(config)
    except ImportError as error:
        raise not_installed(error, config.where) from None


def chosen(name: str | None, dimse: str | None = None) -> PacsConfig:
    """The settings that `connect` goes by: with `dimse` those of the table, but over DIMSE.

    Raises InvalidInputError as `connect`.
    """
    if dimse is None:
        return archive_config(name)
    config = archive_at(dimse)
    return config if name is None else replace(archive_config(name), dimse=config.dimse, url="")


def not_installed(error: ImportError, where: str = "") -> InvalidInputError:
    """What to say where a package of the extra `pacs` is missing; raises the error again for one of ours."""
    missing = (error.name or "").partition(".")[0]
    if missing == "veinscan":
        raise error
    return InvalidInputError(
        f"the package '{missing}' is not installed",
        where=where,
        do="install veinscan with its extra: pip install 'veinscan[pacs]'",
    )
