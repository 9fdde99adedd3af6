"""Makes the contact sheet of docs/reading.md: the sample study's clips with what was read in them.

python tests/dicom/pictures.py [docs/images]
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from veinscan.dicom import Clip, RegionKind, open_study

ROOT = Path(__file__).resolve().parents[2]
WIDTH, HEIGHT = 480, 360
CAPTION = 26
COLOURS = {
    RegionKind.TISSUE: (110, 220, 110),
    RegionKind.COLOR_FLOW: (255, 170, 60),
    RegionKind.COLOR_BAR: (255, 230, 90),
    RegionKind.SPECTRAL_PW: (90, 200, 255),
}
Picture = npt.NDArray[np.uint8]


def tile(clip: Clip) -> Picture:
    """The middle frame with its regions, its skin row, and one line of what was read."""
    frame = clip.frame(clip.n_frames // 2)
    rgb = frame if frame.ndim == 3 else np.repeat(frame[..., None], 3, axis=2)
    scale = min(WIDTH / clip.columns, HEIGHT / clip.rows)
    small = cv2.resize(
        rgb, (round(clip.columns * scale), round(clip.rows * scale)), interpolation=cv2.INTER_AREA
    )
    for region in clip.regions:
        row0, col0, row1, col1 = (round(v * scale) for v in region.box)
        colour = COLOURS.get(region.kind, (230, 230, 230))
        cv2.rectangle(small, (col0, row0), (col1 - 1, row1 - 1), colour, 1, cv2.LINE_AA)
        beside = region.kind is RegionKind.COLOR_BAR
        place = (col0 - 66, row0 - 6) if beside else (col0 + 4, row1 - 6)
        _text(small, region.kind.value, place, colour)
    if clip.skin_row is not None and clip.picture_region is not None:
        row = round(clip.skin_row * scale)
        _, col0, _, col1 = (round(v * scale) for v in clip.picture_region.box)
        cv2.line(small, (col0, row), (col1 - 1, row), (255, 255, 255), 1)
        _text(small, "skin", (col1 - 32, row - 4), (255, 255, 255))
    out = np.zeros((HEIGHT + CAPTION, WIDTH, 3), np.uint8)
    out[: small.shape[0], : small.shape[1]] = small
    spacing = f"{clip.spacing_mm[0]:g} mm a pixel" if clip.spacing_mm else "no mm"
    rate = f", {clip.frame_rate_hz:.1f} a second" if clip.frame_rate_hz else ""
    stem = Path(clip.file).stem
    count = f"{clip.n_frames} frames" if clip.n_frames > 1 else "a still"
    _text(out, f"{stem}: {clip.kind}, {count}{rate}, {spacing}", (6, HEIGHT + 18))
    return out


def _text(
    picture: Picture, text: str, place: tuple[int, int], colour: tuple[int, int, int] = (235, 235, 235)
) -> None:
    cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.42, colour, 1, cv2.LINE_AA)


def main(folder: Path) -> Path:
    """Write `reading-phantom.png`; phantom pictures alone, never a patient's."""
    tiles = [tile(clip) for clip in open_study(ROOT / "sample_data" / "baseline").clips]
    sheet = np.vstack([np.hstack(tiles[:2]), np.hstack(tiles[2:])])
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "reading-phantom.png"
    cv2.imwrite(str(path), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 9])
    return path


if __name__ == "__main__":
    print(main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"))
