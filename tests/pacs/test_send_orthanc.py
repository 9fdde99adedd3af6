"""Plans into a real Orthanc and out of it again, over DICOMweb and over DIMSE."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import plans
import pydicom
import pytest
from moody_archive import make_object
from orthanc_rig import Orthanc, settings_text
from plans import amended, draft, finalised
from record_studies import FakeStudy, make_study

from veinscan.pacs.connect import connect
from veinscan.pacs.queue import SendQueue
from veinscan.pacs.send import push
from veinscan.pacs.verify import verify_stored
from veinscan.record import load_record

REFUSED_COMMENT = "not this one"
FILTER = f"""
function ReceivedInstanceFilter(dicom, origin)
    return dicom['ImageComments'] ~= '{REFUSED_COMMENT}'
end
"""


@pytest.fixture(params=["web", "dimse"])
def over(request: pytest.FixtureRequest, orthanc: Orthanc, archive_settings: Path) -> Iterator[str | None]:
    """The `dimse` to pass."""
    orthanc.empty()
    yield orthanc.dimse if request.param == "dimse" else None


@pytest.fixture
def study(tmp_path: Path) -> FakeStudy:
    return make_study(tmp_path / "study")


def news(orthanc: Orthanc) -> int:
    return sum(what == "NewInstance" for what, _ in orthanc.changes())


def pulled(orthanc: Orthanc, study: FakeStudy, folder: Path) -> FakeStudy:
    (folder / "veinscan").mkdir(parents=True)
    for clip in study.clips:
        shutil.copy(clip.path, folder)
    for uid, data in orthanc.files().items():
        (folder / "veinscan" / f"{uid}.dcm").write_bytes(data)
    return replace(study, root=folder)


def test_there_amended_elsewhere_and_back(
    over: str | None, orthanc: Orthanc, study: FakeStudy, tmp_path: Path
) -> None:
    draft(study, "work")
    saved = finalised(study, "mine")
    result = push("test", [study.root], dimse=over)
    assert [(one.sop_instance_uid, one.reason) for one in result.stored] == [(saved.path.stem, "")]
    with connect("test", dimse=over) as archive:
        assert verify_stored(archive, saved.path).stored
    there = pulled(orthanc, study, tmp_path / "there")
    assert load_record(there) == saved.record
    theirs = amended(there, load_record(there), "theirs")
    for _ in range(2):
        assert len(push("test", [there.root], dimse=over).stored) == 1
    assert news(orthanc) == 2
    third = load_record(pulled(orthanc, study, tmp_path / "third"))
    assert third.heads == (theirs.path.stem,)
    assert third.conflicts == ()


def test_another_object_under_its_uid_is_left_as_it_is(
    over: str | None, orthanc: Orthanc, tmp_path: Path
) -> None:
    uid = make_object(tmp_path / "there.dcm", ImageComments="there first")
    orthanc.add(tmp_path / "there.dcm")
    before = orthanc.files()
    make_object(tmp_path / "mine.dcm", SOPInstanceUID=uid, ImageComments="mine")
    (refused,) = push("test", [tmp_path / "mine.dcm"], dimse=over).refused
    assert "another object with its UID (what came back differs in ImageComments)" in refused.reason
    assert orthanc.files() == before
    # the same object is there already: not sent, and stored
    SendQueue().forget(uid)
    assert len(push("test", [tmp_path / "there.dcm"], dimse=over).stored) == 1
    assert news(orthanc) == 1


def test_another_patients_study_takes_nothing(over: str | None, orthanc: Orthanc, tmp_path: Path) -> None:
    make_object(tmp_path / "there.dcm", PatientID="P-THERE")
    orthanc.add(tmp_path / "there.dcm")
    make_object(tmp_path / "mine.dcm", PatientID="P-MINE")
    (refused,) = push("test", [tmp_path / "mine.dcm"], dimse=over).refused
    assert "another patient (the Patient IDs differ)" in refused.reason
    assert orthanc.count() == 1


def test_outlines_go_with_their_plan(over: str | None, orthanc: Orthanc, sample_study_dir: Path) -> None:
    from veinscan.dicom import open_study

    real: Any = open_study(sample_study_dir)
    plans.save(real, plans.final(plans.add(real, load_record(real))))
    result = push("test", [sample_study_dir], dimse=over, with_seg=True)
    assert sorted(one.kind for one in result.stored) == ["record", "segmentation"]
    held = orthanc.files()
    for path in (sample_study_dir / "veinscan").glob("*.dcm"):
        assert pydicom.dcmread(path).SOPInstanceUID in held


def use(archive: Orthanc, name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make it the archive of the settings."""
    settings = folder / "settings.toml"
    settings.write_text(settings_text(name, archive))
    monkeypatch.setenv("VEINSCAN_SETTINGS", str(settings))
    monkeypatch.setenv("VEINSCAN_DATA_DIR", str(folder / "data"))


def test_it_says_yes_to_what_a_filter_drops_and_that_never_counts_as_stored(
    make_orthanc: Callable[..., Orthanc], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "filter.lua"
    script.write_text(FILTER)
    strict = make_orthanc(extra={"LuaScripts": [str(script)]})
    use(strict, "strict", tmp_path, monkeypatch)
    good = make_object(tmp_path / "good.dcm")
    bad = make_object(tmp_path / "bad.dcm", ImageComments=REFUSED_COMMENT)
    result = push("strict", [tmp_path / "good.dcm", tmp_path / "bad.dcm"])
    assert [one.sop_instance_uid for one in result.stored] == [good]
    (unsent,) = result.unsent
    assert unsent.sop_instance_uid == bad
    assert "said that it took it, and a query does not find it" in unsent.reason
    assert strict.files().keys() == {good}


def test_a_full_one_says_yes_too(
    make_orthanc: Callable[..., Orthanc], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = make_orthanc(extra={"MaximumPatientCount": 1})
    use(full, "full", tmp_path, monkeypatch)
    first = make_object(tmp_path / "first.dcm", PatientID="P1")
    full.add(tmp_path / "first.dcm")
    (patient,) = full.call("/patients")
    full.call(f"/patients/{patient}/protected", method="PUT", body=b"1")
    make_object(tmp_path / "second.dcm", study="1.2.99", PatientID="P2")
    result = push("full", [tmp_path / "second.dcm"])
    assert len(result.unsent) == 1
    assert full.files().keys() == {first}


def test_what_it_refuses_is_told_of_the_object(
    orthanc: Orthanc, archive_settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that ends early, which the queue does not take otherwise."""
    orthanc.empty()
    good = make_object(tmp_path / "good.dcm")
    bad = make_object(tmp_path / "bad.dcm", EncapsulatedDocument=b"x" * 4000)
    data = (tmp_path / "bad.dcm").read_bytes()
    (tmp_path / "bad.dcm").write_bytes(data[:-1000])
    (left,) = push("test", [tmp_path / "bad.dcm"]).left_out
    assert "cut off: 1000 bytes are missing" in left.reason
    monkeypatch.setattr("veinscan.pacs.queue.check_whole", lambda source, size: None)
    result = push("test", [tmp_path / "good.dcm", tmp_path / "bad.dcm"])
    assert [one.sop_instance_uid for one in result.stored] == [good]
    (refused,) = result.refused
    assert refused.sop_instance_uid == bad
    assert "refused it" in refused.reason
    assert orthanc.files().keys() == {good}


def test_killed_while_it_is_sent_to_nothing_is_lost_or_twice(
    make_orthanc: Callable[..., Orthanc], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = make_orthanc()
    use(archive, "dying", tmp_path, monkeypatch)
    uids = {make_object(tmp_path / "in" / f"{n}.dcm", study=f"1.2.{n % 5}") for n in range(30)}
    seen = []

    def progress(done: int, total: int, one: Any) -> None:
        seen.append(one)
        if len(seen) == 10:
            archive.kill()

    result = push("dying", [tmp_path / "in"], images=True, progress=progress)
    assert result.unsent
    assert {one.sop_instance_uid for one in result.objects} == uids
    archive.start()
    SendQueue().run(now=True)
    assert SendQueue().pending() == ()
    assert archive.files().keys() == uids
    assert news(archive) == len(uids)
