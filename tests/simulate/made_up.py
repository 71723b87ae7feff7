"""Long tables of simulations with a known answer: parabolas in log tau about a given best tau."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from simulate.tau_curves import CurveKey, curves

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
        key = CurveKey(
            supervision, n, 5, amount, "ridge", "smooth", "trusted", 0.05, 3.5, "half", "isotropic", "validation"
        )
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
