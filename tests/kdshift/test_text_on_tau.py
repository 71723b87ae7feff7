"""Text on the theory's axis: degrees as effective tau, and terms that rank degrees."""

from __future__ import annotations

import numpy as np
import pytest

from kdshift import text_on_tau as axis
from kdshift.curve_sources import text_source
from tests.kdshift import synthetic
from theory.errors import InputError


def test_random_replacement_collapses_onto_knn_where_it_moves_texts_twice_as_far() -> None:
    source = text_source(synthetic.text_frame({("distill", "knn", 200): 0.5, ("distill", "random", 200): 0.25}))
    shift = synthetic.shift_frame()
    by_augmenter = {name: source(variant=name)[0] for name in ("knn", "random")}
    moved = axis.on_tau(by_augmenter["random"], shift, "random")
    assert moved is not None and moved.shift == pytest.approx([0.0, 0.2, 0.6, 1.0, 1.6])
    assert axis.collapse(by_augmenter, shift).verdict == "supported"
    same = text_source(synthetic.text_frame({("distill", "knn", 200): 0.4, ("distill", "random", 200): 0.4}))
    assert axis.collapse({name: same(variant=name)[0] for name in ("knn", "random")}, shift).verdict == "contradicted"


def test_terms_that_follow_the_error_rank_the_degrees() -> None:
    frame = synthetic.text_frame({("distill", "knn", 200): 0.3, ("distill", "random", 200): 0.3})
    terms = axis.measured_terms(frame, synthetic.shift_frame())
    assert axis.rank_agreement(terms, "fit").verdict == "supported"
    assert axis.rank_agreement(terms, "fit").effect == pytest.approx(1.0, abs=0.25)
    with pytest.raises(InputError, match="teacher"):
        axis.measured_terms(frame, synthetic.shift_frame()[["augmenter", "degree", "tau", "a_distance"]])


def test_degrees_that_were_not_measured_are_left_out() -> None:
    curve = text_source(synthetic.text_frame({("distill", "knn", 200): 0.5}))()[0]
    shift = synthetic.shift_frame()
    short = shift[shift["degree"] <= 0.3]
    moved = axis.on_tau(curve, short, "knn")
    assert moved is not None and moved.shift == pytest.approx([0.0, 0.1, 0.3])
    assert axis.on_tau(curve, shift, "eda") is None, "never measured"
    still = shift.assign(tau=0.0)
    assert axis.on_tau(curve, still, "knn") is None, "a tau that does not grow"


def test_the_spread_is_relative_and_0_of_zeros() -> None:
    assert axis.relative_spread(np.array([[0.0, 1.0], [0.0, 3.0]])) == pytest.approx([0.0, 0.5])


def test_a_constant_ranks_nothing() -> None:
    frame = synthetic.text_frame({("distill", "knn", 200): 0.3})
    terms = axis.measured_terms(frame, synthetic.shift_frame()).assign(fit=0.2)
    assert axis.rank_agreement(terms, "fit").effect == 0.0
    assert axis.rank_agreement(terms[terms["degree"] < 0.2], "fit").verdict == "not measured"
