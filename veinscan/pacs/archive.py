"""The one face of an archive; `connect` chooses who is behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from veinscan.pacs.model import Fetched, InstanceRow, StoreOutcome, StudyQuery, StudyRows

Stop = Callable[[], bool]
"""Asked between pieces of work; True ends it with CancelledError."""


class Archive(Protocol):
    """An archive that can be asked, read and written.

    Every method may be called from any thread, ends within the archive's time
    limits whatever the other side does, and raises only VeinscanError:
    PacsError (with `step` and `temporary`) or CancelledError.
    """

    name: str
    """As in the settings, or `AET@host:port`."""

    def find_studies(self, query: StudyQuery, *, stop: Stop | None = None) -> StudyRows:
        """Studies that match (QIDO-RS, C-FIND)."""
        ...

    def find_instances(
        self,
        study_instance_uid: str,
        *,
        series_instance_uid: str = "",
        sop_instance_uid: str = "",
        modality: str = "",
        stop: Stop | None = None,
    ) -> tuple[InstanceRow, ...]:
        """Objects of one study, by series and instance number; what was not asked for is left out."""
        ...

    def fetch(
        self, instances: Sequence[InstanceRow], folder: Path, *, stop: Stop | None = None
    ) -> Iterator[Fetched]:
        """Each object's bytes as the archive keeps them, as a file in `folder`, in the order of arrival.

        An object that the archive does not give, or gives wrongly (another UID, not DICOM, too large),
        comes as a `Fetched` with `error`; no connection at all raises.  Nothing half written is left.
        """
        ...

    def store(self, files: Sequence[Path], *, stop: Stop | None = None) -> tuple[StoreOutcome, ...]:
        """Send Part 10 files as they are, byte for byte where the archive takes their transfer syntax.

        One outcome for each file, in the same order; no connection at all raises.
        """
        ...

    def close(self) -> None:
        """Give connections back."""
        ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
