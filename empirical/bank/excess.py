"""The calculated distance of ridge students on a bank against students that are fitted: does it name the best degree?

    kdshift empirical excess curves-tweets

`theory.excess_distance` on the bank's texts, copies and answers: what is predicted for n texts comes from the pool and
the validation originals, what is measured from students on disjoint subsets of n texts, on the test originals.
Students: ridge of the teacher's logits on standardised mean embeddings, of the bank's two-term loss.
Shapes: N texts of the pool, K rows a text (the original first), D features, C classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from empirical.bank.arms import Arm, BankTargets, Bench
from empirical.bank.kept_parts import kept_parts
from empirical.bank.light import EmbeddingInputs
from empirical.bank.plan import Shift
from empirical.bank.pool import replicates
from empirical.bank.study_run import StudyRun
from empirical.bank.study_table import distilled
from theory.errors import InputError
from theory.excess_distance import Pool, excess_distance
from theory.progress_report import Progress

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1)
CHOSEN = "validation"  # the penalty that serves validation originals best, degree by degree
COPIES = 2


@dataclass
class ExcessStudy:
    """Predicted and measured distances of a study's augmenters, in parts that are kept as soon as they are there."""

    run: StudyRun
    augmenters: Sequence[str]
    data_sizes: Sequence[int]
    most: int
    folder: Path
    penalties: tuple[float, ...] = PENALTIES
    progress: Progress | None = None

    def table(self) -> pd.DataFrame:
        """A row an augmenter, degree (0 among them), data size, penalty and replicate.

        Columns beside these: measured, predicted (mean squared distance of logits to the teacher's on test originals,
        over texts and classes), validation (measured there; penalties may be chosen by it). Raises InputError for what
        the study does not have.
        """
        import pandas as pd

        shifts = [self.run.study.shift_of(name) for name in self.augmenters]
        work: list[tuple[Shift | None, float]] = [(None, 0.0)]
        work += [(shift, degree) for shift in shifts for degree in shift.degrees]
        parts = [
            (
                self.folder / f"{shift.augmenter if shift else 'none'}-{degree:g}.parquet",
                partial(self._rows, shift, degree),
            )
            for shift, degree in work
        ]
        frames = []
        for (shift, degree), frame in zip(
            work, kept_parts(parts, "predicted and measured", self.progress), strict=True
        ):
            # Without a shift the students are the same for every augmenter.
            names = [shift.augmenter] if shift else list(self.augmenters)
            frames += [frame.assign(augmenter=name, degree=degree) for name in names]
        return pd.concat(frames, ignore_index=True)

    @cached_property
    def _bench(self) -> Bench:
        if self.run.study.copies < COPIES:
            raise InputError("copies", self.run.study.copies, f"a study with at least {COPIES} copies of a text")
        bank = replace(self.run.bank, plan=self.run.study.bank().model_copy(update={"copies": COPIES}))
        return Bench(bank, bank.plan, EmbeddingInputs(self.run.embeddings, bank.pool.validation.corpus))

    @cached_property
    def _teacher(self) -> BankTargets:
        bank = self._bench.bank
        return BankTargets(bank, self.run.teacher, bank.store(self.run.teacher))

    @cached_property
    def _held_out(self) -> dict[str, tuple[Floats, Floats]]:
        """Features and the teacher's logits of validation and test originals."""
        return {
            "validation": (features(self._bench.validation), self._teacher.evaluation("validation").astype(float)),
            "test": (features(self._bench.test), self._teacher.evaluation("test").astype(float)),
        }

    def _blocks(self, shift: Shift | None, degree: float) -> tuple[Floats, Floats, Floats]:
        """Features (N, K, D), logits (N, K, C) and weights (K,) of every pool text with its copies."""
        own_N = np.arange(self.run.study.pool)
        arm = Arm(augmenter=shift.augmenter if shift else "none", mode="distill", degree=degree, shift=shift)
        data = self._bench.training_set(arm, 0, own_N, self._teacher)
        rows, answers = [features(data.x)], [data.target_NC.astype(float)]
        if data.further:
            rows += np.split(features(data.more), COPIES)
            answers += np.split(data.more_target_MC.astype(float), COPIES)
        gamma = self.run.study.gamma
        weight = np.array([gamma] + [(1 - gamma) / COPIES] * COPIES) if data.further else np.ones(1)
        return np.stack(rows, axis=1), np.stack(answers, axis=1), weight

    def _rows(self, shift: Shift | None, degree: float) -> Iterator[dict[str, Any]]:
        x_NKD, g_NKC, weight_K = self._blocks(shift, degree)
        pool = Pool.of(x_NKD, g_NKC, weight_K)
        classes = g_NKC.shape[2]
        for data_size in self.data_sizes:
            predicted = {
                penalty: excess_distance(pool, *self._held_out["validation"], data_size=data_size, penalty=penalty)
                for penalty in self.penalties
            }
            for number, own_N in enumerate(self._subsets(data_size)):
                measured = self._fitted(pool.features_NKD[own_N], pool.answers_NKC[own_N])
                for penalty in self.penalties:
                    yield {
                        "data_size": data_size,
                        "penalty": penalty,
                        "replicate": number,
                        "predicted": predicted[penalty].total / classes,
                        "measured": measured["test"][penalty] / classes,
                        "validation": measured["validation"][penalty] / classes,
                    }

    def _subsets(self, data_size: int) -> list[NDArray[np.int64]]:
        size = self.run.study.size_of(data_size)
        return replicates(size.pool or self.run.study.pool, data_size)[: self.most]

    def _fitted(self, x_nKD: Floats, g_nKC: Floats) -> dict[str, dict[float, float]]:
        """Squared distances of the students of these texts on both sets of originals, by penalty."""
        flat, answers = x_nKD.reshape(-1, x_nKD.shape[-1]), g_nKC.reshape(-1, g_nKC.shape[-1])
        values, vectors = np.linalg.eigh(flat.T @ flat / len(x_nKD))
        moment = vectors.T @ (flat.T @ answers) / len(x_nKD)
        found = {}
        for name, (x_QD, g_QC) in self._held_out.items():
            turned = x_QD @ vectors
            fitted = {penalty: turned @ (moment / (values + penalty)[:, None]) for penalty in self.penalties}
            found[name] = {penalty: float(np.square(h - g_QC).mean(0).sum()) for penalty, h in fitted.items()}
        return found


def features(x_ND: NDArray[np.floating]) -> Floats:
    """Standardised embeddings and a one, over the root of the width: a row's squared length is about one."""
    ones = np.ones((len(x_ND), 1))
    return np.asarray(np.concatenate([x_ND, ones], axis=1) / np.sqrt(x_ND.shape[1]), dtype=float)


def agreement(table: pd.DataFrame) -> pd.DataFrame:
    """A row a curve (augmenter, data size, penalty or the one chosen by validation): predicted against measured.

    Columns: best_predicted, best_measured (degrees), steps between them on the curve's grid, rank (Spearman's over
    degrees), replicates, predicted_over_measured (mean ratio of levels), and regret: what the predicted degree loses
    against the best one, as a share of the distance without a shift.
    """
    import pandas as pd

    chosen = table.loc[table.groupby(["augmenter", "degree", "data_size", "replicate"])["validation"].idxmin()]
    told = table.groupby(["augmenter", "degree", "data_size"])["predicted"].min().rename("predicted")
    keys = ["augmenter", "degree", "data_size"]
    chosen = chosen.drop(columns="predicted").merge(told.reset_index(), on=keys).assign(penalty=CHOSEN)
    rows = []
    whole = pd.concat([table.assign(penalty=table["penalty"].map("{:g}".format)), chosen])
    for (augmenter, data_size, penalty), frame in whole.groupby(["augmenter", "data_size", "penalty"], sort=False):
        mean = frame.groupby("degree")[["predicted", "measured"]].mean()
        lead = {"augmenter": augmenter, "data_size": data_size, "penalty": penalty}
        rows.append({**lead, **_compared(mean), "replicates": frame["replicate"].nunique()})
    return pd.DataFrame(rows)


def _compared(mean: pd.DataFrame) -> dict[str, float]:
    from scipy.stats import spearmanr

    predicted, measured = mean["predicted"].to_numpy(), mean["measured"].to_numpy()
    at, best = int(np.argmin(predicted)), int(np.argmin(measured))
    return {
        "best_predicted": float(mean.index[at]),
        "best_measured": float(mean.index[best]),
        "steps": abs(at - best),
        "rank": float(spearmanr(predicted, measured).statistic),
        "predicted_over_measured": float((predicted / measured).mean()),
        "regret": float((measured[at] - measured[best]) / measured[0]),
    }


def against_students(table: pd.DataFrame, curves: pd.DataFrame) -> pd.DataFrame:
    """The calculation (its best penalty at each degree) against other students' distances, as `agreement` has it.

    curves: of `kdshift empirical curves`, whose students are no ridge on embeddings: nothing promises agreement.
    Columns: augmenter, data_size, student and those of `agreement` without the ratio of levels.
    """
    import pandas as pd

    told = table.groupby(["augmenter", "data_size", "degree"])["predicted"].min()
    taught = distilled(curves)
    rows = []
    for augmenter, data_size in dict.fromkeys((key[0], key[1]) for key in told.index):
        predicted = told.xs((augmenter, data_size))
        mine = taught[(taught["data_size"] == data_size) & taught["augmenter"].isin(("none", augmenter))]
        for student, frame in mine.groupby("student"):
            measured = frame.groupby("degree")["distance"].mean().rename("measured")
            both = pd.concat([predicted, measured], axis=1).dropna()
            found = _compared(both)
            del found["predicted_over_measured"]
            lead = {"augmenter": augmenter, "data_size": data_size, "student": student}
            rows.append({**lead, **found, "replicates": frame["replicate"].nunique()})
    return pd.DataFrame(rows)


def sentence(found: pd.DataFrame) -> str:
    """How often the predicted best degree is within one grid step of the measured, and how well degrees are ranked."""
    near, ranks, lost = found["steps"] <= 1, found["rank"], found["regret"]
    return (
        f"the calculated best degree is within one grid step of the measured on {int(near.sum())} of {len(found)}"
        f" curves ({near.mean():.0%}); rank correlation over degrees: mean {ranks.mean():.2f}, median"
        f" {ranks.median():.2f}, least {ranks.min():.2f}, at least 0.8 on {(ranks >= 0.8).mean():.0%}; acting on it"
        f" loses {lost.mean():.1%} of the distance without a shift on average, {lost.max():.1%} at most"
    )
