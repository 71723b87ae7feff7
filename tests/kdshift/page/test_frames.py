"""The page's tables: the bound's parts add up, gains are paired means, tau lies between measured ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kdshift.ladder.folder import Ladder
from kdshift.page.frames import (
    TextCurve,
    effective_tau,
    gain_frame,
    ladder_gain_frame,
    simulation_frame,
    theory_frame,
    trust_radius,
)
from theory import risk
from theory.inference.curve import ShiftErrorCurve


def curve(seed: int = 0) -> ShiftErrorCurve:
    rng = np.random.default_rng(seed)
    level = rng.normal(0.2, 0.05, (6, 1))
    return ShiftErrorCurve.from_replicates(
        [0.0, 0.3, 0.9], level - [0, 0.02, 0.01] + rng.normal(0, 0.001, (6, 3)), 55, shift_name="degree"
    )


def test_the_parts_of_the_bound_add_up_to_it():
    frame = theory_frame((300,), (5,))
    total = frame.groupby("tau")["value"].sum()
    bound = frame.groupby("tau")["bound"].first()
    assert np.allclose(total, bound, atol=2e-5) and len(total) == 40
    tau = total.index.to_numpy()
    whole = risk.mean_risk_bound(tau, 300, 5, trust_radius(5), 0.05)
    assert np.allclose(bound, whole, atol=2e-3)


def test_gains_are_paired_means_with_bands_around_them():
    made = gain_frame([TextCurve(augmenter="knn", data_size=55, curve=curve())], "distance", None, "a command")
    table = curve().replicates
    assert made.loc[made["degree"] == 0.3, "gain"].item() == pytest.approx((table[:, 0] - table[:, 1]).mean())
    assert (made["low"] <= made["gain"]).all() and (made["gain"] <= made["high"]).all()
    assert made.loc[made["degree"] == 0.3, "low"].item() > 0 and made["replicates"].eq(6).all()


def test_simulated_bands_are_students_and_no_augmented_data_has_no_logarithm():
    frame = simulation_frame([curve()], "a command")
    half = frame["high"] - frame["error"]
    assert curve().shift[0] == 0 and frame["tau"].tolist() == curve().shift[1:].tolist()
    assert np.allclose(half, curve().half_width()[1:]) and (half > 0).all()


def test_tau_lies_between_measured_ones_and_is_unknown_beyond():
    shift = pd.DataFrame({"augmenter": ["knn", "knn"], "degree": [0.2, 0.4], "tau": [0.1, 0.3]})
    assert effective_tau(shift, "knn", 0.3) == pytest.approx(0.2) and effective_tau(shift, "knn", 0.1) == pytest.approx(
        0.05
    )
    assert effective_tau(shift, "knn", 0.9) is None and effective_tau(shift, "eda", 0.3) is None
    assert effective_tau(None, "knn", 0.3) is None and effective_tau(None, "knn", 0) == 0


def ladder() -> Ladder:
    """Two rungs, one size, four replicates: a Gaussian shift in tau and a token shift whose tau was measured."""
    rng = np.random.default_rng(3)
    level = rng.normal(0.3, 0.02, 4)
    rows, shifts = [], {("gaussian", "gaussian"): {0.1: 0.1, 0.5: 0.5}, ("tokens", "knn"): {0.2: 0.15, 0.8: 0.6}}
    for (rung, augmenter), measured in shifts.items():
        for replicate in range(4):
            for name, shift, tau, saved in (
                ("none", 0.0, 0.0, 0.0),
                *((augmenter, shift, tau, 0.1 * tau) for shift, tau in measured.items()),
            ):
                rows.append(
                    {"rung": rung, "augmenter": name, "shift": shift, "tau": tau, "data_size": 55,
                     "replicate": replicate, "distance": level[replicate] * (1 - saved) + rng.normal(0, 1e-4)}
                )  # fmt: skip
    noise = {
        f"{rung}-55": {
            "arms": [["none", 0.0, 0.0], *([augmenter, shift, 0.0] for shift in measured)],
            "covariance": (1e-9 * np.eye(3)).tolist(),
        }
        for (rung, augmenter), measured in shifts.items()
    }
    empty = pd.DataFrame()
    return Ladder(table=pd.DataFrame(rows), noise=noise, facts={}, frame=empty, moves=empty, sentences=())


def test_the_ladders_savings_are_shares_of_the_distance_without_a_shift_along_the_measured_tau():
    made = ladder_gain_frame(ladder(), "a command").set_index(["rung", "tau"])
    assert set(made.index) == {("gaussian", 0.0), ("gaussian", 0.1), ("gaussian", 0.5)} | {
        ("tokens", 0.0), ("tokens", 0.15), ("tokens", 0.6)
    }  # fmt: skip
    assert made.loc[("tokens", 0.6), "share"] == pytest.approx(0.06, abs=2e-3)
    assert made.loc[("gaussian", 0.5), "low"] < 0.05 < made.loc[("gaussian", 0.5), "high"]
    assert (made.loc[("tokens", 0.0), ["share", "low", "high"]] == 0).all()
