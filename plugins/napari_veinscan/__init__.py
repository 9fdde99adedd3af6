"""veinscan inside napari: reader, docks and keys on top of the headless library."""
