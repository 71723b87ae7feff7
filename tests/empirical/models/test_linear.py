"""The linear student: its features, the normal equations of its ridge, the choice of its penalty."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from empirical.models.linear import BUCKETS, cross_entropy, fit_labels, fit_ridge, ngrams
from empirical.tokens.corpus import encode_corpus
from tests.empirical.tiny_kd import tokenizer


def test_ngrams_count_pieces_and_pairs_and_do_not_see_padding() -> None:
    corpus = encode_corpus(tokenizer(), ["word1 word2", "word1 word2 word3 word4", "word2 word1"], None, 32)
    x = ngrams(corpus, np.arange(3))
    assert x.shape == (3, BUCKETS)
    assert np.diff(x.indptr).tolist() == [7, 11, 7]  # start, words, end and the pairs between them
    assert np.allclose(x.multiply(x).sum(axis=1), 1)
    alone = ngrams(corpus, np.array([0]))
    assert np.array_equal(alone.indices, x[0].indices) and np.array_equal(alone.data, x[0].data)
    assert set(x[0].indices) != set(x[2].indices)  # the order of words counts


def random_problem(texts: int = 40) -> tuple[sparse.csr_matrix, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = sparse.random(texts, BUCKETS, density=30 / BUCKETS, random_state=1, format="csr", dtype=np.float64)
    weight = rng.uniform(0.5, 1.5, size=texts)
    return x, rng.normal(size=(texts, 3)), weight / weight.sum()


def test_ridge_solves_its_normal_equations() -> None:
    x, target, weight = random_problem()
    student = fit_ridge(x, target, weight, (x, target), penalties=(1e-3,))
    residual = (student.logits(x) - target) * weight[:, None]
    gradient = x[:, student.column].T @ residual + 1e-3 * student.weight_GC
    assert np.abs(gradient).max() < 1e-4 * np.abs(x[:, student.column].T @ (target * weight[:, None])).max() + 1e-6
    assert np.abs(residual.sum(axis=0)).max() < 1e-5  # the intercept is not penalised


def test_the_penalty_is_the_one_that_validation_likes_best() -> None:
    x, target, weight = random_problem()
    free = fit_ridge(x, target, weight, (x, target), penalties=(1e-6, 1.0))
    assert free.penalty == 1e-6 and not free.at_edge
    constant = np.tile(weight @ target, (len(target), 1))
    strong = fit_ridge(x, target, weight, (x, constant), penalties=(1e-6, 1.0))
    assert strong.penalty == 1.0 and strong.at_edge


def test_labels_are_learnt_and_a_class_without_a_text_stays_unlikely() -> None:
    x, _, weight = random_problem()
    label = np.arange(40) % 3
    student = fit_labels(x, label, weight, 3, (x, label), penalties=(1e-6,))
    assert (student.logits(x).argmax(axis=1) == label).mean() > 0.95
    for present in ((0, 2), (1,)):
        some = np.array(present)[np.arange(40) % len(present)]
        found = fit_labels(x, some, weight, 3, (x, some), penalties=(1e-4,)).logits(x)
        assert (found.argmax(axis=1) == some).mean() > 0.95
        absent = [name for name in range(3) if name not in present]
        assert (found[:, absent] < -5).all()


def test_cross_entropy_of_even_logits_is_the_logarithm_of_the_classes() -> None:
    assert np.isclose(cross_entropy(np.zeros((5, 4)), np.arange(5) % 4), np.log(4))
