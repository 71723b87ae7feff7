"""Records of runs: what is damaged is told, what belongs to another configuration is refused, files round-trip."""

from __future__ import annotations

import pytest

from empirical.config import AugmentConfig, ModelConfig, RunConfig, load_run
from empirical.runs.record import read_config, write_config
from empirical.runs.run import is_finished, run_cohort, run_directory
from tests.empirical.tiny_kd import (
    run,
    with_teacher,
)
from theory.errors import InputError

SHIFT = AugmentConfig(augmenter="random", degree=0.4)


@pytest.fixture(scope="module")
def finished(place, tmp_path_factory):
    """A finished run: its configuration, its results folder, its result."""
    config, root = run(place, augment=SHIFT, train={"evaluate_every": 3}), tmp_path_factory.mktemp("finished")
    return config, root, run_cohort([config], with_teacher(place, root))[0]


def test_a_truncated_result_counts_as_unfinished_and_is_made_again(finished, caplog):
    config, root, result = finished
    path = run_directory(config, root) / "result.json"
    whole = path.read_text()
    path.write_text(whole[: len(whole) // 2])
    assert not is_finished(path.parent)
    assert "is damaged" in caplog.text
    again = run_cohort([config], root)[0]
    for field in ("test", "validation", "examples_seen", "teacher_calls"):
        assert getattr(again, field) == getattr(result, field)


def test_a_changed_configuration_under_a_finished_run_is_refused(place, tmp_path):
    config = run(place, train={"steps": 2})
    root = with_teacher(place, tmp_path)
    run_cohort([config], root)
    folder = run_directory(config, root)
    text = (folder / "config.toml").read_text()
    (folder / "config.toml").write_text(text.replace("steps = 2\n", "steps = 3\n"))
    with pytest.raises(InputError, match="that of"):
        is_finished(folder)
    (folder / "config.toml").write_text(text)
    other = run_directory(run(place, train={"steps": 4}), root)
    folder.rename(other)
    with pytest.raises(InputError, match="move this folder away"):
        run_cohort([run(place, train={"steps": 4})], root)


def test_a_run_file_round_trips(tmp_path):
    config = RunConfig(augment=AugmentConfig(copies=4), student=ModelConfig(layers=None))
    write_config(config, tmp_path)
    assert load_run(tmp_path / "config.toml") == config == read_config(tmp_path)
    assert load_run(tmp_path / "config.toml", over={"augment": {"degree": 0}}).augment is None
