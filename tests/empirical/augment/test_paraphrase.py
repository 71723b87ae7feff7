"""A writer against a scripted server: what is taken for a text, what stays, what is kept, what it costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from empirical.augment import make_augmenter
from empirical.augment.cost import measure_cost
from empirical.augment.paraphrase import written_line
from empirical.config import AugmentConfig
from empirical.randomness import Draws, step_generator
from empirical.tokens.codec import encode_batch
from tests.empirical import tiny_kd
from tests.scripted_endpoint import Reply, completion, serving
from theory.errors import InputError

TEXTS = ["word1 word2 word3 word4", "word5 word6 word7 word8", "word9 refuse"]


def test_only_one_numbered_line_is_a_text() -> None:
    for answer, text in {
        "1. a new text": "a new text",
        "  1) a new text\n": "a new text",
        '1. "quoted text"': "quoted text",
        "1. a '90s song": "a '90s song",
    }.items():
        assert written_line(answer) == text
    for answer in ("a new text", "Sure!\n1. a new text", "1. one\n2. two", "1.", "1. ", '1. ""', "", "2. b"):
        assert written_line(answer) is None, answer


def shown_text(request: dict[str, Any]) -> str:
    return str(request["messages"][-1]["content"]).split("Text: ", 1)[1]


def rewording(request: dict[str, Any], number: int = 0) -> Reply:
    """The first word becomes another one; a text that says so is refused."""
    words = shown_text(request).split()
    answer = "I cannot do that." if "refuse" in words else "1. " + " ".join(["word39", *words[1:]])
    return Reply(completion(answer))


def paraphrase(address: str, cache: Path, **budget: int) -> Any:
    config = AugmentConfig(augmenter="paraphrase", engine=f"{address}#m", **budget)
    return make_augmenter(config, tokenizer=tiny_kd.tokenizer(), cache=cache, max_length=16)


def test_texts_are_reworded_counted_and_kept(tmp_path: Path) -> None:
    batch = encode_batch(tiny_kd.tokenizer(), TEXTS, None, 16)
    with serving(rewording) as served:
        made = paraphrase(served.address, tmp_path)(batch, 0.3, step_generator(0, 0, Draws.COPIES))
        assert made.batch.text_a == ("word39 word2 word3 word4", "word39 word6 word7 word8", "word9 refuse")
        assert made.changed_B.tolist() == [1, 1, 0] and made.eligible_B.tolist() == [4, 4, 1]
        asked = len(served.requests)
        assert asked == 4, "a refusal is asked about once more, then the text stays"
        assert all("about 30 % of" in request["messages"][0]["content"] for request in served.requests)
        again = paraphrase(served.address, tmp_path)
        same = again(batch, 0.3, step_generator(0, 0, Draws.COPIES))
        assert np.array_equal(same.batch.ids_BL, made.batch.ids_BL) and len(served.requests) == asked
        assert again.kept_seconds > 0 and again.spent_tokens == 0
        again(batch, 0.3, step_generator(0, 1, Draws.COPIES))
        assert len(served.requests) > asked, "another copy is another sample"
        assert served.peers == {"127.0.0.1"}


def test_a_degree_of_none_asks_nothing(tmp_path: Path) -> None:
    batch = encode_batch(tiny_kd.tokenizer(), TEXTS, None, 16)
    made = paraphrase("http://127.0.0.1:9/v1", tmp_path)(batch, 0.0, step_generator(0, 0, Draws.COPIES))
    assert made.changed_B.tolist() == [0, 0, 0] and made.batch.text_a == tuple(TEXTS)


def test_a_spent_budget_ends_it_and_what_was_written_stays(tmp_path: Path) -> None:
    texts = TEXTS[:2]
    batch = encode_batch(tiny_kd.tokenizer(), texts, None, 16)
    with serving(rewording) as served:
        with pytest.raises(InputError, match=r"--calls.*1 spent of 1"):
            paraphrase(served.address, tmp_path, calls=1)(batch, 0.5, step_generator(0, 0, Draws.COPIES))
        paraphrase(served.address, tmp_path)(batch, 0.5, step_generator(0, 0, Draws.COPIES))
        assert len(served.requests) == 2


def test_its_cost_is_in_seconds_and_tokens(tmp_path: Path) -> None:
    with serving(rewording) as served:
        cost = measure_cost(
            lambda folder: paraphrase(served.address, folder),
            tiny_kd.tokenizer(), TEXTS[:2], None, 0.3, seed=0, max_length=16,
        )  # fmt: skip
    assert (
        cost["endpoint_tokens"] == 11
        and cost["steady_ms"] > 0
        and cost["core_ms"] > 0
        and cost["realised_degree"] == pytest.approx(0.25)
    )


def test_an_engine_is_asked_for() -> None:
    for engine, said in ((None, "engine"), ("apertium", "http")):
        with pytest.raises(InputError, match=said):
            make_augmenter(AugmentConfig(augmenter="paraphrase", engine=engine), tokenizer=tiny_kd.tokenizer())
