"""One HTML page: it shows, zooms and prints without a network, a script or a font from elsewhere.

Everything that a person or a file said goes through `_said`, which escapes it
and isolates its direction.  A Content Security Policy forbids all that is not
in the page: pictures and fonts are `data:`, the one style sheet is allowed by its hash,
scripts there are none.  A picture is enlarged by a link to itself (`:target`).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files

from veinscan.report.leg_map import to_svg
from veinscan.report.sheet import SCOPE, Row, Sheet, Shot, Table, TargetSheet, Visit
from veinscan.report.text.characters import CLOSE, OPEN, readable, without_marks
from veinscan.report.text.web import web_fonts

_TITLES = (
    "", "Side, vein", "Distance to landmark", "Diameter, mm", "Depth, mm", "Modality", "Product",
    "Conc.", "Volume", "Given", "Artery checked",
)  # fmt: skip


def html_of(sheet: Sheet) -> str:
    """The page; the same text for the same sheet."""
    css = files("veinscan.report.html").joinpath("style.css").read_text("utf-8")
    css += "".join(_font_face(family, data) for family, data in web_fonts(sheet.texts()))
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; img-src data:; font-src data:; style-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )
    body = [
        _navigation(sheet),
        '<table class="sheet" role="presentation"><tbody><tr><td><main>',
        *_head(sheet),
        *_map(sheet),
        *_comparison(sheet),
        *_plan(sheet),
        *_warnings(sheet),
        *_targets(sheet.targets),
        *(part for visit in sheet.visits for part in _visit(visit)),
        *(part for table in sheet.measurements for part in _table(table)),
        '<section id="computed"><h2>Computed with</h2>',
        *(f"<p>{_said(line)}</p>" for line in sheet.computed_with),
        "</section></main></td></tr></tbody>",
        f"<tfoot><tr><td>{_foot(sheet)}</td></tr></tfoot></table>",
    ]
    return "\n".join(
        [
            "<!doctype html>",
            "<!-- veinscan report -->",  # so that an earlier report is known as one
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer">',
            # the name of a tab shows on lists that others see: nothing of the patient
            f"<title>{_plain(sheet.title)}</title>",
            f"<style>{css}</style></head><body>",
            *([f'<div class="across" aria-hidden="true">{_plain(sheet.mark)}</div>'] if sheet.mark else []),
            *body,
            "</body></html>\n",
        ]
    )


def _font_face(family: str, data: bytes) -> str:
    """Letters that a tablet may have no font for come with the page."""
    content = base64.b64encode(data).decode("ascii")
    return f'@font-face {{ font-family: "{family}"; src: url(data:font/ttf;base64,{content}); }}\n'


def _plain(text: str) -> str:
    return escape(without_marks(readable(text)), quote=True)


def _said(text: str) -> str:
    """Text in its own direction, so that it cannot turn round what stands beside it."""
    parts = escape(readable(text), quote=True)
    if parts.count(OPEN) == parts.count(CLOSE):
        parts = parts.replace(OPEN, "<bdi>").replace(CLOSE, "</bdi>")
    return f'<bdi dir="auto">{without_marks(parts)}</bdi>'


def _navigation(sheet: Sheet) -> str:
    links = ['<a href="#top">Plan</a>']
    links += [f'<a href="#target-{n}">{target.number or "?"}</a>' for n, target in enumerate(sheet.targets)]
    return f'<nav aria-label="Targets">{"".join(links)}</nav>'


def _head(sheet: Sheet) -> list[str]:
    return [
        f'<section id="top"><h1>{_plain(sheet.title)}</h1>',
        *([f'<p class="banner">{_plain(sheet.mark)}</p>'] if sheet.mark else []),
        f'<p class="person">{_said(sheet.person.name)}</p><p>{_said(sheet.person.particulars())}</p>',
        f'<p class="scope">{_plain(SCOPE)}</p>',
        _facts(sheet.head_facts),
        *(
            f'<p class="alert"><strong>Conflict to be settled:</strong> {_said(text)}</p>'
            for text in sheet.conflicts
        ),
        "</section>",
    ]


def _map(sheet: Sheet) -> list[str]:
    parts = [
        '<figure id="map"><a href="#map" aria-label="Enlarge the leg map">',
        to_svg(sheet.legs, sheet.sides),
        '</a><a class="close" href="#top">Close</a>',
    ]
    return [*parts, f"<figcaption>{_plain(sheet.map_note)}</figcaption></figure>"]


def _comparison(sheet: Sheet) -> list[str]:
    if sheet.comparison is None:
        return []
    return [_facts(sheet.comparison_facts), *_table(sheet.comparison)]


def _plan(sheet: Sheet) -> list[str]:
    if not sheet.rows:
        return [] if sheet.comparison is not None else ["<p>There are no targets in this record.</p>"]
    titles = "".join(f'<th scope="col">{_plain(title)}</th>' for title in _TITLES)
    limits = f"<p>Limits of the labels: {_said('; '.join(sheet.limits))}.</p>" if sheet.limits else ""
    return [
        f'<section id="plan"><div class="wide"><table class="list"><thead><tr>{titles}</tr></thead><tbody>',
        *(_row(row) for row in sheet.rows),
        "</tbody></table></div>",
        f"<p><strong>{_said(sheet.sums)}</strong></p>{limits}",
        "</section>",
    ]


def _row(row: Row) -> str:
    who = f"<strong>{_said(f'{row.side} {row.vein}')}</strong>"
    who += "".join(f"<small>{_said(text)}</small>" for text in (row.status, row.notes) if text)
    cells = [
        f'<td class="number">{row.number}</td>',
        f"<td>{who}</td>",
        f"<td>{_said(row.place) if row.place else '<small>not said</small>'}</td>",
        *(
            f"<td>{_said(value)}<small>{_said(how)}</small></td>"
            if value
            else "<td><small>not measured</small></td>"
            for value, how in ((row.diameter, row.diameter_how), (row.depth, row.depth_how))
        ),
        f"<td>{_said(row.modality)}{f'<small>{_said(row.more)}</small>' if row.more else ''}</td>",
        *(f"<td>{_said(text)}</td>" for text in (row.product, row.concentration, row.volume)),
        '<td class="blank"></td><td class="blank"></td>',
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _warnings(sheet: Sheet) -> list[str]:
    if not sheet.warnings:
        return []
    lines = [
        f'<p class="{"grey" if one.acknowledged else "alert"}">{_said(one.words())}</p>'
        for one in sheet.warnings
    ]
    return ['<section id="warnings"><h2>Warnings</h2>', *lines, "</section>"]


def _targets(targets: Sequence[TargetSheet]) -> list[str]:
    parts = []
    for n, target in enumerate(targets):
        shots = [_figure(shot, f"picture-{n}-{m}", f"target-{n}") for m, shot in enumerate(target.shots)]
        notes = f"<h3>Notes</h3><dl><dt></dt><dd>{_said(target.notes)}</dd></dl>" if target.notes else ""
        parts += [
            f'<article class="target" id="target-{n}"><h2>{_said(target.title)}</h2>',
            f'<div class="pictures">{"".join(shots)}</div>',
            _facts(target.facts),
            *(line for table in target.tables for line in _table(table)),
            f"{notes}</article>",
        ]
    return ['<section class="targets">', *parts, "</section>"] if parts else []


def _figure(shot: Shot, name: str, back: str) -> str:
    if not shot.jpeg:
        return f'<figure><p class="grey">{_said(shot.problem)}</p></figure>'
    data = base64.b64encode(shot.jpeg).decode("ascii")
    columns, rows = shot.size
    return (
        f'<figure id="{name}"><a href="#{name}" aria-label="Enlarge"><img alt="{_plain(shot.alt)}" '
        f'width="{columns}" height="{rows}" src="data:image/jpeg;base64,{data}"></a>'
        f'<a class="close" href="#{back}">Close</a><figcaption>{_said(shot.caption)}</figcaption></figure>'
    )


def _visit(visit: Visit) -> list[str]:
    tables = (line for table in visit.tables for line in _table(table))
    return [f"<section><h2>{_said(visit.title)}</h2>", _facts(visit.facts), *tables, "</section>"]


def _table(table: Table) -> list[str]:
    titles = "".join(f'<th scope="col">{_plain(title)}</th>' for title in table.headers)
    rows = ("<tr>" + "".join(f"<td>{_said(cell)}</td>" for cell in row) + "</tr>" for row in table.rows)
    return [
        f'<section><h3>{_said(table.title)}</h3><div class="wide"><table class="list">',
        f"<thead><tr>{titles}</tr></thead><tbody>",
        *rows,
        "</tbody></table></div></section>",
    ]


def _facts(facts: Iterable[tuple[str, str]]) -> str:
    return (
        "<dl>" + "".join(f"<dt>{_plain(name)}</dt><dd>{_said(text)}</dd>" for name, text in facts) + "</dl>"
    )


def _foot(sheet: Sheet) -> str:
    """On paper this stands on every page."""
    return "<footer>" + "".join(f"<div>{_said(line)}</div>" for line in sheet.foot) + "</footer>"
