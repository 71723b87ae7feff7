"""The three laws, and a made-up experiment whose best tau follows one of them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simulate.experiment_config import make_config
from simulate.exponents import exponents, laws, read
from simulate.tau_curves import CurveKey
from theory.inference.curve import ShiftErrorCurve

TAU = np.geomspace(0.001, 4.0, 13)
KEY = CurveKey(
    "teacher", 0, 5, "4096", "ridge", "smooth", "trusted", 0.0, math.inf, "flipped", "isotropic", "validation"
)


def made_up(exponent: float, constant: float = 1.0) -> dict[CurveKey, ShiftErrorCurve]:
    rng = np.random.default_rng(0)
    curves = {}
    for n in (50, 200, 800):
        shape = 0.1 + 0.01 * np.log(TAU / (constant * n**exponent)) ** 2
        noisy = shape + 0.002 * rng.standard_normal((12, TAU.size))
        curves[KEY._replace(data_size=n)] = ShiftErrorCurve.from_replicates(TAU, noisy, n)
    return curves


def test_the_three_laws() -> None:
    assert laws(5, math.inf) == pytest.approx({"L1": -2 / 9, "covering": -0.4, "smoothing": -1 / 3})
    assert laws(5, 3.5)["smoothing"] == pytest.approx(-2 / 6)  # a jump: m = 1/2, effective dimension d
    assert laws(2, 3.5)["smoothing"] == pytest.approx(-2 / 3)
    assert laws(1, math.inf)["smoothing"] == pytest.approx(-2 / 5)


def test_a_law_that_holds_is_not_refuted_and_the_others_are() -> None:
    reading = read(made_up(-0.4), make_config({}))
    rows = {one.theory: one for one in reading.predictions if one.quantity.startswith("exponent of the best tau")}
    assert rows["covering"].outcome == "not refuted" and rows["L1"].outcome == "refuted"
    assert rows["covering"].measured == pytest.approx(-0.4, abs=0.03)
    assert "L1 is refuted in 1 of 1" in reading.sentence
    assert reading.draw().axes


def test_optima_at_the_edge_of_the_grid_refute_nothing() -> None:
    reading = read(made_up(-0.4, constant=1e-3), make_config({}))
    outcomes = {one.outcome for one in reading.predictions if one.theory == "L1"}
    assert outcomes == {"censored"} and "left out: 1 settings" in reading.sentence


def test_gains_and_curvatures_stand_beside() -> None:
    (row,) = exponents(made_up(-0.4))
    assert len(row.gains) == len(row.bends) == 3 and row.at_edge == []
    for value, low, high in row.bends:
        assert low <= 0.02 <= high and value > 0
