"""Intervals in prose, what a notebook says of a result that is not there, where notebooks and their tables are."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest

from kdshift import notebook
from kdshift.notebook import default_results, interval, notebook_folder, present
from theory.errors import InputError


def test_an_interval_has_its_scale_and_its_digits() -> None:
    assert interval(0.01234, 0.01, 0.02, 1, scale=100) == "1.2 [1.0, 2.0]"


def test_one_replicate_has_no_interval() -> None:
    assert interval(0.5, math.nan, math.nan) == "0.500 (one replicate)"


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    assert present(tmp_path, "kdshift demo")
    assert not present(tmp_path / "nothing", "kdshift demo")


def test_folders_are_the_given_ones_or_the_checkouts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout = Path(notebook.__file__).parents[1] / "notebooks"
    assert notebook_folder() == checkout
    with pytest.raises(InputError, match=r"--notebooks.*1_theory\.ipynb"):
        notebook_folder(tmp_path)
    monkeypatch.delenv("KDSHIFT_RESULTS", raising=False)
    assert default_results() == checkout / "results"
    monkeypatch.setenv("KDSHIFT_RESULTS", str(tmp_path))
    assert default_results() == tmp_path


def test_what_cells_import_does_not_wait_for_altair() -> None:
    """It costs every kernel seconds; only the page, in the report's own process, draws with it."""
    modules = "kdshift.notebook, kdshift.page.answer, kdshift.page.frames, kdshift.claims, kdshift.gain_figures"
    program = f"import sys, {modules}; print(sorted({{'altair', 'jsonschema'}} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert told.stdout.strip() == "[]"
