"""Many studies: found, done by whoever is there, the same bytes, and nothing lost to a kill."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import cast

import pydicom
import pytest

from veinscan.batch import Found, find_studies, run_in_processes, runner_of
from veinscan.batch.processes import longest_first
from veinscan.candidates import FinderSettings
from veinscan.deidentify import ProjectKey
from veinscan.errors import InvalidInputError, VeinscanError
from veinscan.export import Exported, ExportOptions, Format, Item, Job, Split, export_studies
from veinscan.export.folder import open_folder
from veinscan.export.review import Said

KEY = ProjectKey(b"b" * 32)
OPTIONS = ExportOptions(
    formats=(Format.CSV, Format.JSON, Format.COCO), search=FinderSettings(), measure_reflux=True
)


def tree(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="session")
def studies(archive: Path) -> Found:
    return find_studies([archive], KEY)


@pytest.fixture(scope="session")
def alone(studies: Found, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """The export as one process makes it."""
    return export_studies(studies.items, tmp_path_factory.mktemp("one") / "set", OPTIONS, KEY)


# --- finding


def test_every_study_is_found_wherever_it_lies(archive: Path, tmp_path: Path) -> None:
    place = tmp_path / "in"
    folders = sorted(path for disk in archive.iterdir() for path in disk.iterdir())
    flat = place / "flat"
    flat.mkdir(parents=True)
    for number, folder in enumerate(folders[:2]):  # two studies in one folder
        for path in folder.glob("*.dcm"):
            shutil.copy(path, flat / f"{number}_{path.name}")
    series = place / "patient" / "exam"
    for number, path in enumerate(sorted(folders[2].glob("*.dcm"))):  # one study in two folders of series
        (series / f"series{number}").mkdir(parents=True)
        shutil.copy(path, series / f"series{number}" / path.name)
    with zipfile.ZipFile(place / "three.zip", "w") as archive_file:
        for path in folders[3].glob("*.dcm"):
            archive_file.write(path, path.name)
    shutil.copytree(folders[4], place / "with record")
    (place / "notes").mkdir()
    (place / "notes" / "readme.txt").write_text("no study here")
    found = find_studies([place], KEY)
    expected = {
        str(pydicom.dcmread(next(f.glob("*.dcm")), stop_before_pixels=True).StudyInstanceUID)
        for f in folders[:5]
    }
    assert {item.study_uid for item in found.items} == expected and len(found.items) == 5
    assert [Path(path).name for path, _ in found.failed] in ([], ["notes"])


def test_a_study_that_lies_there_twice_is_done_once(archive: Path, tmp_path: Path) -> None:
    folder = next(next(archive.iterdir()).iterdir())
    for copy in ("a", "b"):
        shutil.copytree(folder, tmp_path / copy)
    found = find_studies([tmp_path / "a", tmp_path / "b"], KEY)
    assert len(found.items) == 1 and "second copy" in found.failed[0][1]


def test_a_place_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="no such file"):
        find_studies([tmp_path / "nowhere"], KEY)
    with pytest.raises(InvalidInputError, match="0 processes"):
        runner_of(0, None)


# --- doing


def test_one_bad_study_stops_nothing(archive: Path, tmp_path: Path) -> None:
    folders = sorted(path for disk in archive.iterdir() for path in disk.iterdir())[:2]
    for folder in folders:
        shutil.copytree(folder, tmp_path / "in" / folder.name)
    for path in (tmp_path / "in" / folders[0].name / "veinscan").iterdir():
        path.write_bytes(path.read_bytes()[:-200])  # its record is cut off
    found = find_studies([tmp_path / "in"], KEY)
    exported = export_studies(found.items, tmp_path / "set", OPTIONS, KEY)
    ((_, reason),) = exported.failed
    assert "damaged" in reason and exported.cases == 2
    told = (exported.folder / "not_judged.json").read_text()
    assert "its record could not be read" in told and folders[0].name not in told


def test_two_processes_give_the_same_bytes_and_a_killed_one_loses_nothing(
    studies: Found, alone: Exported, tmp_path: Path
) -> None:
    killed = []

    def kill_one(done: int, total: int, last: object) -> None:
        children = multiprocessing.active_children()
        if done == 1 and children:
            assert len(children) == 2
            os.kill(children[0].pid or 0, signal.SIGKILL)
            killed.append(children[0].pid)

    folder = tmp_path / "two"
    exported = export_studies(
        studies.items, folder, OPTIONS, KEY, runner=lambda jobs: run_in_processes(jobs, 2), progress=kill_one
    )
    assert killed and not exported.failed
    assert tree(folder) == tree(alone.folder)


class _Deadly:
    """Ends the process that it arrives in."""

    def __reduce__(self) -> tuple[object, tuple[int]]:
        return os._exit, (9,)


@pytest.mark.parametrize("how", ["forkserver", "spawn"])
def test_a_study_that_ends_its_process_is_told_and_all_others_are_done(
    studies: Found, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    if how not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system has no {how}")
    monkeypatch.setattr("veinscan.batch.processes._context", lambda: multiprocessing.get_context(how))
    folder = open_folder(tmp_path, "some").root
    jobs = [Job(item, Split.TRAIN, str(folder), OPTIONS, KEY) for item in studies.items[:3]]
    bad = replace(jobs[0], review={"x": cast(Said, _Deadly())})
    given = {one.name: one for one in run_in_processes([bad, *jobs[1:]], 2)}
    assert "every time" in given[bad.item.name].reason
    assert [given[job.item.name].reason for job in jobs[1:]] == ["", ""]
    assert not multiprocessing.active_children()


class _Endless:
    """Keeps the process busy that it arrives in."""

    def __reduce__(self) -> tuple[object, tuple[float]]:
        return time.sleep, (300.0,)


def test_a_study_that_never_ends_is_told_and_stops_nothing(
    studies: Found, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("veinscan.batch.processes.LONGEST_S", 5.0)
    folder = open_folder(tmp_path, "some").root
    options = ExportOptions(formats=(Format.JSON,))
    jobs = [Job(item, Split.TRAIN, str(folder), options, KEY) for item in studies.items[:2]]
    bad = replace(jobs[0], review={"x": cast(Said, _Endless())})
    given = {one.name: one.reason for one in run_in_processes([bad, jobs[1]], 1)}
    assert given == {bad.item.name: "it took longer than 0.00138889 hours", jobs[1].item.name: ""}
    assert not multiprocessing.active_children()


def test_processes_that_cannot_begin_are_told(studies: Found, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("veinscan.batch.processes.serve", os._exit)  # cannot take a pipe: ends at once
    jobs = [Job(item, Split.TRAIN, "nowhere", OPTIONS, KEY) for item in studies.items[:2]]
    with pytest.raises(VeinscanError, match="end before they begin"):
        list(run_in_processes(jobs, 2))


def test_what_takes_longest_is_begun_first(tmp_path: Path) -> None:
    sizes = {"small": 10, "large": 3000, "middle": 200}
    for name, size in sizes.items():
        (tmp_path / name / "series").mkdir(parents=True)
        (tmp_path / name / "series" / "clip.dcm").write_bytes(bytes(size))
    (tmp_path / "zip.zip").write_bytes(bytes(1000))
    items = [Item(str(tmp_path / name), "1.2", "P-1", name) for name in (*sizes, "zip.zip", "gone")]
    jobs = [Job(item, Split.TRAIN, "nowhere", OPTIONS, KEY) for item in items]
    assert [job.item.name for job in longest_first(jobs)] == ["large", "zip.zip", "middle", "small", "gone"]


def test_a_dask_cluster_of_two_workers_gives_the_same_bytes_also_when_one_is_killed(
    studies: Found, alone: Exported, tmp_path: Path
) -> None:
    """The cluster as a user starts it: a scheduler and workers of their own."""
    scheduler_file = tmp_path / "scheduler.json"
    dask = [sys.executable, "-W", "ignore", "-m", "distributed.cli.dask_scheduler"]
    worker = [sys.executable, "-W", "ignore", "-m", "distributed.cli.dask_worker"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    local = ["--host", "127.0.0.1", "--no-dashboard"]
    running = [
        subprocess.Popen([*dask, *local, "--port", "0", "--scheduler-file", str(scheduler_file)], **quiet),  # type: ignore[call-overload]
    ]
    try:
        deadline = time.monotonic() + 60
        while not scheduler_file.is_file() and time.monotonic() < deadline:
            time.sleep(0.1)
        for number in range(2):
            command = [*worker, "--scheduler-file", str(scheduler_file), "--nthreads", "1", "--no-nanny"]
            command += ["--no-dashboard", "--name", f"w{number}", "--local-directory", str(tmp_path)]
            running.append(subprocess.Popen(command, **quiet))  # type: ignore[call-overload]
        address = json.loads(scheduler_file.read_text())["address"]
        folder = tmp_path / "dask"
        exported = export_studies(studies.items, folder, OPTIONS, KEY, runner=runner_of(1, address))
        assert not exported.failed
        assert tree(folder) == tree(alone.folder)

        def kill_one(done: int, total: int, last: object) -> None:
            if done == 1:
                running[2].kill()

        again = export_studies(
            studies.items,
            tmp_path / "again",
            OPTIONS,
            KEY,
            runner=runner_of(1, address),
            progress=kill_one,
        )
        assert running[2].wait(30) == -signal.SIGKILL and not again.failed
        assert tree(again.folder) == tree(alone.folder)
    finally:
        for process in reversed(running):
            process.terminate()
        for process in running:
            process.wait(30)


def test_a_cluster_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("veinscan.batch.cluster.CONNECT_S", 0.5)
    with pytest.raises(VeinscanError, match="no Dask scheduler answers"):
        runner_of(1, "tcp://127.0.0.1:1")


def test_killed_and_called_again_it_goes_on_where_it_was(
    archive: Path, own_user_folders: Path, tmp_path: Path
) -> None:
    key = tmp_path / "project.key"
    key.write_text(KEY.secret.hex())
    key.chmod(0o600)

    def command(folder: Path) -> list[str]:
        out = [
            "-o",
            str(folder),
            "--key",
            str(key),
            "--processes",
            "2",
            "--format",
            "csv,json",
            "--no-candidates",
        ]
        return [sys.executable, "-m", "veinscan", "batch", str(archive), *out]

    folder = tmp_path / "killed"
    process = subprocess.Popen(command(folder), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not list(folder.glob(".parts/*.json")):
        time.sleep(0.01)
    process.kill()
    _, said = process.communicate(timeout=60)  # ends when all that it began have ended
    assert b"leaked" not in said and b"Traceback" not in said, said
    before = {path.name: path.stat().st_mtime_ns for path in folder.glob(".parts/*.json")}
    assert 1 <= len(before) < 5
    written = {path: path.stat().st_mtime_ns for path in folder.glob("json/*.json") if path.name in before}
    assert not (folder / "dataset.json").exists()
    for target in (folder, tmp_path / "whole"):
        done = subprocess.run(command(target), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert tree(folder) == tree(tmp_path / "whole")
    assert {path: path.stat().st_mtime_ns for path in written} == written  # what was done was not done again
