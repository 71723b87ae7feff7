"""A whole fit of a tiny task by a tiny encoder, through the command line: what it writes can be counted again."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from kdshift.cli import main
from tests.empirical import tiny_kd


def command(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main([*arguments])
    return int(ended.value.code or 0)


def fitted(folder: Path, *more: str) -> tuple[str, ...]:
    """The command of one quick fit in `folder`."""
    data = folder / "texts.csv"
    if not data.exists():
        tiny_kd.table(data, rows=96)
        tiny_kd.bert(folder / "bert", layers=2)
    options = ("--teacher", str(folder / "bert"), "--student", "static", "--degree", "0.3,0.6", "--minutes", "30")
    return ("fit", str(data), *options, "--max-length", "32", "--out", str(folder / "out"), *more)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from kdshift.fit.shipping import RECIPES

    folder = tmp_path_factory.mktemp("fit")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(RECIPES, "static", RECIPES["static"].model_copy(update={"steps": 200}))
        main_without_exit(*fitted(folder))
    return folder


def main_without_exit(*arguments: str) -> None:
    """`main` returns on success or exits with 0."""
    try:
        main([*arguments])
    except SystemExit as ended:
        assert not ended.code, arguments


def facts_of(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "out" / "fit.json").read_text(encoding="utf-8")))


def wilson(right: int, total: int) -> tuple[float, float]:
    z, p = norm.ppf(0.975), right / total
    centre, half = p + z**2 / (2 * total), z * np.sqrt(p * (1 - p) / total + z**2 / (4 * total**2))
    return (centre - half) / (1 + z**2 / total), (centre + half) / (1 + z**2 / total)


def test_scores_and_sentence_can_be_counted_from_the_predictions(done: Path) -> None:
    facts, frame = facts_of(done), pd.read_csv(done / "out" / "predictions.csv", keep_default_na=False)
    source = pd.read_csv(done / "texts.csv")
    assert len(frame) == len(source.drop_duplicates("text")) and facts["protocol"].startswith("cross-validation")
    assert (source.loc[frame["line"] - 2, "label"].to_numpy() == frame["label"].to_numpy()).all()
    for name, score in facts["scores"].items():
        right = int((frame[name] == frame["label"]).sum())
        assert score["n"] == len(frame) and score["accuracy"] == pytest.approx(right / len(frame))
        assert (score["low"], score["high"]) == pytest.approx(wilson(right, len(frame)))
    words = facts["scores"]["bag_of_words"]
    sentence = facts["recommendation"]["sentence"]
    assert f"bag of words {words['accuracy']:.2f} [{words['low']:.2f}, {words['high']:.2f}]" in sentence
    student = facts["scores"]["student"]
    assert f"student {student['accuracy']:.2f} [{student['low']:.2f}, {student['high']:.2f}]" in sentence
    probabilities = frame[[f"p_{label}" for label in facts["texts"]["labels"]]]
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-4)
    assert (
        probabilities.to_numpy().argmax(axis=1) == [facts["texts"]["labels"].index(x) for x in frame["student"]]
    ).all()
    difference = (frame["student"] == frame["label"]).astype(float) - (frame["bag_of_words"] == frame["label"])
    beaten = difference.mean() + 1.98 * difference.std() / np.sqrt(len(frame)) < 0
    assert ("beaten by the bag of words" in sentence) == beaten == (facts["ship"] == "bag_of_words")


def test_the_verdict_follows_from_the_curve(done: Path) -> None:
    facts, curve = facts_of(done), pd.read_csv(done / "out" / "curve.csv")
    table = curve.pivot(index="replicate", columns="degree", values="distance")
    gain = table[0.0].to_numpy()[:, None] - table[[0.3, 0.6]].to_numpy()
    found = facts["recommendation"]
    assert found["gain"] == pytest.approx(gain.mean(axis=0).max()) and found["replicates"] == 4
    assert found["low"] <= found["gain"] <= found["high"]
    assert found["verdict"] == (
        "supported" if found["low"] > 0 else "contradicted" if found["high"] < 0 else "undecided"
    )
    assert curve.groupby("degree")["realised"].first().loc[0.3] == pytest.approx(0.3, abs=0.05)


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
    main_without_exit(*fitted(done, "--json"))
    assert time.process_time() - began < 5
    assert (done / "out" / "fit.json").stat().st_mtime_ns == before
    printed = json.loads(capsys.readouterr().out)
    assert printed["scores"] == facts_of(done)["scores"] and printed["student"]["megabytes"] > 0


def test_predictions_are_the_models_and_transformers_loads_it(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from transformers import pipeline

    lines = ["good1 good2 word3", "bad1 bad2", "fair3 word1"]
    (done / "new.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    main_without_exit("predict", str(done / "out"), str(done / "new.txt"), "--json")
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    classify = pipeline("text-classification", str(done / "out" / "model"), trust_remote_code=True)
    for answer, other in zip(answers, classify(lines), strict=True):
        assert answer["label"] == other["label"] and answer["probability"] == pytest.approx(other["score"], abs=1e-4)
        assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    main_without_exit("predict", str(done / "out"), str(done / "new.txt"), "--model", "bag-of-words")
    assert [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()] == ["good", "bad", "fair"]


def test_a_stopped_fit_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from kdshift.fit.own_teachers import OwnTeachers

    trained: list[int] = []
    plain = OwnTeachers.train

    def interrupted(self: OwnTeachers, number: int, seconds: float) -> dict[str, Any]:
        if len(trained) == 2:
            raise KeyboardInterrupt
        trained.append(number)
        return plain(self, number, seconds)

    monkeypatch.setattr(OwnTeachers, "train", interrupted)
    assert command(*fitted(tmp_path)) == 130
    assert not (tmp_path / "out" / "fit.json").exists() and trained == [0, 1]
    assert command("predict", str(tmp_path / "out"), str(tmp_path / "texts.csv")) == 2
    trained.clear()
    assert command(*fitted(tmp_path)) == 130
    assert trained == [2, 3], "teachers whose answers are kept are not trained again"


@pytest.mark.slow
def test_the_export_says_what_each_version_weighs_takes_and_loses(
    done: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnxruntime")
    main_without_exit("export", str(done / "out"), "--onnx", "--int8", "--json")
    facts = json.loads(capsys.readouterr().out)
    names = [row["name"] for row in facts["models"]]
    assert names == ["teacher, PyTorch", "student, PyTorch", "student, ONNX fp32", "student, ONNX int8"]
    assert (
        facts["largest_logit_gap"] < 1e-4 and facts["int8"]["low"] <= facts["int8"]["points"] <= facts["int8"]["high"]
    )
    assert all(row["milliseconds"] <= row["milliseconds_p99"] for row in facts["models"])
    assert {"model.onnx", "model-int8.onnx", "export.json"} <= {path.name for path in (done / "out").iterdir()}


@pytest.mark.slow
def test_an_endpoint_labels_texts_without_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tests.scripted_endpoint import Reply, chat_logprobs, completion, letter_of, serving, text_of

    def script(request: dict[str, Any], number: int) -> Reply:
        right = next((label for label in tiny_kd.LABELS if label in text_of(request)), "fair")
        mass = {letter_of(request, label): 0.9 if label == right else 0.05 for label in tiny_kd.LABELS}
        return Reply(completion("A", chat_logprobs(mass)))

    tiny_kd.bert(tmp_path / "bert", layers=2)
    data = tiny_kd.table(tmp_path / "texts.csv", rows=60)
    with serving(script) as served:
        main_without_exit(
            "fit", "--unlabelled", str(data), "--labels", ",".join(tiny_kd.LABELS), "--teacher", f"{served.address}#m",
            "--assistant", str(tmp_path / "bert"), "--student", "static", "--degree", "0.4", "--out",
            str(tmp_path / "out"), "--json",
        )  # fmt: skip
        asked = len(served.requests)
    facts = json.loads(capsys.readouterr().out)
    assert asked == 2 * facts["texts"]["labelled"], "two letter orders of every text, once"
    assert facts["measure"] == "agreement with the teacher" and "teacher" not in facts["scores"]
    assert "agreement with the teacher" in facts["recommendation"]["sentence"]


WRONG = {
    "no such column": (("--text", "review"), "columns text, label"),
    "a degree in percent": (("--degree", "30"), "did you mean 0.3"),
    "no such student": (("--student", "huge"), "auto, static"),
    "no time": (("--minutes", "0"), "above 0"),
    "a dead endpoint": (("--teacher", "http://127.0.0.1:9/v1#m"), "6 attempts"),
}


@pytest.mark.parametrize("case", WRONG)
def test_mistakes_are_one_line_and_nothing_is_written(
    tmp_path: Path, case: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("empirical.endpoint.FIRST_WAIT", 0.0)
    options, message = WRONG[case]
    data = tiny_kd.table(tmp_path / "texts.csv", rows=60)
    assert command("fit", str(data), *options, "--out", str(tmp_path / "out")) == 2
    said = capsys.readouterr()
    assert said.out == "" and message in said.err.splitlines()[-1] and "Traceback" not in said.err
    assert not (tmp_path / "out" / "fit.json").exists() and not (tmp_path / "out" / "model").exists()
