"""Ridge regression of logits on random Fourier features, its penalty chosen on validation points.

The student of the ladder's first rungs, and with more features and all texts the stand-in for their teacher
(`kdshift ladder`). Shapes: N training points, V validation points, d coordinates, D features, C classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from simulate.features import draw_features, fourier_features

Floats = NDArray[np.float64]
PENALTIES = tuple(float(value) for value in np.logspace(-7, -1, 7))


@dataclass(frozen=True, kw_only=True)
class FourierMap:
    """Random Fourier features of a Gaussian kernel: frequency_dD and phase_1D."""

    frequency_dD: torch.Tensor
    phase_1D: torch.Tensor

    @classmethod
    def draw(cls, rng: np.random.Generator, dimension: int, features: int, bandwidth: float) -> FourierMap:
        """Fresh features; the bandwidth is `bandwidth` times the median distance of two points of N(0, I)."""
        frequency, phase = draw_features([rng], dimension, features, bandwidth, torch.device("cpu"))
        return cls(frequency_dD=frequency[0], phase_1D=phase[0])

    def __call__(self, x_Nd: NDArray[np.floating]) -> Floats:
        """Features of shape (N, D), rows of length about one."""
        points = torch.from_numpy(np.ascontiguousarray(x_Nd, dtype=np.float32))
        return fourier_features(points[None], self.frequency_dD[None], self.phase_1D[None])[0].double().numpy()


@dataclass(frozen=True, kw_only=True)
class FeatureRidge:
    """A fitted student: logits = features @ weight_DC + intercept_C; `at_edge` if a grid's end was its penalty."""

    weight_DC: Floats
    intercept_C: Floats
    penalty: float
    at_edge: bool

    def __call__(self, features_ND: Floats) -> Floats:
        """Logits of shape (N, C)."""
        return np.asarray(features_ND @ self.weight_DC + self.intercept_C)


def fit_features(
    features_ND: Floats,
    target_NC: NDArray[np.floating],
    weight_N: Floats,
    validation: tuple[Floats, NDArray[np.floating]],
    penalties: tuple[float, ...] = PENALTIES,
) -> FeatureRidge:
    """The least of sum_i w_i |h(x_i) - g(x_i)|^2 + penalty |W|^2 whose distance on validation points is least.

    weight_N: weights that sum to one. validation: features (V, D) and the teacher's logits (V, C). The intercept is
    free of penalty. One eigendecomposition, of the smaller of the two Gram matrices, serves all penalties.
    """
    centre_D, mean_C = weight_N @ features_ND, weight_N @ target_NC
    root_N1 = np.sqrt(weight_N)[:, None]
    rows_ND, aims_NC = root_N1 * (features_ND - centre_D), root_N1 * (target_NC - mean_C)
    dual = len(rows_ND) < rows_ND.shape[1]
    values, vectors = np.linalg.eigh(rows_ND @ rows_ND.T if dual else rows_ND.T @ rows_ND)
    values = np.maximum(values, 0.0)
    left = rows_ND.T @ vectors if dual else vectors
    right = vectors.T @ (aims_NC if dual else rows_ND.T @ aims_NC)
    held_out = (validation[0] - centre_D) @ left
    errors = [
        float(np.square(held_out @ (right / (values + penalty)[:, None]) + mean_C - validation[1]).mean())
        for penalty in penalties
    ]
    best = int(np.argmin(errors))
    weight_DC = left @ (right / (values + penalties[best])[:, None])
    return FeatureRidge(
        weight_DC=weight_DC,
        intercept_C=mean_C - centre_D @ weight_DC,
        penalty=penalties[best],
        at_edge=best in (0, len(penalties) - 1),
    )
