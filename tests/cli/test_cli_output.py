"""JSON is strict whatever goes in, and text cannot steer a terminal."""

from __future__ import annotations

import io
import json
import math
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veinscan.cli.output import count, json_bytes, plain, print_text, printable, rounded, table
from veinscan.plan.model import Side

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def refuse(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")


def same(value: object, read: object) -> bool:
    if isinstance(value, float) and not math.isfinite(value):
        return read is None
    if isinstance(value, list):
        return isinstance(read, list) and all(map(same, value, read)) and len(value) == len(read)
    if isinstance(value, dict):
        return (
            isinstance(read, dict)
            and value.keys() == read.keys()
            and all(same(value[k], read[k]) for k in value)
        )
    return value == read


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(), values, max_size=4))
def test_everything_comes_back_but_what_is_not_finite(data):
    raw = json_bytes(data)
    assert raw.endswith(b"\n") and raw.count(b"\n") == 1
    assert same(data, json.loads(raw.decode("utf-8"), parse_constant=refuse))


def test_a_name_that_is_not_utf8_comes_back_as_the_same_bytes():
    name = b"IM\xff\xfe".decode("utf-8", "surrogateescape")
    read = json.loads(json_bytes({"file": name}))
    assert read["file"].encode("utf-8", "surrogateescape") == b"IM\xff\xfe"


def test_our_own_kinds_of_values():
    seen = plain(
        {"a": np.float32("nan"), "b": np.arange(3), "c": Side.LEFT, "d": Path("x"), "e": (1, np.int64(2))}
    )
    assert seen == {"a": None, "b": [0, 1, 2], "c": "left", "d": "x", "e": [1, 2]}
    assert type(seen["c"]) is str
    with pytest.raises(TypeError):
        plain(object())


@given(st.text())
def test_printed_text_holds_no_control_character(text):
    shown = printable(text)
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs") for c in shown)
    stream = io.StringIO()
    print_text(text, stream)
    assert stream.getvalue().count("\n") == (text.count("\n") + 1 if text else 0)


@given(st.lists(st.lists(st.text(max_size=8), min_size=2, max_size=2), max_size=5))
def test_columns_line_up(rows):
    lines = table(("name", "n"), rows, right=(1,)).split("\n")
    assert len(lines) == len(rows) + 1


def test_small_things():
    assert (count(1, "clip"), count(0, "clip")) == ("1 clip", "0 clips")
    assert rounded(float("inf")) is None and rounded(None) is None and rounded(1.23456, 2) == 1.23
