"""Sample reports for docs/samples, from the two synthetic studies in sample_data/.

python tools/sample_report.py docs/samples

The same input gives the same bytes (with the same versions of the libraries):
ids and times are fixed, nothing is taken from the clock.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from shutil import copytree

import veinscan
from veinscan.follow_up import begin_visit, mark_point, set_outcome
from veinscan.plan.checks import acknowledge, check_record
from veinscan.plan.editing import add_target, new_record, target_at_point, update_target
from veinscan.plan.flow_edits import put_reflux, reflux_value
from veinscan.plan.ids import derived_uid
from veinscan.plan.measuring import add_measurement, measured
from veinscan.plan.model import InjectionTarget, Reader, Record
from veinscan.plan.normal import normalised
from veinscan.plan.treatment import Injection, TreatmentSession
from veinscan.plan.visits import put_session
from veinscan.plan.vocabulary import Form, Posture
from veinscan.record import Opened, open_with_record
from veinscan.record.document import Instance, References, build
from veinscan.report import write_report

DATA = Path(__file__).resolve().parents[1] / "sample_data"
READER = Reader(name="Sample^Reader")
PLANNED_AT = datetime(2025, 5, 9, 10, 15, tzinfo=UTC)
TREATED_ON = date(2025, 5, 12)
REVIEWED_AT = datetime(2025, 5, 26, 9, 40, tzinfo=UTC)
FRAME = 2
"""Of the sweep: the probe does not press yet."""

COMMON = {
    "side": "right",
    "landmark": "knee_crease",
    "level": "calf_prox",
    "posture": "standing",
    "modality": "liquid",
    "product": "asclera_us",
    "needle_gauge": 30,
    "ultrasound_guided": "yes",
}
TARGETS = (
    ("tributary", (128.87, 176.62), {"landmark_cm": 8.0, "aspect": "medial", "vein_class": "reticular",
     "concentration_percent": 1.0, "planned_volume_ml": 0.3, "notes": "runs to the web below the knee"}),
    ("reticular", (123.41, 596.47), {"landmark_cm": 8.5, "aspect": "posteromedial", "vein_class": "reticular",
     "concentration_percent": 1.0, "planned_volume_ml": 0.2}),
    ("reticular", (137.66, 536.23), {"landmark_cm": 9.0, "aspect": "posterior", "vein_class": "reticular",
     "concentration_percent": 0.5, "planned_volume_ml": 0.2, "notes": "only if the web is still there"}),
)  # fmt: skip


def main(folder: Path) -> list[Path]:
    """Write the reports into `folder`; what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        baseline = saved(copied("baseline", Path(scratch)), plan, PLANNED_AT)
        later = copied("follow_up", Path(scratch))
        treated = Opened(baseline.study, with_session(baseline.record))
        review = saved(later, lambda opened: followed_up(opened, treated), REVIEWED_AT)
        return [
            write_report(baseline.study, baseline.record, folder / "plan.pdf", printed_at=PLANNED_AT).path,
            write_report(baseline.study, baseline.record, folder / "plan.html", printed_at=PLANNED_AT).path,
            write_report(
                review.study,
                review.record,
                folder / "follow-up.pdf",
                baseline=treated,
                printed_at=REVIEWED_AT,
            ).path,
        ]


def copied(name: str, scratch: Path) -> Path:
    """A sample study, copied so that sample_data/ stays as it was made."""
    return Path(copytree(DATA / name, scratch / name))


def saved(folder: Path, make: Callable[[Opened], Record], at: datetime) -> Opened:
    """A study with the record that `make` makes of it, saved as a version with a fixed UID."""
    opened = open_with_record(folder)
    study = opened.study
    record: Record = replace(make(opened), version=1, heads=())
    uid = derived_uid("sample", study.study_instance_uid)
    clips = [
        Instance(
            clip.sop_class_uid, clip.sop_instance_uid, clip.series_instance_uid, study.study_instance_uid
        )
        for clip in study.clips
    ]
    data = build(
        normalised(record),
        header=study.header(),
        references=References(clips),
        sop_instance_uid=uid,
        reader=READER,
        saved_at=at,
    )
    (folder / "veinscan").mkdir()
    (folder / "veinscan" / f"{uid}.dcm").write_bytes(data)
    return open_with_record(folder)


def plan(opened: Opened) -> Record:
    """Three targets with their plan, a reflux measurement, a caliper, an acknowledged warning."""
    study = opened.study
    sweep = study.clip("0001_transverse.dcm")
    record = new_record(study)
    for number, (vein, point, values) in enumerate(TARGETS, start=1):
        target = replace(
            target_at_point(sweep, FRAME, point, READER, vein=vein),
            id=derived_uid("sample target", str(number)),
            marked_at=PLANNED_AT,
        )
        record = add_target(record, target)
        record = update_target(record, target.id, **COMMON, **values)
    first = record.targets[0].id
    record = update_target(record, first, artery_checked="yes", artery_distance_mm=6.0)
    strip = study.clip("0004_duplex.dcm")
    attempt = veinscan.measure_reflux(strip)
    value = reflux_value(attempt, strip, READER, posture=Posture.STANDING)
    record = put_reflux(record, first, replace(value, id=derived_uid("sample reflux")), READER)
    caliper = measured(sweep, FRAME, "diameter", ((113.0, 596.5), (134.0, 596.5)), READER)
    record = add_measurement(record, replace(caliper, id=derived_uid("sample caliper")))
    warning = next(one for one in check_record(record, study) if one.rule == "R12")
    return timed(acknowledge(record, warning, READER, reason="checked with colour before the session"))


def followed_up(opened: Opened, baseline: Opened) -> Record:
    """Two weeks later: the tributary closed, the second not seen, the third open."""
    record, visit = begin_visit(
        new_record(opened.study), baseline, READER, study=opened.study, on=REVIEWED_AT.date()
    )
    sweep = opened.study.clip("0001_transverse.dcm")
    first, second, third = (target.id for target in baseline.record.targets)
    for target, point in ((first, (128.47, 178.22)), (second, (123.03, 598.08)), (third, (137.25, 537.83))):
        record = mark_point(
            record, visit.id, target, baseline, READER,
            study=opened.study, clip=sweep, frame_index=FRAME, point=point,
        )  # fmt: skip
    seen = {"posture": "standing", "landmark": "knee_crease"}
    for target, cm, values in (
        (first, 8.0, {"outcome": "occluded_full", "compressible": "none"}),
        (second, 8.5, {"outcome": "occluded_full", "compressible": "none"}),
        (third, 9.0, {"outcome": "patent_no_reflux", "compressible": "full"}),
    ):
        record = set_outcome(record, visit.id, target, baseline, READER, **seen, landmark_cm=cm, **values)
    return timed(record)


def with_session(record: Record) -> Record:
    """The plan after the day of treatment: what was given is what was planned."""
    given = tuple(
        Injection(
            id=derived_uid("sample injection", target.id),
            target_id=target.id,
            side=target.side,
            product=target.product,
            form=Form.LIQUID,
            concentration_percent=target.concentration_percent,
            volume_ml=target.planned_volume_ml,
        )
        for target in record.targets
    )
    session = TreatmentSession(id=derived_uid("sample session"), on=TREATED_ON, injections=given)
    return put_session(record, session, READER)


def timed(record: Record) -> Record:
    """The record with fixed times in place of the clock's."""
    at = PLANNED_AT if not record.follow_ups else REVIEWED_AT

    def flow(target: InjectionTarget) -> InjectionTarget:
        return replace(target, marked_at=at, reflux=tuple(replace(one, set_at=at) for one in target.reflux))

    return replace(
        record,
        targets=tuple(flow(target) for target in record.targets),
        measurements=tuple(replace(one, set_at=at) for one in record.measurements),
        acknowledgements=tuple(replace(one, acknowledged_at=at) for one in record.acknowledgements),
        follow_ups=tuple(replace(one, set_at=at) for one in record.follow_ups),
    )


if __name__ == "__main__":
    for written in main(Path(sys.argv[1])):
        print(written)
