"""The shell's door to the same engine: `python -m explorer`."""
