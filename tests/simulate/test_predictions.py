"""What decides a prediction: intervals, choices scored on other replicates, slopes and curvatures that are known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simulate.predictions import Prediction, curvature, over_best, slope_interval
from theory.errors import InputError
from theory.inference.curve import ShiftErrorCurve

TAU = np.geomspace(0.01, 1.0, 9)


def prediction(**changes: object) -> Prediction:
    values = {"quantity": "q", "theory": "t", "predicted": 1.0, "measured": 1.1, "low": 0.9, "high": 1.3} | changes
    return Prediction(**values)  # type: ignore[arg-type]


def test_an_interval_decides_and_a_censored_measurement_does_not() -> None:
    assert prediction().outcome == "not refuted"
    assert prediction(predicted=1.4).outcome == "refuted"
    assert prediction(predicted=1.4, censored=True).outcome == "censored"
    assert prediction(predicted=math.nan).outcome == "silent"


def test_choosing_the_best_of_noise_does_not_flatter() -> None:
    """A flat curve, 400 worlds of 8 replicates: the naive gain is far from zero, the split one is not."""
    rng = np.random.default_rng(0)
    naive, split = [], []
    for _ in range(400):
        curve = ShiftErrorCurve.from_replicates(TAU, 0.3 + 0.01 * rng.standard_normal((8, 9)), 100)
        split.append(over_best(curve, 0)[0])
        naive.append(curve.error[0] - curve.error.min())
    assert abs(np.mean(split)) < 4 * np.std(split) / 20
    assert np.mean(naive) > 10 * np.std(naive) / 20


def test_over_best_finds_a_true_gain() -> None:
    rng = np.random.default_rng(1)
    shape = 0.1 + 0.02 * (np.log(TAU / 0.1)) ** 2
    curve = ShiftErrorCurve.from_replicates(TAU, shape + 0.001 * rng.standard_normal((8, 9)), 100)
    found, low, high = over_best(curve, 0)
    assert low < shape[0] - shape.min() < high and high - low < 0.01 and found > 0
    with pytest.raises(InputError, match="replicates"):
        over_best(ShiftErrorCurve(shift=TAU, error=shape, error_se=shape * 0, data_size=9), 0)


def test_curvature_of_a_parabola_is_its_own() -> None:
    rng = np.random.default_rng(2)
    shape = 0.1 + 0.02 * (np.log(TAU / 0.1)) ** 2
    curve = ShiftErrorCurve.from_replicates(TAU, shape + rng.standard_normal((6, 1)), 100)  # noise common to all tau
    assert curvature(curve) == pytest.approx((0.04, 0.04, 0.04), abs=1e-9)
    falling = ShiftErrorCurve.from_replicates(TAU, -TAU + np.zeros((3, 9)), 100)
    assert np.isnan(curvature(falling)).all()


def test_the_slope_interval_covers() -> None:
    """Lognormal-like replicates around 5 n^-0.5: the interval holds -0.5 in about 95 % of 300 worlds."""
    rng = np.random.default_rng(3)
    sizes = np.array([100.0, 1000.0, 10_000.0])
    hits = 0
    for _ in range(300):
        samples = [5 * n**-0.5 * (1 + 0.2 * rng.standard_normal(8)) for n in sizes]
        _, low, high = slope_interval(np.log(sizes), samples, draws=400)
        hits += low <= -0.5 <= high
    assert 0.91 <= hits / 300 <= 0.99
