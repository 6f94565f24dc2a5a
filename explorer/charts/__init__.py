"""Charts: a table in, a figure out; no torch, no streamlit."""
