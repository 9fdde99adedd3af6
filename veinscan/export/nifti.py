"""NIfTI: a clip and its labels as `(column, row, 1, frame)`, with time as time.

The fourth axis is time in seconds (`pixdim[4]`, `xyzt_units`), never depth:
the third has one plane, whose thickness nobody knows, so that it is 1 and
the sidecar says that it means nothing.  There is no patient's frame of
reference in ultrasound: qform and sform codes are 0 ('arbitrary', NIfTI-1
method 1), and the affine holds pixel sizes alone.
"""

from __future__ import annotations

import gzip
from typing import Any

import numpy as np
import numpy.typing as npt

from veinscan.export.extra import installed
from veinscan.export.folder import ExportFolder, json_bytes
from veinscan.export.model import WrittenFile
from veinscan.export.pictures import LABELS, clean_frame, label_mask
from veinscan.export.study import ClipCase, StudyCase

FOLDER = "nifti"
_RGB = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])


def write_case(case: StudyCase, folder: ExportFolder) -> list[WrittenFile]:
    """`<clip>_image.nii.gz`, `<clip>_label.nii.gz` and a sidecar for every clip with pixels."""
    files = []
    for clip in case.clips:
        if not clip.has_pixels:
            continue
        path = f"{FOLDER}/{clip.name}"
        times = clip.clip.frame_times_s
        step, even = _time_step(times)
        spacing = clip.clip.spacing_mm
        files.append(folder.write(f"{path}_image.nii.gz", _packed(_image(clip), spacing, step)))
        files.append(folder.write(f"{path}_label.nii.gz", _packed(_labels(clip), spacing, step)))
        sidecar = {
            "clip": clip.name,
            "axes": ["column", "row", "plane (one, without a thickness)", "time"],
            "spacing_mm": None if spacing is None else {"row": spacing[0], "column": spacing[1]},
            "frame_times_s": None if times is None else [round(float(t), 6) for t in times],
            "time_step_s": step,
            "time_is_even": even,
            "labels": LABELS,
            "labelled_frames": list(clip.frames),
            "negative": clip.negative,
        }
        files.append(folder.write(f"{path}.json", json_bytes(sidecar, indent=1)))
    return files


def _time_step(times: npt.NDArray[np.float64] | None) -> tuple[float | None, bool]:
    """Mean seconds between frames, and whether all steps are that long (to a thousandth)."""
    if times is None or len(times) < 2:
        return None, True
    steps = np.diff(times)
    mean = float(steps.mean())
    return round(mean, 9), bool(np.all(np.abs(steps - mean) <= 1e-3 * max(mean, 1e-9)))


def _image(clip: ClipCase) -> npt.NDArray[Any]:
    rows, columns, count = clip.clip.rows, clip.clip.columns, clip.clip.n_frames
    colour = len(clip.clip.shape) == 4
    out = np.zeros((columns, rows, 1, count), _RGB if colour else np.uint8)
    for index in range(count):
        frame = clean_frame(clip, index)
        if colour:
            turned = np.ascontiguousarray(frame.transpose(1, 0, 2)).view(_RGB)
            out[:, :, :, index] = turned.reshape(columns, rows, 1)
        else:
            out[:, :, 0, index] = frame.T
    return out


def _labels(clip: ClipCase) -> npt.NDArray[np.uint8]:
    rows, columns = clip.clip.rows, clip.clip.columns
    out = np.zeros((columns, rows, 1, clip.clip.n_frames), np.uint8)
    for index in clip.frames:
        marks = [mark for mark in clip.marks if mark.frame_index == index]
        out[:, :, 0, index] = label_mask(marks, rows, columns).T
    return out


def _packed(
    data: npt.NDArray[Any], spacing_mm: tuple[float, float] | None, time_step_s: float | None
) -> bytes:
    """The bytes of a .nii.gz without name and time of writing."""
    nib = installed("nibabel")
    row_mm, col_mm = spacing_mm or (1.0, 1.0)
    image = nib.Nifti1Image(data, np.diag([col_mm, row_mm, 1.0, 1.0]))
    header = image.header
    header.set_zooms((col_mm, row_mm, 1.0, time_step_s or 0.0))
    header.set_xyzt_units("mm" if spacing_mm is not None else 0, "sec" if time_step_s else 0)
    image.set_qform(None, code=0)
    image.set_sform(None, code=0)
    header["descrip"] = b"veinscan: axis 4 is time, axis 3 has no thickness"
    return gzip.compress(image.to_bytes(), compresslevel=6, mtime=0)
