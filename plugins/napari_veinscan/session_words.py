"""What the session dock says in words: planned and given, what is open, which place is meant."""

from __future__ import annotations

from collections.abc import Sequence

from napari_veinscan.words import words_of
from veinscan.plan.giving import Row
from veinscan.plan.model import InjectionTarget, TargetStatus
from veinscan.plan.treatment import Injection, LaserSettings, TreatmentSession
from veinscan.plan.vocabulary import Checked, Form, Modality


def session_words(place: int, session: TreatmentSession) -> str:
    """'2 of 3:  2026-11-02'."""
    number = session.number if session.number is not None else place
    total = f" of {session.planned_total}" if session.planned_total is not None else ""
    return f"{number}{total}:  {session.on or 'day not said'}"


def row_words(row: Row | None) -> str:
    """'T2, right, tributary, calf, middle third': which place a person is writing of."""
    if row is None:
        return "choose a row"
    if row.target is None:
        return "the target is not in the record any more"
    known = (row.target.side, row.target.vein, row.target.level, row.target.aspect)
    return ", ".join([f"T{row.target.order}", *(words_of(one) for one in known if str(one) != "unknown")])


def basis_words(with_baseline: bool) -> str:
    """What the sums of a day are over: sessions in studies that are not open are not known."""
    return "this study and the baseline" if with_baseline else "this study alone"


def hint_words(rows: Sequence[Row], row: Row | None) -> str:
    """What is to be done next in a session, in a sentence."""
    if not rows:
        return "No targets: plan them first."
    if row is None:
        given = sum(one.is_given for one in rows)
        return f"{given} of {len(rows)} given. Choose a row, then press G for 'given as planned'."
    if row.is_given and isinstance(row.entry, Injection):
        checks = (
            (row.entry.artery_checked, "the artery (C)"),
            (row.entry.confirmed_intravenous, "the vein (Y)"),
        )
        not_said = [words for answer, words in checks if answer is Checked.UNKNOWN]
        if not_said:
            return f"Still to say for this one: {' and '.join(not_said)}."
    return "Down for the next one." if row.is_given else "G: given as planned; or type what was given."


def planned_words(target: InjectionTarget | None, *, is_laser: bool) -> str:
    """'foam 1 % 0.8 mL', 'laser 1064 nm 6 mm', or a dash where nothing is planned."""
    if target is None:
        return "–"
    if is_laser:
        return f"laser {laser_words(target.laser)}" if target.laser is not None else "laser, settings open"
    form = words_of(target.modality) if target.modality in (Modality.LIQUID, Modality.FOAM) else ""
    return _drug_words(form, target.concentration_percent, target.planned_volume_ml) or "–"


def given_words(row: Row) -> str:
    """'✔ as planned', '✔ foam 1 % 0.6 mL, copied', '○ not given', '– skipped'."""
    skipped = row.target is not None and row.target.status is TargetStatus.SKIPPED
    if row.entry is None or not row.is_given:
        return "– skipped" if skipped else "○ not given"
    if row.as_planned:
        text = "as planned"
    elif isinstance(row.entry, Injection):
        form = words_of(row.entry.form) if row.entry.form is not Form.UNKNOWN else ""
        text = _drug_words(form, row.entry.concentration_percent, row.entry.volume_ml)
    else:
        text = laser_words(row.entry.settings)
    return f"✔ {text}{', copied' if row.entry.copied else ''}"


def laser_words(settings: LaserSettings | None) -> str:
    """'1064 nm 6 mm 80 J/cm² 15 ms'."""
    if settings is None:
        return ""
    units = (
        (settings.wavelength_nm, "nm"),
        (settings.spot_mm, "mm"),
        (settings.fluence_j_cm2, "J/cm²"),
        (settings.pulse_ms, "ms"),
    )
    return " ".join(f"{value:g} {unit}" for value, unit in units if value is not None)


def _drug_words(form: str, percent: float | None, volume_ml: float | None) -> str:
    strength = f"{percent:g} %" if percent is not None else ""
    volume = f"{volume_ml:g} mL" if volume_ml is not None else ""
    return " ".join(filter(None, (form, strength, volume)))
