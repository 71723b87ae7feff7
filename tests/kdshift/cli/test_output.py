"""What every verb prints: JSON that any reader takes, numbers and times as people read them, logs kept apart."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdshift.cli.output import check_figure, duration, emit_json, emit_table, number, plain
from theory.errors import InputError


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "-"), (0.4, "0 s"), (89, "89 s"), (90, "1.5 min"), (5400, "1.5 h"), (172_800, "2.0 days")],
)
def test_lengths_of_time_have_the_unit_that_suits_them(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_numpy_becomes_plain_and_what_is_not_finite_becomes_null() -> None:
    found = {"a": np.float32(0.5), 3: np.array([1.0, np.nan]), "b": (np.int64(2), [math.inf]), "c": {"d": np.True_}}
    assert plain(found) == {"a": 0.5, "3": [1.0, None], "b": [2, [None]], "c": {"d": True}}
    assert plain(np.array(7)) == 7 and plain("NaN") == "NaN" and plain(None) is None


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(max_size=3), VALUES, max_size=4))
def test_json_of_anything_is_strict_and_finite_values_come_back(payload: dict[str, Any]) -> None:
    def strict(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    text = json.dumps(plain(payload), allow_nan=False)
    assert plain(json.loads(text, parse_constant=strict)) == plain(payload) == plain(plain(payload))


def test_one_object_is_one_line_with_its_letters_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    emit_json({"text": "naïve\nCafé", "value": float("nan")})
    out, err = capsys.readouterr()
    assert (out, err) == ('{"text": "naïve\\nCafé", "value": null}\n', "")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1234567, "1 234 567"), (-1234, "-1 234"), (0, "0"), (0.123456, "0.1235"), (1e-9, "1e-09"),
        (123456.0, "1.235e+05"),
        (True, "yes"), (False, "no"), ("word", "word"), (None, "-"), (float("nan"), "-"), (math.inf, "inf"),
    ],
)  # fmt: skip
def test_numbers_as_people_read_them(value: Any, shown: str) -> None:
    assert number(value) == shown


def test_a_word_stands_where_there_is_no_number() -> None:
    assert number(None, "needs --tau") == number(math.nan, "needs --tau") == "needs --tau"
    assert number(False, "needs --tau") == "no" and duration(None, "unknown") == "unknown"


def test_a_table_holds_every_cell_and_its_note(capsys: pytest.CaptureFixture[str]) -> None:
    emit_table("A title", ["name", "value"], [["one", 1234], ["two", None]], "a note")
    out, err = capsys.readouterr()
    assert err == "" and [word in out for word in ("A title", "a note", "one", "1 234", "two", "-")] == [True] * 6


def test_logs_go_to_standard_error_libraries_from_warnings_on() -> None:
    code = (
        "import io, logging, sys\nfrom kdshift.cli.output import log_to_stderr\n"
        "sys.stderr = former = io.StringIO()\nlog_to_stderr()\nsys.stderr = sys.__stderr__\nformer.close()\n"
        "logging.getLogger('empirical.bank').info('ours')\nlogging.getLogger('other').info('theirs')\n"
        "logging.getLogger('other').warning('their warning')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "" and done.stderr == "INFO: ours\nWARNING: their warning\n"


def test_a_figures_file_is_checked_before_the_work(tmp_path: Path) -> None:
    check_figure(tmp_path / "x.svg")
    for bad in (tmp_path / "x.xyz", tmp_path / "x", tmp_path / "nowhere" / "x.png"):
        with pytest.raises(InputError, match=r"--figure.*png"):
            check_figure(bad)
