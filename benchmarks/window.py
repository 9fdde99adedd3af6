"""Window: list of 200 clips, opening a clip, and an edit until it is seen, its commit to the draft included.

    xvfb-run -a -s "-screen 0 1280x1024x24" python benchmarks/window.py [--clips 200] [--edits 60]

* list: from 'open' to a list with names and kinds of all clips that was painted; the files
  were read before (warm).  The share of reading the files (`open_study`) is told beside it,
  and the processor time of this process, which a loaded machine does not stretch.
* clip: from the choice of another clip to its first picture on the screen (Qt's
  `frameSwapped`), less the decode of that frame, which is measured by itself.
* edit: from the key `A` (a verdict) and from a field of a target until the docks and the canvas
  were painted; the draft's commit (fsync) by itself beside it.

Median and 95th percentile in milliseconds.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pydicom
from pydicom.uid import generate_uid
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_veinscan import compat
from napari_veinscan.launch import launch, workbench_of
from veinscan.candidates import find_in_clip
from veinscan.dicom import open_study
from veinscan.plan.model import Decision
from veinscan.record import Draft

SAMPLE = Path(__file__).resolve().parents[1] / "sample_data" / "baseline"


def many_clips(folder: Path, count: int) -> Path:
    """The sample study's clips again and again, each with a UID of its own."""
    folder.mkdir()
    files = sorted(SAMPLE.glob("*.dcm"))
    for number in range(count):
        dataset = pydicom.dcmread(files[number % len(files)])
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        dataset.InstanceNumber = number + 1
        dataset.save_as(folder / f"{number:04d}.dcm")
    return folder


def until(bench: Any, done: Callable[[], bool], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise TimeoutError(f"nothing after {seconds:g} s")
        QApplication.processEvents()
        time.sleep(0.002)  # the worker must have its share of the processor


def told(name: str, seconds: Sequence[float], more: str = "") -> None:
    ordered = sorted(1000 * one for one in seconds)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
    middle = statistics.median(ordered)
    print(f"{name:<36} median {middle:7.1f} ms   95 % {p95:7.1f} ms   n {len(ordered)} {more}")


def list_of_clips(bench: Any, folder: Path, rounds: int) -> None:
    dock = bench.docks["clips"]
    walls, reads, cpus = [], [], []
    for _ in range(rounds + 1):
        bench.open_path(SAMPLE)
        until(bench, lambda: not bench.work)
        QTest.qWait(300)
        start = time.perf_counter()
        open_study(folder)
        reads.append(time.perf_counter() - start)
        start, cpu = time.perf_counter(), time.process_time()
        bench.open_path(folder)
        until(bench, lambda: not bench.work and dock.clips.count() > 10)
        dock.clips.viewport().repaint()
        walls.append(time.perf_counter() - start)
        cpus.append(time.process_time() - cpu)
        bench.jobs.close()
    told("list: open to painted list", walls[1:])
    told("  of that, open_study alone", reads[1:])
    told("  processor time of the process", cpus[1:])


def opening_a_clip(bench: Any, rounds: int) -> None:
    canvas = compat.canvas_widget(bench.viewer)
    swaps: list[float] = []
    canvas.frameSwapped.connect(lambda: swaps.append(time.perf_counter()))
    study = bench.session.study
    clips = [clip for clip in study.clips[: rounds + 2] if clip.n_frames > 1]
    over, decodes, cpus = [], [], []
    clips = [clip for clip in clips if clip is not bench.session.clip]  # that one is on show already
    for clip in clips:
        fresh = open_study(clip.path).clips[0]
        start = time.perf_counter()
        fresh.frame(0)
        decode = time.perf_counter() - start
        swaps.clear()
        start, cpu = time.perf_counter(), time.thread_time()
        bench.session.show_clip(clip)
        until(bench, lambda: bool(swaps))
        cpus.append(time.thread_time() - cpu - decode)
        over.append(swaps[0] - start - decode)
        decodes.append(decode)
        QTest.qWait(30)
    told("clip: first picture less decode", over[1:], f"(decode {1000 * statistics.median(decodes):.1f} ms)")
    told("  processor time of the window", cpus[1:])


def edits(bench: Any, count: int) -> None:
    session = bench.session

    def painted() -> None:
        """What is painted after an edit: docks, and the canvas where something in it changed."""
        QApplication.processEvents()
        QApplication.processEvents()

    clip = session.study.clips[0]
    session.show_clip(clip)
    session.set_candidates(clip, find_in_clip(clip))
    handle = bench.window.windowHandle()
    commits: list[float] = []
    plain = Draft.record

    def timed(draft: Draft, record: Any, label: str) -> Any:
        start = time.perf_counter()
        kept = plain(draft, record, label)
        commits.append(time.perf_counter() - start)
        return kept

    Draft.record = timed  # type: ignore[method-assign]
    verdicts, fields = [], []
    session.select_next()
    for number in range(count):
        session.review(Decision.UNREVIEWED)
        QTest.qWait(30)
        start, cpu = time.perf_counter(), time.thread_time()
        QTest.keyClick(handle, "a")
        painted()
        verdicts.append((time.perf_counter() - start, time.thread_time() - cpu))
        if number % 10 == 9:
            session.select_next()
    bench.make_target()
    for number in range(count):
        QTest.qWait(30)
        start, cpu = time.perf_counter(), time.thread_time()
        session.update_target(notes=f"note {number}")
        painted()
        fields.append((time.perf_counter() - start, time.thread_time() - cpu))
    Draft.record = plain  # type: ignore[method-assign]
    for name, both in (("edit: key A to painted", verdicts), ("edit: field of a target to painted", fields)):
        told(name, [wall for wall, _ in both])
        told("  processor time of the window", [cpu for _, cpu in both])
    told("  of both, commit to the draft", commits)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--edits", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["VEINSCAN_DATA_DIR"] = str(Path(scratch) / "data")
        os.environ.setdefault("NAPARI_CONFIG", str(Path(scratch) / "napari.yaml"))
        folder = many_clips(Path(scratch) / "many", options.clips)
        study = Path(shutil.copytree(SAMPLE, Path(scratch) / "study"))
        viewer = launch(block=False)
        bench = workbench_of(viewer)
        bench.window.resize(1280, 800)
        print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores, {options.clips} clips, 1280 x 800")
        list_of_clips(bench, folder, options.rounds)
        opening_a_clip(bench, 30)
        bench.open_path(study)
        until(bench, lambda: not bench.work)
        edits(bench, options.edits)
        bench.forget_edits()
        viewer.close()
        QTest.qWait(100)


if __name__ == "__main__":
    sys.exit(main())
