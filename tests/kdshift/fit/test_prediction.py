"""Predictions are the shipped model's, as transformers and the bag of words give them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kdshift.fit.prediction import read_lines
from tests.kdshift.fit.commands import run_verb
from theory.errors import InputError


def test_predictions_are_the_models_and_transformers_loads_it(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from transformers import pipeline

    lines = ["good1 good2 word3", "bad1 bad2", "fair3 word1"]
    (done / "new.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    run_verb("predict", str(done / "out"), str(done / "new.txt"), "--json")
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    classify = pipeline("text-classification", str(done / "out" / "model"), trust_remote_code=True)
    for answer, other in zip(answers, classify(lines), strict=True):
        assert answer["label"] == other["label"] and answer["probability"] == pytest.approx(other["score"], abs=1e-4)
        assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    run_verb("predict", str(done / "out"), str(done / "new.txt"), "--model", "bag-of-words")
    assert [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()] == ["good", "bad", "fair"]


def test_pairs_are_parted_by_a_tab_and_tables_read_by_their_columns(tmp_path: Path) -> None:
    assert read_lines(None, b"a\tb\nc\td\n", True, (None, "other"), "text") == (["a", "c"], ["b", "d"])
    assert read_lines(None, b"a\tb\n", False, (None, None), "text") == (["a\tb"], None)
    with pytest.raises(InputError, match="standard input:2"):
        read_lines(None, b"a\tb\nc\n", True, (None, "other"), "text")
    table = tmp_path / "new.csv"
    table.write_text("id,text\n1,one\n2,\n3,one\n", encoding="utf-8")
    assert read_lines(table, None, False, (None, None), "text") == (["one", "", "one"], None), (
        "a prediction for every row"
    )
    assert read_lines(table, None, False, ("id", None), "text") == (["1", "2", "3"], None)
    with pytest.raises(InputError, match="found 'review'; allowed: one of id, text"):
        read_lines(table, None, False, ("review", None), "text")
    upper = table.rename(tmp_path / "NEW.CSV")
    assert read_lines(upper, None, False, (None, None), "body")[0] == ["one", "", "one"], "a usual name otherwise"
    upper.write_text("text\n", encoding="utf-8")
    with pytest.raises(InputError, match="without a row"):
        read_lines(upper, None, False, (None, None), "text")
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="UTF-8"):
        read_lines(tmp_path / "bytes.txt", None, False, (None, None), "text")


def test_a_line_ends_with_a_line_feed_and_nothing_else() -> None:
    text = "a\x0bb\x0cc\u2028d\x85e\r\n\nlast"
    lines, _ = read_lines(None, b"\xef\xbb\xbf" + text.encode(), False, (None, None), "text")
    assert (
        lines == ["a\x0bb\x0cc\u2028d\x85e", "", "last"] and read_lines(None, b"", False, (None, None), "text")[0] == []
    )
    with pytest.raises(InputError, match=r"standard input:2: found .*UTF-8 text"):
        read_lines(None, b"fine\ncaf\xe9\n", False, (None, None), "text")
