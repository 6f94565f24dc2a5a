"""The Inspect page: what each block of a net makes of one picture."""
