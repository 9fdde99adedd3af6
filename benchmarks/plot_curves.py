"""Free-response curves as a picture.

    python -m benchmarks.plot_curves OUT.png "title" "name=points.json" ...

A file holds a list of (false positives an image, share found), or what `score_vessels.py --json` prints.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np

WIDE, HIGH, LEFT, BOTTOM, TOP, RIGHT = 760, 460, 70, 60, 46, 24
MOST_FALSE = 3.0
COLOURS = ((180, 90, 20), (40, 120, 220), (60, 150, 60), (150, 60, 150))
FONT = cv2.FONT_HERSHEY_SIMPLEX


def points_of(path: Path) -> list[tuple[float, float]]:
    """The points of a file."""
    held = json.loads(path.read_text())
    if isinstance(held, dict):
        start = "sensitivity_at_"
        return [
            (float(key[len(start) :].removesuffix("_fp")), value)
            for key, value in held.items()
            if key.startswith(start)
        ]
    return [(float(x), float(y)) for x, y in held]


def place(x: float, y: float) -> tuple[int, int]:
    """Pixel of a point."""
    across = LEFT + x / MOST_FALSE * (WIDE - LEFT - RIGHT)
    return round(across), round(HIGH - BOTTOM - y * (HIGH - BOTTOM - TOP))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("out", type=Path)
    parser.add_argument("title")
    parser.add_argument("curves", nargs="+", help="name=points.json")
    args = parser.parse_args()
    page = np.full((HIGH, WIDE, 3), 255, np.uint8)
    grey, black = (225, 225, 225), (40, 40, 40)
    for step in range(11):
        cv2.line(page, place(0, step / 10), place(MOST_FALSE, step / 10), grey, 1)
        if step % 2 == 0:
            x, y = place(0, step / 10)
            cv2.putText(page, f"{step / 10:.1f}", (x - 36, y + 5), FONT, 0.45, black, 1, cv2.LINE_AA)
    for value in (0.25, 0.5, 1.0, 2.0, 3.0):
        x, y = place(value, 0)
        cv2.line(page, (x, y), place(value, 1), grey, 1)
        cv2.putText(page, f"{value:g}", (x - 12, y + 20), FONT, 0.45, black, 1, cv2.LINE_AA)
    cv2.putText(page, args.title, (LEFT, 28), FONT, 0.55, black, 1, cv2.LINE_AA)
    cv2.putText(
        page, "false positives an image", (WIDE // 2 - 80, HIGH - 12), FONT, 0.45, black, 1, cv2.LINE_AA
    )
    cv2.putText(page, "found", (6, TOP - 8), FONT, 0.45, black, 1, cv2.LINE_AA)
    for number, entry in enumerate(args.curves):
        name, _, path = entry.partition("=")
        points = [place(x, y) for x, y in points_of(Path(path)) if x <= MOST_FALSE]
        colour = COLOURS[number % len(COLOURS)]
        cv2.polylines(page, [np.array(points, np.int32)], False, colour, 2, cv2.LINE_AA)
        if len(points) <= 12:
            for point in points:
                cv2.circle(page, point, 4, colour, -1, cv2.LINE_AA)
        at = HIGH - BOTTOM - 70 + 20 * number
        cv2.line(page, (WIDE - 250, at), (WIDE - 220, at), colour, 2, cv2.LINE_AA)
        cv2.putText(page, name, (WIDE - 212, at + 5), FONT, 0.45, black, 1, cv2.LINE_AA)
    if not cv2.imwrite(str(args.out), page):
        raise SystemExit(f"{args.out} cannot be written")


if __name__ == "__main__":
    main()
