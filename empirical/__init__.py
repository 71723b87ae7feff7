"""Distillation of real text: tasks, augmenters, models, training, banks, runs, sweeps and their tables (section 5)."""
