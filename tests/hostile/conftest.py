"""Hostile input is made from the same small ultrasound objects as the reader's tests."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "dicom"))
