"""Images, masks, the split by blocks, and the random views that the network is trained on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from skimage.measure import label
from skimage.segmentation import watershed

from training.augment import BLACK, levels_of, photometric
from training.speckle import synthetic_view

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

ASSUMED_MM = 0.07
"""Pixel size taken for the labelled images, which carry none."""
NETWORK_MM = 0.08
"""Pixel size at the network's input."""
WINDOW, WIDE_WINDOW = 256, 448
"""Rows and columns of a training view; the wide one shows a whole picture at its own size."""
ZOOM, WIDE_ZOOM = (0.3, 1.6), (0.55, 1.4)
"""Range of the random zoom, on top of the change of pixel size, for either window."""
UNLABELLED_SHARE = 0.15
"""Share of unlabelled pictures among the views that are no phantoms."""
PASTED = 0.4
"""Lumens of other pictures set into a view, on average."""
SPECK = 60
"""Smaller components of the colouring are not vessels (as the scorer has it)."""

TEST_FROM = 182
"""The test block begins here: other volunteers as far as known, never trained or tuned on."""
BLOCK_ENDS = (77, 112, 141, 182)
"""Blocks of the cross-validation: file numbers below each of these, from the one before."""
SAME_SCAN = (
    (3, 50), (6, 56), (7, 61), (10, 67), (12, 73), (13, 80), (14, 83), (15, 87), (18, 99), (22, 105),
    (23, 109), (25, 116), (27, 118), (28, 120), (29, 125), (33, 140), (36, 146), (37, 147), (38, 151),
    (39, 153), (42, 148), (43, 77), (49, 128), (55, 58), (97, 121), (113, 131), (127, 145), (154, 179),
)  # fmt: skip
"""Near-duplicates by cross-correlation of thumbnails, looked at; the later one decides the block."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One labelled image, in its own pixels."""

    name: str
    image: Bytes
    components: npt.NDArray[np.int32]
    """0 off the vessels, else the vessel's number."""
    nerve: npt.NDArray[np.bool_]
    targets: tuple[Floats, ...]
    """(rows, cols, 3) vessel, nerve and core in 0..1, at full, half and quarter size."""
    pyramid: tuple[Bytes, ...]
    """The image at full, half and quarter size."""
    mm: float
    """Pixel size."""


def block_of(number: int) -> int:
    """Block 0 to 3 of the cross-validation, or 4: the test block.

    Numbers up to 42 repeat scans of 50 to 153 in the same order, so that they fall into
    contiguous runs as well; a scan without a double takes the block of the one before it.
    """
    doubles = dict(SAME_SCAN)
    if number < 43 and number not in doubles:
        number = max((low for low in doubles if low < number), default=3)
    while number in doubles:
        number = doubles[number]
    return 4 if number >= TEST_FROM else int(np.searchsorted(BLOCK_ENDS, number, side="right"))


def core_depth(components: npt.NDArray[np.int32]) -> Floats:
    """Distance to the wall over the largest distance of its lobe: 1 in the middle of each lumen, 0 outside.

    A component with a waist (two lumens coloured as one) is cut there first.
    """
    depth = np.zeros(components.shape, np.float32)
    for index in range(1, components.max() + 1):
        inside = components == index
        if not inside.any():
            continue
        distance = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5)
        distance = cv2.GaussianBlur(distance, (0, 0), 1.5) * inside
        tops = label(distance > 0.75 * distance.max())
        for level in np.arange(0.7, 0.25, -0.05):
            peaks = label(distance > level * distance.max())
            fresh = np.setdiff1d(np.unique(peaks), np.unique(peaks[tops > 0]))
            for peak in fresh[fresh > 0]:
                if (peaks == peak).sum() > 0.02 * inside.sum():
                    tops[peaks == peak] = tops.max() + 1
        lobes = watershed(-distance, tops, mask=inside)
        for lobe in range(1, lobes.max() + 1):
            part = lobes == lobe
            depth[part] = distance[part] / max(distance[part].max(), 1.0)
    return depth


def read_sample(image_path: Path, mask_path: Path) -> Sample:
    """One image with its mask; the same colours and specks as the scorer."""
    image = cv2.imread(str(image_path), cv2.IMREAD_COLOR).mean(axis=-1).astype(np.uint8)
    mask = cv2.imread(str(mask_path), cv2.IMREAD_COLOR).astype(int)
    vessel = (mask[..., 1] > 64) & (mask[..., 2] < 64)
    nerve = (mask[..., 2] > 64) & (mask[..., 1] < 64)
    components = label(vessel)
    for index in range(1, components.max() + 1):
        if (components == index).sum() < SPECK:
            components[components == index] = 0
    return sample_of(image_path.stem, image, components.astype(np.int32), nerve, ASSUMED_MM)


def sample_of(
    name: str, image: Bytes, components: npt.NDArray[np.int32], nerve: npt.NDArray[np.bool_], mm: float
) -> Sample:
    """A sample with its targets and pyramids."""
    target = np.dstack([components > 0, nerve, core_depth(components)]).astype(np.float32)
    return sample_with(name, image, components, nerve, target, mm)


def sample_with(
    name: str,
    image: Bytes,
    components: npt.NDArray[np.int32],
    nerve: npt.NDArray[np.bool_],
    target: Floats,
    mm: float,
) -> Sample:
    """A sample of a (rows, cols, 3) target at full size, with its pyramids."""
    targets, pyramid = [target], [image]
    for _ in range(2):
        size = (pyramid[-1].shape[1] // 2, pyramid[-1].shape[0] // 2)
        pyramid.append(cv2.resize(pyramid[-1], size, interpolation=cv2.INTER_AREA))
        targets.append(cv2.resize(targets[-1], size, interpolation=cv2.INTER_AREA))
    return Sample(name, image, components, nerve, tuple(targets), tuple(pyramid), mm)


def read_all(root: Path) -> list[Sample]:
    """Every image of the data set, in the order of its number."""
    return [read_sample(path, root / "masks" / path.name) for path in sorted((root / "images").glob("*.png"))]


def random_map(
    rng: np.random.Generator, shape: tuple[int, int], scale: float, size: int
) -> tuple[Floats, Floats]:
    """Where each pixel of a `size` x `size` view comes from: turn, flip, shear, zoom, elastic.

    `scale` is output pixels to an input pixel; returns x and y of the input.
    """
    rows, cols = shape
    turn = np.deg2rad(rng.normal(0, 8))
    stretch = np.exp(rng.normal(0, 0.08))
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    matrix = matrix @ np.array([[1.0, rng.normal(0, 0.06)], [0.0, 1.0]]) @ np.diag([stretch, 1 / stretch])
    if rng.random() < 0.5:
        matrix[:, 0] *= -1
    matrix /= scale
    reach = 0.5 * size / scale
    centre = [
        rng.uniform(min(reach, extent / 2), max(extent - reach, extent / 2)) + rng.normal(0, 0.08 * extent)
        for extent in (cols, rows)
    ]
    axis = np.arange(size, dtype=np.float32) - (size - 1) / 2
    xs, ys = np.meshgrid(axis, axis)
    mapped = np.tensordot(matrix.astype(np.float32), np.stack([xs, ys]), axes=1)
    if rng.random() < 0.7:
        coarse = rng.normal(0, rng.uniform(2, 9) / max(scale, 0.9), (5, 5, 2)).astype(np.float32)
        field = cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)
        mapped += np.moveaxis(field, -1, 0)
    return (mapped[0] + centre[0]).astype(np.float32), (mapped[1] + centre[1]).astype(np.float32)


def warped(rng: np.random.Generator, sample: Sample, zoom: float, size: int) -> tuple[Floats, Floats]:
    """(size, size) image in 0..1 and (size / 2, size / 2, 3) targets of a random view."""
    scale = zoom * sample.mm / NETWORK_MM
    level = int(np.clip(np.floor(np.log2(1 / scale) + rng.uniform(0, 0.5)), 0, 2))
    image = sample.pyramid[level]
    x, y = random_map(rng, image.shape, scale * 2**level, size)
    view = cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT).astype(np.float32) / 255
    half = [cv2.resize(axis, (size // 2, size // 2), interpolation=cv2.INTER_AREA) for axis in (x, y)]
    target = cv2.remap(
        sample.targets[level], half[0], half[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT
    )
    return view, target


def with_lumen(rng: np.random.Generator, view: Floats, target: Floats, donor: Sample, zoom: float) -> None:
    """Set a lumen of another picture, with what is around it, into a view, in place, with a soft rim."""
    size = view.shape[0]
    count = int(donor.components.max())
    if not count:
        return
    inside = donor.components == rng.integers(1, count + 1)
    if not inside.any():
        return
    rows, cols = np.nonzero(inside)
    scale = zoom * np.exp(rng.normal(0, 0.2)) * donor.mm / NETWORK_MM
    extent = max(np.ptp(rows), np.ptp(cols)) * scale
    edge = 2 * round(0.5 * (1.9 * extent + 24))
    if edge > 0.6 * size:
        return
    level = int(np.clip(np.floor(np.log2(1 / scale)), 0, 2))
    at = 2.0**level
    axis = (np.arange(edge, dtype=np.float32) - (edge - 1) / 2) / scale
    flip = -1.0 if rng.random() < 0.5 else 1.0
    x, y = np.meshgrid(cols.mean() + flip * axis, rows.mean() + axis)
    x, y = (x / at).astype(np.float32), (y / at).astype(np.float32)
    patch = cv2.remap(donor.pyramid[level], x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    patch = patch.astype(np.float32) / 255
    half = [cv2.resize(v, (edge // 2, edge // 2), interpolation=cv2.INTER_AREA) for v in (x, y)]
    wanted = cv2.remap(
        donor.targets[level], half[0], half[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT
    )
    top, left = (2 * int(rng.integers(0, (size - edge) // 2 + 1)) for _ in range(2))
    place = slice(top, top + edge), slice(left, left + edge)
    under = slice(top // 2, (top + edge) // 2), slice(left // 2, (left + edge) // 2)
    taken = target[under][..., :2].max() > 0.3
    if taken or (view[place] <= BLACK).mean() > 0.1 or (patch <= 0).mean() > 0.3:
        return
    grid = (np.arange(edge) - (edge - 1) / 2) / (edge / 2)
    radius = np.hypot(*np.meshgrid(grid, grid))
    soft = np.clip((0.98 - radius) / 0.25, 0, 1).astype(np.float32)
    rim = (radius > 0.6) & (radius < 1)
    gain = np.clip((view[place][rim].mean() + 0.02) / (patch[rim].mean() + 0.02), 0.5, 2.0)
    view[place] += soft * (np.clip(patch * gain, 0, 1) - view[place])
    small = cv2.resize(soft, (edge // 2, edge // 2), interpolation=cv2.INTER_AREA)[..., None]
    target[under] = np.maximum(target[under] * (1 - small), wanted * (small > 0.5))


@dataclass(frozen=True, slots=True)
class Source:
    """What views are made of."""

    samples: list[Sample]
    phantoms: list[Sample]
    unlabelled: list[Sample]
    """Pictures whose targets earlier networks gave."""
    styles: list[Floats]
    """`levels_of` every picture."""
    synthetic: float
    """Share of phantom views."""


def source_of(
    samples: list[Sample], phantoms: list[Sample], unlabelled: list[Sample], synthetic: float
) -> Source:
    """All pictures lend each other their grey levels."""
    styles = [levels_of(sample.image.astype(np.float32) / 255) for sample in (*samples, *unlabelled)]
    return Source(samples, phantoms, unlabelled, styles, synthetic)


def one_of(rng: np.random.Generator, samples: list[Sample]) -> Sample:
    """Any."""
    return samples[rng.integers(len(samples))]


def random_view(rng: np.random.Generator, source: Source, window: int) -> tuple[Floats, Floats]:
    """(window, window) image and targets at half of it: one view, four small ones, or a phantom."""
    samples, styles = source.samples, source.styles
    if rng.random() < source.synthetic:
        if source.phantoms and rng.random() < 0.6:
            zoom = float(np.exp(rng.uniform(np.log(0.6), np.log(1.8))))
            view, target = warped(rng, one_of(rng, source.phantoms), zoom, window)
        else:
            view, target = synthetic_view(rng, window, NETWORK_MM)
        return photometric(rng, view, styles), target
    if source.unlabelled and rng.random() < UNLABELLED_SHARE:
        zoom = float(np.exp(rng.uniform(np.log(0.5), np.log(1.4))))
        view, target = warped(rng, one_of(rng, source.unlabelled), zoom, window)
        return photometric(rng, view, styles), target
    zoom = float(np.exp(rng.uniform(*np.log(ZOOM if window <= WINDOW else WIDE_ZOOM))))
    if zoom > 0.5 or rng.random() < 0.3:
        view, target = warped(rng, one_of(rng, samples), zoom, window)
        for _ in range(rng.poisson(PASTED)):
            with_lumen(rng, view, target, one_of(rng, samples), zoom)
        return photometric(rng, view, styles), target
    half = window // 2
    view, target = np.zeros((window, window), np.float32), np.zeros((half, half, 3), np.float32)
    for row in (0, 1):
        for col in (0, 1):
            zoom = float(np.exp(rng.uniform(np.log(ZOOM[0]), np.log(0.5))))
            tile, wanted = warped(rng, one_of(rng, samples), zoom, half)
            view[row * half : (row + 1) * half, col * half : (col + 1) * half] = photometric(
                rng, tile, styles
            )
            quarter = half // 2
            target[row * quarter : (row + 1) * quarter, col * quarter : (col + 1) * quarter] = wanted
    return view, target
