"""The recommendation follows from the curve, and a part's degree from the other parts' replicates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kdshift.fit.degree_choice import DegreeCurve
from tests.kdshift.fit.commands import facts_of


def test_the_verdict_follows_from_the_curve(done: Path) -> None:
    facts, curve = facts_of(done), pd.read_csv(done / "out" / "curve.csv")
    table = curve.pivot(index="replicate", columns="degree", values="distance")
    gain = table[0.0].to_numpy()[:, None] - table[[0.3, 0.6]].to_numpy()
    found = facts["recommendation"]
    assert found["gain"] == pytest.approx(gain.mean(axis=0).max()) and found["replicates"] == 4
    assert found["low"] <= found["gain"] <= found["high"]
    assert found["verdict"] == (
        "supported" if found["low"] > 0 else "contradicted" if found["high"] < 0 else "undecided"
    )
    assert curve.groupby("degree")["realised"].first().loc[0.3] == pytest.approx(0.3, abs=0.05)


def curve(distance: list[list[float]]) -> DegreeCurve:
    table = np.array(distance)
    return DegreeCurve(
        augmenter="knn", degrees=(0.0, 0.3, 0.6), realised=(0.0, 0.3, 0.6), distance=table, accuracy=1 - table
    )


def test_a_part_is_not_asked_about_its_own_degree() -> None:
    found = curve([[0.30, 0.30, 0.10], [0.30, 0.20, 0.29], [0.30, 0.21, 0.30], [0.31, 0.20, 0.29]])
    assert found.without(0) == 0.3 and found.without(1) == 0.6, "the first replicate alone is for 60 %"
    assert curve([[0.1, 0.2, 0.3]] * 3).without(1) == 0.0


def test_verdicts() -> None:
    rng = np.random.default_rng(0)
    noise = 0.001 * rng.normal(size=(5, 3))
    for shift, verdict, degree in (([0, -0.05, -0.02], "supported", 0.3), ([0, 0.05, 0.02], "contradicted", 0.0)):
        found = curve((0.3 + np.array(shift) + noise).tolist()).recommendation()
        assert (found["verdict"], found["degree"]) == (verdict, degree)
        assert found["low"] <= found["gain"] <= found["high"]


def test_without_labels_the_distance_decides_alone() -> None:
    found = curve([[0.3, 0.2, 0.25], [0.31, 0.2, 0.27], [0.3, 0.21, 0.26]])
    blind = DegreeCurve(**{**vars(found), "accuracy": np.full((3, 3), np.nan)}).recommendation()
    assert np.isnan(blind["points"]) and blind["gain"] == found.recommendation()["gain"] == found.gains()[0][0]
