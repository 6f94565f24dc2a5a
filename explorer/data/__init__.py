"""Data: labelled images as plain arrays, whatever they came from."""
