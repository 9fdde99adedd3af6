"""Every format as the tools of its field read it."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import warnings
from contextlib import redirect_stdout
from pathlib import Path

import cv2
import highdicom as hd
import nibabel as nib
import numpy as np
import pyarrow.parquet as pq
import pydicom
import pytest
from export_samples import KEY, Sources
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pycocotools.coco import COCO

import veinscan
from veinscan.deidentify.record import deidentify_record
from veinscan.export import Exported, ExportOptions
from veinscan.export.coco import run_lengths
from veinscan.export.study import StudyCase, study_case
from veinscan.export.table_columns import table_columns
from veinscan.export.table_files import dictionary_text, neutral
from veinscan.plan.exchange import parse_plan
from veinscan.record import load_record
from veinscan.record.segmentation import mask_of

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def case(sources: Sources, all_formats: ExportOptions) -> StudyCase:
    """What the first study should look like."""
    return study_case(veinscan.open_study(sources.planted[0].folder), KEY, all_formats)


def opened(path: Path) -> COCO:
    with redirect_stdout(io.StringIO()):
        return COCO(str(path))


def decoded(coco: COCO, annotation: dict[str, object]) -> np.ndarray:
    with warnings.catch_warnings():
        # pycocotools has not yet followed NumPy 2 in how arrays are copied
        warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
        return coco.annToMask(annotation).astype(bool)


# --- COCO


def test_coco_loads_and_holds_the_outlines(exported: Exported, case: StudyCase) -> None:
    coco = opened(exported.folder / "coco" / "instances.json")
    assert [entry["name"] for entry in coco.loadCats(coco.getCatIds())] == [
        "target", "candidate_accepted", "candidate_rejected", "vessel_unknown",
    ]  # fmt: skip
    images = {image["file_name"]: image for image in coco.loadImgs(coco.getImgIds())}
    on_disk = {path.name for path in (exported.folder / "coco" / "images").iterdir()}
    assert set(images) == on_disk and len(images) == 25
    marks = {(clip.name, mark.frame_index): mark for clip in case.clips for mark in clip.marks}
    assert len(marks) == 2
    for (clip, frame), mark in marks.items():
        image = images[f"{clip}_f{frame:04d}.png"]
        (annotation,) = coco.loadAnns(coco.getAnnIds(imgIds=image["id"]))
        expected = mask_of(mark.outline, image["height"], image["width"])
        found = decoded(coco, annotation)
        assert (found & expected).sum() / (found | expected).sum() > 0.9
        assert annotation["area"] == expected.sum()
        x, y, width, height = annotation["bbox"]
        rows, cols = np.nonzero(expected)
        assert abs(x - cols.min()) <= 1.5 and abs(x + width - (cols.max() + 1)) <= 1.5
        assert abs(y - rows.min()) <= 1.5 and abs(y + height - (rows.max() + 1)) <= 1.5


def test_run_lengths_are_the_masks_exactly(exported: Exported, case: StudyCase) -> None:
    coco = opened(exported.folder / "coco" / "instances_rle.json")
    masks = [mask_of(m.outline, c.clip.rows, c.clip.columns) for c in case.clips for m in c.marks]
    names = {c.name for c in case.clips}
    videos = {v["id"] for v in coco.dataset["videos"] if v["name"] in names}
    mine = [a for a in coco.dataset["annotations"] if a["video_id"] in videos]
    assert len(mine) == len(masks)
    for annotation, mask in zip(mine, masks, strict=True):
        assert np.array_equal(decoded(coco, annotation), mask)


@given(hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12)))
def test_run_lengths_go_back(mask: np.ndarray) -> None:
    lengths = run_lengths(mask)
    values = np.repeat(np.arange(len(lengths)) % 2, lengths)
    assert np.array_equal(values.reshape(mask.shape, order="F").astype(bool), mask)


def test_an_empty_clip_that_was_searched_is_a_negative(exported: Exported, case: StudyCase) -> None:
    coco = opened(exported.folder / "coco" / "instances.json")
    negative = case.clips[1]
    assert negative.negative and not negative.marks
    video = next(v for v in coco.dataset["videos"] if v["name"] == negative.name)
    assert video["negative"]
    images = [image for image in coco.dataset["images"] if image["video_id"] == video["id"]]
    assert len(images) == 3
    assert not coco.getAnnIds(imgIds=[image["id"] for image in images])


def test_splits_of_coco_share_no_patient_and_nothing_is_lost(exported: Exported) -> None:
    whole = opened(exported.folder / "coco" / "instances.json")
    parts = [
        opened(exported.folder / "coco" / f"instances_{s}.json") for s in ("train", "validation", "test")
    ]
    patients = [{image["patient"] for image in part.dataset["images"]} for part in parts]
    assert sum(len(one) for one in patients) == len(set().union(*patients)) == 4
    assert sorted(i for part in parts for i in part.getImgIds()) == sorted(whole.getImgIds())
    assert sorted(i for part in parts for i in part.getAnnIds()) == sorted(whole.getAnnIds())


# --- nnU-Net


def test_nnunet_is_laid_out_as_it_wants(exported: Exported) -> None:
    root = exported.folder / "Dataset001_veinscan"
    dataset = json.loads((root / "dataset.json").read_text())
    assert dataset["labels"] == {"background": 0, "vein": 1, "artery": 2} and dataset["file_ending"] == ".png"
    images = {path.name.removesuffix("_0000.png") for path in (root / "imagesTr").iterdir()}
    labels = {path.stem for path in (root / "labelsTr").iterdir()}
    assert images == labels and len(images) == dataset["numTraining"]
    (fold,) = json.loads((root / "splits_final.json").read_text())
    assert {*fold["train"], *fold["val"]} == images and not set(fold["train"]) & set(fold["val"])
    tests = {path.stem for path in (root / "labelsTs").iterdir()} if (root / "labelsTs").is_dir() else set()
    assert len(images | tests) == 25
    veins = 0
    for path in (root / "labelsTr").iterdir():
        mask = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        image = cv2.imread(str(root / "imagesTr" / f"{path.stem}_0000.png"), cv2.IMREAD_UNCHANGED)
        assert image.shape == (*mask.shape, 3) and set(np.unique(mask)) <= {0, 1}
        veins += bool(mask.any())
    assert veins >= 4


# --- NIfTI


def test_nifti_is_honest_about_time(exported: Exported, case: StudyCase) -> None:
    for clip in case.clips:
        image = nib.load(exported.folder / "nifti" / f"{clip.name}_image.nii.gz")
        label = nib.load(exported.folder / "nifti" / f"{clip.name}_label.nii.gz")
        assert image.shape == label.shape == (clip.clip.columns, clip.clip.rows, 1, clip.clip.n_frames)
        assert image.header.get_xyzt_units() == ("mm", "sec")
        np.testing.assert_allclose(image.header.get_zooms(), (0.2, 0.2, 1.0, 0.04), rtol=1e-6)
        assert int(image.header["qform_code"]) == int(image.header["sform_code"]) == 0
        np.testing.assert_allclose(np.abs(np.diag(image.affine))[:3], (0.2, 0.2, 1.0), rtol=1e-6)
        sidecar = json.loads((exported.folder / "nifti" / f"{clip.name}.json").read_text())
        assert sidecar["frame_times_s"] == [0.0, 0.04, 0.08] and sidecar["labelled_frames"] == list(
            clip.frames
        )
        for mark in clip.marks:
            expected = mask_of(mark.outline, clip.clip.rows, clip.clip.columns)
            found = np.asarray(label.dataobj)[:, :, 0, mark.frame_index].T
            assert np.array_equal(found == 1, expected)
        row0, col0, row1, col1 = clip.keep.boxes[0]
        frame = np.asarray(image.dataobj)[:, :, 0, 2].T
        assert np.array_equal(frame[row0:row1, col0:col1], clip.clip.frame(2)[row0:row1, col0:col1])


def test_a_colour_clip_stays_in_colour_in_nifti(tmp_path: Path) -> None:
    from veinscan.export import Format, export_studies, item_of

    study = veinscan.open_study(ROOT / "sample_data" / "baseline" / "0004_duplex.dcm")
    options = ExportOptions(formats=(Format.NIFTI,))
    found = export_studies([item_of(study, KEY)], tmp_path / "set", options, KEY)
    image = nib.load(next((found.folder / "nifti").glob("*_image.nii.gz")))
    frame = np.asarray(image.dataobj)[:, :, 0, 0].T
    original = study.clips[0].frame(0)
    row0, col0, row1, col1 = study.clips[0].regions[0].box
    for channel, name in enumerate("RGB"):
        assert np.array_equal(frame[name][row0:row1, col0:col1], original[row0:row1, col0:col1, channel])


# --- DICOM


def test_exported_dicom_opens_as_a_study_with_its_record(
    exported: Exported, case: StudyCase, sources: Sources
) -> None:
    study = veinscan.open_study(exported.folder / "dicom" / case.name)
    assert study.study_instance_uid == case.study_instance_uid
    assert {clip.sop_instance_uid for clip in study.clips} == {clip.sop_instance_uid for clip in case.clips}
    record = load_record(study, reading_id=case.readings[0].record.reading.id)
    original = load_record(veinscan.open_study(sources.planted[0].folder))
    expected = deidentify_record(original, case.identity)
    assert record.targets == expected.targets and record.reviews == expected.reviews
    assert record.searches == expected.searches and record.sessions == expected.sessions


def test_segmentations_point_at_the_images_of_the_export(exported: Exported, case: StudyCase) -> None:
    folder = exported.folder / "dicom" / case.name
    images = {str(pydicom.dcmread(p, stop_before_pixels=True).SOPInstanceUID) for p in folder.glob("*.dcm")}
    (path,) = (folder / "segmentations").iterdir()
    segmentation = hd.seg.segread(path)
    marks = [mark for clip in case.clips for mark in clip.marks]
    assert segmentation.number_of_segments == len(marks) == 2
    (series,) = segmentation.ReferencedSeriesSequence
    (source,) = {item.ReferencedSOPInstanceUID for item in series.ReferencedInstanceSequence}
    assert source in images
    target = next(mark for mark in marks if mark.category == "target")
    mask = segmentation.get_pixels_by_source_frame(
        source, [target.frame_index + 1], segment_numbers=[1], ignore_spatial_locations=False,
        assert_missing_frames_are_empty=True,
    )[0, :, :, 0]  # fmt: skip
    clip = case.clips[0].clip
    assert np.array_equal(mask.astype(bool), mask_of(target.outline, clip.rows, clip.columns))


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy is not installed")
def test_dicom_objects_are_valid(exported: Exported, case: StudyCase) -> None:
    paths = sorted((exported.folder / "dicom" / case.name).rglob("*.dcm"))
    assert len(paths) == 4
    for path in paths:
        said = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False).stderr
        assert not [line for line in said.splitlines() if line.startswith("Error")], said


# --- tables


def rows_in(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_csv_and_parquet_hold_the_same_and_parquet_is_typed(exported: Exported) -> None:
    for name, columns in table_columns().items():
        table = pq.read_table(exported.folder / "tables" / f"{name}.parquet")
        rows = rows_in(exported.folder / "tables" / f"{name}.csv")
        assert table.column_names == [column.name for column in columns]
        assert not rows or list(rows[0]) == table.column_names
        assert table.num_rows == len(rows)
        for row, typed in zip(rows, table.to_pylist(), strict=True):
            for column in columns:
                cell, value = row[column.name], typed[column.name]
                if value is None:
                    assert cell == ""
                elif column.kind in ("number", "integer"):
                    assert float(cell) == float(value)
                elif column.kind == "boolean":
                    assert cell == str(value).lower()
                else:
                    assert cell == neutral(value)


def test_rows_are_those_of_the_record(exported: Exported, case: StudyCase) -> None:
    targets = [
        row for row in rows_in(exported.folder / "tables" / "targets.csv") if row["study"] == case.name
    ]
    (target,) = case.readings[0].record.targets
    (row,) = targets
    assert (row["id"], row["side"], float(row["point_row"])) == (target.id, "left", target.point[0])
    assert float(row["diameter_mm"]) == target.diameter_mm and row["notes"] == ""
    assert json.loads(row["outline"]) == [list(point) for point in target.outline]
    (review,) = [r for r in rows_in(exported.folder / "tables" / "candidates.csv") if r["study"] == case.name]
    assert review["decision"] == "vein" and review["by"] == "reader" and review["candidates_shown"] == "true"
    clips = [row for row in rows_in(exported.folder / "tables" / "clips.csv") if row["study"] == case.name]
    assert [row["negative"] for row in clips] == ["false", "true"] and clips[0]["vein"] == "GSV"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_a_text_that_a_spreadsheet_would_run_is_neutral(text: str) -> None:
    assert neutral(text) == "'" + text


def test_numbers_are_left_alone(tmp_path: Path) -> None:
    from veinscan.export.columns import Column
    from veinscan.export.folder import ExportFolder
    from veinscan.export.table_files import write_table

    columns = (Column("n", "number", "x"), Column("t", "text", "x"))
    write_table(ExportFolder(tmp_path), "t.csv", columns, [[-3.2, "-3.2"], [None, "=A1"]])
    assert (tmp_path / "t.csv").read_text().splitlines()[1:] == ["-3.2,'-3.2", ",'=A1"]


def test_every_column_has_a_meaning_and_the_page_is_that_of_the_program() -> None:
    empty = [f"{t}.{c.name}" for t, columns in table_columns().items() for c in columns if not c.meaning]
    assert empty == []
    page = ROOT / "docs" / "data-dictionary.md"
    assert page.read_text(encoding="utf-8") == dictionary_text(), "python -m veinscan.export.table_files"


# --- JSON


def test_json_gives_back_the_record(exported: Exported, case: StudyCase) -> None:
    found = json.loads((exported.folder / "json" / f"{case.name}.json").read_text())
    (reading,) = found["readings"]
    plan = parse_plan(json.dumps(reading["plan"]))
    record = case.readings[0].record
    for name in ("targets", "reviews", "contexts", "searches", "measurements", "sessions", "follow_ups"):
        assert getattr(plan, name) == getattr(record, name), name
    assert [clip["clip"] for clip in found["clips"]] == [clip.name for clip in case.clips]


@given(st.text(max_size=30))
def test_neutral_changes_nothing_else(text: str) -> None:
    assert neutral(text) in (text, "'" + text)
