"""Symbolic and numeric forms say the same; rendering, substitution and mistakes of `theory formula`."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.theory import oracle
from theory import formula, printed, repaired, risk
from theory.errors import InputError

AT = {"kappa": 0.6, "d": 3.0, "n": 500.0, "tau": 0.17, "epsilon": 0.4, "delta": 0.05, "R": 2.5, "s": 1.3}


@pytest.mark.parametrize(("name", "value"), [
    ("printed.x_u", lambda: printed.x_u(0.4, 3)),
    ("printed.tau_limit", lambda: printed.tau_limit(0.4, 3)),
    ("printed.log_tau_limit", lambda: printed.log_tau_limit(0.4, 3)),
    ("printed.data_size_required", lambda: printed.data_size_required(0.4, 0.05, math.log(0.17), 3)),
    ("printed.ball", lambda: printed.ball_radius(0.4, 3)),
    ("printed.p_aug_mass", lambda: np.exp(printed.log_total_mass(0.17, 3))),
    ("printed.p_aug_kernel",
     lambda: np.exp(oracle.log_printed_density([[1.0, 0.3, 0.1]], [[1.0, 0.3, 0.1 + math.sqrt(1.3)]], 0.17))),
    ("repaired.lemma_l", lambda: repaired.l1_lower_bound(2.0, 0.6 / 2 ** (2 / 3), 3)),
    ("repaired.bias", lambda: repaired.bias(0.17, 3)),
    ("repaired.bias_slope", lambda: np.exp(repaired.log_bias_slope(3))),
    ("repaired.bias_d2", lambda: repaired.bias(0.17, 2)),
    ("repaired.deviation", lambda: repaired.deviation(500, 0.17, 3)),
    ("repaired.concentration", lambda: repaired.concentration(500, 0.05)),
    ("repaired.l1_bound_simple",
     lambda: repaired.mean_bound_simple(500, 0.17, 3) + repaired.concentration(500, 0.05)),
    ("repaired.data_size_required_simple", lambda: repaired.data_size_required_simple(0.4, 0.05, 0.17, 3)),
    ("repaired.tau_star_asymptotic", lambda: repaired.tau_star_asymptotic(500, 3)),
    ("repaired.outside_mass", lambda: risk.outside_mass(0.17, 3, 2.5)),
    ("repaired.mise", lambda: np.exp(repaired.log_mise(500, 0.17, 3))),
    ("repaired.tau_silverman", lambda: repaired.tau_silverman(500, 3)),
])  # fmt: skip
def test_symbolic_and_numeric_agree(name: str, value) -> None:
    assert float(formula.numeric(name, AT)) == pytest.approx(np.asarray(value()).item(), rel=1e-11)


@pytest.mark.parametrize("name", formula.FORMULAS)
def test_every_formula_renders_in_every_style(name: str) -> None:
    for style in ("text", "latex", "pretty", "python"):
        assert formula.render(name, style=style)
    assert formula.FORMULAS[name].meaning and formula.FORMULAS[name].source


def test_python_code_computes_the_formula() -> None:
    import numpy
    import scipy.special

    code = formula.render("repaired.bias", style="python")
    found = eval(code, {"numpy": numpy, "scipy": scipy, "d": 3, "tau": 0.17})
    assert found == pytest.approx(repaired.bias(0.17, 3), rel=1e-10)


def test_substitution() -> None:
    left = formula.render("printed.x_u", substitute={"d": "2"})
    assert "epsilon" in left and "4*log(4*pi)" in left and "d" not in left.replace("d*", "d")
    assert formula.value("printed.x_u", {"d": "2", "epsilon": "0.5"}) == pytest.approx(printed.x_u(0.5, 2))
    assert formula.value("printed.x_u", {"d": "2"}) is None


@pytest.mark.parametrize(("name", "substitute"), [
    ("printed.nothing", {}), ("printed.x_u", {"tau": "1"}), ("printed.x_u", {"d": "two"}),
    ("printed.x_u", {"d": "nan"}), ("printed.x_u", {"d": "-1"}), ("printed.x_u", {"d": "1/0"}),
])  # fmt: skip
def test_mistakes_are_input_errors(name: str, substitute: dict) -> None:
    with pytest.raises(InputError):
        formula.render(name, substitute=substitute)
