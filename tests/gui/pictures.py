"""Makes the picture of the window in the README, on the sample study.

xvfb-run -a -s "-screen 0 1280x800x24" python tests/gui/pictures.py [docs/images]
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from qtpy.QtTest import QTest

from napari_veinscan.launch import launch, workbench_of
from veinscan.plan.model import Decision, Reader

ROOT = Path(__file__).resolve().parents[2]


def main(folder: Path) -> Path:
    """Open the sample study, accept a candidate, make a target of it, save, and take the picture."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        study = Path(shutil.copytree(ROOT / "sample_data" / "baseline", Path(scratch) / "sample study"))
        viewer = launch(study, block=False)
        bench = workbench_of(viewer)
        bench.session.reader = Reader(name="DEMO")
        viewer.window.dock_widgets["3  Targets"].reader.setText("DEMO")
        bench.window.resize(1280, 800)
        _wait(bench)
        clip = next(c for c in bench.session.study.clips if c.n_frames > 1)
        bench.session.show_clip(clip)
        bench.find([clip])
        _wait(bench)
        veins = sorted(
            (row for row in bench.session.rows() if 1.5 <= row.candidate.diameter_mm <= 6.5),
            key=lambda row: row.candidate.depth_mm,
        )
        for row in veins[:2]:
            bench.session.select_candidate(row.candidate.id)
            bench.session.review(Decision.VEIN)
        bench.session.select_candidate(veins[-1].candidate.id)
        bench.reject()
        bench.session.select_candidate(veins[0].candidate.id)
        bench.make_target()
        bench.session.update_target(side="right", vein="tributary", notes="2 cm above the patella")
        bench.save()
        QTest.qWait(500)
        path = folder / "window.png"
        # through the canvas: a plain grab of the window does not always hold what OpenGL drew
        viewer.screenshot(str(path), canvas_only=False, flash=False)
        viewer.close()
        QTest.qWait(100)
    return path


def _wait(bench: object) -> None:
    QTest.qWait(300)
    while bench.work:  # type: ignore[attr-defined]
        QTest.qWait(50)
    QTest.qWait(1500)


if __name__ == "__main__":
    sys.stdout.write(f"{main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / 'docs' / 'images')}\n")
