"""`python -m veinscan` is `veinscan`."""

from __future__ import annotations

import sys

from veinscan.cli import main

if __name__ == "__main__":
    sys.exit(main())
