"""The theorem's coordinates for text: originals whitened down to their intrinsic dimension, where tau is a variance.

Serves `kdshift empirical shift` and `kdshift ladder`. Originals look like the theorem's N(0, I) there, and
tau = E|x' - x|^2 / d is what the variance of the local Gaussian would be.
Shape suffixes: N texts, D width of the representation, d intrinsic dimension.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theory.errors import InputError

Floats = NDArray[np.float64]
BOOTSTRAP = 1000


@dataclass(frozen=True)
class Whitening:
    """The linear map under which the originals have mean 0 and covariance I in their `dimension` leading directions."""

    mean_D: Floats
    map_Dd: Floats

    @property
    def dimension(self) -> int:
        return int(self.map_Dd.shape[1])

    @classmethod
    def of(cls, x_ND: Floats, dimension: int | None = None) -> Whitening:
        """Fit on the originals.

        x_ND: float array of shape (N, D).  dimension: d; None: `intrinsic_dimension(x_ND)`.

        Raises:
            InputError: the originals do not span that many directions.
        """
        d = intrinsic_dimension(x_ND) if dimension is None else dimension
        mean_D = x_ND.mean(axis=0)
        variance_D, vectors_DD = np.linalg.eigh(np.cov(x_ND - mean_D, rowvar=False))
        spanned = int((variance_D > variance_D[-1] * 1e-10).sum())
        if not 1 <= d <= spanned:
            raise InputError("dimension", d, f"1 to {spanned}, the directions that the originals span")
        return cls(mean_D, vectors_DD[:, ::-1][:, :d] / np.sqrt(variance_D[::-1][:d]))

    def __call__(self, x_ND: Floats) -> Floats:
        """Whitened coordinates, shape (N, d)."""
        return (x_ND - self.mean_D) @ self.map_Dd


def intrinsic_dimension(x_ND: Floats) -> int:
    """The intrinsic dimension of a cloud by scikit-dimension's TwoNN (Facco et al. 2017), rounded, 1 at least.

    x_ND: float array of shape (N, D); repeated rows are counted once.

    Raises:
        InputError: fewer than 20 distinct texts.
    """
    from skdim.id import TwoNN

    distinct_ND = np.unique(x_ND, axis=0)
    if len(distinct_ND) < 20:
        raise InputError("texts", f"{len(distinct_ND)} distinct ones", "20 or more for an intrinsic dimension")
    found: int = round(float(TwoNN().fit(distinct_ND).dimension_))
    return int(np.clip(found, 1, min(x_ND.shape[1], len(distinct_ND) - 1)))


def effective_tau(x_ND: Floats, new_ND: Floats, whiten: Whitening) -> Floats:
    """|x' - x|^2 / d of each text in whitened coordinates, shape (N,); its mean is the effective tau.

    Under the theorem's x' ~ N(x, tau I) that mean is tau.
    """
    tau_N: Floats = np.square(whiten(new_ND) - whiten(x_ND)).sum(axis=1) / whiten.dimension
    return tau_N


def bootstrap_interval(values_N: Floats, rng: np.random.Generator, level: float = 0.95) -> tuple[float, float]:
    """Percentile bootstrap interval of a mean over texts."""
    from scipy.stats import bootstrap

    settings: dict[str, Any] = {"method": "percentile", "n_resamples": BOOTSTRAP, "vectorized": True}
    found = bootstrap((values_N,), np.mean, confidence_level=level, rng=rng, **settings).confidence_interval
    return float(found.low), float(found.high)
