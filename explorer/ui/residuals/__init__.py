"""The Residuals page: how much each block changes its input, as recorded and as probed now."""
