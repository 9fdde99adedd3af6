"""`find -o` and `sample`: what is replaced, what is left alone, and that nothing is half done."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest
from cli_studies import lumen, tree

from veinscan.candidates import ClipCandidates
from veinscan.errors import DecodeError


@pytest.fixture(autouse=True)
def one_candidate(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search finds the lumen of the calibrated clip: how well it searches is tested elsewhere."""
    import veinscan.candidates

    def find(clip, settings=None, *, progress=None):
        assert settings is not None
        found = (lumen(clip.n_frames),) if clip.spacing_mm else ()
        return ClipCandidates(
            candidates=found, warnings=() if found else ("no calibration",), settings=settings
        )

    monkeypatch.setattr(veinscan.candidates, "find_in_clip", find, raising=False)


def test_find_draws_a_picture_of_each_clip_with_candidates(cli, tiny: Path, tmp_path: Path):
    out = tmp_path / "deep" / "overlays"
    data = cli("find", tiny, "-o", out, "--json").json
    assert [clip["picture"] for clip in data["clips"]] == ["clip-001-bmode.png", None]
    assert sorted(p.name for p in out.iterdir()) == ["candidates.json", "clip-001-bmode.png"]
    picture = cv2.imread(str(out / "clip-001-bmode.png"))
    assert max(picture.shape) >= 800
    # Tissue is grey, outlines are not.
    assert (abs(picture[..., 0].astype(int) - picture[..., 2]) > 60).sum() > 200
    listing = json.loads((out / "candidates.json").read_text())
    assert listing["clips"] == data["clips"]


def test_a_second_search_replaces_its_own_files_and_no_others(cli, tiny: Path, tmp_path: Path):
    out = tmp_path / "overlays"
    assert cli("find", tiny, "-o", out).code == 0
    old = out / "clip-009-colour.png"
    old.write_bytes(b"an earlier picture of ours")
    listing = json.loads((out / "candidates.json").read_text())
    listing["pictures"] += [old.name, "../outside.png", "keep.png"]
    (out / "candidates.json").write_text(json.dumps(listing))
    (out / "keep.png").write_bytes(b"mine")
    (tmp_path / "outside.png").write_bytes(b"mine too")
    (out / "clip-001-bmode.png").write_bytes(b"stale")
    assert cli("find", tiny, "-o", out).code == 0
    assert sorted(p.name for p in out.iterdir()) == ["candidates.json", "clip-001-bmode.png", "keep.png"]
    assert (out / "clip-001-bmode.png").read_bytes().startswith(b"\x89PNG")
    assert (out / "keep.png").read_bytes() == b"mine"
    assert (tmp_path / "outside.png").read_bytes() == b"mine too"


@pytest.mark.parametrize("inside", [".", "clips", "clips/new"])
def test_the_folder_may_be_the_study_s_own(cli, tiny: Path, inside: str):
    before = tree(tiny)
    assert cli("find", tiny, "-o", tiny / inside).code == 0
    assert cli("find", tiny, "-o", tiny / inside).code == 0
    after = tree(tiny)
    assert {name: after[name] for name in before} == before
    assert len(after) == len(before) + 2


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("clip-001-bmode.png", b"someone else's"),
        ("candidates.json", b'{"candidates": ["Smith", "Jones"]}'),
        ("candidates.json", b"not json"),
        ("candidates.json", b"[" * 100_000),
    ],
)
def test_a_file_of_others_under_our_name_is_never_replaced(cli, tiny, tmp_path, name: str, content: bytes):
    out = tmp_path / "overlays"
    out.mkdir()
    (out / name).write_bytes(content)
    called = cli("find", tiny, "-o", out)
    assert called.code == 1 and "another folder" in called.err
    assert tree(out).keys() == {name}
    assert (out / name).read_bytes() == content


def test_the_place_of_the_pictures_may_not_be_a_file(cli, tiny: Path, tmp_path: Path):
    (tmp_path / "file").write_text("mine")
    assert cli("find", tiny, "-o", tmp_path / "file").code == 1
    assert (tmp_path / "file").read_text() == "mine"


def test_one_clip_that_cannot_be_decoded_stops_no_other(cli, tiny: Path, monkeypatch):
    import veinscan.candidates

    real = veinscan.candidates.find_in_clip

    def failing(clip, settings=None, *, progress=None):
        if clip.file.endswith("1"):
            raise DecodeError(
                "the pixels of the frame cannot be decoded", where=clip.file, do="", frame_index=0
            )
        return real(clip, settings, progress=progress)

    monkeypatch.setattr(veinscan.candidates, "find_in_clip", failing, raising=False)
    called = cli("find", tiny, "--json")
    assert called.code == 0
    first, second = called.json["clips"]
    assert first["candidates"] == [] and "cannot be decoded" in first["warnings"][0]
    assert second["file"] == "clips/IM_0002"


def fake_study(folder: Path, *, seed: int = 0, follow_up: Path | None = None) -> list[Path]:
    files = []
    for place in (folder, follow_up):
        if place is not None:
            place.mkdir(parents=True, exist_ok=True)
            for name in ("0001.dcm", "truth.json"):
                (place / name).write_text(f"{name} {seed}")
                files.append(place / name)
    return files


@pytest.fixture
def quick_phantom(monkeypatch):
    import veinscan.phantom

    monkeypatch.setattr(veinscan.phantom, "make_study", fake_study)


@pytest.mark.usefixtures("quick_phantom")
def test_sample_makes_new_and_fills_empty_folders(cli, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    data = cli("sample", tmp_path / "empty", "--follow-up", tmp_path / "a" / "b", "--json").json
    assert [Path(f).relative_to(tmp_path).as_posix() for f in data["files"]] == [
        "empty/0001.dcm", "empty/truth.json", "a/b/0001.dcm", "a/b/truth.json",
    ]  # fmt: skip
    assert tree(tmp_path).keys() == {"empty/0001.dcm", "empty/truth.json", "a/b/0001.dcm", "a/b/truth.json"}


@pytest.mark.usefixtures("quick_phantom")
@pytest.mark.parametrize(
    "args",
    [
        ["full"],
        ["file"],
        ["new", "--follow-up", "full"],
        ["new", "--follow-up", "new"],
        ["new", "--follow-up", "new/x"],
    ],
)
def test_sample_refuses_places_that_hold_something(cli, tmp_path: Path, args: list[str]):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("years")
    (tmp_path / "file").write_text("mine")
    before = tree(tmp_path)
    called = cli("sample", *[a if a.startswith("--") else tmp_path / a for a in args])
    assert called.code == 1 and called.err.count("\n") == 1
    assert tree(tmp_path) == before
    assert not (tmp_path / "new").exists()


def test_a_sample_that_fails_leaves_nothing(cli, tmp_path: Path, monkeypatch):
    import veinscan.phantom

    def fail(folder: Path, *, seed: int, follow_up: Path | None) -> list[Path]:
        fake_study(folder, seed=seed)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(veinscan.phantom, "make_study", fail)
    assert cli("sample", tmp_path / "a" / "b").code == 1
    assert list(tmp_path.iterdir()) == []
