"""The Data page: which images there are, and what is done to them."""
