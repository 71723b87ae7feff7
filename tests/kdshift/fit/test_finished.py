"""A finished folder is whole, and known again at once."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kdshift.fit.finished import as_csv, clear_finished
from tests.kdshift.fit.commands import facts_of, quick_fit, run_verb


def test_what_is_written_is_whole_and_the_work_is_cleared(done: Path) -> None:
    out = done / "out"
    names = {path.name for path in out.iterdir()}
    assert names >= {"model", "bag-of-words", "predictions.csv", "curve.csv", "card.html", "README.md", "fit.json"}
    assert "work" not in names
    card = (out / "README.md").read_text(encoding="utf-8")
    assert facts_of(done)["recommendation"]["sentence"] in card and "kdshift predict" in card
    page = (out / "card.html").read_text(encoding="utf-8")
    assert "<img" in page and "http" not in page.replace("http-equiv", "").split("</style>")[1].split("base64")[0]


def test_a_finished_fit_is_instant_and_the_same(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (done / "out" / "fit.json").stat().st_mtime_ns
    began = time.process_time()
    run_verb(*quick_fit(done, "--json"))
    assert time.process_time() - began < 5
    assert (done / "out" / "fit.json").stat().st_mtime_ns == before
    printed = json.loads(capsys.readouterr().out)
    assert printed["scores"] == facts_of(done)["scores"] and printed["student"]["megabytes"] > 0


def test_texts_of_any_characters_are_one_row_each_when_read_again() -> None:
    texts = ["plain", "a\rb", "a\nb", "a\r\nb", 'say "no", then', "", "NA"]
    table = pd.DataFrame({"text": texts, "p": np.linspace(0, 1, len(texts))})
    read = pd.read_csv(io.StringIO(as_csv(table), newline=""), keep_default_na=False)
    assert read["text"].tolist() == texts and np.allclose(read["p"], table["p"])


def test_what_was_exported_of_another_student_goes_with_it(tmp_path: Path) -> None:
    for name in ("model.onnx", "export.json", "fit.json", "other.txt"):
        (tmp_path / name).write_text("old", encoding="utf-8")
    clear_finished(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["other.txt"]
