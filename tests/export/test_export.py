"""The data set as a whole: nobody in it, the same bytes again, refused, resumed, split, counted."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import nibabel as nib
import numpy as np
import pytest
from export_samples import KEY, Sources
from hypothesis import given
from hypothesis import strategies as st
from planted import BOX, leaks

import veinscan
from veinscan.deidentify import Dates, Options, ProjectKey
from veinscan.errors import CancelledError, InvalidInputError
from veinscan.export import (
    Done,
    Exported,
    ExportOptions,
    Format,
    Job,
    Split,
    export_studies,
    item_of,
    split_patients,
)
from veinscan.export.run import one_after_the_other


def tree(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


# --- nobody in it


def test_nobody_is_in_an_export(sources: Sources, exported: Exported) -> None:
    for planted in sources.planted:
        assert leaks(planted.folder, planted)  # the search finds them where they are
        assert leaks(exported.folder, planted) == []


def test_every_decoded_banner_is_black(exported: Exported) -> None:
    row0, col0, row1, col1 = BOX
    looked = Counter[str]()

    def check(frame: np.ndarray, kind: str) -> None:
        outside = np.array(frame)
        assert outside[row0:row1, col0:col1].any()
        outside[row0:row1, col0:col1] = 0
        assert not outside.any(), kind
        looked[kind] += 1

    for path in exported.folder.rglob("*"):
        if path.suffix == ".png" and path.parent.name.startswith("images"):
            check(cv2.imread(str(path)), path.parent.parent.name[:4])
        elif path.name.endswith("_image.nii.gz"):
            for frame in np.moveaxis(np.asarray(nib.load(path).dataobj), 3, 0):
                check(frame[:, :, 0].T, "nifti")
        elif path.suffix == ".dcm" and path.parent.name.startswith("P-"):
            (clip,) = veinscan.open_study(path).clips
            for index in range(clip.n_frames):
                check(clip.frame(index), "dicom")
    assert set(looked) == {"coco", "Data", "nifti", "dicom"} and min(looked.values()) >= 10


def test_a_baseline_and_its_follow_up_stay_together(sources: Sources, exported: Exported) -> None:
    assert sources.items[3].patient == sources.items[4].patient
    assert sources.items[3].name != sources.items[4].name
    plans = [
        json.loads((exported.folder / "json" / f"{item.name}.json").read_text()) for item in sources.items[3:]
    ]
    assert plans[0]["split"] == plans[1]["split"]
    assert json.loads((exported.folder / "splits.json").read_text()).keys() == {
        item.patient for item in sources.items
    }


def test_nobody_goes_back_without_the_key(sources: Sources, exported: Exported) -> None:
    """Without the key the very same list of patients gives other names."""
    other = ProjectKey(b"x" * 32)
    names = {item_of(veinscan.open_study(one.folder), other).name for one in sources.planted}
    assert names.isdisjoint(item.name for item in sources.items)


def test_dates_can_be_left_out(sources: Sources, tmp_path: Path) -> None:
    options = ExportOptions(formats=(Format.JSON, Format.DICOM_SR), deidentify=Options(dates=Dates.REMOVED))
    found = export_studies(sources.items[:1], tmp_path / "set", options, KEY)
    (path,) = (found.folder / "json").iterdir()
    plan = json.loads(path.read_text())["readings"][0]["plan"]
    assert plan["targets"][0]["marked_at"] is None and plan["reviews"][0]["reviewed_at"] is None
    (study,) = (found.folder / "dicom").iterdir()
    header = veinscan.open_study(study).header()
    assert header.StudyDate == "" and header.LongitudinalTemporalInformationModified == "REMOVED"


# --- the same bytes, whatever happens in between


def test_two_exports_are_equal(
    sources: Sources, exported: Exported, all_formats: ExportOptions, tmp_path: Path
) -> None:
    again = export_studies(list(reversed(sources.items)), tmp_path / "again", all_formats, KEY)
    assert tree(again.folder) == tree(exported.folder)
    assert not (again.folder / ".parts").exists() and not (again.folder / ".export.json").exists()


def test_an_interrupted_export_goes_on(
    sources: Sources, exported: Exported, all_formats: ExportOptions, tmp_path: Path
) -> None:
    done: list[str] = []

    def only_some(jobs: Sequence[Job]) -> Iterator[Done]:
        for count, result in enumerate(one_after_the_other(jobs)):
            done.append(result.name)
            yield result
            if count == 1:
                raise CancelledError("stopped")

    folder = tmp_path / "set"
    with pytest.raises(CancelledError):
        export_studies(sources.items, folder, all_formats, KEY, runner=only_some)
    with pytest.raises(InvalidInputError, match="other studies or options"):
        export_studies(sources.items[:2], folder, all_formats, KEY)
    with pytest.raises(InvalidInputError, match="other studies or options"):
        export_studies(sources.items, folder, all_formats, ProjectKey(b"y" * 32))
    for place in (folder / "coco" / "images", folder):  # what a process that was killed leaves behind
        (place / ".veinscan-0123abcd-77-89abcdef.tmp").write_bytes(b"half a file")
    started: list[str] = []

    def watched(jobs: Sequence[Job]) -> Iterator[Done]:
        started.extend(job.item.name for job in jobs)
        return one_after_the_other(jobs)

    export_studies(sources.items, folder, all_formats, KEY, runner=watched)
    assert not list(folder.rglob("*.tmp"))
    assert sorted([*started, *done]) == sorted(item.name for item in sources.items)
    assert tree(folder) == tree(exported.folder)


def test_a_folder_that_is_not_empty_is_refused(sources: Sources, exported: Exported, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    options = ExportOptions()
    with pytest.raises(InvalidInputError, match="not empty"):
        export_studies(sources.items, tmp_path, options, KEY)
    with pytest.raises(InvalidInputError, match="finished export"):
        export_studies(sources.items, exported.folder, options, KEY)
    with pytest.raises(InvalidInputError, match="this is a file"):
        export_studies(sources.items, tmp_path / "mine.txt", options, KEY)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_study_that_fails_is_told_and_tried_again(sources: Sources, tmp_path: Path) -> None:
    def one_fails(jobs: Sequence[Job]) -> Iterator[Done]:
        for count, job in enumerate(jobs):
            yield (
                Done(job.item.name, reason="it was the first")
                if count == 0
                else next(iter(one_after_the_other([job])))
            )

    options = ExportOptions(formats=(Format.CSV,))
    folder = tmp_path / "set"
    first = export_studies(sources.items, folder, options, KEY, runner=one_fails)
    assert [reason for _, reason in first.failed] == ["it was the first"]
    assert json.loads((folder / "dataset.json").read_text())["counts"]["failed"] == 1
    second = export_studies(sources.items, folder, options, KEY)
    whole = export_studies(sources.items, tmp_path / "whole", options, KEY)
    assert not second.failed and tree(second.folder) == tree(whole.folder)


def test_a_study_given_twice_is_refused(sources: Sources, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="given twice"):
        export_studies([sources.items[0]] * 2, tmp_path / "set", ExportOptions(), KEY)
    with pytest.raises(InvalidInputError, match="no study"):
        export_studies([], tmp_path / "set", ExportOptions(), KEY)


# --- what it says of itself


def test_checksums_are_those_of_the_files(exported: Exported) -> None:
    lines = (exported.folder / "checksums.sha256").read_text().splitlines()
    told = {path: digest for digest, path in (line.split("  ", 1) for line in lines)}
    found = tree(exported.folder)
    assert set(found) - set(told) == {"checksums.sha256", "dataset.json"}
    assert all(found[path] == digest for path, digest in told.items())
    dataset = json.loads((exported.folder / "dataset.json").read_text())
    assert dataset["checksums"]["sha256"] == found["checksums.sha256"]


def test_the_data_set_says_what_it_is(exported: Exported) -> None:
    dataset = json.loads((exported.folder / "dataset.json").read_text())
    assert dataset["veinscan"] == veinscan.__version__ and dataset["parameters"]["seed"] == 0
    assert dataset["thresholds"]["profile"]
    counts = dataset["counts"]
    assert (counts["patients"], counts["studies"], counts["clips"], counts["negative_clips"]) == (4, 5, 10, 5)
    assert counts["marks"] == {"candidate_accepted": 5, "target": 5}
    assert exported.cases == 10
    assert str(KEY.secret.hex()) not in json.dumps(dataset)


# --- splits


@given(
    st.lists(st.text("ABCDEF", min_size=1, max_size=4), max_size=60),
    st.integers(0, 5),
    st.sampled_from([(0.7, 0.15, 0.15), (1.0, 0.0, 0.0), (0.5, 0.25, 0.25), (0.0, 0.5, 0.5)]),
)
def test_a_patient_is_in_one_split_and_shares_are_kept(
    patients: list[str], seed: int, fractions: tuple[float, float, float]
) -> None:
    found = split_patients(patients, fractions, seed)
    assert found == split_patients(reversed(patients), fractions, seed)
    assert set(found) == set(patients)
    counts = Counter(found.values())
    for split, share in zip(Split, fractions, strict=True):
        assert abs(counts[split] - share * len(found)) <= 1
    if found and fractions[0]:
        assert counts[Split.TRAIN]


def test_another_seed_splits_otherwise() -> None:
    patients = [f"P-{n}" for n in range(40)]
    assert split_patients(patients, (0.7, 0.15, 0.15), 1) != split_patients(patients, (0.7, 0.15, 0.15), 2)


def test_why_a_study_failed_names_no_file_and_no_uid(sources: Sources, tmp_path: Path) -> None:
    """The person at the machine is told which file; the export is not."""
    planted = sources.planted[0]
    folder = tmp_path / "in" / planted.folder.name
    shutil.copytree(planted.folder, folder)
    item = item_of(veinscan.open_study(folder), KEY)
    for path in folder.glob("*.dcm"):
        path.write_bytes(path.read_bytes()[:300])
    found = export_studies([item], tmp_path / "set", ExportOptions(formats=(Format.CSV,)), KEY)
    ((_, reason),) = found.failed
    assert planted.needles["patient id"] in reason  # in its file's name
    assert leaks(found.folder, planted) == []
    assert "no ultrasound image" in (found.folder / "not_judged.json").read_text()
