"""Opening study after study leaves nothing behind: no callback, layer, thread or study.

STUDIES=50 pytest tests/gui/test_leaks.py -s    prints the memory after each tenth: +3.7, +4.3, +5.9, +6.0
and +6.3 MB on the sample study, which levels off: caches and the allocator.

A layer that napari takes out is in circles with itself and lives until Python collects garbage.
With it lived a clip's decoded frames, 2.4 MB a study here: they are taken from it now.
"""

from __future__ import annotations

import gc
import os
import shutil
import threading
import weakref
from pathlib import Path

import pytest

pytestmark = pytest.mark.gui

STUDIES = int(os.environ.get("STUDIES", "4"))
MEGABYTES = 25
"""Growth that is put down to caches and the allocator over all the studies."""


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def living(emitter) -> int:
    """Connections of `emitter` that still lead anywhere; napari drops dead ones only when it next emits."""
    from napari.utils.events import EmitterGroup

    def is_alive(callback: object) -> bool:
        if isinstance(callback, EmitterGroup):
            return living(callback) > 0
        return not isinstance(callback, tuple) or callback[0]() is not None

    return sum(is_alive(callback) for callback in emitter.callbacks)


def held(window) -> dict[str, int]:
    """What would grow if something were connected again for every study."""
    viewer, session = window.viewer, window.session
    signals = ("study_changed", "clip_changed", "frame_changed", "record_changed", "selection_changed")
    return {
        "layers": len(viewer.layers),
        "threads": sum(thread.name == "veinscan-job" for thread in threading.enumerate()),
        "mouse": len(viewer.mouse_drag_callbacks) + len(viewer.mouse_move_callbacks),
        "steps": len(viewer.dims.events.current_step.callbacks),
        "layer events": len(viewer.layers.events.inserted.callbacks),
        "image events": living(viewer.layers[0].events.data),
        "tools": len(window.bench.tools),
        **{name: len(getattr(session, name)) for name in signals},
    }


def test_study_after_study_leaves_nothing_behind(window, sample_study_dir: Path, tmp_path: Path):
    other = Path(shutil.copytree(sample_study_dir, tmp_path / "other"))
    places = (other, sample_study_dir)
    studies: list[weakref.ref] = []

    def settle() -> None:
        window.qtbot.wait(300)  # the small pictures begin a little after the study
        window.qtbot.waitUntil(lambda: window.bench.jobs.running == 0, timeout=60_000)

    def open_one(number: int) -> None:
        window.bench.open_path(places[number % 2])
        window.wait_for_work()
        window.session.show_clip(window.session.study.clips[2])
        window.qtbot.waitUntil(lambda: window.bench.jobs.running == 0, timeout=60_000)
        window.qtbot.wait(20)
        studies.append(weakref.ref(window.session.study))

    frames: list[weakref.ref] = []
    gc.disable()
    try:
        for number in range(4):
            open_one(number)
            frames.append(weakref.ref(window.bench.layers.frames))
    finally:
        gc.enable()
    assert sum(one() is not None for one in frames) <= 2, "decoded frames wait for garbage to be collected"
    settle()
    gc.collect()
    before, memory = held(window), resident_mb()
    for number in range(STUDIES):
        open_one(number)
        if number % 10 == 9:
            print(f"{number + 1} studies: {resident_mb() - memory:+.1f} MB")
    settle()
    gc.collect()
    assert held(window) == before
    assert sum(study() is not None for study in studies) <= 2, "studies are kept after they were left"
    if Path("/proc/self/statm").exists():
        assert resident_mb() - memory < MEGABYTES
