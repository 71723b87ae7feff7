"""How many tokens to change: the paper's rule of thumb, and degree <-> tau through a measured displacement.

`kdshift theory recommend --data-size N`; paper section 5.1 (rule) and 4.2 (tau stands for the degree). A text of L
eligible tokens at a given degree has degree * L changed ones. `displacement` is what one changed token moves a text:
the mean squared move of its representation over the total variance of the data's representations (no unit). Moves of
different tokens add, so tau, the added variance per direction in units of the data's, is degree * L * displacement.
Arguments are scalars or arrays that broadcast.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from theory import silence
from theory.errors import InputError
from theory.lower_bounds import floor_over_tau, log_data_size_necessary_any_tau
from theory.risk import best_tau, mean_risk_bound
from theory.setting import Floats, check_data_size, check_tau

RULE_SOURCE = "paper, section 5.1: 10 % above 100k texts, 30 % from 10k to 100k, 50 % below 10k"
TEXT_DIMENSION = 768  # width of BERT base and DistilBERT, the students of the paper


def rule_of_thumb(data_size: npt.ArrayLike) -> Floats:
    """The degree the paper suggests for this many original texts (section 5.1): 0.5, 0.3 or 0.1."""
    n = check_data_size(data_size)
    return np.where(n < 10_000, 0.5, np.where(n <= 100_000, 0.3, 0.1))[()]


def tau_from_degree(degree: npt.ArrayLike, *, task_length: npt.ArrayLike, displacement: npt.ArrayLike) -> Floats:
    """tau = degree * task_length * displacement, the variance that this degree adds (in units of the data's)."""
    share = _positive("degree", degree, least=0.0, most=1.0)
    result: Floats = share * _positive("task_length", task_length) * _positive("displacement", displacement)
    return result[()]


def degree_from_tau(tau: npt.ArrayLike, *, task_length: npt.ArrayLike, displacement: npt.ArrayLike) -> Floats:
    """The degree that adds variance tau, inverse of `tau_from_degree`; 1 where changing every token still adds less."""
    full = _positive("task_length", task_length) * _positive("displacement", displacement)
    return np.minimum(check_tau(tau) / full, 1.0)[()]


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """What rule and theory say for one data size; `None` where something was not given or does not exist.

    `rule_degree`: the paper's rule. `tau_star`, `bound`: best tau at the intrinsic `dimension` and the risk bound
    there (None: vacuous). `degree`: tau_star as a degree. `text_l1_at_least`: what the mean L1 distance is at least at
    `text_dimension` whatever tau; `text_log_data_size`: ln of the data size below which no tau brings it under 1.
    `silence`: one sentence where the theory names no degree, None where it does.
    """

    data_size: float
    rule_degree: float
    dimension: int | None
    tau_star: float | None
    bound: float | None
    degree: float | None
    degree_at_limit: bool
    text_dimension: int
    text_l1_at_least: float
    text_log_data_size: float
    silence: str | None = None


def recommend(
    data_size: float,
    *,
    dimension: int | None = None,
    task_length: float | None = None,
    displacement: float | None = None,
    trust_radius: float = np.inf,
    teacher_epsilon: float = 0.0,
) -> Recommendation:
    """The paper's rule, the theory's best tau at an intrinsic dimension, and the same as a degree for this task.

    `task_length` is the number of eligible tokens of a text, `displacement` as in the module's docstring; both are
    needed for a degree. Raises InputError for values outside their ranges.
    """
    tau_star = bound = degree = None
    at_limit = False
    if dimension is not None:
        found = float(best_tau(data_size, dimension, trust_radius, teacher_epsilon))
        if np.isfinite(found):
            tau_star = found
            bound = float(mean_risk_bound(found, data_size, dimension, trust_radius, teacher_epsilon))
    if (task_length is None) != (displacement is None):
        missing = "task_length" if task_length is None else "displacement"
        raise InputError(missing, None, "a number > 0, because task_length and displacement are used together")
    if tau_star is not None and task_length is not None and displacement is not None:
        degree = float(degree_from_tau(tau_star, task_length=task_length, displacement=displacement))
        at_limit = degree == 1.0
    return Recommendation(
        data_size=float(data_size),
        rule_degree=float(rule_of_thumb(data_size)),
        dimension=dimension,
        tau_star=tau_star,
        bound=bound,
        degree=degree,
        degree_at_limit=at_limit,
        text_dimension=TEXT_DIMENSION,
        text_l1_at_least=float(floor_over_tau(data_size, TEXT_DIMENSION)),
        text_log_data_size=float(log_data_size_necessary_any_tau(1.0, TEXT_DIMENSION)),
        silence=silence.of_recommendation(
            data_size=data_size,
            dimension=dimension,
            tau_star=tau_star,
            tau_reach=None if task_length is None or displacement is None else task_length * displacement,
            trust_radius=trust_radius,
        ),
    )


def _positive(name: str, value: npt.ArrayLike, *, least: float | None = None, most: float = np.inf) -> Floats:
    array = np.asarray(value, dtype=float)
    good = np.isfinite(array) & (array <= most) & (array > 0 if least is None else array >= least)
    if not np.all(good):
        allowed = "a number > 0" if least is None else f"a number in [{least:g}, {most:g}]"
        raise InputError(name, array[~good].flat[0].item(), allowed)
    return array
