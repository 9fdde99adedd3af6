"""Studies from a hospital's archive (PACS), and plans back into it.

`connect` gives an `Archive`, over DICOMweb or over DIMSE; everything else
(pull, queue, cache, earlier studies) is written against that one face and
does not know which of the two it is.
"""

from __future__ import annotations
