"""A temperature undoes the one that was applied, changes no answer and sees only the labels it is given."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from kdshift.fit.scoring import log_loss
from kdshift.fit.temperature import BOUNDS, calibrated, cooled, temperature


def drawn(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """True log-probabilities and labels that follow them."""
    rng = np.random.default_rng(seed)
    logits_NC = rng.normal(size=(count, 3)) * 1.5
    p_NC = softmax(logits_NC, axis=1)
    return np.log(p_NC), (rng.random(count)[:, None] > p_NC.cumsum(axis=1)).sum(axis=1)


@pytest.mark.parametrize("sharper", [0.3, 1.0, 3.0])
def test_overconfidence_of_a_known_size_is_found(sharper: float) -> None:
    log_NC, label_N = drawn(20_000)
    assert temperature(sharper * log_NC, label_N) == pytest.approx(sharper, rel=0.06)


def test_no_answer_changes_and_rows_are_probabilities() -> None:
    log_NC, label_N = drawn(500)
    found_NC = calibrated(5 * log_NC, label_N, np.arange(250))
    assert (found_NC.argmax(axis=1) == log_NC.argmax(axis=1)).all()
    assert np.allclose(np.exp(found_NC).sum(axis=1), 1, atol=1e-5)
    assert log_loss(np.exp(found_NC)[250:], label_N[250:]) < log_loss(
        np.exp(cooled(5 * log_NC, 1.0))[250:], label_N[250:]
    )


def test_labels_of_other_texts_say_nothing() -> None:
    log_NC, label_N = drawn(400)
    changed_N = label_N.copy()
    changed_N[200:] = (changed_N[200:] + 1) % 3
    rows = np.arange(200)
    assert np.array_equal(calibrated(log_NC, label_N, rows), calibrated(log_NC, changed_N, rows))
    assert temperature(log_NC[:0], label_N[:0]) == 1.0
    assert BOUNDS[0] <= temperature(log_NC, np.asarray(log_NC.argmin(axis=1))) <= BOUNDS[1]
