"""What a drawn curve shows: Student's band, the best shift with its interval, axes that can hold tau = 0."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from tests.theory.inference.worlds import TAUS, bowl, curves, noisy
from theory.inference.curve import ShiftErrorCurve
from theory.inference.curve_figure import AXIS, draw_curve, draw_curves, shades


def test_the_band_is_student_s_interval_of_the_mean() -> None:
    curve = noisy(bowl(0.05), 3, 0.02, seed=0)
    axes = Figure().subplots()
    draw_curve(axes, curve, "k", "three replicates")
    corners = axes.collections[0].get_paths()[0].vertices[:, 1]
    assert corners.max() == pytest.approx((curve.error + 4.302653 * curve.error_se).max())
    assert corners.min() == pytest.approx((curve.error - 4.302653 * curve.error_se).min())


def test_the_best_shift_and_its_interval_are_drawn() -> None:
    curve = noisy(bowl(0.05), 8, 0.01, seed=1)
    best, axes = curve.optimum(), Figure().subplots()
    draw_curve(axes, curve, "k", "")
    (marker, caps, bars) = axes.containers[0]
    assert marker.get_xdata()[0] == pytest.approx(best.shift)
    (low, _), (high, _) = bars[0].get_segments()[0]
    assert (low, high) == pytest.approx((best.low, best.high))
    assert len(caps) == 2


def test_sizes_are_in_order_and_axes_have_names() -> None:
    axes = Figure().subplots()
    draw_curves(axes, curves(3, np.random.default_rng(0))[::-1])
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert names == ["n = 220", "n = 1,098", "n = 21,966"]
    assert axes.get_xlabel() == AXIS["degree"] and axes.get_xscale() == "linear"


def test_tau_is_logarithmic_and_0_has_its_place() -> None:
    above = ShiftErrorCurve(shift=TAUS, error=bowl(0.05), error_se=np.zeros(15), data_size=9)
    with_none = ShiftErrorCurve(
        shift=np.r_[0.0, TAUS], error=np.r_[0.9, bowl(0.05)], error_se=np.zeros(16), data_size=9
    )
    plain, symmetric = (Figure().subplots() for _ in range(2))
    draw_curves(plain, [above])
    draw_curves(symmetric, [with_none])
    assert plain.get_xscale() == "log" and symmetric.get_xscale() == "symlog"
    assert symmetric.get_xlim()[0] == 0
    seen = symmetric.transData.transform([[0.0, 0.5], [TAUS[0], 0.5], [TAUS[1], 0.5], [TAUS[2], 0.5]])[:, 0]
    assert 0 < seen[1] - seen[0] and seen[2] - seen[1] == pytest.approx(seen[3] - seen[2])


def test_shades_differ() -> None:
    assert len(set(shades(6))) == 6 and len(shades(0)) == 1
