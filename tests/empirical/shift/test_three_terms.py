"""The three terms on a tiny bank: what each is, that no shift makes the sample far from the population, kept parts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from empirical.shift.three_terms import TERMS, ThreeTerms, apart, ranks, told
from tests.kdshift.ladder.tiny_ladder import tiny_run
from theory.errors import InputError


@pytest.fixture(scope="module")
def terms(tmp_path_factory: pytest.TempPathFactory) -> ThreeTerms:
    folder = tmp_path_factory.mktemp("terms")
    return ThreeTerms(tiny_run(folder), ("knn",), (16, 32), 2, folder / "parts")


def test_every_degree_has_its_terms_and_they_add_up(terms: ThreeTerms) -> None:
    table = terms.table()
    assert table.groupby(["data_size", "degree"]).size().to_dict() == {
        (size, degree): 2 for size in (16, 32) for degree in (0.0, 0.3, 0.8)
    }
    added = table["student_fit"] + table["population_l1"] / 2 + table["teacher_unreliability"]
    np.testing.assert_allclose(table["sum"], added)
    assert table[["student_fit", "teacher_unreliability", "distance", "error"]].stack().between(0, 1).all()
    assert table["population_l1"].between(0, 2).all()


def test_a_sample_that_does_not_move_is_far_and_its_student_fits_it(terms: ThreeTerms) -> None:
    mean = terms.table().groupby("degree").mean(numeric_only=True)
    assert mean["population_l1"].idxmax() == 0 and mean.loc[0.0, "population_l1"] > 1
    assert mean["student_fit"].idxmin() == 0


def test_finished_parts_are_read_again_and_mistakes_named(
    terms: ThreeTerms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = terms.table()
    monkeypatch.setattr(ThreeTerms, "_rows", lambda *args: pytest.fail("measured again"))
    pd.testing.assert_frame_equal(terms.table(), first)
    with pytest.raises(InputError, match="augmenter"):
        ThreeTerms(terms.run, ("eda",), (16,), 2, tmp_path).table()


def test_total_variation_by_hand() -> None:
    logits = np.log(np.array([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]]))
    other = np.log(np.array([[0.25, 0.5, 0.25], [0.1, 0.1, 0.8]]))
    assert apart(logits, other) == pytest.approx(0.125)
    assert apart(logits, logits + 3) == pytest.approx(0)


def test_ranks_say_how_a_term_orders_the_degrees() -> None:
    degree = np.array([0.0, 0.3, 0.6, 0.9])
    error = np.array([4.0, 2.0, 1.0, 3.0])
    frame = pd.DataFrame({"degree": degree, "error": error, "distance": error, "sum": error + 1, "energy": -error})
    frame = frame.assign(
        augmenter="knn", data_size=10, student_fit=degree, population_l1=1.0, teacher_unreliability=0.0
    )
    found = ranks(frame).set_index("term")
    assert found.loc["sum", "rank"] == pytest.approx(1) and found.loc["energy", "rank"] == pytest.approx(-1)
    assert found.loc["student_fit", "rank"] == pytest.approx(-0.4)
    assert np.isnan(found.loc["population_l1", "rank"]) and set(found.index) == {"sum", *TERMS, "energy"}
    assert found.loc["sum", ["best", "measured"]].tolist() == [0.6, 0.6]
    assert "sum +1.00 (same best degree on 1)" in told(found.reset_index())
