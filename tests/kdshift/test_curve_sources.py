"""Tables as curves: the paper's with their evaluation sets, sweeps and banks with their replicates."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from empirical.bank.study_table import NOISE, TABLE
from kdshift.claim_rules import worth_as_many_real_texts
from kdshift.curve_sources import (
    check_results,
    default_settings,
    light_source,
    load_sources,
    paper_source,
    side_by_side,
    text_source,
    theory_source,
)
from tests.kdshift import synthetic
from theory.errors import InputError
from theory.risk import mean_risk_bound

AS_CLAIMED = {
    ("distill", "knn", 200): 0.5, ("distill", "knn", 4000): 0.3, ("distill", "random", 200): 0.2,
    ("finetune", "knn", 200): 0.1, ("finetune", "knn", 4000): 0.1,
}  # fmt: skip


def test_the_papers_own_tables_are_read_with_their_evaluation_sets() -> None:
    mnli = paper_source().by_task()[0]
    assert [round(curve.data_size) for curve in mnli] == [3927, 7854, 39270, 392702]
    assert mnli[0].shift[np.argmin(mnli[0].error)] == pytest.approx(0.4)
    assert mnli[0].error_se[0] == pytest.approx(np.sqrt(0.6889 * 0.3111 / 9815))


def test_text_curves_pair_their_replicates(tmp_path: Path) -> None:
    source = text_source(synthetic.text_frame(AS_CLAIMED))
    (small, large) = source()
    assert small.replicates is not None and small.replicates.shape == (4, len(synthetic.DEGREES))
    assert small.names == large.names == tuple((seed, seed) for seed in range(4))
    assert small.evaluation == "tweets" and small.test_covariance is not None
    assert (small.data_size, large.data_size) == (200, 4000)


def light_frame(arm: str, replicates: int, *, gain: float, task: str = "tweets") -> pd.DataFrame:
    """A study's table of one linear student at n = 55, whose distance falls by `gain` at every positive degree."""
    rng = np.random.default_rng(len(arm) + replicates)
    rows = []
    for replicate in range(replicates):
        level = 0.2 + 0.01 * rng.standard_normal()
        for degree in (0.0, 0.3, 0.7):
            distance = level - gain * (degree > 0) + 1e-4 * rng.standard_normal()
            rows.append(
                {
                    "task": task, "teacher": "minilm", "teacher_arm": arm, "student": "linear", "data_size": 55,
                    "n_test": 4000, "augmenter": "knn" if degree else "none", "mode": "distill", "degree": degree,
                    "amount": 0.0, "replicate": replicate, "distance": distance, "accuracy": 0.7 - distance / 2,
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def study(folder: Path, *frames: pd.DataFrame) -> Path:
    folder.mkdir()
    pd.concat(frames).to_parquet(folder / TABLE)
    return folder


def test_light_students_of_a_teacher_of_their_own_texts_are_no_evidence(tmp_path: Path) -> None:
    """The arm `same` gains nothing here; it must not be averaged with, nor set against, the paper's teacher."""
    folder = study(tmp_path / "one", light_frame("whole", 4, gain=0.05), light_frame("same", 4, gain=0.0))
    source = light_source([folder])
    ((key, (curve,)),) = source.curves.items()
    assert key.task == "linear" and key.teacher == "whole"
    assert curve.error[0] - curve.error[1] == pytest.approx(0.05, abs=1e-3)


def test_two_studies_share_no_replicate_and_accuracy_has_its_test_noise(tmp_path: Path) -> None:
    folders = [study(tmp_path / name, light_frame("whole", 3, gain=0.01)) for name in ("a", "b")]
    first, second = light_source(folders)()
    assert not set(first.names) & set(second.names) and first.evaluation != second.evaluation
    assert first.test_covariance is None
    by_label = light_source(folders, "error")()[0]
    assert by_label.test_covariance is not None
    assert by_label.test_covariance[0, 0] == pytest.approx(by_label.error[0] * (1 - by_label.error[0]) / 4000)
    arms = [["none", 0.0, 0.0], ["knn", 0.3, 0.0], ["knn", 0.7, 0.0]]
    kept = {"arms": arms, "covariance": np.eye(3).tolist(), "accuracy": (2 * np.eye(3)).tolist()}
    (folders[0] / NOISE).write_text(json.dumps({"linear-distill-55-whole": kept}))
    measured = [light_source(folders[:1], outcome)()[0].test_covariance for outcome in ("distance", "error")]
    assert [found is not None and found[0, 0] for found in measured] == [1, 2], "what was measured goes before a bound"


def test_augmentation_is_set_against_real_texts_where_a_study_has_them(tmp_path: Path) -> None:
    """n real texts save 0.03, augmentation 0.01, and half of n 0.01: worth half of n."""
    frame = light_frame("whole", 6, gain=0.01)
    none = frame[frame["augmenter"] == "none"]
    real = [
        none.assign(augmenter="unlabelled", amount=amount, distance=none["distance"] - saved)
        for amount, saved in ((0.5, 0.01), (1.0, 0.03))
    ]
    (tmp_path / "curves").mkdir()
    study(tmp_path / "curves" / "one", frame, *real)
    found = load_sources(tmp_path)
    (curve,) = found.against_real()
    assert curve.error[0] - curve.error[1] == pytest.approx(-0.02, abs=1e-3) and curve.shift[0] == 0
    rate = found.exchange["linear", "knn", 55]
    assert rate.rate == pytest.approx(0.5, abs=0.05) and rate.low < rate.rate < rate.high and rate.replicates == 6
    claim = worth_as_many_real_texts(found)["text"]
    assert claim.verdict == "contradicted" and claim.effect == pytest.approx(-0.02, abs=1e-3)
    (tmp_path / "plain").mkdir()
    study(tmp_path / "plain" / "curves", frame)
    plain = load_sources(tmp_path / "plain")
    assert plain.against_real() == [] and plain.exchange == {}
    assert worth_as_many_real_texts(plain)["text"].verdict == "not measured"


def test_a_study_on_texts_that_another_did_not_have_is_a_source_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "curves").mkdir()
    for name, skip, gain in (("first", 0, 0.01), ("fresh", 7040, 0.02)):
        study(tmp_path / "curves" / name, light_frame("whole", 4, gain=gain).assign(skip=skip))
    found = load_sources(tmp_path)
    for source, gain in ((found.light, 0.01), (found.fresh, 0.02)):
        (curve,) = source()
        assert curve.error[0] - curve.error[1] == pytest.approx(gain, abs=1e-3)
    assert len(found.light_error()) == len(found.fresh_error()) == 1
    shutil.rmtree(tmp_path / "curves" / "first")
    alone = load_sources(tmp_path)
    assert alone.fresh() == [] and len(alone.light()) == 1, "nothing here that it could ask again"


def test_arms_with_more_copies_stand_beside_those_of_their_size(tmp_path: Path) -> None:
    frame = light_frame("whole", 4, gain=0.01)
    more = frame[frame["augmenter"] == "knn"].assign(amount=4.0, distance=lambda found: found["distance"] - 0.02)
    source = light_source([study(tmp_path / "one", frame, more)])
    assert {key.amount for key in source.curves} == {"online", "4x"}
    (plain,), (four,) = source(), source(amount="4x")
    assert np.allclose(plain.error[1:] - four.error[1:], 0.02) and plain.names == four.names


def test_a_size_with_one_replicate_has_no_curve(tmp_path: Path) -> None:
    assert light_source([study(tmp_path / "one", light_frame("whole", 1, gain=0.01))])() == []


def test_theory_is_the_risk_bound_at_the_simulations_settings() -> None:
    settings = default_settings()
    curves = theory_source([*settings, settings[0]._replace(supervision="copied_label")])()
    assert [curve.data_size for curve in curves] == [30, 100, 300, 1000, 3000]
    assert curves[1].error[10] == pytest.approx(mean_risk_bound(curves[1].shift[10], 100, 5, 3.0, 0.05))
    assert not np.any(curves[0].error_se)


@pytest.mark.parametrize("name", ["simulate/inverted-u/replicates", "text/results", "shift/shift", "curves/a/curves"])
def test_a_damaged_table_is_named_and_an_empty_folder_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--results"):
        check_results(tmp_path)
    path = tmp_path / f"{name}.parquet"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no table")
    path.with_name("table.parquet").write_bytes(b"no table")
    check_results(tmp_path)
    with pytest.raises(InputError, match=r"\.parquet"):
        load_sources(tmp_path)


def test_what_is_not_there_is_not_a_source(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--results"):
        load_sources(tmp_path / "none")
    (tmp_path / "text").mkdir()
    found = load_sources(tmp_path)
    assert found.text() == [] and found.light() == [] and found.simulation("inverted-u")() == []
    assert list(side_by_side(found)) == ["Theory: the repaired risk bound"]
