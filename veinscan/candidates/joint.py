"""The network and the wall fit together: what a frame offers before it is scored.

The network says where, the ring of `walls` how wide.  Around every proposal of the
network a ring is fitted; it is the outline where it agrees with the network's, else
the network's is kept.  The classical maxima are proposed beside them, so that a
lumen the network is blind to can still be found.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from veinscan.candidates import network
from veinscan.candidates.features import NAMES as FEATURES
from veinscan.candidates.features import measure_features
from veinscan.candidates.propose import PreparedFrame, classical_seeds, classical_starts, followed_starts
from veinscan.candidates.score import shipped_scorer
from veinscan.candidates.seeds import Seeds
from veinscan.candidates.shadow import open_below, shadow_below
from veinscan.candidates.shapes import measure_polygons
from veinscan.candidates.walls import RAYS, Starts
from veinscan.enhance.grid import AnalysisGrid

Array = npt.NDArray[np.float64]

MIN_PROPOSAL = 0.02
"""Score below which a proposal of the network is not looked at."""

SURE = 0.5
"""Score from which it is looked at off the tissue as well: a wide black lumen that reaches the picture's
edge is not told from what lies beside the picture."""

BESIDE, WIDER = 1 / 3, 1.3
"""Such a place has tissue along this share of its outline, widened so much; a mark beside the picture has
none (of 13 on labelled images all have .44 or more, and 12 are vessels)."""

AGREE = 0.25
"""Intersection over union from which the ring takes the place of the network's outline."""

WITHIN = (0.15, 0.35, 0.55, 0.75, 0.9)
"""Shares of the radius at which the network's maps are read inside a ring."""

AROUND = (1.25, 1.45)
"""And around it."""

HINT = 0.01
"""Vessel probability that the network reaches somewhere in the circle of a classical place worth a ring.
Three quarters of the places stay below it; on the labelled blocks the same vessels are found without them."""

LOOKED_AT = (0.0, 0.4, 0.8)
"""Shares of that circle's radius at which the map is read, in `LOOKED_ALONG` directions."""
LOOKED_ALONG = 8

COLUMNS = (
    "vessel",
    "core",
    "sharpness",
    "nerve",
    "classical",
    "shadow",
    "open",
    "small",
    "large",
    "edge",
)
"""Columns of `Pool.columns`, in order."""


@dataclass(frozen=True, slots=True)
class NetworkView:
    """The network's maps of the searched rows and how their pixels lie to the grid's."""

    maps: network.LumenMaps
    grid: AnalysisGrid
    first_grid_row: int
    first_frame_row: int

    def to_grid(self, outline: npt.NDArray[np.floating]) -> Array:
        """(k, 2) pixels of the searched rows in pixels of the searched grid."""
        points = self.grid.to_grid(np.asarray(outline, np.float64) + np.array([self.first_frame_row, 0]))
        return np.asarray(points - np.array([self.first_grid_row, 0]), np.float64)

    def to_maps(self, points: Array) -> Array:
        """(..., 2) pixels of the searched grid in pixels of the maps."""
        in_frame = self.grid.to_frame(points + np.array([self.first_grid_row, 0]))
        in_frame -= np.array([self.first_frame_row, 0])
        return np.asarray((in_frame + 0.5) * np.asarray(self.maps.scale) - 0.5, np.float64)

    def places(self, points: Array) -> tuple[network.Floats, network.Floats]:
        """Rows and columns of the maps, (n, k) each, at (n, k, 2) points of the searched grid."""
        at = self.to_maps(points)
        return at[..., 0].astype(np.float32), at[..., 1].astype(np.float32)

    def read(self, values: network.Floats, places: tuple[network.Floats, network.Floats]) -> Array:
        """(n, k) a map's values at places of the maps."""
        rows, cols = places
        read = cv2.remap(values, cols, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(read, np.float64)


@dataclass(frozen=True, slots=True)
class Pool:
    """Every outline of a frame with what the joint score reads, in pixels of the searched grid."""

    outlines: Array
    """(n, RAYS, 2)"""
    features: Array
    """(n, features) of the fitted ring, for the classical part of the score."""
    columns: Array
    """(n, len(COLUMNS))"""
    places: Array
    """(m, RAYS, 2) the network's own outlines."""

    def only(self, kept: list[int]) -> Pool:
        """The pool of some of its outlines, with all of the network's own."""
        return Pool(self.outlines[kept], self.features[kept], self.columns[kept], self.places)


def network_view(
    frame: npt.NDArray[np.uint8],
    spacing_mm: tuple[float, float],
    grid: AnalysisGrid,
    frame_rows: tuple[int, int],
    grid_rows: tuple[int, int],
) -> NetworkView:
    """The maps of the searched rows (half-open) of a frame."""
    part = np.ascontiguousarray(frame[slice(*frame_rows)])
    return NetworkView(network.lumen_maps(part, spacing_mm), grid, grid_rows[0], frame_rows[0])


def evenly(outline: Array, count: int = RAYS) -> Array:
    """(count, 2) points at equal distances along a closed (k, 2) outline."""
    closed = np.concatenate([outline, outline[:1]])
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))])
    at = np.linspace(0.0, along[-1], count, endpoint=False)
    return np.stack([np.interp(at, along, closed[:, axis]) for axis in (0, 1)], axis=1)


def agreement(one: Array, other: Array) -> float:
    """Intersection over union of two polygons, on a raster of about 1/60 of their extent."""
    low = np.minimum(one.min(axis=0), other.min(axis=0))
    extent = float((np.maximum(one.max(axis=0), other.max(axis=0)) - low).max())
    masks = []
    for polygon in (one, other):
        mask = np.zeros((62, 62), np.uint8)
        cv2.fillPoly(
            mask, [np.round((polygon - low) * (60.0 / max(extent, 1e-6)))[:, ::-1].astype(np.int32)], (1,)
        )
        masks.append(mask)
    return float((masks[0] & masks[1]).sum() / max(int((masks[0] | masks[1]).sum()), 1))


def tissue_at(mask: npt.NDArray[np.bool_], points: Array) -> npt.NDArray[np.bool_]:
    """(n,) the mask at (n, 2) points, or at the pixel of it that is nearest."""
    rows, cols = (np.clip(np.round(points[:, axis]).astype(int), 0, mask.shape[axis] - 1) for axis in (0, 1))
    return np.asarray(mask[rows, cols], bool)


def looked_at(mask: npt.NDArray[np.bool_], outline: Array, score: float) -> bool:
    """Whether a place of the network with this score is worth a ring: on tissue, or sure and beside it."""
    middle = outline.mean(axis=0)
    if tissue_at(mask, middle[None])[0]:
        return score >= MIN_PROPOSAL
    return score >= SURE and bool(tissue_at(mask, middle + WIDER * (outline - middle)).mean() >= BESIDE)


def network_places(prepared: PreparedFrame, view: NetworkView) -> Array:
    """(n, RAYS, 2) outlines of the network's places on tissue, and of those it is sure of."""
    outlines = []
    for found, _ in network.proposals_of(view.maps):
        outline = evenly(view.to_grid(found.outline))
        if looked_at(prepared.mask, outline, found.score):
            outlines.append(outline)
    return np.stack(outlines) if outlines else np.zeros((0, RAYS, 2))


def pool_of(
    prepared: PreparedFrame,
    view: NetworkView,
    diameters_mm: tuple[float, float],
    seeds: Seeds | None = None,
) -> Pool:
    """The network's places with their rings, then the classical ones (from `classical_seeds` when given)."""
    maxima = classical_seeds(prepared, diameters_mm) if seeds is None else seeds
    starts, response = classical_starts(prepared, maxima.only(hinted(view, maxima)))
    return _pool(prepared, view, starts, response)


def hinted(view: NetworkView, seeds: Seeds) -> npt.NDArray[np.bool_]:
    """(n,) whether the network holds a vessel possible somewhere in the circle of each maximum."""
    if not len(seeds.centres):
        return np.zeros(0, bool)
    angles = 2 * np.pi / LOOKED_ALONG * np.arange(LOOKED_ALONG)
    circle = np.stack([np.sin(angles), np.cos(angles)], axis=1)
    disc = (np.array(LOOKED_AT)[:, None, None] * circle).reshape(-1, 2)
    points = seeds.centres[:, None, :] + seeds.half_px[:, None, None] * disc
    return np.asarray(view.read(view.maps.vessel, view.places(points)).max(axis=1) >= HINT, bool)


def pool_at(prepared: PreparedFrame, view: NetworkView, point: Array, half_px: Array) -> Pool:
    """The network's places with their rings, then rings of several sizes around one point of the grid."""
    centres = np.repeat(np.asarray(point, np.float64)[None], len(half_px), axis=0)
    starts, source = followed_starts(prepared, centres, half_px)
    return _pool(prepared, view, starts, np.zeros(len(source)))


def _pool(prepared: PreparedFrame, view: NetworkView, starts: Starts, response: Array) -> Pool:
    """Rings around the network's places and from the starts, whose medialness is `response`."""
    theirs = network_places(prepared, view)
    shapes = measure_polygons(theirs)
    around = Starts(
        shapes.centre,
        np.maximum(shapes.minor / 2, 1.0),
        shapes.angle,
        shapes.major / np.maximum(shapes.minor, 1e-6),
    )
    starts = around.followed_by(starts)
    if not len(starts.centres):
        return Pool(theirs, np.zeros((0, len(FEATURES))), np.zeros((0, len(COLUMNS))), theirs)
    rings = prepared.rings(starts)
    outlines = rings.outlines()
    medialness = np.concatenate([np.zeros(len(theirs)), response])
    features = measure_features(
        rings, measure_polygons(outlines), prepared.profile, medialness, prepared.pixel_mm
    )
    for place, outline in enumerate(theirs):
        if agreement(outline, outlines[place]) < AGREE:
            outlines[place] = outline
    return Pool(outlines, features, joint_columns(prepared, view, outlines, features), theirs)


def log_odds(share: Array, cut: float = 0.01) -> Array:
    """Log of p / (1 - p), cut at 1 % and 99 %."""
    p = np.clip(share, cut, 1.0 - cut)
    return np.asarray(np.log(p / (1.0 - p)), np.float64)


def joint_columns(prepared: PreparedFrame, view: NetworkView, outlines: Array, features: Array) -> Array:
    """(n, len(COLUMNS)) what the joint score reads of n outlines."""
    if not len(outlines):
        return np.zeros((0, len(COLUMNS)))
    shapes = measure_polygons(outlines)
    centre = shapes.centre[:, None, :]
    ray = outlines - centre
    places = {share: view.places(centre + share * ray) for share in (*WITHIN, *AROUND)}

    def mean_at(values: network.Floats, shares: tuple[float, ...]) -> Array:
        # rings of larger radius stand for more area
        weights = np.array(shares) / np.sum(shares)
        rings = [view.read(values, places[share]).mean(axis=1) for share in shares]
        return np.asarray(weights @ np.stack(rings), np.float64)

    vessel = mean_at(view.maps.vessel, WITHIN)
    size = np.log2(np.maximum(np.sqrt(shapes.minor * shapes.major) * prepared.pixel_mm, 0.2) / 4.0)
    rows, cols = prepared.mask.shape
    off = (outlines < 1.0).any(axis=2) | (outlines[..., 0] > rows - 2) | (outlines[..., 1] > cols - 2)
    columns = {
        "vessel": log_odds(vessel),
        "core": log_odds(mean_at(view.maps.core, WITHIN[:2])),
        "sharpness": vessel - mean_at(view.maps.vessel, AROUND),
        "nerve": mean_at(view.maps.nerve, WITHIN),
        "classical": np.clip(shipped_scorer().logits(features), -6.0, 4.0),
        "shadow": shadow_below(prepared, outlines),
        "open": open_below(prepared, outlines),
        "small": np.maximum(-size, 0.0),
        "large": np.maximum(size, 0.0),
        "edge": off.mean(axis=1),
    }
    return np.stack([columns[name] for name in COLUMNS], axis=1)
