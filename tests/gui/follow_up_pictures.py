"""Makes the pictures of docs/follow-up.md: a follow-up beside its baseline, on the two sample studies.

xvfb-run -a -s "-screen 0 1280x800x24" python tests/gui/follow_up_pictures.py [docs/images]
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from follow_up_pair import FRAME, LABEL, centres, plan_baseline
from pictures import ROOT, Tour, small
from qtpy.QtTest import QTest

from napari_veinscan.follow_up_offer import Earlier
from veinscan.plan.clips import set_context
from veinscan.plan.vocabulary import ComplicationKind, Outcome


def take_part(tour: Tour, name: str, *parts: Any) -> None:
    """A picture of parts of the dock, from the top of the first to the foot of the last."""
    QTest.qWait(500)
    whole = parts[0].parentWidget()
    top, foot = parts[0].geometry(), parts[-1].geometry()
    path = tour.folder / f"{name}.png"
    whole.grab(whole.rect().adjusted(0, top.top(), 0, foot.bottom() - whole.height())).save(str(path))
    small(path)


def main(folder: Path) -> Path:
    """From the offer to the course of treatment."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        baseline = Path(shutil.copytree(ROOT / "sample_data" / "baseline", place / "baseline"))
        later = Path(shutil.copytree(ROOT / "sample_data" / "follow_up", place / "follow-up"))
        plan_baseline(baseline)
        tour = Tour(folder, later)
        bench, session = tour.bench, tour.session
        earlier = bench.part(Earlier)
        tour.take("follow-up-1-offer", show="candidates")
        earlier.take(earlier.offered[0])
        tour.wait()
        dock = bench.docks["follow_up"]
        clip = session.study.clips[0]
        session.edit("label", lambda record: set_context(record, [clip], session.reader, **LABEL))
        session.show_clip(clip, FRAME)
        bench.find([clip])
        tour.wait()
        compared, edits = dock.compared, dock.edits
        ids = [line.target_id for line in compared.lines]
        session.point_at(centres(later)["GSV"])
        edits.mark(ids[0])
        edits.set_target(ids[0], "outcome", outcome=Outcome.PATENT_NO_REFLUX, compressible="full")
        edits.not_seen(ids[1])
        compared.select(ids[0])
        tour.take("follow-up-2-beside")
        take_part(tour, "follow-up-3-where", dock.search)
        kind = dock.visit.complications
        kind.which.setCurrentIndex(kind.which.findData(ComplicationKind.HYPERPIGMENTATION))
        kind.add.click()
        for group in (dock.visit.deep, kind):
            group.head.setChecked(True)
        take_part(tour, "follow-up-4-visit", dock.visit)
        dock.series.head.setChecked(True)
        take_part(tour, "follow-up-5-course", dock.series)
        bench.forget_edits()
        tour.viewer.close()
        QTest.qWait(100)
    return folder


if __name__ == "__main__":
    sys.stdout.write(f"{main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / 'docs' / 'images')}\n")
