"""A reader that knows nothing of us: dcmjs from npm finds every target, point, number and unit.

Needs node and dcmjs, which `make test` puts into build/node where there is npm; skips without.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from record_studies import FakeStudy

from veinscan.plan import vocabulary as v
from veinscan.plan.editing import add_target, new_record, target_on_map
from veinscan.plan.model import Calibration, InjectionTarget, Reader, Record, Side, ValueSource
from veinscan.plan.treatment import Injection, TreatmentSession
from veinscan.record import save_record

MODULES = Path(__file__).resolve().parents[2] / "build" / "node" / "node_modules"
SCRIPT = """
const dcmjs = require("dcmjs");
const fs = require("fs");
const buffer = fs.readFileSync(process.argv[1]);
const file = dcmjs.data.DicomMessage.readFile(
    buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.byteLength));
const report = dcmjs.data.DicomMetaDictionary.naturalizeDataset(file.dict);
const list = (value) => value === undefined ? [] : Array.isArray(value) ? value : [value];
const first = (value) => list(value)[0];
function walk(item, found) {
    for (const child of list(item.ContentSequence)) {
        const name = first(child.ConceptNameCodeSequence) || {};
        if (child.ValueType === "NUM") {
            const measured = first(child.MeasuredValueSequence);
            found.numbers.push([name.CodeValue, Number(measured.NumericValue),
                first(measured.MeasurementUnitsCodeSequence).CodeValue]);
        } else if (child.ValueType === "SCOORD") {
            const image = first(first(child.ContentSequence).ReferencedSOPSequence);
            found.graphics.push([child.GraphicType, list(child.GraphicData).map(Number),
                image.ReferencedSOPInstanceUID, Number(image.ReferencedFrameNumber)]);
        } else if (child.ValueType === "UIDREF") {
            found.uids.push([name.CodeValue, child.UID]);
        } else if (child.ValueType === "CODE") {
            found.codes.push([name.CodeValue, first(child.ConceptCodeSequence).CodeValue]);
        }
        walk(child, found);
    }
    return found;
}
const empty = () => ({numbers: [], graphics: [], uids: [], codes: []});
const groups = [];
const all = walk(report, empty());
(function find(item) {
    for (const child of list(item.ContentSequence)) {
        const name = first(child.ConceptNameCodeSequence) || {};
        if (name.CodeValue === "125007") groups.push(walk(child, empty()));
        find(child);
    }
})(report);
process.stdout.write(JSON.stringify({groups, all}));
"""


def read_with_dcmjs(path: Path) -> dict[str, Any]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    places = [str(MODULES), *filter(None, [os.environ.get("NODE_PATH")])]
    environment = os.environ | {"NODE_PATH": os.pathsep.join(places)}
    there = subprocess.run(
        [node, "-e", "require.resolve('dcmjs')"], capture_output=True, check=False, env=environment
    )
    if there.returncode:
        pytest.skip("dcmjs is not installed (sh tools/node-packages.sh)")
    # dcmjs logs to stdout while it is loaded: the answer is the last line
    run = subprocess.run([node, "-e", SCRIPT, str(path)], capture_output=True, check=True, env=environment)
    found = json.loads(run.stdout.decode("utf-8").splitlines()[-1])
    assert isinstance(found, dict)
    return found


def a_record(study: FakeStudy) -> Record:
    record = new_record(study)
    for number in range(3):
        target = InjectionTarget(
            id=f"1.2.{number + 1}", order=0, sop_instance_uid=study.clips[0].sop_instance_uid,
            frame_index=number + 4, point=(60.25 + number, 80.5), side=Side.LEFT, vein="GSV",
            calibration=Calibration(box=(20, 10, 220, 310), spacing_mm=(0.1, 0.125), skin_row=25.0),
            diameter_mm=3.25 + number, diameter_source=ValueSource.CALIPER, depth_mm=7.125,
            concentration_percent=0.5, planned_volume_ml=0.25,
            landmark=v.Landmark.KNEE_CREASE, landmark_cm=12.5,
        )  # fmt: skip
        record = add_target(record, target)
    record = add_target(record, target_on_map(Reader(name="Anna"), map_point=(0.25, 0.5), depth_mm=2.5))
    injection = Injection(id="1.2.9", volume_ml=0.3, concentration_percent=1.0)
    return replace(record, sessions=(TreatmentSession(id="1.2.8", injections=(injection,)),))


def test_dcmjs_finds_every_target_point_number_and_unit(study: FakeStudy) -> None:
    saved = save_record(study, a_record(study), Reader(name="Anna"))
    found = read_with_dcmjs(saved.path)
    assert len(found["groups"]) == 4
    for group, target in zip(found["groups"], saved.record.targets, strict=True):
        assert ["112040", target.id] in group["uids"]
        numbers = {code: (value, unit) for code, value, unit in group["numbers"]}
        assert numbers["413975003"] == (target.depth_mm, "mm")
        if not target.has_place:
            assert group["graphics"] == []
            assert numbers["map-row"] == (0.25, "1")
            continue
        assert numbers["397413000"] == (target.diameter_mm, "mm")
        assert numbers["concentration"] == (0.5, "%")
        assert numbers["planned-volume"] == (0.25, "mL")
        assert numbers["landmark"] == (12.5, "cm")
        row, col = target.point
        place = ["POINT", [col + 0.5, row + 0.5], target.sop_instance_uid, target.frame_index + 1]
        assert place in group["graphics"]
        assert ["363698007", "60734001"] in group["codes"] and ["272741003", "7771000"] in group["codes"]
    units = {(code, value): unit for code, value, unit in found["all"]["numbers"]}
    assert units["volume", 0.3] == "mL"
