"""The scanner's screen: banner, picture, depth scale, bars, colour box, strip with its axes.

Everything drawn here is burned into the pixels, as scanners do.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from veinscan.phantom.colour import ColourSettings, Rgb, colour_map
from veinscan.phantom.spectrum import StripSettings

Box = tuple[int, int, int, int]
"""Half-open `(row0, col0, row1, col1)`."""

TEXT = (198, 206, 214)
DIM = (120, 140, 160)
BANNER = 40
"""Height in rows of the line with the patient's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Text on the screen."""

    clinic: str
    patient: str
    patient_id: str
    when: str
    place: str
    """Body mark, such as 'L CALF TRANS'."""
    settings: tuple[str, ...]


def write(
    image: Rgb, text: str, at: tuple[int, int], *, size: float = 0.38, colour: tuple[int, int, int] = TEXT
) -> None:
    """Draw text with its lower left corner at `(row, col)`."""
    cv2.putText(image, text, (at[1], at[0]), cv2.FONT_HERSHEY_SIMPLEX, size, colour, 1, cv2.LINE_AA)


def blank(shape: tuple[int, int], labels: Labels) -> Rgb:
    """An empty screen with banner and settings."""
    screen = np.zeros((*shape, 3), dtype=np.uint8)
    screen[:BANNER] = (16, 24, 44)
    write(screen, labels.patient, (16, 8), size=0.44, colour=(235, 235, 235))
    write(screen, f"ID {labels.patient_id}", (33, 8))
    write(screen, labels.clinic, (16, shape[1] // 2 - 60))
    write(screen, labels.when, (33, shape[1] // 2 - 60))
    write(screen, "L15-4 Vascular", (16, shape[1] - 128))
    write(screen, "TIs 0.3  MI 0.9", (33, shape[1] - 128))
    for k, line in enumerate(labels.settings):
        write(screen, line, (BANNER + 22 + 15 * k, 6), size=0.34, colour=DIM)
    return screen


def put_picture(
    screen: Rgb, picture: npt.NDArray[np.uint8], box: Box, spacing_mm: float, skin_row: float, place: str
) -> None:
    """Picture, depth ticks in cm, orientation mark, grey bar and body mark."""
    row0, col0, row1, col1 = box
    screen[row0:row1, col0:col1] = picture if picture.ndim == 3 else picture[:, :, None]
    cv2.circle(screen, (col0 - 10, row0 + 8), 4, (70, 190, 130), -1, cv2.LINE_AA)
    deepest = (row1 - row0 - skin_row) * spacing_mm
    for k in range(int(deepest // 5) + 1):
        row = round(row0 + skin_row + 5 * k / spacing_mm)
        whole = k % 2 == 0
        cv2.line(screen, (col1 + 4, row), (col1 + (11 if whole else 7), row), TEXT, 1)
        if whole:
            write(screen, str(k // 2), (row + 4, col1 + 14), size=0.36)
    write(screen, place, (row1 + 16, col0), size=0.42, colour=(230, 220, 150))


def put_grey_bar(screen: Rgb, box: Box) -> None:
    """Grey ramp, white on top."""
    row0, col0, row1, col1 = box
    ramp = np.linspace(250, 0, row1 - row0).astype(np.uint8)
    screen[row0:row1, col0:col1] = ramp[:, None, None]


def put_colour_bar(screen: Rgb, box: Box, settings: ColourSettings) -> None:
    """Colour bar with the velocity at both ends."""
    row0, col0, row1, col1 = box
    colours = colour_map(settings)
    rows = np.arange(row1 - row0)
    index = ((row1 - row0 - 1 - rows + 0.5) / (row1 - row0) * settings.steps).astype(int)
    screen[row0:row1, col0:col1] = colours[np.clip(index, 0, settings.steps - 1)][:, None, :]
    low, high = settings.limits_cm_s
    write(screen, f"{high:+.1f}", (row0 - 5, col0 - 8), size=0.38)
    write(screen, f"{low:+.1f}", (row1 + 14, col0 - 8), size=0.38)
    write(screen, "cm/s", (row1 + 28, col0 - 6), size=0.34, colour=DIM)


def put_outline(
    screen: Rgb, corners: npt.NDArray[np.float64], colour: tuple[int, int, int] = (235, 235, 235)
) -> None:
    """Closed thin line through `(row, col)` corners."""
    points = np.round(corners[:, ::-1]).astype(np.int32)
    cv2.polylines(screen, [points], True, colour, 1, cv2.LINE_AA)


def put_gate(
    screen: Rgb,
    at: tuple[float, float],
    top: int,
    bottom: int,
    *,
    steering_deg: float,
    slope: float,
    size_px: float,
) -> None:
    """Beam line through the sample volume at `(row, col)`, its gate, the angle cursor along the vessel."""
    row, col = at
    lean = float(np.tan(np.radians(steering_deg)))
    green = (90, 200, 140)
    for start, end in ((top, row - size_px / 2 - 3), (row + size_px / 2 + 3, bottom)):
        a = (round(col + (start - row) * lean), round(start))
        b = (round(col + (end - row) * lean), round(end))
        cv2.line(screen, a, b, green, 1, cv2.LINE_AA)
    for offset in (-size_px / 2, size_px / 2):
        middle = col + offset * lean
        cv2.line(
            screen,
            (round(middle - 6), round(row + offset)),
            (round(middle + 6), round(row + offset)),
            (240, 240, 240),
            1,
        )
    cv2.line(
        screen,
        (round(col - 22), round(row - 22 * slope)),
        (round(col + 22), round(row + 22 * slope)),
        (240, 240, 240),
        1,
        cv2.LINE_AA,
    )


def put_strip(screen: Rgb, spectrum: npt.NDArray[np.uint8], box: Box, settings: StripSettings) -> None:
    """Spectrum, baseline, velocity ticks at the right and seconds below, with their labels."""
    row0, col0, row1, col1 = box
    tint = np.array([1.0, 0.97, 0.90])
    screen[row0:row1, col0:col1] = np.round(spectrum[:, :, None] * tint).astype(np.uint8)
    base = round(row0 + settings.baseline_row)
    screen[base, col0:col1] = (150, 170, 160)
    span = settings.high_cm_s - settings.low_cm_s
    step = next(s for s in (5, 10, 20, 50, 100) if span / s <= 9)
    value = int(np.ceil(settings.low_cm_s / step)) * step
    while value <= settings.high_cm_s:
        row = round(row0 + settings.baseline_row - value / settings.step_cm_s)
        if row0 <= row < row1:
            cv2.line(screen, (col1 + 2, row), (col1 + 7, row), TEXT, 1)
            write(screen, str(value), (row + 4, col1 + 11), size=0.36)
        value += step
    write(screen, "cm/s", (row0 - 5, col1 + 4), size=0.36, colour=DIM)
    seconds = 0.0
    while seconds <= settings.length_s + 1e-9:
        col = min(round(col0 + seconds / settings.step_s), col1 - 1)
        whole = abs(seconds - round(seconds)) < 1e-6
        cv2.line(screen, (col, row1 + 2), (col, row1 + (8 if whole else 5)), TEXT, 1)
        if whole:
            write(screen, f"{seconds:.0f}", (row1 + 20, col - 3), size=0.36)
        seconds += 0.5
    write(screen, "s", (row1 + 20, col1 + 8), size=0.36, colour=DIM)
