"""The Runs page: a list to choose from, and what can be done with the choice."""
