"""Probes: what a net does, read without changing it."""
