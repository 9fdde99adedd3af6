"""The page says what the record says: read back as text, and looked at as pixels."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pypdf
import pytest
from plan_samples import HEAD, STUDY_UID, PaperClip, PaperStudy, record, target

from veinscan.errors import InvalidInputError, NotSavedError
from veinscan.plan.model import Checked, Side, TargetStatus
from veinscan.plan.treatment import LaserSettings
from veinscan.plan.vocabulary import Landmark, MapView, Modality
from veinscan.report import write_report
from veinscan.report.paper import SCOPE


def read(path: Path) -> list[str]:
    """Text of each page, blanks made equal."""
    return [
        " ".join(page.extract_text().replace("\u00a0", " ").split()) for page in pypdf.PdfReader(path).pages
    ]


def written(tmp_path: Path, *targets, study=None, **values) -> str:
    info = write_report(study or PaperStudy(), record(*targets, **values), tmp_path / "plan.pdf")
    pages = read(info.path)
    assert len(pages) == info.pages
    return " ".join(pages)


def test_a_page_names_patient_study_record_reader_and_scope(tmp_path: Path):
    text = written(tmp_path, target(1))
    for part in (
        "Nobody Anywhere",
        "NOBODY-1",
        "1961-02-03",
        "2026-01-02",
        STUDY_UID,
        "version 2",
        HEAD,
        "DEMO",
    ):
        assert part in text
    assert SCOPE in text
    assert "page 1 of 1" in text
    assert "DRAFT" not in text


def test_every_target_is_there_in_order_with_its_numbers(tmp_path: Path):
    targets = [
        target(3, side=Side.RIGHT, vein="GSV"),
        target(1, notes="above the scar"),
        target(2, side=Side.UNKNOWN),
    ]
    text = written(tmp_path, *targets)
    first, second, third = (text.index(word) for word in ("above the scar", "side unknown", "RIGHT"))
    assert first < second < third
    for one in targets:
        assert f"{one.diameter_mm:.1f}" in text and f"{one.depth_mm:.1f}" in text
    for word in (
        "GSV",
        "LEFT",
        "measured by program at a click",
        "measured by hand",
        "frame 2",
        "Given",
        "Artery",
    ):
        assert word in text


def test_leg_map_plan_sums_and_warnings_are_on_the_page(tmp_path: Path):
    text = written(
        tmp_path,
        target(
            1, side=Side.RIGHT, vein="GSV", landmark=Landmark.SFJ, landmark_cm=12.0, modality=Modality.LIQUID,
            concentration_percent=1.0, planned_volume_ml=0.2, product="asclera_us", needle_gauge=30,
        ),
        target(2, side=Side.RIGHT, map_view=MapView.BACK, map_point=(0.6, 0.5), modality=Modality.LASER,
               laser=LaserSettings(wavelength_nm=1064.0, passes=2)),
        target(3, side=Side.UNKNOWN),
    )  # fmt: skip
    for word in (
        "right, inner side",
        "12 cm from SFJ",
        "liquid Asclera (US label) 1 %, 0.2 mL, 30 G",
        "laser 1064 nm, 2 passes",
        "0.2 mL liquid planned at 1 target, 1 without a volume; 2 mg polidocanol.",
        "session volume 10 mL",
        "Warning R12: target 1",
        "Not on the leg map: 3: its side is unknown.",
        "A dashed number",
    ):
        assert word in text, word
    assert "left, front" not in text, "a leg without targets takes the room of the others"


def test_what_is_not_known_is_said_and_the_day_s_columns_stay_blank(tmp_path: Path):
    bare = target(
        1, side=Side.UNKNOWN, vein="unknown", diameter_mm=None, diameter_source=None, depth_mm=None,
        depth_source=None, calibration=None, outline=(), status=TargetStatus.SKIPPED,
        artery_checked=Checked.YES,
    )  # fmt: skip
    text = written(tmp_path, bare)
    assert text.count("not measured") == 2
    for word in ("side unknown", "vein unknown", "skipped", "artery checked at planning: yes"):
        assert word in text


def test_a_record_that_was_never_saved_is_a_draft_on_every_page(tmp_path: Path):
    info = write_report(
        PaperStudy(), record(*(target(n) for n in range(1, 31)), version=0, heads=()), tmp_path / "p.pdf"
    )
    assert info.pages > 1
    assert all("DRAFT" in page for page in read(info.path))


@pytest.mark.parametrize("size", ["A4", "letter"])
@pytest.mark.parametrize("n", [0, 1, 5, 8])
def test_a_usual_plan_is_one_page(tmp_path: Path, n: int, size: str):
    targets = [target(i, notes="medial, 4 cm below the knee") for i in range(1, n + 1)]
    info = write_report(PaperStudy(), record(*targets), tmp_path / "p.pdf", page_size=size)
    assert info.pages == 1
    width, height = pypdf.PdfReader(info.path).pages[0].mediabox[2:]
    assert (round(width), round(height)) == ((595, 842) if size == "A4" else (612, 792))
    if n == 0:
        assert "no targets" in read(info.path)[0]


def test_forty_targets_take_several_pages_that_each_say_whose_they_are(tmp_path: Path):
    info = write_report(PaperStudy(), record(*(target(n) for n in range(1, 41))), tmp_path / "p.pdf")
    pages = read(info.path)
    assert 3 <= info.pages <= 7
    for number, page in enumerate(pages, start=1):
        assert f"page {number} of {info.pages}" in page
        assert "Nobody Anywhere" in page and "NOBODY-1" in page and SCOPE in page
        assert "Diameter" in page
    assert sum(page.count("reticular") for page in pages) == 40


def test_long_notes_are_printed_in_full(tmp_path: Path):
    words = " ".join(f"word{n}" for n in range(900))
    text = written(
        tmp_path, target(1, notes=words), target(2, notes="x" * 3000), target(3, notes="line\n" * 90)
    )
    assert all(f"word{n}" in text for n in range(900))
    assert text.replace(" ", "").count("x") >= 3000
    assert text.count("line") >= 90


@pytest.mark.parametrize(
    "notes",
    [
        "<b>bold</b> & <img src='/etc/passwd'/>",
        "</para><para>",
        "&lt;",
        "a\x00b\x1b[2J",
        "\ud800",
        "%s {} \\",
    ],
)
def test_text_of_a_person_is_text(tmp_path: Path, notes: str):
    text = written(
        tmp_path, target(1, notes=notes, vein=notes), study=PaperStudy(clips=(PaperClip(file=notes),))
    )
    for char in "<>&/{}%":
        assert text.count(char) >= 2 * notes.count(char)


def test_letters_of_many_scripts_are_printed_or_shown_by_their_code(tmp_path: Path):
    notes = "Łódź Ångström Ελληνικά кириллица"
    text = written(tmp_path, target(1, notes=notes), study=PaperStudy(patient="Müller-Ørsted^Şule"))
    assert "Müller-Ørsted Şule" in text
    for word in notes.split():  # each letter as itself or as its code; which depends on the fonts installed
        letters = "".join(f"(?:{char}|\\[U\\+{ord(char):04X}\\])" for char in word)
        assert re.search(letters, text), word
    text = written(tmp_path, target(1, notes="\U0010fffd \u202eevil"))
    assert "[U+10FFFD]" in text and "[U+202E]evil" in text
    assert "shown by its code" in text


def test_all_fonts_are_embedded(tmp_path: Path):
    written(tmp_path, target(1, notes="кириллица"), version=0)
    fonts = set()
    for page in pypdf.PdfReader(tmp_path / "plan.pdf").pages:
        for font in page["/Resources"]["/Font"].values():
            font = font.get_object()
            fonts.add(font["/BaseFont"])
            if font["/BaseFont"] != "/Helvetica":  # reportlab declares it and sets nothing in it
                assert "/FontFile2" in font["/FontDescriptor"]
    assert len(fonts) >= 3


def test_the_name_is_on_the_page_and_nowhere_else(tmp_path: Path):
    write_report(PaperStudy(), record(target(1)), tmp_path / "plan.pdf")
    data = pypdf.PdfReader(tmp_path / "plan.pdf").metadata
    assert "Nobody" not in str(dict(data)) and "NOBODY" not in str(dict(data))
    assert [p.name for p in tmp_path.iterdir()] == ["plan.pdf"]


def test_a_study_without_a_name_says_so(tmp_path: Path):
    text = written(tmp_path, target(1), study=PaperStudy(patient=""))
    assert "no name in the study" in text and "no ID in the study" in text


def test_a_target_without_its_clip_or_pixels_still_prints(tmp_path: Path):
    lost = target(1, sop_instance_uid="1.2.3.4.5")
    assert "not among these files" in written(tmp_path, lost)
    broken = PaperStudy(clips=(PaperClip(broken=True),))
    text = written(tmp_path, target(1), study=broken)
    assert "cannot be decoded" in text and "LEFT" in text


def test_conflicts_are_on_the_page(tmp_path: Path):
    assert "side of target 1" in written(tmp_path, target(1), conflicts=("side of target 1: left or right",))


def test_an_earlier_plan_is_replaced_and_nothing_else(tmp_path: Path):
    path = tmp_path / "plan.pdf"
    write_report(PaperStudy(), record(target(1)), path)
    write_report(PaperStudy(), record(target(1), version=3), path)
    assert "version 3" in read(path)[0]
    clip = tmp_path / "IM_0001"
    clip.write_bytes(b"\0" * 128 + b"DICM")
    for place in (clip, tmp_path):
        with pytest.raises(InvalidInputError):
            write_report(PaperStudy(), record(), place)
    assert clip.read_bytes() == b"\0" * 128 + b"DICM"
    with pytest.raises(NotSavedError):
        write_report(PaperStudy(), record(), tmp_path / "missing" / "plan.pdf")
    with pytest.raises(InvalidInputError):
        write_report(PaperStudy(), record(), path, page_size="A0")


@pytest.mark.parametrize("call", ["fsync", "open"])
def test_a_write_that_fails_leaves_the_earlier_page(tmp_path: Path, monkeypatch, call: str):
    path = tmp_path / "plan.pdf"
    write_report(PaperStudy(), record(target(1)), path)
    before = path.read_bytes()

    def fail(*args: object, **kwargs: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(f"veinscan.report.files.os.{call}", fail)
        with pytest.raises(NotSavedError, match="No space left"):
            write_report(PaperStudy(), record(target(2)), path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["plan.pdf"]


@pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="pdftoppm (poppler-utils) is not installed")
def test_the_picture_on_paper_shows_the_outline_and_the_scale_bar(tmp_path: Path):
    study = PaperStudy()
    write_report(study, record(target(1)), tmp_path / "with.pdf")
    write_report(study, record(replace(target(1), outline=())), tmp_path / "without.pdf")

    def orange(name: str) -> int:
        subprocess.run(["pdftoppm", "-r", "100", "-png", name, name], check=True, cwd=tmp_path)
        page = cv2.imread(str(next(tmp_path.glob(f"{name}-*.png")))).astype(int)
        assert page.std() > 5
        blue, _, red = page[..., 0], page[..., 1], page[..., 2]
        return int(np.sum(red - blue > 90))

    assert orange("with.pdf") > orange("without.pdf") > 0
