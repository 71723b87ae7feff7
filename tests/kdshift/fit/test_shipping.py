"""Students of every kind: as small and fast as was wished, and measured as they are used."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from empirical.config import ModelConfig
from empirical.models.classifier import embedding_matrix, load_tokenizer
from empirical.tokens.corpus import encode_corpus
from kdshift.fit.learner import predict_logits
from kdshift.fit.scoring import distance
from kdshift.fit.shipping import StudentMaker, Wish, latencies, latency, megabytes
from tests.empirical import tiny_kd
from theory.errors import InputError

LABEL_N = np.arange(90) % 3


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> StudentMaker:
    source = tiny_kd.bert(tmp_path_factory.mktemp("bert"), layers=4)
    config = ModelConfig(name=str(source))
    tokenizer = load_tokenizer(config)
    texts = [f"{tiny_kd.LABELS[label]}{at % 8} word{at % 40}" for at, label in enumerate(LABEL_N)]
    return StudentMaker(
        model=config, labels=tiny_kd.LABELS, tokenizer=tokenizer, embeddings_VD=embedding_matrix(config),
        corpus=encode_corpus(tokenizer, texts, None, 16), label_N=LABEL_N, seed=0, soft_only=False, wish=Wish(),
    )  # fmt: skip


def wishing(maker: StudentMaker, **wish: float) -> StudentMaker:
    return StudentMaker(**{**vars(maker), "wish": Wish(**wish)})


@pytest.mark.parametrize("kind", ["static", "encoder", "bilstm"])
def test_equal_seeds_build_equal_students_and_sizes_are_those_saved(maker: StudentMaker, kind: str) -> None:
    one, same = maker.build(kind), maker.build(kind)  # type: ignore[arg-type]
    assert all((a == b).all() for a, b in zip(one.state_dict().values(), same.state_dict().values(), strict=True))
    assert megabytes(one) == pytest.approx(sum(4 * p.numel() for p in one.parameters()) / 1e6, rel=0.02)
    assert one.config.id2label == dict(enumerate(tiny_kd.LABELS))


def test_a_wish_for_size_narrows_the_table_to_its_first_directions(maker: StudentMaker) -> None:
    whole = megabytes(maker.build("static"))
    narrow = wishing(maker, megabytes=0.9 * whole)
    assert megabytes(narrow.build("static")) <= 0.9 * whole
    assert narrow.fits("static") and not wishing(maker, megabytes=whole / 1e3).fits("static")
    with pytest.raises(InputError, match="--max-megabytes"):
        wishing(maker, megabytes=whole / 1e3).build("static")
    assert not wishing(maker, milliseconds=1e-6).fits("static") and wishing(maker, milliseconds=1e4).fits("encoder")


def test_a_trained_student_is_nearer_to_its_teacher(maker: StudentMaker) -> None:
    answer_NC = (4 * np.eye(3)[LABEL_N]).astype(np.float32)
    held_N = np.arange(60, 90)
    given = maker.material(np.arange(60), answer_NC, None)
    model, learned = maker.train("static", given, held_N, float("inf"), steps=200)
    q_MC = softmax(answer_NC[held_N], axis=1)
    trained, fresh = (
        float(distance(softmax(predict_logits(network, maker.corpus, held_N), axis=1), q_MC).mean())
        for network in (model, maker.build("static"))
    )
    assert learned.best_value == pytest.approx(trained) and trained < fresh - 0.02
    assert 0 <= learned.best_step <= learned.steps <= 200


def test_latency_is_the_median_of_single_texts(maker: StudentMaker) -> None:
    calls: list[str] = []
    taken = latencies(calls.append, ["a", "b", "c", "d"])
    assert calls == ["a", "b", "c", "a", "b", "c", "d"] and len(taken) == 4 and (taken >= 0).all()
    assert 0 < latency(maker.build("static"), maker.tokenizer, ["word1"] * 5) < 1_000
