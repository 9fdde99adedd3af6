"""Synthetic duplex studies whose truth is known exactly.

`make_study` writes DICOM files, `make_clip` gives arrays.  Nothing here reads
with veinscan's own reader, so that a fault of one cannot hide one of the other.
"""

from __future__ import annotations

from veinscan.phantom.bmode import PhantomClip
from veinscan.phantom.clips import make_clip, render
from veinscan.phantom.flow import Augmentation
from veinscan.phantom.spectrum import StripSettings
from veinscan.phantom.study import make_study

__all__ = ["make_study", "make_clip", "render", "PhantomClip", "Augmentation", "StripSettings"]
