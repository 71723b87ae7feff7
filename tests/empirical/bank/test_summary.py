"""The summary of a table that was made up: gains, pairing, the noise of the test texts, exchange rates, the figure."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from empirical.bank.study_run import covariance
from empirical.bank.summary import curve_of, curves, equal_compute

DEGREES = (0.2, 0.5, 0.9)
SAVED = {"knn": (0.02, 0.05, 0.03), "random": (0.03, 0.01, -0.02)}


def table(replicates: int = 8, noise: float = 0.002) -> pd.DataFrame:
    """Distances 0.2 less what is saved; replicates move together, and each has a little noise of its own."""
    rng = np.random.default_rng(0)
    rows = []
    for replicate in range(replicates):
        level = rng.normal(0, 0.03)
        cells = [("none", 0.0, 0.0, 0.0), ("none-twice", 0.0, 0.0, 0.01)]
        cells += [(name, d, 0.0, s) for name, saved in SAVED.items() for d, s in zip(DEGREES, saved, strict=True)]
        cells += [("unlabelled", 0.0, amount, 0.05 * (1 + math.log2(amount))) for amount in (0.5, 1, 2, 4)]
        for name, degree, amount, saved in cells:
            distance = 0.2 - saved + level + rng.normal(0, noise)
            lead = {"task": "t", "teacher": "g", "teacher_arm": "whole", "student": "static", "mode": "distill"}
            cell = {"augmenter": name, "degree": degree, "amount": amount, "replicate": replicate}
            rows.append({**lead, "data_size": 55, **cell, "distance": distance, "accuracy": 0.9 - distance})
    return pd.DataFrame(rows)


def test_gains_find_the_best_degree_and_exclude_zero_where_it_is_far() -> None:
    found = {curve["augmenter"]: curve for curve in curves(table(), {})}
    assert set(found) == {"knn", "random"}
    knn, random = found["knn"], found["random"]
    assert knn["degree"] == [0, *DEGREES] and knn["replicates"] == 8
    assert knn["gain"]["degree"] == 0.5 and random["gain"]["degree"] == 0.2
    assert 0.04 < knn["gain"]["low"] < 0.05 < knn["gain"]["high"] < 0.06
    assert 0 < knn["gain"]["detectable"] < 0.01  # far below what is there
    assert knn["exchange"]["rate"] == pytest.approx(1.0, rel=0.1)  # 0.05 is what one n of real texts saves
    assert random["exchange"]["rate"] == pytest.approx(2 ** (-0.4), rel=0.1)


def test_one_replicate_has_a_curve_and_no_interval() -> None:
    curve = curves(table(replicates=1), {})[0]
    assert curve["distance_se"] is None and math.isnan(curve["gain"]["low"])
    assert math.isnan(curve["gain"]["detectable"])
    assert curve["gain"]["degree"] == 0.5


def test_noise_of_the_test_texts_widens_the_interval() -> None:
    arms = [["none", 0.0, 0.0], *(["knn", degree, 0.0] for degree in DEGREES)]
    noise = {"arms": arms, "covariance": (1e-4 * np.eye(4)).tolist()}
    frame = table()
    wide = curve_of(frame, "knn", "distance", noise)
    assert np.allclose(wide.test_covariance, 1e-4 * np.eye(4))
    knn = frame[frame["augmenter"].isin(("none", "knn"))]
    plain = curves(knn, {})[0]["gain"]
    noisy = curves(knn, {"static-distill-55-whole": noise})[0]["gain"]
    assert noisy["high"] - noisy["low"] > 2 * (plain["high"] - plain["low"])


def test_halves_of_a_pool_are_read_by_their_cuts() -> None:
    """Eight halves are four cuts: five rows with their mean; a cut's two halves differ by twice its noise."""
    frame = table().assign(split=lambda found: found["replicate"] // 2)
    halves = frame[frame["augmenter"].isin(("none", "knn"))].pivot(
        index="replicate", columns="degree", values="distance"
    )
    curve = curve_of(frame, "knn", "distance")
    assert curve.replicates.shape == (5, 4) and curve.names == tuple(((0, 1, 2, 3), row) for row in range(5))
    assert np.allclose(curve.error, halves.mean())
    apart = (halves.to_numpy()[::2] - halves.to_numpy()[1::2]) / 2
    assert np.allclose(curve.error_se, np.sqrt((apart**2).mean(axis=0)))
    (knn, _) = curves(frame, {})
    assert knn["replicates"] == 8 and knn["exchange"]["replicates"] == 2  # a cut's halves alone share no text
    (twice,) = equal_compute(frame, {})
    assert twice["low"] < 0.01 < twice["high"]
    assert curve_of(frame.assign(split=-1), "knn", "distance").replicates.shape == (8, 4)
    assert curve_of(frame.assign(split=math.nan), "knn", "distance").replicates.shape == (8, 4)  # kept before


def test_a_cut_that_lacks_a_half_is_left_out_whole_and_shares_no_row_with_the_others() -> None:
    """Replicate 3, a half of the second cut, lacks one degree of kNN: six halves of three cuts are left."""
    frame = table().assign(split=lambda found: found["replicate"] // 2)
    lacking = (frame["augmenter"] == "knn") & (frame["replicate"] == 3) & (frame["degree"] == 0.9)
    knn, random = (curve_of(frame[~lacking], name, "distance") for name in ("knn", "random"))
    assert knn.replicates.shape == (4, 4) and random.replicates.shape == (5, 4)
    kept = frame[frame["augmenter"].isin(("none", "knn")) & ~frame["replicate"].isin((2, 3))]
    assert np.allclose(knn.error, kept.groupby("degree")["distance"].mean())
    assert not set(knn.names) & set(random.names), "means over other cuts are other rows"
    twice = (frame["augmenter"] == "none-twice") & (frame["replicate"] == 3)
    (found,) = equal_compute(frame[~twice], {})
    assert found["low"] < 0.01 < found["high"]


def test_arms_with_other_numbers_of_copies_have_curves_of_their_own() -> None:
    frame = table()
    knn = frame["augmenter"] == "knn"
    more = frame[knn].assign(amount=4.0, distance=lambda found: found["distance"] - 0.01)
    both = pd.concat([frame, more], ignore_index=True)
    plain, four = (curve_of(both, "knn", "distance", amount=amount) for amount in (0.0, 4.0))
    assert np.allclose(plain.error[1:] - four.error[1:], 0.01) and plain.error[0] == four.error[0]
    assert curves(both, {}) == curves(frame, {})
    arms = [["none", 0.0, 0.0], *(["knn", degree, amount] for amount in (0.0, 4.0) for degree in DEGREES)]
    noise = {"arms": arms, "covariance": np.diag(np.arange(7.0)).tolist()}
    assert np.diag(curve_of(both, "knn", "distance", noise, amount=4.0).test_covariance).tolist() == [0, 4, 5, 6]


def test_covariance_is_that_of_the_means_over_texts() -> None:
    rng = np.random.default_rng(1)
    easy = rng.normal(0.2, 0.05, size=4000)
    right = (rng.random(4000) < 0.7).astype(float)
    rows = [
        {"augmenter": "none", "degree": 0.0, "amount": 0.0, "by_text": {"distance": easy, "accuracy": right}},
        {"augmenter": "knn", "degree": 0.5, "amount": 0.0, "by_text": {"distance": easy - 0.01, "accuracy": 1 - right}},
    ]
    found = covariance(rows)
    assert found["arms"] == [["none", 0.0, 0.0], ["knn", 0.5, 0.0]]
    matrix = np.array(found["covariance"])
    assert np.allclose(matrix, 0.05**2 / 4000, rtol=0.1)
    assert matrix[0, 0] + matrix[1, 1] - 2 * matrix[0, 1] == pytest.approx(0, abs=1e-9)  # shared: cancels
    assert np.allclose(np.diag(found["accuracy"]), 0.7 * 0.3 / 4000, rtol=0.1)
    assert found["accuracy"][0][1] == pytest.approx(-0.7 * 0.3 / 4000, rel=0.1)  # one is right where the other errs


def test_equal_compute_is_paired() -> None:
    (found,) = equal_compute(table(), {})
    assert found["low"] < 0.01 < found["high"] and found["high"] - found["low"] < 0.01
    noise = {"arms": [["none", 0.0, 0.0], ["none-twice", 0.0, 0.0]], "covariance": [[2e-4, 1e-4], [1e-4, 1e-4]]}
    (wider,) = equal_compute(table(), {"static-distill-55-whole": noise})
    half, own = (wider["high"] - wider["low"]) / 2, (found["high"] - found["low"]) / 2
    assert half == pytest.approx(math.hypot(own, 1.959964 * 0.01), rel=1e-5)
