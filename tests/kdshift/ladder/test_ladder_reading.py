"""The ladder's reading finds the rung on which an optimum, or a gain, that was built to stop moving does stop."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from kdshift.ladder.ladder_figure import draw_ladder
from kdshift.ladder.ladder_reading import as_shares, ladder_curves, ladder_frame, moves, sentence, stop
from kdshift.ladder.rungs import GAUSSIAN_SHIFT, RUNGS
from theory.inference.curve import ShiftErrorCurve

SIZES, REPLICATES = (50, 200, 800), 8
TAU, DEGREE = (0.1, 0.2, 0.4, 0.8, 1.6), (0.1, 0.3, 0.5, 0.7, 0.9)


def built(moving: int, noise: float = 0.002) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A ladder whose best shift moves with n on the first `moving` rungs only, and whose gain does as well."""
    rows: list[dict[str, Any]] = []
    for number, rung in enumerate(RUNGS):
        gaussian = rung.name in GAUSSIAN_SHIFT
        for size in SIZES:
            step = {50: 3, 200: 2, 800: 1}[size] if number < moving else 2
            rng = np.random.default_rng([number, size])
            level = rng.normal(0.3, 0.05, REPLICATES)
            for place, shift in enumerate((0.0, *(TAU if gaussian else DEGREE))):
                share = 0.0 if place == 0 else 0.02 * step - 0.02 * (place - 1 - step) ** 2
                for replicate in range(REPLICATES):
                    rows.append(
                        {
                            "rung": rung.name,
                            "augmenter": "none" if place == 0 else "gaussian" if gaussian else "knn",
                            "data_size": size,
                            "shift": shift,
                            "tau": shift if gaussian else 1.5 * shift,
                            "replicate": replicate,
                            "distance": level[replicate] * (1 - share) + noise * rng.normal(),
                            "at_edge": False,
                        }
                    )
    arms = {True: [["none", 0.0, 0.0], *(["gaussian", tau, 0.0] for tau in TAU)]}
    arms[False] = [["none", 0.0, 0.0], *(["knn", degree, 0.0] for degree in DEGREE)]
    covariance = (1e-8 * np.eye(6)).tolist()
    test_noise = {
        f"{rung.name}-{size}": {"arms": arms[rung.name in GAUSSIAN_SHIFT], "covariance": covariance}
        for rung in RUNGS
        for size in SIZES
    }
    return pd.DataFrame(rows), test_noise


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


def test_the_figure_has_a_panel_a_rung_and_a_line_a_size() -> None:
    figure = draw_ladder(*built(7), "knn")
    assert [panel.get_title(loc="left") for panel in figure.axes[:7]] == [
        f"{number}. {rung.title}" for number, rung in enumerate(RUNGS, 1)
    ]
    for panel in figure.axes[:7]:
        assert len(panel.containers) == len(SIZES)
    line = figure.axes[3].containers[0].lines[0]
    np.testing.assert_allclose(line.get_xdata(), [0.0, *(1.5 * degree for degree in DEGREE)])
