"""What DIMSE's numbers mean, in words: refused associations and the statuses of answers."""

from __future__ import annotations

from dataclasses import dataclass

from veinscan.errors import PacsError


@dataclass(frozen=True, slots=True)
class Said:
    """A status in words."""

    reason: str
    temporary: bool = False
    do: str = ""


_REJECTED: dict[tuple[int, int], tuple[str, str]] = {
    # (source, reason), PS3.8 table 9-21; {called} and {calling} are AE titles from the settings
    (1, 1): ("it gave no reason", "ask the archive's administrator"),
    (1, 2): ("it does not know DICOM's application context", "check host and port: something else answers"),
    (1, 3): (
        "it does not know our AE title {calling}",
        "have the archive's administrator enter it, or set calling_aet to one that is known there",
    ),
    (1, 7): ("it is not called {called}", "correct the AE title before the @; capitals count"),
    (2, 1): ("it gave no reason", "try again later"),
    (2, 2): ("it does not speak this version of the protocol", "ask the archive's administrator"),
    (3, 1): ("it is congested for the moment", "try again later"),
    (3, 2): ("all its connections are taken", "try again later"),
}


def rejected(result: int, source: int, reason: int, *, called: str, calling: str, where: str) -> PacsError:
    """An A-ASSOCIATE-RJ as a sentence; `result` 2 is a transient rejection (PS3.8 9.3.4)."""
    said, do = _REJECTED.get((source, reason), ("it gave no reason that is known", "ask its administrator"))
    return PacsError(
        "the archive refused the association: " + said.format(called=called, calling=calling),
        where=where,
        do=do,
        step="association",
        temporary=result == 2 or source == 3,
    )


_GENERAL: dict[int, Said] = {
    # PS3.7 annex C
    0x0105: Said("it does not know an attribute"),
    0x0106: Said("an attribute has a value that it does not take"),
    0x0110: Said("it failed while working on it", temporary=True, do="look into the archive's log"),
    0x0111: Said("it has an object of this UID already"),
    0x0112: Said("it has no such object"),
    0x0115: Said("it does not take an argument"),
    0x0117: Said("the UID of the object is wrong for it"),
    0x0118: Said("it does not know this kind of object"),
    0x0119: Said("UID and kind of the object contradict what it holds"),
    0x0120: Said("an attribute that it needs is missing"),
    0x0121: Said("an attribute that it needs is empty"),
    0x0122: Said("it does not take this kind of object"),
    0x0124: Said("we are not allowed to", do="have the archive's administrator allow it"),
    0x0210: Said("it takes the request for one that it had before"),
    0x0211: Said("it does not know this request"),
    0x0212: Said("it does not take an argument of the request"),
    0x0213: Said("it is out of resources", temporary=True, do="try again later"),
    0xFE00: Said("it was cancelled"),
}
_FULL = Said("it is out of resources", temporary=True, do="free space on the archive, or try again later")


def store_status(status: int) -> Said:
    """A C-STORE status that is neither success nor warning (PS3.4 table B.2-1)."""
    if status & 0xFF00 == 0xA700:
        return _FULL
    if status & 0xFF00 == 0xA900:
        return Said("the object does not fit its kind, it says")
    if status & 0xF000 == 0xC000:
        return Said("it cannot understand the object")
    return _other(status)


_WARNINGS = {
    # PS3.4 table B.2-1
    0xB000: "stored, with values changed to fit (coercion of data elements)",
    0xB006: "stored without some of its elements",
    0xB007: "stored, though it does not fit its kind",
}


def store_warning(status: int) -> str:
    """A C-STORE warning, for something that was stored; '' where the status is none."""
    if status & 0xF000 == 0xB000:
        return _WARNINGS.get(status, "stored, with a warning")
    return ""


def query_status(status: int) -> Said:
    """A final C-FIND, C-GET or C-MOVE status that is no success (PS3.4 tables C.4-1 to C.4-3)."""
    match status:
        case 0xA700 | 0xA701 | 0xA702:
            return _FULL
        case 0xA801:
            return Said(
                "it does not know where to move to",
                do="have its administrator enter our AE title with this machine's address and move_port",
            )
        case 0xA900:
            return Said("it does not take the query")
    if status & 0xF000 == 0xC000:
        return Said("it cannot work on the query")
    return _other(status)


def _other(status: int) -> Said:
    return _GENERAL.get(status, Said("it gave a status that is not known"))


def failed(doing: str, said: Said, status: int, *, where: str, step: str) -> PacsError:
    """A status as an error: '... failed: it is out of resources (status A700)'."""
    return PacsError(
        f"{doing} failed: {said.reason} (status {status:04X})",
        where=where,
        do=said.do,
        step=step,
        temporary=said.temporary,
    )
