"""A file of probabilities: looked up by text, refused with its line where its rows are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from empirical.teachers.probabilities import ProbabilityFile
from theory.errors import InputError


def put(path: Path, body: str) -> Path:
    path.write_text(body, encoding="utf-8")
    return path


def test_answers_are_found_by_text_in_the_labels_order(tmp_path: Path) -> None:
    path = put(tmp_path / "p.csv", "text,p_good,p_bad\nfine,0.9,0.1\npoor,0,1\n")
    teacher = ProbabilityFile.read(path, None, None, ("bad", "good"))
    p_NC = np.exp(teacher.ask(["poor", "fine", "unknown"]))
    assert np.allclose(p_NC[:2], [[1, 0], [0.1, 0.9]], atol=1e-5) and np.isnan(p_NC[2]).all()
    assert ProbabilityFile.read(path, None, None, None).labels == ("good", "bad")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("text,good\na,1\n", "columns p_bad, p_good"),
        ("text,p_good,p_bad\na,0.9,0.3\n", r"p\.csv:2.*add up to one"),
        ("text,p_good,p_bad\na,x,0.3\n", r"p\.csv:2.*add up to one"),
        ("words,p_good,p_bad\na,0.7,0.3\n", "column of text"),
    ],
)
def test_what_is_no_probability_is_named(tmp_path: Path, body: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        ProbabilityFile.read(put(tmp_path / "p.csv", body), None, None, ("bad", "good"))
