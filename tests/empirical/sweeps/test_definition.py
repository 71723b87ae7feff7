"""Presets: the cells they promise, an estimate of their cost, and each run in small, end to end, by the real loop.

In small: fresh tiny models of the same classes, tiny files of the same formats, a few steps, one or two cells a block.
"""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import pytest

from empirical.config import ModelConfig, RunConfig
from empirical.runs.layout import run_directory
from empirical.runs.run import run_cohort, teacher_run
from empirical.sweeps.definition import Sweep, canonical, cell_key, load_sweep, preset_names
from empirical.sweeps.execute import run_sweep
from empirical.tables.table import result_table
from tests.empirical import tiny_kd
from tests.empirical.fake_cohort import sweep_of
from theory.errors import InputError

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


PAPER_IN_SMALL = ("table4", "table5", "table8")


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


# Their blocks are those of another preset, on another task, with more learning rates or with other augmenters.
ALIKE = ("figure4", "table2-qnli", "table4", "table8", "figure5")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in ALIKE else ()) for name in sorted(CELLS)]
)
def test_every_preset_runs_in_small_end_to_end(name, models, tmp_path):
    if name in ("figure2", "figure3") and shutil.which("apertium") is None:
        pytest.skip("back-translation needs apertium here")
    sweep = in_small(load_sweep(name), models)
    frame = run_sweep(sweep, tmp_path, run=trusting)
    assert list(frame["reason"].unique()) == [""] and set(frame["status"]) == {"finished"}
    table = result_table(sweep, tmp_path, draws=50)
    assert sum(len(row.cells) for row in table.rows) >= len(sweep.cells())
    assert any("protocol: paper" in note for note in table.notes)
    # Half of the data is no data size of tables 2 and 3: there the paper has nothing to show beside it.
    assert any(cell.paper is not None for row in table.rows for cell in row.cells) == (name in PAPER_IN_SMALL)


def write_toml(folder: Path, body: str, name: str = "mine.toml") -> Path:
    path = folder / name
    path.write_text(body)
    return path


def test_a_grid_unfolds_first_axis_slowest_and_shares_the_vanilla_cell(tmp_path):
    path = write_toml(tmp_path, """
        [base.train]
        steps = 7
        [[block]]
        set = { mode = "distill" }
        axes = { augmenter = ["knn", "random"], degree = [0.0, 0.2], learning_rate = [0.01, 0.001] }
    """)  # fmt: skip
    sweep = load_sweep(path)
    found = [
        (run.augment and (run.augment.augmenter, run.augment.degree), run.train.learning_rate) for run in sweep.runs
    ]
    assert found == [(None, 0.01), (None, 0.001), (("knn", 0.2), 0.01), (("knn", 0.2), 0.001),
                     (("random", 0.2), 0.01), (("random", 0.2), 0.001)]  # fmt: skip
    assert len(sweep.cells()) == 3 and all(len(runs) == 2 for runs in sweep.cells().values())
    assert sweep.name == "mine" and sweep.runs[0].train.steps == 7


def test_extends_merges_the_base_and_replaces_blocks(tmp_path):
    write_toml(tmp_path, "[base]\nseed = 4\n[base.train]\nsteps = 9\n[[block]]\naxes = { degree = [0.1] }", "a.toml")
    path = write_toml(
        tmp_path, 'extends = "a.toml"\n[base.train]\nbatch_size = 2\n[[block]]\naxes = { replicate = [5] }'
    )
    (run,) = load_sweep(path).runs
    assert (run.train.steps, run.train.batch_size, run.seed, run.data_seed) == (9, 2, 5, 5)


WRONG = {
    "unknown axis": ("[[block]]\naxes = { degre = [0.1] }", "degree"),
    "degree outside": ("[[block]]\naxes = { degree = [1.5] }", "augment.degree"),
    "unknown field": ("[base]\nfoo = 1\n[[block]]\naxes = { degree = [0.1] }", "foo"),
    "unknown augmenter": ('[[block]]\naxes = { augmenter = ["kn"], degree = [0.1] }', "knn"),
    "no blocks": ("[base]\nseed = 1", "at least one"),
    "empty axis": ("[[block]]\naxes = { degree = [] }", "at least one value"),
    "no toml": ("[[block", "TOML"),
    "unknown parent": ('extends = "dmeo"\n[[block]]\naxes = { degree = [0.1] }', "demo"),
    "circle": ('extends = "mine.toml"\n[[block]]\naxes = { degree = [0.1] }', "circle"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_files_name_what_is_wrong(tmp_path, case):
    body, message = WRONG[case]
    with pytest.raises(InputError, match=message):
        load_sweep(write_toml(tmp_path, body))


@pytest.mark.parametrize("name", ["dmeo", "nowhere.toml", "../demo", "demo/../demo"])
def test_unknown_presets_and_paths_that_leave(name):
    with pytest.raises(InputError):
        load_sweep(name)


def test_names_cannot_leave_the_results_directory(tmp_path):
    body = '[[block]]\naxes = { degree = [0.0] }\n[block.set.task]\nname = "../../etc/passwd.csv"'
    (run,) = load_sweep(write_toml(tmp_path, body)).runs
    place = run_directory(run, tmp_path / "root")
    assert place.resolve().parent == (tmp_path / "root").resolve()
    with pytest.raises(InputError, match="a name of"):
        load_sweep(write_toml(tmp_path, body, "..toml"))


def test_cells_do_not_depend_on_seeds_and_learning_rates(tmp_path):
    keys = {cell_key(run) for run in sweep_of(tmp_path).runs}
    assert len(keys) == 3


def test_none_stands_for_no_value_in_sweep_files_as_in_run_files(tmp_path):
    body = '[base.student]\nlayers = "none"\n[[block]]\naxes = { degree = [0.2], "student.layers" = ["none", [0, 1]] }'
    layers = [run.student.layers for run in load_sweep(write_toml(tmp_path, body)).runs]
    assert layers == [None, (0, 1)]
    body = '[[block]]\nset = { student = { layers = "none" } }\naxes = { augmenter = ["none", "knn"] }'
    runs = load_sweep(write_toml(tmp_path, body)).runs
    assert [run.student.layers for run in runs] == [None, None] and runs[0].augment is None


def test_options_that_the_augmenter_does_not_read_make_no_second_run(tmp_path):
    body = '[[block]]\naxes = { augmenter = ["random"], degree = [0.2], neighbours = [5, 15] }'
    assert len(load_sweep(write_toml(tmp_path, body)).runs) == 1
    assert len(load_sweep(write_toml(tmp_path, body.replace("random", "knn"))).runs) == 2
