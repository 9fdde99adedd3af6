"""The whole way on the sample study: open, find, mark a target, save, reopen, print the plan.

python tools/run_sample.py build/run

Works on a copy, so that sample_data/ stays as it was made.  With a display it
ends by opening the window on that copy.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

import veinscan
from veinscan.candidates import find_in_clip
from veinscan.plan.editing import add_target, target_at_point
from veinscan.report.pictures import draw_overlay, save_png

SAMPLE = Path(__file__).resolve().parents[1] / "sample_data" / "baseline"
console = Console(highlight=False)


def fresh_copy(folder: Path) -> Path:
    """The sample study, copied to `folder`/study; what an earlier run left there goes."""
    study_folder = folder / "study"
    if study_folder.exists():
        shutil.rmtree(study_folder)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(SAMPLE, study_folder)
    return study_folder


def find_all(study: veinscan.Study, pictures: Path) -> None:
    """Candidates in every clip, each clip's best frame drawn to `pictures`."""
    pictures.mkdir(exist_ok=True)
    lines = []
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    ) as bar:
        for clip in study.clips:
            task = bar.add_task(f"Finding candidates in {clip.file}", total=clip.n_frames)
            found = find_in_clip(
                clip, progress=lambda done, total, task=task: bar.update(task, completed=done, total=total)
            )
            bar.update(task, completed=clip.n_frames, total=clip.n_frames)
            lines.append(
                f"  {clip.file} ({clip.kind}, {clip.n_frames} frames): {len(found.candidates)} candidates"
            )
            lines += [
                f"    {c.rank}. diameter {c.diameter_mm:.1f} mm, depth {c.depth_mm:.1f} mm,"
                f" score {c.score:.2f}, best on frame {c.best_frame}"
                for c in found.candidates[:3]
            ]
            lines += [f"    {warning}" for warning in found.warnings]
            if found.candidates:
                best = found.candidates[0].best_frame
                shown = [c for c in found.candidates if best in c.frame_indices]
                picture = draw_overlay(
                    clip.frame(best),
                    shown,
                    frame_index=best,
                    spacing_mm=clip.spacing_mm,
                    box=clip.picture_region and clip.picture_region.box,
                )
                save_png(pictures / f"{Path(clip.file).stem}.png", picture)
    console.print("\n".join(lines))


def main(folder: Path) -> None:
    """Run every step and say where the results are."""
    study_folder = fresh_copy(folder)
    study = veinscan.open_study(study_folder)
    console.print(f"Opened {study_folder}: {len(study.clips)} clips, {len(study.skipped)} files skipped")
    find_all(study, folder / "pictures")

    scripted = json.loads((study_folder / "truth.json").read_text())["scripted_target"]
    reader = veinscan.Reader(name="DEMO")
    target = target_at_point(
        study.clip(scripted["file"]),
        scripted["frame_index"],
        tuple(scripted["point"]),
        reader,
        side=scripted["side"],
        vein=scripted["vein"],
        notes=scripted["notes"],
    )
    record = add_target(veinscan.load_record(study), target)
    saved = veinscan.save_record(study, record, reader)
    console.print(f"Saved the scripted target as reader '{reader.name}': {saved.path}")

    study = veinscan.open_study(study_folder)
    record = veinscan.load_record(study)
    console.print(f"Reopened: version {record.version}, {len(record.targets)} target")
    for t in record.targets:
        measures = ", ".join(
            f"{name} {value:.1f} mm"
            for name, value in (("diameter", t.diameter_mm), ("depth", t.depth_mm))
            if value is not None
        )
        console.print(
            f"  target {t.order} on {study.clip(t.sop_instance_uid).file} frame {t.frame_index}"
            f" at row {t.point[0]:.1f}, column {t.point[1]:.1f}: {t.side} {t.vein}, {measures}"
            f" (marked by {t.marked_by})"
        )
    report = veinscan.write_report(study, record, folder / "plan.pdf")
    console.print(f"Pictures: {folder / 'pictures'}\nPlan:     {report.path}")

    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        console.print("Opening the window on this study")
        subprocess.run([sys.executable, "-m", "veinscan", "open", str(study_folder)], check=True)
    else:
        console.print(f"No display here; with one: veinscan open {study_folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
