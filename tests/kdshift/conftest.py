"""One finished fit of a tiny task, shared by all tests that read what it wrote."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kdshift.fit.commands import few_steps, quick_fit, run_verb


@pytest.fixture(scope="session")
def quick() -> Iterator[None]:
    """Few steps for students: what is tested is what becomes of them."""
    with pytest.MonkeyPatch.context() as patch:
        few_steps(patch)
        yield


@pytest.fixture(scope="session")
def done(quick: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the fit; its output lies in `out`."""
    folder = tmp_path_factory.mktemp("fit")
    run_verb(*quick_fit(folder))
    return folder
