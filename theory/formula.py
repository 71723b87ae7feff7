"""Every formula of Theorem 1, its proof and the repaired theorem as a SymPy expression with its source.

`kdshift theory formula NAME [--latex | --pretty | --python] [--substitute d=2,epsilon=0.5]`. The audit reads the
printed ones from here, so that a changed formula changes its verdict. SymPy is imported when an expression is built.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, Literal

from theory.errors import InputError, unknown_name

Style = Literal["text", "latex", "pretty", "python"]


@dataclass(frozen=True, kw_only=True)
class Formula:
    """One formula: what it says, where it stands, and `build`, which makes the SymPy expression from the symbols."""

    meaning: str
    source: str
    build: Callable[[SimpleNamespace], Any]


@lru_cache(maxsize=1)
def symbols() -> SimpleNamespace:
    """The symbols of all formulas, and SymPy itself as `sp`; tau is a variance, s is |x|^2."""
    import sympy as sp

    names = "d n m tau epsilon delta epsilon_t R s x_u B B_prime r n_g kappa V p q v"
    made = {name: sp.Symbol(name, positive=True) for name in names.split()}
    return SimpleNamespace(sp=sp, **made)


def expression(name: str) -> Any:
    """The SymPy expression of a formula by name; InputError with the nearest names for an unknown one."""
    if name not in FORMULAS:
        raise unknown_name("formula", name, FORMULAS)
    return FORMULAS[name].build(symbols())


def render(name: str, *, style: Style = "text", substitute: Mapping[str, str] | None = None) -> str:
    """A formula as text, LaTeX, a drawing of characters, or Python code on NumPy and SciPy, after substitutions.

    `substitute` maps names of the formula's symbols to numbers; InputError for others.
    """
    sp = symbols().sp
    found = _substituted(name, substitute or {})
    if style == "latex":
        return str(sp.latex(found))
    if style == "pretty":
        return str(sp.pretty(found, use_unicode=True))
    if style == "python":
        from sympy.printing.numpy import SciPyPrinter

        return str(SciPyPrinter().doprint(found))
    return str(found)


def value(name: str, substitute: Mapping[str, str]) -> float | None:
    """The formula's number once every symbol has one, from 30 digits; None while symbols are left."""
    found = _substituted(name, substitute)
    return None if found.free_symbols else float(found.evalf(30))


def _substituted(name: str, substitute: Mapping[str, str]) -> Any:
    found = expression(name)
    known = {free.name: free for free in found.free_symbols}
    for symbol, text in substitute.items():
        if symbol not in known:
            raise unknown_name(f"substitute (symbols of {name})", symbol, known)
        try:
            number = symbols().sp.Rational(text)
        except (TypeError, ValueError, ZeroDivisionError):
            raise InputError(f"substitute {symbol}", text, "a number") from None
        if not (number.is_finite and number > 0):
            raise InputError(f"substitute {symbol}", text, "a number > 0")
        found = found.subs(known[symbol], number)
    return found


def numeric(name: str, values: Mapping[str, float], *, digits: int = 50) -> Any:
    """The formula at these values of its symbols, an mpmath-backed SymPy number with `digits` digits."""
    sp = symbols().sp
    found = expression(name)
    known = {free.name: free for free in found.free_symbols}
    at = {known[symbol]: sp.Float(repr(value), digits + 10) for symbol, value in values.items() if symbol in known}
    return found.subs(at).evalf(digits)


def _x_u(v: SimpleNamespace) -> Any:
    return 2 * v.d * v.sp.log(2 * v.sp.pi * v.d) + 12 * v.sp.log(2) - 4 * v.sp.log(v.epsilon)


def _printed_bracket(v: SimpleNamespace) -> Any:
    log, d = v.sp.log, v.d
    return (
        (d**2 + 5 * d + 6) * log(2)
        + (d**2 + d) * log(v.x_u)
        + d * log(d)
        - d * log(v.epsilon)
        - d * log(v.delta)
        - d / 2 * log(v.tau)
    )


def _ball(v: SimpleNamespace) -> Any:
    sp, d = v.sp, v.d
    mass = 8 * (2 * sp.pi) ** (d / 2) / (v.epsilon * sp.gamma(d / 2))
    return 4 * sp.log(mass * ((d - 2) / sp.E) ** (d / 2 - 1))


def _chi2_cdf(v: SimpleNamespace, s: Any) -> Any:
    return v.sp.lowergamma(v.d / 2, s / 2) / v.sp.gamma(v.d / 2)


def _crossing(v: SimpleNamespace) -> Any:
    return v.d * (1 + v.tau) / v.tau * v.sp.log(1 + v.tau)


def _bias(v: SimpleNamespace) -> Any:
    return 2 * (_chi2_cdf(v, _crossing(v)) - _chi2_cdf(v, _crossing(v) / (1 + v.tau)))


def _deviation(v: SimpleNamespace) -> Any:
    return (1 + 2 / v.tau) ** (v.d / 4) / v.sp.sqrt(v.n)


def _concentration(v: SimpleNamespace) -> Any:
    return v.sp.sqrt(2 * v.sp.log(1 / v.delta) / v.n)


def _slope(v: SimpleNamespace) -> Any:
    return 2 * (v.d / 2) ** (v.d / 2) * v.sp.exp(-v.d / 2) / v.sp.gamma(v.d / 2)


def _mise(v: SimpleNamespace) -> Any:
    pi, d, tau = v.sp.pi, v.d, v.tau
    one = (4 * pi * (1 + tau)) ** (-d / 2)
    spread = ((4 * pi * tau) ** (-d / 2) - one) / v.n
    return spread + one - 2 * (2 * pi * (2 + tau)) ** (-d / 2) + (4 * pi) ** (-d / 2)


def _required(v: SimpleNamespace) -> Any:
    numerator = (1 + 2 / v.tau) ** (v.d / 4) + v.sp.sqrt(2 * v.sp.log(1 / v.delta))
    return v.sp.ceiling(numerator**2 / (v.epsilon - _bias(v)) ** 2)


def _star(v: SimpleNamespace) -> Any:
    power = (v.d * 2 ** (v.d / 4) / (4 * _slope(v))) ** (4 / (v.d + 4))
    return power * v.n ** (-2 / (v.d + 4))


def _kernel(v: SimpleNamespace) -> Any:
    return v.sp.exp(-v.s / (2 * (1 + v.tau)))


FORMULAS: dict[str, Formula] = {
    "printed.x_u": Formula(
        meaning="x_u, used as the radius of a ball with 1 - epsilon/4 of the mass", source="Theorem 1", build=_x_u
    ),
    "printed.tau_limit": Formula(
        meaning="tau has to stay below this",
        source="Theorem 1",
        build=lambda v: 2 ** (v.d - 3) * v.epsilon / _x_u(v) ** (v.d + 2),
    ),
    "printed.log_tau_limit": Formula(
        meaning="logarithm of the limit of tau",
        source="Theorem 1",
        build=lambda v: (v.d - 3) * v.sp.log(2) + v.sp.log(v.epsilon) - (v.d + 2) * v.sp.log(_x_u(v)),
    ),
    "printed.data_size_required": Formula(
        meaning="n has to exceed this",
        source="Theorem 1",
        build=lambda v: 16 / v.epsilon**2 * _printed_bracket(v).subs(v.x_u, _x_u(v)),
    ),
    "printed.data_size_bracket": Formula(
        meaning="the bracket of the data-size condition, x_u kept as a symbol",
        source="Theorem 1",
        build=_printed_bracket,
    ),
    "printed.p_aug_mass": Formula(
        meaning="total mass of the printed P_aug",
        source="section 4.2",
        build=lambda v: (2 * v.sp.pi * v.tau) ** (v.d / 2) * v.sp.sqrt(1 / ((2 * v.sp.pi) ** v.d * v.tau)),
    ),
    "printed.p_aug_kernel": Formula(
        meaning="the printed P_aug of one training point at squared distance s; P_aug is its mean over the points",
        source="section 4.2",
        build=lambda v: v.sp.sqrt(1 / ((2 * v.sp.pi) ** v.d * v.tau)) * v.sp.exp(-v.s / (2 * v.tau)),
    ),
    "printed.ball": Formula(
        meaning='the "radius" of the ball with 1 - epsilon/4 of the mass', source="appendix A", build=_ball
    ),
    "printed.lipschitz": Formula(
        meaning="B', the Lipschitz bound of P_hat",
        source="appendix A",
        build=lambda v: v.n / v.sp.sqrt(v.tau) * v.sp.exp(-v.sp.Rational(1, 2)),
    ),
    "printed.cell_error": Formula(
        meaning="error of a cell of size r and volume V from its centre",
        source="appendix A",
        build=lambda v: (v.B + v.B_prime) * v.V * v.r / 2,
    ),
    "printed.cell_size": Formula(
        meaning="r, the grid size that keeps the grid's error below epsilon/4",
        source="appendix A",
        build=lambda v: v.epsilon / (2 * (v.B + v.B_prime) * (2 * v.x_u) ** v.d),
    ),
    "printed.grid_count": Formula(
        meaning="n_g, the number of cells",
        source="appendix A",
        build=lambda v: (4 * (v.B + v.B_prime) * (2 * v.x_u) ** (v.d + 1) / v.epsilon) ** v.d,
    ),
    "printed.hoeffding": Formula(
        meaning="deviation at one centre with probability 1 - delta/(2 n_g)",
        source="appendix A, equation (2)",
        build=lambda v: v.sp.sqrt(v.sp.log(2 * v.n_g / v.delta) / (2 * v.n)),
    ),
    "printed.kernel_mean": Formula(
        meaning="E exp(-|x - x'|^2/(2 tau)) at |x|^2 = s",
        source="appendix A, the integral after (2)",
        build=lambda v: v.sp.sqrt(v.tau * (2 * v.sp.pi) ** v.d / (1 + v.tau)) * _kernel(v),
    ),
    "printed.sup_gap": Formula(
        meaning="bound on the sup-norm distance between mean and target",
        source="appendix A, the line before the conditions",
        build=lambda v: v.tau * (v.x_u**2 + 1) / 2,
    ),
    "repaired.crossing": Formula(meaning="r^2, where q crosses p", source="PROOFS.md 1", build=_crossing),
    "repaired.bias": Formula(meaning="||q - p||_1, exact", source="PROOFS.md 1", build=_bias),
    "repaired.bias_slope": Formula(meaning="c_d, the bias's slope at tau = 0", source="PROOFS.md 1", build=_slope),
    "repaired.bias_d2": Formula(
        meaning="the bias in dimension 2",
        source="PROOFS.md 1",
        build=lambda v: 2 * v.tau / (1 + v.tau) * (1 + v.tau) ** (-1 / v.tau),
    ),
    "repaired.kernel_mean": Formula(
        meaning="E exp(-|x - x'|^2/(2 tau)) at |x|^2 = s",
        source="audit, step 15",
        build=lambda v: (v.tau / (1 + v.tau)) ** (v.d / 2) * _kernel(v),
    ),
    "repaired.deviation": Formula(meaning="bound on E||P_hat - q||_1, simple", source="PROOFS.md 2", build=_deviation),
    "repaired.scarf": Formula(
        meaning="Scarf's bound on E|P_hat(x) - p(x)|: p, q densities, v the variance; integrate over x",
        source="PROOFS.md 2",
        build=lambda v: v.sp.Piecewise(
            (v.sp.sqrt(v.v + (v.q - v.p) ** 2), 2 * v.p * v.q >= v.q**2 + v.v),
            (v.p + v.q - 2 * v.p * v.q**2 / (v.q**2 + v.v), True),
        ),
    ),
    "repaired.lemma_l": Formula(
        meaning="L1 of every training set is at least this, kappa = n^(2/d) tau < 1",
        source="PROOFS.md 4",
        build=lambda v: _bias(v).subs(v.tau, 1 / v.kappa - 1),
    ),
    "repaired.concentration": Formula(
        meaning="L1 above its mean with probability at most delta", source="PROOFS.md 3", build=_concentration
    ),
    "repaired.l1_bound_simple": Formula(
        meaning="Theorem R, simple: bound on L1 with probability 1 - delta",
        source="PROOFS.md 3",
        build=lambda v: _bias(v) + _deviation(v) + _concentration(v),
    ),
    "repaired.data_size_required_simple": Formula(
        meaning="points enough for L1 <= epsilon", source="PROOFS.md 6", build=_required
    ),
    "repaired.tau_star_asymptotic": Formula(
        meaning="best tau of the simple bound for small tau", source="PROOFS.md 7", build=_star
    ),
    "repaired.outside_mass": Formula(
        meaning="mean mixture mass outside the trust radius R",
        source="PROOFS.md 5",
        build=lambda v: v.sp.uppergamma(v.d / 2, v.R**2 / (2 * (1 + v.tau))) / v.sp.gamma(v.d / 2),
    ),
    "repaired.mise": Formula(
        meaning="E of the integral of (P_hat - p)^2, exact", source="Marron and Wand 1992", build=_mise
    ),
    "repaired.tau_silverman": Formula(
        meaning="asymptotic best tau of the squared error",
        source="Silverman 1986",
        build=lambda v: (4 / ((v.d + 2) * v.n)) ** (2 / (v.d + 4)),
    ),
}
