"""kill -9 of the archive, and of ourselves, amid a push and amid a pull: nothing lost, nothing twice.

    KILLS=200 SEED=7 pytest tests/pacs/test_orthanc_kills.py        # at length

Each kill comes at a random moment of a run whose usual length was measured before.
"""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from archive_worker import send_all
from many_studies import by_instance, data_set, instance_of, make_studies
from orthanc_rig import Orthanc

from veinscan.errors import PacsError
from veinscan.pacs.connect import connect
from veinscan.pacs.pull import pull
from veinscan.pacs.queue import SendQueue

KILLS = int(os.environ.get("KILLS", "1"))
SEED = int(os.environ.get("SEED", "1"))
WORKER = Path(__file__).with_name("archive_worker.py")
STUDIES, SHAPE = 3, (120, 160)
ROUNDS = 20
"""So many passes are enough for what a kill left; in fact one or two are."""

pytestmark = pytest.mark.timeout(300 + 15 * KILLS)
over = pytest.mark.parametrize("over", ["dicomweb", "dimse"])


@pytest.fixture(scope="module")
def orthanc(make_orthanc: Callable[..., Orthanc]) -> Orthanc:
    """One that tells in its log when it is sent what it has."""
    return make_orthanc(verbose=True)


@pytest.fixture
def fresh(orthanc: Orthanc, archive_settings: Path) -> Orthanc:
    orthanc.empty()
    return orthanc


def dimse_of(archive: Orthanc, over: str) -> str | None:
    return archive.dimse if over == "dimse" else None


def studies_of(folder: Path, number: int) -> dict[str, list[Path]]:
    return make_studies(folder / str(number), STUDIES, seed=SEED * 1000 + number, shape=SHAPE)


@contextlib.contextmanager
def killed_after(archive: Orthanc, seconds: float) -> Iterator[None]:
    """The archive is killed while the block runs, or when it is done; then it is started again."""
    timer = threading.Timer(seconds, archive.kill)
    timer.start()
    try:
        yield
    finally:
        timer.join()
        archive.start()


def one_study_in(archive: Orthanc, folder: Path) -> tuple[str, dict[str, Path]]:
    """A study of 15 objects that the archive holds: its UID, and its objects' files."""
    studies = make_studies(folder, 1, seed=SEED, kinds=("native", "jpeg", "rle") * 5, shape=(300, 400))
    originals = by_instance(studies)
    for path in originals.values():
        archive.add(path)
    return next(iter(studies)), originals


def send_what_is_left() -> None:
    queue = SendQueue()
    for _ in range(ROUNDS):
        if not queue.pending():
            return
        queue.run(now=True)
    raise AssertionError([(one.state, one.reason) for one in queue.pending()])


def assert_holds(
    archive: Orthanc, originals: dict[str, Path], over: str, *, all_of_them: bool = True
) -> None:
    """Every object that it has is whole; and, at the end, it has each of them, each new once."""
    held = archive.files()
    if all_of_them:
        assert held.keys() == originals.keys()
        news = Counter(key for what, key in archive.changes() if what == "NewInstance")
        assert set(news) == set(archive.keys().values())
        assert set(news.values()) == {1}
    for uid, data in held.items():
        original = originals[uid].read_bytes()
        assert data == original if over == "dicomweb" else data_set(data) == data_set(original)


def already_stored(archive: Orthanc) -> int:
    return archive.log().count("Already stored")


@over
def test_the_archive_is_killed_in_a_push(fresh: Orthanc, tmp_path: Path, over: str) -> None:
    dimse, usual = dimse_of(fresh, over), 0.0
    rng = random.Random(SEED)  # noqa: S311
    before = already_stored(fresh)
    originals: dict[str, Path] = {}
    interrupted = 0
    for number in range(KILLS + 1):
        studies = studies_of(tmp_path / "in", number)
        originals |= by_instance(studies)
        files = [file for each in studies.values() for file in each]
        if number == 0:
            began = time.monotonic()
            send_all("test", dimse, files)
            usual = time.monotonic() - began
            continue
        with killed_after(fresh, rng.uniform(0, usual)), contextlib.suppress(PacsError):
            send_all("test", dimse, files)
        assert_holds(fresh, originals, over, all_of_them=False)
        interrupted += bool(SendQueue().pending())
        send_what_is_left()
    assert_holds(fresh, originals, over)
    assert already_stored(fresh) == before, "something was sent that the archive had"
    assert interrupted or KILLS < 4, "no kill came in the middle"


@over
def test_the_archive_is_killed_in_a_pull(fresh: Orthanc, tmp_path: Path, over: str) -> None:
    dimse, usual = dimse_of(fresh, over), 0.0
    rng = random.Random(SEED)  # noqa: S311
    uid, originals = one_study_in(fresh, tmp_path / "in")
    interrupted = 0
    for number in range(KILLS + 1):
        out = tmp_path / f"out{number}"
        with contextlib.ExitStack() as stack:
            if number:
                stack.enter_context(killed_after(fresh, rng.uniform(0, usual)))
            began = time.monotonic()
            try:
                with connect("test", dimse=dimse) as archive:
                    found = pull(archive, uid, out)
                interrupted += bool(found.failed)
            except PacsError as error:
                assert number, error
                interrupted += 1
            usual = usual or time.monotonic() - began
        assert_whole(out, originals, over)
        with connect("test", dimse=dimse) as archive:
            assert not pull(archive, uid, out).failed
        assert assert_whole(out, originals, over) == originals.keys()
        assert not [path for path in out.rglob("*") if path.suffix == ".part"]
    assert interrupted or KILLS < 4, "no kill came in the middle"


def assert_whole(out: Path, originals: dict[str, Path], over: str) -> set[str]:
    """Each file of the folder is one whole object, and no object is there twice; the UIDs."""
    files = [path for path in out.rglob("*.dcm") if ".part" not in path.name]
    found = {}
    for path in files:
        uid = instance_of(path)
        data, original = path.read_bytes(), originals[uid].read_bytes()
        assert data == original if over == "dicomweb" else data_set(data) == data_set(original)
        found[uid] = path
    assert len(found) == len(files)
    return set(found)


def run_worker(words: list[str], kill_after: float | None = None) -> float:
    """Seconds from 'ready' to the end; with `kill_after` it is killed so long after that."""
    with subprocess.Popen(
        [sys.executable, str(WORKER), *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as worker:
        assert worker.stdout is not None
        first = worker.stdout.readline()
        began = time.monotonic()
        if kill_after is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                worker.wait(kill_after)
            worker.kill()
        _, errors = worker.communicate()
        assert first == "ready\n", errors
        assert kill_after is not None or worker.returncode == 0, errors[-3000:]
        return time.monotonic() - began


@over
def test_we_are_killed_in_a_push(fresh: Orthanc, tmp_path: Path, over: str) -> None:
    rng = random.Random(SEED)  # noqa: S311
    before = already_stored(fresh)
    originals: dict[str, Path] = {}

    def words(number: int) -> list[str]:
        studies = studies_of(tmp_path / "in", number)
        originals.update(by_instance(studies))
        folders = [str(files[0].parent) for files in studies.values()]
        return ["push", "test", dimse_of(fresh, over) or "-", *folders]

    usual = run_worker(words(0))
    left, at = KILLS, 1
    while left:  # the same studies are pushed again and again until the push comes through
        asked = words(at)
        for _ in range(min(left, 3)):
            run_worker(asked, rng.uniform(0, usual))
            assert_holds(fresh, originals, over, all_of_them=False)
            left -= 1
        run_worker(asked)
        at += 1
    send_what_is_left()
    assert_holds(fresh, originals, over)
    assert already_stored(fresh) == before, "something was sent that the archive had"


@over
def test_we_are_killed_in_a_pull(fresh: Orthanc, tmp_path: Path, over: str) -> None:
    rng = random.Random(SEED)  # noqa: S311
    uid, originals = one_study_in(fresh, tmp_path / "in")

    def words(number: int) -> list[str]:
        return ["pull", "test", dimse_of(fresh, over) or "-", str(tmp_path / f"out{number}"), uid]

    usual = run_worker(words(0))
    left, at = KILLS, 1
    while left:
        out = tmp_path / f"out{at}"
        for _ in range(min(left, 3)):
            run_worker(words(at), rng.uniform(0, usual))
            assert_whole(out, originals, over)
            left -= 1
        run_worker(words(at))
        assert assert_whole(out, originals, over) == originals.keys()
        assert not [path for path in out.rglob("*") if path.suffix == ".part"]
        at += 1
