"""The ladder's reading finds the rung on which an optimum, or a gain, that was built to stop moving does stop."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kdshift.ladder.ladder_reading import as_shares, ladder_curves, ladder_frame, moves, sentence, stop
from kdshift.ladder.rungs import RUNGS
from tests.kdshift.ladder.built_ladder import DEGREE, SIZES, built
from theory.inference.curve import ShiftErrorCurve


@pytest.mark.parametrize("moving", [0, 3, 7])
def test_the_rung_on_which_the_movement_stops_is_found(moving: int) -> None:
    found = moves(*built(moving), "knn")
    rungs = list(RUNGS)
    expected = (rungs[moving - 1] if moving else None, rungs[moving] if moving < 7 else None)
    assert stop([move.optimum for move in found], rungs) == expected
    assert stop([move.gain for move in found], rungs) == expected
    told = sentence(found)
    if moving == 3:
        assert told.count("up to 'real embeddings, Gaussian shift'") == 2
        assert told.count("gives up that the shift is Gaussian noise around x") == 2
    assert (moving == 7) == ("falls with n on all 7 rungs" in told)
    assert (moving == 0) == ("not shown to fall with n even on the first rung" in told)


def test_a_rung_that_moves_again_above_the_stop_is_told() -> None:
    first, noise = built(3)
    last, _ = built(7)
    table = pd.concat([first[first["rung"] != "network"], last[last["rung"] == "network"]])
    assert "(again on: text, a trained network)" in sentence(moves(table, noise, "knn"))


def test_the_frame_holds_every_rung_with_shifts_as_tau() -> None:
    table, noise = built(7)
    frame = ladder_frame(table, noise)
    assert len(frame) == len(RUNGS) * len(SIZES)
    by = frame.set_index(["rung", "data_size"])
    assert by.loc[("tokens", 200), "best"] == pytest.approx(1.5 * by.loc[("tokens", 200), "shift"])
    assert by.loc[("gaussian", 200), "best"] == by.loc[("gaussian", 200), "shift"]
    for size, step in ((50, 3), (200, 2), (800, 1)):
        assert by.loc[("tokens", size), "shift"] == pytest.approx(DEGREE[step], abs=0.05)
        row = by.loc[("network", size)]
        assert row["share_low"] < 0.02 * step < row["share_high"]
        assert row["low"] <= row["best"] <= row["high"] and row["censored"] == ""


def test_shares_are_of_each_replicates_own_distance() -> None:
    rows = np.array([[2.0, 1.0], [4.0, 3.0]])
    curve = ShiftErrorCurve.from_replicates([0, 1], rows, 10, test_covariance=np.eye(2))
    found = as_shares(curve)
    np.testing.assert_allclose(found.error, [1.0, (0.5 + 0.75) / 2])
    assert found.error_se[0] == 0 and found.test_covariance is not None
    np.testing.assert_allclose(found.test_covariance, np.eye(2) / 9)


def test_curves_start_without_a_shift_and_name_their_unit() -> None:
    curves = ladder_curves(*built(7), "embeddings", "knn")
    assert [curve.data_size for curve in curves] == list(SIZES)
    assert all(curve.shift[0] == 0 and curve.shift_name == "tau" for curve in curves)
    assert ladder_curves(*built(7), "tokens", "knn")[0].shift_name == "degree"
