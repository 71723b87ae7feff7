"""Curves from tables and the rules that read them: made-up tables with a known answer."""

from __future__ import annotations

import numpy as np
import pytest

from simulate.findings import decide
from simulate.tau_curves import (
    CurveKey,
)
from tests.simulate.made_up import found, made_up, power
from theory.errors import InputError


def test_smaller_data_rule_recovers_the_exponent() -> None:
    assert decide("smaller-data-larger-tau", found(made_up(power(-0.3)))).outcome == "supported"
    assert decide("smaller-data-larger-tau", found(made_up(power(0.3)))).outcome == "contradicted"
    assert decide("smaller-data-larger-tau", found(made_up(power(0.0), noise=0.05))).outcome == "undecided"
    assert "minus 0.3 [" in decide("smaller-data-larger-tau", found(made_up(power(-0.3), noise=1e-5))).sentence


def test_inverted_u_rule() -> None:
    assert decide("inverted-u", found(made_up(lambda key: 0.1))).outcome == "supported"
    assert decide("inverted-u", found(made_up(lambda key: 1e-4))).outcome == "contradicted"
    mixed = decide("inverted-u", found(made_up(lambda key: 1e-4 if key.data_size == 800 else 0.1)))
    assert mixed.outcome == "contradicted" and "2 of 3 curves show it by themselves" in mixed.sentence


@pytest.mark.parametrize("factor, outcome", [(3.0, "supported"), (1 / 3.0, "contradicted")])
def test_copied_labels_rule(factor: float, outcome: str) -> None:
    def best(key: CurveKey) -> float:
        return 0.1 * (factor if key.supervision == "teacher" else 1.0)

    verdict = decide("copied-labels-smaller-tau", found(made_up(best, supervisions=("teacher", "copied_label"))))
    assert verdict.outcome == outcome and f": {np.log(factor):.1f}"[:-1] in verdict.sentence


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
    [(0.03, 0.0, "supported"), (0.03, 0.02, "contradicted"), (-0.03, 0.0, "contradicted"), (0.0, 0.0, "undecided")],
)
def test_more_data_rule(kd: float, copied: float, outcome: str) -> None:
    def gain(key: CurveKey) -> float:
        return (kd if key.supervision == "teacher" else copied) if key.amount == "online" else 0.0

    long = made_up(
        lambda key: 0.1, amounts=("1x", "online"), supervisions=("teacher", "copied_label"), gain=gain, noise=0.003
    )
    assert decide("more-data-helps-kd", found(long)).outcome == outcome


def test_two_taus_show_no_inverted_u_and_the_sentence_says_why() -> None:
    two = {key: curve.only(curve.names, curve.shift[:2]) for key, curve in found(made_up(power(-0.3))).items()}
    verdict = decide("inverted-u", two)
    assert verdict.outcome == "not measured" and verdict.sentence == "needs three or more shifts"


def test_unknown_rules_are_named() -> None:
    with pytest.raises(InputError, match="nearest: inverted-u"):
        decide("inverted-v", {})
