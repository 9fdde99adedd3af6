"""Names of any script on a page: in reading order, joined, embedded, and copied as they were typed."""

from __future__ import annotations

import io
import shutil
import subprocess
import unicodedata
from collections import Counter
from pathlib import Path

import bidi
import pypdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reportlab.platypus import SimpleDocTemplate
from reportlab.platypus.flowables import Flowable

from veinscan.report.text import Typesetter, faces, typesetter
from veinscan.report.text.bidi import base_level, levels, resolved, visual_order
from veinscan.report.text.characters import CLOSE, OPEN, isolated, without_marks
from veinscan.report.text.faces import base_fonts, covers
from veinscan.report.text.shaping import ShapedText, shape

NAMES = {
    "Latin": "Müller-Ørsted Şule Łódź Nguyễn",
    "Greek": "Ελένη Παπαδοπούλου Ἀθῆναι",
    "Cyrillic": "Екатерина Щёголева",
    "Arabic": "محمد عبد الرحمن الأحمد",
    "Persian": "زهرا می‌خواهم پژمان",
    "Hebrew": "שרה כהן",
    "Japanese": "山田太郎 ヤマダ タロウ",
    "Chinese": "王小明 張偉",
    "Korean": "김철수",
    "Thai": "สมชาย ใจดี",
    "Devanagari": "राजेश क्षत्रिय",
    "Georgian": "ქეთევან",
}
_LETTERS = "abc XYZ אבג مرحلا 123 ٣٤ ,.-+%()[] :/ Ωж山田"


def pdf(flowable: Flowable) -> bytes:
    stream = io.BytesIO()
    SimpleDocTemplate(stream, pagesize=(300, 2000), invariant=1).build([flowable])
    return stream.getvalue()


def copied(data: bytes, tmp_path: Path) -> str:
    """What a person copies from the page; forms of letters count as the letters (NFKC)."""
    (tmp_path / "a.pdf").write_bytes(data)
    run = subprocess.run(
        ["pdftotext", "-enc", "UTF-8", "a.pdf", "-"], cwd=tmp_path, capture_output=True, check=True
    )
    shown = unicodedata.normalize("NFKC", run.stdout.decode())
    return " ".join("".join(c for c in shown if unicodedata.category(c) != "Cf").split())


needs_pdftotext = pytest.mark.skipif(
    shutil.which("pdftotext") is None, reason="pdftotext (poppler-utils) is not installed"
)


@needs_pdftotext
@pytest.mark.parametrize("script", NAMES)
@pytest.mark.parametrize("bold", [False, True])
def test_a_name_can_be_copied_from_the_page_as_it_was_typed(
    tmp_path: Path, script: str, bold: bool, monkeypatch
):
    monkeypatch.setattr(faces, "_system_files", tuple)  # as on a machine without fonts
    name = NAMES[script]
    setter = Typesetter([name])
    data = pdf(setter.text(name, 12, bold=bold))
    expected = "".join(c for c in unicodedata.normalize("NFKC", name) if unicodedata.category(c) != "Cf")
    assert copied(data, tmp_path) == expected
    assert not setter.by_code and not setter.notes()
    for font in pypdf.PdfReader(io.BytesIO(data)).pages[0]["/Resources"]["/Font"].values():
        if font.get_object()["/BaseFont"] != "/Helvetica":  # declared by reportlab, nothing is set in it
            assert "/FontFile2" in font.get_object()["/FontDescriptor"]


@needs_pdftotext
def test_pages_one_after_the_other_each_have_their_own_letters(tmp_path: Path):
    for name in ("山太郎", "王小明", "張偉"):
        assert copied(pdf(Typesetter([name]).text(name, 12)), tmp_path) == name


def test_arabic_letters_are_joined_and_stand_from_right_to_left():
    regular = base_fonts()[0]
    joined = shape("ببب", 1, regular)
    assert len(set(joined.shaped)) == 3, "beginning, middle and end of a word have forms of their own"
    assert shape("ب ب", 1, regular).shaped[0] == shape("ب ب", 1, regular).shaped[-1]
    word = shape("محمد", 1, regular).shaped
    says = [regular._says.get(ord(code), code) for code in word]
    assert says == list("دمحم"), "the last letter stands leftmost"
    assert len(shape("لا", 1, regular).shaped) == 1, "lam and alef are one form"


def test_a_line_of_two_directions_keeps_the_order_of_its_numbers():
    text = "محمد, ID 12-3 (left) 45"
    shown = "".join(text[i] for i in visual_order(levels(text)))
    assert shown.index("ID 12-3") < shown.index("دمحم")
    assert base_level(text) == 1 and base_level("ID محمد") == 0 and base_level("123") == 0


@given(st.text(st.sampled_from(_LETTERS), max_size=24))
def test_letters_are_ordered_as_the_unicode_algorithm_says(text: str):
    base = base_level(text)
    shown = "".join(text[i] for i in visual_order(levels(text, base)))
    assert shown == bidi.get_display(text, base_dir="R" if base else "L")


@given(st.lists(st.integers(0, 4), max_size=12))
def test_the_visual_order_is_an_order(found: list[int]):
    assert sorted(visual_order(found)) == list(range(len(found)))


@settings(max_examples=40, deadline=None)
@given(st.text(st.one_of(st.sampled_from(_LETTERS + "ก็กำ़ि"), st.characters()), max_size=60))
def test_nothing_of_a_text_is_lost_on_the_page(text: str):
    setter = Typesetter([text])
    said = Counter(setter.printable(text).replace("\n", "").replace(" ", ""))
    flowable = setter.text(text, 10)
    if isinstance(flowable, ShapedText):
        width, height = flowable.wrap(90, 1000)
        set_ = "".join(piece.text for _, pieces in flowable._lines for piece in pieces)
        assert Counter(set_.replace(" ", "")) == said
        assert height > 0 and all(
            sum(piece.width for piece in pieces) * 10 / 1000 <= width + 12 for _, pieces in flowable._lines
        )
    pdf(flowable)


@pytest.mark.parametrize("name", ["محمد " * 60, "山田" * 150, "Щ" * 400, "x" * 400])
def test_a_very_long_name_wraps_within_its_room_and_over_pages(name: str):
    setter = Typesetter([name])
    flowable = setter.text(name, 12)
    _, height = flowable.wrap(200, 10_000)
    assert height > 5 * 12
    parts = flowable.split(200, 40)
    assert len(parts) == 2
    assert sum(part.wrap(200, 10_000)[1] for part in parts) == pytest.approx(height, abs=12)
    assert parts[0].wrap(200, 10_000)[1] <= 40


@pytest.mark.parametrize("text", ["\u202eevil", "a\x00b", "\ud800", "\x1b[2J", "\U0010fffd"])
def test_what_could_steer_or_hide_is_shown_by_its_code(text: str):
    setter = Typesetter([text])
    shown = setter.printable(text)
    assert "[U+" in shown and setter.by_code and setter.notes()
    assert all(unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Cn") for char in shown)


def test_what_has_no_shape_is_left_out():
    assert Typesetter().printable("a\u200bb\u00adc\ufeff\tx\r\ny") == "abc    x\ny"


def test_japanese_and_chinese_shapes_follow_the_other_letters(monkeypatch):
    monkeypatch.setattr(faces, "_system_files", tuple)
    for text, name in (("直ヤ", b"CJKjp"), ("直", b"CJKsc"), ("直김", b"CJKkr")):
        (font,) = faces.further_fonts(set(text))
        assert name in font.face.name


def test_a_damaged_font_of_the_system_is_passed_over(tmp_path: Path, monkeypatch):
    damaged = tmp_path / "DejaVuSans.ttf"
    damaged.write_bytes(b"\x00\x01\x00\x00" + b"\xff" * 200)
    monkeypatch.setattr(faces, "_system_files", lambda: (damaged,))
    setter = Typesetter(["Հ山"])
    assert setter.printable("Հ山") == "[U+0540]山"


def test_plain_text_is_left_to_the_paragraphs_of_reportlab():
    setter = Typesetter(["Ωж"])
    for text in ("plain & <b>text</b>", "Ελένη", "Щёголева", "≥ 3 mm → 5"):
        assert not isinstance(setter.text(text), ShapedText)
    assert isinstance(setter.text("محمد"), ShapedText)
    assert all(covers(font, "ж") for font in base_fonts())
    assert "&lt;b&gt;" in setter.text("<b>").text
    assert typesetter.paragraph("x").text == "x"


def test_a_name_cannot_turn_the_date_beside_it_round(tmp_path: Path):
    line = f"{isolated('د. سارة')}, 2026-01-03 09:30, {isolated('Doe')}, {isolated('שרה 5')} (7)"
    clean, found, base = resolved(line)
    assert (clean, base) == ("د. سارة, 2026-01-03 09:30, Doe, שרה 5 (7)", 0)
    shown = "".join(clean[i] for i in visual_order(found))
    assert shown == "ةراس .د, 2026-01-03 09:30, Doe, 5 הרש (7)"
    plain, levels_, _ = resolved("د. سارة, 2026-01-03 09:30")
    assert "2026-01-03" not in "".join(plain[i] for i in visual_order(levels_)), "so it would be without"
    if shutil.which("pdftotext"):
        assert "2026-01-03 09:30, Doe" in copied(pdf(Typesetter([line]).text(line, 8)), tmp_path)


@given(st.lists(st.text(st.sampled_from(_LETTERS), max_size=8), max_size=4), st.text(max_size=6))
def test_what_is_isolated_reads_as_it_does_alone(parts: list[str], wild: str):
    """Compared with the isolates of Unicode, which the reference knows."""
    first = "\u2068" + "\u2069, \u2068".join(parts) + "\u2069 end"
    ours = OPEN + f"{CLOSE}, {OPEN}".join(parts) + f"{CLOSE} end"
    clean, found, base = resolved(ours)
    shown = "".join(clean[i] for i in visual_order(found))
    want = bidi.get_display(first, base_dir="R" if base else "L").replace("\u2068", "").replace("\u2069", "")
    assert shown == want
    odd, some, _ = resolved(OPEN + wild + OPEN)  # marks that do not match lose nothing
    assert len(odd) == len(some) and Counter(odd) == Counter(without_marks(wild).replace("\ufffc", ""))
