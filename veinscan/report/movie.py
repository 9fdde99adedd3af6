"""A frame as PNG and a clip as MP4 or GIF, without what stands round the picture.

A scanner writes name and number of the patient round the picture, so only the
calibrated regions are kept: the rest is black and, where nothing else lies
there, cut off.  Writing that lies inside a region stays: look at a picture
before it is given away.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from veinscan.candidates.model import Candidate
from veinscan.deidentify import pixels
from veinscan.dicom.model import Box, RegionKind
from veinscan.errors import InvalidInputError, NotSavedError
from veinscan.plan.model import InjectionTarget
from veinscan.report.files import write_whole
from veinscan.report.pictures import Mark, Rgb, draw_overlay, encode

if TYPE_CHECKING:
    from veinscan.dicom import Clip

MarksAt = Callable[[int], Iterable[Candidate | InjectionTarget | Mark]]
"""What is drawn on a frame."""

Progress = Callable[[int, int], None]

KEPT = (
    RegionKind.TISSUE,
    RegionKind.COLOR_FLOW,
    RegionKind.SPECTRAL_PW,
    RegionKind.SPECTRAL_CW,
    RegionKind.M_MODE,
    RegionKind.WAVEFORM,
)
"""Regions that hold what the probe saw; bars and graphics may hold writing."""

LONGEST_PX = 900
"""Longest side of an exported picture, so that lines and numbers are sharp."""

RATE_LIMITS_HZ = (1.0, 60.0)
"""Frames a second of a movie; a clip that is faster or slower is resampled by its times."""

GIF_STEP_MS = 10
"""GIF counts hundredths of a second; viewers slow down what is shorter than two."""

DEFAULT_RATE_HZ = 15.0
"""Where the file does not say how fast its frames were taken."""


def _nothing(_frame: int) -> tuple[()]:
    return ()


def usable_boxes(clip: Clip) -> tuple[Box, ...]:
    """Boxes of what the probe saw, by the file, else found in the pixels; none where neither tells."""
    for regions in (clip.regions, clip.found_regions):
        seen = (region for region in regions if region.kind in KEPT)
        boxes = pixels.usable_boxes(seen, clip.rows, clip.columns)
        if boxes:
            return boxes
    return ()


def clean_frame(clip: Clip, frame_index: int) -> tuple[npt.NDArray[np.uint8], Box]:
    """A frame with all but the usable regions black, and the box round them.

    Raises
    ------
    InvalidInputError
        Nothing tells where the picture ends, so nothing can be left out.
    DecodeError
        The frame cannot be decoded.
    """
    boxes = usable_boxes(clip)
    if not boxes:
        raise InvalidInputError(
            "nothing tells where the picture ends and the patient's data begin",
            where=clip.file,
            do="export it with everything, after looking at what is written in it",
        )
    frame = clip.frame(frame_index)
    kept = np.zeros_like(frame)
    for row0, col0, row1, col1 in boxes:
        kept[row0:row1, col0:col1] = frame[row0:row1, col0:col1]
    corners = np.array(boxes)
    row0, col0 = (int(value) for value in corners[:, :2].min(axis=0))
    row1, col1 = (int(value) for value in corners[:, 2:].max(axis=0))
    return kept, (row0, col0, row1, col1)


def frame_picture(
    clip: Clip,
    frame_index: int,
    marks_at: MarksAt = _nothing,
    *,
    scale_bar: bool = True,
    everything: bool = False,
) -> Rgb:
    """A frame as it is exported, (rows, cols, 3) uint8 RGB with even sides.

    Parameters
    ----------
    clip : Clip
    frame_index : int
    marks_at : callable
        What is drawn on a frame: candidates, targets, marks.
    scale_bar : bool
        Whether a bar in mm is drawn where the picture is calibrated and the only one.
    everything : bool
        Keep what stands round the picture, the patient's data among it.

    Raises
    ------
    InvalidInputError, DecodeError
        As `clean_frame`.
    """
    if everything:
        frame, box = clip.frame(frame_index), (0, 0, clip.rows, clip.columns)
    else:
        frame, box = clean_frame(clip, frame_index)
    spacings = {r.spacing_mm for r in clip.regions if r.kind in (RegionKind.TISSUE, RegionKind.COLOR_FLOW)}
    pictures_only = all(r.kind not in KEPT or r.is_picture for r in clip.regions)
    spacing = spacings.pop() if scale_bar and pictures_only and len(spacings) == 1 else None
    drawn = draw_overlay(
        frame,
        marks_at(frame_index),
        frame_index=frame_index,
        spacing_mm=spacing,
        box=box,
        longest_px=LONGEST_PX,
    )
    rows, cols = drawn.shape[:2]  # video is coded in pairs of rows and columns
    return np.ascontiguousarray(np.pad(drawn, ((0, rows % 2), (0, cols % 2), (0, 0))))


def export_frame(
    path: str | Path,
    clip: Clip,
    frame_index: int,
    marks_at: MarksAt = _nothing,
    *,
    scale_bar: bool = True,
    everything: bool = False,
) -> Path:
    """Write a frame as PNG, and read it back; parameters as `frame_picture`.

    Raises
    ------
    NotSavedError
        It could not be written, or what was read back differs.
    InvalidInputError, DecodeError
        As `clean_frame`.
    """
    path = Path(path)
    rgb = frame_picture(clip, frame_index, marks_at, scale_bar=scale_bar, everything=everything)
    write_whole(path, encode(rgb))
    again = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    if again is None or not np.array_equal(cv2.cvtColor(again, cv2.COLOR_BGR2RGB), rgb):
        raise NotSavedError(
            "what was read back is not what was written", where=path.name, do="try another place"
        )
    return path


def export_clip(
    path: str | Path,
    clip: Clip,
    marks_at: MarksAt = _nothing,
    *,
    frames: Sequence[int] | None = None,
    scale_bar: bool = True,
    everything: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Write a clip as MP4 or GIF at its own speed, and read it back.

    Parameters
    ----------
    path : path
        Its suffix, .mp4 or .gif, says which.
    frames : sequence of int, optional
        Ascending frames; all by default.
    progress : callable, optional
        Called as `progress(done, total)`; CancelledError raised in it comes out, and nothing is written.

    Others as `frame_picture`.

    Raises
    ------
    InvalidInputError
        Another suffix, no frames, or as `clean_frame`.
    DecodeError
        A frame cannot be decoded.
    NotSavedError
        It could not be written, or what was read back is not all there.
    """
    path = Path(path)
    write = {".mp4": _mp4, ".gif": _gif}.get(path.suffix.lower())
    if write is None:
        raise InvalidInputError(
            f"no movie can be written as {path.suffix or 'a file without suffix'}",
            do="end the name in .mp4 or .gif",
        )
    chosen = list(range(clip.n_frames)) if frames is None else [int(index) for index in frames]
    if not chosen:
        raise InvalidInputError("no frames are chosen", where=clip.file, do="choose some")
    times = clip.frame_times_s
    taken = np.arange(len(chosen)) / DEFAULT_RATE_HZ if times is None else times[chosen]

    def pictures() -> Iterable[Rgb]:
        for done, index in enumerate(chosen, start=1):
            yield frame_picture(clip, index, marks_at, scale_bar=scale_bar, everything=everything)
            if progress is not None:
                progress(done, len(chosen))

    write(path, pictures(), np.asarray(taken, np.float64))
    return path


def movie_timing(times_s: npt.NDArray[np.float64]) -> tuple[float, list[int]]:
    """Constant rate of a movie and how often each frame stands in it, so that it lasts as long as the clip.

    Evenly spaced frames stand in it once each.
    """
    steps = np.diff(times_s)
    usual = float(np.median(steps)) if len(steps) else 1.0 / DEFAULT_RATE_HZ
    rate = float(np.clip(1.0 / max(usual, 1e-3), *RATE_LIMITS_HZ))
    ends = np.append(times_s[1:], times_s[-1] + usual) - times_s[0]
    # the frame on show in the middle of each tick
    ticks = (np.arange(max(1, round(ends[-1] * rate))) + 0.5) / rate
    at = np.minimum(np.searchsorted(ends, ticks, side="right"), len(times_s) - 1)
    return rate, np.bincount(at, minlength=len(times_s)).tolist()


def _mp4(path: Path, pictures: Iterable[Rgb], times_s: npt.NDArray[np.float64]) -> None:
    rate, repeats = movie_timing(times_s)
    with tempfile.TemporaryDirectory(prefix="veinscan-") as scratch:
        # OpenCV writes to a name only, and may not write every name: written aside, then put in place whole
        aside = Path(scratch) / "movie.mp4"
        writer: Any = None
        size = (0, 0)
        for rgb, times in zip(pictures, repeats, strict=True):
            if writer is None:
                size = (rgb.shape[1], rgb.shape[0])
                code = cv2.VideoWriter.fourcc(*"mp4v")
                writer = cv2.VideoWriter(str(aside), cv2.CAP_FFMPEG, code, rate, size)
                if not writer.isOpened():
                    raise NotSavedError("this OpenCV writes no MP4", where=path.name, do="export it as GIF")
            bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
            for _ in range(times):
                writer.write(bgr)
        if writer is not None:
            writer.release()
        _check_mp4(aside, size, sum(repeats), path.name)
        write_whole(path, aside.read_bytes())


def _check_mp4(written: Path, size: tuple[int, int], count: int, name: str) -> None:
    again = cv2.VideoCapture(str(written))
    seen = 0
    while True:
        there, frame = again.read()
        if not there or frame.shape[1::-1] != size:
            break
        seen += 1
    again.release()
    if seen != count:
        raise NotSavedError(
            f"{seen} of {count} frames could be read back", where=name, do="try again, or export it as GIF"
        )


def _gif(path: Path, pictures: Iterable[Rgb], times_s: npt.NDArray[np.float64]) -> None:
    from PIL import Image

    steps = np.diff(times_s)
    usual = float(np.median(steps)) if len(steps) else 1.0 / DEFAULT_RATE_HZ
    # ends rounded, not steps: what is cut off one frame is not lost over the clip
    ends = np.rint(
        np.append(times_s[1:], times_s[-1] + usual) * 1000 / GIF_STEP_MS - times_s[0] * 1000 / GIF_STEP_MS
    )
    durations = np.maximum(np.diff(np.concatenate([[0], ends])), 2) * GIF_STEP_MS
    images = [Image.fromarray(rgb).quantize(256, dither=Image.Dither.NONE) for rgb in pictures]
    made = io.BytesIO()
    images[0].save(
        made,
        format="GIF",
        save_all=True,
        append_images=images[1:],
        duration=[int(value) for value in durations],
        loop=0,
        optimize=False,
        disposal=1,
    )
    with Image.open(io.BytesIO(made.getvalue())) as again:
        # equal frames in a row are stored once, for as long as all of them
        shown = sum(_shown_ms(again, index) for index in range(getattr(again, "n_frames", 1)))
        if again.size != images[0].size or shown != int(durations.sum()):
            raise NotSavedError(
                "the movie could not be read back whole", where=path.name, do="export it as MP4"
            )
    write_whole(path, made.getvalue())


def _shown_ms(image: Any, index: int) -> int:
    image.seek(index)
    return int(image.info.get("duration", 0))
