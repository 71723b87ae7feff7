"""Lower bounds: Lemma L and the necessary data size against the oracle, and the audit's table of counterexamples."""

from __future__ import annotations

import math
from itertools import product

import mpmath as mp
import numpy as np
import pytest

from tests.theory import oracle
from theory import printed, repaired


@pytest.mark.parametrize("d", [1, 2, 3, 10, 100, 768, 1000])
def test_lemma_l_and_the_necessary_data_size_agree_with_the_oracle(d: int) -> None:
    with mp.workdps(40):
        for n, tau in product((1.0, 30.0, 1e6, 1e12), (1e-12, 1e-6, 1e-3, 0.2, 30.0)):
            found, exact = float(repaired.l1_lower_bound(n, tau, d)), oracle.lemma_l(n, tau, d)
            assert oracle.close(found, exact, 1e-10) or (abs(exact) < 1e-13 and found < 1e-13), (n, tau)  # kappa ~ 1
        for epsilon in (1e-6, 0.1, 0.5, 1.9):
            log_n = float(repaired.log_data_size_necessary(epsilon, 1e-3, d))
            t = mp.exp(-2 * oracle.number(log_n) / d) / oracle.number(1e-3) - 1  # ((1 + t) tau)^(-d/2) = n
            assert oracle.close(epsilon, oracle.bias_of_log(mp.log1p(t), d), 1e-8)


COUNTEREXAMPLES = [
    (2, 0.5, 0.1, 0.99, 3404, 1.94659, 4.09e5),
    (2, 0.5, 0.1, 0.10, 3551, 1.99236, 4.05e6),
    (2, 0.1, 0.05, 0.99, 99_278, 1.90446, 1.03e7),
    (2, 1.0, 0.1, 0.99, 796, 1.95485, 5.31e4),
    (2, 0.01, 0.01, 0.99, 12_008_040, 1.72657, 3.68e8),
    (3, 0.5, 0.1, 0.99, 6375, 1.999997, 1.08e11),
    (10, 0.5, 0.1, 0.99, 58_404, 2.0, 5.26e108),
]


@pytest.mark.parametrize(("d", "epsilon", "delta", "share", "n", "every_set", "necessary"), COUNTEREXAMPLES)
def test_every_training_set_refutes_the_printed_theorem(d, epsilon, delta, share, n, every_set, necessary) -> None:
    log_tau = float(printed.log_tau_limit(epsilon, d)) + math.log(share)
    assert printed.tau_condition(epsilon, log_tau, d)
    assert printed.data_size_condition(n, epsilon, delta, log_tau, d)
    assert not printed.data_size_condition(n - 1, epsilon, delta, log_tau, d)
    tau = math.exp(log_tau)
    assert repaired.l1_lower_bound(n, tau, d) == pytest.approx(every_set, abs=2e-5)
    assert repaired.data_size_necessary(epsilon, tau, d) == pytest.approx(necessary, rel=0.05)
    assert repaired.l1_lower_bound(n, tau, d) > epsilon


def test_where_lemma_l_is_silent_the_mean_still_refutes() -> None:
    for epsilon in (1e-5, 1e-7):
        log_tau = float(printed.log_tau_limit(epsilon, 2)) + math.log(0.99)
        n = math.floor(printed.data_size_required(epsilon, 0.1, log_tau, 2)) + 1
        tau = math.exp(log_tau)
        assert repaired.mean_lower_bound(n, tau, 2) > 100 * epsilon


def test_floor_over_tau_is_where_bias_and_lemma_l_meet() -> None:
    for n, d in ((1e4, 10), (100, 3), (1e9, 50)):
        floor = float(repaired.floor_over_tau(n, d))
        for tau in np.geomspace(1e-6, 10, 40):
            assert max(repaired.bias(tau, d), repaired.l1_lower_bound(n, tau, d)) >= floor * (1 - 1e-12)
