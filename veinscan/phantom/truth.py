"""What is true of the lumens of a clip, as it is written to truth.json."""

from __future__ import annotations

from typing import Any

import numpy as np

from veinscan.phantom.anatomy import Anatomy, Array
from veinscan.phantom.scene import SMALLEST_LUMEN_MM, Placed, State, View


def _minor_axis_px(outline: Array) -> float:
    """Smallest width of a polygon over all directions, in pixels."""
    angle = np.linspace(0, np.pi, 90, endpoint=False)
    along = outline @ np.stack([np.sin(angle), np.cos(angle)])
    return float(np.min(along.max(axis=0) - along.min(axis=0)))


def _centroid(outline: Array) -> Array:
    following = np.roll(outline, -1, axis=0)
    cross = outline[:, 0] * following[:, 1] - following[:, 0] * outline[:, 1]
    return np.asarray(((outline + following) * cross[:, None]).sum(axis=0) / (3 * cross.sum()))


def _lumen_entry(outline: Array, item: Placed, view: View) -> dict[str, Any] | None:
    rows, cols = view.shape
    low, high = outline.min(axis=0), outline.max(axis=0)
    if low[0] < 0 or high[0] > rows - 1 or (not view.longitudinal and (low[1] < 0 or high[1] > cols - 1)):
        return None
    entry: dict[str, Any] = {"outline": np.round(outline, 2).tolist()}
    if view.longitudinal:
        half = len(outline) // 2
        top, bottom = outline[:half], outline[half:][::-1]
        thickness = (bottom[:, 0] - top[:, 0]) * view.spacing_mm
        # across the axis, not along the beam
        slope = np.gradient((top[:, 0] + bottom[:, 0]) / 2, top[:, 1])
        widest = int(np.argmax(thickness))
        middle = half // 2 if thickness[half // 2] > 0.9 * thickness[widest] else widest
        centre = (top[middle] + bottom[middle]) / 2
        entry |= {
            "centre": np.round(centre, 2).tolist(),
            "diameter_mm": round(float(thickness[middle] * np.cos(np.arctan(slope[middle]))), 3),
            "depth_mm": round(float((top[middle, 0] - view.skin_row) * view.spacing_mm), 3),
            "length_mm": round(float((high[1] - low[1]) * view.spacing_mm), 2),
        }
    else:
        entry |= {
            "centre": np.round(_centroid(outline), 2).tolist(),
            "diameter_mm": round(_minor_axis_px(outline) * view.spacing_mm, 3),
            "depth_mm": round(float((low[0] - view.skin_row) * view.spacing_mm), 3),
        }
    return entry


def _middle_y(states: list[State], view: View) -> float:
    """Place along the leg that stands for a clip: of its middle frame, lengthwise the picture's middle."""
    return 0.0 if view.longitudinal else states[len(states) // 2].y_mm


def vessel_truth(
    anatomy: Anatomy, states: list[State], frames: list[list[Placed]], view: View
) -> list[dict[str, Any]]:
    """Entries of `vessels` in truth.json, from the shapes the lumens were drawn with."""
    found = []
    for number, vessel in enumerate(anatomy.vessels):
        parts: dict[int, dict[str, Any]] = {}
        collapsed = []
        for state, placed in zip(states, frames, strict=True):
            item = placed[number]
            if 2 * item.half_height_mm < SMALLEST_LUMEN_MM:
                collapsed.append(state.index)
                continue
            for part, outline in enumerate(item.outlines(view)):
                entry = _lumen_entry(outline, item, view)
                if entry is not None:
                    parts.setdefault(part, {})[str(state.index)] = entry
        for part, seen in parts.items():
            found.append(
                {
                    "name": vessel.name if part == 0 else f"{vessel.name} ({part + 1})",
                    "type": vessel.kind,
                    "occluded": vessel.occluded,
                    "compressible": vessel.compressible,
                    "compartment": anatomy.compartment(vessel, _middle_y(states, view)),
                    "collapsed_frames": collapsed,
                    "frames": seen,
                }
            )
    return found
