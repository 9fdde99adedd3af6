"""The sheet of all keys, made from the table of commands."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDialog, QDialogButtonBox, QLabel, QScrollArea, QVBoxLayout

from napari_veinscan.commands import key_rows
from napari_veinscan.palette import NOT_A_DEVICE, STYLES, Look

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench

WAY = (
    "1 Choose a <b>clip</b> and label it. &nbsp; 2 <b>Find candidates</b>, or click in a lumen. &nbsp; "
    "3 Make <b>targets</b>. &nbsp; 4 See them on the <b>leg map</b>. &nbsp; 5 Print the <b>page</b>."
)


COLUMNS = 3


def key_sheet_html(bench: Workbench) -> str:
    """Columns of headings with keys and what they do, and the marks in the picture."""
    groups = key_rows(bench.commands)
    total = sum(len(entries) + 2 for _, entries in groups)
    columns: list[list[str]] = [[] for _ in range(COLUMNS)]
    done = 0
    for title, entries in groups:
        rows = "".join(
            f"<tr><td><b>{escape(keys)}</b></td><td>&nbsp; {escape(words)}</td></tr>"
            for keys, words in entries
        )
        column = min(COLUMNS - 1, int(COLUMNS * (done + len(entries) / 2) / total))
        columns[column].append(f"<h4>{escape(title)}</h4><table>{rows}</table>")
        done += len(entries) + 2
    cells = "".join(
        f'<td valign="top" width="{100 // COLUMNS}%">{"".join(column)}</td>' for column in columns
    )
    marks = " &nbsp; ".join(
        f'<span style="color:{STYLES[look].colour}">{STYLES[look].sign}</span> {words}'
        for look, words in (
            (Look.UNREVIEWED, "not reviewed (dashed)"),
            (Look.VEIN, "a vein (full line)"),
            (Look.REJECTED, "rejected (dotted)"),
            (Look.TARGET, "target"),
        )
    )
    return (
        f"<h3>veinscan</h3><p>{WAY}</p>"
        f'<table width="100%"><tr>{cells}</tr></table>'
        f"<p>In the picture: {marks}</p>"
        "<p>Candidates are proposals of the program; a person says what they are. Each save is a new DICOM "
        "document in a folder 'veinscan' beside the study; nothing is overwritten.</p>"
        f"<p><b>{NOT_A_DEVICE}</b></p>"
    )


def show_key_sheet(bench: Workbench) -> None:
    """Open the sheet; it closes by Escape."""
    dialog = QDialog(bench.window)
    dialog.setWindowTitle("veinscan: keys and help")
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    text = QLabel(key_sheet_html(bench))
    text.setTextFormat(Qt.TextFormat.RichText)
    text.setWordWrap(True)
    text.setMargin(8)
    text.setAlignment(Qt.AlignmentFlag.AlignTop)
    scroll = QScrollArea()
    scroll.setWidgetResizable(True)
    scroll.setWidget(text)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.reject)
    layout = QVBoxLayout(dialog)
    layout.addWidget(scroll)
    layout.addWidget(buttons)
    room = bench.window.size()
    dialog.resize(min(1120, room.width() - 40), min(680, room.height() - 40))
    dialog.open()
