"""The Attributions page: which pixels speak for a class, by which method, and how far to trust it."""
