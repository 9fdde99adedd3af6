"""Clips of the follow-up: the target's side and segment first, the other leg last, none left out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from follow_up_studies import ANNA, study_at, target
from hypothesis import given
from hypothesis import strategies as st

from veinscan.follow_up import clips_for
from veinscan.plan import vocabulary as v
from veinscan.plan.clips import set_context
from veinscan.plan.editing import new_record


def clips_named(folder: Path, *names: str) -> tuple[Any, ...]:
    (first, _) = study_at(folder).clips
    return tuple(
        replace(first, file=name, sop_instance_uid=f"1.2.3.{number}") for number, name in enumerate(names)
    )


def test_side_then_level_then_vein(tmp_path: Path) -> None:
    clips = clips_named(tmp_path, "other leg", "unknown", "knee", "thigh", "thigh gsv", "ankle")
    record = new_record("1.2.3")
    for name, values in {
        "other leg": {"side": "right", "level": "thigh_mid", "vein": "GSV"},
        "knee": {"side": "left", "level": "knee"},
        "thigh": {"side": "left", "level": "thigh_mid"},
        "thigh gsv": {"side": "left", "level": "thigh_mid", "vein": "GSV"},
        "ankle": {"side": "left", "level": "ankle"},
    }.items():
        record = set_context(record, next(one for one in clips if one.file == name), ANNA, **values)
    found = clips_for(target(), clips, record)
    assert [one.file for one in found] == ["thigh gsv", "thigh", "knee", "ankle", "unknown", "other leg"]
    assert found[0].agrees == ("side", "level", "vein")
    assert (found[2].agrees, found[2].differs) == (("side",), ("level",))
    assert [one.other_side for one in found] == [False] * 5 + [True]


def test_the_landmark_counts_within_the_tolerance(tmp_path: Path) -> None:
    clips = clips_named(tmp_path, "far", "near")
    record = new_record("1.2.3")
    for clip, cm in zip(clips, (30.0, 12.5), strict=True):
        record = set_context(record, clip, ANNA, landmark="sfj", landmark_cm=cm)
    found = clips_for(target(), clips, record)
    assert [one.file for one in found] == ["near", "far"]
    assert found[0].agrees == ("landmark",)


@given(st.permutations(range(5)), st.sampled_from(list(v.Side)), st.sampled_from(list(v.Level)))
def test_none_is_left_out_and_equal_ones_keep_their_order(
    order: list[int], side: v.Side, level: v.Level
) -> None:
    from record_studies import FakeClip

    clips = [
        FakeClip(file=str(n), path=Path("x"), sop_instance_uid=f"1.2.{n}", series_instance_uid="1.2")
        for n in order
    ]
    found = clips_for(target(side=side, level=level), clips, new_record("1.2.3"))
    assert [one.file for one in found] == [str(n) for n in order]
