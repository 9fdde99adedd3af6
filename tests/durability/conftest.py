from __future__ import annotations

import sys
from pathlib import Path

# the small generated study of the record's own tests
sys.path.insert(0, str(Path(__file__).parents[1] / "record"))
