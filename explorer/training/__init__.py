"""Training: from a spec, a recipe and a dataset to records, knowing no UI and no disk."""
