"""The options of augmenters: what is missing is one line with what mends it; every name is listed with its needs."""

from __future__ import annotations

import json

import numpy as np
import pytest

from empirical.config import AUGMENTERS, ModelConfig
from empirical.models.classifier import load_tokenizer
from empirical.randomness import step_generator
from empirical.tokens.codec import encode_batch
from kdshift.cli.augment import augmenters
from kdshift.cli.augmenter_options import AugmenterOptions
from tests.empirical import tiny_kd
from theory.errors import InputError


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> str:
    return str(tiny_kd.bert(tmp_path_factory.mktemp("bert"), layers=2))


@pytest.mark.parametrize(
    ("name", "options", "pattern"),
    [
        ("flip", {}, "--teacher DIR"),
        ("augpro-fgsm", {"teacher": "source"}, "--student DIR"),
        ("contextual", {}, "--language-model"),
        ("contextual-insert", {}, "masked-lm"),
        ("ground-truth", {}, "held-out"),
        ("random", {"selection": "high-entropy"}, "--teacher DIR"),
        ("random", {"selection": "glitter", "teacher": "source"}, "--student DIR"),
        ("random", {"entropy_quantile": 1.5}, "entropy-quantile"),
        ("flip", {"teacher": "nowhere-at-all"}, "nowhere-at-all"),
        ("augpro", {}, "nearest: augpro-mix|nearest: augpro"),
    ],
)
def test_what_is_missing_is_one_line(source, name, options, pattern, tmp_path):
    given = {key: source if value == "source" else value for key, value in options.items()}
    with pytest.raises(InputError, match=pattern) as told:
        AugmenterOptions(model=source, **given).build(name, 0.3, tiny_kd.tokenizer(), cache=tmp_path)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("name", ["augpro-mix", "augpro-fgsm", "flip", "flip-before"])
def test_what_is_given_is_used(source, name, tmp_path):
    tokenizer = load_tokenizer(ModelConfig(name=source))
    options = AugmenterOptions(model=source, teacher=source, student=source, neighbours=5)
    augmenter = options.build(name, 0.5, tokenizer, cache=tmp_path)
    batch = encode_batch(tokenizer, ["bad1 word3 good2 word7", "good0 good1 bad5"], None, 32)
    result = augmenter(batch, 0.5, step_generator(0, 0, 1))
    assert result.batch.ids_BL.shape == batch.ids_BL.shape
    assert np.all(result.changed_B <= np.ceil(0.5 * result.eligible_B))


def test_a_selection_without_a_share_keeps_half(source, tmp_path):
    tokenizer = load_tokenizer(ModelConfig(name=source))
    options = AugmenterOptions(model=source, teacher=source, selection="confident")
    batch = encode_batch(tokenizer, [f"bad{n % 8} word{n} good{n % 5}" for n in range(20)], None, 32)
    made = options.build("random", 0.5, tokenizer, cache=tmp_path)(batch, 0.5, step_generator(0, 0, 1))
    assert 9 <= len(made.batch) <= 12


def test_every_augmenter_is_listed(capsys):
    augmenters(json=True)
    rows = json.loads(capsys.readouterr().out)["augmenters"]
    assert [row["augmenter"] for row in rows] == list(AUGMENTERS)
    assert all(row["does"] and row["degree counts"] for row in rows)
    assert "kdshift[parser]" in rows[AUGMENTERS.index("treemix")]["needs"]
    augmenters()
    assert "treemix" in capsys.readouterr().out
