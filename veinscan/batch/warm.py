"""All that a study needs, imported and read once: every process of `processes` is a copy of one that has it.

Nothing here may start a thread: a copy would not have it.
"""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module

import cv2

from veinscan.candidates.network import shipped_network

for _name in ("batch.alone", "candidates.finder", "dicom.decode", "doppler.reflux", "export.strips"):
    import_module(f"veinscan.{_name}")
cv2.setNumThreads(1)
with suppress(Exception):  # what is wrong with it is told by the study that needs it
    shipped_network()
