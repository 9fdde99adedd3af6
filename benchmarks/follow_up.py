"""How often a target is found again on the follow-up's clip, and what likeness makes of closed veins.

    python benchmarks/follow_up.py --seeds 300 310

Phantom patients: the baseline's truth as targets, the transverse clip of the follow-up searched, its
candidates ranked by likeness.  Printed are the open veins whose first candidate (after 'not seen') lies on
the vein itself, and the closed veins whose most alike candidate is something else and how alike it is: why
'not seen' is offered first.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from veinscan.candidates import find_in_clip
from veinscan.dicom import open_study
from veinscan.follow_up import Choice, choices_for
from veinscan.phantom.study import FILES, write_session
from veinscan.plan.model import InjectionTarget
from veinscan.plan.vocabulary import Compartment

CLIP = FILES[0]
NEAR_PX = 8.0


def measure(seed: int, folder: Path) -> list[dict[str, Any]]:
    """Every vein of one patient that the baseline shows before the compression."""
    truths = []
    for session, name in enumerate(("before", "after")):
        place = folder / name
        place.mkdir(parents=True)
        write_session(place, seed, session=session, only=(CLIP,))
        truths.append(json.loads((place / "truth.json").read_text(encoding="utf-8")))
    before, after = truths
    frame = str(before["scripted_target"]["frame_index"])
    candidates = find_in_clip(open_study(folder / "after").clip(CLIP)).candidates
    rows = []
    for vein in before["clips"][0]["vessels"]:
        seen = vein["frames"].get(frame)
        if vein["type"] != "vein" or seen is None:
            continue
        target = InjectionTarget(
            id="1.2.3",
            order=1,
            diameter_mm=seen["diameter_mm"],
            depth_mm=seen["depth_mm"],
            compartment=Compartment(vein["compartment"]),
        )
        choices = choices_for(target, candidates)
        hits = [place for place, one in enumerate(choices[1:], start=1) if _on(one, after, vein["name"])]
        rows.append(
            {
                "vein": vein["name"],
                "closed": vein["name"] in after["treated"],
                "place": hits[0] if hits else None,
                "best": choices[1].likeness if len(choices) > 1 else None,
            }
        )
    return rows


def _on(choice: Choice, truth: dict[str, Any], name: str) -> bool:
    vein = next((one for one in truth["clips"][0]["vessels"] if one["name"] == name), None)
    found = choice.candidate
    if vein is None or found is None:
        return False
    places = [(found.centre(frame), vein["frames"].get(str(frame))) for frame in found.frame_indices]
    return any(
        seen is not None and np.hypot(*np.subtract(centre, seen["centre"])) < NEAR_PX
        for centre, seen in places
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", nargs=2, type=int, default=(300, 310), metavar=("FIRST", "END"))
    first, end = parser.parse_args().seeds
    rows = []
    for seed in range(first, end):
        with tempfile.TemporaryDirectory() as folder:
            rows += measure(seed, Path(folder))
    opened = [row for row in rows if not row["closed"]]
    closed = [row for row in rows if row["closed"]]
    found = [row for row in opened if row["place"] is not None]
    print(f"patients {end - first}; open veins {len(opened)}, found by the search {len(found)}")
    print(f"  of those first by likeness {sum(row['place'] == 1 for row in found)}")
    alike = [row["best"] for row in closed if row["best"] is not None and row["place"] != 1]
    print(
        f"closed veins {len(closed)}; first candidate lies elsewhere {len(alike)}, "
        f"its likeness: median {np.median(alike) if alike else float('nan'):.2f}, "
        f"above 0.9 in {sum(value > 0.9 for value in alike)}"
    )


if __name__ == "__main__":
    main()
