"""The proof at length: many studies with a person everywhere, exported in every format and searched.

    python tests/deidentify/many_planted.py --studies 500

Prints what was searched, and exits with 1 if anything was found.  The suite does the same with few.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import cv2
import nibabel as nib
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from planted import BOX, ENCODINGS, Planted, add_record, leaks, plant

import veinscan
from veinscan.deidentify import ProjectKey
from veinscan.export import ExportOptions, Format, export_studies, item_of

AT_ONCE = 4


def banners(folder: Path) -> tuple[int, int]:
    """(frames decoded, those with anything outside the picture) of an export."""
    row0, col0, row1, col1 = BOX
    frames: list[np.ndarray] = []
    seen = dirty = 0
    for path in folder.rglob("*"):
        if path.suffix == ".png" and path.parent.name.startswith("images"):
            frames = [np.asarray(cv2.imread(str(path)))]
        elif path.name.endswith("_image.nii.gz"):
            data = np.asarray(nib.load(path).dataobj)
            frames = [data[:, :, 0, index].T for index in range(data.shape[3])]
        elif path.suffix == ".dcm" and path.parent.name.startswith("P-"):
            (clip,) = veinscan.open_study(path).clips
            frames = [clip.frame(index) for index in range(clip.n_frames)]
        else:
            continue
        for frame in frames:
            outside = np.array(frame)
            outside[row0:row1, col0:col1] = 0
            seen += 1
            dirty += bool(outside.any())
    return seen, dirty


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=500)
    wanted = parser.parse_args().studies
    key = ProjectKey(b"p" * 32)
    options = ExportOptions(formats=tuple(Format))
    began, sums = time.monotonic(), Counter[str]()
    for first in range(0, wanted, AT_ONCE):
        with tempfile.TemporaryDirectory() as place:
            root = Path(place)
            planted: list[Planted] = []
            for seed in range(first, min(first + AT_ONCE, wanted)):
                planted.append(plant(root / "in", seed))
                add_record(planted[-1])
            items = [item_of(veinscan.open_study(one.folder), key) for one in planted]
            exported = export_studies(items, root / "out", options, key)
            sums["failed"] += len(exported.failed)
            for one in planted:
                sums["found in the originals"] += bool(leaks(one.folder, one))
                found = leaks(root / "out", one)
                sums["leaks"] += len(found)
                for sentence in found[:3]:
                    print("LEAK", sentence, flush=True)
            seen, dirty = banners(root / "out")
            sums["studies"] += len(planted)
            sums["frames decoded"] += seen
            sums["banners that are not black"] += dirty
            files = [path for path in (root / "out").rglob("*") if path.is_file()]
            sums["files searched"] += len(files)
            sums["bytes searched"] += sum(path.stat().st_size for path in files)
        print(
            f"{sums['studies']} studies, {sums['leaks']} leaks, {time.monotonic() - began:.0f} s", flush=True
        )
    for name, number in sums.items():
        print(f"{name}: {number}")
    print(f"encodings searched: {len(ENCODINGS)}, and base64, hexadecimal, JSON escapes")
    bad = sums["leaks"] or sums["banners that are not black"] or sums["failed"]
    return 1 if bad or sums["found in the originals"] != wanted else 0


if __name__ == "__main__":
    sys.exit(main())
