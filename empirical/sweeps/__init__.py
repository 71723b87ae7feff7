"""A grid of runs: definition, execution, engines, status, estimate."""
