"""The export says what each version weighs, takes and loses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.kdshift.fit.commands import run_verb


@pytest.mark.slow
def test_the_export_says_what_each_version_weighs_takes_and_loses(
    done: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnxruntime")
    run_verb("export", str(done / "out"), "--onnx", "--int8", "--json")
    facts = json.loads(capsys.readouterr().out)
    names = [row["name"] for row in facts["models"]]
    assert names == ["teacher, PyTorch", "student, PyTorch", "student, ONNX fp32", "student, ONNX int8"]
    assert (
        facts["largest_logit_gap"] < 1e-4 and facts["int8"]["low"] <= facts["int8"]["points"] <= facts["int8"]["high"]
    )
    assert all(row["milliseconds"] <= row["milliseconds_p99"] for row in facts["models"])
    assert {"model.onnx", "model-int8.onnx", "export.json"} <= {path.name for path in (done / "out").iterdir()}
