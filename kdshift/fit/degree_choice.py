"""Does shifting pay for these texts, and how far: light students at every degree, paired with the one at none.

Distances to the teacher decide (semantics 7 of the design), accuracy stands beside. A replicate is a student of its
own, on texts that no other one is scored on. Shapes: R replicates, K degrees, N texts, S students, C classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import softmax
from torch import Tensor

from empirical.models.static import Half, Stack, initial, mean_embeddings, train_stack
from empirical.randomness import Draws, step_generator
from empirical.tokens.corpus import Corpus
from kdshift.fit.scoring import distance, log_loss
from theory.inference.contrast import greatest, simultaneous

GAMMA, ALPHA = 0.5, 0.1
STEPS, BATCH = 600, 32


@dataclass(frozen=True, kw_only=True)
class Replicate:
    """One paired comparison. row_N: texts trained on. held_N: validation texts. scored_N: texts it is scored on.

    answer_NC: the teacher's logits of all texts that it may learn from and is compared with. apart: the scored fold
    whose teachers these are; None: all teachers'.
    """

    row_N: NDArray[np.int64]
    held_N: NDArray[np.int64]
    scored_N: NDArray[np.int64]
    answer_NC: NDArray[np.float32]
    apart: int | None
    seed: int


@dataclass(frozen=True, kw_only=True)
class CopiesAt:
    """Copies at one degree: their texts, the text each is of, and for each replicate the answers it may learn from."""

    corpus: Corpus
    origin_P: NDArray[np.int64]
    answer_RPC: list[NDArray[np.float32]]
    realised: float


@dataclass(frozen=True, kw_only=True)
class DegreeCurve:
    """What light students say. degrees: K + 1 of them, 0 first. distance, accuracy: (R, K + 1); accuracy may be NaN."""

    augmenter: str
    degrees: tuple[float, ...]
    realised: tuple[float, ...]
    distance: NDArray[np.float64]
    accuracy: NDArray[np.float64]

    def recommendation(self) -> dict[str, Any]:
        """The degree of the smallest distance with its gain over none, simultaneous over all degrees, and a verdict."""
        found = simultaneous(self.distance[:, :1] - self.distance[:, 1:])
        best = greatest(found)
        at = int(np.argmax(found.effect))
        points = (float("nan"),) * 3
        if np.isfinite(self.accuracy).all():
            accuracy = simultaneous(100 * (self.accuracy[:, 1:] - self.accuracy[:, :1]))
            points = (float(accuracy.effect[at]), float(accuracy.low[at]), float(accuracy.high[at]))
        if best.low > 0:
            verdict = "supported"
        elif best.high < 0:
            verdict = "contradicted"
        else:
            verdict = "undecided"
        none = float(self.distance[:, 0].mean())
        return {
            "augmenter": self.augmenter,
            "degree": self.degrees[at + 1] if best.effect > 0 else 0.0,
            "gain": best.effect,
            "low": best.low,
            "high": best.high,
            "verdict": verdict,
            "distance_none": none,
            "share": best.effect / none,
            **dict(zip(("points", "points_low", "points_high"), points, strict=True)),
            "replicates": len(self.distance),
        }

    def gains(self) -> list[tuple[float, float, float]]:
        """Gain over none in distance at every positive degree, with its interval, simultaneous over the degrees."""
        found = simultaneous(self.distance[:, :1] - self.distance[:, 1:])
        return list(zip(found.effect.tolist(), found.low.tolist(), found.high.tolist(), strict=True))

    def without(self, replicate: int) -> float:
        """The degree of the smallest mean distance over all replicates but this one: chosen without its texts."""
        mean_K = np.delete(self.distance, replicate, axis=0).mean(axis=0)
        return float(self.degrees[int(np.argmin(mean_K))])


class LightStudents:
    """Static students of all replicates, trained as one stack a degree on means of frozen embeddings.

    Each replicate has teachers of its own, so the texts stand once for each of them: text i of replicate r is row
    r * N + i.
    """

    def __init__(
        self,
        corpus: Corpus,
        embeddings_VD: NDArray[np.float32],
        label_N: NDArray[np.int64],
        replicates: list[Replicate],
    ) -> None:
        self.embeddings_VD, self.replicates, self.label_N = embeddings_VD, replicates, label_N
        raw_ND = mean_embeddings(corpus, np.arange(len(corpus)), embeddings_VD)
        self.centre_D, self.scale_D = raw_ND.mean(axis=0), raw_ND.std(axis=0) + 1e-6
        self.x_ND = torch.from_numpy((raw_ND - self.centre_D) / self.scale_D)

    def outcomes(self, copies: CopiesAt | None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Distance to the teacher and accuracy of each replicate's student, both (R,), with these copies or none."""
        logits_RNC = self._stack(copies).logits(self.x_ND).numpy()
        scores = [self._scores(*pair) for pair in zip(self.replicates, logits_RNC, strict=True)]
        return np.array([score[0] for score in scores]), np.array([score[1] for score in scores])

    def _stack(self, copies: CopiesAt | None) -> Stack:
        """A trained student for each replicate."""
        classes = self.replicates[0].answer_NC.shape[1]
        weights = initial([replicate.seed for replicate in self.replicates], self.x_ND.shape[1], classes)
        # Without copies a student sees twice the originals, so that both arms take as many texts a step.
        share = 1.0 if copies is None else GAMMA
        size = BATCH if copies is not None else 2 * BATCH
        answers = [replicate.answer_NC for replicate in self.replicates]
        rows = [replicate.row_N for replicate in self.replicates]
        halves = [self._half(self.x_ND, answers, self.label_N, rows, ALPHA, share, size, Draws.LIGHT_STUDENT)]
        if copies is not None:
            halves.append(self._shifted(copies))
        return train_stack(weights, halves, self._validate, self.x_ND, steps=STEPS)

    def held_losses(self) -> NDArray[np.float64]:
        """Log loss on each replicate's labelled validation texts, (R,), of students without copies."""
        logits_RNC = self._stack(None).logits(self.x_ND).numpy()
        losses = []
        for replicate, logits_NC in zip(self.replicates, logits_RNC, strict=True):
            held_N = replicate.held_N
            losses.append(log_loss(softmax(logits_NC[held_N], axis=1), self.label_N[held_N]))
        return np.array(losses)

    def _shifted(self, copies: CopiesAt) -> Half:
        raw_PD = mean_embeddings(copies.corpus, np.arange(len(copies.corpus)), self.embeddings_VD)
        x_PD = torch.from_numpy((raw_PD - self.centre_D) / self.scale_D)
        label_P = self.label_N[copies.origin_P]
        rows = [np.flatnonzero(np.isin(copies.origin_P, replicate.row_N)) for replicate in self.replicates]
        return self._half(x_PD, copies.answer_RPC, label_P, rows, 0.0, 1 - GAMMA, BATCH, Draws.CHOICE)

    def _half(
        self,
        x_ND: Tensor,
        answers: list[NDArray[np.float32]],
        label_N: NDArray[np.int64],
        rows: list[NDArray[np.int64]],
        alpha: float,
        share: float,
        size: int,
        stream: Draws,
    ) -> Half:
        """One half of the loss of all replicates. Texts without a label take part with the teacher's own class."""
        count = len(x_ND)
        labels = [np.where(label_N >= 0, label_N, _classes(answer_NC)) for answer_NC in answers]

        def draw(step: int) -> Tensor:
            drawn = []
            for number, (replicate, row_M) in enumerate(zip(self.replicates, rows, strict=True)):
                rng = step_generator(replicate.seed, step, stream)
                drawn.append(number * count + row_M[rng.integers(0, len(row_M), size)])
            return torch.from_numpy(np.stack(drawn))

        return Half(
            row=draw,
            x=x_ND.repeat(len(answers), 1),
            target=torch.from_numpy(np.nan_to_num(np.concatenate(answers))),
            label=torch.from_numpy(np.concatenate(labels)),
            alpha=alpha,
            share=share,
        )

    def _validate(self, logits_RNC: Tensor) -> Tensor:
        """Squared distance of logits to the teacher on each replicate's own validation texts."""
        losses = []
        for replicate, logits_NC in zip(self.replicates, logits_RNC, strict=True):
            target_MC = torch.from_numpy(replicate.answer_NC[replicate.held_N])
            losses.append((logits_NC[torch.from_numpy(replicate.held_N)] - target_MC).square().mean())
        return torch.stack(losses)

    def _scores(self, replicate: Replicate, logits_NC: NDArray[np.float32]) -> tuple[float, float]:
        row_M = replicate.scored_N
        p_MC, q_MC = softmax(logits_NC[row_M], axis=1), softmax(replicate.answer_NC[row_M], axis=1)
        labelled_M = self.label_N[row_M] >= 0
        right_M = (p_MC.argmax(axis=1) == self.label_N[row_M])[labelled_M]
        return float(distance(p_MC, q_MC).mean()), float(right_M.mean()) if len(right_M) else float("nan")


def _classes(answer_NC: NDArray[np.float32]) -> NDArray[np.int64]:
    return np.asarray(np.nan_to_num(answer_NC, nan=-np.inf).argmax(axis=1), dtype=np.int64)


def measure(
    students: LightStudents,
    augmenter: str,
    copies_at: Mapping[float, Callable[[], CopiesAt]],
    tick: Callable[[str], None] | None = None,
) -> DegreeCurve:
    """The curve over none and the degrees of `copies_at`, whose copies are made and answered as they are needed."""
    columns = [students.outcomes(None)]
    realised = [0.0]
    for degree, make in copies_at.items():
        if tick:
            tick(f"{augmenter} {degree:.0%}")
        copies = make()
        columns.append(students.outcomes(copies))
        realised.append(copies.realised)
    return DegreeCurve(
        augmenter=augmenter,
        degrees=(0.0, *copies_at),
        realised=tuple(realised),
        distance=np.stack([column[0] for column in columns], axis=1),
        accuracy=np.stack([column[1] for column in columns], axis=1),
    )
