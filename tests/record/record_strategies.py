"""Hypothesis strategies over the whole model, in the form that a record keeps (`plan.normal`)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import strategies as st

from veinscan.plan.model import (
    Calibration,
    CandidateReview,
    Checked,
    Decision,
    InjectionTarget,
    Reading,
    Record,
    RejectReason,
    Side,
    TargetStatus,
    ValueSource,
)
from veinscan.plan.normal import normalised, stored_point
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
positive = st.floats(1e-6, 1e3)
calibrations = st.builds(
    Calibration,
    box=st.tuples(st.integers(0, 99), st.integers(0, 99), st.integers(100, 4000), st.integers(100, 4000)),
    spacing_mm=st.tuples(positive, positive),
    skin_row=finite,
)
veins = st.one_of(st.sampled_from(NAMES), texts)


def targets(clips: st.SearchStrategy[str] = uids) -> st.SearchStrategy[InjectionTarget]:
    return st.builds(
        InjectionTarget,
        id=uids,
        order=st.integers(1, 500),
        sop_instance_uid=clips,
        frame_index=st.integers(0, 10_000),
        point=points,
        outline=outlines,
        calibration=st.none() | calibrations,
        side=st.sampled_from(Side),
        vein=veins,
        diameter_mm=st.none() | finite,
        diameter_source=st.none() | st.sampled_from(ValueSource),
        depth_mm=st.none() | finite,
        depth_source=st.none() | st.sampled_from(ValueSource),
        length_mm=st.none() | finite,
        artery_checked=st.sampled_from(Checked),
        status=st.sampled_from(TargetStatus),
        notes=texts,
        candidate_id=st.none() | texts,
        candidate_score=st.none() | finite,
        marked_by=texts,
        marked_at=st.none() | moments,
    )


def reviews(clips: st.SearchStrategy[str] = uids) -> st.SearchStrategy[CandidateReview]:
    return st.builds(
        CandidateReview,
        candidate_id=texts.filter(bool),
        sop_instance_uid=clips,
        frame_index=st.integers(0, 10_000),
        centre=points,
        outline=outlines,
        diameter_mm=st.none() | finite,
        depth_mm=st.none() | finite,
        score=finite,
        decision=st.sampled_from(Decision),
        reason=st.none() | st.sampled_from(RejectReason),
        reviewed_by=texts,
        reviewed_at=st.none() | moments,
    )


readings = st.builds(
    Reading,
    id=uids,
    purpose=st.sampled_from(["plan", "research", "adjudication"]),
    candidates_shown=st.booleans(),
)


def records(clips: st.SearchStrategy[str] = uids) -> st.SearchStrategy[Record]:
    return st.builds(
        Record,
        reading=readings,
        targets=st.lists(targets(clips), max_size=4, unique_by=lambda target: target.id).map(tuple),
        reviews=st.lists(reviews(clips), max_size=3).map(tuple),
        version=st.integers(0, 10_000),
        conflicts=st.lists(texts, max_size=3).map(tuple),
    ).map(normalised)
