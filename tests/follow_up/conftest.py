from __future__ import annotations

import sys
from pathlib import Path

# the studies and strategies of the record's tests are used here too
sys.path.insert(0, str(Path(__file__).parents[1] / "record"))
