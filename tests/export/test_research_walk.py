"""The walk of docs/research.md runs, and learns something."""

from __future__ import annotations

import importlib.util
import sys
import warnings
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_from_studies_to_a_trained_segmenter(tmp_path: Path) -> None:
    path = ROOT / "docs" / "examples" / "toy_segmenter.py"
    spec = importlib.util.spec_from_file_location("toy_segmenter", path)
    assert spec is not None and spec.loader is not None
    toy = importlib.util.module_from_spec(spec)
    sys.modules["toy_segmenter"] = toy
    spec.loader.exec_module(toy)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # pycocotools with NumPy 2
        found = toy.main([str(tmp_path), "--patients", "3"])
    assert found["dice"] > 0.3 and found["dice"] > 2 * found["dice_of_all_vein"]
