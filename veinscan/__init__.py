"""veinscan: duplex ultrasound of leg veins, from the scanner's files to a plan that stays with the study.

    import veinscan
    study = veinscan.open_study("STUDY")
    found = veinscan.find_in_clip(study.clips[0])
    record = veinscan.load_record(study)

It proposes candidates and records what a reader decides; it never proposes a
drug, a dose or a diagnosis, and it is not a medical device.

Names are loaded when first used, so that `import veinscan` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from veinscan.candidates import Candidate, find_candidates, find_in_clip
    from veinscan.dicom import Clip, ClipKind, Region, RegionKind, Study, open_study
    from veinscan.doppler import RefluxMeasurement, measure_reflux
    from veinscan.enhance import vesselness
    from veinscan.errors import VeinscanError
    from veinscan.plan.model import CandidateReview, Decision, InjectionTarget, Reader, Reading, Record
    from veinscan.record import load_record, save_record
    from veinscan.report import write_report

_HOMES = {
    "open_study": "veinscan.dicom",
    "Study": "veinscan.dicom",
    "Clip": "veinscan.dicom",
    "ClipKind": "veinscan.dicom",
    "Region": "veinscan.dicom",
    "RegionKind": "veinscan.dicom",
    "vesselness": "veinscan.enhance",
    "measure_reflux": "veinscan.doppler",
    "RefluxMeasurement": "veinscan.doppler",
    "find_candidates": "veinscan.candidates",
    "find_in_clip": "veinscan.candidates",
    "Candidate": "veinscan.candidates",
    "InjectionTarget": "veinscan.plan.model",
    "CandidateReview": "veinscan.plan.model",
    "Decision": "veinscan.plan.model",
    "Reader": "veinscan.plan.model",
    "Reading": "veinscan.plan.model",
    "Record": "veinscan.plan.model",
    "load_record": "veinscan.record",
    "save_record": "veinscan.record",
    "write_report": "veinscan.report",
    "VeinscanError": "veinscan.errors",
}

__all__ = [
    "open_study",
    "Study",
    "Clip",
    "ClipKind",
    "Region",
    "RegionKind",
    "vesselness",
    "find_candidates",
    "find_in_clip",
    "Candidate",
    "measure_reflux",
    "RefluxMeasurement",
    "InjectionTarget",
    "CandidateReview",
    "Decision",
    "Reader",
    "Reading",
    "Record",
    "load_record",
    "save_record",
    "write_report",
    "VeinscanError",
    "__version__",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its home on first use (PEP 562)."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'veinscan' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
