"""Every path of runs and sweeps."""

from __future__ import annotations

from empirical.config import AugmentConfig, ModelConfig, RunConfig, TaskConfig
from empirical.runs.layout import (
    RunFiles,
    SweepFiles,
    model_slug,
    run_directory,
    run_name,
    run_place,
    slug,
    teachers_folder,
)
from tests.empirical.tiny_kd import (
    run,
)


def test_names_cannot_leave_the_results_folder(place):
    for name in ("../../etc/passwd", "/etc/passwd", "a/b c:d", "..", "\u202e\0x"):
        config = run(place, student=ModelConfig(name=name))
        folder = run_directory(config, place / "results")
        assert folder.parent == place / "results"
        assert folder.name.isascii() and not folder.name.startswith(".") and len(folder.name) < 200


def test_a_run_is_found_where_it_was_trained(tmp_path):
    config = RunConfig(mode="finetune")
    assert run_place(config, tmp_path) == run_directory(config, tmp_path) == tmp_path / run_name(config)
    among_teachers = run_directory(config, teachers_folder(tmp_path))
    among_teachers.mkdir(parents=True)
    assert run_place(config, tmp_path) == among_teachers
    run_directory(config, tmp_path).mkdir()
    assert run_place(config, tmp_path) == run_directory(config, tmp_path)


def test_names_tell_what_a_run_is():
    config = RunConfig(
        task=TaskConfig(name="data/My reviews.csv"), data_size=0.01, seed=1, data_seed=2,
        augment=AugmentConfig(augmenter="random", degree=0.3, copies=4), student=ModelConfig(name="x/Y", fresh=True),
    )  # fmt: skip
    assert run_name(config) == f"my-reviews-distill-n0.01-randomx4-0.3-fresh-y-lr0.0003-s1.2-{config.digest()}"
    assert model_slug("minilm", (0, 3), "bilstm", False) == "bilstm-minilm.0.3" and slug("..") == "x"


def test_names_of_files_made_by_earlier_versions_are_the_same(tmp_path):
    files = RunFiles(tmp_path)
    names = [files.config, files.result, files.curve, files.predictions, files.model, files.checkpoint]
    assert [path.name for path in names] == ["config.toml", "result.json", "curve.parquet", "predictions.parquet",
                                             "model", "checkpoint"]  # fmt: skip
    sweep = SweepFiles.of("demo", tmp_path)
    assert sweep.folder == tmp_path / "sweeps" / "demo" and sweep.marker("u") == sweep.folder / "running" / "u.json"
    assert [path.name for path in (sweep.definition, sweep.table, sweep.provenance)] == ["sweep.json",
                                                                    "results.parquet", "provenance.json"]  # fmt: skip
    assert SweepFiles.names(tmp_path) == []
    for kept in (SweepFiles.of("b", tmp_path).table, sweep.definition, sweep.table):
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.touch()
    assert SweepFiles.names(tmp_path) == ["b", "demo"]
