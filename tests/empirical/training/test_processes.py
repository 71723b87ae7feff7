"""Runs in processes of their own: killed without warning and started again, interrupted, shared by two processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from empirical.config import AugmentConfig, ModelConfig, load_run
from empirical.runs.record import write_config
from empirical.runs.run import run_cohort, run_directory
from tests import forked
from tests.empirical.tiny_kd import run

ROOT = Path(__file__).parents[3]
SETTINGS = {"steps": 80, "evaluate_every": 20, "checkpoint_every": 5, "batch_size": 9}


def train(asked: Path, root: Path) -> None:
    """What each process does: the run whose configuration lies in `asked`, its results in `root`."""
    print(run_cohort([load_run(asked / "config.toml")], root, save_weights=True)[0].status)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An uninterrupted run: its configuration, the folder of that, its results."""
    folder = tmp_path_factory.mktemp("process")
    run(folder)
    student = ModelConfig(name=str(folder / "bert"), layers=(0, 3), dropout=0.0)
    shift = AugmentConfig(augmenter="random", degree=0.4)
    config = run(folder, augment=shift, student=student, train=SETTINGS)
    write_config(config, folder / "asked")
    run_cohort([config], folder / "whole", save_weights=True)
    return config, folder


def weights(config, root):
    return load_file(run_directory(config, root) / "model" / "model.safetensors")


def curve(config, root):
    return pd.read_parquet(run_directory(config, root) / "curve.parquet")


def copy_teacher(folder, root):
    import shutil

    shutil.copytree(folder / "whole" / "teachers", root / "teachers")


@pytest.mark.parametrize("kills", [1, pytest.param(4, marks=pytest.mark.slow)])
def test_a_run_killed_at_any_moment_ends_as_if_it_had_not_been(whole, tmp_path, kills):
    config, folder = whole
    copy_teacher(folder, tmp_path)
    checkpoints = run_directory(config, tmp_path) / "checkpoint"
    for seen in range(kills):
        process = forked.start(train, folder / "asked", tmp_path)
        met: set[str] = set()
        limit = time.monotonic() + 60
        while process.is_alive() and len(met) < 2 + seen and time.monotonic() < limit:
            met |= {path.name for path in checkpoints.glob("step-*")}
            time.sleep(0.002)
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        assert not (run_directory(config, tmp_path) / "result.json").exists(), "killed too late to show anything"
    assert run_cohort([config], tmp_path, save_weights=True)[0].status == "finished"
    assert curve(config, tmp_path).equals(curve(config, folder / "whole"))
    mine, theirs = weights(config, tmp_path), weights(config, folder / "whole")
    assert all(torch.equal(mine[name], theirs[name]) for name in theirs)


@pytest.mark.slow
def test_two_processes_train_the_same_student_as_one(whole, tmp_path):
    """The loss of a batch does not depend on how many devices share it."""
    config, folder = whole
    config = config.model_copy(update={"train": config.train.model_copy(update={"steps": 8, "precision": "fp32"})})
    copy_teacher(folder, tmp_path)
    run_cohort([config], folder / "whole", save_weights=True)
    write_config(config, tmp_path / "asked")
    (tmp_path / "program.py").write_text(
        "import sys\nfrom pathlib import Path\nfrom tests.empirical.training.test_processes import train\n"
        "train(*map(Path, sys.argv[1:]))\n"
    )
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    command = [*launcher, str(tmp_path / "program.py"), str(tmp_path / "asked"), str(tmp_path)]
    environment = {**os.environ, "ACCELERATE_USE_CPU": "true", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200)
    assert done.stdout.split() == ["finished", "finished"], done.stderr[-2000:]
    mine, theirs = weights(config, tmp_path), weights(config, folder / "whole")
    for name in theirs:
        torch.testing.assert_close(mine[name], theirs[name], rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_ctrl_c_finishes_the_step_and_the_same_command_goes_on(whole, tmp_path):
    config, folder = whole
    copy_teacher(folder, tmp_path)
    command = [sys.executable, "-m", "kdshift", "empirical", "distill", str(folder / "asked" / "config.toml")]
    command += ["--results", str(tmp_path), "--json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    checkpoints = run_directory(config, tmp_path) / "checkpoint"
    while process.poll() is None and not list(checkpoints.glob("step-*")):
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130 and output == "" and "finishing the step" in errors
    assert "Traceback" not in errors
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert json.loads(done.stdout)["status"] == "finished"
    assert curve(config, tmp_path).equals(curve(config, folder / "whole"))
