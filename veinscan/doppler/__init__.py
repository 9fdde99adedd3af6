"""Numbers from Doppler: reflux from the spectral strip, velocity from colour.

A reader's tool is built from `strip_of`, `calibrate_strip`, `measure_reflux`,
`confirm_polarity`, `move_marks`, `curves` and `draw_strip`; the record keeps
their results through `veinscan.plan.flow_edits` and `veinscan.plan.strips`.

Names are loaded when first used: the command line stays quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from veinscan.doppler.axes import StripAxes, axes_from_clicks, axes_from_region
    from veinscan.doppler.by_hand import StripCurves, calibrate_strip, confirm_polarity, curves, move_marks
    from veinscan.doppler.colour import ColourFlow, flow_of, flow_stack, unwrap, velocities
    from veinscan.doppler.colour_bar import ColourBar, bar_of, find_colour_bar
    from veinscan.doppler.envelope import Traces, trace
    from veinscan.doppler.evidence import FlowEvidence, flow_evidence
    from veinscan.doppler.model import RefluxMeasurement
    from veinscan.doppler.overlay import draw_strip
    from veinscan.doppler.reflux import measure_reflux, spectral_regions, strip_of
    from veinscan.doppler.strip import Strip, read_strip

_HOMES = {
    "StripAxes": "axes",
    "axes_from_clicks": "axes",
    "axes_from_region": "axes",
    "Strip": "strip",
    "read_strip": "strip",
    "Traces": "envelope",
    "trace": "envelope",
    "RefluxMeasurement": "model",
    "measure_reflux": "reflux",
    "spectral_regions": "reflux",
    "strip_of": "reflux",
    "draw_strip": "overlay",
    "StripCurves": "by_hand",
    "calibrate_strip": "by_hand",
    "confirm_polarity": "by_hand",
    "curves": "by_hand",
    "move_marks": "by_hand",
    "ColourBar": "colour_bar",
    "find_colour_bar": "colour_bar",
    "bar_of": "colour_bar",
    "ColourFlow": "colour",
    "velocities": "colour",
    "unwrap": "colour",
    "flow_of": "colour",
    "flow_stack": "colour",
    "FlowEvidence": "evidence",
    "flow_evidence": "evidence",
}

__all__ = [
    "StripAxes",
    "axes_from_clicks",
    "axes_from_region",
    "Strip",
    "read_strip",
    "Traces",
    "trace",
    "RefluxMeasurement",
    "measure_reflux",
    "spectral_regions",
    "strip_of",
    "draw_strip",
    "StripCurves",
    "calibrate_strip",
    "confirm_polarity",
    "curves",
    "move_marks",
    "ColourBar",
    "find_colour_bar",
    "bar_of",
    "ColourFlow",
    "velocities",
    "unwrap",
    "flow_of",
    "flow_stack",
    "FlowEvidence",
    "flow_evidence",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its module on first use (PEP 562)."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'veinscan.doppler' has no attribute {name!r}")
    value = getattr(import_module(f"veinscan.doppler.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
