"""Grids: every mistake is named before any work; presets and files; memory."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from simulate.experiment_config import ExperimentConfig, make_config, presets, read_values
from simulate.findings import RULES
from simulate.readings import READINGS
from theory.errors import InputError

SMALL = {"dimension": 2, "data_size": [20, 60], "tau": [0.01, 0.1, 1.0], "augmented_size": "4x"}


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
        ({"penalty": 0.0}, "penalty"),
        ({"students": {"penalties": []}}, "penalties"),
        ({"tau": [0.0, 0.1], "distance_points": 100}, "distance_points"),
    ],
)
def test_bad_input_is_refused_before_any_work(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        small(**changes)


@pytest.mark.parametrize("name", presets())
def test_every_preset_is_valid_and_has_a_rule(name: str) -> None:
    values = read_values(name)
    if values.get("kind") == "counterexample":
        from simulate.counterexample import make_config as make_counterexample

        assert len(make_counterexample(values).setting) >= 3
    elif "kind" not in values:  # studies: tests/simulate/studies
        config = make_config(values)
        assert (config.verdict in RULES) != (config.reading in READINGS) and config.bytes_needed() < 2**31


def test_grids_are_every_combination_of_their_axes() -> None:
    config = small(supervision=["teacher", "copied_label"], penalty=[1e-4, "validation"])
    families = config.families()
    assert len(families) == 2 * 2 * 2 and {family.penalty for family in families} == {"0.0001", "validation"}
    assert {family.examples(99) for family in families} == {80, 240}
    assert small(augmented_size="online").families()[0].examples(99) == 99
    assert len(make_config({}).families()) == 4 * 2


def test_one_policy_of_the_students_penalty() -> None:
    """Students of the paper's claims differ in nothing, so that two findings can be compared; of the theorem's, too."""
    for name in presets():
        values = read_values(name)
        if "kind" in values:
            continue
        config = make_config(values)
        if config.verdict:
            assert "students" not in values and config.parents == "iid"
            assert config.penalty == ("validation",) or name == "copied-labels-by-penalty"
        else:
            assert (config.students.features, config.penalty, config.parents) == (512, ("1e-06",), "dealt")
            assert (config.alpha, config.gamma) == (0.0, 0.0)


def test_presets_say_no_augmented_data_where_they_ask_whether_it_helps() -> None:
    for name in presets():
        values = read_values(name)
        if "verdict" in values and "kind" not in values:
            config = make_config(values)
            assert config.tau[0] == 0 and (config.alpha, config.beta, config.gamma) == (0.1, 0.0, 0.5)


def test_files_and_presets_are_read_alike(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text("tau = [0.1, 1.0]\ndata_size = 20\n")
    assert read_values(str(path)) == {"tau": [0.1, 1.0], "data_size": 20}
    with pytest.raises(InputError, match="nearest: inverted-u"):
        read_values("inverted-v")
    with pytest.raises(InputError, match="existing TOML"):
        read_values(str(tmp_path / "none.toml"))
    again = make_config({**read_values("untrusted-outside")})
    assert again.to_toml().count("inf") == 1 and math.inf in again.trust_radius
