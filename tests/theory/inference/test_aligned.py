"""What is resampled: common shifts, shared replicates, which blocks are kept, and the noise of one evaluation set."""

from __future__ import annotations

import numpy as np
import pytest

from tests.theory.inference.worlds import DEGREES, SIZES, curves
from theory.inference.aligned import align, mean_over_shifts
from theory.inference.curve import ShiftErrorCurve


def one_run(size: float = 100, shift: np.ndarray = DEGREES, se: float = 0.01) -> ShiftErrorCurve:
    return ShiftErrorCurve(
        shift=shift, error=0.3 + 0.1 * shift, error_se=np.full(len(shift), se), data_size=size, shift_name="degree"
    )


def named(size: float, names: tuple[object, ...]) -> ShiftErrorCurve:
    table = np.random.default_rng(int(size)).normal(0.3, 0.01, (len(names), len(DEGREES)))
    return ShiftErrorCurve.from_replicates(DEGREES, table, size, "degree", replicate_ids=names)


def test_the_grid_is_what_all_curves_have() -> None:
    long, short = one_run(), one_run(200, np.array([0.0, 0.3, 0.7, 0.8]))
    found = align([(long,), (short,)])
    assert found is not None and found.shift.tolist() == [0.0, 0.3, 0.8]
    assert [curve.error.tolist() for curve in found.curves] == [pytest.approx([0.3, 0.33, 0.38])] * 2
    positive = align([(long,), (short,)], positive=True)
    assert positive is not None and positive.shift.tolist() == [0.3, 0.8]
    assert align([]) is None and align([(long,), (one_run(200, np.array([0.2, 0.4])),)]) is None


def test_the_unit_is_the_replicate_that_all_curves_share() -> None:
    found = align([(named(100, ("a", "b", "c")),), (named(200, ("c", "b", "x")),)])
    assert found is not None and found.unit == "replicate"
    assert all(curve.names == ("b", "c") for curve in found.curves), "in the first block's order"
    assert found.runs() == 2 * 2 * len(DEGREES)


def test_blocks_with_replicates_of_their_own_are_independent() -> None:
    found = align([(named(100, (0, 1, 2)),), (named(200, (3, 4)),)])
    assert found is not None and found.unit == "own replicate"
    assert [len(curve.names) for curve in found.curves] == [3, 2]


def test_a_block_that_would_cost_more_than_it_gives_is_left_out() -> None:
    """Student's factor / sqrt(B R): two replicates of three blocks (12.7/2.4) against eight of two (2.4/4)."""
    many = [named(size, tuple(range(8))) for size in SIZES[:2]]
    found = align([(curve,) for curve in (*many, named(SIZES[2], (0, 1)))])
    assert found is not None and found.kept == (0, 1) and found.dropped == (21966.0,)
    assert "too few replicates at n = 21,966" in found.note


def test_runs_without_replicates_are_rows_and_formulas_are_exact() -> None:
    rows = align([(one_run(size),) for size in SIZES])
    assert rows is not None and rows.unit == "row" and "over 3 rows" in rows.note and not rows.exact
    exact = align([(one_run(size, se=0.0),) for size in SIZES])
    assert exact is not None and exact.exact and exact.runs() == 0
    assert exact.contrasts([np.array([[[-1.0, 0, 0, 0, 1.0]]])] * 3).effect == pytest.approx([0.08])


def test_a_mean_of_contrasts_is_taken_replicate_by_replicate() -> None:
    found = align([(curve,) for curve in curves(5, np.random.default_rng(0))])
    assert found is not None
    weights = np.array([[[1.0, -1.0, 0, 0, 0]]])
    table = np.mean([curve.replicates[:, 0] - curve.replicates[:, 1] for curve in found.curves], axis=0)
    got = found.contrasts([weights] * 3)
    assert got.effect == pytest.approx([table.mean()])
    assert got.se == pytest.approx([table.std(ddof=1) / np.sqrt(5)])


def test_noise_of_one_set_adds_over_blocks_and_of_several_sets_in_squares() -> None:
    """Each block's mean has test variance 1e-4; the mean over two blocks: 1e-4 on one set, half of it on two."""
    weights = [np.array([[[1.0, 0.0]]])] * 2

    def on(names: tuple[str, str]) -> float:
        blocks = [
            (
                ShiftErrorCurve.from_replicates(
                    [0.0, 0.5], np.random.default_rng(at).normal(0.3, 1e-6, (4, 2)), 100 + at, "degree",
                    evaluation=name, test_covariance=1e-4 * np.eye(2),
                ),
            )
            for at, name in enumerate(names)
        ]  # fmt: skip
        found = align(blocks)
        assert found is not None
        return float(found.contrasts(weights).se[0]) ** 2

    assert on(("test", "test")) == pytest.approx(1e-4, rel=1e-3)
    assert on(("test", "other")) == pytest.approx(0.5e-4, rel=1e-3)


def test_contrasts_are_as_alike_over_blocks_as_within_them() -> None:
    """Two blocks on one set, correlated .5 in both, spreads 1 and 3: the mean has a spread of 2."""
    names = ("a", "b")
    blocks = [
        (
            ShiftErrorCurve.from_replicates(
                [0.0, 0.5], [[0.1, 0.2], [0.3, 0.3]], size, "degree", replicate_ids=names, evaluation="t",
                test_covariance=scale**2 * np.array([[1.0, 0.5], [0.5, 1.0]]),
            ),
        )
        for size, scale in ((100, 1.0), (200, 3.0))
    ]  # fmt: skip
    found = align(blocks)
    assert found is not None
    made = found.contrasts([np.eye(2)[:, None, :]] * 2)
    replicates = found.errors(found.blocks[0])[:, 0].var(axis=0, ddof=1) / 2
    assert made.se**2 == pytest.approx(replicates + 4.0)
    assert found._shared_covariance([np.eye(2)[:, None, :]] * 2) == pytest.approx(np.array([[4.0, 2.0], [2.0, 4.0]]))


def test_two_curves_on_one_set_share_its_noise() -> None:
    """The difference of two students on the same texts: 2 v (1 - r), r the correlation within the less alike curve."""
    within = 1e-4 * np.array([[1.0, 0.8], [0.8, 1.0]])
    table = np.random.default_rng(0).normal(0.3, 1e-7, (2, 4, 2))
    pair = tuple(
        ShiftErrorCurve.from_replicates([0.0, 0.5], rows, 100, "degree", evaluation="t", test_covariance=within)
        for rows in table
    )
    found = align([pair])
    assert found is not None
    spread = found.block_spread([np.array([[[1.0, 0.0], [-1.0, 0.0]]])])
    assert spread[0, 0] ** 2 == pytest.approx(2e-4 * (1 - 0.8))


def test_the_mean_over_shifts_is_a_curve_of_one_point() -> None:
    curve = curves(4, np.random.default_rng(1))[0]
    point = mean_over_shifts(curve)
    assert point is not None and point.replicates is not None and curve.replicates is not None
    rows = curve.replicates[:, 1:].mean(axis=1)
    np.testing.assert_allclose(point.replicates[:, 0], rows)
    assert point.error_se == pytest.approx([rows.std(ddof=1) / 2])
    assert mean_over_shifts(one_run(100, np.array([0.0]))) is None
