from __future__ import annotations

import re
from pathlib import Path

TEXT = (Path(__file__).parents[2] / "docs" / "clinical-scope.md").read_text(encoding="utf-8")


def test_every_row_is_a_field_a_view_or_out_of_scope_with_the_reason() -> None:
    rows = dict(re.findall(r"^\| (F\d\d) \| [^|]+ \| ([^|]+) \|$", TEXT, flags=re.M))
    assert list(rows) == [f"F{number:02d}" for number in range(1, 40)]
    for row, where in rows.items():
        assert re.search(r"field|view|check|out of scope: |as F\d\d|modality|no patient name", where), row


def test_the_fields_it_names_are_there() -> None:
    from dataclasses import fields

    from veinscan.plan.follow_up import Complication, Evacuation, FollowUp, TargetOutcome
    from veinscan.plan.model import InjectionTarget
    from veinscan.plan.treatment import Compression, Injection, LaserSettings, TreatmentSession

    classes = {
        kind.__name__: {field.name for field in fields(kind)}
        for kind in (
            Complication,
            Evacuation,
            FollowUp,
            TargetOutcome,
            InjectionTarget,
            Compression,
            Injection,
            LaserSettings,
            TreatmentSession,
        )
    }
    for kind, name in re.findall(r"`([A-Z]\w+)\.([a-z]\w+)", TEXT):
        assert name in classes[kind], f"{kind}.{name}"
