"""The search for candidates, off the window's thread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from napari_veinscan.background import Job
from napari_veinscan.colour_scale import ask_where_unknown
from napari_veinscan.pacs_arriving import Arriving
from veinscan.candidates import ClipCandidates, FinderSettings, find_in_clip
from veinscan.dicom import Clip
from veinscan.errors import InvalidInputError

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench


def find(bench: Workbench, clips: Sequence[Clip]) -> None:
    """Search clips for candidates off the window's thread; each clip's are shown as they come."""
    if not clips:
        bench.warn(InvalidInputError("no study is open", do="open a study first"))
        return
    record = bench.session.record
    if record is not None and not record.reading.candidates_shown:
        bench.warn(InvalidInputError("this reading is without candidates", do="mark what you see by hand"))
        return
    if bench.refuse_when_busy():
        return
    finder = FinderSettings(
        diameters_mm=bench.settings.diameters_mm, max_depth_mm=bench.settings.max_depth_mm
    )
    clips = tuple(clips)
    arriving = bench.part(Arriving)
    parts = sum(max(1, clip.n_frames) for clip in clips)

    def search(job: Job) -> None:
        before = 0
        for clip in clips:
            weight = max(1, clip.n_frames)

            def step(done: int, total: int, before: int = before, weight: int = weight) -> None:
                job.report(before + weight * done // max(1, total), parts)

            arriving.wait_for(clip, job)
            step(0, 1)
            job.give((clip, find_in_clip(clip, finder, progress=step)))
            before += weight

    def show(part: tuple[Clip, ClipCandidates]) -> None:
        bench.session.set_candidates(*part)
        ask_where_unknown(bench, *part)

    what = clips[0].file if len(clips) == 1 else f"{len(clips)} clips"
    bench.start(f"Searching {what}", search, part=show)
