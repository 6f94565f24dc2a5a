"""Learn, a path of nine stations: what each asks, and which answer is right by measurement."""
