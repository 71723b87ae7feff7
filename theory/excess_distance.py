"""What a ridge student's squared distance to the teacher will be, before any is fitted: a calculation, no guarantee.

Students that we do fit (ridge on features) against shift, data size and penalty, from moments of a pool of texts at
hand (PROOFS.md 9; `kdshift empirical excess`). The L1 bound of `theory.bounds` is the guarantee; this is the number to
act on. Legend of shapes: N texts of the pool, K copies of each, Q held-out originals, D features, C answers (classes).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from theory.errors import InputError
from theory.setting import Floats

ITERATIONS, TOLERANCE = 500, 1e-7


@dataclass(frozen=True, kw_only=True)
class Pool:
    """Shifted copies of N texts with the teacher's answers at one shift, and what a ridge student sees of them.

    features_NKD, answers_NKC: times the root of each copy's weight. moment_KKDD, cross_KKDC: mean products of features
    with features, and with answers, of every pair of a text's copies.
    """

    weight_K: Floats
    features_NKD: Floats
    answers_NKC: Floats
    moment_KKDD: Floats
    cross_KKDC: Floats

    @classmethod
    def of(cls, features_NKD: Floats, answers_NKC: Floats, weight_K: Floats | None = None) -> Pool:
        """The pool from K copies of every text, of weights that sum to one (None: alike).

        Raises InputError if the shapes do not fit, or for weights that are none.
        """
        if features_NKD.ndim != 3 or answers_NKC.ndim != 3 or features_NKD.shape[:2] != answers_NKC.shape[:2]:
            found = (features_NKD.shape, answers_NKC.shape)
            raise InputError("features, answers", found, "shapes (N, K, D) and (N, K, C)")
        texts, copies, width = features_NKD.shape
        weight = np.full(copies, 1 / copies) if weight_K is None else np.asarray(weight_K, dtype=float)
        if weight.shape != (copies,) or weight.min() < 0 or not np.isclose(weight.sum(), 1):
            raise InputError("weight", weight.tolist(), f"{copies} numbers >= 0 that sum to one")
        root = np.sqrt(weight)[:, None]
        x, y = root * features_NKD, root * answers_NKC
        moment = np.empty((copies, copies, width, width))
        cross = np.empty((copies, copies, width, y.shape[2]))
        for k in range(copies):
            for other in range(copies):
                moment[k, other] = x[:, k].T @ x[:, other] / texts if k <= other else moment[other, k].T
                cross[k, other] = x[:, k].T @ y[:, other] / texts
        return cls(weight_K=weight, features_NKD=x, answers_NKC=y, moment_KKDD=moment, cross_KKDC=cross)


@dataclass(frozen=True, kw_only=True)
class ExcessDistance:
    """E (h - g)^2 over originals, summed over answers, and its parts; they add up to `total`.

    `bias`: the student of unlimited texts with the same penalty (what the features cannot say, the penalty, and the
    covariate shift between copies and originals). `shrinkage`: what the mean student of n texts adds to it, having to
    shrink more; may be negative. `variance`: from one set of n texts to another. `effective_penalty`: the penalty over
    the share of its weight that a text keeps, having been fitted.
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

    The student minimises the mean over texts of the weighted sum over copies of |phi'c - g|^2, plus penalty |c|^2. A
    text with its copies is one block of K rows: fitting it leaves the share T (K, K) of its rows' weight, and T solves
    T = (I + (1/n) E Phi (M(T) + penalty)^-1 Phi')^-1 with M(T) = E Phi' T Phi (deterministic equivalent of a sample
    covariance of blocks; PROOFS.md 9). The mean student is the whole pool's under T, the variance comes from what it
    leaves of each text. Raises InputError for numbers out of range.
    """
    if not penalty > 0:
        raise InputError("penalty", penalty, "a number > 0")
    if not data_size >= 1:
        raise InputError("data_size", data_size, "a number >= 1")

    def distance(fitted_DC: Floats) -> float:
        return float(np.square(held_out_QD @ fitted_DC - held_out_answer_QC).mean(0).sum())

    whole = np.eye(len(pool.weight_K))
    kept_KK = _kept(pool, data_size, penalty)
    bias = distance(_student(pool, whole, penalty)[0])
    fitted_DC, inverse_DD = _student(pool, kept_KK, penalty)
    second_DD = held_out_QD.T @ held_out_QD / len(held_out_QD)
    root_K = np.sqrt(pool.weight_K)
    return ExcessDistance(
        bias=bias,
        shrinkage=distance(fitted_DC) - bias,
        variance=_variance(pool, kept_KK, fitted_DC, inverse_DD, second_DD, data_size),
        effective_penalty=float(penalty / (root_K @ kept_KK @ root_K)),
    )


def _inverse(pool: Pool, kept_KK: Floats, penalty: float) -> Floats:
    """(M(T) + penalty)^-1, shape (D, D)."""
    system = np.tensordot(kept_KK, pool.moment_KKDD, 2)
    return np.asarray(np.linalg.inv(system + penalty * np.eye(len(system))))


def _student(pool: Pool, kept_KK: Floats, penalty: float) -> tuple[Floats, Floats]:
    """The mean student of blocks that keep T, (D, C), and the inverse that makes it."""
    inverse_DD = _inverse(pool, kept_KK, penalty)
    return inverse_DD @ np.tensordot(kept_KK, pool.cross_KKDC, 2), inverse_DD


def _kept(pool: Pool, data_size: float, penalty: float) -> Floats:
    """T, by its fixed point from the identity; it falls monotonically."""
    copies, width = len(pool.weight_K), pool.moment_KKDD.shape[-1]
    flat = pool.moment_KKDD.reshape(copies * copies, width * width)
    kept: Floats = np.eye(copies)
    for _ in range(ITERATIONS):
        leverage = (flat @ _inverse(pool, kept, penalty).ravel()).reshape(copies, copies) / data_size
        new: Floats = np.linalg.inv(np.eye(copies) + (leverage + leverage.T) / 2)
        done = np.abs(new - kept).max() <= TOLERANCE * np.abs(new).max()
        kept = new
        if done:
            break
    return np.asarray(kept)


def _variance(
    pool: Pool, kept_KK: Floats, fitted_DC: Floats, inverse_DD: Floats, second_DD: Floats, data_size: float
) -> float:
    """tr[second Cov], Cov = (1/n) Q (Cov[Phi' T r] + E Phi' T X T Phi) Q with X = E Phi Cov Phi': linear in X."""
    texts, copies, width = pool.features_NKD.shape
    left_NKC = np.tensordot(kept_KK, pool.answers_NKC - pool.features_NKD @ fitted_DC, ((1,), (1,))).swapaxes(0, 1)
    # One class at a time: N x D numbers in memory, not N x D x C.
    own_DD = np.zeros((width, width))
    for left_NK in np.moveaxis(left_NKC, 2, 0):
        score_ND = np.matmul(left_NK[:, None], pool.features_NKD)[:, 0]
        moved_ND = (score_ND - score_ND.mean(0)) @ inverse_DD
        own_DD += moved_ND.T @ moved_ND / (texts * data_size)
    seen = (inverse_DD @ pool.moment_KKDD).reshape(copies * copies, width, width)
    spread = seen.reshape(len(seen), -1) @ seen.swapaxes(1, 2).reshape(len(seen), -1).T / data_size
    through = spread @ np.kron(kept_KK, kept_KK)
    start = pool.moment_KKDD.reshape(len(seen), -1) @ own_DD.ravel()
    fitted_away = np.linalg.solve(np.eye(len(seen)) - through, start).reshape(copies, copies)
    shared_DD = inverse_DD @ second_DD @ inverse_DD
    again = (kept_KK @ fitted_away @ kept_KK).ravel() @ (pool.moment_KKDD.reshape(len(seen), -1) @ shared_DD.ravel())
    return float(np.sum(second_DD * own_DD) + again / data_size)


def fit_ridge_copies(
    features_NKD: Floats, answers_NKC: Floats, *, penalty: float, weight_K: Floats | None = None
) -> Floats:
    """Coefficients (D, C) of the student that `excess_distance` speaks of, fitted: the oracle of the calculation."""
    texts, copies, width = features_NKD.shape
    weight = np.full(copies, 1 / copies) if weight_K is None else np.asarray(weight_K, dtype=float)
    flat = features_NKD.reshape(-1, width)
    weighted: npt.NDArray[np.float64] = (flat.T * np.tile(weight / texts, texts)).T
    system = flat.T @ weighted + penalty * np.eye(width)
    return np.asarray(np.linalg.solve(system, weighted.T @ answers_NKC.reshape(len(flat), -1)))
