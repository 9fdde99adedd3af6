"""SIGKILL at random moments while a program puts objects in and sends them; several programs at once.

KILLS=500 SEED=3 pytest tests/pacs/test_queue_kills.py        # at length
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from moody_archive import MoodyArchive, make_object

from veinscan.pacs.queue import SendQueue
from veinscan.pacs.queue_entry import State
from veinscan.record.files import TEMPORARY

KILLS = int(os.environ.get("KILLS", "12"))
SEED = int(os.environ.get("SEED", "1"))
PROGRAMS = int(os.environ.get("PROGRAMS", "3"))

PROGRAM = """
import os
import random
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from moody_archive import MoodyArchive
from veinscan.pacs.queue import SendQueue

MOODS = ("takes", "takes", "takes", "takes and the answer is lost", "says nothing", "is busy",
         "takes and says no", "dies before")
def say(word, what):
    # in one piece: print may write a line in several, and be killed between them
    os.write(1, f"{word} {what}\\n".encode())

def work(root, seed):
    rng = random.Random(seed)
    queue = SendQueue(root / "queue")
    archive = MoodyArchive(root / "archive", mood=lambda uid: rng.choice(MOODS))
    def run():
        queue.run(lambda name, dimse=None: archive, now=True,
                  progress=lambda done, total, one: say(one.state, one.sop_instance_uid))
    files = sorted((root / "in").glob("*.dcm"))
    rng.shuffle(files)
    say("start", os.getpid())
    for number, path in enumerate(files):
        one = queue.add("moody", None, path)
        say("added", one.sop_instance_uid)
        if number % 3 == 2:
            run()
    for _ in range(9):
        run()

# a process for each line of input, that has imported everything already
for line in sys.stdin:
    seed, place = line.split(" ", 1)
    child = os.fork()
    if child == 0:
        try:
            work(Path(place.strip()), int(seed))
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    say("end", 0)
"""


def start() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(Path(__file__).parent)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )


def read_until(program: subprocess.Popen[str], word: str) -> list[tuple[str, str]]:
    assert program.stdout is not None
    lines = []
    while (line := program.stdout.readline().split())[0] != word:
        lines.append((line[0], line[1]))
    lines.append((line[0], line[1]))
    return lines


@pytest.mark.timeout(7200)
def test_killed_at_any_moment_nothing_is_lost_and_nothing_twice(tmp_path: Path) -> None:
    rng = random.Random(SEED)  # noqa: S311 - moments to kill at, no secret
    program = start()
    assert program.stdin is not None and program.stdout is not None
    finished = 0
    for kill in range(KILLS):
        if kill % 6 == 0:
            root = tmp_path / str(kill)
            files = {}
            for number in range(30):
                path = root / "in" / f"{number}.dcm"
                files[make_object(path, study=f"1.2.{number % 3}")] = path
            added: set[str] = set()
            stored: set[str] = set()
        program.stdin.write(f"{rng.randrange(10**6)} {root}\n")
        ((_, pid),) = read_until(program, "start")
        time.sleep(rng.uniform(0.0, 0.3))
        try:
            os.kill(int(pid), signal.SIGKILL)
        except ProcessLookupError:
            finished += 1
        told = read_until(program, "end")
        added |= {uid for word, uid in told if word == "added"}
        stored |= {uid for word, uid in told if word == "stored"}
        check(root, files, added, stored)
        if kill % 6 == 5 or kill == KILLS - 1:
            settle(root, files, added)
    program.stdin.close()
    program.stdout.close()
    assert program.wait() == 0
    assert finished < max(2, KILLS // 3)  # most were killed at work


def check(root: Path, files: dict[str, Path], added: set[str], stored: set[str]) -> None:
    queue, archive = SendQueue(root / "queue"), MoodyArchive(root / "archive")
    assert queue.damaged() == ()
    entries = {one.sop_instance_uid: one for one in queue.all()}
    held = archive.held()
    assert added <= entries.keys()
    for uid, one in entries.items():
        if one.state is State.STORED:
            assert held[uid] == files[uid].read_bytes()
        elif one.pending:
            assert (queue.folder / f"{one.key}.dcm").read_bytes() == files[uid].read_bytes()
    for uid in stored:
        # put in once more by the next program: it is asked for again, and never sent again
        assert held[uid] == files[uid].read_bytes()
    assert not [uid for uid in archive.received() if uid.startswith("+")]


def settle(root: Path, files: dict[str, Path], added: set[str]) -> None:
    """A good archive in the end: all is there, and nothing lies about."""
    queue, archive = SendQueue(root / "queue"), MoodyArchive(root / "archive")
    for one in queue.all():
        if one.state is State.REFUSED:
            queue.again(one.sop_instance_uid)
    for _ in range(5):
        queue.run(lambda name, dimse=None: archive, now=True)
    assert queue.pending() == ()
    assert added <= archive.held().keys()
    left = [path.name for path in queue.folder.iterdir() if path.is_file() and path.suffix != ".json"]
    assert left == []
    assert not [path for path in queue.folder.rglob("*") if TEMPORARY.fullmatch(path.name)]
    assert not list((queue.folder / "read-back").glob("*"))


@pytest.mark.timeout(600)
def test_several_programs_send_each_object_once(tmp_path: Path) -> None:
    """A good archive: whatever arrives twice was sent by two at once."""
    root = tmp_path
    files = {make_object(root / "in" / f"{n}.dcm", study=f"1.2.{n % 4}"): n for n in range(24)}
    programs = [
        subprocess.Popen(
            [
                sys.executable,
                "-c",
                PROGRAM.replace("rng.choice(MOODS)", "'takes'"),
                str(Path(__file__).parent),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(PROGRAMS)
    ]
    for number, program in enumerate(programs):
        assert program.stdin is not None
        program.stdin.write(f"{number} {root}\n")
        program.stdin.close()
    for program in programs:
        assert program.stdout is not None
        said = program.stdout.read().split("\n")
        assert sum(line.startswith("added") for line in said) == len(files)
        program.stdout.close()
        assert program.wait() == 0
    queue, archive = SendQueue(root / "queue"), MoodyArchive(root / "archive")
    assert queue.pending() == ()
    assert archive.received() == dict.fromkeys(files, 1)
    assert archive.held().keys() == files.keys()
