"""Recommendations: a pilot that looks at no test text, one answer with its interval, the theory's degree beside it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from empirical import recommend as module
from empirical.config import ModelConfig, TaskConfig, TrainConfig
from empirical.recommend import SAFE, Effect, Recommendation, held_out, pilot_study, recommend, theory_from
from empirical.tasks.load import load_task
from tests.empirical import tiny_kd
from theory.errors import InputError

TRAIN = TrainConfig(steps=1)


def study(total=3000, data_size=100, pool=None):
    return pilot_study(TaskConfig(name="tweets"), total, data_size, "knn", ModelConfig(), TRAIN, pool)


@pytest.mark.parametrize(
    ("total", "data_size", "pool", "size", "copies"),
    [(3000, 55, 880, 55, 2), (3000, 150, 1200, 150, 2), (3000, 3000, 1760, 220, 2), (300, 300, 200, 25, 4)],
)
def test_a_pilot_has_eight_disjoint_subsets_of_the_size_or_of_what_there_is(total, data_size, pool, size, copies):
    found = study(total, data_size)
    assert (found.pool, found.sizes[0].data_size, found.copies) == (pool, size, copies)
    assert found.pool // found.sizes[0].data_size >= 8 and found.students == ("static",) and found.finetune == ()


def test_too_few_texts_and_a_pool_without_held_out_texts_are_refused():
    with pytest.raises(InputError, match="60"):
        study(total=59)
    with pytest.raises(InputError, match="2000"):
        study(pool=2001)
    assert study(pool=2000).pool == 2000


def test_held_out_texts_are_neither_the_pools_nor_the_test_splits(tmp_path):
    tiny_kd.table(tmp_path / "texts.csv", rows=400)
    task = load_task(TaskConfig(name=str(tmp_path / "texts.csv")))
    own = held_out(task, 100, 0)
    pool = set(task.train.take(module.pool_order(0, len(task.train))[:100]).text_a)
    test, choosing = set(own.test.text_a), set(own.validation.text_a)
    rest = set(task.train.text_a) | set(task.validation.text_a)
    assert test <= rest and choosing <= rest and own.train is task.train
    assert len(own.test) + len(own.validation) == len(task.validation) + len(task.train) - 100
    assert not (test & choosing) and not ((test | choosing) & pool)
    assert own.test.text_a[: len(task.validation)] == task.validation.text_a


def fixed_table(gains):
    """A table of eight replicates whose students at 10, 30 .. 90 % are nearer to the teacher by these gains."""
    rng = np.random.default_rng(0)
    rows = []
    for replicate in range(8):
        level = 0.2 + 0.02 * rng.normal()
        for degree, gain in zip((0.0, *module.DEGREES), (0.0, *gains), strict=True):
            noise = 0.001 * rng.normal(size=2)
            rows.append({"augmenter": "random" if degree else "none", "degree": degree, "replicate": replicate,
                         "amount": 0.0, "distance": level - gain + noise[0], "accuracy": 0.6 + gain + noise[1],
                         "data_size": 40})  # fmt: skip
    arms = [["none", 0.0, 0.0], *(["random", degree, 0.0] for degree in module.DEGREES)]
    noise = {"arms": arms, "covariance": np.zeros((6, 6)).tolist(), "accuracy": np.zeros((6, 6)).tolist()}
    return pd.DataFrame(rows), {"part": noise}


@pytest.mark.parametrize(
    ("gains", "verdict", "degree", "words"),
    [
        ((0.01, 0.02, 0.03, 0.02, 0.01), "supported", 0.5, "random at 50%: students came 0.0297 nearer"),
        ((0.0, 0.0, 0.0, 0.0, 0.0), "undecided", SAFE, "40% is safe"),
        ((-0.01, -0.02, -0.03, -0.04, -0.05), "contradicted", 0.0, "no augmentation: even the best"),
    ],
)
def test_one_answer_with_its_interval(tmp_path, monkeypatch, gains, verdict, degree, words):
    table, noise = fixed_table(gains)

    class Run:
        folder = tmp_path
        bank = type("Bank", (), {"count": type("Asked", (), {"asked": 3, "kept": 4})})

        def run(self):
            return table

    monkeypatch.setattr(module, "open_study", lambda *a, **k: Run())
    monkeypatch.setattr(module, "read_noise", lambda folder: noise)
    tiny_kd.table(tmp_path / "texts.csv", rows=600)
    task = TaskConfig(name=str(tmp_path / "texts.csv"))
    found = recommend(task, tmp_path, augmenter="random", teacher=ModelConfig(), teacher_train=None, data_size=40)
    assert found is not None and (found.verdict, found.degree) == (verdict, degree)
    assert found.gain.low < max(gains) < found.gain.high and found.replicates == 8
    at = module.DEGREES.index(found.best_tried)
    assert found.accuracy.low < gains[at] < found.accuracy.high  # better accuracy is positive
    assert words in found.sentence("random")


def test_the_sentence_has_the_degree_the_gain_and_the_accuracy():
    gain = Effect(value=0.017, low=0.0137, high=0.0195)
    found = Recommendation(
        degree=0.7, verdict="supported", best_tried=0.7, gain=gain, accuracy=Effect(value=0.018, low=0.009, high=0.026),
        distance_none=0.1971, data_size=55, pilot_size=55, replicates=16, texts=1000, asked=1, kept=0,
            exchange=None,
    )  # fmt: skip
    assert found.sentence("knn") == (
        "knn at 70%: students came 0.0170 nearer to the teacher than without (0.1971; gain [0.0137, 0.0195]), "
        "accuracy +1.8 points [+0.9, +2.6], on 16 subsets of 55 texts"
    )


def test_theory_turns_its_best_tau_into_a_degree():
    def measured(per_token):
        degree = np.array([0.0, 0.1, 0.3, 0.5])
        return pd.DataFrame({
            "degree": degree, "changed": 20 * degree, "realised_degree": np.maximum(degree, 1e-9), "dimension": 4,
            "tau": per_token * 20 * degree,
        })  # fmt: skip

    one, two = theory_from(measured(0.05), 1000), theory_from(measured(0.1), 1000)
    assert one is not None and two == pytest.approx(one / 2, rel=1e-6)
    more = theory_from(measured(0.1), 100_000)
    assert more is not None and two is not None and more < two


def test_theory_reads_the_mean_of_all_tokens_not_the_first(tmp_path, monkeypatch):
    """A classifier's encoder computes its first token's state only; the shift needs all of them."""
    run = tiny_kd.run(tmp_path)
    lengths = []
    true = module.pooled_encoder

    def watched(encoder):
        encode = true(encoder)

        def one(batch):
            hidden = encoder(**{k: v for k, v in module_arguments(encoder, batch).items()}).last_hidden_state
            lengths.append((hidden.shape[1], batch.mask_BL.shape[1]))
            return encode(batch)

        return one

    from empirical.models.classifier import arguments as module_arguments

    monkeypatch.setattr(module, "pooled_encoder", watched)
    assert run.teacher is not None
    degree = module.theory_degree(run.task, 1.0, "random", run.teacher)
    assert degree is None or 0 <= degree <= 1
    assert lengths and all(states == tokens > 1 for states, tokens in lengths)
