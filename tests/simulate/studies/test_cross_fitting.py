"""Cross-fitting: left-out answers, and the exact expectation over labels."""

from __future__ import annotations

import numpy as np

from simulate.studies.cross_fitting import Config, _answers, _draw, _errors, _ridge


def small() -> Config:
    return Config(kind="cross-fitting", dimension=2, data_size=(15,), test_size=40, copies=2)


def test_a_left_out_answer_has_no_weight_on_its_own_fold() -> None:
    config = small()
    points = _draw(config, 15, 0)
    shown = points.x_nd[None] + 0.3 * points.moves_cnd
    weight = _answers(config, points.x_nd, shown, 1e-2, folds=5).reshape(2, 15, 15)
    fold = np.arange(15) % 5
    assert np.all(weight[:, fold[:, None] == fold[None, :]] == 0) and np.abs(weight).sum() > 1
    plain = _answers(config, points.x_nd, points.x_nd[None], 1e-9, folds=1)
    np.testing.assert_allclose(plain, np.eye(15), atol=1e-3)  # hardly any penalty: the labels themselves


def test_the_smoother_is_kernel_ridge_regression() -> None:
    from sklearn.kernel_ridge import KernelRidge

    rng = np.random.default_rng(0)
    x, y, test = rng.standard_normal((12, 2)), rng.standard_normal(12), rng.standard_normal((7, 2))
    rival = KernelRidge(alpha=12 * 1e-2, kernel="rbf", gamma=1 / (2 * 1.6**2)).fit(x, y)
    np.testing.assert_allclose(_ridge(x, 1e-2, 1.6)(test) @ y, rival.predict(test), atol=1e-8)


def test_the_expectation_over_labels_is_exact() -> None:
    """4 000 label draws at one set of points, within four standard errors."""
    import dataclasses

    config = small()
    points = _draw(config, 15, 0)
    student = _ridge(points.x_nd, 1e-2, 1.6)(points.test_Qd)
    weight = student @ _answers(config, points.x_nd, points.x_nd[None], 1e-3, folds=5)
    rng = np.random.default_rng(1)
    found = []
    for _ in range(4000):
        drawn = dataclasses.replace(points, y_n=(rng.random(15) < points.f_n).astype(float))
        expected, value = _errors(weight, drawn)
        found.append(value)
    assert abs(np.mean(found) - expected) < 4 * np.std(found) / np.sqrt(4000)
