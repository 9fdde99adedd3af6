"""Buttons in as many rows as the width asks for: all of each is there to read."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.gui


@pytest.fixture
def rows(qtbot):
    from qtpy.QtWidgets import QPushButton, QWidget

    from napari_veinscan.button_rows import ButtonRows

    place = QWidget()
    qtbot.addWidget(place)
    buttons = [QPushButton(text) for text in ("P  back", "N  next", "A  a vein", "R  reject", "T  target")]
    place.setLayout(ButtonRows(buttons))
    return place, buttons


@pytest.mark.parametrize("share", [1.5, 1.0, 0.7, 0.4, 0.0])
def test_no_button_is_cut_and_none_lies_on_another(rows, qtbot, share):
    place, buttons = rows
    layout = place.layout()
    width = max(layout.minimumSize().width(), round(share * layout.sizeHint().width()))
    place.resize(width, layout.heightForWidth(width))
    place.show()
    qtbot.wait(10)
    for button in buttons:
        assert button.width() >= button.sizeHint().width()
        assert button.height() >= button.sizeHint().height()
        assert place.rect().contains(button.geometry())
    for number, button in enumerate(buttons):
        assert not any(button.geometry().intersects(other.geometry()) for other in buttons[:number])
    heights = {button.y() for button in buttons}
    assert (len(heights) == 1) is (share >= 1.0)
    for top in heights:  # each row fills the width
        row = [button for button in buttons if button.y() == top]
        assert min(b.x() for b in row) == 0
        assert max(b.geometry().right() for b in row) == width - 1


def test_a_hidden_button_takes_no_room(rows, qtbot):
    place, buttons = rows
    layout = place.layout()
    place.show()
    before = layout.sizeHint().width()
    buttons[2].hide()
    qtbot.wait(10)
    assert layout.sizeHint().width() < before - buttons[2].sizeHint().width() + 1
    assert place.rect().contains(buttons[3].geometry())
