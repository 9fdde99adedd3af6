"""Many studies: an hour's worth, two workers against one, memory from 10 to 1,000, time by frames.

    python benchmarks/batch.py                        # all of it, with 1,000 studies; takes an hour or two
    python benchmarks/batch.py --studies 60 --memory 0

Phantom studies of one clip each are made first (not timed).  One and two
workers take turns on the same studies, each on one thread, each time from a
program that was begun anew, so that starting the workers counts; the median
of the ratios is printed.  For a peer in the same run there is `find_in_clip`
in a bare loop on one thread, and in two such loops side by side: that is what
the machine itself gives for a second core.  Memory is the resident size of
the one process that does everything, after 10, 100 and so on studies.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

ROUNDS = 3
SHAPE, SPACING_MM = (220, 280), 0.1


def make_studies(folder: Path, count: int, n_frames: int = 4) -> None:
    """Studies of one clip of a few frames, every one of another made-up patient."""
    from veinscan.phantom import make_clip
    from veinscan.phantom.writing import Patient, StudyInfo, region, write_clip

    pictures = [
        make_clip(
            seed, "transverse", spacing_mm=SPACING_MM, shape=SHAPE, n_frames=n_frames, compression=False
        )[0]
        for seed in range(min(count, 12))
    ]
    for number in range(count):
        place = folder / f"{number:05d}"
        place.mkdir(parents=True)
        person = Patient(name=f"Bench^N{number}", patient_id=f"B{number:05d}", sex="O", birth_date="19700101")
        info = StudyInfo(seed=number, session=0, patient=person, begun=datetime(2025, 1, 6), side="left")
        rows, columns = SHAPE
        tissue = region(
            (14, 0, rows - 6, columns), space=1, data=1, units=(3, 3), deltas=(SPACING_MM / 10,) * 2,
            reference=(columns // 2, 0),
        )  # fmt: skip
        write_clip(
            place / "clip.dcm", pictures[number % len(pictures)], info, number=1, when=datetime(2025, 1, 6),
            syntax="1.2.840.10008.1.2.5", regions=[tissue], image_flags="0001", description="bench",
            frame_time_ms=60.0,
        )  # fmt: skip


def exported(items: list, folder: Path, workers: int, progress: Callable | None = None) -> float:
    """Seconds that a data set of candidates and tables takes; 0 workers: this very process."""
    from veinscan.batch import run_in_processes
    from veinscan.candidates import FinderSettings
    from veinscan.deidentify import ProjectKey
    from veinscan.export import ExportOptions, Format, export_studies
    from veinscan.export.run import one_after_the_other

    options = ExportOptions(formats=(Format.CSV, Format.JSON), search=FinderSettings(), measure_reflux=True)
    runner = (lambda jobs: run_in_processes(jobs, workers)) if workers else one_after_the_other
    shutil.rmtree(folder, ignore_errors=True)
    began = time.perf_counter()
    found = export_studies(items, folder, options, ProjectKey(b"b" * 32), runner=runner, progress=progress)
    assert not found.failed, found.failed[:3]
    return time.perf_counter() - began


def listed(folder: Path) -> list:
    from veinscan.batch import find_studies
    from veinscan.deidentify import ProjectKey

    began = time.perf_counter()
    found = find_studies([folder], ProjectKey(b"b" * 32))
    seconds = time.perf_counter() - began
    print(f"{len(found.items)} studies found in {seconds:.1f} s")
    return found.items


def resident_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return float("nan")


def in_new_program(*words: object) -> subprocess.Popen[str]:
    """This file called with some words; it prints a number of seconds."""
    command = [sys.executable, __file__, *(str(word) for word in words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603


def seconds_of(process: subprocess.Popen[str]) -> float:
    out, _ = process.communicate()
    assert process.returncode == 0, out
    return float(out.split()[-1])


def bare_loop(folder: Path) -> float:
    """Seconds that the search alone takes, on one thread."""
    import veinscan
    from veinscan.candidates.pipeline import threads_at_most

    places = sorted(folder.iterdir())
    with threads_at_most(1):
        veinscan.find_in_clip(veinscan.open_study(places[0]).clips[0])  # reads the network
        began = time.perf_counter()
        for place in places:
            veinscan.find_in_clip(veinscan.open_study(place).clips[0])
    return time.perf_counter() - began


def speed(root: Path, count: int) -> None:
    folder = root / "speed"
    make_studies(folder, count)
    ratios, machine = [], []
    for number in range(ROUNDS):
        one_loop = seconds_of(in_new_program("--bare", folder))
        runs = [in_new_program("--bare", folder) for _ in range(2)]
        two_loops = max(seconds_of(run) for run in runs)
        order = (1, 2) if number % 2 == 0 else (2, 1)
        took = {w: seconds_of(in_new_program("--run", folder, root / "out", w)) for w in order}
        ratios.append(took[1] / took[2])
        machine.append(2 * one_loop / two_loops)
        print(
            f"bare loop {count / one_loop * 3600:.0f}, two of them {2 * count / two_loops * 3600:.0f}; "
            f"1 worker {count / took[1] * 3600:.0f}, 2 workers {count / took[2] * 3600:.0f} studies an hour",
            flush=True,
        )
    print(
        f"two bare loops do {statistics.median(machine):.2f} times what one does; "
        f"two workers are {statistics.median(ratios):.2f} times as fast as one "
        f"({', '.join(f'{ratio:.2f}' for ratio in ratios)})"
    )


def memory(root: Path, count: int) -> None:
    make_studies(root / "memory", count)
    items = listed(root / "memory")
    marks = [mark for mark in (1, 10, 30, 100, 300, 1000, 3000) if mark <= count]
    curve: list[tuple[int, float]] = []

    def watch(done: int, total: int, last: object) -> None:
        if done in marks:
            curve.append((done, resident_mb()))

    seconds = exported(items, root / "out", 0, watch)
    curve.append((count, resident_mb()))
    print("memory after n studies, one process:", ", ".join(f"{n}: {mb:.0f} MB" for n, mb in curve))
    print(f"{count / seconds * 3600:.0f} studies an hour")


def frames(root: Path) -> None:
    import veinscan

    times = []
    for n_frames in (8, 16, 32, 64):
        place = root / f"frames{n_frames}"
        make_studies(place, 1, n_frames)
        clip = veinscan.open_study(place).clips[0]
        rounds = []
        for _ in range(ROUNDS):
            began = time.process_time()
            veinscan.find_in_clip(clip)
            rounds.append(time.process_time() - began)
        times.append((n_frames, statistics.median(rounds)))
    print(
        "processor time by frames:",
        ", ".join(f"{n}: {s:.2f} s ({s / n * 1e3:.0f} ms a frame)" for n, s in times),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=120, help="for the speed-up; 0: none")
    parser.add_argument("--memory", type=int, default=1000, help="studies for the curve of memory; 0: none")
    parser.add_argument("--run", nargs=3, metavar=("STUDIES", "OUT", "WORKERS"), help=argparse.SUPPRESS)
    parser.add_argument("--bare", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    import cv2

    cv2.setNumThreads(1)
    if asked.bare:
        print(bare_loop(asked.bare))
        return
    if asked.run:
        place, out, workers = asked.run
        print(exported(listed(Path(place)), Path(out), int(workers)))
        return
    with tempfile.TemporaryDirectory() as place:
        frames(Path(place))
        if asked.studies:
            speed(Path(place), asked.studies)
        if asked.memory:
            memory(Path(place), asked.memory)


if __name__ == "__main__":
    main()
