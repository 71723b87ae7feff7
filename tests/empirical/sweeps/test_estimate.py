"""Estimates of whole sweeps: every preset has one, with its teachers and its notes."""

from __future__ import annotations

import json

import pytest

from empirical.sweeps import cost_model
from empirical.sweeps.definition import load_sweep, preset_names
from empirical.sweeps.estimate import estimate_sweep
from theory.errors import InputError


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_is_estimated(name, monkeypatch):
    monkeypatch.setattr(cost_model, "time_layer", lambda hidden, inner, recurrent: (1e-7 * hidden, 3e-7 * hidden))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(cost_model, "load_task", refuse_the_hub(cost_model.load_task))
    made = estimate_sweep(load_sweep(name))
    summary = json.loads(json.dumps(made.summary()))
    assert {"preset", "cells", "runs", "teachers", "tasks", "seconds_estimated"} <= set(summary)
    assert summary["runs"] == len(load_sweep(name).runs) and summary["cells"] == len(load_sweep(name).cells())
    assert summary["seconds_estimated"] == pytest.approx(sum(cell["seconds"] for cell in summary["estimates"]))
    assert all(cell["seconds"] > 0 and cell["gigabytes"] > 0 for cell in summary["estimates"])
    teachers = {"table4": 4, "figure5": 3}.get(name, 1)
    assert len(summary["teachers"]) == (0 if name in ("table3", "figure2") else teachers)


def refuse_the_hub(load):
    def only_tweets(config):
        if config.name != "tweets":
            raise InputError("task", config.name, "data that are here")
        return load(config)

    return only_tweets
