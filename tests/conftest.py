"""What every test starts from: one thread a process, no network, caches of its own, and nothing global left behind."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# Before NumPy and torch are imported; the processes that tests start inherit it all.
os.environ |= {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "MPLBACKEND": "Agg",
}
# The list of the machine's fonts is no result of ours, and slow to make: it stays where the user has it.
os.environ.setdefault(
    "MPLCONFIGDIR", str(Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "matplotlib")
)


# Altair's jsonschema compiles 38 grammars of web addresses where this package is found, and no test reads one.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache folder of this test run, shared by its processes: nothing is read that an earlier one left."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


@pytest.fixture(autouse=True)
def nothing_global_left() -> Iterator[None]:
    """Fail a test that leaves another working directory, torch on other threads, or runs asked to stop."""
    folder = Path.cwd()
    yield
    assert Path.cwd() == folder
    if (torch := sys.modules.get("torch")) is not None:
        assert torch.get_num_threads() == 1
    if (engines := sys.modules.get("empirical.sweeps.engines")) is not None:
        assert not engines.STOP.is_set()
