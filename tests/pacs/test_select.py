"""What goes into an archive: final versions and what was made of them; unreviewed candidates in no form."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import plans
import pydicom
import pytest
from moody_archive import make_object
from plans import amended, draft, final, finalised, opened, save, withdrawn
from record_studies import FakeStudy, make_study

from veinscan.errors import InvalidInputError
from veinscan.pacs.select import Selection, objects_to_push
from veinscan.plan.ids import new_uid
from veinscan.plan.model import Decision, Reading
from veinscan.plan.normal import now
from veinscan.record import load_record, save_segmentations
from veinscan.record.segmentation import build_segmentation, outlined
from veinscan.record.store import user_folder


@pytest.fixture
def study(tmp_path: Path) -> FakeStudy:
    return make_study(tmp_path / "study")


def names(selection: Selection, kind: str = "record") -> list[str]:
    return [one.facts.sop_instance_uid for one in selection.objects if one.facts.kind == kind]


def reasons(selection: Selection, kind: str = "record") -> list[str]:
    return [one.reason for one in selection.left_out if one.kind == kind]


def test_a_draft_only_when_it_is_asked_for(study: FakeStudy) -> None:
    saved = draft(study)
    found = objects_to_push([study.root])
    assert names(found) == []
    assert reasons(found) == [
        "it is work in progress that nobody finalised; finalise it, or ask for drafts to be sent as well"
    ]
    assert names(objects_to_push([study.root], drafts=True)) == [saved.path.stem]
    # named as a file the same holds
    assert names(objects_to_push([saved.path])) == []
    assert names(objects_to_push([saved.path], drafts=True)) == [saved.path.stem]


def test_the_last_final_version_goes_and_a_later_draft_is_told(study: FakeStudy) -> None:
    first = finalised(study)
    again = opened(study, first.record)
    found = objects_to_push([study.root])
    assert names(found) == [first.path.stem]
    assert [one.sop_instance_uid for one in found.left_out if one.kind == "record"] == [again.path.stem]
    assert "amendment that is not final yet" in reasons(found)[0]
    # with drafts both: the plan that holds, and the work on the next, in that order
    assert names(objects_to_push([study.root], drafts=True)) == [first.path.stem, again.path.stem]


def test_only_the_latest_of_the_final_ones(study: FakeStudy) -> None:
    first = finalised(study)
    second = amended(study, first.record)
    found = objects_to_push([study.root])
    assert names(found) == [second.path.stem]
    assert reasons(found) == []
    # an earlier final one is sent when it is named
    assert names(objects_to_push([first.path])) == [first.path.stem]


def test_a_withdrawal_goes_and_what_it_withdrew_does_not(study: FakeStudy) -> None:
    first = finalised(study)
    gone = withdrawn(study, first.record)
    assert names(objects_to_push([study.root])) == [gone.path.stem]
    found = objects_to_push([first.path])
    assert names(found) == []
    assert "a later version withdrew it" in reasons(found)[0]


def test_a_withdrawal_of_what_was_never_final_withdraws_nothing_there(study: FakeStudy) -> None:
    withdrawn(study, draft(study).record)
    found = objects_to_push([study.root])
    assert names(found) == []
    assert "nothing to withdraw" in reasons(found)[0]


def test_every_reading_has_its_own_last_version(study: FakeStudy) -> None:
    plan = finalised(study)
    other = replace(
        load_record(study), reading=Reading(id=new_uid(), purpose="research"), heads=(), version=0
    )
    research = save(study, final(replace(other, status=type(other.status)())))
    assert set(names(objects_to_push([study.root]))) == {plan.path.stem, research.path.stem}


def test_unreviewed_candidates_never(study: FakeStudy) -> None:
    record = replace(
        plans.add(study, load_record(study)), reviews=(plans.review(study, Decision.UNREVIEWED),)
    )
    saved = save(study, final(record))
    for paths in ([study.root], [saved.path]):
        for drafts in (False, True):
            found = objects_to_push(paths, drafts=drafts, images=True)
            assert names(found) == []
            assert any("1 candidate(s) that nobody reviewed" in reason for reason in reasons(found))


@pytest.mark.parametrize("decision", [Decision.VEIN, Decision.REJECTED])
def test_reviewed_ones_are_part_of_the_record(study: FakeStudy, decision: Decision) -> None:
    record = replace(plans.add(study, load_record(study)), reviews=(plans.review(study, decision),))
    saved = save(study, final(record))
    assert names(objects_to_push([study.root])) == [saved.path.stem]


def test_segmentations_of_what_is_sent_and_no_others(study: FakeStudy) -> None:
    first = finalised(study)
    (fits,) = save_segmentations(study, first.record)
    assert names(objects_to_push([study.root]), "segmentation") == [fits.stem]
    assert names(objects_to_push([fits]), "segmentation") == [fits.stem]
    # made once more, the same is not sent twice
    (same,) = save_segmentations(study, first.record)
    assert len(names(objects_to_push([study.root]), "segmentation")) == 1
    same.unlink()
    # the plan went on: the earlier outlines are not those of what is sent
    amended(study, first.record)
    found = objects_to_push([study.root])
    assert names(found, "segmentation") == []
    assert "not those that a version which is sent" in reasons(found, "segmentation")[0]


def test_segmentations_of_a_draft_and_of_nothing(study: FakeStudy, tmp_path: Path) -> None:
    saved = draft(study)
    (path,) = save_segmentations(study, saved.record)
    assert names(objects_to_push([study.root, path]), "segmentation") == []
    assert names(objects_to_push([study.root], drafts=True), "segmentation") == [path.stem]
    alone = tmp_path / "elsewhere" / "outlines.dcm"
    alone.parent.mkdir()
    shutil.copy(path, alone)
    found = objects_to_push([alone], drafts=True)
    assert names(found, "segmentation") == []
    assert "not those" in reasons(found, "segmentation")[0]


def test_a_segmentation_with_candidates_beside_the_accepted_ones_never(study: FakeStudy) -> None:
    saved = finalised(study)
    clip = study.clips[0]
    accepted = outlined(saved.record, clip.sop_instance_uid)
    extra = replace(accepted[0], label="vein", tracking_uid=new_uid())
    data = build_segmentation(
        (*accepted, extra), clip, study.header(), sop_instance_uid=new_uid(), made_at=now()
    )
    path = study.root / "veinscan" / "more.dcm"
    path.write_bytes(data)
    # another label for what is not accepted, or another outline under an accepted one's name
    moved = replace(accepted[0], outline=tuple((row + 9, col) for row, col in accepted[0].outline))
    other = study.root / "veinscan" / "moved.dcm"
    other.write_bytes(
        build_segmentation((moved,), clip, study.header(), sop_instance_uid=new_uid(), made_at=now())
    )
    for paths in ([study.root], [path], [other]):
        assert names(objects_to_push(paths, drafts=True, images=True), "segmentation") == []


def test_what_a_program_alone_found_never_whoever_made_it(study: FakeStudy) -> None:
    saved = finalised(study)
    (path,) = save_segmentations(study, saved.record)
    dataset = pydicom.dcmread(path)
    dataset.Manufacturer = "somebody else"
    foreign = study.root / "foreign.dcm"
    dataset.save_as(foreign)
    path.unlink()
    assert names(objects_to_push([foreign]), "object") == [str(dataset.SOPInstanceUID)]
    dataset.SegmentSequence[0].SegmentAlgorithmType = "AUTOMATIC"
    dataset.save_as(foreign)
    for paths in ([foreign], [study.root]):
        found = objects_to_push(paths, images=True)
        assert str(dataset.SOPInstanceUID) not in names(found, "object")
        assert any("nobody reviewed" in one.reason for one in found.left_out)


def pdf(study: FakeStudy, *versions: str) -> Path:
    sources = []
    for uid in versions:
        item = pydicom.Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.88.33", uid
        sources.append(item)
    path = study.root / "veinscan" / f"{new_uid()}.dcm"
    make_object(
        path,
        study.study_instance_uid,
        SOPClassUID="1.2.840.10008.5.1.4.1.1.104.1",
        Manufacturer="veinscan",
        SourceInstanceSequence=sources,
    )
    return path


def test_printed_plans_of_what_is_sent_and_no_others(study: FakeStudy) -> None:
    first = finalised(study)
    path = pdf(study, first.path.stem)
    assert len(names(objects_to_push([study.root]), "report")) == 1
    assert len(names(objects_to_push([path]), "report")) == 1
    work = opened(study, first.record)
    of_work, of_nothing = pdf(study, work.path.stem), pdf(study)
    assert names(objects_to_push([study.root, of_work, of_nothing]), "report") == names(
        objects_to_push([path]), "report"
    )


def test_pictures_only_when_they_are_asked_for(study: FakeStudy) -> None:
    uids = set()
    for clip in study.clips:
        dataset = pydicom.dcmread(clip.path)
        dataset.Rows = dataset.Columns = 2
        dataset.save_as(clip.path)
        uids.add(clip.sop_instance_uid)
    saved = finalised(study)
    found = objects_to_push([study.root])
    assert names(found, "image") == []
    assert [(one.path, one.count) for one in found.left_out] == [(study.root, 2)]
    both = objects_to_push([study.root], images=True)
    assert set(names(both, "image")) == uids
    assert names(both) == [saved.path.stem]
    assert both.left_out == ()
    assert names(objects_to_push([study.clips[0].path]), "image") == [study.clips[0].sop_instance_uid]


def test_what_lies_in_the_users_own_folder_goes_too(study: FakeStudy) -> None:
    saved = finalised(study)
    folder = user_folder(study.study_instance_uid)
    folder.mkdir(parents=True)
    shutil.move(saved.path, folder)
    assert names(objects_to_push([study.root])) == [saved.path.stem]


def test_another_studys_plan_among_the_files_is_left_out(study: FakeStudy, tmp_path: Path) -> None:
    for clip in study.clips:
        dataset = pydicom.dcmread(clip.path)
        dataset.Rows = 2
        dataset.save_as(clip.path)
    mine = finalised(study)
    other = make_study(tmp_path / "other", PatientID="P2")
    theirs = finalised(other)
    shutil.copy(theirs.path, study.root / "veinscan")
    found = objects_to_push([study.root])
    assert names(found) == [mine.path.stem]
    assert any("another study" in reason for reason in reasons(found))


def test_a_damaged_version_is_told_and_hides_nothing(study: FakeStudy) -> None:
    first = finalised(study)
    last = amended(study, first.record)
    last.path.write_bytes(last.path.read_bytes()[:-2000])
    found = objects_to_push([study.root])
    assert names(found) == [first.path.stem]
    assert any("damaged" in reason for reason in reasons(found))
    assert any("latest version" in reason for reason in reasons(found))


def test_what_is_not_there_or_no_object(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="no such file"):
        objects_to_push([tmp_path / "gone"])
    (tmp_path / "notes.txt").write_text("hello")
    found = objects_to_push([tmp_path / "notes.txt"])
    assert (found.objects, len(found.left_out)) == ((), 1)
    assert objects_to_push([tmp_path]) == Selection()


def test_only_some(study: FakeStudy) -> None:
    first = finalised(study)
    save_segmentations(study, first.record)
    found = objects_to_push([study.root], uids=[first.path.stem])
    assert [one.facts.sop_instance_uid for one in found.objects] == [first.path.stem]
    assert found.left_out == ()


def test_random_histories_send_the_final_ones_that_no_other_final_one_replaces(tmp_path: Path) -> None:
    """Against the rule itself: walked over the histories that the test made."""
    rng = random.Random(11)  # noqa: S311 - histories, no secret
    for number in range(8):
        study: Any = make_study(tmp_path / str(number))
        acts: list[tuple[str, bool, set[str]]] = []  # uid, sent by the rule, everything behind it
        tips = [(load_record(study), set[str](), False)]
        for _ in range(rng.randrange(1, 8)):
            record, behind, was_final = rng.choice(tips)
            state = str(record.status.state)
            if state in ("final", "amended"):
                saved = rng.choice([opened, withdrawn])(study, record)
            elif state == "withdrawn":
                saved = opened(study, record)
            else:
                work = plans.add(study, record, str(rng.random()))
                saved = save(study, final(work) if rng.random() < 0.5 else work)
            uid, now_ = saved.path.stem, str(saved.record.status.state)
            sent = now_ in ("final", "amended") or (now_ == "withdrawn" and was_final)
            acts.append((uid, sent, behind))
            tips.append((saved.record, behind | {uid}, was_final or now_ in ("final", "amended")))
        wanted = {
            uid
            for uid, sent, _ in acts
            if sent and not any(uid in behind for _, other, behind in acts if other)
        }
        found = objects_to_push([study.root])
        assert set(names(found)) == wanted
        # what is replaced goes before what replaces it, whatever is asked for
        for drafts in (False, True):
            order = names(objects_to_push([study.root], drafts=drafts))
            for at, uid in enumerate(order):
                behind_it = next(behind for one, _, behind in acts if one == uid)
                assert not behind_it & set(order[at:])
