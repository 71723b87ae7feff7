"""What a masked language model proposes: by context, by probability, never what is refused; what is no such model."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import BertForMaskedLM

from empirical.augment.masked_model import MaskedModel, logits_at
from empirical.randomness import step_generator
from empirical.tokens.codec import encode_batch
from tests.empirical import tiny_kd
from tests.empirical.tiny_masked import TEXTS
from theory.errors import InputError


@pytest.fixture(scope="module")
def tokenizer():
    return tiny_kd.tokenizer()


def test_the_context_decides(trained, tokenizer):
    """With the middle word masked the right one is the likeliest, and a refused one never comes."""
    batch = encode_batch(tokenizer, TEXTS[:8], None, 16)
    middle_BL = np.zeros(batch.ids_BL.shape, dtype=bool)
    middle_BL[:, 2] = True
    model = MaskedModel(str(trained), tokenizer)
    likeliest = model.propose(batch, middle_BL, None, 1, step_generator(0, 0, 1))
    assert (likeliest == batch.ids_BL[:, 2]).mean() >= 0.75
    others = model.propose(batch, middle_BL, batch.ids_BL[:, 2], 5, step_generator(0, 0, 1))
    assert not (others == batch.ids_BL[:, 2]).any()


def test_proposals_are_drawn_in_proportion_to_their_probability(trained, tokenizer):
    batch = encode_batch(tokenizer, ["bad1 word1 good2"] * 3000, None, 16)
    middle_BL = np.zeros(batch.ids_BL.shape, dtype=bool)
    middle_BL[:, 2] = True
    model = MaskedModel(str(trained), tokenizer)
    drawn = model.propose(batch, middle_BL, None, 4, step_generator(0, 0, 1))
    network = BertForMaskedLM.from_pretrained(trained).eval()
    ids = torch.from_numpy(batch.ids_BL[:1].astype(np.int64))
    ids[0, 2] = tokenizer.mask_token_id
    with torch.no_grad():
        logits = network(input_ids=ids).logits[0, 2]
    logits[: len(tiny_kd.SPECIAL)] = -torch.inf
    best = torch.topk(logits, 4)
    share = torch.softmax(best.values, dim=0).numpy()
    counts = np.array([(drawn == token).mean() for token in best.indices.numpy()])
    assert counts.sum() == pytest.approx(1)
    assert np.allclose(counts, share, atol=5 * np.sqrt(0.25 / 3000))


def test_every_place_gets_its_own_proposal_however_long_its_text_is(trained, tokenizer):
    """Texts are asked by length, in parts: the likeliest token of each place is what its text alone gets."""
    texts = [f"bad{row % 5} " + "word1 good2 " * (row * 7 % 5 + 1) for row in range(40)]
    batch = encode_batch(tokenizer, texts, None, 16)
    place_BL = batch.eligible_BL & (np.arange(batch.ids_BL.shape[1]) % 3 == 1)
    place_BL[7] = False
    model = MaskedModel(str(trained), tokenizer)
    found = model.propose(batch, place_BL, batch.ids_BL[place_BL], 1, step_generator(0, 0, 1))
    alone = [
        model.propose(batch.rows(np.array([row])), place_BL[[row]], own, 1, step_generator(0, 0, 1))
        for row in range(40)
        if (own := batch.ids_BL[row][place_BL[row]]).size
    ]
    assert np.array_equal(found, np.concatenate(alone))
    assert model.propose(batch, np.zeros_like(place_BL), None, 1, step_generator(0, 0, 1)).size == 0


def test_the_head_sees_the_marked_places_only_and_they_are_masked(trained, tokenizer):
    network = BertForMaskedLM.from_pretrained(trained).eval()
    batch = encode_batch(tokenizer, ["bad1 word1 good2", "bad3 word3"], None, 16)
    place_BL = np.zeros(batch.ids_BL.shape, dtype=bool)
    place_BL[0, 1], place_BL[1, 2] = True, True
    with torch.no_grad():
        found = logits_at(network, batch, place_BL, tokenizer.mask_token_id)
        ids = torch.from_numpy(np.where(place_BL, tokenizer.mask_token_id, batch.ids_BL).astype(np.int64))
        whole = network(input_ids=ids, attention_mask=torch.from_numpy(batch.mask_BL.astype(np.int64))).logits
    assert found.shape == (2, network.config.vocab_size)
    assert torch.allclose(found, torch.stack([whole[0, 1], whole[1, 2]]), atol=1e-5)


def test_what_is_no_masked_language_model_is_told(trained, tokenizer, tmp_path):
    place_BL = np.ones((2, 5), dtype=bool)
    for source, pattern in (
        (None, r"--language-model .*masked-lm"),
        (tmp_path / "nowhere", "nowhere"),
        (tiny_kd.bert(tmp_path / "headless"), "without its masked-LM head"),
    ):
        with pytest.raises(InputError, match=f"(?s){pattern}") as told:
            MaskedModel(None if source is None else str(source), tokenizer).propose(
                encode_batch(tokenizer, TEXTS[:2], None, 16), place_BL, None, 3, step_generator(0, 0, 1)
            )
        assert "\n" not in str(told.value)
    with pytest.raises(InputError, match="other tokens"):
        other = tiny_kd.tokenizer(["quite", "different", "words"])
        batch = encode_batch(other, ["quite words"], None, 8)
        MaskedModel(str(trained), other).propose(batch, batch.eligible_BL, None, 2, step_generator(0, 0, 1))
