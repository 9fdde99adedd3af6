"""When each frame was taken, and in which order the clips were."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from veinscan.dicom.values import number, numbers, raw_value, text, whole

_FRAME_TIME = 0x00181063
_FRAME_TIME_VECTOR = 0x00181065


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """The time axis of a clip."""

    times_s: npt.NDArray[np.float64] | None
    """(n,) seconds from the first frame, ascending; None where the file does not say."""
    rate_hz: float | None
    warnings: tuple[str, ...] = ()


def time_axis(dataset: Any, n_frames: int) -> TimeAxis:
    """Frame times from the header of a clip.

    FrameIncrementPointer (C.7.6.6.1.1) names FrameTime or FrameTimeVector;
    failing both come RecommendedDisplayFrameRate, CineRate (C.7.6.5.1.1) and
    ActualFrameDuration, with a warning, since a rate for display need not be
    the rate of acquisition.
    """
    if n_frames == 1:
        return TimeAxis(np.zeros(1), None)
    notes: list[str] = []
    pointer = _pointer(dataset)
    order = (
        [_FRAME_TIME_VECTOR, _FRAME_TIME]
        if _FRAME_TIME_VECTOR in pointer
        else [_FRAME_TIME, _FRAME_TIME_VECTOR]
    )
    for tag in order:
        times = (
            _from_vector(dataset, n_frames, notes)
            if tag == _FRAME_TIME_VECTOR
            else _from_step(dataset, n_frames)
        )
        if times is not None:
            return TimeAxis(times, _rate(times), tuple(notes))
    for keyword in ("RecommendedDisplayFrameRate", "CineRate"):
        rate = number(dataset, keyword)
        if rate is not None and 0 < rate <= 10_000:
            notes.append(f"no frame time in the file: times follow {keyword} ({rate:g} a second)")
            return TimeAxis(np.arange(n_frames, dtype=np.float64) / rate, rate, tuple(notes))
    duration = number(dataset, "ActualFrameDuration")
    if duration is not None and duration > 0:
        notes.append(f"no frame time in the file: times follow ActualFrameDuration ({duration:g} ms)")
        times = np.arange(n_frames, dtype=np.float64) * (duration / 1000)
        return TimeAxis(times, 1000 / duration, tuple(notes))
    notes.append(
        "the file does not say when its frames were taken: no times, and durations cannot be measured"
    )
    return TimeAxis(None, None, tuple(notes))


def _pointer(dataset: Any) -> list[int]:
    value = raw_value(dataset, "FrameIncrementPointer")
    try:
        return [int(value)] if isinstance(value, int) else [int(v) for v in value or []]
    except (TypeError, ValueError):
        return []


def _from_step(dataset: Any, n_frames: int) -> npt.NDArray[np.float64] | None:
    step = number(dataset, "FrameTime")
    if step is None or not 0.01 <= step <= 3_600_000:
        return None
    return np.arange(n_frames, dtype=np.float64) * (step / 1000)


def _from_vector(dataset: Any, n_frames: int, notes: list[str]) -> npt.NDArray[np.float64] | None:
    """The increments summed up; the first one belongs to no interval (C.7.6.5.1.2), whatever it holds."""
    steps = numbers(dataset, "FrameTimeVector")
    if not steps:
        return None
    if len(steps) == n_frames - 1:
        steps = [0.0, *steps]
        notes.append("FrameTimeVector is one entry short: taken as the intervals between frames")
    if len(steps) < n_frames:
        notes.append(f"FrameTimeVector has {len(steps)} entries for {n_frames} frames: not used")
        return None
    if any(step < 0 for step in steps[1:n_frames]) or not any(step > 0 for step in steps[1:n_frames]):
        notes.append("FrameTimeVector does not go forward in time: not used")
        return None
    if len(steps) > n_frames:
        notes.append(f"FrameTimeVector has {len(steps)} entries for {n_frames} frames: the first are used")
    times = np.cumsum(np.asarray([0.0, *steps[1:n_frames]])) / 1000
    return np.asarray(times, dtype=np.float64)


def _rate(times: npt.NDArray[np.float64]) -> float | None:
    span = float(times[-1] - times[0])
    return (len(times) - 1) / span if span > 0 else None


_DATE = re.compile(r"(\d{4})\.?(\d\d)\.?(\d\d)")
_TIME = re.compile(r"(\d\d):?(\d\d)?:?(\d\d)?(?:\.(\d{1,6}))?")


def acquired_at(dataset: Any) -> str:
    """When an object was acquired, as a sortable string; '' where it does not say.

    AcquisitionDateTime, else AcquisitionDate and Time, else ContentDate and
    Time (C.7.6.1); a date without a time does not order anything, so it is not used.
    """
    both = re.sub(r"[+-]\d{4}$", "", text(dataset, "AcquisitionDateTime"))
    if len(both) >= 12:
        return _stamp(both[:8], both[8:])
    for part in ("Acquisition", "Content"):
        stamp = _stamp(
            text(dataset, f"{part}Date") or text(dataset, "StudyDate"), text(dataset, f"{part}Time")
        )
        if stamp:
            return stamp
    return ""


def _stamp(date: str, time: str) -> str:
    found_time = _TIME.fullmatch(time)
    if found_time is None:
        return ""
    found_date = _DATE.fullmatch(date)
    day = "".join(found_date.groups()) if found_date else "00000000"
    hour, minute, second, fraction = (part or "" for part in found_time.groups())
    return f"{day}{hour}{minute or '00'}{second or '00'}.{fraction.ljust(6, '0')}"


@dataclass(frozen=True, slots=True)
class OrderKey:
    """What places one clip among the others."""

    acquired_at: str
    series_number: int
    series_uid: str
    instance_number: int
    sop_uid: str


def order_key(dataset: Any, series_uid: str, sop_uid: str) -> OrderKey:
    """The key of one header."""
    return OrderKey(
        acquired_at(dataset),
        _or_last(whole(dataset, "SeriesNumber")),
        series_uid,
        _or_last(whole(dataset, "InstanceNumber")),
        sop_uid,
    )


def _or_last(value: int | None) -> int:
    return 2**31 if value is None else value


class _Ordered(Protocol):
    @property
    def order(self) -> OrderKey: ...


T = TypeVar("T", bound=_Ordered)


def in_acquisition_order(clips: Sequence[T]) -> list[T]:
    """Clips of all series by the time they were taken.

    A clip without a time takes that of the one before it (else behind it) in
    its own series by instance number; equal times are ordered by series and
    instance number.
    """
    by_series: dict[str, list[T]] = {}
    for clip in sorted(
        clips, key=lambda c: (c.order.series_number, c.order.instance_number, c.order.sop_uid)
    ):
        by_series.setdefault(clip.order.series_uid, []).append(clip)
    placed: list[tuple[str, int, int, str, T]] = []
    for members in by_series.values():
        times = [clip.order.acquired_at for clip in members]
        for i in range(1, len(times)):
            times[i] = times[i] or times[i - 1]
        for i in range(len(times) - 2, -1, -1):
            times[i] = times[i] or times[i + 1]
        for clip, time in zip(members, times, strict=True):
            placed.append(
                (time or "~", clip.order.series_number, clip.order.instance_number, clip.order.sop_uid, clip)
            )
    placed.sort(key=lambda entry: entry[:4])
    return [entry[4] for entry in placed]
