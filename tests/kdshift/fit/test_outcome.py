"""Every score and the sentence can be counted again from the predictions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from tests.kdshift.fit.commands import facts_of


def wilson(right: int, total: int) -> tuple[float, float]:
    z, p = norm.ppf(0.975), right / total
    centre, half = p + z**2 / (2 * total), z * np.sqrt(p * (1 - p) / total + z**2 / (4 * total**2))
    return (centre - half) / (1 + z**2 / total), (centre + half) / (1 + z**2 / total)


def test_scores_and_sentence_can_be_counted_from_the_predictions(done: Path) -> None:
    facts, frame = facts_of(done), pd.read_csv(done / "out" / "predictions.csv", keep_default_na=False)
    source = pd.read_csv(done / "texts.csv")
    assert len(frame) == len(source.drop_duplicates("text")) and facts["protocol"].startswith("cross-validation")
    assert (source.loc[frame["line"] - 2, "label"].to_numpy() == frame["label"].to_numpy()).all()
    for name, score in facts["scores"].items():
        right = int((frame[name] == frame["label"]).sum())
        assert score["n"] == len(frame) and score["accuracy"] == pytest.approx(right / len(frame))
        assert (score["low"], score["high"]) == pytest.approx(wilson(right, len(frame)))
    words = facts["scores"]["bag_of_words"]
    sentence = facts["recommendation"]["sentence"]
    assert f"bag of words {words['accuracy']:.2f} [{words['low']:.2f}, {words['high']:.2f}]" in sentence
    student = facts["scores"]["student"]
    assert f"student {student['accuracy']:.2f} [{student['low']:.2f}, {student['high']:.2f}]" in sentence
    probabilities = frame[[f"p_{label}" for label in facts["texts"]["labels"]]]
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-4)
    assert (
        probabilities.to_numpy().argmax(axis=1) == [facts["texts"]["labels"].index(x) for x in frame["student"]]
    ).all()
    difference = (frame["student"] == frame["label"]).astype(float) - (frame["bag_of_words"] == frame["label"])
    beaten = difference.mean() + 1.98 * difference.std() / np.sqrt(len(frame)) < 0
    assert ("beaten by the bag of words" in sentence) == beaten == (facts["ship"] == "bag_of_words")
