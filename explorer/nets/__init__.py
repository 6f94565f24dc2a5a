"""Nets: from a spec to a torch module, its cost and its file."""
