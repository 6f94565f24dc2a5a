"""The Depth page: a slider, and charts that follow it."""
