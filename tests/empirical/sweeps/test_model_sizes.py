"""Sizes of models that are not here."""

from __future__ import annotations

import pytest

from empirical.sweeps.model_sizes import KNOWN


def test_known_models_have_the_parameters_their_papers_name():
    assert KNOWN["bert-large-uncased"].parameters == pytest.approx(336e6, rel=0.02)
    assert KNOWN["distilbert-base-uncased"].parameters == pytest.approx(66e6, rel=0.02)
    assert KNOWN["google/bert_uncased_L-4_H-512_A-8"].parameters == pytest.approx(29.1e6, rel=0.04)
    assert KNOWN["google/t5-v1_1-small"].parameters == pytest.approx(37e6, rel=0.09)
    assert KNOWN["google/t5-v1_1-large"].parameters == pytest.approx(354e6, rel=0.01)
