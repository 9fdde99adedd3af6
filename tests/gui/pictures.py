"""Makes the pictures of README and docs/tour.md: one session on the sample study, step by step.

xvfb-run -a -s "-screen 0 1280x800x24" python tests/gui/pictures.py [docs/images]

The page is drawn with pdftoppm (poppler-utils); without it that picture is left as it is.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QDialog, QPushButton

from napari_veinscan.association import QUESTION
from napari_veinscan.label_dialog import LabelDialog
from napari_veinscan.launch import launch, workbench_of
from napari_veinscan.places import dock_around
from napari_veinscan.record_bar import add_bar
from napari_veinscan.window_state import asked
from veinscan.plan.clips import context_of, set_context
from veinscan.plan.model import Decision
from veinscan.report import write_report

ROOT = Path(__file__).resolve().parents[2]
SIZE = (1280, 800)
COLOURS = 256
"""Of a picture: a window has few, and the repository is kept small."""


class Tour:
    """The window, and the camera."""

    def __init__(self, folder: Path, study: Path) -> None:
        self.folder = folder
        asked(QUESTION)  # a new user's question would stand in every picture
        self.viewer = launch(study, block=False)
        self.bench = workbench_of(self.viewer)
        self.session = self.bench.session
        self.bench.window.resize(*SIZE)
        add_bar(self.bench).name_reader("DEMO")
        self.wait()

    def wait(self) -> None:
        """Until nothing is running, and all is painted."""
        QTest.qWait(300)
        while self.bench.work:
            QTest.qWait(50)
        QTest.qWait(1200)

    def take(self, name: str, show: str = "") -> None:
        """A picture of the window, with a dock in front."""
        if show:
            dock = dock_around(self.bench.docks[show])
            if dock is not None:
                dock.raise_()
        QTest.qWait(700)
        path = self.folder / f"{name}.png"
        # through the canvas: a plain grab of the window does not always hold what OpenGL drew
        self.viewer.screenshot(str(path), canvas_only=False, flash=False)
        small(path)

    def take_dialog(self, name: str, dialog: QDialog) -> None:
        """A picture of a dialog alone."""
        dialog.show()
        QTest.qWait(300)
        path = self.folder / f"{name}.png"
        dialog.grab().save(str(path))
        dialog.close()
        dialog.deleteLater()
        small(path)


def small(path: Path) -> None:
    """Few colours, well packed."""
    with Image.open(path) as picture:
        # by coverage: the marks are few pixels, and their colours mean something
        flat = picture.convert("RGB").quantize(
            COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
        )
    flat.save(path, optimize=True)


def clips_and_labels(tour: Tour) -> None:
    session, clips = tour.session, tour.session.study.clips
    tour.take("tour-1-clips", show="candidates")
    contexts = [context_of(session.record, clip) for clip in clips[:3]]
    dialog = LabelDialog(tour.bench.window, contexts)
    for name, value in (
        ("side", "right"),
        ("vein", "tributary"),
        ("level", "calf_mid"),
        ("aspect", "medial"),
    ):
        box = dialog.boxes[name]
        box.setCurrentIndex(max(0, box.findData(value)))
    tour.take_dialog("tour-2-label", dialog)
    session.edit(
        "label of 3 clips",
        lambda record: set_context(
            record,
            clips[:3],
            session.reader,
            side="right",
            vein="tributary",
            level="calf_mid",
            aspect="medial",
        ),
    )


def candidates(tour: Tour) -> list[Any]:
    session = tour.session
    clip = next(c for c in session.study.clips if c.n_frames > 1)
    session.show_clip(clip)
    tour.bench.find([clip])
    tour.wait()
    veins = sorted(
        (row for row in session.rows() if 1.5 <= row.candidate.diameter_mm <= 6.5),
        key=lambda row: row.candidate.depth_mm,
    )
    for row in veins[:2]:
        session.select_candidate(row.candidate.id)
        session.review(Decision.VEIN)
    session.select_candidate(veins[-1].candidate.id)
    tour.bench.reject()
    session.select_candidate(veins[0].candidate.id)
    tour.take("tour-3-candidates", show="candidates")
    return veins


def targets(tour: Tour, veins: list[Any]) -> None:
    session = tour.session
    for row in veins[:2]:
        session.select_candidate(row.candidate.id)
        tour.bench.make_target()
        session.update_target(landmark="patella", landmark_cm=8.0, map_view="medial", artery_checked="yes")
    session.select_target(session.record.targets[0].id, show=True)
    session.update_target(notes="2 cm behind the tattoo")
    tour.take("tour-4-target", show="targets")
    tour.take("window", show="candidates")


def leg_map(tour: Tour) -> None:
    if "map" in tour.bench.docks:
        tour.take("tour-5-leg-map", show="map")


def reflux(tour: Tour) -> None:
    duplex = [clip for clip in tour.session.study.clips if any(region.is_spectrum for region in clip.regions)]
    if duplex and "reflux" in tour.bench.docks:
        tour.session.show_clip(duplex[0])
        tour.take("tour-6-reflux", show="reflux")


def page(tour: Tour) -> None:
    tour.bench.save()
    session = tour.session
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "plan.pdf"
        write_report(session.study, session.record, path)
        if shutil.which("pdftoppm"):
            target = tour.folder / "tour-7-page"
            subprocess.run(
                ["pdftoppm", "-png", "-r", "70", "-singlefile", str(path), str(target)], check=True
            )
            small(target.with_suffix(".png"))


def treatment(tour: Tour) -> None:
    if "session" in tour.bench.docks:
        tour.session.show_clip(tour.session.study.clips[0])
        (new,) = (
            button
            for button in tour.bench.docks["session"].findChildren(QPushButton)
            if button.text().startswith("New")
        )
        new.click()
        tour.take("tour-8-session", show="session")


def keys(tour: Tour) -> None:
    tour.bench.commands.run("window.keys")
    QTest.qWait(300)
    dialog = QApplication.activeModalWidget()
    if isinstance(dialog, QDialog):
        tour.take_dialog("tour-9-keys", dialog)


def main(folder: Path) -> Path:
    """Go through a session from start to end and take a picture at each step."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        study = Path(shutil.copytree(ROOT / "sample_data" / "baseline", Path(scratch) / "sample study"))
        tour = Tour(folder, study)
        clips_and_labels(tour)
        targets(tour, candidates(tour))
        steps: tuple[Callable[[Tour], None], ...] = (leg_map, reflux, page, treatment, keys)
        for step in steps:
            step(tour)
        tour.bench.forget_edits()
        tour.viewer.close()
        QTest.qWait(100)
    return folder


if __name__ == "__main__":
    sys.stdout.write(f"{main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / 'docs' / 'images')}\n")
