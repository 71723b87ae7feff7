"""A study's finished table: what scores and draws it starts no network, and reads the noise as it was written."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from empirical.bank.study_table import NOISE, read_noise


@pytest.mark.slow
def test_scoring_a_table_imports_neither_torch_nor_transformers() -> None:
    code = (
        "import sys, kdshift.claims, kdshift.page.frames; print(*sorted({'torch', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split() == []


def test_noise_is_read_by_part(tmp_path: Path) -> None:
    kept = {"static-distill-55-whole": {"augmenter": ["knn"], "covariance": [[0.5]]}}
    (tmp_path / NOISE).write_text(json.dumps(kept), encoding="utf-8")
    assert read_noise(tmp_path) == kept
