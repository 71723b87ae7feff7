"""The joint law, source by source: what it needs, and what it finds where the truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from kdshift.curve_sources import Sources, paper_source, text_source
from kdshift.laws import fit_laws
from kdshift.source import CurveGroup, Source
from tests.kdshift import synthetic
from theory.inference.curve import ShiftErrorCurve

NOTHING = Source(name="theory", command="")


def test_a_best_degree_that_falls_is_found_and_one_size_has_no_law() -> None:
    """Error 0.25 + 0.2 (degree - best)^2, best 0.5 at n = 200 and 0.3 at 4,000: -0.25 of u in 1.3 decades."""
    text = text_source(synthetic.text_frame({("distill", "knn", 200): 0.5, ("distill", "knn", 4000): 0.3}))
    laws = fit_laws(Sources(theory=NOTHING, presets={}, text=text, paper=Source(name="paper", command="")))
    assert list(laws) == ["text"]
    law = laws["text"]["tweets bilstm"]
    assert law["best"] == pytest.approx([0.5, 0.3], abs=0.02)
    assert law["best_move"]["effect"] == pytest.approx(-0.25 / np.log10(20), abs=0.02)
    alone = text_source(synthetic.text_frame({("distill", "knn", 200): 0.5}))
    assert fit_laws(Sources(theory=NOTHING, presets={}, text=alone, paper=Source(name="paper", command=""))) == {}


def test_the_papers_tables_have_laws_by_task() -> None:
    laws = fit_laws(Sources(theory=NOTHING, presets={}, text=Source(name="text", command=""), paper=paper_source()))
    assert {"mnli", "qnli"} <= set(laws["paper"])
    for law in laws["paper"].values():
        assert len(law["best"]) == len(law["data_sizes"]) and np.all(np.asarray(law["gain"]) >= 0)


def test_a_simulations_law_is_of_taus_above_0() -> None:
    """A cell without augmented data stands in the grid; the law is of log tau."""
    tau = np.r_[0.0, np.geomspace(0.01, 1.0, 5)]
    rng, curves = np.random.default_rng(0), []
    for size in (100, 1000):
        bowl = np.r_[0.9, 0.2 + 0.05 * np.log(tau[1:] / (2 / size**0.5)) ** 2]
        table = bowl + 1e-3 * rng.standard_normal((4, 6))
        curves.append(ShiftErrorCurve.from_replicates(tau, table, size))
    source = Source(
        name="simulation",
        command="",
        curves={CurveGroup(variant="isotropic", task="smooth"): curves},
        variant="isotropic",
    )
    empty = Source(name="text", command="")
    laws = fit_laws(Sources(theory=NOTHING, presets={"inverted-u": source}, text=empty, paper=empty))
    best = laws["simulation"]["smooth"]["best"]
    assert np.log(best) == pytest.approx(np.log([0.2, 0.0632]), abs=0.15)
