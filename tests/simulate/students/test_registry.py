"""What every student must do, and how a penalty is chosen."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from simulate.students.registry import STUDENTS, StudentConfig, build_student, penalty_text
from simulate.supervision import Examples, HeldOut
from tests.simulate.students.worlds import CONFIG, PENALTY, TESTS, examples, held_out, rngs, truth
from theory.errors import InputError


@pytest.mark.parametrize("name", STUDENTS)
@pytest.mark.parametrize("weighted", [False, True])
def test_every_student_learns_an_easy_truth(name: str, weighted: bool) -> None:
    predicted = build_student(name, CONFIG, penalty=PENALTY)(examples(weighted=weighted), TESTS, rngs(), held_out())
    assert predicted.shape == (2, 3, 150) and 0 <= float(predicted.min()) and float(predicted.max()) <= 1
    assert float((predicted - truth(TESTS)[:, None]).abs().mean()) < 0.12


@pytest.mark.parametrize("name", STUDENTS)
def test_fitting_together_equals_fitting_alone(name: str) -> None:
    """A batch of replicates and tau gives what each of them gives by itself."""
    together = build_student(name, CONFIG, penalty=PENALTY)(examples(), TESTS, rngs(), held_out())
    data = examples()
    alone = Examples(x_RTMd=data.x_RTMd[1:, 2:], target_RTM=data.target_RTM[1:, 2:], weight_M=data.weight_M)
    one = build_student(name, CONFIG, penalty=PENALTY)(alone, TESTS[1:], rngs()[1:], held_out(1))
    np.testing.assert_allclose(together[1, 2], one[0, 0], atol=2e-3)


@pytest.mark.parametrize("name", STUDENTS)
def test_a_student_depends_on_its_weights(name: str) -> None:
    student = build_student(name, CONFIG, penalty=PENALTY)
    plain, weighted = (student(examples(weighted=w), TESTS, rngs(), held_out()) for w in (False, True))
    assert float((plain - weighted).abs().max()) > 1e-4


def test_an_unknown_student_is_named() -> None:
    with pytest.raises(InputError, match="nearest: ridge"):
        build_student("rigde", CONFIG)


@pytest.mark.parametrize("name", ["ridge", "logistic"])
def test_each_student_takes_the_penalty_that_held_out_labels_like_best(name: str) -> None:
    """Against every penalty fitted by itself: the chosen one's predictions, student by student."""
    penalties = (1e-5, 1e-2, 10.0)
    config = StudentConfig(features=32, penalties=penalties)
    told, own = examples(size=60), held_out()
    noisy = Examples(x_RTMd=told.x_RTMd, target_RTM=(told.target_RTM > 0.45).float(), weight_M=told.weight_M)
    chosen = build_student(name, config)(noisy, TESTS, rngs(), own)
    single = torch.stack([build_student(name, config, penalty=f"{p:g}")(noisy, TESTS, rngs(), own) for p in penalties])
    brier = torch.stack(
        [
            (build_student(name, config, penalty=f"{p:g}")(noisy, own.x_RVd, rngs(), own) - own.label_RV[:, None])
            .square()
            .mean(-1)
            for p in penalties
        ]
    )
    best = brier.argmin(0)
    assert bool((best != 2).all()), "a penalty of 10 leaves nothing to predict with"
    for replicate in range(2):
        for tau in range(3):
            expected = single[best[replicate, tau], replicate, tau]
            np.testing.assert_allclose(chosen[replicate, tau], expected, atol=1e-4)


def test_labels_that_say_nothing_ask_for_the_strongest_penalty() -> None:
    config = StudentConfig(features=32, penalties=(1e-6, 100.0))
    own = held_out()
    coin = HeldOut(x_RVd=own.x_RVd, label_RV=torch.full_like(own.label_RV, 0.5))
    predicted = build_student("ridge", config)(examples(), TESTS, rngs(), coin)
    np.testing.assert_allclose(predicted, 0.5, atol=0.01)


def test_a_penalty_is_validation_or_a_positive_number() -> None:
    assert [penalty_text(value) for value in ("validation", 1e-4, "0.01")] == ["validation", "0.0001", "0.01"]
    for value in ("valid", 0, -1.0, "nan", float("inf")):
        with pytest.raises(InputError, match="penalty"):
            penalty_text(value)
