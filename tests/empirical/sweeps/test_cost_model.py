"""Costs of runs, term by term."""

from __future__ import annotations

import pytest

from empirical.config import AugmentConfig
from empirical.sweeps import cost_model
from empirical.sweeps.cost_model import CostModel
from empirical.sweeps.definition import load_sweep


def test_estimates_grow_with_steps_and_shrink_with_shared_teachers(monkeypatch):
    monkeypatch.setattr(cost_model, "time_layer", lambda *layer: (1e-7, 3e-7))
    run = load_sweep("demo").runs[1]
    costs = CostModel()
    longer = run.model_copy(update={"train": run.train.model_copy(update={"steps": 2 * run.train.steps})})
    assert costs.seconds(run, 1) < costs.seconds(longer, 1) < 2 * costs.seconds(run, 1)
    assert costs.seconds(run, 4) < costs.seconds(run, 1)


def test_a_translation_is_paid_for_once_and_by_its_first_run(monkeypatch):
    monkeypatch.setattr(cost_model, "time_layer", lambda *layer: (0.0, 0.0))
    monkeypatch.setattr(cost_model, "time_translation", lambda engine, texts: 0.5)
    augment = AugmentConfig(augmenter="back-translation", copies=3)
    first = load_sweep("demo").runs[1].model_copy(update={"augment": augment, "data_size": 100})
    other = first.model_copy(update={"data_seed": 1})
    costs = CostModel()
    assert [costs.seconds(run, 1) for run in (first, first, other)] == [50, 0, 50] and not costs.notes
    model = augment.model_copy(update={"engine": "some/model"})
    assert costs.seconds(first.model_copy(update={"augment": model}), 1) == 0
    assert list(costs.notes) == ["the translation of tweets by some/model is not in the estimate"]


def test_the_terms_add_up_and_only_the_teachers_is_shared(monkeypatch):
    monkeypatch.setattr(cost_model, "time_layer", lambda *layer: (1e-7, 3e-7))
    run, costs = load_sweep("demo").runs[1], CostModel()
    own = costs.training(run) + costs.evaluation(run)
    assert costs.seconds(run, 4) == pytest.approx(own + costs.teaching(run) / 4)
    alone = run.model_copy(update={"mode": "finetune"})
    assert costs.teaching(alone) == 0 and costs.seconds(alone, 1) == pytest.approx(own)
    doubled = run.model_copy(update={"train": run.train.model_copy(update={"batch_size": 2 * run.train.batch_size})})
    assert costs.training(doubled) == pytest.approx(2 * costs.training(run))
    assert costs.evaluation(doubled) == costs.evaluation(run)
