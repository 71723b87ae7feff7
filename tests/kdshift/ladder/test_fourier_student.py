"""The student of points: a weighted ridge regression with a free intercept, the same in both of its forms."""

from __future__ import annotations

import numpy as np
import pytest

from kdshift.ladder.fourier_student import FourierMap, fit_features

RNG = np.random.default_rng(0)


def data(rows: int, features: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng([rows, features])
    x, weight = rng.normal(size=(rows, features)), rng.uniform(0.5, 1.5, rows)
    target = x[:, :2] + 3 + 0.3 * rng.normal(size=(rows, 2))
    held_out = rng.normal(size=(50, features))
    return x, target, weight / weight.sum(), (held_out, held_out[:, :2] + 3)


@pytest.mark.parametrize(("rows", "features"), [(60, 8), (8, 60)])
def test_it_solves_its_normal_equations_in_both_forms(rows: int, features: int) -> None:
    x, target, weight, held_out = data(rows, features)
    found = fit_features(x, target, weight, held_out, penalties=(1e-2,))
    ones = np.column_stack([x, np.ones(rows)])
    system = ones.T @ (weight[:, None] * ones) + np.diag([1e-2] * features + [0.0])
    direct = np.linalg.solve(system, ones.T @ (weight[:, None] * target))
    np.testing.assert_allclose(found.weight_DC, direct[:-1], atol=1e-9)
    np.testing.assert_allclose(found.intercept_C, direct[-1], atol=1e-9)


def test_the_penalty_is_the_one_that_serves_validation_and_an_edge_is_told() -> None:
    x, target, weight, held_out = data(12, 10)
    errors = []
    for penalty in (1e-6, 1e-1, 1e6):
        fitted = fit_features(x, target, weight, held_out, penalties=(penalty,))
        errors.append(np.square(fitted(held_out[0]) - held_out[1]).mean())
    chosen = fit_features(x, target, weight, held_out, penalties=(1e-6, 1e-1, 1e6))
    assert chosen.penalty == (1e-6, 1e-1, 1e6)[int(np.argmin(errors))]
    assert fit_features(x, target, weight, held_out, penalties=(1e6, 1e7, 1e8)).at_edge


def test_a_copy_weighs_what_its_weight_says() -> None:
    """A text twice at half its weight is the text once."""
    x, target, weight, held_out = data(20, 6)
    once = fit_features(x, target, weight, held_out, penalties=(1e-3,))
    twice = fit_features(np.tile(x, (2, 1)), np.tile(target, (2, 1)), np.tile(weight / 2, 2), held_out, (1e-3,))
    np.testing.assert_allclose(once.weight_DC, twice.weight_DC, atol=1e-10)


def test_features_have_the_gaussian_kernel() -> None:
    dimension = 6
    features = FourierMap.draw(np.random.default_rng(1), dimension, 20_000, 0.5)
    x = RNG.normal(size=(5, dimension))
    inner = features(x) @ features(x).T
    squared = np.square(x[:, None] - x[None]).sum(-1)
    np.testing.assert_allclose(inner, np.exp(-squared / (2 * 0.25 * 2 * dimension)), atol=0.04)
