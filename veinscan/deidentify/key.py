"""The secret of a project: one map of UIDs, names and dates for everything that is exported with it.

Every pseudonym is an HMAC-SHA-256 (RFC 2104) of what it stands for, with a
key that stays with the project.  So a baseline and its follow-up keep
belonging together, two exports agree, no table of names is kept anywhere,
and nobody without the key goes back: what can be tried out (a list of
patient numbers) cannot be tried out without it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from veinscan.errors import InvalidInputError, NotSavedError, VeinscanError
from veinscan.record.files import make_folder, write_new

KEY_BYTES = 32
MIN_DAYS, MAX_DAYS = 365, 3650
"""A patient's dates are moved back by at least and at most so many days: never into the future."""
STANDARD_ROOT = "1.2.840.10008."
"""UIDs of the standard itself (PS3.6): the same for everybody, so they stay."""

_PROJECT = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")


@dataclass(frozen=True, slots=True)
class ProjectKey:
    """The secret key of a project, and what is derived from it."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) < KEY_BYTES:
            raise InvalidInputError(
                f"a project key has {KEY_BYTES} bytes, not {len(self.secret)}", do="let veinscan make one"
            )

    def uid(self, original: str) -> str:
        """The UID that stands for another: a UUID under 2.25 (PS3.5 B.2); a UID of the standard stays."""
        text = original.strip("\0 ")
        if not text or (text.startswith(STANDARD_ROOT) and _is_registered(text)):
            return text
        return f"2.25.{uuid.UUID(bytes=self._digest('uid', text)[:16], version=4).int}"

    def name(self, kind: str, original: str, length: int = 10) -> str:
        """A short name of letters and digits that stands for another; of its own `kind` of things."""
        return base64.b32encode(self._digest(kind, original)).decode("ascii")[:length]

    def days(self, patient: str) -> int:
        """By how many days the dates of a patient are moved back."""
        number = int.from_bytes(self._digest("days", patient)[:8], "big")
        return MIN_DAYS + number % (MAX_DAYS - MIN_DAYS + 1)

    @property
    def mark(self) -> str:
        """Tells exports with this key from others; says nothing about the key."""
        return self._digest("mark", "")[:8].hex()

    def _digest(self, kind: str, text: str) -> bytes:
        message = f"{kind}|{text}".encode("utf-8", "surrogatepass")
        return hmac.new(self.secret, message, hashlib.sha256).digest()


def _is_registered(uid: str) -> bool:
    """Whether the standard's own register has it: a scanner may put anything under the standard's root."""
    from pydicom.uid import UID

    return UID(uid).name != uid


def key_path(project: str) -> Path:
    """Where the key of a project lies: in the user's own folder, never beside data.

    Raises InvalidInputError for a name that is not one.
    """
    if _PROJECT.fullmatch(project) is None:
        raise InvalidInputError(
            f"{project!r} is not a name of a project",
            do="use up to 40 small letters, digits, - and _ (and no name of a person)",
        )
    from veinscan.settings import data_dir

    return data_dir() / "projects" / f"{project}.key"


def project_key(project: str = "default") -> ProjectKey:
    """The key of a project; made on first use, readable by its user alone.

    Raises
    ------
    InvalidInputError
        The name cannot be used, or the file is no key.
    VeinscanError
        The key cannot be read or written.
    """
    path = key_path(project)
    if not path.exists():
        make_folder(path.parent, private=True)
        try:
            write_new(path, secrets.token_hex(KEY_BYTES).encode("ascii") + b"\n", mode=0o600)
        except NotSavedError:
            if not path.exists():  # else another program made it a moment ago
                raise
    return read_key(path)


def read_key(path: Path) -> ProjectKey:
    """A key from its file: 64 hexadecimal digits.  Raises as `project_key`."""
    try:
        with path.open("rb") as file:
            text = file.read(4096).decode("ascii").strip()
        return ProjectKey(bytes.fromhex(text))
    except (ValueError, InvalidInputError):
        raise InvalidInputError(
            "this is not a project key",
            where=str(path),
            do=f"give a file of {2 * KEY_BYTES} hexadecimal digits, or put the right one back from a backup",
        ) from None
    except OSError as error:
        raise _unusable(path, error) from error


def _unusable(path: Path, error: OSError) -> VeinscanError:
    reason = (error.strerror or str(error)).lower()
    return VeinscanError(
        f"the project key cannot be used: {reason}", where=str(path), do="ask for the right to read it"
    )
