"""Where the sample study lies, and how it was made."""

from __future__ import annotations

from pathlib import Path

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data"
SAMPLE_SEED = 9
