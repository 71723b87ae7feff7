"""What was held against the paper: every test that is named stands; the two findings without a home of their own."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from transformers import AutoTokenizer

from empirical.augment.translation import Store
from empirical.augment.whole_texts import BackTranslation
from empirical.models.minilm import minilm_path
from empirical.randomness import Draws, step_generator
from empirical.sweeps.checked import SECTIONS, checked_page
from empirical.tokens.codec import encode_batch
from tests.empirical.augment.shouting import Shouting

ROOT = Path(__file__).parents[3]
ITEMS = [item for items in SECTIONS.values() for item in items]


def test_what_was_repaired_has_the_test_it_names():
    tests = {
        name for path in ROOT.glob("tests/**/test_*.py") for name in re.findall(r"^def (\w+)", path.read_text(), re.M)
    }
    assert {item.test for item in ITEMS} <= tests


def test_every_item_is_on_the_page():
    page = (ROOT / "docs" / "reproduce.md").read_text("utf-8")
    assert checked_page() in page and len(ITEMS) == 34


def test_a_translation_that_grows_keeps_to_the_tasks_max_length(tmp_path):
    class Longer(Shouting):
        def round_trip(self, texts, pivot, seed):
            return [" ".join([text] * 9) for text in texts]

    tokenizer = AutoTokenizer.from_pretrained(minilm_path())
    augmenter = BackTranslation(Longer(), Store(tmp_path / "t.sqlite"), tokenizer, 12)
    result = augmenter(encode_batch(tokenizer, ["one two three four"], None, 12), 0.3, step_generator(0, 0, 1))
    assert result.batch.ids_BL.shape[1] == 12 and int(result.batch.mask_BL.sum()) == 12


def test_subsets_splits_and_batch_orders_have_streams_of_their_own():
    """Subset and split were [seed, 2] and [seed, 1], which are the orders of epochs 2 and 1."""
    orders = [step_generator(0, epoch, Draws.ORDER).permutation(50) for epoch in range(20)]
    for stream in (Draws.SUBSET, Draws.SPLIT):
        drawn = step_generator(0, 0, stream).permutation(50)
        assert not any(np.array_equal(drawn, order) for order in orders)
    assert len(set(Draws)) == len(Draws.__members__)
