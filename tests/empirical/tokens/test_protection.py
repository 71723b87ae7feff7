"""Masks of entities stay as they are under every augmenter, in single texts and pairs, whatever the degree."""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers import AutoTokenizer

from empirical.augment import make_augmenter
from empirical.config import AugmentConfig, TaskConfig
from empirical.models.minilm import minilm_path
from empirical.randomness import Draws, step_generator
from empirical.tasks.load import load_task
from empirical.tasks.masking import MASK
from empirical.tokens.codec import decode_batch, encode_batch
from tests.empirical.three_tokenizers import common_vectors, common_wordpiece

GAD = Path(__file__).parents[1] / "data" / "biomedical" / "gad"
TEXTS = ["We found that @GENE$ was not linked to @DISEASE$ (p > 0.05).", "@GENE$, at 5 $, cures @home"]


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(minilm_path())


@pytest.mark.parametrize("name", ["knn", "random", "synonym", "eda"])
@pytest.mark.parametrize("pairs", [False, True])
def test_masks_survive_every_degree(name, pairs):
    tokenizer = common_wordpiece()
    augmenter = make_augmenter(AugmentConfig(augmenter=name), tokenizer=tokenizer, embeddings=common_vectors())
    batch = encode_batch(tokenizer, TEXTS, TEXTS[::-1] if pairs else None, 64, MASK)
    for step in range(3):
        made = augmenter(batch, 1.0, step_generator(0, step, Draws.AUGMENTATION))
        first, second = decode_batch(tokenizer, made.batch)
        for row, text in enumerate(first):
            joined = text if second is None else f"{text} {second[row]}"
            assert joined.count("@ gene $") == (2 if pairs else 1), joined


def test_only_the_masks_are_protected(tokenizer):
    plain, kept = encode_batch(tokenizer, TEXTS, None, 64), encode_batch(tokenizer, TEXTS, None, 64, MASK)
    lost = plain.ids_BL[plain.eligible_BL & ~kept.eligible_BL]
    assert tokenizer.convert_ids_to_tokens(lost) == ["@", "gene", "$", "@", "disease", "$", "@", "gene", "$"]
    assert not (kept.eligible_BL & ~plain.eligible_BL).any()
    assert (plain.ids_BL == kept.ids_BL).all()


def test_biomedical_tasks_protect_their_masks_unless_told_otherwise(tmp_path):
    config = TaskConfig(name="gad", path=str(GAD))
    assert load_task(config).protected is MASK
    assert load_task(config.model_copy(update={"protect_masks": False})).protected is None
    assert load_task(TaskConfig(name="rte", path=str(GAD.parents[1] / "glue" / "rte"))).protected is None
