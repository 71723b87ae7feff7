"""The page's tables: the bound's parts add up, gains are paired means, tau lies between measured ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kdshift.page.frames import TextCurve, effective_tau, gain_frame, simulation_frame, theory_frame, trust_radius
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
