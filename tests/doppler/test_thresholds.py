"""The table of thresholds and what follows from it."""

from __future__ import annotations

import pytest

from veinscan.doppler import attempts, envelope, events, reflux
from veinscan.errors import InvalidInputError
from veinscan.plan import thresholds as t


def test_the_measuring_code_follows_the_table() -> None:
    assert t.measuring("end_velocity") == attempts.END_CM_S
    assert t.measuring("end_share_of_scale") == attempts.END_SHARE_OF_SCALE
    assert t.measuring("joined_pause") == events.JOIN_S
    assert t.measuring("least_spike") == events.MIN_SPIKE_CM_S
    assert t.measuring("rise_time") == events.RISE_S
    assert t.measuring("least_rise") == events.MIN_RISE
    assert t.measuring("longest_squeeze") == events.MAX_WIDTH_S
    assert t.measuring("least_blood") == events.MIN_BLOOD
    assert envelope.PERCENTILE == 0.95
    assert reflux.DEFAULT_PROFILE == t.DEFAULT_PROFILE


@pytest.mark.parametrize("profile", ["svs_avf_avls_2022", "svs_avf_2011", "labropoulos_2003"])
@pytest.mark.parametrize("group", list(t.VEIN_GROUPS))
def test_every_profile_has_every_group_with_source_and_mark(profile: str, group: str) -> None:
    limit = t.threshold(profile, group)
    assert limit.unit == "s" and 0.3 <= limit.value <= 1.0
    assert limit.mark in "SAKD" and limit.rule in ("longer", "at_least")
    assert t.source(limit.source) != limit.source


@pytest.mark.parametrize(
    ("profile", "vein", "seconds", "reflux_"),
    [
        ("svs_avf_avls_2022", "GSV", 0.5, False),
        ("svs_avf_avls_2022", "GSV", 0.51, True),
        ("svs_avf_avls_2022", "femoral", 0.9, False),
        ("svs_avf_avls_2022", "common femoral", 1.01, True),
        ("svs_avf_avls_2022", "deep femoral", 0.9, True),
        ("svs_avf_avls_2022", "perforator", 0.4, False),
        ("labropoulos_2003", "perforator", 0.4, True),
        ("svs_avf_2011", "perforator", 0.5, True),
        ("svs_avf_2011", "SSV", 0.0, False),
    ],
)
def test_classes_by_profile(profile: str, vein: str, seconds: float, reflux_: bool) -> None:
    assert t.classify(seconds, profile, vein).reflux is reflux_


def test_what_is_not_known_stays_unknown() -> None:
    assert t.classify(0.9, "svs_avf_avls_2022", "unknown").reflux is None
    assert t.classify(None, "svs_avf_avls_2022", "GSV").reflux is None
    assert t.classify(0.3, "svs_avf_avls_2022", "GSV", is_lower_bound=True).reflux is None
    assert t.classify(0.6, "svs_avf_avls_2022", "GSV", is_lower_bound=True).reflux is True
    assert t.classify(0.505, "svs_avf_avls_2022", "GSV", time_step_s=0.007).borderline
    assert "unverified" in t.classify(0.6, "svs_avf_2011", "tributary").sentence
    with pytest.raises(InvalidInputError):
        t.classify(0.6, "nobody_1999", "GSV")
