"""What every augmenter owes: the degree contract, untouched specials and structure, randomness as an argument."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy.stats import binomtest, chisquare
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from tokenizers import decoders as token_decoders
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from empirical.augment import exact_counts, make_augmenter, select_tokens
from empirical.augment.changed_tokens import draw_without_replacement
from empirical.config import AugmentConfig
from empirical.models.minilm import minilm_path
from empirical.randomness import step_generator
from empirical.tokens.batch import Augmented, Batch
from empirical.tokens.codec import decode_batch, encode_batch
from tests.empirical.augment.linear_network import LinearNetwork

ONLINE = ("knn", "random", "synonym", "eda", "augpro-mix", "augpro-fgsm")
TOKENIZERS = ("wordpiece", "bytelevel", "unigram")
TEXT_A = [
    "How do you know? All this is their information again.",
    "I don't think the quick brown fox jumped happily over unbelievably lazy dogs",
    "big big big house 😀 [SEP] naïve",
    "Hi",
    "",
    "the the",
]
TEXT_B = ["This information belongs to them", "good dogs bark", "x", "yes, of course", "two words", "the"]
CORPUS = [*TEXT_A, *TEXT_B, "large quickly cat kind thing walk talk idea car person small data word begin"] * 20


def trained(kind: str) -> PreTrainedTokenizerFast:
    """A byte-level BPE (RoBERTa's kind) or Unigram (T5's kind) tokenizer, trained here on a few lines."""
    special = ["<pad>", "<unk>", "<s>", "</s>"]
    if kind == "bytelevel":
        tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = token_decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(vocab_size=420, special_tokens=special, initial_alphabet=alphabet)
        template = ("<s> $A </s>", "<s> $A </s> </s> $B </s>")
    else:
        tokenizer = Tokenizer(models.Unigram())
        tokenizer.normalizer = normalizers.NFKC()
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        tokenizer.decoder = token_decoders.Metaspace()
        trainer = trainers.UnigramTrainer(vocab_size=160, special_tokens=special, unk_token="<unk>")
        template = ("$A </s>", "$A </s> $B </s>")
    tokenizer.train_from_iterator(CORPUS, trainer)
    ids = [(token, tokenizer.token_to_id(token)) for token in ("<s>", "</s>")]
    tokenizer.post_processor = processors.TemplateProcessing(single=template[0], pair=template[1], special_tokens=ids)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>", bos_token="<s>", eos_token="</s>"
    )


@pytest.fixture(scope="module", params=TOKENIZERS)
def tokenizer(request):
    if request.param == "wordpiece":
        return AutoTokenizer.from_pretrained(minilm_path())
    return trained(request.param)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module", params=ONLINE)
def augmenter(request, tokenizer, cache):
    vectors = np.random.default_rng(0).standard_normal((len(tokenizer), 8)).astype(np.float32)
    networks = {
        name: LinearNetwork.random(len(tokenizer), seed=seed) for seed, name in enumerate(("teacher", "student"))
    }
    config = AugmentConfig(augmenter=request.param)
    return make_augmenter(config, tokenizer=tokenizer, embeddings=vectors, cache=cache, **networks)


@pytest.fixture(scope="module", params=["single", "pair"])
def batch(request, tokenizer) -> Batch:
    return encode_batch(tokenizer, TEXT_A, TEXT_B if request.param == "pair" else None, 128)


def specials(batch: Batch) -> list[list[int]]:
    kept_BL = batch.mask_BL & ~batch.eligible_BL
    return [ids[kept].tolist() for ids, kept in zip(batch.ids_BL, kept_BL, strict=True)]


def same(one: Augmented, other: Augmented) -> bool:
    return np.array_equal(one.batch.ids_BL, other.batch.ids_BL) and np.array_equal(one.changed_BL, other.changed_BL)


@pytest.mark.parametrize("degree", [0.0, 0.1, 0.3, 0.7, 1.0])
def test_exactly_the_nominal_count_changes(augmenter, batch, degree):
    for seed in range(10):
        result = augmenter(batch, degree, step_generator(seed, 0, 1))
        target = degree * result.eligible_B
        assert np.all(result.changed_B >= np.floor(target - 1e-9))
        assert np.all(result.changed_B <= np.ceil(target + 1e-9))
    assert result.eligible_B.sum() > 10
    assert result.eligible_B[4] == 0 or batch.text_b is not None


def test_the_expected_count_is_the_degree(augmenter, batch):
    """The extra token comes with the fractional probability: a binomial test over steps, for each text."""
    eligible = augmenter(batch, 0.3, step_generator(0, 0, 1)).eligible_B
    steps = 150
    extra = np.zeros(len(batch), dtype=int)
    for step in range(steps):
        changed = augmenter(batch, 0.3, step_generator(5, step, 1)).changed_B
        extra += changed - np.floor(0.3 * eligible + 1e-9).astype(int)
    for count, length in zip(extra, eligible, strict=True):
        share = 0.3 * length - math.floor(0.3 * length + 1e-9)
        assert binomtest(int(count), steps, min(max(share, 0.0), 1.0)).pvalue > 1e-5


def test_degree_zero_changes_nothing(augmenter, batch):
    result = augmenter(batch, 0.0, step_generator(0, 0, 1))
    assert np.array_equal(result.batch.ids_BL, batch.ids_BL)
    assert np.array_equal(result.batch.segment_BL, batch.segment_BL)
    assert np.array_equal(result.batch.eligible_BL, batch.eligible_BL)
    assert not result.changed_BL.any()


def test_special_tokens_and_structure_stay(augmenter, batch):
    for seed in range(5):
        new = augmenter(batch, 0.9, step_generator(seed, 0, 1)).batch
        assert specials(new) == specials(batch)
        # Padding is on the right only, and the second text comes after the first.
        assert np.all(np.diff(new.mask_BL.astype(int), axis=1) <= 0)
        assert all(np.all(np.diff(row[mask]) >= 0) for row, mask in zip(new.segment_BL, new.mask_BL, strict=True))
        # Neither text of an example loses its last token.
        for segment in (0, 1):
            had = (batch.eligible_BL & (batch.segment_BL == segment)).any(axis=1)
            has = (new.eligible_BL & (new.segment_BL == segment)).any(axis=1)
            assert np.array_equal(had, has)


def test_randomness_is_an_argument(augmenter, batch):
    one, again = (augmenter(batch, 0.5, step_generator(3, 7, 1)) for _ in range(2))
    assert same(one, again)
    steps = [augmenter(batch, 0.5, step_generator(3, step, 1)).batch.ids_BL for step in range(8)]
    assert any(not np.array_equal(steps[0], other) for other in steps[1:])


def test_any_thread_gives_the_same(augmenter, batch):
    serial = [augmenter(batch, 0.5, step_generator(1, step, 1)) for step in range(12)]
    with ThreadPoolExecutor(8) as pool:
        threads = list(pool.map(lambda step: augmenter(batch, 0.5, step_generator(1, step, 1)), range(12)))
    assert all(same(one, other) for one, other in zip(serial, threads, strict=True))


def test_the_original_batch_is_left_alone(augmenter, batch):
    before = batch.ids_BL.copy()
    augmenter(batch, 1.0, step_generator(0, 0, 1))
    assert np.array_equal(batch.ids_BL, before)


@pytest.mark.parametrize("name", ["knn", "random", "augpro-mix"])
def test_replaced_tokens_differ_and_are_ordinary(name, tokenizer, batch, cache):
    vectors = np.random.default_rng(0).standard_normal((len(tokenizer), 8)).astype(np.float32)
    augmenter = make_augmenter(AugmentConfig(augmenter=name), tokenizer=tokenizer, embeddings=vectors, cache=cache)
    result = augmenter(batch, 1.0, step_generator(0, 0, 1))
    assert np.array_equal(result.changed_BL, batch.eligible_BL)
    assert np.array_equal(result.batch.ids_BL != batch.ids_BL, batch.eligible_BL)
    assert np.array_equal(result.changed_B, result.changed_BL.sum(axis=1))
    special = [index for index, token in tokenizer.added_tokens_decoder.items() if token.special]
    new = result.batch.ids_BL[result.changed_BL]
    assert not np.isin(new, special).any()
    assert not any("unused" in token for token in tokenizer.convert_ids_to_tokens(new))


def test_random_replacement_is_uniform_over_the_others():
    tokenizer = trained("unigram")
    augmenter = make_augmenter(AugmentConfig(augmenter="random"), tokenizer=tokenizer)
    batch = encode_batch(tokenizer, ["the"] * 2000, None, 16)
    new = augmenter(batch, 1.0, step_generator(0, 0, 1)).batch
    own = int(batch.ids_BL[batch.eligible_BL][0])
    others = np.setdiff1d(augmenter.ordinary, [own])
    counts = np.bincount(new.ids_BL[new.eligible_BL], minlength=len(tokenizer))
    assert counts[others].sum() == new.eligible_BL.sum()
    assert chisquare(counts[others]).pvalue > 1e-4


def test_selection_is_uniform_over_subsets():
    eligible = np.zeros((6000, 7), dtype=bool)
    eligible[:, [0, 2, 3, 6]] = True
    marked = draw_without_replacement(eligible, np.full(6000, 2), np.random.default_rng(1))
    assert not marked[~eligible].any()
    assert np.all(marked.sum(axis=1) == 2)
    pairs = np.bincount((marked * 2 ** np.arange(7)).sum(axis=1))
    assert chisquare(pairs[pairs > 0]).pvalue > 1e-4
    assert (pairs > 0).sum() == 6


def test_counts_are_of_the_product_not_of_its_last_bit():
    for degree, length, expected in ((0.29, 100, 29), (0.7, 10, 7), (0.1, 30, 3), (1.0, 7, 7), (0.0, 7, 0)):
        counts = exact_counts(np.full(200, length), degree, np.random.default_rng(0))
        assert np.all(counts == expected)
    assert select_tokens(np.ones((3, 0), dtype=bool), 0.5, np.random.default_rng(0)).shape == (3, 0)


@pytest.mark.parametrize("pair", [False, True])
def test_encoding_is_the_tokenizers_own(tokenizer, pair):
    text_b = TEXT_B if pair else None
    for limit in (128, 9):
        batch = encode_batch(tokenizer, TEXT_A, text_b, limit)
        own = tokenizer(
            TEXT_A, text_b, truncation=True, max_length=limit, padding=True, return_special_tokens_mask=True
        )
        assert np.array_equal(batch.ids_BL, own["input_ids"])
        assert np.array_equal(batch.mask_BL, np.array(own["attention_mask"], dtype=bool))
        assert not (batch.eligible_BL & np.array(own["special_tokens_mask"], dtype=bool)).any()
        # Literal special tokens and unknown characters in a text are not eligible either.
        assert not np.isin(batch.ids_BL[batch.eligible_BL], tokenizer.all_special_ids).any()
        sequences = [own.sequence_ids(row) for row in range(len(TEXT_A))]
        known = np.array([[-1 if s is None else s for s in row] for row in sequences])
        assert np.array_equal(batch.segment_BL[known >= 0], known[known >= 0])
        if pair and "token_type_ids" in own and np.any(own["token_type_ids"]):
            assert np.array_equal(batch.segment_BL, own["token_type_ids"])


def test_decoding_gives_texts_that_encode_alike(tokenizer):
    text_a = ["how do you know", "this is information", "yes"]
    single = encode_batch(tokenizer, text_a, None, 64)
    assert decode_batch(tokenizer, single) == text_a
    pairs = encode_batch(tokenizer, text_a, ["good dogs", "them", "two words"], 64)
    assert decode_batch(tokenizer, pairs) == list(zip(text_a, ["good dogs", "them", "two words"], strict=True))
