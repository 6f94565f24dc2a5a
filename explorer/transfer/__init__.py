"""Transfer: how a run leaves the explorer, and how one comes back."""
