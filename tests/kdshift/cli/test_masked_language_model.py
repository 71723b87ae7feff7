"""`kdshift empirical masked-lm` as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from transformers import AutoModelForMaskedLM

from kdshift.cli.masked_language_model import masked_lm
from tests.empirical import tiny_kd


def test_a_model_is_written_and_progress_stays_off_standard_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tiny_kd.bert(tmp_path / "bert")
    data = tiny_kd.table(tmp_path / "texts.csv", rows=60)
    masked_lm(out=tmp_path / "masked", task=str(data), model=str(source), steps=2, json=True)
    output = capsys.readouterr()
    found = json.loads(output.out)
    assert output.out.count("\n") == 1 and found["steps"] == 2 and found["loss"] > 0
    assert "masked-lm: " in output.err
    assert AutoModelForMaskedLM.from_pretrained(found["directory"]).config.vocab_size > 0
