"""What a study's table says: curves with standard errors, gains over no augmentation, exchange rates.

Serves `kdshift empirical curves` (design: the command line). Shapes: R replicates, K degrees, A amounts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from empirical.bank.exchange import ExchangeRate, exchange_rate
from empirical.bank.study_table import DISJOINT, NONE, TWICE, UNLABELLED
from theory.inference.calibrate import detectable
from theory.inference.contrast import gain_over_none, paired_difference
from theory.inference.curve import ShiftErrorCurve
from theory.inference.half_samples import as_replicates

if TYPE_CHECKING:
    import pandas as pd

GROUP = ["teacher_arm", "student", "mode", "data_size"]
Noise = Mapping[str, Mapping[str, Any]]
Arm = tuple[str, float, float]  # augmenter, degree, amount


def curve_of(
    frame: pd.DataFrame,
    augmenter: str,
    outcome: str,
    noise: Mapping[str, Any] | None = None,
    *,
    amount: float = 0.0,
    reference: tuple[str, float] = (NONE, 0.0),
) -> ShiftErrorCurve:
    """An outcome against the degree, degree 0 first, of a frame of one student, mode, size and teacher arm.

    outcome: a column of the frame. noise: what the test texts add to distance, and to accuracy and error, its
    complement (`study_run.covariance`); None: it is not counted. amount: copies of a text, of arms that have another
    number of them than their size. reference: augmenter and amount of the arm that stands at degree 0.
    """
    own = (frame["augmenter"] == augmenter) & (frame["amount"] == amount)
    first = (frame["augmenter"] == reference[0]) & (frame["amount"] == reference[1])
    chosen = frame[own | first]
    table = complete(frame, chosen.pivot(index="replicate", columns="degree", values=outcome).sort_index(axis=1))
    degree_K, value_RK = table.columns.to_numpy(dtype=float), unit_rows(frame, table)
    count = len(value_RK)
    spread = value_RK.std(axis=0, ddof=1) / np.sqrt(count) if count > 1 else np.zeros(len(degree_K))
    arms = [
        (augmenter, degree, amount) if degree else (reference[0], 0.0, reference[1]) for degree in degree_K.tolist()
    ]
    return ShiftErrorCurve(
        shift=degree_K,
        error=value_RK.mean(axis=0),
        error_se=spread,
        data_size=float(frame["data_size"].iloc[0]),
        shift_name="degree",
        replicates=value_RK if count > 1 else None,
        replicate_ids=_names(table, value_RK) if count > 1 else None,
        test_covariance=None if noise is None else _between(noise, arms, outcome),
    )


def complete(frame: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """The rows of a table by replicate that have every column; of a pool's cuts, those whose both halves have.

    A replicate beyond the texts that an augmenter's copies reach lacks some.
    """
    table = table.dropna()
    cut_R = np.asarray(table.index) // 2
    return table[np.bincount(cut_R)[cut_R] == 2] if is_split(frame) else table


def unit_rows(frame: pd.DataFrame, table: pd.DataFrame) -> NDArray[np.float64]:
    """A complete table's rows as independent replicates: its own, or those of a pool's cuts into halves."""
    value_RK = table.to_numpy(dtype=float)
    return as_replicates(value_RK) if is_split(frame) and len(table) > 2 else value_RK


def _names(table: pd.DataFrame, value_RK: NDArray[np.float64]) -> tuple[Any, ...]:
    """Replicates by number; rows that mix the halves of several cuts by those cuts too."""
    if len(value_RK) == len(table):
        return tuple(table.index)
    cuts = tuple(dict.fromkeys((table.index // 2).tolist()))
    return tuple((cuts, row) for row in range(len(value_RK)))


def disjoint(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of replicates that share no text: all but the further cuts of a pool into halves."""
    return table[~(table["split"] > 0)] if "split" in table else table


def is_split(frame: pd.DataFrame) -> bool:
    """Whether the replicates of a size are halves of one pool, cut in several ways, and so share texts.

    Rows that were kept before there were cuts have no number of one.
    """
    return "split" in frame and bool((frame["split"] > DISJOINT).any())


def groups(table: pd.DataFrame) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """Each teacher arm, student, mode and size with its rows."""
    for key, frame in table.groupby(GROUP, sort=False):
        yield dict(zip(GROUP, key, strict=True)), frame


def part_name(lead: Mapping[str, Any]) -> str:
    """The name of a group's part (`study_run.Part`), by which its noise is kept."""
    return "-".join(str(lead[name]) for name in ("student", "mode", "data_size", "teacher_arm"))


def curves(table: pd.DataFrame, noise: Noise) -> list[dict[str, Any]]:
    """Every curve of a study as the command line prints it (design: the contract of `empirical curves`).

    gain: of the best degree in distance; its `detectable` is the gain that this noise shows four times in five.
    """
    found = []
    for lead, frame in groups(table):
        part = noise.get(part_name(lead))
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
                    "replicates": frame["replicate"].nunique(),
                    "degree": distance.shift.tolist(),
                    "distance": distance.error.tolist(),
                    "distance_se": distance.error_se.tolist() if several else None,
                    "accuracy": accuracy.error.tolist(),
                    "accuracy_se": accuracy.error_se.tolist() if several else None,
                    "gain": {
                        "degree": gain.shift,
                        "distance": gain.gain,
                        "low": gain.low,
                        "high": gain.high,
                        "detectable": detectable(gain.se, gain.units, gain.looks),
                    },
                    "exchange": None if (rate := exchange_of(frame, augmenter, part)) is None else asdict(rate),
                }
            )
    return found


def exchange_of(frame: pd.DataFrame, augmenter: str, noise: Mapping[str, Any] | None = None) -> ExchangeRate | None:
    """How many real unlabelled texts an augmenter's best degree is worth, in units of n; None where none were tried.

    frame: of one student, mode, size and teacher arm. noise: see `curve_of`.
    """
    frame = disjoint(frame)  # replicates that share no text
    real = frame[frame["augmenter"].isin((NONE, UNLABELLED))]
    if real["amount"].nunique() < 3:
        return None
    own = frame[(frame["augmenter"] == augmenter) & (frame["amount"] == 0)]
    augmented = own.pivot(index="replicate", columns="degree", values="distance").dropna()
    amounts = real.pivot(index="replicate", columns="amount", values="distance").sort_index(axis=1).dropna()
    both = augmented.index.intersection(amounts.index)
    covariance = None
    if noise is not None:
        arms: list[Arm] = [(augmenter, float(degree), 0.0) for degree in augmented.columns]
        arms += [(UNLABELLED if amount else NONE, 0.0, float(amount)) for amount in amounts.columns]
        covariance = _between(noise, arms)
    return exchange_rate(
        augmented.loc[both].to_numpy(dtype=float),
        amounts.columns.to_numpy(dtype=float),
        amounts.loc[both].to_numpy(),
        covariance,
    )


def equal_compute(table: pd.DataFrame, noise: Noise) -> list[dict[str, Any]]:
    """What twice the originals a step saves in distance against none, by student, mode and size, paired.

    noise: what the test texts add (see `curve_of`); of parts that are not in it, nothing.
    """
    found = []
    for lead, frame in groups(table):
        both = frame[frame["augmenter"].isin((NONE, TWICE))]
        wide = both.pivot(index="replicate", columns="augmenter", values="distance")
        if TWICE in wide:
            rows = unit_rows(frame, complete(frame, wide[[NONE, TWICE]])).T
            gain = paired_difference(*rows, shared_variance=_of_difference(noise.get(part_name(lead))))
            found.append({**lead, "distance": gain.effect, "low": gain.low, "high": gain.high})
    return found


def _of_difference(noise: Mapping[str, Any] | None) -> float:
    """The variance that the test texts give to the distance of none less that of twice the originals a step."""
    if noise is None:
        return 0.0
    between = _between(noise, [(NONE, 0.0, 0.0), (TWICE, 0.0, 0.0)])
    return float(max(between[0, 0] + between[1, 1] - 2 * between[0, 1], 0.0))


def _between(noise: Mapping[str, Any], arms: Sequence[Arm], outcome: str = "distance") -> NDArray[np.float64]:
    """The covariance of an outcome's means over these arms (augmenter, degree, amount), from drawing the test texts."""
    place = {tuple(arm): at for at, arm in enumerate(noise["arms"])}
    index = [place[arm] for arm in arms]
    return np.asarray(noise["accuracy" if outcome in ("accuracy", "error") else "covariance"])[np.ix_(index, index)]
