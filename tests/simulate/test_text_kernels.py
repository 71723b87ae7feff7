"""The reading of kernels: what theory claims of each, on made-up curves."""

from __future__ import annotations

import math

import numpy as np

from simulate.experiment_config import make_config
from simulate.tau_curves import CurveKey
from simulate.text_kernels import keeps_population, read
from theory.inference.curve import ShiftErrorCurve

TAU = np.array([0.0, 0.1, 0.3, 0.8, 1.4, 2.0])
KEY = CurveKey("teacher", 50, 8, "4096", "ridge", "smooth", "trusted", 0.0, 4.0, "flipped", "preserving", "validation")


def curve(shape: np.ndarray) -> ShiftErrorCurve:
    rng = np.random.default_rng(0)
    return ShiftErrorCurve.from_replicates(TAU, shape + 0.001 * rng.standard_normal((12, 6)), 50)


def test_only_kernels_that_keep_the_population_have_no_bias() -> None:
    assert keeps_population("preserving", 0.6) and keeps_population("replacement", 0.0)
    assert not keeps_population("replacement", 0.6) and not keeps_population("isotropic", 0.0)


def test_a_flat_end_is_not_refuted_and_a_rise_is() -> None:
    falls, rises = 0.2 - 0.05 * np.sqrt(TAU), 0.1 + 0.1 * (TAU - 0.3) ** 2
    for shape, outcome in ((falls, "not refuted"), (rises, "refuted")):
        found = {KEY: curve(shape), KEY._replace(kernel="replacement"): curve(shape)}
        reading = read(found, make_config({"dimension": 8, "tau": TAU.tolist(), "kernel": ["preserving"]}))
        loss = [one for one in reading.predictions if one.theory == "no bias: zero"]
        assert [one.outcome for one in loss] == [outcome, outcome]
        assert reading.draw().axes
    assert "preserving in 1 of 1" in reading.sentence


def test_theory_is_silent_where_dependence_is_broken() -> None:
    config = make_config({"dimension": 8, "tau": TAU.tolist(), "kernel": ["replacement"], "correlation": 0.6})
    reading = read({KEY._replace(kernel="replacement"): curve(0.1 + TAU)}, config)
    assert all(one.outcome == "silent" and math.isnan(one.predicted) for one in reading.predictions)
    assert "degree" in reading.predictions[0].note
