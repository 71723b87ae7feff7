"""How far augmented texts lie from their originals and from the population (`kdshift empirical shift | terms`)."""

from empirical.shift.measuring import measure_shift
from empirical.shift.tau_figure import shift_figure
from empirical.shift.whitening import Whitening, bootstrap_interval, effective_tau, intrinsic_dimension

__all__ = ["Whitening", "bootstrap_interval", "effective_tau", "intrinsic_dimension", "measure_shift", "shift_figure"]
