"""Training of the lumen network that veinscan ships; needs the `training` extra."""
