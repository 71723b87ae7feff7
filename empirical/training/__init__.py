"""The one loop that fine-tunes and distils: loss, optimiser, cohorts, checkpoints, the stream of steps."""
