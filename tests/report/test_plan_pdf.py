"""The page says what the record says: read back as text, and looked at as pixels."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pypdf
import pytest
from plan_samples import CLIP_UID, HEAD, STUDY_UID, PaperClip, PaperStudy, record, target

from veinscan.errors import InvalidInputError, NotSavedError
from veinscan.plan.checks import acknowledge, check_record
from veinscan.plan.flow import RefluxValue
from veinscan.plan.model import Checked, Measurement, Reader, RecordStatus, Side, TargetStatus
from veinscan.plan.treatment import LaserSettings
from veinscan.plan.vocabulary import (
    Landmark,
    Manoeuvre,
    MapView,
    MeasurementKind,
    Modality,
    Posture,
    RecordState,
)
from veinscan.report import write_report
from veinscan.report.sheet import SCOPE


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
    assert "page 1 of 2" in text
    assert "DRAFT" not in text


def test_every_target_is_there_in_order_with_its_numbers(tmp_path: Path):
    targets = [
        target(3, side=Side.RIGHT, vein="GSV"),
        target(1, notes="above the scar"),
        target(2, side=Side.UNKNOWN),
    ]
    text = written(tmp_path, *targets)
    front = read(tmp_path / "plan.pdf")[0]
    first, second, third = (front.index(word) for word in ("above the scar", "side unknown", "RIGHT GSV"))
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
        "liquid, Asclera (US label), 1 %, 0.2 mL, 30 G",
        "laser, 1064 nm, 2 passes",
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
    front = read(tmp_path / "plan.pdf")[0]
    assert front.count("not measured") == 2
    for word in ("side unknown", "vein unknown", "skipped"):
        assert word in front
    assert "yes" not in front, "what the record says of the check is not the check of the day"
    assert "Artery checked yes" in text


def test_a_record_that_was_never_saved_is_a_draft_on_every_page(tmp_path: Path):
    info = write_report(
        PaperStudy(), record(*(target(n) for n in range(1, 31)), version=0, heads=()), tmp_path / "p.pdf"
    )
    assert info.pages > 1
    assert all("DRAFT" in page for page in read(info.path))


@pytest.mark.parametrize("size", ["A4", "letter"])
@pytest.mark.parametrize("n", [0, 1, 5, 8, 20])
def test_a_usual_plan_is_one_page_for_the_procedure_room(tmp_path: Path, n: int, size: str):
    targets = [target(i, notes="medial, 4 cm below the knee", product="asclera_us") for i in range(1, n + 1)]
    info = write_report(PaperStudy(), record(*targets), tmp_path / "p.pdf", page_size=size)
    pages = read(info.path)
    width, height = pypdf.PdfReader(info.path).pages[0].mediabox[2:]
    assert (round(width), round(height)) == ((595, 842) if size == "A4" else (612, 792))
    if n == 0:
        assert info.pages == 1 and "no targets" in pages[0]
        return
    assert info.pages > 1, "the targets' own pages follow"
    assert pages[0].count("LEFT reticular") == n and "Artery checked" in pages[0]
    assert "Target 1: LEFT, reticular" in pages[1] and "Given" not in pages[1]


def test_sixty_targets_take_several_pages_that_each_say_whose_they_are(tmp_path: Path):
    info = write_report(PaperStudy(), record(*(target(n) for n in range(1, 61))), tmp_path / "p.pdf")
    pages = read(info.path)
    tables = [page for page in pages if "Given" in page]
    assert 2 <= len(tables) <= 3 and pages[: len(tables)] == tables
    assert sum(page.count("LEFT reticular") for page in tables) == 60
    for number, page in enumerate(pages, start=1):
        assert f"page {number} of {info.pages}" in page
        for word in (
            "Nobody Anywhere",
            "NOBODY-1",
            SCOPE,
            STUDY_UID,
            "2026-01-02",
            HEAD,
            "version 2",
            "Saved by",
        ):
            assert word in page, (number, word)
    assert all(any(f"Target {n}: LEFT" in page for page in pages) for n in range(1, 61))


def test_the_saved_version_is_on_every_page_however_much_else_is_said(tmp_path: Path):
    heads = tuple("2.25." + str(n) * 39 for n in (1, 2))
    status = RecordStatus(state=RecordState.AMENDED, set_by="Roe", reason="word " * 100)
    values = {"heads": heads, "status": status, "version": 7}
    write_report(PaperStudy(), record(target(1), **values), tmp_path / "plan.pdf")
    for page in read(tmp_path / "plan.pdf"):
        assert all(head in page.replace(" ", "") for head in heads)


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
        assert text.count(char) >= 3 * notes.count(char)


@pytest.mark.parametrize("long", ["word " * 1500, "محمد " * 1200])
@pytest.mark.parametrize("place", ["name", "vein", "marked_by", "feeds_text", "caliper", "status"])
def test_a_text_of_any_length_is_printed_in_full_somewhere(tmp_path: Path, place: str, long: str):
    study, values = PaperStudy(), {}
    if place == "name":
        study = PaperStudy(patient=long.replace("\n", " "))
    elif place == "caliper":
        values["measurements"] = (
            Measurement(
                id="1.2.7", kind=MeasurementKind.DIAMETER, value=2.3, sop_instance_uid=CLIP_UID,
                point_a=(1.0, 2.0), point_b=(3.0, 4.0), notes=long,
            ),
        )  # fmt: skip
    elif place == "status":
        values["status"] = RecordStatus(state=RecordState.FINAL, set_by="Roe", reason=long)
    marked = {place: long} if place in ("vein", "marked_by", "feeds_text") else {}
    text = written(tmp_path, target(1, **marked), study=study, **values)
    assert "in full on the last page" in text and "Long texts in full" in text
    if long.isascii():
        word = long.split()[0][:4]
        assert text.replace(" ", "").count(word[:1] if word == "xxxx" else word) >= len(long.split())


def test_what_no_font_has_is_shown_by_its_code(tmp_path: Path):
    text = written(tmp_path, target(1, notes="\U0010fffd \u202eevil"))
    assert "[U+10FFFD]" in text and "[U+202E]evil" in text
    assert "shown by its code" in text


def test_all_fonts_are_embedded(tmp_path: Path):
    written(tmp_path, target(1, notes="кириллица 山田 محمد"), version=0)
    fonts = set()
    for page in pypdf.PdfReader(tmp_path / "plan.pdf").pages:
        for font in page["/Resources"]["/Font"].values():
            font = font.get_object()
            fonts.add(font["/BaseFont"])
            assert "/FontFile2" in font["/FontDescriptor"]
    assert len(fonts) >= 3


def test_the_same_record_gives_the_same_bytes(tmp_path: Path):
    made = datetime(2026, 1, 4, 8, tzinfo=UTC)
    for name in ("a.pdf", "b.pdf"):
        write_report(PaperStudy(patient="山田^太郎"), record(target(1)), tmp_path / name, printed_at=made)
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()
    assert "2026-01-04 08:00 UTC" in read(tmp_path / "a.pdf")[0]


def test_measurements_reflux_and_what_it_was_computed_with_are_listed(tmp_path: Path):
    reflux = RefluxValue(
        id="1.2.8", sop_instance_uid=CLIP_UID, reflux_s=3.8, is_lower_bound=True, peak_reflux_cm_s=21.0,
        manoeuvre=Manoeuvre.CUFF, posture=Posture.STANDING, set_by="DEMO",
    )  # fmt: skip
    caliper = Measurement(
        id="1.2.7", kind=MeasurementKind.DIAMETER, value=2.34, sop_instance_uid=CLIP_UID, frame_index=4,
        point_a=(1.0, 2.0), point_b=(3.0, 4.0), set_by="Roe", notes="at the fascia",
    )  # fmt: skip
    one = target(1, vein="GSV", reflux=(reflux,))
    text = written(tmp_path, one, measurements=(caliper,))
    for word in (
        "Measured with calipers", "2.3 mm", "clips/IM_0001, frame 4", "Roe", "at the fascia", "> 3.80 s",
        "21 cm/s", "cuff, standing", "reflux by SVS/AVF/AVLS 2022 (> 0.5 s)", "table of thresholds",
        "record schema",
    ):  # fmt: skip
        assert word in text, word
    info = write_report(PaperStudy(), record(one), tmp_path / "old.pdf", profile="svs_avf_2011")
    assert "profile SVS/AVF 2011 (svs_avf_2011)" in read(info.path)[0]
    with pytest.raises(InvalidInputError, match="profile"):
        write_report(PaperStudy(), record(one), tmp_path / "old.pdf", profile="mine")


def test_a_warning_says_who_acknowledged_it_and_when(tmp_path: Path):
    plain = record(target(1, modality=Modality.LIQUID, product="asclera_us", concentration_percent=1.0))
    (warning,) = [one for one in check_record(plain, PaperStudy()) if one.rule == "R12"]
    seen = acknowledge(plain, warning, Reader(name="Roe"), reason="checked with colour")
    write_report(PaperStudy(), seen, tmp_path / "plan.pdf")
    text = " ".join(read(tmp_path / "plan.pdf"))
    when = seen.acknowledgements[0].acknowledged_at
    assert f"(acknowledged by Roe, {when:%Y-%m-%d %H:%M %Z}: checked with colour)" in text


def test_a_withdrawn_record_says_so_across_every_page(tmp_path: Path):
    status = RecordStatus(state=RecordState.WITHDRAWN, set_by="Roe", reason="wrong side")
    write_report(PaperStudy(), record(target(1), status=status), tmp_path / "plan.pdf")
    pages = read(tmp_path / "plan.pdf")
    assert all("WITHDRAWN" in page for page in pages)
    assert "withdrawn: not to be used (by Roe: wrong side)" in pages[0]


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
        page = cv2.imread(str(min(tmp_path.glob(f"{name}-*.png")))).astype(int)
        assert page.std() > 5
        blue, _, red = page[..., 0], page[..., 1], page[..., 2]
        return int(np.sum(red - blue > 90))

    assert orange("with.pdf") > orange("without.pdf") > 0
