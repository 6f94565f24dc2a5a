"""Files, processes, background tasks and paths: what every other part may use."""
