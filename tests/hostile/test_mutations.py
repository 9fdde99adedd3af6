"""Mutated files: no hang, no exception but a VeinscanError, whatever the bytes."""

from __future__ import annotations

import random
from pathlib import Path

import imagecodecs
import pytest
from fuzzing import mutate, try_everything
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from us_files import region, save, save_compressed, speckle, us


def seeds(folder: Path) -> list[bytes]:
    """One small object of each way to store pixels, and pydicom's real ones."""
    from pydicom import examples
    from rle.utils import encode_pixel_data

    grey, colour = speckle(3), speckle(2, colour=True)
    form = {"rows": 48, "columns": 64, "samples_per_pixel": 1, "bits_allocated": 8, "number_of_frames": 1}
    codecs = {
        "1.2.840.10008.1.2.4.50": imagecodecs.jpeg8_encode,
        "1.2.840.10008.1.2.4.70": imagecodecs.ljpeg_encode,
        "1.2.840.10008.1.2.4.80": imagecodecs.jpegls_encode,
        "1.2.840.10008.1.2.4.90": lambda a: imagecodecs.jpeg2k_encode(a, codecformat="J2K", reversible=True),
        "1.2.840.10008.1.2.4.110": lambda a: imagecodecs.jpegxl_encode(a, lossless=True),
        "1.2.840.10008.1.2.5": lambda a: encode_pixel_data(a.tobytes(), byteorder="<", **form),
    }
    paths = [
        save_compressed(us(3, regions=[region()]), folder / f"{i}.dcm", [encode(f) for f in grey], syntax)
        for i, (syntax, encode) in enumerate(codecs.items())
    ]
    native = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99")
    paths += [
        save(us(2, photometric="RGB", regions=[region()]), folder / f"n{i}.dcm", colour.tobytes(), syntax)
        for i, syntax in enumerate(native)
    ]
    paths += [Path(examples.get_path(name)) for name in ("ybr_color", "palette_color")]
    return [path.read_bytes() for path in paths]


class Originals(list[bytes]):
    """Files to mutate; hypothesis prints arguments, and these are megabytes."""

    def __repr__(self) -> str:
        return f"<{len(self)} files>"


@pytest.fixture(scope="module")
def originals(tmp_path_factory) -> Originals:
    return Originals(seeds(tmp_path_factory.mktemp("seeds")))


def test_originals_are_read(originals: Originals, tmp_path):
    for data in originals:
        (tmp_path / "a.dcm").write_bytes(data)
        assert try_everything(tmp_path / "a.dcm") == "read"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(which=st.integers(0, 11), seed=st.integers(0, 2**32))
def test_mutated_files_end_in_a_veinscan_error_or_are_read(originals, tmp_path, which, seed):
    data = mutate(originals[which], random.Random(seed))  # noqa: S311
    (tmp_path / "a.dcm").write_bytes(data)
    try_everything(tmp_path / "a.dcm")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=600), mark=st.booleans())
def test_random_bytes_end_in_a_veinscan_error(tmp_path, body, mark):
    (tmp_path / "a.dcm").write_bytes(b"\0" * 128 + b"DICM" + body if mark else body)
    assert try_everything(tmp_path / "a.dcm") == "refused"
