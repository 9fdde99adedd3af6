"""The window asks for the scale of a colour bar that cannot be read, and the record keeps it."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.gui


def colour_clip(window):
    from veinscan.dicom import ClipKind

    return next(clip for clip in window.session.study.clips if clip.kind is ClipKind.COLOUR)


def test_what_is_typed_is_kept_used_and_taken_back(window):
    from napari_veinscan import colour_scale
    from veinscan.doppler import flow_of

    session = window.session
    session.show_clip(colour_clip(window))
    before = flow_of(session.clip, 0)
    dialog = colour_scale.ask(window.bench)
    assert dialog is not None and dialog.isVisible()
    assert "Now" in dialog.known.text()
    dialog.top.setText("much")
    dialog.buttons.accepted.emit()
    assert dialog.isVisible() and "number" in dialog.problem.text()
    dialog.top.setText("25,5")
    dialog.bottom.setText("25,5")
    dialog.buttons.accepted.emit()
    assert dialog.isVisible() and "minus" in dialog.problem.text()
    dialog.bottom.setText("-25,5")
    dialog.buttons.accepted.emit()
    assert not dialog.isVisible()
    (kept,) = session.record.colour_scales
    assert (kept.top, kept.bottom, kept.unit, kept.set_by) == (25.5, -25.5, "cm/s", session.reader.name)
    assert session.clip.colour_scale.top == 25.5, "the clip on show does not have it"
    assert flow_of(session.clip, 0).source == "given"
    session.undo()
    assert session.clip.colour_scale is None
    assert flow_of(session.clip, 0).source == before.source


def test_a_search_without_velocities_asks(window, monkeypatch):
    from napari.utils.notifications import notification_manager

    from napari_veinscan import colour_scale
    from veinscan.candidates import ClipCandidates, FinderSettings
    from veinscan.doppler.colour import UNKNOWN_SCALE

    clip = colour_clip(window)
    told = []
    monkeypatch.setattr(notification_manager, "dispatch", told.append)
    found = ClipCandidates(candidates=(), warnings=(), settings=FinderSettings())
    colour_scale.ask_where_unknown(window.bench, clip, found)
    assert told == []
    found = ClipCandidates(
        candidates=(), warnings=(f"no velocities: {UNKNOWN_SCALE}",), settings=FinderSettings()
    )
    colour_scale.ask_where_unknown(window.bench, clip, found)
    (note,) = told
    ((words, action),) = note.actions
    assert words == "Give the scale"
    asked = []
    monkeypatch.setattr(colour_scale, "ask", asked.append)
    action()
    assert asked == [window.bench]
    assert window.session.clip is clip


def test_a_clip_without_colour_is_told_not_asked(window, monkeypatch):
    from napari_veinscan import colour_scale

    told = []
    monkeypatch.setattr(window.bench, "warn", told.append)
    window.session.show_clip(window.session.study.clips[0])
    assert colour_scale.ask(window.bench) is None
    assert "no colour bar" in str(told[0])
