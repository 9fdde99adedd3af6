"""Play: frames a second that reach the screen, in veinscan's window and in napari itself, in one run.

    xvfb-run -a -s "-screen 0 1280x1024x24" python benchmarks/window_play.py [--rounds 5] [--seconds 3]

Three windows play the same frames, in turn, so that the load of the machine
falls on all alike:

* napari: as it comes, the frames in RAM as one ndarray, played by napari's slider;
* napari, veinscan's docks: the same in a window with veinscan's docks round an equal canvas;
* veinscan: the clip as it was opened, played by the cine bar.

A frame counts when the canvas was put on the screen (Qt's `frameSwapped`) with
another frame than the time before.  First without a limit (frames a second,
and milliseconds of the window's thread for each), then at 10, 15 and 20 a
second: frames that were due and never seen.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import napari
import numpy as np
from qtpy.QtTest import QTest

from napari_veinscan import compat
from napari_veinscan.cine_dock import player_of
from napari_veinscan.launch import attach, launch, workbench_of

SAMPLE = Path(__file__).resolve().parents[1] / "sample_data" / "baseline"
SIZE = (1280, 800)
UNLIMITED_HZ = 500.0
RATES_HZ = (10.0, 15.0, 20.0)


@dataclass
class Window:
    name: str
    viewer: Any
    frame: Callable[[], int]
    play: Callable[[float], None]
    stop: Callable[[], None]
    seen: list[int] = field(default_factory=list)

    def watch(self) -> None:
        compat.canvas_widget(self.viewer).frameSwapped.connect(self._swapped)

    def _swapped(self) -> None:
        frame = self.frame()
        if not self.seen or self.seen[-1] != frame:
            self.seen.append(frame)

    def run(self, rate_hz: float, seconds: float) -> tuple[float, float, float, list[int]]:
        """Seconds, seconds of this thread, frames shown, and which."""
        window = compat.main_window(self.viewer)
        window.show()
        window.raise_()
        QTest.qWait(300)
        self.play(rate_hz)
        QTest.qWait(400)
        self.seen = []
        start, cpu = time.perf_counter(), time.thread_time()
        QTest.qWait(round(1000 * seconds))
        took, used = time.perf_counter() - start, time.thread_time() - cpu
        seen = list(self.seen)
        self.stop()
        QTest.qWait(100)
        window.hide()
        return took, used, float(len(seen)), seen


def napari_window(name: str, frames: np.ndarray, *, docks: bool) -> Window:
    viewer = napari.Viewer(show_welcome_screen=False)
    if docks:
        attach(viewer)
        for dock in compat.layer_docks(viewer):
            dock.hide()
    compat.main_window(viewer).resize(*SIZE)
    viewer.add_image(
        frames, rgb=frames.ndim == 4, **({} if frames.ndim == 4 else {"contrast_limits": (0, 255)})
    )
    QTest.qWait(300)

    def play(rate_hz: float) -> None:
        compat.show_frame_slider(viewer, True)
        compat.set_frame_rate(viewer, rate_hz)
        compat.play(viewer)

    return Window(name, viewer, lambda: int(viewer.dims.current_step[0]), play, lambda: compat.stop(viewer))


def veinscan_window(scratch: Path, index: int) -> tuple[Window, np.ndarray]:
    viewer = launch(shutil.copytree(SAMPLE, scratch / "study"), block=False)
    bench = workbench_of(viewer)
    bench.window.resize(*SIZE)
    QTest.qWait(500)
    while bench.work:
        QTest.qWait(50)
    clip = bench.session.study.clips[index]
    bench.session.show_clip(clip)
    frames = np.stack([clip.frame(i) for i in range(clip.n_frames)])
    QTest.qWait(1500)
    player = player_of(bench)

    def play(rate_hz: float) -> None:
        player.set_speed(1.0)
        player.set_speed(rate_hz / player.due_rate_hz)
        player.play()

    return Window("veinscan", viewer, lambda: bench.session.frame_index, play, player.pause), frames


def skipped(seen: list[int], count: int) -> tuple[int, int]:
    """Frames passed over between the first and last seen, and frames due, of a clip that goes round."""
    steps = [(b - a) % count for a, b in pairwise(seen)]
    return sum(step - 1 for step in steps), sum(steps)


def main() -> None:
    parser = argparse.ArgumentParser(description="Play: frames a second on the screen, against napari")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--clip", type=int, default=2, help="which clip of the sample study (2 is in colour)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        ours, frames = veinscan_window(Path(scratch), given.clip)
        windows = [
            napari_window("napari", frames, docks=False),
            napari_window("napari, veinscan's docks", frames, docks=True),
            ours,
        ]
        out = sys.stdout.write
        out(f"{frames.shape[0]} frames of {'x'.join(map(str, frames.shape[1:]))}\n")
        for window in windows:
            window.watch()
            size = compat.canvas_widget(window.viewer).size()
            out(f"{window.name}: canvas {size.width()} x {size.height()}\n")
        rates: dict[str, list[float]] = {window.name: [] for window in windows}
        costs: dict[str, list[float]] = {window.name: [] for window in windows}
        missed: dict[tuple[str, float], list[int]] = {}
        for _ in range(given.rounds):
            for window in windows:
                took, used, count, _seen = window.run(UNLIMITED_HZ, given.seconds)
                rates[window.name].append(count / took)
                costs[window.name].append(1e3 * used / max(1.0, count))
            for rate_hz in RATES_HZ:
                for window in windows:
                    *_, seen = window.run(rate_hz, given.seconds)
                    lost, due = skipped(seen, len(frames))
                    total = missed.setdefault((window.name, rate_hz), [0, 0])
                    total[0] += lost
                    total[1] += due
        base = {w.name: statistics.median(rates[w.name]) for w in windows}
        for window in windows:
            name = window.name
            pairs = zip(rates["veinscan"], rates[name], strict=True)
            ratio = statistics.median(a / b for a, b in pairs if b)
            cost = statistics.median(costs[name])
            text = f"{base[name]:6.1f} frames/s without limit, {cost:5.1f} ms of the thread each"
            text += "" if window is ours else f"; veinscan is {ratio:.2f} times as fast"
            lost = ", ".join(f"{missed[name, r][0]} of {missed[name, r][1]} at {r:g}/s" for r in RATES_HZ)
            out(f"{name:26} {text}\n{'':26} skipped: {lost}\n")
        for window in windows:
            window.viewer.close()
        QTest.qWait(100)


if __name__ == "__main__":
    main()
