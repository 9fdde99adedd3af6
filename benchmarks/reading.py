"""The reader against pydicom in the same run: process time, so that a busy machine distorts little.

    python benchmarks/reading.py [--real FOLDER] [--instances 2000] [--frames 1000] [--only NAME ...]

Prints one line a measurement with its goal.  `docs/reading.md` holds results.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "dicom"))

JPEG = "1.2.840.10008.1.2.4.50"


def long_clip(path: Path, frames: int, rows: int, columns: int, *, quality: int = 90) -> Path:
    """A long JPEG clip (YBR_FULL_422) of the phantom's colour frames, enlarged."""
    import cv2
    import imagecodecs
    from us_files import region, save_compressed, us

    from veinscan.dicom import open_study

    sample = open_study(Path(__file__).resolve().parents[1] / "sample_data" / "baseline" / "0003_colour.dcm")
    coded = []
    for i in range(sample.clips[0].n_frames):
        picture = cv2.resize(sample.clips[0].frame(i), (columns, rows), interpolation=cv2.INTER_CUBIC)
        coded.append(imagecodecs.jpeg8_encode(np.ascontiguousarray(picture), quality, subsampling="422"))
    dataset = us(frames, rows, columns, photometric="YBR_FULL_422", regions=[region()])
    return save_compressed(dataset, path, [coded[i % len(coded)] for i in range(frames)], JPEG)


def cpu(work, repeats: int) -> float:
    """Least process seconds of several runs."""
    best = float("inf")
    for _ in range(repeats):
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
    return best


def first_frame(path: Path) -> str:
    import pydicom
    from pydicom.pixels import pixel_array

    from veinscan.dicom import open_study

    ours = cpu(lambda: open_study(path).clips[0].frame(0), 7)
    theirs = cpu(lambda: pixel_array(path), 2)
    header = cpu(lambda: pydicom.dcmread(path, stop_before_pixels=True), 5)
    return (
        f"{1000 * ours:.1f} ms, pydicom's pixel_array of the clip {1000 * theirs:.0f} ms:"
        f" {theirs / ours:.0f}x (goal 20x; pydicom's header alone {1000 * header:.1f} ms)"
    )


def alternating(
    works: dict[str, Callable[[], object]], rounds: int, clock: Callable[[], float] = time.process_time
) -> dict[str, float]:
    """Median seconds of each of several works, done in turn: what disturbs one disturbs all."""
    seen: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            began = clock()
            work()
            seen[name].append(clock() - began)
    return {name: float(np.median(values)) for name, values in seen.items()}


def per_frame(path: Path, count: int = 60) -> str:
    """Frames one after another, each dropped before the next, as `iter_pixels` is made for.

    'the codec alone' is libjpeg-turbo on bytes in memory, into an array that
    is used again: nothing can be faster in one thread.
    """
    import imagecodecs
    import pydicom
    from pydicom.pixels import iter_pixels

    from veinscan.dicom import open_study

    dataset = pydicom.dcmread(path)
    clip = open_study(path).clips[0]
    indices = list(range(min(count, clip.n_frames)))
    worst = 0
    for i, wanted in zip(indices, iter_pixels(dataset, indices=indices), strict=True):
        worst = max(worst, int(np.abs(clip.frame(i).astype(int) - wanted.astype(int)).max()))
    facts = clip._facts
    coded = [facts.frames.read(facts.source, i) for i in indices]
    array = np.empty(clip.shape[1:], np.uint8)

    def step(frames: Iterable[object]) -> None:
        for _ in frames:
            pass

    def codec() -> None:
        for data in coded:
            imagecodecs.jpeg8_decode(data, colorspace="YCBCR", outcolorspace="RGB", out=array)

    theirs = "pydicom's iter_pixels"
    works: dict[str, Callable[[], object]] = {
        "veinscan": lambda: step(clip._reader.decode(i) for i in indices),
        theirs: lambda: step(iter_pixels(dataset, indices=indices)),
        "the codec alone": codec,
    }
    used = alternating(works, 7)
    walls = alternating(
        {
            "clip": lambda: step(map(open_study(path).clips[0].frame, indices)),
            theirs: lambda: step(iter_pixels(dataset, indices=indices)),
        },
        5,
        time.monotonic,
    )
    told = ", ".join(f"{name} {1000 * value / len(indices):.2f} ms" for name, value in used.items())
    return (
        f"{told} a frame of process time: {used[theirs] / used['veinscan']:.1f}x (goal 8x,"
        f" with the codec alone {used[theirs] / used['the codec alone']:.1f}x),"
        f" at most {worst} grey level apart (goal 1);"
        f" stepping through clip.frame, which decodes ahead in two threads, and keeping the frames:"
        f" {1000 * walls['clip'] / len(indices):.2f} ms of wall time against"
        f" {1000 * walls[theirs] / len(indices):.2f} ms: {walls[theirs] / walls['clip']:.1f}x"
    )


def folder_of(folder: Path, instances: int) -> None:
    """Small instances with headers as large as scanners write them."""
    import imagecodecs
    from us_files import region, save_compressed, speckle, us

    coded = [imagecodecs.jpeg8_encode(speckle()[0], 90)]
    for i in range(instances):
        dataset = us(regions=[region(), region(RegionDataType=2)], InstanceNumber=i + 1)
        dataset.ImageComments = "x" * 200
        dataset.ContentDate, dataset.ContentTime = (
            "20250101",
            f"{8 + i // 3600:02}{i // 60 % 60:02}{i % 60:02}",
        )
        save_compressed(dataset, folder / f"{i // 500}" / f"{i:06}.dcm", coded, JPEG)


def opening(folder: Path, instances: int) -> str:
    from veinscan.dicom import open_study

    calls: list[tuple[int, int]] = []
    open_study(folder)  # warm
    began, began_cpu = time.monotonic(), time.process_time()
    study = open_study(folder, progress=lambda done, total: calls.append((done, total)))
    wall, used = time.monotonic() - began, time.process_time() - began_cpu
    assert len(study.clips) == instances
    assert calls[-1] == (instances, instances)
    return (
        f"{instances / wall:.0f} files/s of wall time (goal 200), {instances / used:.0f} of process time,"
        f" {len(calls)} calls of progress"
    )


def stepping(path: Path) -> str:
    """Peak memory of a process of its own, above a bare interpreter."""
    base = int(subprocess.check_output([sys.executable, "-c", _PEAK], text=True))  # noqa: S603
    code = (
        "import sys\nfrom veinscan.dicom import open_study\nclip = open_study(sys.argv[1]).clips[0]\n"
        "for i in range(clip.n_frames):\n    clip.frame(i)\n" + _PEAK
    )
    peak = int(subprocess.check_output([sys.executable, "-c", code, str(path)], text=True))  # noqa: S603
    return f"{(peak - base) / 1024:.0f} MB above the interpreter (goal 400)"


# ru_maxrss is handed down from the parent process, VmHWM is not
_PEAK = "print(next(l.split()[1] for l in open('/proc/self/status') if l.startswith('VmHWM')))\n"


def together(path: Path) -> str:
    """Wall time of decoding in two threads against one after the other: decoders let go of the lock."""
    from veinscan.dicom import open_study

    clip = open_study(path).clips[0]
    half = min(60, clip.n_frames) // 2

    def run(indices: range) -> None:
        for i in indices:
            clip._reader.decode(i)

    began = time.monotonic()
    run(range(2 * half))
    one = time.monotonic() - began
    threads = [threading.Thread(target=run, args=(range(k * half, (k + 1) * half),)) for k in (0, 1)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    two = time.monotonic() - began
    return f"one thread {one:.2f} s, two {two:.2f} s of wall time: {one / two:.2f}x"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--real", type=Path, default=Path("../shared/data/real-us"))
    parser.add_argument("--instances", type=int, default=2000)
    parser.add_argument("--frames", type=int, default=1000)
    parser.add_argument("--only", nargs="*", default=["first", "frame", "folder", "memory", "threads"])
    given = parser.parse_args()
    print("load", json.dumps([round(v, 1) for v in os.getloadavg()]), "cores", os.cpu_count(), flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        clips = {"1024 x 768, 200 frames": long_clip(Path(scratch) / "long.dcm", 200, 768, 1024)}
        real = given.real / "ge-voluson-s-jpeg-87f.dcm"
        if real.is_file():
            clips["Voluson, 743 x 975, 87 frames"] = real
        for name, path in clips.items():
            if "first" in given.only:
                print(f"first frame, {name}: {first_frame(path)}", flush=True)
            if "frame" in given.only:
                print(f"decode, {name}: {per_frame(path)}", flush=True)
            if "threads" in given.only:
                print(f"two threads, {name}: {together(path)}", flush=True)
        if "folder" in given.only:
            folder_of(Path(scratch) / "many", given.instances)
            print(
                f"folder of {given.instances}: {opening(Path(scratch) / 'many', given.instances)}", flush=True
            )
        if "memory" in given.only:
            path = long_clip(Path(scratch) / "thousand.dcm", given.frames, 768, 1024)
            print(f"stepping through {given.frames} frames of 1024 x 768: {stepping(path)}", flush=True)
    print("peak of this process", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, "MB")


if __name__ == "__main__":
    main()
