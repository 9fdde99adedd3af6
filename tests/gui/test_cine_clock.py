"""Which frame is due, and whether it was seen: without Qt, without waiting."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_veinscan.cine_clock import ASSUMED_RATE_HZ, SPEEDS, CineClock, RateMeter, faster, frame_times

TIMES = st.lists(st.floats(0.005, 0.5), min_size=1, max_size=40).map(
    lambda s: np.concatenate([[0], np.cumsum(s)])
)


@settings(max_examples=80, deadline=None)
@given(times=TIMES, speed=st.sampled_from(SPEEDS), ping_pong=st.booleans(), data=st.data())
def test_every_frame_is_shown_until_the_next_was_taken(times, speed, ping_pong, data):
    first = data.draw(st.integers(0, len(times) - 1))
    last = data.draw(st.integers(first, len(times) - 1))
    clock = CineClock(times, first=first, last=last, speed=speed, ping_pong=ping_pong)
    clock.start(first, 100.0)
    now, seen, waits = 100.0, [], []
    steps = 2 * (last - first + 1) + 3 if last > first else 0
    for _ in range(steps):
        seen.append(clock.frame_at(now))
        waits.append(clock.until_change(now))
        now += waits[-1] + 1e-7
    assert all(first <= frame <= last for frame in seen)
    for frame, after, wait in zip(seen, seen[1:], waits, strict=False):
        if abs(after - frame) == 1 and (ping_pong or after > frame):
            assert wait * speed == pytest.approx(abs(times[after] - times[frame]), abs=1e-4)
    if last > first:
        turn = (
            [*range(first, last + 1), *range(last - 1, first, -1)] if ping_pong else [*range(first, last + 1)]
        )
        assert seen == (turn * 4)[: len(seen)]
        assert clock.steps(now) - clock.steps(100.0) == len(seen)
    else:
        assert clock.until_change(100.0) == float("inf")
        assert clock.frame_at(1e6) == first


@settings(max_examples=40, deadline=None)
@given(times=TIMES, speed=st.sampled_from(SPEEDS), at=st.floats(0, 60))
def test_the_frame_depends_on_the_time_alone_not_on_how_often_it_was_asked(times, speed, at):
    asked, fresh = CineClock(times, speed=speed), CineClock(times, speed=speed)
    for clock in (asked, fresh):
        clock.start(0, 5.0)
    for now in np.linspace(5.0, 5.0 + at, 7):
        asked.frame_at(float(now))
    assert asked.frame_at(5.0 + at) == fresh.frame_at(5.0 + at)


def test_it_goes_on_from_the_frame_on_show_and_back_on_its_way_back():
    clock = CineClock(np.arange(10) / 20, ping_pong=True)
    clock.start(4, 0.0)
    assert clock.frame_at(0.0) == 4
    assert clock.frame_at(0.051) == 5
    clock.start(4, 0.0, backwards=True)
    assert clock.frame_at(0.051) == 3
    assert clock.backwards_at(0.051)
    late = CineClock(np.arange(10) / 20, first=2, last=5)
    late.start(8, 0.0)
    assert late.frame_at(0.0) == 2, "a frame out of the range starts at its beginning"


def test_what_is_due_next_is_told_in_the_direction_of_travel():
    clock = CineClock(np.arange(6) / 10)
    clock.start(3, 0.0)
    assert clock.coming(0.0, 4) == [4, 5, 0, 1]
    there_and_back = CineClock(np.arange(6) / 10, ping_pong=True)
    there_and_back.start(4, 0.0)
    assert there_and_back.coming(0.0, 4) == [5, 4, 3, 2]


def test_times_that_do_not_grow_do_not_stop_it():
    clock = CineClock([0.0, 0.0, 0.0, 0.1])
    clock.start(0, 0.0)
    assert clock.frame_at(0.05) == 2
    assert np.isfinite(clock.rate_hz)


def test_without_times_a_rate_is_assumed():
    assert CineClock(frame_times(None, 5)).rate_hz == pytest.approx(ASSUMED_RATE_HZ)


@pytest.mark.parametrize(("every", "is_off"), [(1, False), (2, True)])
def test_the_meter_says_when_frames_are_missing(every, is_off):
    clock = CineClock(np.arange(20) / 20.0)
    clock.start(0, 0.0)
    meter = RateMeter()
    assert meter.rate_hz is None
    for frame in range(0, 60, every):
        now = frame / 20 + 0.01
        meter.seen(now, clock.steps(now))
    assert meter.rate_hz == pytest.approx(20 / every, rel=1e-6)
    assert meter.share == pytest.approx(1 / every, abs=1e-6)
    assert meter.is_off is is_off


def test_speeds_go_up_and_down_within_the_offer():
    assert faster(1.0, 1) == 2.0
    assert faster(0.33, -1) == 0.1
    assert faster(SPEEDS[-1], 1) == SPEEDS[-1]
