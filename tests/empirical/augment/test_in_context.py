"""New texts after labelled examples: the server's probabilities are the soft labels, whatever else goes wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from empirical.augment import make_augmenter
from empirical.augment.in_context import SHOWN, Examples
from empirical.config import AugmentConfig
from empirical.randomness import Draws, step_generator
from empirical.tokens.codec import encode_batch
from tests.empirical import tiny_kd
from tests.scripted_endpoint import Reply, chat_logprobs, completion, serving
from theory.errors import InputError

SEEN = Examples(
    texts=tuple(f"{label}{number} word{number}" for number in range(4) for label in tiny_kd.LABELS),
    label_N=np.tile(np.arange(3), 4), labels=tiny_kd.LABELS,
)  # fmt: skip


def writing(request: dict[str, Any], number: int = 0) -> Reply:
    prompt = str(request["messages"][-1]["content"])
    if request.get("logprobs"):
        assert prompt.endswith("\nLetter:")
        right = "ABC"[[label in prompt.rsplit("Text: ", 1)[1] for label in tiny_kd.LABELS].index(True)]
        mass = {letter: 0.7 if letter == right else 0.1 for letter in "ABC"}
        return Reply(completion(right, chat_logprobs({**mass, "the": 0.1})))
    return Reply(completion(f"1. good{request['seed'] % 8} word39"))


def writer(address: str, cache: Path) -> Any:
    config = AugmentConfig(augmenter="in-context", engine=f"{address}#m")
    return make_augmenter(config, tokenizer=tiny_kd.tokenizer(), cache=cache, max_length=16, examples=SEEN)


def batch_of(count: int) -> Any:
    return encode_batch(tiny_kd.tokenizer(), ["word1 word2"] * count, None, 16)


def test_new_texts_bear_the_models_probabilities(tmp_path: Path) -> None:
    with serving(writing) as served:
        made = writer(served.address, tmp_path)(batch_of(5), 0.4, step_generator(0, 0, Draws.COPIES))
        asked = len(served.requests)
        assert asked <= 10 and served.peers == {"127.0.0.1"}
        again = writer(served.address, tmp_path)(batch_of(5), 0.4, step_generator(0, 0, Draws.COPIES))
        assert len(served.requests) == asked and np.array_equal(again.batch.ids_BL, made.batch.ids_BL)
    assert all(text.startswith("good") and text.endswith("word39") for text in made.batch.text_a)
    assert np.allclose(np.exp(made.logits_BC), [[1 / 9, 1 / 9, 7 / 9]] * 5, atol=1e-5)
    assert made.label_B.tolist() == [2] * 5 and made.row_B.tolist() == [-1] * 5
    first = served.requests[0]["messages"][-1]["content"]
    assert first.count("\nLetter: ") == SHOWN and "A) bad\nB) fair\nC) good" in first


def test_where_nothing_is_written_an_example_with_its_label_stands_in(tmp_path: Path) -> None:
    def refusing(request: dict[str, Any], number: int) -> Reply:
        return writing(request) if request.get("logprobs") else Reply(completion("No."))

    with serving(refusing) as served:
        made = writer(served.address, tmp_path)(batch_of(4), 0.4, step_generator(0, 0, Draws.COPIES))
    for text, label, logits_C in zip(made.batch.text_a, made.label_B, made.logits_BC, strict=True):
        assert text in SEEN.texts and tiny_kd.LABELS[label] in text and np.exp(logits_C[label]) > 0.999


def test_a_server_without_log_probabilities_and_wrong_examples_are_told(tmp_path: Path) -> None:
    def silent(request: dict[str, Any], number: int) -> Reply:
        return Reply(completion("A")) if request.get("logprobs") else writing(request)

    with serving(silent) as served, pytest.raises(InputError, match="log-probabilities"):
        writer(served.address, tmp_path)(batch_of(2), 0.4, step_generator(0, 0, Draws.COPIES))
    with pytest.raises(InputError, match="labels can be shown"):
        make_augmenter(AugmentConfig(augmenter="in-context", engine="http://h/v1#m"), tokenizer=tiny_kd.tokenizer())
    with pytest.raises(InputError, match="examples"):
        Examples(texts=("a",), label_N=np.array([0, 1]), labels=("x", "y"))
    with pytest.raises(InputError, match="classes"):
        Examples(texts=("a",), label_N=np.array([0]), labels=("x",))
