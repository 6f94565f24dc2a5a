"""Runs: what was trained, kept and read back through one interface."""
