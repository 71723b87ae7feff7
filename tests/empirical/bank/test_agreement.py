"""Agreement of networks with light students: the same optimum, another one, and what following the other costs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from empirical.bank.agreement import agreements

DEGREES = (0.0, 0.1, 0.3, 0.5, 0.9)


def rows(
    student: str, best: float, replicates: int, noise: float = 0.001, more: tuple[float, ...] = ()
) -> pd.DataFrame:
    """Curves with their minimum at `best` (a parabola), replicates that share their level."""
    rng = np.random.default_rng(3)
    found = []
    for replicate in range(replicates):
        level = 0.2 + 0.02 * rng.normal()
        for degree in sorted((*DEGREES, *more)):
            value = level + 0.1 * (degree - best) ** 2 + 0.001 * rng.normal()
            found.append({"teacher_arm": "whole", "student": student, "mode": "distill", "data_size": 55, "amount": 0.0,
                          "augmenter": "knn" if degree else "none", "degree": degree, "replicate": replicate,
                          "distance": value, "accuracy": 0.6})  # fmt: skip
    return pd.DataFrame(found)


def one(network: pd.DataFrame, light: pd.DataFrame) -> dict:
    (found,) = agreements(light, network, {})
    return found


def test_equal_optima_agree_and_cost_nothing() -> None:
    found = one(rows("bilstm", 0.5, 4), rows("static", 0.5, 16, more=(0.2, 0.7)))
    assert found["best"] == found["light_best"] == 0.5 and found["replicates"] == 4
    assert found["degree"] == list(DEGREES) and len(found["light"]) == 5
    assert (
        found["difference"]["verdict"] == "undecided" and found["difference"]["low"] < 0 < found["difference"]["high"]
    )
    assert found["regret"]["distance"] == 0 and 0 <= found["regret"]["high"] < 0.003 and found["regret"]["low"] == 0
    assert found["gain"]["degree"] == 0.5 and found["gain"]["low"] > 0.02


def test_a_larger_optimum_is_seen_with_its_price() -> None:
    found = one(rows("encoder", 0.55, 6), rows("static", 0.1, 16))
    assert found["best"] == 0.5 and found["light_best"] == 0.1
    assert found["difference"]["verdict"] == "supported"
    assert found["difference"]["degree"] == pytest.approx(0.45, abs=0.05) and found["difference"]["low"] > 0.3
    price = 0.1 * (0.45**2 - 0.05**2)
    assert found["regret"]["low"] < price < found["regret"]["high"]
    assert found["regret"]["distance"] == pytest.approx(price, abs=0.003)


def test_a_cell_without_a_light_student_is_left_out() -> None:
    light = rows("static", 0.5, 4)
    light["data_size"] = 220
    assert agreements(light, rows("bilstm", 0.5, 4), {}) == []
