"""Picture of a strip with what was measured on it: envelope, mean, spike, release, onset and end."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from veinscan.doppler.envelope import Traces, trace
from veinscan.doppler.model import RefluxMeasurement
from veinscan.doppler.strip import Strip

Rgb = npt.NDArray[np.uint8]

TOWARDS = (255, 120, 60)
AWAY = (70, 170, 255)
MEAN = (90, 235, 90)
MAXIMUM = (240, 80, 240)
MARKS = {"spike": (255, 230, 80), "release": (200, 200, 200), "onset": (255, 90, 200), "end": (255, 90, 200)}


def draw_strip(
    strip: Strip,
    measurement: RefluxMeasurement | None = None,
    *,
    traces: Traces | None = None,
    scale: int = 2,
    maximum: bool = False,
) -> Rgb:
    """(rows, cols, 3) RGB: the strip in the order of time, enlarged, with traces and marks.

    Only the strip is drawn: a scanner's banner with the patient's name lies
    outside it.

    Parameters
    ----------
    strip : Strip
    measurement : RefluxMeasurement, optional
        With `attempts` all of them are marked.
    traces : Traces, optional
        Traces that were worked out already.
    scale : int
        Enlargement.
    maximum : bool
        Also draw the outer edge of the displayed spectrum, as scanners trace it.
    """
    found = trace(strip) if traces is None else traces
    grey = np.clip(strip.level * 255, 0, 255).astype(np.uint8)
    large = grey.repeat(scale, axis=0).repeat(scale, axis=1)
    picture: Rgb = np.ascontiguousarray(large[:, :, None].repeat(3, axis=2))
    for side, way, colour in ((found.towards, 1, TOWARDS), (found.away, -1, AWAY)):
        _curve(picture, strip, way * side.envelope, colour, scale)
        if maximum:
            _curve(picture, strip, way * side.maximum, MAXIMUM, scale)
    _curve(picture, strip, np.where(found.mean != 0, found.mean, np.nan), MEAN, scale)
    zero = round((strip.axes.row(0.0) - strip.axes.box[0] + 0.5) * scale)
    if 0 <= zero < picture.shape[0]:
        picture[zero, ::4] = (150, 150, 150)
    if measurement is not None:
        for attempt in measurement.attempts or (measurement,):
            _marks(picture, strip, attempt, scale)
    return picture


def _curve(
    picture: Rgb, strip: Strip, values: npt.NDArray[np.float64], colour: tuple[int, int, int], scale: int
) -> None:
    for k in np.flatnonzero(np.isfinite(values)):
        row = round((strip.axes.row(float(values[k])) - strip.axes.box[0] + 0.5) * scale)
        col = round((k + 0.5) * scale)
        if 0 <= row < picture.shape[0] and 0 <= col < picture.shape[1]:
            picture[max(0, row - 1) : row + 1, max(0, col - 1) : col + 1] = colour


def _marks(picture: Rgb, strip: Strip, attempt: RefluxMeasurement, scale: int) -> None:
    step = strip.axes.time_step_s
    places = {
        "spike": attempt.spike_s,
        "release": attempt.release_s,
        "onset": attempt.onset_s,
        "end": attempt.end_s,
    }
    for name, seconds in places.items():
        if seconds is not None:
            _line(
                picture,
                round(seconds / step * scale + 0.5 * scale),
                MARKS[name],
                dashed=name in ("spike", "release"),
            )
    for seconds in (attempt.corrected_onset_s, attempt.corrected_end_s):
        if seconds is not None:
            _line(picture, round(seconds / step * scale + 0.5 * scale), (90, 255, 220), dashed=False)
    if attempt.onset_s is not None and attempt.duration_s is not None:
        bound = "> " if attempt.duration_is_lower_bound else ""
        text = f"{bound}{attempt.duration_s:.2f} s"
        if attempt.peak_reflux_cm_s is not None:
            text += f"  {attempt.peak_reflux_cm_s:.0f} cm/s"
        at = (max(2, min(round(attempt.onset_s / step * scale) + 4, picture.shape[1] - 120)), 14)
        cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 3, cv2.LINE_AA)
        cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.42, (255, 255, 255), 1, cv2.LINE_AA)


def _line(picture: Rgb, col: int, colour: tuple[int, int, int], *, dashed: bool) -> None:
    if 0 <= col < picture.shape[1]:
        picture[:: 3 if dashed else 1, col] = colour
