"""Presets: the cells they promise, an estimate of their cost, and each run in small, end to end, by the real loop.

In small: fresh tiny models of the same classes, tiny files of the same formats, a few steps, one or two cells a block.
"""

from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path

import pytest
import torch

from empirical.config import AugmentConfig, ModelConfig, RunConfig
from empirical.runs.run import run_cohort, teacher_run
from empirical.sweeps.definition import Sweep, canonical, load_sweep, preset_names
from empirical.sweeps.execute import run_sweep
from empirical.tables.table import result_table
from tests.empirical import tiny_kd

DATA = Path(__file__).parents[1] / "data"
CELLS = {"figure1": 7, "figure2": 7, "figure3": 7, "figure4": 9, "table2-mnli": 36, "table2-qnli": 36, "table3": 20,
         "table4": 20, "table5": 25, "figure5": 36, "table8": 11}  # fmt: skip
trusting = partial(run_cohort, accept_weak_teacher=True)  # in two steps no teacher learns anything


def test_every_preset_loads_with_the_cells_the_paper_prints():
    assert set(CELLS) | {"demo", "demo-quick", "demo-full"} == set(preset_names())
    for name, cells in CELLS.items():
        sweep = load_sweep(name)
        assert len(sweep.cells()) == cells and sweep.protocol == "paper"
        rates = {run.train.learning_rate for run in sweep.runs} - {2e-5}
        assert rates == {0.01, 0.001}
    assert len(load_sweep("table2-mnli").runs) == len(load_sweep("table2-qnli").runs) == 72


def test_the_papers_setting_is_in_the_presets():
    for run in load_sweep("table2-mnli").runs:
        assert (run.train.alpha, run.train.beta, run.train.gamma, run.train.distance) == (0.1, 0.0, 0.5, "mse")
        assert (run.train.steps, run.train.batch_size, run.train.optimizer) == (50_000, 64, "adafactor")
        assert run.teacher == ModelConfig(name="bert-large-uncased")
        assert run.student == ModelConfig(name="distilbert-base-uncased")
        assert run.augment is None or (run.augment.augmenter, run.augment.neighbours, run.augment.copies) == (
            "knn",
            15,
            None,
        )
    pairs = {(run.teacher.name, run.student.name) for run in load_sweep("figure5").runs if run.teacher}
    assert len(pairs) == 4 and ("google/t5-v1_1-large", "google/t5-v1_1-small") in pairs
    amounts = {(run.augment.augmenter, run.augment.copies) for run in load_sweep("figure3").runs if run.augment}
    assert amounts == {("knn", 4), ("knn", 8), ("knn", None), ("back-translation", 4), ("back-translation", 8),
                       ("ground-truth", 1)}  # fmt: skip


TRAINING = {"mnli": 392_702, "qnli": 104_743, "qqp": 363_846, "mrpc": 3_668, "rte": 2_490, "cola": 8_551, "gad": 4_796}


@pytest.mark.parametrize("name", sorted(CELLS))
def test_the_papers_presets_train_on_everything_and_count_three_passes(name):
    """No validation split is cut: the paper's protocol uses none. Steps are full batches of the whole training data."""
    sweep = load_sweep(name)
    assert {run.task.validation_size for run in sweep.runs} == {0}
    teachers = [teacher_run(run) for run in sweep.runs if run.teacher_train is not None]
    teachers += [run for run, group in zip(sweep.runs, sweep.groups, strict=True) if group == "teacher, fine-tuned"]
    assert all(run.train.steps == 3 * (TRAINING[run.task.name] // run.train.batch_size) for run in teachers)


def test_every_preset_of_the_paper_says_what_it_repeats_and_where_it_may_differ():
    shared = load_sweep("figure1").deviations
    assert len(shared) >= 8
    for name in CELLS:
        sweep = load_sweep(name)
        assert sweep.repeats and sweep.deviations[: len(shared)] == shared
        assert all(text.endswith(".") or text.endswith(").") for text in sweep.deviations), name
    assert load_sweep("figure4").deviations != shared and load_sweep("demo").repeats == ""


def test_offline_copies_are_mixed_into_the_data_in_figures_2_and_3():
    for name, mode in (("figure2", "finetune"), ("figure3", "distill")):
        runs = load_sweep(name).runs
        assert {run.mode for run in runs} == {mode}
        kinds = {(run.augment.copies is None, run.augment.mixing) for run in runs if run.augment}
        assert kinds == {(True, "halves"), (False, "mixed")}
    table, figure = load_sweep("table2-mnli"), load_sweep("figure4")
    first_row = [run for run in table.runs if run.data_size == 0.01]
    every = [
        run.model_copy(update={"train": run.train.model_copy(update={"evaluate_every": 2500})}) for run in first_row
    ]
    assert list(figure.runs) == every


def test_tables_share_their_cells():
    mnli = {run.digest() for run in load_sweep("table2-mnli").runs}
    five = {run.digest() for run in load_sweep("table5").runs if run.augment is None or run.augment.augmenter == "knn"}
    assert five < mnli and {run.digest() for run in load_sweep("figure1").runs} & mnli


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_is_estimated(name, monkeypatch):
    from empirical.sweeps import estimate

    monkeypatch.setattr(estimate, "time_layer", lambda hidden, inner, recurrent: (1e-7 * hidden, 3e-7 * hidden))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(estimate, "load_task", refuse_the_hub(estimate.load_task))
    made = estimate.estimate_sweep(load_sweep(name))
    summary = json.loads(json.dumps(made.summary()))
    assert {"preset", "cells", "runs", "teachers", "tasks", "seconds_estimated"} <= set(summary)
    assert summary["runs"] == len(load_sweep(name).runs) and summary["cells"] == len(load_sweep(name).cells())
    assert summary["seconds_estimated"] == pytest.approx(sum(cell["seconds"] for cell in summary["estimates"]))
    assert all(cell["seconds"] > 0 and cell["gigabytes"] > 0 for cell in summary["estimates"])
    teachers = {"table4": 4, "figure5": 3}.get(name, 1)
    assert len(summary["teachers"]) == (0 if name in ("table3", "figure2") else teachers)


def refuse_the_hub(load):
    from theory.errors import InputError

    def only_tweets(config):
        if config.name != "tweets":
            raise InputError("task", config.name, "data that are here")
        return load(config)

    return only_tweets


def test_estimates_grow_with_steps_and_shrink_with_shared_teachers(monkeypatch):
    from empirical.sweeps import estimate

    monkeypatch.setattr(estimate, "time_layer", lambda *layer: (1e-7, 3e-7))
    run = load_sweep("demo").runs[1]
    meter = estimate.Meter({})
    longer = run.model_copy(update={"train": run.train.model_copy(update={"steps": 2 * run.train.steps})})
    assert meter.seconds(run, 1) < meter.seconds(longer, 1) < 2 * meter.seconds(run, 1)
    assert meter.seconds(run, 4) < meter.seconds(run, 1)
    assert estimate.KNOWN["bert-large-uncased"].parameters == pytest.approx(336e6, rel=0.02)
    assert estimate.KNOWN["distilbert-base-uncased"].parameters == pytest.approx(66e6, rel=0.02)
    assert estimate.KNOWN["google/bert_uncased_L-4_H-512_A-8"].parameters == pytest.approx(29.1e6, rel=0.04)
    assert estimate.KNOWN["google/t5-v1_1-small"].parameters == pytest.approx(37e6, rel=0.09)
    assert estimate.KNOWN["google/t5-v1_1-large"].parameters == pytest.approx(354e6, rel=0.01)


def test_the_calibration_times_real_layers_and_a_real_translator():
    from empirical.augment.translation import Apertium
    from empirical.sweeps.estimate import time_layer, time_translation

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    times = [time_layer(64, 256), time_layer(64, 256, recurrent=True)]
    torch.set_num_threads(threads)
    assert all(0 < forward < both for forward, both in times)
    assert time_translation(Apertium(), ["The house is very old.", "We saw three dogs.", "It rains.", "She sings."]) > 0


def test_a_translation_is_paid_for_once_and_by_its_first_run(monkeypatch):
    from empirical.sweeps import estimate

    monkeypatch.setattr(estimate, "time_layer", lambda *layer: (0.0, 0.0))
    monkeypatch.setattr(estimate, "time_translation", lambda engine, texts: 0.5)
    augment = AugmentConfig(augmenter="back-translation", copies=3)
    first = load_sweep("demo").runs[1].model_copy(update={"augment": augment, "data_size": 100})
    other = first.model_copy(update={"data_seed": 1})
    meter = estimate.Meter({})
    assert [meter.seconds(run, 1) for run in (first, first, other)] == [50, 0, 50] and not meter.notes
    model = augment.model_copy(update={"engine": "some/model"})
    assert meter.seconds(first.model_copy(update={"augment": model}), 1) == 0
    assert list(meter.notes) == ["the translation of tweets by some/model is not in the estimate"]


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> dict[str, str]:
    """Tiny fresh models of the paper's classes that know some words of the fixtures."""
    folder = tmp_path_factory.mktemp("models")
    text = " ".join(path.read_text() for path in sorted(DATA.rglob("*.tsv")))
    words = sorted({word for word in text.replace(".", " ").split() if word.isalpha() and word.islower()})
    words = [*words, *(f"spare{i}" for i in range(len(tiny_kd.WORDS)))][: len(tiny_kd.WORDS)]
    made = {
        "bert-large-uncased": tiny_kd.bert(folder / "large", layers=3),
        "google/bert_uncased_L-4_H-512_A-8": tiny_kd.bert(folder / "small", layers=1),
        "distilbert-base-uncased": tiny_kd.distilbert(folder / "distil"),
        "google/t5-v1_1-large": tiny_kd.t5(folder / "t5-large"),
        "google/t5-v1_1-small": tiny_kd.t5(folder / "t5-small"),
    }
    for path in made.values():
        tiny_kd.tokenizer(words).save_pretrained(path)
    return {name: str(path) for name, path in made.items()}


def in_small(sweep: Sweep, models: dict[str, str]) -> Sweep:
    """A few runs of each block, on fixtures and tiny models, two steps long."""

    def model(config: ModelConfig | None) -> ModelConfig | None:
        return config and config.model_copy(update={"name": models[config.name]})

    kept: dict[tuple, RunConfig] = {}
    for run, group in zip(sweep.runs, sweep.groups, strict=True):
        shift = run.augment and (run.augment.augmenter, run.augment.copies, run.augment.degree in (0.3, 1.0))
        kept.setdefault((group, run.task.name, run.mode, shift), run)
    runs = []
    for run in kept.values():
        family = "biomedical" if run.task.name == "gad" else "glue"
        task = run.task.model_copy(update={"path": str(DATA / family / run.task.name), "max_length": 32})
        short = {"steps": 2, "batch_size": 4, "evaluate_every": None}
        updates = {
            "task": task, "teacher": model(run.teacher), "student": model(run.student), "data_size": 0.5,
            "train": run.train.model_copy(update=short),
            "teacher_train": run.teacher_train and run.teacher_train.model_copy(update=short),
        }  # fmt: skip
        if run.augment is not None and run.augment.augmenter == "back-translation":
            updates["augment"] = run.augment.model_copy(update={"engine": "apertium", "pivots": None})
        runs.append(canonical(run.model_copy(update=updates)))
    runs = list(dict.fromkeys(runs))
    return Sweep(name=sweep.name, title=sweep.title, protocol=sweep.protocol, table=sweep.table, runs=tuple(runs),
                 groups=("",) * len(runs))  # fmt: skip


@pytest.mark.parametrize("name", sorted(CELLS))
def test_every_preset_runs_in_small_end_to_end(name, models, tmp_path):
    if name in ("figure2", "figure3") and shutil.which("apertium") is None:
        pytest.skip("back-translation needs apertium here")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    sweep = in_small(load_sweep(name), models)
    frame = run_sweep(sweep, tmp_path, run=trusting)
    torch.set_num_threads(threads)
    assert list(frame["reason"].unique()) == [""] and set(frame["status"]) == {"finished"}
    table = result_table(sweep, tmp_path, draws=50)
    assert sum(len(row.cells) for row in table.rows) >= len(sweep.cells())
    assert any("protocol: paper" in note for note in table.notes)
    if name.startswith("table") and name != "table2-mnli":
        assert any(cell.paper is not None for row in table.rows for cell in row.cells) or name in (
            "table2-qnli",
            "table3",
        )
