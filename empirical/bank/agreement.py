"""Whether light students' best degree carries over to a network trained to convergence on the same cells.

The `checks` of `kdshift empirical curves`. Shapes: R replicates, K degrees.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.bank.study_table import NONE, WHOLE
from empirical.bank.summary import Noise, curve_of, groups
from theory.inference.contrast import gain_over_none, greatest, simultaneous
from theory.inference.curve import ShiftErrorCurve
from theory.inference.optima import larger_best_shift

if TYPE_CHECKING:
    import pandas as pd

LIGHT = "static"


def agreements(table: pd.DataFrame, checks: pd.DataFrame, noise: Noise) -> list[dict[str, Any]]:
    """Each network's curve with its gain over none, and what the light student's best degree is worth to it.

    table: the light students'. checks: the networks', of the same columns. noise: of both (`study_run.covariance`).
    difference: the network's best degree minus the light student's, over the replicates and degrees that both have,
    with an interval; verdict: whether the network's is larger. An optimum at the grid's end is known from one side.
    regret: what the network loses in distance by taking the light student's best degree in place of its own best:
    `high` bounds it whichever of its degrees is the best; `low` above zero says that another degree is better.
    """
    found = []
    for lead, frame in groups(checks):
        part = noise.get(f"{lead['student']}-{lead['mode']}-{lead['data_size']}-{lead['teacher_arm']}")
        for augmenter in [name for name in frame["augmenter"].unique() if name != NONE]:
            network = curve_of(frame, augmenter, "distance", part)
            light = _light(table, augmenter, int(lead["data_size"]), noise)
            if light is None or network.replicates is None:
                continue
            both = tuple(name for name in network.names if name in light.names)
            network, light = (curve.only(both, network.shift) for curve in (network, light))
            gain = gain_over_none(network)
            moved = larger_best_shift([(network, light)])
            found.append(
                {
                    "student": lead["student"],
                    "augmenter": augmenter,
                    "data_size": lead["data_size"],
                    "replicates": len(both),
                    "degree": network.shift.tolist(),
                    "distance": network.error.tolist(),
                    "gain": {"degree": gain.shift, "distance": gain.gain, "low": gain.low, "high": gain.high},
                    "light": light.error.tolist(),
                    "best": float(network.shift[network.error.argmin()]),
                    "light_best": float(light.shift[light.error.argmin()]),
                    "difference": {"verdict": moved.verdict, "degree": moved.effect, "low": moved.low,
                                   "high": moved.high, "note": moved.note},
                    "regret": dict(_regret(network, int(light.error.argmin()))),
                }
            )  # fmt: skip
    return found


def _light(table: pd.DataFrame, augmenter: str, data_size: int, noise: Noise) -> ShiftErrorCurve | None:
    """The light student's curve of a cell, or None where the study has none."""
    for lead, frame in groups(table):
        cell = (lead["student"], lead["mode"], lead["data_size"], lead["teacher_arm"])
        if cell == (LIGHT, "distill", data_size, WHOLE) and (frame["augmenter"] == augmenter).any():
            return curve_of(frame, augmenter, "distance", noise.get("-".join(map(str, cell))))
    return None


def _regret(network: ShiftErrorCurve, at: int) -> Iterator[tuple[str, float]]:
    """The greatest of what every other degree saves against this one, with ends that hold whichever it is."""
    assert network.replicates is not None
    weight_KK = -np.delete(np.eye(network.shift.size), at, axis=0)
    weight_KK[:, at] = 1.0
    saved = simultaneous(network.replicates @ weight_KK.T, shared_covariance=network.shared_covariance(weight_KK))
    best = greatest(saved)
    yield from (("distance", max(best.effect, 0.0)), ("low", max(best.low, 0.0)), ("high", max(best.high, 0.0)))
