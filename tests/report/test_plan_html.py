"""The page for a tablet: what it says, where it comes from, and what a browser makes of it."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pypdf
import pytest
from chromium import PROGRAM, chromium
from plan_samples import HEAD, STUDY_UID, PaperClip, PaperStudy, record, target

from veinscan.errors import InvalidInputError
from veinscan.plan.model import Side
from veinscan.plan.vocabulary import Landmark, Modality
from veinscan.report import write_report
from veinscan.report.sheet import SCOPE

MADE = datetime(2026, 1, 4, 8, tzinfo=UTC)
HOSTILE = (
    "<script>document.title='owned'</script>",
    '"><img src=x onerror="document.title=\'owned\'">',
    "</style></bdi></td></table><iframe src='http://example.invalid/'></iframe>",
    "<a href=\"javascript:document.title='owned'\">x</a>",
    "</title><meta http-equiv='refresh' content='0;url=http://example.invalid'>",
    "&lt;b&gt; &#60;script&#62;",
    "\u202egnp.exe \x00 \ud800",
)

needs_browser = pytest.mark.skipif(PROGRAM is None, reason="no Chromium is installed (apt install chromium)")


class Page(HTMLParser):
    """Elements and text of a page."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._style = False
        self.css = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._style = tag == "style"

    def handle_data(self, data: str) -> None:
        if self._style:
            self.css += data
            self._style = False
        else:
            self.text += data

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def planned(n: int, **values):
    given = {
        "side": Side.RIGHT, "vein": "GSV", "landmark": Landmark.SFJ, "landmark_cm": 10.0 + n,
        "modality": Modality.LIQUID, "product": "asclera_us", "concentration_percent": 1.0,
        "planned_volume_ml": 0.2,
    }  # fmt: skip
    return target(n, **(given | values))


def as_name(text: str) -> str:
    """Without what means something else in a name (PS3.5 6.2.1)."""
    return text.replace("=", ":").replace("\\", "").replace("^", "")


def written(tmp_path: Path, *targets, study=None, **values) -> str:
    path = tmp_path / "plan.html"
    info = write_report(study or PaperStudy(), record(*targets, **values), path, printed_at=MADE)
    assert (info.format, info.pages) == ("html", 1)
    return path.read_text("utf-8")


def test_it_says_what_the_paper_says(tmp_path: Path):
    page = Page(written(tmp_path, planned(1, notes="above the scar"), planned(2)))
    said = " ".join(page.text.split())
    for word in (
        "Nobody Anywhere", "ID NOBODY-1", "born 1961-02-03", STUDY_UID, SCOPE, "2026-01-04 08:00 UTC",
        f"version 2, work in progress, not final, SR {HEAD}", "11 cm from SFJ", "2.1", "5.1", "liquid",
        "Asclera (US label)", "1 %", "0.2 mL", "Given", "Artery checked", "above the scar",
        "0.4 mL liquid planned at 2 targets; 4 mg polidocanol.", "session volume 10 mL",
        "Warning R12: target 1", "table of thresholds", "Target 2: RIGHT, GSV, 12 cm from SFJ",
    ):  # fmt: skip
        assert word in said, word
    assert "DRAFT" not in said
    assert len(page.of("svg")) == 1 and len(page.of("img")) == 4
    assert all(image["alt"] for image in page.of("img"))


def test_nothing_comes_from_elsewhere_and_the_policy_holds_what_is_there(tmp_path: Path):
    source = written(tmp_path, planned(1), study=PaperStudy(patient="山田^太郎"))
    page = Page(source)
    assert not page.of("script") and not page.of("link") and not page.of("iframe") and not page.of("base")
    for _, attributes in page.elements:
        assert not any(name.startswith("on") or name == "style" for name in attributes)
        for name in ("src", "href"):
            if (value := attributes.get(name)) is not None:
                assert value.startswith(("data:image/jpeg;base64,", "#"))
    assert not re.search(r"https?:(?!//www\.w3\.org/2000/svg)", source)
    (policy,) = [m["content"] for m in page.of("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    digest = base64.b64encode(hashlib.sha256(page.css.encode()).digest()).decode()
    assert policy.startswith("default-src 'none'") and f"'sha256-{digest}'" in policy
    assert "unsafe" not in policy and "@font-face" in page.css
    for link in page.of("a"):
        assert link["href"][1:] in {attributes.get("id") for _, attributes in page.elements}


@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_a_person_is_text(tmp_path: Path, text: str):
    study = PaperStudy(patient=as_name(text), clips=(PaperClip(file=text),))
    page = Page(written(tmp_path, planned(1, notes=text, vein=text, marked_by=text), study=study))
    assert not page.of("script") and not page.of("iframe") and len(page.of("img")) == 2
    assert len([m for m in page.of("meta") if m.get("http-equiv")]) == 1
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    visible = text.replace("\u202e", "[U+202E]").replace("\x00", "[U+0000]").replace("\ud800", "[U+D800]")
    assert page.text.count(visible) >= 3
    assert "Nobody" not in page.of("title").__repr__()


def test_no_targets_and_a_draft(tmp_path: Path):
    page = Page(written(tmp_path, version=0, heads=()))
    assert "There are no targets in this record." in page.text
    assert page.text.count("DRAFT, not saved") == 2
    assert len(page.of("svg")) == 1, "the empty legs are there to draw on"


def test_the_same_record_gives_the_same_page_and_other_files_are_left_alone(tmp_path: Path):
    first = written(tmp_path, planned(1))
    assert written(tmp_path, planned(1)) == first
    other = tmp_path / "notes.html"
    other.write_text("<!doctype html>\n<p>mine</p>")
    with pytest.raises(InvalidInputError, match="not a report"):
        write_report(PaperStudy(), record(), other)
    with pytest.raises(InvalidInputError, match="format"):
        write_report(PaperStudy(), record(), tmp_path / "plan.docx")


def picture(path: Path) -> np.ndarray:
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB).astype(int)


def orange(image: np.ndarray) -> int:
    return int(((image[..., 0] > 200) & (abs(image[..., 1] - 159) < 30) & (image[..., 2] < 60)).sum())


@needs_browser
def test_a_browser_shows_it_zooms_into_a_picture_and_refuses_nothing_of_it(tmp_path: Path):
    """With a hostile name in it: neither its script nor its frame come to life."""
    study = PaperStudy(patient=as_name(f"{HOSTILE[1]} {HOSTILE[2]}"))
    written(tmp_path, planned(1, notes=HOSTILE[0]), planned(2), study=study)
    page = f"file://{tmp_path}/plan.html"
    shown = chromium(
        tmp_path / "p1", page, "--window-size=820,1180", f"--screenshot={tmp_path / 'page.png'}", "--dump-dom"
    )
    assert not shown.console
    image = picture(tmp_path / "page.png")
    assert orange(image) > 300, "the numbers on the leg map"
    assert image.shape[:2] == (1180, 820) and len(np.unique(image.reshape(-1, 3), axis=0)) > 50
    zoomed = chromium(
        tmp_path / "p2",
        f"{page}#picture-0-0",
        "--window-size=820,1180",
        f"--screenshot={tmp_path / 'zoom.png'}",
    )
    assert not zoomed.console
    assert orange(picture(tmp_path / "zoom.png")) > 3 * orange(image), "the picture fills the screen"


@needs_browser
def test_the_parsed_page_holds_no_foreign_element(tmp_path: Path):
    study = PaperStudy(patient=as_name(f"{HOSTILE[1]} {HOSTILE[2]}"))
    written(tmp_path, planned(1, notes=HOSTILE[0]), study=study)
    called = chromium(tmp_path / "p", f"file://{tmp_path}/plan.html", "--dump-dom")
    page = Page(called.out)
    assert not page.of("script") and not page.of("iframe")
    assert page.of("title") and "owned" not in called.out.partition("</title>")[0]
    assert not called.console


@needs_browser
@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext (poppler-utils) is not installed")
def test_it_prints_with_whose_it_is_on_every_page(tmp_path: Path):
    written(tmp_path, *(planned(n) for n in range(1, 13)), study=PaperStudy(patient="Παπαδοπούλου^Ελένη"))
    chromium(tmp_path / "p", f"file://{tmp_path}/plan.html", f"--print-to-pdf={tmp_path / 'printed.pdf'}")
    pages = len(pypdf.PdfReader(tmp_path / "printed.pdf").pages)
    assert 3 <= pages <= 14
    for number in range(1, pages + 1):
        call = ["pdftotext", "-f", str(number), "-l", str(number), "printed.pdf", "-"]
        said = subprocess.run(call, cwd=tmp_path, capture_output=True, check=True).stdout.decode()
        assert (
            "Παπαδοπούλου Ελένη" in said
            and STUDY_UID in said
            and HEAD in said
            and SCOPE in " ".join(said.split())
        )
