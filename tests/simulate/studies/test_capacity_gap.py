"""The exact error of the capacity gap: its shape, and Monte Carlo."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from simulate.studies.capacity_gap import Config, measure, predicted_error


def test_the_best_teacher_is_the_students_equal() -> None:
    config = Config(kind="capacity-gap", student=5, features=40, teacher=(1,), data_size=(9,))
    errors = [predicted_error(config, t, 9) for t in range(1, 41)]
    assert int(np.argmin(errors)) + 1 == 5
    assert np.all(np.diff(errors[:5]) < 0) and np.all(np.diff(errors[4:]) > 0)
    assert predicted_error(config, 40, 10_000) == pytest.approx(errors[4], rel=2e-2)  # the gap closes with n


def test_the_formula_is_the_mean() -> None:
    """600 replicates, z tests at level 1e-3."""
    config = Config(kind="capacity-gap", student=4, features=12, teacher=(3, 6, 12), data_size=(20,), replicates=600)
    table = measure(config, lambda done, total: None)
    for t in (6, 12):
        values = table.loc[table["teacher"] == t, "value"].to_numpy()
        z = (values.mean() - predicted_error(config, t, 20)) / (values.std(ddof=1) / np.sqrt(600))
        assert abs(z) < stats.norm.ppf(1 - 5e-4)
    exact = table.loc[table["teacher"] == 3, "value"]
    np.testing.assert_allclose(exact, predicted_error(config, 3, 20), rtol=1e-9)
