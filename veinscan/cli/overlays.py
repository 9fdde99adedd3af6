"""The folder that `find -o` and `reflux -o` fill: a picture a clip or strip, and a listing of them.

Only the picture region is drawn: a scanner's banner with the patient's name
lies outside it.  File names are made here, never from the names of clips.
Files that veinscan did not write are never touched, so that the folder may
even be the study's own.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from veinscan.cli.output import count, json_bytes
from veinscan.errors import InvalidInputError, NotSavedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from veinscan.candidates import Candidate
    from veinscan.dicom import Clip

LISTING = "candidates.json"
"""Same content as `find --json`; its `written_by` marks the folder's files as ours."""
_WRITTEN_BY = "veinscan find"
_MAX_LISTING_BYTES = 100_000_000


class OverlayFolder:
    """Pictures are kept in memory until all are made, so that an ended search changes nothing.

    Raises
    ------
    InvalidInputError
        The place is a file, or holds a listing that veinscan did not write.
    """

    def __init__(
        self, folder: Path, *, listing: str = LISTING, written_by: str = _WRITTEN_BY, kind: str = "clip"
    ) -> None:
        self._folder = folder
        self._listing, self._written_by = listing, written_by
        self._picture = re.compile(rf"{kind}-\d{{3,}}-[a-z0-9_]+\.png")
        self._pictures: dict[str, bytes] = {}
        if folder.exists() and not folder.is_dir():
            raise InvalidInputError("this is a file", where=str(folder), do="give -o a folder")
        self._earlier = self._own_files()

    def add(self, index: int, clip: Clip, candidates: Sequence[Candidate]) -> str | None:
        """Draw a clip's candidates; the picture's name, or None where there is nothing to draw."""
        if not candidates:
            return None
        from veinscan.report.pictures import draw_overlay, encode

        frame_index = best_frame(candidates)
        shown = [c for c in candidates if frame_index in c.outlines]
        name = f"clip-{index + 1:03d}-{clip.kind.value}.png"
        caption = f"frame {frame_index}, counted from 0, of {clip.n_frames}: "
        caption += f"{len(shown)} of {count(len(candidates), 'candidate')}"
        self._refuse(name)
        rgb = draw_overlay(
            clip.frame(frame_index),
            shown,
            frame_index=frame_index,
            spacing_mm=clip.spacing_mm,
            box=None if clip.picture_region is None else clip.picture_region.box,
            caption=caption,
        )
        self._pictures[name] = encode(rgb)
        return name

    @property
    def names(self) -> list[str]:
        """The pictures added so far."""
        return sorted(self._pictures)

    def put(self, name: str, png: bytes) -> None:
        """Add a picture that is drawn already."""
        self._refuse(name)
        self._pictures[name] = png

    def _refuse(self, name: str) -> None:
        if (self._folder / name).exists() and name not in self._earlier:
            raise InvalidInputError(
                "there is a file of this name that veinscan did not write",
                where=str(self._folder / name),
                do="give -o another folder",
            )

    def finish(self, data: dict[str, Any]) -> None:
        """Write everything, then take away earlier pictures of ours that have no successor."""
        from veinscan.report.files import write_whole

        listing = json_bytes({"written_by": self._written_by, "pictures": self.names, **data})
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise NotSavedError(
                f"the folder cannot be made ({error.strerror})",
                where=str(self._folder),
                do="give -o another folder",
            ) from error
        for name, content in self._pictures.items():
            write_whole(self._folder / name, content)
        write_whole(self._folder / self._listing, listing)
        for name in self._earlier - set(self._pictures):
            try:
                os.unlink(self._folder / name)  # noqa: PTH108  (never follows a link)
            except OSError:
                continue  # an old picture that stays is no reason to fail

    def _own_files(self) -> set[str]:
        """Pictures that an earlier `find` wrote here: what its listing names, and nothing else."""
        listing = self._folder / self._listing
        if not listing.exists():
            return set()
        try:
            if not listing.is_file() or listing.stat().st_size > _MAX_LISTING_BYTES:
                raise ValueError
            data = json.loads(listing.read_bytes())
            if data["written_by"] != self._written_by:
                raise ValueError
            names = {str(name) for name in data["pictures"]}
        except (ValueError, KeyError, TypeError, RecursionError):
            raise InvalidInputError(
                f"there is a {self._listing} that veinscan did not write",
                where=str(listing),
                do="give -o another folder",
            ) from None
        except OSError as error:
            raise InvalidInputError(
                f"it cannot be read ({error.strerror})", where=str(listing), do="give -o another folder"
            ) from error
        return {name for name in names if self._picture.fullmatch(name) and (self._folder / name).is_file()}


def best_frame(candidates: Sequence[Candidate]) -> int:
    """The frame that shows most: the largest sum of scores, then the earliest.

    A candidate is on a frame when it has an outline there.
    """
    sums: dict[int, float] = {}
    for candidate in candidates:
        for index in candidate.outlines:
            # Its own best frame shows a candidate better than the others do.
            weight = 1.2 if index == candidate.best_frame else 1.0
            sums[index] = sums.get(index, 0.0) + weight * candidate.score
    return min(sums, key=lambda index: (-round(sums[index], 9), index))
