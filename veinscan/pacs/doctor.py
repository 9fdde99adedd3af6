"""Which step of the way to an archive fails, and what to do about it.

DICOMweb: settings, name, TCP, TLS, login, QIDO, WADO, STOW.  DIMSE: settings,
name, TCP, association, echo, find, get or move, store.  What lies behind a
failed step is not tried.  Nothing is left in the archive: the step of storing
sends no object, so it shows that a store is understood and allowed, and not
that a certain object would be kept.
"""

from __future__ import annotations

from veinscan.errors import VeinscanError
from veinscan.pacs.config import archive_config
from veinscan.pacs.connect import chosen, not_installed
from veinscan.pacs.doctor_visit import DIMSE_STEPS, WEB_STEPS, Step, Told, Visit

__all__ = ["Step", "check", "ways"]


def ways(name: str | None, dimse: str | None = None) -> tuple[tuple[str, str | None], ...]:
    """The ways to an archive that can be checked: words for each, and `dimse` as `check` takes it.

    Where the settings cannot be used there is one, and its first step says so.
    """
    if dimse is not None:
        return (("DIMSE", dimse),)
    try:
        config = archive_config(name)
    except VeinscanError:
        return (("DICOMweb", None),)
    found: list[tuple[str, str | None]] = [("DICOMweb", None)] if config.url else []
    return (*found, *([("DIMSE", config.dimse)] if config.dimse else []))


def check(name: str | None, dimse: str | None = None, *, told: Told | None = None) -> tuple[Step, ...]:
    """Go the way to an archive step by step.

    Parameters
    ----------
    name : str or None
        Table of the settings file; None: the only one there is.
    dimse : str, optional
        'AET@host:port': over DIMSE, whatever the settings say.
    told : callable, optional
        Called with each step as it is done.

    Returns
    -------
    tuple of Step
        All steps in order; at most one has `ok` False, and those after it None.
    """
    try:
        config = chosen(name, dimse)
        if config.url:
            from veinscan.pacs.doctor_web import WebVisit

            return WebVisit(config, told).run()
        from veinscan.pacs.doctor_dimse import DimseVisit

        return DimseVisit(config, told).run()
    except ImportError as error:
        return _only_settings(not_installed(error), dimse, told)
    except VeinscanError as error:
        return _only_settings(error, dimse, told)


def _only_settings(error: VeinscanError, dimse: str | None, told: Told | None) -> tuple[Step, ...]:
    def fail() -> str:
        raise error

    visit = Visit(WEB_STEPS if dimse is None else DIMSE_STEPS, told=told)
    visit.step("settings", fail)
    return visit.all()
