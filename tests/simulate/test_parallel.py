"""Work in threads leaves torch's threads as they were."""

from __future__ import annotations

from pathlib import Path

from simulate.experiment import run_experiment
from simulate.experiment_config import ExperimentConfig, make_config

SMALL = {
    "dimension": 2,
    "data_size": [20, 60],
    "tau": [0.01, 0.1, 1.0],
    "supervision": ["teacher", "copied_label"],
    "augmented_size": "4x",
    "replicates": 4,
    "block": 2,
    "test_size": 64,
    "students": {"features": 16},
}


def small(**changes: object) -> ExperimentConfig:
    return make_config({**SMALL, **changes})


def test_torch_threads_are_restored(tmp_path: Path) -> None:
    import torch

    before = torch.get_num_threads()
    run_experiment(small(data_size=20), tmp_path, workers=2)
    assert torch.get_num_threads() == before
