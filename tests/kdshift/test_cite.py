"""BibTeX: the paper and the tool always, an augmenter where a table shows that it was used."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from kdshift.cite import bibtex
from kdshift.cli import main
from theory.errors import InputError


def test_what_was_used_is_cited_and_nothing_else(tmp_path):
    assert re.findall(r"@\w+\{(\w+)", bibtex()) == ["wang2023understanding", "kdshift"]
    pd.DataFrame({"augmenter": ["eda", "none"], "student": "linear"}).to_parquet(tmp_path / "curves.parquet")
    assert re.findall(r"@\w+\{(\w+)", bibtex(tmp_path))[2:] == ["wei2019eda"]
    assert bibtex().count("{") == bibtex().count("}")


def test_no_such_directory(tmp_path):
    with pytest.raises(InputError, match="--results"):
        bibtex(tmp_path / "nowhere")


def test_the_verb_prints_what_its_results_used(tmp_path, capsys):
    pd.DataFrame({"augmenter": ["eda"], "student": "linear"}).to_parquet(tmp_path / "curves.parquet")
    try:
        main(["cite", "--results", str(tmp_path)])
    except SystemExit as ended:
        assert not ended.code
    assert capsys.readouterr().out.strip() == bibtex(tmp_path).strip()


def test_a_damaged_table_is_named(tmp_path):
    (tmp_path / "curves.parquet").write_bytes(b"no table")
    with pytest.raises(InputError, match=r"curves\.parquet"):
        bibtex(tmp_path)
