"""Pull and push against a real Orthanc, beside plain dicomweb-client: seconds and memory.

    python benchmarks/pacs.py                       # all of it; some minutes
    python benchmarks/pacs.py --only small --rounds 3
    python benchmarks/pacs.py --memory 200          # the curve of memory over so many studies

Runs in a network namespace of its own (`unshare`), where Orthanc listens for nobody
else and no relay lies between.  Every measurement is a process of its own; ours and
theirs take turns, and medians are compared.  What is counted:

- pull: veinscan's `pull` lists the study, checks every object and puts it on the disk
  (flushed); dicomweb-client parses every object into memory, and is measured both
  without writing it anywhere and with `save_as`.
- push: `Archive.store` is the sending alone, as `store_instances` is; `push` also keeps the
  objects in a queue first and reads every one of them back.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1] / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "pacs")]

import orthanc_inside  # noqa: E402
import orthanc_rig  # noqa: E402

HTTP, DIMSE, MOVE = 8042, 4242, 4243
REST = f"http://127.0.0.1:{HTTP}"
ARCHIVE = "bench"

Studies = dict[str, list[Path]]


# -- what is measured, each in a process of its own ------------------------


def pull_veinscan(studies: Studies, out: Path) -> None:
    from veinscan.pacs.connect import connect
    from veinscan.pacs.pull import pull

    with connect(ARCHIVE) as archive:
        for uid in studies:
            found = pull(archive, uid, out / uid)
            assert len(found.files) == len(studies[uid]), found.failed


def pull_dimse(studies: Studies, out: Path) -> None:
    from veinscan.pacs.connect import connect
    from veinscan.pacs.pull import pull

    with connect(dimse=f"ORTHANC@127.0.0.1:{DIMSE}") as archive:
        for uid in studies:
            found = pull(archive, uid, out / uid)
            assert len(found.files) == len(studies[uid]), found.failed


def client_study(studies: Studies, out: Path) -> None:
    client = plain_client()
    for uid, files in studies.items():
        assert len(client.retrieve_study(uid)) == len(files)


def client_study_saved(studies: Studies, out: Path) -> None:
    client = plain_client()
    for uid in studies:
        (out / uid).mkdir(parents=True)
        for dataset in client.retrieve_study(uid):
            dataset.save_as(out / uid / f"{dataset.SOPInstanceUID}.dcm", enforce_file_format=True)


def client_instances_saved(studies: Studies, out: Path) -> None:
    client = plain_client()
    for uid in studies:
        (out / uid).mkdir(parents=True)
        for row in client.search_for_instances(uid):
            series, instance = (row[tag]["Value"][0] for tag in ("0020000E", "00080018"))
            dataset = client.retrieve_instance(uid, series, instance)
            dataset.save_as(out / uid / f"{instance}.dcm", enforce_file_format=True)


def store_veinscan(studies: Studies, out: Path) -> None:
    from veinscan.pacs.connect import connect

    with connect(ARCHIVE) as archive:
        for files in studies.values():
            outcomes = archive.store(files)
            assert all(outcome.accepted for outcome in outcomes), outcomes


def push_veinscan(studies: Studies, out: Path) -> None:
    from veinscan.pacs.send import push

    push(ARCHIVE, [files[0].parent for files in studies.values()], images=True)


def client_store(studies: Studies, out: Path) -> None:
    import pydicom

    client = plain_client()
    for files in studies.values():
        client.store_instances([pydicom.dcmread(file) for file in files])


def plain_client():
    from dicomweb_client import DICOMwebClient

    return DICOMwebClient(f"{REST}/dicom-web")


PULLS: dict[str, Callable[[Studies, Path], None]] = {
    "veinscan pull": pull_veinscan,
    "client retrieve_study": client_study,
    "client retrieve_study, saved": client_study_saved,
    "client retrieve_instance, saved": client_instances_saved,
    "veinscan pull --dimse": pull_dimse,
}
PUSHES: dict[str, Callable[[Studies, Path], None]] = {
    "veinscan store": store_veinscan,
    "client store_instances": client_store,
    "veinscan push (queue, read back)": push_veinscan,
}


def worker(name: str, listing: Path, out: Path) -> None:
    """Do one of them and say what it took; imports are made before the clock starts."""
    for module in (
        "dicomweb_client",
        "pydicom",
        "veinscan.pacs.web",
        "veinscan.pacs.dimse",
        "veinscan.pacs.pull",
    ):
        importlib.import_module(module)
    studies = {uid: [Path(file) for file in files] for uid, files in json.loads(listing.read_text()).items()}
    before = memory_mb("VmRSS")
    began, cpu = time.perf_counter(), time.process_time()
    (PULLS | PUSHES)[name](studies, out)
    print(
        json.dumps(
            {
                "seconds": time.perf_counter() - began,
                "cpu": time.process_time() - cpu,
                "grown": memory_mb("VmHWM") - before,
            }
        )
    )


def memory_mb(what: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1]) / 1024
    return float("nan")


# -- around it -------------------------------------------------------------


@contextmanager
def archive_here(folder: Path) -> Iterator[None]:
    """Orthanc in this namespace, and a settings file that names it."""
    folder.mkdir()
    config = folder / "orthanc.json"
    config.write_text(json.dumps(orthanc_rig.configuration(folder, HTTP, DIMSE, MOVE)))
    settings = folder / "settings.toml"
    settings.write_text(f'[pacs.{ARCHIVE}]\nurl = "{REST}/dicom-web"\n')
    os.environ |= {"VEINSCAN_SETTINGS": str(settings), "VEINSCAN_DATA_DIR": str(folder / "data")}
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen(  # noqa: S603
            [orthanc_rig.orthanc_program(), str(config)], stdout=log, stderr=log,
            preexec_fn=orthanc_inside.die_with_parent,
        )  # fmt: skip
    try:
        while True:
            try:
                ask("/system")
                break
            except OSError:
                assert running.poll() is None, (folder / "log").read_text()
                time.sleep(0.02)
        yield
    finally:
        running.kill()
        running.wait()


def ask(path: str, data: bytes | None = None) -> bytes:
    with urllib.request.urlopen(f"{REST}{path}", data=data) as answer:  # noqa: S310  # loopback
        return answer.read()


def fill(studies: Studies) -> None:
    for files in studies.values():
        for file in files:
            ask("/instances", file.read_bytes())


def empty() -> None:
    held = json.loads(ask("/patients"))
    if held:
        ask("/tools/bulk-delete", json.dumps({"Resources": held}).encode())


def measure(name: str, listing: Path, root: Path) -> dict[str, float]:
    out = root / "out"
    shutil.rmtree(out, ignore_errors=True)
    shutil.rmtree(root / "archive" / "data", ignore_errors=True)
    done = subprocess.run(  # noqa: S603
        [sys.executable, __file__, "--worker", name, str(listing), str(out)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        sys.exit(f"{name}:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def in_turn(works: list[str], studies: Studies, root: Path, rounds: int, *, push: bool) -> None:
    listing = root / "listing.json"
    listing.write_text(json.dumps({uid: [str(file) for file in files] for uid, files in studies.items()}))
    size = sum(file.stat().st_size for files in studies.values() for file in files) / 1e6
    objects = sum(map(len, studies.values()))
    if not push:
        fill(studies)
    seen: dict[str, list[dict[str, float]]] = {name: [] for name in works}
    for turn in range(rounds):
        for name in works if turn % 2 == 0 else reversed(works):
            if push:
                empty()
            seen[name].append(measure(name, listing, root))
            if push:
                held = json.loads(ask("/statistics"))["CountInstances"]
                assert held == objects, f"{name}: {held} of {objects}"
    empty()
    ours = works[0]
    for name in works:
        seconds = [one["seconds"] for one in seen[name]]
        ratio = statistics.median(
            theirs / mine["seconds"] for theirs, mine in zip(seconds, seen[ours], strict=True)
        )
        print(
            f"  {name:34} {statistics.median(seconds):7.2f} s  {size / statistics.median(seconds):7.1f} MB/s"
            f"  {objects / statistics.median(seconds):7.0f} objects/s"
            f"  cpu {statistics.median(one['cpu'] for one in seen[name]):6.2f} s"
            f"  memory +{max(one['grown'] for one in seen[name]):5.0f} MB"
            + ("" if name == ours else f"  {ratio:5.2f} times the seconds of {ours}"),
            flush=True,
        )


def large_study(folder: Path, sizes_mb: list[int]) -> Studies:
    """One study of native cine clips of so many megabytes."""
    from many_studies import make_studies

    found: Studies = {}
    for number, size in enumerate(sizes_mb):
        rows, columns = 500, 800
        made = make_studies(
            folder / str(number), 1, seed=900 + number, kinds=("native",), shape=(rows, columns),
            n_frames=round(size * 1e6 / rows / columns),
        )  # fmt: skip
        found |= made
    return found


def small_studies(folder: Path) -> Studies:
    """20 studies of 20 objects each, 9 to 55 kB."""
    from many_studies import make_studies

    kinds = ("native", "jpeg", "rle", "implicit") * 5
    return make_studies(folder, 20, seed=800, kinds=kinds, shape=(96, 128))


def memory_curve(root: Path, count: int) -> None:
    from many_studies import make_studies

    from veinscan.pacs.connect import connect
    from veinscan.pacs.pull import pull

    studies = make_studies(root / "curve", count, seed=700, shape=(200, 320), n_frames=8)
    fill(studies)
    curve = []
    with connect(ARCHIVE) as archive:
        for number, uid in enumerate(studies, start=1):
            pull(archive, uid, root / "curve-out" / uid)
            if number in (1, 10, 30, 100, 200, 500, count):
                curve.append(f"{number}: {memory_mb('VmRSS'):.0f} MB")
    print("memory after n pulled studies, one process:", ", ".join(dict.fromkeys(curve)))
    empty()


def run(asked: argparse.Namespace) -> None:
    orthanc_inside.loopback_up()
    with tempfile.TemporaryDirectory() as place, archive_here(Path(place) / "archive"):
        root = Path(place)
        sets = {
            "small": lambda: small_studies(root / "small"),
            "cine4": lambda: large_study(root / "cine4", [4] * 10),
            "cine40": lambda: large_study(root / "cine40", [40] * 3),
        }
        for name, make in sets.items():
            if asked.only and asked.only != name:
                continue
            studies = make()
            files = [file for each in studies.values() for file in each]
            size = sum(file.stat().st_size for file in files)
            print(f"{name}: {len(studies)} studies, {len(files)} objects, {size / 1e6:.1f} MB, pull")
            in_turn(list(PULLS), studies, root, asked.rounds, push=False)
            print(f"{name}: push")
            in_turn(list(PUSHES), studies, root, asked.rounds, push=True)
        if asked.memory:
            memory_curve(root, asked.memory)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=["small", "cine4", "cine40", "none"])
    parser.add_argument("--memory", type=int, default=0, metavar="STUDIES", help="curve of memory")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.worker:
        name, listing, out = asked.worker
        worker(name, Path(listing), Path(out))
    elif asked.inside:
        run(asked)
    else:
        if reason := orthanc_rig.why_not():
            sys.exit(f"cannot run: {reason}")
        command = [*orthanc_rig.unshare_command(), sys.executable, *sys.argv, "--inside"]
        os.execvp(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main()
