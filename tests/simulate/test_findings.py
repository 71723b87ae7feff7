"""Curves from tables and the rules that read them: made-up tables with a known answer."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from simulate.error_figures import experiment_figure
from simulate.experiment_config import make_config, presets, read_values
from simulate.findings import RULES, decide
from simulate.tau_curves import (
    CurveKey,
    curves,
    groups,
    optima_table,
    select,
    theory_best_tau,
    theory_exponent,
    varying,
)
from theory.errors import InputError

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
            shared = rng.normal(0, 0.01)
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


def test_smaller_data_rule_recovers_the_exponent() -> None:
    assert decide("smaller-data-larger-tau", found(made_up(power(-0.3)))).outcome == "supported"
    assert decide("smaller-data-larger-tau", found(made_up(power(0.3)))).outcome == "contradicted"
    assert decide("smaller-data-larger-tau", found(made_up(power(0.0), noise=0.05))).outcome == "undecided"
    assert "n^-0.3" in decide("smaller-data-larger-tau", found(made_up(power(-0.3), noise=1e-4))).sentence


def test_inverted_u_rule() -> None:
    assert decide("inverted-u", found(made_up(lambda key: 0.1))).outcome == "supported"
    assert decide("inverted-u", found(made_up(lambda key: 1e-4))).outcome == "contradicted"
    assert decide("inverted-u", found(made_up(lambda key: 1e-4 if key.data_size == 800 else 0.1))).outcome == "partly"


@pytest.mark.parametrize("factor, outcome", [(3.0, "supported"), (1 / 3.0, "contradicted")])
def test_copied_labels_rule(factor: float, outcome: str) -> None:
    def best(key: CurveKey) -> float:
        return 0.1 * (factor if key.supervision == "teacher" else 1.0)

    verdict = decide("copied-labels-smaller-tau", found(made_up(best, supervisions=("teacher", "copied_label"))))
    assert verdict.outcome == outcome and f"{factor:.1f}"[:2] in verdict.sentence


@pytest.mark.parametrize("factor, outcome", [(2.0, "supported"), (0.5, "contradicted"), (1.0, "undecided")])
def test_untrusted_outside_rule(factor: float, outcome: str) -> None:
    long = made_up(lambda key: 0.1 * (factor if key.trust_radius > 3 else 1.0), trust_radius=(2.0, np.inf))
    assert decide("untrusted-outside-smaller-tau", found(long)).outcome == outcome


def test_kernel_rule() -> None:
    scale = {"isotropic": 1.0, "subspace": 2.0, "heavy_tailed": 0.5}
    long = made_up(lambda key: 0.1 * scale[key.kernel], kernel=tuple(scale))
    assert decide("kernel-moves-optimum", found(long)).outcome == "supported"
    same = made_up(lambda key: 0.1, kernel=tuple(scale))
    assert decide("kernel-moves-optimum", found(same)).outcome == "undecided"


@pytest.mark.parametrize(
    "kd, copied, outcome",
    [(0.03, 0.0, "supported"), (0.03, 0.02, "partly"), (-0.03, 0.0, "contradicted"), (0.0, 0.0, "undecided")],
)
def test_more_data_rule(kd: float, copied: float, outcome: str) -> None:
    def gain(key: CurveKey) -> float:
        return (kd if key.supervision == "teacher" else copied) if key.amount == "online" else 0.0

    long = made_up(
        lambda key: 0.1, amounts=("1x", "online"), supervisions=("teacher", "copied_label"), gain=gain, noise=0.003
    )
    assert decide("more-data-helps-kd", found(long)).outcome == outcome


def test_unknown_rules_are_named() -> None:
    with pytest.raises(InputError, match="nearest: inverted-u"):
        decide("inverted-v", {})


def test_theory_beside() -> None:
    assert theory_exponent(4) == -0.25
    key = next(iter(found(made_up(power(-0.3)))))
    free = key._replace(trust_radius=np.inf)
    assert theory_best_tau(key, 100) < theory_best_tau(free, 100)
    assert theory_best_tau(key._replace(teacher="bounded"), 100) == theory_best_tau(free, 100)


def test_the_figure_has_two_rows_a_group() -> None:
    long = made_up(power(-0.3), supervisions=("teacher", "copied_label"))
    figure = experiment_figure(found(long), "title")
    assert len(figure.axes) == 4
    assert "tau" in figure.axes[0].get_xlabel() and "95" not in figure.axes[0].get_ylabel()
    assert len(select(found(long), supervision="teacher")) == 3


@pytest.mark.parametrize("name", presets())
def test_every_preset_is_valid_and_has_a_rule(name: str) -> None:
    values = read_values(name)
    if values.get("kind") == "counterexample":
        from simulate.counterexample import make_config as make_counterexample

        assert len(make_counterexample(values).setting) >= 3
    else:
        config = make_config(values)
        assert config.verdict in RULES and config.bytes_needed() < 2**31
