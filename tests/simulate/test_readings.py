"""A preset's reading goes to the theory of that name, and unknown names are told with the nearest."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simulate.experiment_config import make_config
from simulate.readings import READINGS, read_against_theory
from simulate.tau_curves import CurveKey
from theory.errors import InputError
from theory.inference.curve import ShiftErrorCurve

TAU = np.geomspace(0.01, 2.0, 7)


def test_exponents_are_read_by_the_three_laws() -> None:
    key = CurveKey(
        "teacher", 0, 5, "4096", "ridge", "smooth", "trusted", 0.0, math.inf, "flipped", "isotropic", "chosen"
    )
    rows = 0.1 + 0.001 * np.random.default_rng(0).standard_normal((4, 7)) + np.log(TAU / 0.2) ** 2
    found = {key._replace(data_size=n): ShiftErrorCurve.from_replicates(TAU, rows, n) for n in (50, 500)}
    reading = read_against_theory("exponents", found, make_config({}))
    assert {one.theory for one in reading.predictions} >= {"L1", "covering", "smoothing"}
    assert reading.sentence


def test_unknown_readings_are_named_with_the_nearest() -> None:
    assert set(READINGS) == {"exponents", "kernels"}
    with pytest.raises(InputError, match=r"reading.*kernels"):
        read_against_theory("kernel", {}, make_config({}))
