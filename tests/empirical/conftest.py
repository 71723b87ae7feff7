"""What the tests of empirical share: the tiny task and its teacher, trained once a session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from empirical.runs.run import ensure_teacher
from tests.empirical import tiny_masked
from tests.empirical.tiny_kd import run


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the tiny task, and in `results` its trained teacher; torch on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("tiny")
    ensure_teacher(run(folder), folder / "results")
    yield folder
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A two-layer masked language model that has learnt `tiny_masked.TEXTS`, trained once a session."""
    return tiny_masked.write(tmp_path_factory.mktemp("encoder"), tmp_path_factory.mktemp("masked"))
