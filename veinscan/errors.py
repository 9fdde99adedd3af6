"""One family of errors.

Every error a user can meet says three things: what happened (with the value
seen), where, and what to do about it.  The command line prints them as one
sentence, the window as one notification, `--json` as an object.
"""

from __future__ import annotations


class VeinscanError(Exception):
    """Something veinscan cannot do; the base of every error it raises on purpose.

    Parameters
    ----------
    what : str
        What is wrong, with the value seen.  No patient data.
    where : str
        The file, option or place it was seen at; empty where there is none.
    do : str
        What the person can do next; empty where nothing helps.
    """

    def __init__(self, what: str, *, where: str = "", do: str = "") -> None:
        self.what = what
        self.where = where
        self.do = do
        super().__init__(what, where, do)

    def __str__(self) -> str:
        """One sentence: where: what; do."""
        sentence = f"{self.where}: {self.what}" if self.where else self.what
        return f"{sentence}; {self.do}" if self.do else sentence

    def as_json(self) -> dict[str, str]:
        """The object that `--json` prints under "error"."""
        return {"what": self.what, "where": self.where, "do": self.do}


class UnreadableError(VeinscanError):
    """A file cannot be read as an ultrasound object; a study lists it as skipped."""


class NoStudyError(VeinscanError):
    """Nothing under the given path can be opened as a study."""


class AmbiguousStudyError(VeinscanError):
    """Several studies or patients lie under one path, and a person has to choose.

    `study_uids` holds the Study Instance UIDs to choose from, and `shown` a line
    for each that tells a person which it is: day, number of clips, first file.
    """

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        do: str = "",
        study_uids: tuple[str, ...] = (),
        shown: tuple[str, ...] = (),
    ) -> None:
        super().__init__(what, where=where, do=do)
        self.study_uids = study_uids
        self.shown = shown


class DecodeError(UnreadableError):
    """The pixels of one frame cannot be decoded; `frame_index` counts from 0."""

    def __init__(self, what: str, *, where: str = "", do: str = "", frame_index: int | None = None) -> None:
        super().__init__(what, where=where, do=do)
        self.frame_index = frame_index


class CalibrationError(VeinscanError):
    """A measurement in mm was asked for where there is no usable calibration."""


class InvalidInputError(VeinscanError, ValueError):
    """A value passed to a function or option is not usable; the sentence says which to pass."""


class RecordError(VeinscanError):
    """A record cannot be read, or an edit of it makes no sense.  Never treated as 'no record'."""


class NotSavedError(RecordError):
    """A save did not reach the disk whole; what was there before is untouched."""


class CancelledError(VeinscanError):
    """The person stopped a running piece of work."""


class PacsError(VeinscanError):
    """An archive (PACS) cannot be reached, refuses, or answers what cannot be used.

    Parameters
    ----------
    step : str
        Where it failed: 'settings', 'name', 'tcp', 'tls', 'login', 'qido', 'wado', 'stow', 'association',
        'echo', 'find', 'get', 'move' or 'store'.
    temporary : bool
        Worth another try without anything being changed.
    retry_after_s : float, optional
        Seconds after which the archive itself asks to try again (RFC 9110 10.2.3).
    """

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        do: str = "",
        step: str = "",
        temporary: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(what, where=where, do=do)
        self.step = step
        self.temporary = temporary
        self.retry_after_s = retry_after_s
