"""Hypothesis strategies over the whole model, in the form that a record keeps (`plan.normal`).

They are worked out from the types of the model, so that a field added to it
is under test at once.
"""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from veinscan.plan.context import ClipCalibration, ClipContext, ClipSearch, ColourScale, StripCalibration
from veinscan.plan.follow_up import FollowUp
from veinscan.plan.model import (
    Acknowledgement,
    CandidateReview,
    InjectionTarget,
    Measurement,
    Reading,
    Record,
    RecordStatus,
)
from veinscan.plan.normal import normalised, stored_point
from veinscan.plan.treatment import TreatmentSession
from veinscan.plan.veins import NAMES

# every character that Python has, lone surrogates and controls too; and what people write
texts = st.one_of(
    st.text(st.characters(), max_size=40),
    st.sampled_from(
        ["", " ", "x ", "a\\b", "two\nlines\r\n", "\u241b", "ΐ — 静脉 🦵", "=HYPERLINK()", "\x00", "\ud800"]
    ),
    st.text(st.sampled_from("abc \n\t\\^=~\u00e9\u6d6e"), max_size=30).map(lambda text: text * 200),
)
uids = st.uuids(version=4).map(lambda value: f"2.25.{value.int}")
finite = st.floats(allow_nan=False, allow_infinity=False).map(lambda value: value + 0.0)
coordinates = st.floats(-0.5, 4096.0, width=32)
points = st.tuples(coordinates, coordinates).map(stored_point)
outlines = st.one_of(st.just(()), st.lists(points, min_size=1, max_size=70).map(tuple))
zones = st.one_of(
    st.just(UTC), st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
)
# dciodvfy takes years from 3000 for errors
moments = st.datetimes(datetime(1000, 1, 2), datetime(2999, 12, 30), timezones=zones).map(
    lambda moment: moment.replace(microsecond=0)
)
days = st.dates(date(1000, 1, 2), date(2999, 12, 30))
positive = st.floats(1e-6, 1e3)
boxes = st.tuples(st.integers(0, 99), st.integers(0, 99), st.integers(100, 4000), st.integers(100, 4000))
veins = st.one_of(st.sampled_from(NAMES), texts)

_NAMED: dict[str, st.SearchStrategy[Any]] = {
    "id": uids,
    "order": st.integers(1, 500),
    "frame_index": st.integers(0, 10_000),
    "box": boxes,
    "spacing_mm": st.tuples(positive, positive),
    "point_a": points,
    "point_b": points,
    "point": points,
    "centre": points,
    "outline": outlines,
    "vein": veins,
    "candidate_id": texts.filter(bool),
    "purpose": st.sampled_from(["plan", "research", "adjudication"]),
    "subject": st.just("") | uids,
}
"""Fields that hold less than their type says."""


@cache
def of(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a type of the model."""
    if get_origin(kind) in (Union, UnionType):
        return st.one_of(*(of(part) for part in get_args(kind)))
    if get_origin(kind) is tuple:
        element, *rest = get_args(kind)
        if rest == [Ellipsis]:
            return st.lists(of(element), max_size=1 if is_dataclass(element) else 2).map(tuple)
        return st.tuples(*(of(part) for part in (element, *rest)))
    if is_dataclass(kind):
        return instances(kind)  # type: ignore[arg-type]
    simple: dict[Any, st.SearchStrategy[Any]] = {
        NoneType: st.none(),
        str: texts,
        bool: st.booleans(),
        int: st.integers(-9999, 99999),
        float: finite,
        datetime: moments,
        date: days,
    }
    return simple[kind] if kind in simple else st.sampled_from(kind)


def instances(kind: type[Any], **special: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Values of a class of the model; most fields keep their default in a given value, any may differ."""
    hints = get_type_hints(kind)
    required, optional = {}, {}
    for field in fields(kind):
        name, hint = field.name, hints[field.name]
        if name in special:
            found = special[name]
        elif name in _NAMED:
            found = _NAMED[name] | st.none() if NoneType in get_args(hint) else _NAMED[name]
        elif name == "skin_entry":
            found = st.none() | points
        elif name in ("feeds", "session_ids", "baseline_record_uids", "sources"):
            found = st.lists(uids, max_size=2).map(tuple)
        elif name.endswith("_uid") or (name.endswith("_id") and name != "candidate_id"):
            found = uids if field.default is MISSING else st.just("") | uids
        else:
            found = of(hint)
        if (field.default is MISSING and field.default_factory is MISSING) or name in special:
            required[name] = found
        else:
            optional[name] = found
    return st.fixed_dictionaries(required, optional=optional).map(lambda values: kind(**values))


def targets(clips: st.SearchStrategy[str] = uids) -> st.SearchStrategy[InjectionTarget]:
    on_map = instances(InjectionTarget, sop_instance_uid=st.just(""), map_point=of(tuple[float, float]))
    return instances(InjectionTarget, sop_instance_uid=clips) | on_map


def reviews(clips: st.SearchStrategy[str] = uids) -> st.SearchStrategy[CandidateReview]:
    return instances(CandidateReview, sop_instance_uid=clips)


readings = instances(Reading)


def _of_each(kind: type[Any], key: Any) -> st.SearchStrategy[Any]:
    return st.lists(instances(kind), max_size=2, unique_by=key).map(tuple)


def plans(clips: st.SearchStrategy[str] = uids) -> st.SearchStrategy[Record]:
    """Records of targets and verdicts only: for what does not depend on the other parts."""
    return st.builds(
        Record,
        reading=readings,
        targets=st.lists(targets(clips), max_size=3, unique_by=lambda target: target.id).map(tuple),
        reviews=st.lists(reviews(clips), max_size=2).map(tuple),
        version=st.integers(0, 10_000),
        conflicts=st.lists(texts, max_size=3).map(tuple),
    ).map(normalised)


def records(clips: st.SearchStrategy[str] = uids) -> st.SearchStrategy[Record]:
    """Records of every part of the model."""
    return st.builds(
        Record,
        reading=readings,
        targets=st.lists(targets(clips), max_size=4, unique_by=lambda target: target.id).map(tuple),
        reviews=st.lists(reviews(clips), max_size=3).map(tuple),
        version=st.integers(0, 10_000),
        conflicts=st.lists(texts, max_size=3).map(tuple),
        contexts=_of_each(ClipContext, lambda one: one.sop_instance_uid),
        searches=_of_each(ClipSearch, lambda one: one.sop_instance_uid),
        calibrations=_of_each(ClipCalibration, lambda one: (one.sop_instance_uid, one.box)),
        strip_calibrations=_of_each(StripCalibration, lambda one: (one.sop_instance_uid, one.box)),
        colour_scales=_of_each(ColourScale, lambda one: one.sop_instance_uid),
        measurements=_of_each(Measurement, lambda one: one.id),
        sessions=_of_each(TreatmentSession, lambda one: one.id),
        follow_ups=_of_each(FollowUp, lambda one: one.id),
        acknowledgements=_of_each(Acknowledgement, lambda one: (one.rule, one.subject, one.sentence)),
        status=instances(RecordStatus),
    ).map(normalised)


def kinds_of(kind: Any) -> set[type]:
    """Every class and enum that a class of the model is made of."""
    found: set[type] = set()
    waiting = [kind]
    while waiting:
        one = waiting.pop()
        if get_args(one):
            waiting.extend(get_args(one))
        elif isinstance(one, type) and one not in found and (is_dataclass(one) or issubclass(one, StrEnum)):
            found.add(one)
            if is_dataclass(one):
                waiting.extend(get_type_hints(one).values())
    return found
