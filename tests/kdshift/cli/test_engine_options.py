"""Where units run: one of three options, each checked."""

from __future__ import annotations

import pytest

from kdshift.cli.engine_options import ONE_PROCESS, EngineOptions
from theory.errors import InputError


def test_each_option_is_an_engine() -> None:
    assert ONE_PROCESS.engine().kind == "local" and ONE_PROCESS.engine().workers is None
    assert EngineOptions(workers=3).engine().workers == 3
    assert EngineOptions(cluster="ray://host:1").engine().address == "ray://host:1"
    slurm = EngineOptions(slurm=["slurm_partition=gpu", "timeout_min=60"]).engine()
    assert slurm.kind == "slurm" and slurm.slurm == {"slurm_partition": "gpu", "timeout_min": 60}


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (EngineOptions(workers=2, cluster="auto"), "--workers and --cluster"),
        (EngineOptions(workers=0), "workers"),
        (EngineOptions(slurm=["partition"]), "name=value"),
        (EngineOptions(slurm=["=gpu"]), "name=value"),
    ],
)
def test_mistakes_name_the_option(options: EngineOptions, named: str) -> None:
    with pytest.raises(InputError, match=named):
        options.engine()
