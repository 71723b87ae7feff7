"""What a ridge student's squared distance to the teacher will be, before any is fitted: a calculation, no guarantee.

Students that we do fit (ridge on features) against shift, data size and penalty, from moments of a pool of texts at
hand (PROOFS.md 9). The L1 bound of `theory.bounds` is the guarantee; this is the number to act on. Legend of shapes: N
texts of the pool, Q held-out originals, D features, C answers (classes).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from theory.errors import InputError
from theory.setting import Floats


@dataclass(frozen=True, kw_only=True)
class Pool:
    """Shifted copies of N texts with the teacher's answers at one shift, reduced to what a ridge student sees of them.

    mean_ND, answer_NC: means over a text's copies. within_DD, cross_DC: covariance of features, and of features with
    answers, within a text, averaged over texts (both over the copies that a student gets, so nothing is corrected).
    """

    mean_ND: Floats
    answer_NC: Floats
    within_DD: Floats
    cross_DC: Floats

    @classmethod
    def of(cls, features_NKD: Floats, answers_NKC: Floats) -> Pool:
        """The pool from K copies of every text; InputError if the shapes do not fit."""
        if features_NKD.ndim != 3 or answers_NKC.ndim != 3 or features_NKD.shape[:2] != answers_NKC.shape[:2]:
            found = (features_NKD.shape, answers_NKC.shape)
            raise InputError("features, answers", found, "shapes (N, K, D) and (N, K, C)")
        mean, answer = features_NKD.mean(1), answers_NKC.mean(1)
        count, copies = features_NKD.shape[:2]
        apart = (features_NKD - mean[:, None]).reshape(count * copies, -1)
        spread = (answers_NKC - answer[:, None]).reshape(count * copies, -1)
        return cls(
            mean_ND=mean,
            answer_NC=answer,
            within_DD=apart.T @ apart / len(apart),
            cross_DC=apart.T @ spread / len(apart),
        )


@dataclass(frozen=True, kw_only=True)
class ExcessDistance:
    """E (h - g)^2 over originals, summed over answers, and its parts; they add up to `total`.

    `bias`: the student of unlimited texts with the same penalty (what the features cannot say, the penalty, and the
    covariate shift between copies and originals). `shrinkage`: what the mean student of n texts adds to it, having to
    shrink more; may be negative. `variance`: from one set of n texts to another.
    """

    bias: float
    shrinkage: float
    variance: float
    effective_penalty: float

    @property
    def total(self) -> float:
        """The predicted squared distance."""
        return self.bias + self.shrinkage + self.variance


def excess_distance(
    pool: Pool, held_out_QD: Floats, held_out_answer_QC: Floats, *, data_size: float, penalty: float
) -> ExcessDistance:
    """The squared distance that a ridge student of `data_size` texts will have on held-out originals.

    The student minimises the mean over texts and copies of |phi'c - g|^2 + penalty |c|^2. A text's copies act as one
    example, its mean, under the penalty matrix `within + penalty I` (Lin et al. 2022 call it spectral manipulation); a
    sample of n texts acts as the whole pool under that penalty times kappa >= 1 (deterministic equivalent of ridge
    regression, test features of another covariance as in Canatar et al. 2021). Raises InputError for numbers <= 0.
    """
    if not penalty > 0:
        raise InputError("penalty", penalty, "a number > 0")
    if not data_size >= 1:
        raise InputError("data_size", data_size, "a number >= 1")
    root = np.linalg.cholesky(pool.within_DD + penalty * np.eye(len(pool.within_DD)))
    white, test = (np.linalg.solve(root, x.T).T for x in (pool.mean_ND, held_out_QD))
    start = np.linalg.solve(root, pool.cross_DC)
    target = pool.answer_NC - white @ start
    values, vectors = np.linalg.eigh(white.T @ white / len(white))
    values = np.maximum(values, 0.0)
    white, test, start = white @ vectors, test @ vectors, vectors.T @ start
    moment = white.T @ target / len(white)
    kappa = _effective_penalty(values, data_size)
    signal = np.where(values[:, None] > 1e-12 * values.max(), moment / np.maximum(values, 1e-300)[:, None], 0.0)
    noise = np.square(target - white @ signal).mean(0).sum()

    def distance(level: float) -> float:
        fitted = start + moment / (values + level)[:, None]
        return float(np.square(test @ fitted - held_out_answer_QC).mean(0).sum())

    shrunk = kappa / (values + kappa)
    missed = float((np.square(shrunk)[:, None] * values[:, None] * np.square(signal)).sum())
    share = float(np.square(1 - shrunk).sum() / data_size)
    moved = float((np.square(test).mean(0) * values / np.square(values + kappa)).sum() / data_size)
    bias = distance(1.0)
    return ExcessDistance(
        bias=bias,
        shrinkage=distance(kappa) - bias,
        variance=moved / max(1 - share, 1e-9) * (float(noise) + missed),
        effective_penalty=kappa * penalty,
    )


def _effective_penalty(values_D: Floats, data_size: float) -> float:
    """kappa = 1 + (kappa/n) sum v/(v + kappa): its root, by bisection in ln kappa."""
    low, high = 0.0, float(np.log1p(values_D.sum() / data_size))
    for _ in range(100):
        middle = (low + high) / 2
        kappa = np.exp(middle)
        above = kappa < 1 + (kappa / (values_D + kappa) * values_D).sum() / data_size
        low, high = (middle, high) if above else (low, middle)
    return float(np.exp(high))


def fit_ridge_copies(features_NKD: Floats, answers_NKC: Floats, *, penalty: float) -> Floats:
    """Coefficients (D, C) of the student that `excess_distance` speaks of, fitted: the oracle of the calculation."""
    flat = features_NKD.reshape(-1, features_NKD.shape[-1])
    answers = answers_NKC.reshape(len(flat), -1)
    system: npt.NDArray[np.float64] = flat.T @ flat / len(flat) + penalty * np.eye(flat.shape[1])
    return np.asarray(np.linalg.solve(system, flat.T @ answers / len(flat)))
