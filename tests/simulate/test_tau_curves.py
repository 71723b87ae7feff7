"""Tables become curves: replicates kept, failed cells left out, the theory beside."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from simulate.tau_curves import (
    CurveKey,
    curves,
    groups,
    optima_table,
    theory_best_tau,
    theory_exponent,
    varying,
)

TAUS = np.geomspace(0.01, 1.0, 9)


def made_up(best, amounts=("8x",), supervisions=("teacher",), gain=None, noise=0.002, **axes):
    """A long table whose error is a parabola in log tau around best(supervision, n, ...), plus replicate noise."""
    rng = np.random.default_rng(0)
    rows = []
    names = list(axes)
    for supervision, n, amount, values in itertools.product(
        supervisions, (50, 200, 800), amounts, itertools.product(*axes.values())
    ):
        extra = dict(zip(names, values, strict=True))
        key = CurveKey(supervision, n, 5, amount, "ridge", "smooth", "trusted", 0.05, 3.5, "half", "isotropic")
        key = key._replace(**extra)
        for replicate in range(12):
            shared = np.random.default_rng([n, replicate]).normal(0, 0.01)
            for tau in TAUS:
                error = 0.1 + 0.02 * np.log(tau / best(key)) ** 2 + shared + rng.normal(0, noise)
                error -= gain(key) if gain else 0.0
                rows.append({**key._asdict(), "tau": tau, "replicate": replicate, "error": error})
    return pd.DataFrame(rows)


def found(long: pd.DataFrame):
    keys = [*CurveKey._fields, "tau"]
    table = long.groupby(keys, sort=False)["error"].agg(["mean", "sem"]).reset_index()
    table = table.rename(columns={"mean": "error", "sem": "error_se"})
    return curves(table.assign(status="done"), long)


def power(exponent: float):
    return lambda key: 0.1 * (key.data_size / 200) ** exponent


def test_curves_carry_their_replicates() -> None:
    all_curves = found(made_up(power(-0.3)))
    assert [key.data_size for key in all_curves] == [50, 200, 800]
    assert all(curve.replicates.shape == (12, 9) for curve in all_curves.values())
    assert len(groups(all_curves)) == 1 and varying(all_curves) == ()
    table = optima_table(all_curves)
    assert (table["best_tau_low"] <= table["best_tau"]).all() and (table["best_tau"] <= table["best_tau_high"]).all()
    assert table["theory_best_tau"].is_monotonic_decreasing


def test_failed_cells_have_no_curve() -> None:
    long = made_up(power(-0.3))
    table = long.groupby([*CurveKey._fields, "tau"], sort=False)["error"].agg(["mean", "sem"]).reset_index()
    table = table.rename(columns={"mean": "error", "sem": "error_se"})
    table["status"] = np.where(table["data_size"] == 200, "failed", "done")
    assert {key.data_size for key in curves(table)} == {50, 800}


def test_theory_beside() -> None:
    assert theory_exponent(4) == -0.25
    key = next(iter(found(made_up(power(-0.3)))))
    free = key._replace(trust_radius=np.inf)
    assert theory_best_tau(key, 100) < theory_best_tau(free, 100)
    assert theory_best_tau(key._replace(teacher="bounded"), 100) == theory_best_tau(free, 100)
