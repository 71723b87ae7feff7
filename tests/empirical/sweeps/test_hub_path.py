"""The whole path of `sweep table2-mnli` on a fake hub: models in the hub's cache layout, data in its Parquet layout.

Tiny fresh models of the same classes under the paper's own ids; every cell is trained for two steps.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from empirical.config import RunConfig
from empirical.paper import TABLES
from empirical.runs.run import run_cohort
from empirical.sweeps.definition import Sweep, load_sweep
from empirical.sweeps.execute import run_sweep
from empirical.tables.table import result_table
from tests.empirical.tiny_kd import WORDS, bert, distilbert

ORDER = ["entailment", "neutral", "contradiction"]
COMMIT = "a" * 40


def in_hub_cache(cache: Path, name: str, files: Path) -> None:
    """`files` as a snapshot in a hub cache, as a download leaves it."""
    home = cache / ("models--" + name.replace("/", "--"))
    snapshot = home / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    for file in files.iterdir():
        (snapshot / file.name).write_bytes(file.read_bytes())
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text(COMMIT)


def mnli(folder: Path) -> Path:
    """MNLI as the hub lays it out: one Parquet file a split, labels as classes in its order."""
    from datasets import ClassLabel, Dataset, Features, Value

    folder.mkdir()
    rng = np.random.default_rng(0)
    features = Features({"premise": Value("string"), "hypothesis": Value("string"), "label": ClassLabel(names=ORDER),
                         "idx": Value("int32")})  # fmt: skip
    for split, count in (("train", 400), ("validation_matched", 12), ("validation_mismatched", 9)):
        texts = [" ".join(rng.choice(WORDS, 5)) for _ in range(2 * count)]
        rows = {"premise": texts[:count], "hypothesis": texts[count:], "label": [i % 3 for i in range(count)],
                "idx": list(range(count))}  # fmt: skip
        Dataset.from_dict(rows, features=features).to_parquet(folder / f"{split}-00000-of-00001.parquet")
    return folder


def in_two_steps(sweep: Sweep, data: Path) -> Sweep:
    """The sweep as it is, but for the place of its data and the number of steps."""

    def short(run: RunConfig) -> RunConfig:
        few = {"steps": 2, "batch_size": 4}
        task = run.task.model_copy(update={"path": str(data), "max_length": 24})
        teacher_train = run.teacher_train and run.teacher_train.model_copy(update=few)
        train = run.train.model_copy(update=few)
        return run.model_copy(update={"task": task, "train": train, "teacher_train": teacher_train})

    return replace(sweep, runs=tuple(map(short, sweep.runs)))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_cell_of_table_2_from_the_hub_to_the_papers_numbers(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    student = distilbert(tmp_path / "distilbert")
    torch.save(load_file(student / "model.safetensors"), student / "pytorch_model.bin")
    (student / "model.safetensors").unlink()
    in_hub_cache(tmp_path / "hub", "distilbert-base-uncased", student)
    in_hub_cache(tmp_path / "hub", "bert-large-uncased", bert(tmp_path / "bert", layers=3))
    sweep = in_two_steps(load_sweep("table2-mnli"), mnli(tmp_path / "mnli"))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with caplog.at_level(logging.WARNING):
        run = partial(run_cohort, accept_weak_teacher=True)
        frame = run_sweep(sweep, tmp_path / "results", run=run)
    torch.set_num_threads(threads)
    assert len(frame) == 72 and set(frame["status"]) == {"finished"}
    assert list(frame.groupby("data_fraction")["data_size"].first()) == [4, 8, 40, 400]
    assert frame["teacher_hash"].nunique() == 1 and caplog.text.count("converted once") == 1
    assert frame["validation"].isna().all(), "the whole training data is trained on"
    made = result_table(sweep, tmp_path / "results", draws=20)
    paper = TABLES["table2-mnli"]
    assert [row.label for row in made.rows] == [row.label for row in paper.rows] and made.left == 0
    for row, printed in zip(made.rows, paper.rows, strict=True):
        assert [cell.paper for cell in row.cells] == [number / 100 for number in printed.scores]
        assert [cell.bold for cell in row.cells] == [degree in printed.bold for degree in paper.degrees]
