"""A grid that is wrong, or too large for memory, is refused before any work."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from simulate.experiment import run_experiment
from simulate.experiment_config import ExperimentConfig, make_config
from theory.errors import InputError

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


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"data_sizes": 3}, "data_size"),
        ({"data_size": 0}, "data_size: found 0"),
        ({"tau": [0.1, -1.0]}, "tau"),
        ({"tau": [0.1, math.nan]}, "tau"),
        ({"tau": [1.0, 0.1]}, "increasing"),
        ({"tau": [0.1, 0.1]}, "none twice"),
        ({"supervision": "techer"}, "nearest: teacher"),
        ({"student": "tree"}, "student"),
        ({"teacher_epsilon": 1.5}, "teacher_epsilon"),
        ({"trust_radius": 0.0}, "trust_radius"),
        ({"augmented_size": "4y"}, "augmented_size"),
        ({"augmented_size": "0x"}, "augmented_size"),
        ({"kernel": "subspace", "subspace_dimension": 3}, "subspace_dimension"),
        ({"kernel": "heavy_tailed", "tail_dof": 2.0}, "tail_dof"),
        ({"alpha": 2.0}, "alpha"),
        ({"replicates": 1}, "replicates"),
        ({"data_size": "many"}, "data_size"),
        ({"students": {"penalty": 0.0}}, "penalty"),
    ],
)
def test_bad_input_is_refused_before_any_work(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        small(**changes)


def test_a_cell_too_large_for_memory_is_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="memory"):
        run_experiment(small(augmented_size="9000000000"), tmp_path / "new")
    assert not (tmp_path / "new").exists()
