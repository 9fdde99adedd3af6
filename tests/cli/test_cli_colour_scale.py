"""`veinscan find --colour-scale`: a person gives what stands at the ends of the colour bar."""

from __future__ import annotations

from pathlib import Path

import pytest

from veinscan.cli.colour_scale import scale_json
from veinscan.dicom import ClipKind, open_study
from veinscan.record import open_with_record


@pytest.fixture
def name(sample_study_dir: Path) -> str:
    return next(clip.file for clip in open_study(sample_study_dir).clips if clip.kind is ClipKind.COLOUR)


def test_a_given_scale_is_used_kept_and_said(cli, sample_study_dir: Path, name: str) -> None:
    given = ("--colour-scale", "60,-60", "--reader", "Anna")
    found = cli("find", sample_study_dir, "--file", name, *given, "--json").json
    (clip,) = found["clips"]
    scale = clip["colour_scale"]
    assert (scale["top"], scale["bottom"], scale["unit"], scale["source"]) == (60.0, -60.0, "cm/s", "given")
    assert found["version"] == 1 and Path(found["saved"]).is_file()
    (kept,) = cli("targets", "list", sample_study_dir, "--json").json["colour_scales"]
    assert (kept["top"], kept["bottom"], kept["set_by"]) == (60.0, -60.0, "Anna")
    # asked no more: the record says it
    again = open_with_record(sample_study_dir).study.clip(name)
    assert scale_json(again) == {"colour_scale": scale}


@pytest.mark.parametrize(
    ("options", "where"),
    [
        (("--colour-scale", "60,-60"), "--colour-scale"),
        (("--file", "x", "--colour-scale", "60"), "--colour-scale"),
        (("--file", "x", "--colour-scale", "60,60"), "--colour-scale"),
        (("--file", "x", "--colour-scale", "60,-60", "--colour-unit", "m/s"), "--colour-scale"),
        (("--file", "x", "--colour-scale", "60,-60", "--colour-bar", "1,2"), "--colour-bar"),
        (("--colour-bar", "1,2,3,4"), "--colour-bar"),
    ],
)
def test_options_that_say_no_scale_are_a_wrong_call(
    cli, sample_study_dir: Path, options: tuple[str, ...], where: str
) -> None:
    result = cli("find", sample_study_dir, *options, "--json")
    assert result.code == 2
    assert result.json["error"]["where"] == where
