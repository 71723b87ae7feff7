"""kdshift: where theorem, simulation and real distillation meet."""

__version__ = "0.1.0"
