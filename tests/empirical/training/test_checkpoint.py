"""Checkpoints: a stopped run goes on to the very same end, damaged ones are named and passed."""

from __future__ import annotations

import pytest

from empirical.config import AugmentConfig
from empirical.runs.run import run_cohort, run_directory
from tests.empirical.tiny_kd import (
    files_of,
    run,
    trained,
    with_teacher,
)

SHIFT = AugmentConfig(augmenter="random", degree=0.4)


@pytest.mark.parametrize("stopped_after", [1, 4])
@pytest.mark.parametrize("optimizer", ["adamw", "adafactor"])
def test_a_stopped_run_goes_on_to_the_very_same_end(place, tmp_path, stopped_after, optimizer):
    settings = {"evaluate_every": 2, "optimizer": optimizer, "select": "best-validation", "learning_rate": 3e-3}
    config = run(place, augment=SHIFT, train=settings)
    whole = trained(config, with_teacher(place, tmp_path / "whole"))
    root, asked = with_teacher(place, tmp_path / "parts"), iter(range(100))
    part = run_cohort([config], root, stop=lambda: next(asked) == stopped_after - 1, save_weights=True)[0]
    assert part.status == "stopped" and part.steps == stopped_after
    folder = run_directory(config, root)
    assert (folder / "checkpoint").is_dir() and not (folder / "result.json").exists()
    resumed = trained(config, root)
    assert resumed[1].equals(whole[1]) and resumed[2] == whole[2]
    for field in ("test", "validation", "examples_seen", "teacher_calls", "realised_degree", "selected_step"):
        assert getattr(resumed[0], field) == getattr(whole[0], field)
    assert not (folder / "checkpoint").exists()


def test_a_damaged_checkpoint_is_named_and_not_used(place, tmp_path, caplog):
    config = run(place, train={"checkpoint_every": 2})
    whole = trained(config, with_teacher(place, tmp_path / "whole"))
    root = with_teacher(place, tmp_path / "parts")
    asked = iter(range(100))
    run_cohort([config], root, stop=lambda: next(asked) == 3)
    file = next((run_directory(config, root) / "checkpoint").glob("step-*/model.safetensors"))
    raw = bytearray(file.read_bytes())
    raw[-1] ^= 1
    file.write_bytes(raw)
    resumed = trained(config, root)
    assert "is damaged" in caplog.text
    assert resumed[2] == whole[2]


def test_members_at_different_steps_catch_up(place, tmp_path):
    """Killed between the checkpoints of two members: each goes on from its own."""
    configs = [run(place, augment=SHIFT, seed=seed) for seed in (0, 1)]
    whole, root = with_teacher(place, tmp_path / "whole"), with_teacher(place, tmp_path / "parts")
    run_cohort(configs, whole, save_weights=True)
    asked = iter(range(100))
    run_cohort(configs[:1], root, stop=lambda: next(asked) == 3)
    run_cohort(configs, root, save_weights=True)
    for config in configs:
        assert files_of(config, root)[1] == files_of(config, whole)[1]
