"""The first look, against a real archive: the same pixels by wire as from the file, and sooner."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from orthanc_rig import Orthanc
from stored_kinds import make_kinds

from veinscan.dicom import Study, open_study
from veinscan.errors import PacsError, VeinscanError
from veinscan.pacs.archive import Archive
from veinscan.pacs.connect import connect
from veinscan.pacs.model import Fetched, InstanceRow
from veinscan.pacs.remote import RemoteStudy, open_remote
from veinscan.pacs.web import WebArchive

Hold = Callable[[], None]


@pytest.fixture
def web(archive_settings: Path) -> Iterator[WebArchive]:
    with connect("test") as archive:
        assert isinstance(archive, WebArchive)
        yield archive


@pytest.fixture
def frames_only(web: WebArchive, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whole files of pictures do not come; the SOP Instance UIDs that were asked for so."""
    asked: list[str] = []

    def fetch(rows: list[InstanceRow], folder: Path, **_: object) -> Iterator[Fetched]:
        asked.extend(row.sop_instance_uid for row in rows)
        yield from ()

    monkeypatch.setattr(web, "fetch", fetch)
    return asked


def put(orthanc: Orthanc, files: list[Path]) -> list[Path]:
    """Those that the archive takes."""
    orthanc.empty()
    taken = []
    for path in files:
        try:
            orthanc.add(path)
        except OSError:
            continue
        taken.append(path)
    return taken


def compare(archive: Archive, study_uid: str, local: Study, folder: Path) -> set[str]:
    """Every frame by wire is that of the file; files of clips that could not be had so."""
    waited = set()
    with open_remote(archive, study_uid, folder) as remote:
        assert {clip.sop_instance_uid for clip in remote.study.clips} == {
            clip.sop_instance_uid for clip in local.clips
        }
        assert remote.study.skipped == ()
        for clip in remote.study.clips:
            wanted = local.clip(clip.sop_instance_uid)
            try:
                assert (clip.shape, clip.regions, clip.spacing_mm, clip.kind, clip.frame_rate_hz) == (
                    wanted.shape, wanted.regions, wanted.spacing_mm, wanted.kind, wanted.frame_rate_hz
                )  # fmt: skip
                for index in range(wanted.n_frames):
                    assert np.array_equal(clip.frame(index), wanted.frame(index)), (clip, index)
            except PacsError as problem:
                if "does not send" not in str(problem):
                    raise
                waited.add(clip.sop_instance_uid)
    return waited


def test_every_way_of_storing_by_wire(
    orthanc: Orthanc, web: WebArchive, frames_only: list[str], tmp_path: Path
) -> None:
    kinds = make_kinds(tmp_path / "made")
    assert put(orthanc, list(kinds.values())) == list(kinds.values())
    local = tmp_path / "local"
    local.mkdir()
    for path in kinds.values():
        shutil.copy(path, local)
    study = open_study(local)
    waited = compare(web, study.study_instance_uid, study, tmp_path / "coming")
    by_file = {study.clip(sop).file for sop in waited}
    # Orthanc 1.10 does not cut these into frames; of palettes it tells only where their tables are
    deflated, big = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"
    assert by_file == {"palette", "rle-palette", "422", f"grey-{deflated}", f"grey-{big}", f"wide-{big}"}


def test_what_does_not_come_frame_by_frame_comes_as_its_file(
    orthanc: Orthanc, web: WebArchive, tmp_path: Path
) -> None:
    kinds = make_kinds(tmp_path / "made")
    put(orthanc, list(kinds.values()))
    study = open_study(tmp_path / "made")
    assert compare(web, study.study_instance_uid, study, tmp_path / "coming") == set()


def test_real_files_by_wire(
    orthanc: Orthanc, web: WebArchive, frames_only: list[str], tmp_path: Path, shared_data: Path
) -> None:
    files = [path for path in sorted((shared_data / "real-us").rglob("*")) if path.is_file()]
    by_wire = []
    for number, path in enumerate(files):
        try:
            study = open_study(path)
        except VeinscanError:
            continue
        if len(study.clips) == 1 and put(orthanc, [path]):
            waited = compare(web, study.study_instance_uid, study, tmp_path / f"{number}")
            by_wire += [path.name] if not waited else []
    assert len(by_wire) >= 8, by_wire


def test_a_study_is_looked_at_then_here_then_killed_and_taken_up_again(
    orthanc: Orthanc, web: WebArchive, tmp_path: Path, sample_study_dir: Path
) -> None:
    files = sorted(sample_study_dir.glob("*.dcm"))
    put(orthanc, files)
    local = open_study(sample_study_dir)
    with open_remote(web, local.study_instance_uid, tmp_path / "coming") as remote:
        assert isinstance(remote, RemoteStudy)
        for clip in remote.study.clips:
            assert np.array_equal(clip.frame(0), local.clip(clip.sop_instance_uid).frame(0))
        orthanc.kill()
        orthanc.start()
        assert remote.wait(60) and remote.pulled is not None and remote.pulled.failed == ()
        for clip in remote.study.clips:
            last = clip.n_frames - 1
            assert np.array_equal(clip.frame(last), local.clip(clip.sop_instance_uid).frame(last))
    held = orthanc.files()
    assert {path.stem: path.read_bytes() for path in (tmp_path / "coming").glob("*.dcm")} == held
