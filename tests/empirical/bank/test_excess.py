"""The calculation on a bank: near the students that are fitted, kept in parts, and honest about what it names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from empirical.bank.excess import ExcessStudy, against_students, agreement, features, sentence
from empirical.bank.study import Size, Study
from empirical.bank.study_run import StudyRun
from empirical.config import TaskConfig
from tests.empirical.bank.tiny_bank import SHIFTS, Oracle, bank, embeddings
from theory.errors import InputError
from theory.excess_distance import fit_ridge_copies


def study_run(folder: Path) -> StudyRun:
    made = bank(folder, pool=192, reserve=32)
    study = Study(
        task=TaskConfig(name=str(folder / "texts.csv"), max_length=32),
        pool=192,
        reserve=32,
        copies=2,
        shifts=SHIFTS,
        sizes=(Size(data_size=12), Size(data_size=32)),
    )
    return StudyRun(study=study, bank=made, teacher=Oracle(), embeddings=embeddings(), folder=folder / "study")


@pytest.fixture(scope="module")
def excess(tmp_path_factory: pytest.TempPathFactory) -> ExcessStudy:
    folder = tmp_path_factory.mktemp("excess")
    return ExcessStudy(study_run(folder), ("knn", "random"), (12, 32), 6, folder / "parts", penalties=(1e-2, 1e-1))


def test_the_calculation_is_near_the_fitted_students(excess: ExcessStudy) -> None:
    table = excess.table()
    assert set(table.groupby("augmenter")["degree"].agg(lambda d: tuple(sorted(set(d))))) == {(0, 0.3, 0.8), (0, 0.5)}
    assert table.groupby(["augmenter", "degree", "data_size"]).size().tolist() == [12] * 10  # 6 replicates, 2 penalties
    mean = table.groupby(["data_size", "penalty", "degree"])[["predicted", "measured"]].mean()
    # Validation and test texts differ, and six students are few: a quarter, not a percent.
    assert (mean["predicted"] / mean["measured"]).between(0.75, 1.33).all()
    by_size = table.groupby("data_size")[["predicted", "measured"]].mean()
    assert by_size["predicted"][12] > by_size["predicted"][32] and by_size["measured"][12] > by_size["measured"][32]


def test_measured_students_are_ridge_on_original_and_copies(excess: ExcessStudy) -> None:
    shift = excess.run.study.shifts[0]
    x, g, weight = excess._blocks(shift, 0.8)
    np.testing.assert_allclose(weight, [0.5, 0.25, 0.25])
    fitted = fit_ridge_copies(x[12:24], g[12:24], penalty=1e-2, weight_K=weight)
    test = features(excess._bench.test), excess._teacher.evaluation("test")
    direct = np.square(test[0] @ fitted - test[1]).mean()
    table = excess.table()
    row = table[(table["augmenter"] == "knn") & (table["degree"] == 0.8) & (table["replicate"] == 1)]
    row = row[(row["data_size"] == 12) & (row["penalty"] == 1e-2)]
    assert row["measured"].item() == pytest.approx(direct, rel=1e-6)


def test_finished_parts_are_read_again(excess: ExcessStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    first = excess.table()
    monkeypatch.setattr(ExcessStudy, "_rows", lambda *args: pytest.fail("computed again"))
    pd.testing.assert_frame_equal(excess.table(), first)


def test_what_the_study_lacks_is_named(excess: ExcessStudy, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="augmenter"):
        ExcessStudy(excess.run, ("eda",), (12,), 2, tmp_path).table()
    with pytest.raises(InputError, match="data_size"):
        ExcessStudy(excess.run, ("knn",), (13,), 2, tmp_path).table()


def built(best: dict[str, float]) -> pd.DataFrame:
    """Curves over five degrees whose predicted and measured minima are given, of two penalties and three replicates."""
    rows = []
    for degree in (0.0, 0.25, 0.5, 0.75, 1.0):
        for penalty, level in ((1e-2, 0.0), (1e-1, 1.0)):
            for replicate in range(3):
                values = {name: 1 + level + (degree - at) ** 2 for name, at in best.items()}
                lead = {"augmenter": "knn", "degree": degree, "data_size": 10, "penalty": penalty}
                rows.append({**lead, "replicate": replicate, **values, "validation": level})
    return pd.DataFrame(rows)


@pytest.mark.parametrize(("measured", "steps"), [(0.5, 0), (0.75, 1), (1.0, 2)])
def test_agreement_counts_grid_steps_and_what_acting_on_it_loses(measured: float, steps: int) -> None:
    found = agreement(built({"predicted": 0.5, "measured": measured}))
    assert found["penalty"].tolist() == ["0.01", "0.1", "validation"]
    assert (found["steps"] == steps).all() and (found["best_predicted"] == 0.5).all()
    # The least penalty serves validation here, so that its row is the chosen one's.
    assert found.loc[2, "regret"] == pytest.approx((measured - 0.5) ** 2 / (1 + measured**2))
    assert f"{3 if steps < 2 else 0} of 3" in sentence(found)
    if steps == 0:
        assert found["rank"].tolist() == pytest.approx([1.0] * 3)


def test_other_students_are_held_against_the_calculation() -> None:
    table = built({"predicted": 0.5, "measured": 0.5})
    rows = [
        {"augmenter": "knn" if degree else "none", "degree": degree, "data_size": 10, "replicate": replicate,
         "mode": "distill", "teacher_arm": "whole", "amount": 0.0, "student": student,
         "distance": 1 + (degree - best) ** 2}
        for student, best in (("linear", 0.5), ("static", 1.0))
        for degree in (0.0, 0.25, 0.5, 0.75, 1.0)
        for replicate in range(2)
    ]  # fmt: skip
    found = against_students(table, pd.DataFrame(rows)).set_index("student")
    assert found.loc["linear", "steps"] == 0 and found.loc["static", "steps"] == 2
    assert found.loc["linear", "rank"] == pytest.approx(1)
