"""What the list says of a clip, as text."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from napari_veinscan.label_dialog import label_words
from napari_veinscan.palette import KIND_WORDS, STYLES, Look
from veinscan.dicom import Clip
from veinscan.plan.clips import context_of
from veinscan.plan.context import ClipContext
from veinscan.plan.model import Record


@dataclass(slots=True)
class Marks:
    """What the record and the searches hold of each clip, counted once for all."""

    targets: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    contexts: dict[str, ClipContext] = field(default_factory=dict)

    @classmethod
    def of(cls, record: Record) -> Marks:
        """Counted from a record."""
        return cls(
            Counter(target.sop_instance_uid for target in record.targets),
            Counter(review.sop_instance_uid for review in record.reviews),
            {one.sop_instance_uid: one for one in record.contexts},
        )

    def context(self, uid: str) -> ClipContext:
        """The label of a clip; everything unknown where nobody set it."""
        return self.contexts.get(uid) or ClipContext(sop_instance_uid=uid)


def counted(count: int, noun: str) -> str:
    """'1 clip', '2 clips'."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def clip_text(number: int, clip: Clip, candidates: int, marks: Marks) -> str:
    """What the list says of a clip, in lines: kind and time, frames, place on the leg, marks."""
    uid = clip.sop_instance_uid
    still = clip.n_frames == 1
    rate = f", {clip.frame_rate_hz:.0f}/s" if clip.frame_rate_hz and not still else ""
    when = shown_time(clip.order.acquired_at)
    lines = [
        f"{number}  {KIND_WORDS[clip.kind]}" + (f"  {when}" if when else ""),
        "still" if still else f"{clip.n_frames} frames{rate}",
    ]
    if place := label_words(marks.context(uid)):
        lines.append(place)
    elif clip.laterality != "unknown":
        lines.append(f"{clip.laterality} (header)")
    signs = []
    if targets := marks.targets[uid]:
        signs.append(f"{STYLES[Look.TARGET].sign} {counted(targets, 'target')}")
    if candidates := max(candidates, marks.verdicts[uid]):
        signs.append(f"{STYLES[Look.UNREVIEWED].sign} {counted(candidates, 'candidate')}")
    if clip.spacing_mm is None and clip.kind.value != "page":
        signs.append("not calibrated")
    if clip.warnings:
        signs.append("⚠ read with warnings")
    return "\n".join(lines + signs)


def clip_tip(clip: Clip, record: Record) -> str:
    """File, size, calibration, label and warnings of a clip."""
    lines = [clip.file, f"{clip.columns} x {clip.rows} pixels"]
    if clip.spacing_mm is not None:
        lines.append(f"{clip.spacing_mm[0]:.3f} mm per pixel")
    if place := label_words(context_of(record, clip)):
        lines.append(place)
    return "\n".join([*lines, *clip.warnings])


def shown_time(acquired_at: str) -> str:
    """'20250509141500.0' as '14:15'; empty where no time of day is known."""
    digits = acquired_at.split(".")[0]
    return f"{digits[8:10]}:{digits[10:12]}" if len(digits) >= 14 and digits.isdigit() else ""
