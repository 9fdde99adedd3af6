from __future__ import annotations

import dataclasses
import io
import os
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.sr.codedict import codes
from record_strategies import kinds_of, moments, records, texts
from record_studies import FakeStudy, make_study

from veinscan.errors import RecordError
from veinscan.plan.ids import new_uid
from veinscan.plan.model import (
    Decision,
    InjectionTarget,
    Reader,
    Reading,
    Record,
    RejectReason,
    TargetStatus,
)
from veinscan.record import concepts as c
from veinscan.record.auto import codes_of
from veinscan.record.code_list import published_text
from veinscan.record.codec import decode, encode, sealed
from veinscan.record.document import References, build
from veinscan.record.fields import Items, Table, item_moment, moment_item
from veinscan.record.table import PARTS, TABLES, TARGET
from veinscan.record.text import original_text, stored_name, stored_text
from veinscan.record.tree import Concept, Item, Measured, digest, from_dataset, to_dataset
from veinscan.record.versions import parse

CASES = int(os.environ.get("CASES", "200"))
SAVED_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class AnyClass:
    def sop_class(self, sop_instance_uid: str) -> str:
        return "1.2.840.10008.5.1.4.1.1.3.1"


def tree_of(record: Record) -> tuple[Item, ...]:
    return sealed(encode(record, study_instance_uid="1.2.3", saved_at=SAVED_AT, context=AnyClass()))


@pytest.fixture(scope="module")
def header(tmp_path_factory: pytest.TempPathFactory) -> FakeStudy:
    return make_study(tmp_path_factory.mktemp("codec") / "study")


@given(records())
@settings(
    max_examples=int(os.environ.get("CASES", "200")), deadline=None, suppress_health_check=list(HealthCheck)
)
def test_every_field_survives_the_content_tree(record: Record) -> None:
    assert decode(tree_of(record)).record == record


@given(record=records())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_field_survives_the_bytes_of_a_file(header: FakeStudy, record: Record) -> None:
    data = build(
        record,
        header=header.header(),
        references=References(()),
        sop_instance_uid=new_uid(),
        reader=Reader(name="Doe^Jane"),
        saved_at=SAVED_AT,
    )
    version = parse(data, header.root)
    assert version is not None
    assert version.content.record == record
    assert version.content.saved_at == SAVED_AT


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_field_of_the_model_has_its_place_in_the_table(table: Table) -> None:
    assert sorted(table.attributes) == sorted(field.name for field in dataclasses.fields(table.make))


def test_every_part_of_a_record_is_kept() -> None:
    kept = {part.attribute for part in PARTS} | {
        "targets",
        "reviews",
        "reading",
        "status",
        "version",
        "conflicts",
    }
    assert {field.name for field in dataclasses.fields(Record)} - kept == {"heads", "read_only"}


def test_codes_of_a_field_tell_its_values_apart() -> None:
    for kind in kinds_of(Record):
        if issubclass(kind, StrEnum) and kind not in (Decision, RejectReason, TargetStatus):
            codes = codes_of(kind)
            assert set(codes) == set(kind)
            assert len({concept.key for concept in codes.values()}) == len(kind), kind


def test_the_published_list_of_private_codes_is_that_of_the_program() -> None:
    """A code once published never changes its meaning: a line may be added, none altered."""
    text = (Path(__file__).parents[2] / "docs" / "private-codes.md").read_text(encoding="utf-8")
    assert text == published_text()


@given(texts)
def test_any_text_is_kept(text: str) -> None:
    stored = stored_text(text)
    assert original_text(stored) == text
    assert stored == stored.strip()
    assert stored.encode("utf-8")


@pytest.mark.parametrize("text", ["GSV near the knee", "tom\nÅsa: 3 × 0.1", "a\\b", "50 % of 静脉"])
def test_what_people_write_is_stored_as_it_is(text: str) -> None:
    assert stored_text(text) == text


@given(moments)
def test_any_moment_is_kept_with_its_zone(moment: datetime) -> None:
    item = from_dataset(to_dataset(moment_item(c.MARKED_AT, moment)))
    assert item_moment(item) == moment
    assert item_moment(item).utcoffset() == moment.utcoffset()


@given(texts)
def test_a_readers_name_is_a_valid_person_name(name: str) -> None:
    stored = stored_name(name)
    assert 0 < len(stored) <= 64
    assert "\\" not in stored and "=" not in stored
    pydicom.valuerep.validate_value("PN", stored, pydicom.config.RAISE)


def all_concepts() -> list[Concept]:
    found = [value for value in vars(c).values() if isinstance(value, Concept)]
    for kind in kinds_of(Record):
        if issubclass(kind, StrEnum) and kind not in (Decision, RejectReason, TargetStatus):
            found += codes_of(kind).values()
    for value in vars(c).values():
        if isinstance(value, dict):
            found += [entry for entry in value.values() if isinstance(entry, Concept)]
        if isinstance(value, tuple):
            found += [entry for entry in value if isinstance(entry, Concept)]
    return found


def test_private_codes_fit_their_vr_and_mean_one_thing() -> None:
    meanings: dict[tuple[str, str], str] = {}
    for concept in all_concepts():
        assert 0 < len(concept.value) <= 16 or concept.scheme != c.PRIVATE_SCHEME
        assert 0 < len(concept.meaning) <= 64
        assert meanings.setdefault(concept.key, concept.meaning) == concept.meaning


def test_public_codes_are_those_of_the_standard() -> None:
    known = {}
    for scheme in ("SCT", "DCM", "LN", "NCIt"):
        from pydicom.sr._concepts_dict import concepts

        for entry in concepts[scheme].values():
            known |= {(scheme, value): meaning for value, (meaning, _) in entry.items()}
    unlisted = set()
    for concept in all_concepts():
        if concept.scheme in ("SCT", "DCM", "LN", "NCIt") and concept.key not in known:
            unlisted.add(concept.value)
    assert unlisted == set()
    assert known["SCT", "413975003"] == c.VESSEL_DEPTH.meaning
    assert codes.SCT.VesselLumenDiameter.value == c.LUMEN_DIAMETER.value
    assert codes.DCM.ImageRegion.value == c.IMAGE_REGION.value


def test_the_great_saphenous_vein_is_not_the_small_one() -> None:
    assert c.VEIN_SITES["GSV"].value == "60734001"
    assert c.VEIN_SITES["SSV"].value == "26805005"
    assert len({concept.key for concept in c.VEIN_SITES.values()}) == len(c.VEIN_SITES)


@given(records().filter(lambda record: record.targets), st.data())
@settings(max_examples=15, deadline=None)
def test_a_changed_number_or_text_is_noticed(record: Record, data: st.DataObject) -> None:
    items = tree_of(record)
    target = data.draw(st.integers(0, len(record.targets) - 1))
    group = items[0].children[target]
    index = next(i for i, item in enumerate(group.children) if item.name.key == c.ORDER.key)
    changed = dataclasses.replace(group.children[index], value=Measured(4711, c.ONE))
    group = dataclasses.replace(
        group, children=(*group.children[:index], changed, *group.children[index + 1 :])
    )
    groups = (*items[0].children[:target], group, *items[0].children[target + 1 :])
    with pytest.raises(RecordError, match="checksum"):
        decode((dataclasses.replace(items[0], children=groups), items[1]))


def test_a_number_in_another_unit_is_never_taken_for_mm() -> None:
    target = InjectionTarget(
        id="1.2", order=1, sop_instance_uid="1.2.3", frame_index=0, point=(1.0, 2.0), diameter_mm=3.0
    )
    group = tree_of(Record(reading=Reading(id="1.2"), targets=(target,)))[0].children[0]
    in_cm = tuple(
        dataclasses.replace(item, value=Measured(0.3, Concept("cm", "UCUM", "cm")))
        if item.name.key == c.LUMEN_DIAMETER.key
        else item
        for item in group.children
    )
    with pytest.raises(RecordError, match="'cm', not in 'mm'"):
        TARGET.read(dataclasses.replace(group, children=in_cm))


def test_points_are_stored_from_the_corner_and_frames_from_one(header: FakeStudy) -> None:
    clip, still = header.clips
    marks = tuple(
        InjectionTarget(
            id=new_uid(),
            order=place,
            sop_instance_uid=uid,
            frame_index=frame,
            point=(40.0, 70.25),
            outline=((40.0, 70.0), (41.0, 71.0), (41.5, 70.0)),
        )
        for place, (uid, frame) in enumerate(
            [(clip.sop_instance_uid, 3), (still.sop_instance_uid, 0)], start=1
        )
    )
    from veinscan.record.document import Instance

    references = References(
        Instance(
            entry.sop_class_uid, entry.sop_instance_uid, entry.series_instance_uid, header.study_instance_uid
        )
        for entry in header.clips
    )
    data = build(
        Record(reading=Reading(id=new_uid()), targets=marks),
        header=header.header(),
        references=references,
        sop_instance_uid=new_uid(),
        reader=Reader(name="D"),
        saved_at=SAVED_AT,
    )
    dataset = pydicom.dcmread(io.BytesIO(data))
    groups = next(item for item in dataset.ContentSequence if item.get("ContentSequence")).ContentSequence
    regions = [
        item
        for group in groups
        for item in group.ContentSequence
        if item.ConceptNameCodeSequence[0].CodeValue == "111030"
    ]
    assert [list(region.GraphicData) for region in regions] == [[70.75, 40.5]] * 2
    references_of = [region.ContentSequence[0].ReferencedSOPSequence[0] for region in regions]
    assert references_of[0].ReferencedFrameNumber == 4
    assert "ReferencedFrameNumber" not in references_of[1]
    assert references_of[1].ReferencedSOPClassUID == still.sop_class_uid
    outline = next(
        item for item in groups[0].ContentSequence if item.ConceptNameCodeSequence[0].CodeValue == "outline"
    )
    assert list(outline.GraphicData[:2]) == list(outline.GraphicData[-2:])


def test_the_digest_stands_changes_of_uids_names_and_meanings_but_none_of_content() -> None:
    name = Concept("n", "S", "one meaning")
    renamed = Concept("n", "S", "another meaning")
    same = Item("UIDREF", "CONTAINS", renamed, "1.2")
    assert digest([Item("UIDREF", "CONTAINS", name, "1.3")], without=c.DIGEST) == digest(
        [same], without=c.DIGEST
    )
    one = Item("NUM", "CONTAINS", name, Measured(1.0, c.ONE))
    for other in (Measured(1, c.ONE), Measured(1.0000000000000002, c.ONE), Measured(1.0, c.PIXEL)):
        assert digest([one], without=c.DIGEST) != digest(
            [dataclasses.replace(one, value=other)], without=c.DIGEST
        )


def test_an_item_that_is_there_twice_is_no_record() -> None:
    twice = [Item("TEXT", "CONTAINS", c.COMMENT, "a"), Item("TEXT", "CONTAINS", c.COMMENT, "b")]
    with pytest.raises(RecordError, match="2 times"):
        Items(twice).one(c.COMMENT, "TEXT")


def test_a_tree_of_a_thousand_levels_is_refused() -> None:
    item = Item("CONTAINER", "CONTAINS", c.RECORD, "")
    for _ in range(60):
        item = Item("CONTAINER", "CONTAINS", c.RECORD, "", (item,))
    with pytest.raises(RecordError, match="nested"):
        from_dataset(to_dataset(item))
