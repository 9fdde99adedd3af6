"""Images, masks, the split by blocks, and the random views that the network is trained on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from skimage.measure import label
from skimage.segmentation import watershed

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


def smooth_noise(rng: np.random.Generator, size: int, knots: int) -> Floats:
    """(size, size) noise of standard deviation about 1 that varies over size / knots pixels."""
    coarse = rng.normal(0, 1, (knots, knots)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC))


def photometric(rng: np.random.Generator, image: Floats) -> Floats:
    """Gain, time-gain, gamma, shadows, speckle, blur, noise, graphics: what settings differ in."""
    size = image.shape[0]
    black = image <= 2 / 255
    image = image.copy()
    if rng.random() < 0.3:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.6))
    if rng.random() < 0.2:
        sharp = image - cv2.GaussianBlur(image, (0, 0), rng.uniform(1, 3))
        image = image + rng.uniform(0.2, 1.0) * sharp
    if rng.random() < 0.5:
        noise = rng.normal(0, 1, image.shape).astype(np.float32)
        noise = cv2.GaussianBlur(noise, (0, 0), rng.uniform(0.6, 2.0), sigmaY=rng.uniform(0.5, 1.2))
        image = image * np.exp(rng.uniform(0.05, 0.35) * noise / max(float(noise.std()), 1e-6))
    if rng.random() < 0.5:
        depth = np.interp(np.arange(size), np.linspace(0, size, 5), rng.normal(0, 0.25, 5)).astype(np.float32)
        image = image * np.exp(depth)[:, None]
    if rng.random() < 0.3:
        image = image * np.exp(0.2 * smooth_noise(rng, size, 5))
    for _ in range(rng.poisson(0.35)):
        middle, half, lean = rng.uniform(0, size), rng.uniform(4, 30), rng.normal(0, 0.1)
        rows = np.arange(size, dtype=np.float32)[:, None]
        across = np.abs(np.arange(size, dtype=np.float32)[None] - middle - lean * rows) / half
        below = np.clip((rows - rng.uniform(0, 0.7) * size) / 8, 0, 1)
        image = image * (1 - rng.uniform(0.3, 0.95) * below * np.clip(1.5 - across, 0, 1))
    image = np.clip(image, 0, None) ** np.exp(rng.normal(0, 0.3)) * np.exp(rng.normal(0, 0.25))
    if rng.random() < 0.3:
        image = image + rng.uniform(-0.06, 0.12)
    if rng.random() < 0.3:
        image = image + rng.normal(0, rng.uniform(0.005, 0.04), image.shape).astype(np.float32)
    if rng.random() < 0.8:
        image[black] = np.minimum(image[black], 2 / 255)
    image = np.clip(image, 0, 1).astype(np.float32)
    if rng.random() < 0.15:
        draw_graphics(rng, image)
    return image


def draw_graphics(rng: np.random.Generator, image: Floats) -> None:
    """Burned-in text, ticks and caliper crosses, in place."""
    size = image.shape[0]
    drawn = np.zeros(image.shape, np.uint8)
    for _ in range(rng.integers(1, 6)):
        x, y = (int(v) for v in rng.integers(0, size, 2))
        kind = rng.integers(3)
        if kind == 0:
            letters = "".join(chr(c) for c in rng.integers(48, 91, rng.integers(2, 9)))
            cv2.putText(drawn, letters, (x, y), 0, float(rng.uniform(0.3, 0.6)), 255, 1)
        elif kind == 1:
            cv2.drawMarker(drawn, (x, y), 255, int(rng.integers(0, 4)), int(rng.integers(5, 14)), 1)
        else:
            for k in range(rng.integers(4, 14)):
                cv2.circle(drawn, (x + 7 * k, y), 1, 255, -1)
    np.maximum(image, drawn.astype(np.float32) / 255, out=image)


def random_view(
    rng: np.random.Generator, samples: list[Sample], phantoms: list[Sample], synthetic: float, window: int
) -> tuple[Floats, Floats]:
    """(window, window) image and targets at half of it: one view, four small ones, or a phantom."""
    if rng.random() < synthetic:
        if phantoms and rng.random() < 0.6:
            zoom = float(np.exp(rng.uniform(np.log(0.6), np.log(1.8))))
            view, target = warped(rng, phantoms[rng.integers(len(phantoms))], zoom, window)
        else:
            view, target = synthetic_view(rng, window, NETWORK_MM)
        return photometric(rng, view), target
    zoom = float(np.exp(rng.uniform(*np.log(ZOOM if window <= WINDOW else WIDE_ZOOM))))
    if zoom > 0.5 or rng.random() < 0.3:
        view, target = warped(rng, samples[rng.integers(len(samples))], zoom, window)
        return photometric(rng, view), target
    half = window // 2
    view, target = np.zeros((window, window), np.float32), np.zeros((half, half, 3), np.float32)
    for row in (0, 1):
        for col in (0, 1):
            zoom = float(np.exp(rng.uniform(np.log(ZOOM[0]), np.log(0.5))))
            tile, wanted = warped(rng, samples[rng.integers(len(samples))], zoom, half)
            view[row * half : (row + 1) * half, col * half : (col + 1) * half] = photometric(rng, tile)
            quarter = half // 2
            target[row * quarter : (row + 1) * quarter, col * quarter : (col + 1) * quarter] = wanted
    return view, target
