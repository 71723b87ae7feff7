"""Hypothesis classes, one a file, each fitted for all (replicate x tau) at once."""
