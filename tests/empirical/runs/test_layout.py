"""Every path of runs and sweeps."""

from __future__ import annotations

from empirical.config import ModelConfig
from empirical.runs.run import run_directory
from tests.empirical.tiny_kd import (
    run,
)


def test_names_cannot_leave_the_results_folder(place):
    for name in ("../../etc/passwd", "/etc/passwd", "a/b c:d", "..", "\u202e\0x"):
        config = run(place, student=ModelConfig(name=name))
        folder = run_directory(config, place / "results")
        assert folder.parent == place / "results"
        assert folder.name.isascii() and not folder.name.startswith(".") and len(folder.name) < 200
