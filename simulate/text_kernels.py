"""Kernels that keep the population, read against theory: `kdshift simulate run text-kernels` (PROOFS.md 8).

Theory of a kernel with the population as its stationary law: no bias, so no tau is too large; with dependent
coordinates that holds for `preserving` alone, and replacement pays for what it breaks. The additive kernel has the
interior best tau of the repaired risk bound.
"""

from __future__ import annotations

import math

from matplotlib.figure import Figure

from simulate.experiment_config import ExperimentConfig
from simulate.kernel import REPLACING, degrees
from simulate.predictions import Prediction, Reading, over_best
from simulate.tau_curves import CurveKey, Curves
from theory.inference.curve import ShiftErrorCurve
from theory.inference.curve_figure import draw_curves
from theory.risk import best_tau


def read(found: Curves, config: ExperimentConfig) -> Reading:
    """Best tau and what the largest tau loses to it, kernel by kernel and data size by data size."""
    predictions: list[Prediction] = []
    for key, curve in found.items():
        predictions += _of(key, curve, config)
    return Reading(
        predictions=tuple(predictions),
        sentence=_sentence(found, config),
        draw=lambda: kernel_figure(found, config),
    )


def keeps_population(kernel: str, correlation: float) -> bool:
    """Whether the kernel has the population as its stationary law, so that theory knows no bias."""
    return kernel == "preserving" or (kernel in REPLACING and correlation == 0)


def _of(key: CurveKey, curve: ShiftErrorCurve, config: ExperimentConfig) -> list[Prediction]:
    optimum = curve.optimum()
    last = float(curve.shift[-1])
    degree = float(degrees(key.kernel, [optimum.shift], config.kernel_shape)[0])
    note = f"degree {degree:.2f}" if math.isfinite(degree) else ""
    note += ("; " if note else "") + "edge of the grid" if optimum.at_edge else ""
    stationary = keeps_population(key.kernel, config.correlation)
    where = f"{key.kernel}, n = {key.data_size}"
    predicted, theory = math.nan, "none"
    if stationary:
        predicted, theory = last, "no bias: the largest tau"
    elif key.kernel == "isotropic" and config.correlation == 0:
        theory = "repaired risk bound"
        predicted = float(best_tau(key.data_size, key.dimension, key.trust_radius, key.teacher_epsilon))
    rise, low, high = over_best(curve, -1)
    gain, gain_low, gain_high = over_best(curve, 0)
    return [
        Prediction(
            quantity=f"best tau, {where}",
            theory=theory,
            predicted=predicted,
            measured=optimum.shift,
            low=optimum.low,
            high=optimum.high,
            note=note,
        ),
        Prediction(
            quantity=f"error at the largest tau - at the best, {where}",
            theory="no bias: zero" if stationary else "none",
            predicted=0.0 if stationary else math.nan,
            measured=rise,
            low=low,
            high=high,
        ),
        Prediction(
            quantity=f"error without augmentation - at the best, {where}",
            theory="none",
            predicted=math.nan,
            measured=gain,
            low=gain_low,
            high=gain_high,
        ),
    ]


def _sentence(found: Curves, config: ExperimentConfig) -> str:
    parts = []
    for kernel in dict.fromkeys(key.kernel for key in found):
        rises = [over_best(curve, -1) for key, curve in found.items() if key.kernel == kernel]
        count = sum(low > 0 for _, low, _ in rises)
        parts.append(f"{kernel} in {count} of {len(rises)}")
    kind = "dependent" if config.correlation else "independent"
    return f"{kind} coordinates: too large a tau hurts with " + ", ".join(parts) + " data sizes"


def kernel_figure(found: Curves, config: ExperimentConfig) -> Figure:
    """A panel a kernel: error against tau with bands, a line a data size; the degree on top where there is one."""
    kernels = list(dict.fromkeys(key.kernel for key in found))
    figure = Figure(figsize=(4.0 * len(kernels), 3.8), layout="constrained")
    axes = figure.subplots(1, len(kernels), squeeze=False, sharey=True)
    for column, kernel in enumerate(kernels):
        panel = axes[0, column]
        draw_curves(panel, [curve for key, curve in found.items() if key.kernel == kernel])
        panel.set_xlabel("tau, E|x' - x|^2 / d")
        panel.set_title(kernel.replace("_", " "), loc="left", fontsize=9)
        if kernel in REPLACING:
            slope = float(degrees(kernel, [0.1], config.kernel_shape)[0]) / 0.1
            top = panel.secondary_xaxis("top", functions=(lambda x, k=slope: x * k, lambda x, k=slope: x / k))
            top.set_xlabel("degree", fontsize=8)
    axes[0, 0].set_ylabel("error  E|h - f|")
    return figure
