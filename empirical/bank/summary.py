"""What a study's table says: curves with standard errors, gains over no augmentation, exchange rates.

Serves `kdshift empirical curves` (design: the command line). Shapes: R replicates, K degrees, A amounts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from empirical.bank.exchange import exchange_rate
from empirical.bank.study_table import NONE, TWICE, UNLABELLED
from theory.inference.contrast import gain_over_none, paired_difference
from theory.inference.curve import ShiftErrorCurve

if TYPE_CHECKING:
    import pandas as pd

GROUP = ["teacher_arm", "student", "mode", "data_size"]
Noise = Mapping[str, Mapping[str, Any]]


def curve_of(
    frame: pd.DataFrame, augmenter: str, outcome: str, noise: Mapping[str, Any] | None = None
) -> ShiftErrorCurve:
    """An outcome against the degree, degree 0 first, of a frame of one student, mode, size and teacher arm.

    noise: what the test texts add to distance and accuracy (`study_run.covariance`); None: it is not counted.
    """
    chosen = frame[frame["augmenter"].isin((NONE, augmenter))]
    table = chosen.pivot(index="replicate", columns="degree", values=outcome).sort_index(axis=1)
    table = table.dropna()  # replicates beyond what an augmenter's copies reach
    degree_K, value_RK = table.columns.to_numpy(dtype=float), table.to_numpy(dtype=float)
    spread = value_RK.std(axis=0, ddof=1) / np.sqrt(len(table)) if len(table) > 1 else np.zeros(len(degree_K))
    return ShiftErrorCurve(
        shift=degree_K,
        error=value_RK.mean(axis=0),
        error_se=spread,
        data_size=float(frame["data_size"].iloc[0]),
        shift_name="degree",
        replicates=value_RK if len(table) > 1 else None,
        replicate_ids=tuple(table.index) if len(table) > 1 else None,
        test_covariance=None if noise is None else _noise_of(noise, augmenter, degree_K, outcome),
    )


def _noise_of(
    noise: Mapping[str, Any], augmenter: str, degree_K: NDArray[np.float64], outcome: str
) -> NDArray[np.float64]:
    """The rows and columns of the outcome's covariance that belong to a curve, in its order."""
    place = {(name, degree): at for at, (name, degree, amount) in enumerate(noise["arms"]) if not amount}
    index = [place[NONE if degree == 0 else augmenter, float(degree)] for degree in degree_K]
    return np.asarray(noise["accuracy" if outcome == "accuracy" else "covariance"])[np.ix_(index, index)]


def groups(table: pd.DataFrame) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """Each teacher arm, student, mode and size with its rows."""
    for key, frame in table.groupby(GROUP, sort=False):
        yield dict(zip(GROUP, key, strict=True)), frame


def curves(table: pd.DataFrame, noise: Noise) -> list[dict[str, Any]]:
    """Every curve of a study as the command line prints it (design: the contract of `empirical curves`)."""
    found = []
    for lead, frame in groups(table):
        part = noise.get("-".join(str(lead[name]) for name in ("student", "mode", "data_size", "teacher_arm")))
        controls = (NONE, TWICE, UNLABELLED)
        for augmenter in [name for name in frame["augmenter"].unique() if name not in controls]:
            distance = curve_of(frame, augmenter, "distance", part)
            accuracy = curve_of(frame, augmenter, "accuracy")
            gain = gain_over_none(distance)
            several = distance.replicates is not None
            found.append(
                {
                    "augmenter": augmenter,
                    **lead,
                    "replicates": 1 if distance.replicates is None else len(distance.replicates),
                    "degree": distance.shift.tolist(),
                    "distance": distance.error.tolist(),
                    "distance_se": distance.error_se.tolist() if several else None,
                    "accuracy": accuracy.error.tolist(),
                    "accuracy_se": accuracy.error_se.tolist() if several else None,
                    "gain": {"degree": gain.shift, "distance": gain.gain, "low": gain.low, "high": gain.high},
                    "exchange": _exchange(frame, augmenter),
                }
            )
    return found


def _exchange(frame: pd.DataFrame, augmenter: str) -> dict[str, Any] | None:
    """How many real unlabelled texts the best degree is worth, in units of n; None where the study has none."""
    real = frame[frame["augmenter"] == UNLABELLED]
    if real["amount"].nunique() < 2:
        return None
    augmented = frame[frame["augmenter"] == augmenter].pivot(index="replicate", columns="degree", values="distance")
    amounts = real.pivot(index="replicate", columns="amount", values="distance").sort_index(axis=1)
    both = augmented.index.intersection(amounts.index)
    found = exchange_rate(
        augmented.loc[both].to_numpy(dtype=float), amounts.columns.to_numpy(dtype=float), amounts.loc[both].to_numpy()
    )
    return asdict(found)


def equal_compute(table: pd.DataFrame) -> list[dict[str, Any]]:
    """What twice the originals a step saves in distance against none, by student, mode and size, paired."""
    found = []
    for lead, frame in groups(table):
        pair = [frame[frame["augmenter"] == name].set_index("replicate")["distance"] for name in (NONE, TWICE)]
        if len(pair[1]):
            gain = paired_difference(pair[0].to_numpy(), pair[1].loc[pair[0].index].to_numpy())
            found.append({**lead, "distance": gain.effect, "low": gain.low, "high": gain.high})
    return found
