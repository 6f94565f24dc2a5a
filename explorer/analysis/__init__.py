"""Analysis: which runs count, what their numbers say, and in which words; tables in, verdicts out."""
