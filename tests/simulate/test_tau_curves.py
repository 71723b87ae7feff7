"""Curves from tables: replicates, groups, best taus, and theory beside them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from simulate.tau_curves import (
    CurveKey,
    curves,
    fit_power_law,
    groups,
    optima_table,
    read_curves,
    select,
    theory_best_tau,
    theory_exponent,
    varying,
)
from tests.simulate.made_up import TAUS, found, made_up, power
from theory.errors import InputError


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


def test_the_power_law_is_of_taus_above_0() -> None:
    """A cell without augmented data that is best of all changes no exponent."""
    long = made_up(power(-0.3), noise=1e-5)
    none = long[long["tau"] == TAUS[0]].assign(tau=0.0, error=-1.0)
    optima, law = fit_power_law(list(found(pd.concat([none, long])).values()))
    assert law is not None and law.exponent == pytest.approx(-0.3, abs=0.01)
    assert all(best.shift > 0 for best in optima)
    assert fit_power_law(list(found(long).values())[:1])[1] is None


def test_labels_and_selections() -> None:
    all_curves = found(made_up(power(-0.3), supervisions=("teacher", "copied_label"), penalty=("0.01", "validation")))
    assert varying(all_curves) == ("supervision", "penalty")
    key = next(iter(all_curves))
    assert key.label(("supervision", "data_size")) == "labels: teacher's, data size 50" and key.label(()) == "all cells"
    assert len(select(all_curves, supervision="teacher", penalty="0.01")) == 3


def test_a_folder_without_tables_is_named(tmp_path) -> None:
    with pytest.raises(InputError, match="results"):
        read_curves(tmp_path)
