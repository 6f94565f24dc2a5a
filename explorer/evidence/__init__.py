"""Evidence: what the runs say about the paper, judged by rules."""
