"""Single values out of a dataset of unknown quality: None where they are missing or make no sense.

pydicom converts a value when it is first touched, and hostile bytes make that
raise almost anything; so every value veinscan uses comes through here.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

from pydicom.tag import BaseTag, Tag

from veinscan.dicom.guard import clean_uid, plain


def raw_value(dataset: Any, keyword: str) -> Any:
    """The value of an attribute, or None; never raises."""
    tag = _tag(keyword)
    try:
        return dataset[tag].value if tag in dataset else None
    except Exception:
        return None


@lru_cache(maxsize=256)
def _tag(keyword: str) -> BaseTag:
    """The tag of a keyword: asking a dataset by tag is several times faster than by name."""
    return Tag(keyword)


def numbers(dataset: Any, keyword: str) -> list[float]:
    """All finite numbers of an attribute; [] where there is none or one of them is not finite."""
    value = raw_value(dataset, keyword)
    if value is None:
        return []
    try:
        items = [value] if isinstance(value, (str, int, float)) else list(value)
        out = [float(item) for item in items]
    except Exception:
        return []
    return out if all(math.isfinite(item) for item in out) else []


def number(dataset: Any, keyword: str) -> float | None:
    """The first finite number of an attribute, or None."""
    found = numbers(dataset, keyword)
    return found[0] if found else None


def whole(dataset: Any, keyword: str) -> int | None:
    """The first number of an attribute as an int, or None where it has a fraction."""
    found = number(dataset, keyword)
    return int(found) if found is not None and found == int(found) else None


def text(dataset: Any, keyword: str) -> str:
    """An attribute as one printable line, '' where there is none."""
    value = raw_value(dataset, keyword)
    if value is None:
        return ""
    try:
        return plain(value).strip()
    except Exception:
        return ""


def texts(dataset: Any, keyword: str) -> list[str]:
    """All values of a text attribute."""
    value = raw_value(dataset, keyword)
    try:
        if value is None:
            return []
        return [plain(item).strip() for item in ([value] if isinstance(value, str) else list(value))]
    except Exception:
        return []


def uid(dataset: Any, keyword: str) -> str:
    """A UID attribute, '' where it is missing or no UID."""
    return clean_uid(raw_value(dataset, keyword))
