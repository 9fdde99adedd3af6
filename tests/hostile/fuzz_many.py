"""Thousands of mutated files through the reader, in a process of its own with limits.

    python tests/hostile/fuzz_many.py FOLDER... [--files 10000] [--first 0] [--minutes 10]

FOLDER holds DICOM files to mutate.  A crash, a hang (60 s of processor time a
file, or 10 minutes of standing still), memory above the limit or a foreign
exception is printed with the number of the mutation, which makes it again:
`--first NUMBER --files 1`.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import resource
import selectors
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

MEMORY_BYTES = 3 * 1024**3
SECONDS_A_FILE = 60.0
"""Of processor time: on a busy machine, at the lowest priority, wall time says nothing."""
WALL_SECONDS_A_FILE = 600.0


def originals(folders: list[str]) -> list[bytes]:
    """The files to mutate, those below 4 MB."""
    paths = [p for folder in folders for p in sorted(Path(folder).rglob("*")) if p.is_file()]
    return [p.read_bytes() for p in paths if 200 < p.stat().st_size < 4_000_000]


def worker(folders: list[str], first: int, count: int) -> None:
    """Mutate and read; one line for each file on stdout."""
    from fuzzing import mutate, try_everything

    data = originals(folders)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.dcm"
        for number in range(first, first + count):
            rng = random.Random(number)  # noqa: S311 - repeatable, not secret
            path.write_bytes(mutate(rng.choice(data), rng))
            print(f"{number} begun", flush=True)
            try:
                outcome = try_everything(path)
            except BaseException:
                outcome = "FOREIGN " + traceback.format_exc().replace("\n", " | ")
            if len(list(Path(folder).iterdir())) != 1:
                outcome = "WROTE a file"
            print(f"{number} {outcome}", flush=True)


def supervise(arguments: argparse.Namespace) -> int:
    """Run workers until all files are done or time is up; the number of failures."""
    outcomes: Counter[str] = Counter()
    failures = 0
    number, last = arguments.first, arguments.first + arguments.files
    until = time.monotonic() + 60 * arguments.minutes
    while number < last and time.monotonic() < until:
        count = min(2000, last - number)
        command = [sys.executable, __file__, "--worker", "--first", str(number), "--files", str(count)]
        with subprocess.Popen([*command, *arguments.folders], stdout=subprocess.PIPE, text=True) as child:
            done, ended = watch(child, number, outcomes, until)
            failures += sum(
                outcomes.pop(key) for key in list(outcomes) if key.startswith(("FOREIGN", "WROTE"))
            )
        if ended:
            failures += 1
            print(f"{done}: {ended}", flush=True)
        number = done + 1 if ended or time.monotonic() > until else number + count
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        dict(outcomes),
        f"failures: {failures}",
        f"next: {number}",
        f"processor time: {spent.ru_utime + spent.ru_stime:.0f} s",
    )
    return failures


def watch(child: subprocess.Popen[str], first: int, outcomes: Counter[str], until: float) -> tuple[int, str]:
    """(number of the last file begun, what ended the worker before its end or '')."""
    assert child.stdout is not None
    current = first
    selector = selectors.DefaultSelector()
    selector.register(child.stdout, selectors.EVENT_READ)
    began, began_used = time.monotonic(), used_seconds(child.pid)
    while True:
        if time.monotonic() > until:
            child.kill()
            return current, ""
        if not selector.select(timeout=5):
            used, waited = used_seconds(child.pid) - began_used, time.monotonic() - began
            if used > SECONDS_A_FILE or waited > WALL_SECONDS_A_FILE:
                child.kill()
                return current, f"HANG: {used:.0f} s of processor time, {waited:.0f} s in all"
            continue
        line = child.stdout.readline()
        began, began_used = time.monotonic(), used_seconds(child.pid)
        if not line:
            code = child.wait()
            return current, "" if code == 0 else f"CRASH with {code}"
        with contextlib.suppress(ValueError):
            text, _, outcome = line.strip().partition(" ")
            current = int(text)
            if outcome.startswith(("FOREIGN", "WROTE")):
                print(line.strip(), flush=True)
            if outcome != "begun":
                outcomes[outcome] += 1


def used_seconds(pid: int) -> float:
    """Processor time of a process and its children so far; 0 where it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(value) for value in fields[11:15]) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--worker", action="store_true")
    given = parser.parse_args()
    if given.worker:
        worker(given.folders, given.first, given.files)
    else:
        sys.exit(1 if supervise(given) else 0)
