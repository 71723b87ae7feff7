"""AugPro-Mix against the projection on the whole table; AugPro-FGSM moves where the gap grows."""

from __future__ import annotations

import numpy as np
import pytest

from empirical.augment import make_augmenter
from empirical.augment.augpro import draw_partners, partner_tokens
from empirical.config import AugmentConfig
from empirical.models.minilm import minilm_path, read_embeddings
from empirical.randomness import step_generator
from empirical.tokens.codec import encode_batch
from tests.empirical import tiny_kd
from tests.empirical.augment.linear_network import LinearNetwork
from tests.empirical.three_tokenizers import common_vectors, common_wordpiece, tokenizer_of

TEXTS = [
    "thank you for the worst flight of my life, virgin",
    "self driving cars are not worth the risk and never will be",
    "how do you know that this information is true?",
    "the quick brown fox jumped happily over unbelievably lazy dogs",
    "i love my new phone so much, best day ever",
    "",
]


@pytest.fixture(scope="module", params=["common", pytest.param("whole", marks=pytest.mark.slow)])
def table(request):
    """The embedded model's tokenizer and vectors: its most frequent tokens, or all of them."""
    if request.param == "common":
        return common_wordpiece(), common_vectors()
    return tokenizer_of("wordpiece"), read_embeddings(minilm_path())


@pytest.fixture(scope="module")
def tokenizer(table):
    return table[0]


@pytest.fixture(scope="module")
def mix(table):
    return make_augmenter(AugmentConfig(augmenter="augpro-mix"), tokenizer=table[0], embeddings=table[1])


@pytest.mark.parametrize("share", [0.1, 0.3, 0.45, 0.5, 0.9])
def test_the_candidates_hold_the_projection_onto_the_whole_table(mix, tokenizer, share):
    """Every pair of tokens of two texts: the nearest ordinary token of all but the own one is among the candidates."""
    own = np.unique(encode_batch(tokenizer, [" ".join(TEXTS[:2])], None, 64).ids_BL)
    other = np.unique(encode_batch(tokenizer, [" ".join(TEXTS[2:5])], None, 64).ids_BL)
    ordinary = np.flatnonzero(mix.ordinary_V)
    own, other = np.intersect1d(own, ordinary)[:16], np.intersect1d(other, ordinary)[:16]
    own_N, other_N = (grid.ravel().astype(np.int32) for grid in np.meshgrid(own, other))
    mixed_ND = (1 - share) * mix.unit_VD[own_N] + share * mix.unit_VD[other_N]
    cosine_NV = mixed_ND @ mix.unit_VD[ordinary].T
    cosine_NV[own_N[:, None] == ordinary[None, :]] = -np.inf
    nearest_N = ordinary[cosine_NV.argmax(axis=1)]
    found_N = mix.project(own_N, other_N, share)
    assert (found_N == nearest_N).mean() > 0.995
    assert not (found_N == own_N).any()


def test_a_plain_projection_would_change_nothing_before_half_way_and_everything_after(mix, tokenizer):
    """Why the own token is left out: at a share of .49 it is the nearest for every pair, at .51 the partner is."""
    ids = encode_batch(tokenizer, [" ".join(TEXTS)], None, 128)
    tokens = np.intersect1d(ids.ids_BL[ids.eligible_BL], np.flatnonzero(mix.ordinary_V))
    own_N, other_N = tokens[:-1], tokens[1:]
    for share, winner in ((0.49, own_N), (0.51, other_N)):
        cosine_NV = ((1 - share) * mix.unit_VD[own_N] + share * mix.unit_VD[other_N]) @ mix.unit_VD.T
        assert (cosine_NV.argmax(axis=1) == winner).mean() > 0.97


def test_degree_one_gives_the_partners_tokens(mix, tokenizer):
    batch = encode_batch(tokenizer, TEXTS[:2], None, 64)
    new = mix(batch, 1.0, step_generator(0, 0, 1)).batch
    first, second = (batch.ids_BL[row, batch.eligible_BL[row]] for row in (0, 1))
    made = new.ids_BL[0, new.eligible_BL[0]]
    wanted = second[np.arange(len(first)) % len(second)]
    assert np.array_equal(made[first != wanted], wanted[first != wanted])


def test_a_small_degree_gives_near_neighbours(mix, tokenizer):
    batch = encode_batch(tokenizer, TEXTS, None, 64)
    result = mix(batch, 0.05, step_generator(0, 0, 1))
    own, new = batch.ids_BL[result.changed_BL], result.batch.ids_BL[result.changed_BL]
    assert len(own) and (mix.table_VK[own] == new[:, None]).any(axis=1).all()


def test_partners_are_others_and_places_are_counted_round(tokenizer):
    batch = encode_batch(tokenizer, ["one two three four five", "yes no", ""], None, 16)
    one, two = (batch.ids_BL[row, batch.eligible_BL[row]].tolist() for row in (0, 1))
    other = partner_tokens(batch, np.array([1, 0, 0]))
    assert other[0, batch.eligible_BL[0]].tolist() == [*two, *two, *two][: len(one)]
    assert other[1, batch.eligible_BL[1]].tolist() == one[: len(two)]
    assert partner_tokens(batch, np.array([2, 2, 2]))[0].tolist() == batch.ids_BL[0].tolist()
    for seed in range(20):
        partner = draw_partners(7, np.random.default_rng(seed))
        assert sorted(partner) == list(range(7)) and not (partner == np.arange(7)).any()
    assert draw_partners(1, np.random.default_rng(0)).tolist() == [0] and not len(
        draw_partners(0, np.random.default_rng())
    )


def test_fgsm_widens_the_gap_more_than_chance(tmp_path):
    """Of additive networks the gap's slope is exact: the moved texts lie further apart than with random neighbours."""
    tokenizer = tiny_kd.tokenizer()
    teacher, student = (LinearNetwork.random(len(tokenizer), seed=seed) for seed in (1, 2))
    config = AugmentConfig(augmenter="augpro-fgsm", neighbours=8)
    adverse = make_augmenter(config, tokenizer=tokenizer, teacher=teacher, student=student, cache=tmp_path)
    vectors = student.embeddings_VD
    plain = make_augmenter(AugmentConfig(neighbours=8), tokenizer=tokenizer, embeddings=vectors, cache=tmp_path)
    batch = encode_batch(tokenizer, [f"word{n} bad{n} good{n} word{n + 9} fair{n}" for n in range(8)], None, 64)
    gaps = {}
    for name, augmenter in (("fgsm", adverse), ("knn", plain)):
        made = [augmenter(batch, 0.3, step_generator(0, step, 1)).batch for step in range(8)]
        gaps[name] = np.mean([np.square(teacher(new) - student(new)).sum(axis=1) for new in made])
    # The same tokens move in both, among the same eight neighbours.
    assert gaps["fgsm"] > 1.1 * gaps["knn"]
