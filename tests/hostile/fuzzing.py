"""Mutations of DICOM files, and the check that one of them passes the reader."""

from __future__ import annotations

import random
import struct
from pathlib import Path

from veinscan.dicom import Limits, open_study
from veinscan.errors import VeinscanError

SMALL = Limits(
    inflated_bytes=32 * 1024 * 1024, frame_pixels=4 * 1024 * 1024, frames=5000, cache_bytes=8 * 1024 * 1024
)
"""Bounds for fuzzing: what a mutated length asks for must be refused, not served."""

INTERESTING = (
    0,
    1,
    2,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFE,
    0xFFFFFFFF,
)


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Some bytes changed, cut out, doubled or swapped; half of the changes near the header."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        if len(out) < 200:
            break
        reach = min(len(out), 4096) if rng.random() < 0.5 else len(out)
        at = rng.randrange(132, reach)
        choice = rng.randrange(7)
        if choice == 0:
            out[at] = rng.randrange(256)
        elif choice == 1:
            out[at] ^= 1 << rng.randrange(8)
        elif choice == 2:
            out[at : at + 4] = struct.pack("<I", rng.choice(INTERESTING))
        elif choice == 3:
            out[at : at + 2] = struct.pack("<H", rng.choice(INTERESTING) & 0xFFFF)
        elif choice == 4:
            del out[at : at + rng.choice((1, 2, 8, 100, 5000))]
        elif choice == 5:
            out[at:at] = out[at : at + rng.choice((1, 2, 8, 100))]
        else:
            other = rng.randrange(132, len(out))
            out[at : at + 8] = out[other : other + 8]
    return bytes(out) if rng.random() < 0.9 else bytes(out[: rng.randrange(len(out))])


def try_everything(path: Path) -> str:
    """Open a file and use all of it; the outcome in a word.  Anything but a VeinscanError leaves it."""
    try:
        study = open_study(path, limits=SMALL)
    except VeinscanError as problem:
        str(problem)
        return "refused"
    outcome = "read"
    for clip in study.clips:
        try:
            for index in {0, clip.n_frames // 2, clip.n_frames - 1}:
                frame = clip.frame(index)
                assert frame.shape == clip.shape[1:]
                clip.bmode(index)
            assert clip.kind
            clip.colour_boxes(0)
        except VeinscanError as problem:
            str(problem)
            outcome = "damaged"
        str(clip.header())
        str(clip.warnings)
        assert clip.spacing_mm is None or min(clip.spacing_mm) > 0
        assert clip.dual_screen in (True, False)
        for region in (*clip.regions, *clip.found_regions):
            assert region.source != "pixels" or region.spacing_mm is None
            region.physical(0.0, 0.0)
    return outcome
