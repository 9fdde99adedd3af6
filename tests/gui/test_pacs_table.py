"""The list of studies that an archive found: what it sends is text, never markup."""

from __future__ import annotations

from typing import Any

import pytest
from pacs_doubles import row

pytestmark = pytest.mark.gui


def test_markup_of_an_archive_is_shown_as_it_stands(qtbot: Any):
    from qtpy.QtGui import QTextDocument

    from napari_veinscan.pacs_table import DESCRIPTION, StudyTable

    words = '<img src="//elsewhere.example/x.png">Veins & <b>more</b>'
    table = StudyTable()
    qtbot.addWidget(table)
    table.show_rows((row(0, description=words),))
    item = table.item(0, DESCRIPTION)
    assert item.text() == words
    shown = QTextDocument()
    shown.setHtml(item.toolTip())  # as a tip is drawn
    assert shown.toPlainText() == words
