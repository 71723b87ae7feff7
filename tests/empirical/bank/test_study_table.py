"""A study's finished table: what scores and draws it starts no network, and reads the noise as it was written."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from empirical.bank.study_table import NOISE, distilled, read_noise


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


def test_distilled_students_have_their_sizes_own_copies_and_the_whole_splits_teacher() -> None:
    row = {"mode": "distill", "teacher_arm": "whole", "amount": 0.0}
    rows = [row, {**row, "mode": "finetune"}, {**row, "teacher_arm": "same"}, {**row, "amount": 4.0}]
    assert distilled(pd.DataFrame(rows)).index.tolist() == [0]
