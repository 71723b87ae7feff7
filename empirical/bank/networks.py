"""Whether light students' best degree carries over: a BiLSTM or a two-layer encoder trained to convergence on a bank.

The checks of a study of `kdshift empirical curves`. Shapes: N texts, B texts of a batch, L tokens, C classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from empirical.bank.arms import Bench, TrainingSet
from empirical.bank.light import Job, Row, arm_generator, epochs, table_row
from empirical.bank.study import Check, Study
from empirical.config import TrainConfig
from empirical.models.classifier import arguments, build_model
from empirical.tokens.batch import Batch
from empirical.tokens.corpus import Corpus
from empirical.training.loss import half_loss
from empirical.training.optimizer import learning_rate, make_optimizer, set_learning_rate

LOOKS = 10  # looks at validation along the training, the best of which is kept
EVALUATED = 128  # texts of a forward pass without a gradient
PADDING = -1


class TokenInputs:
    """Texts as a network sees them: int32 rows of 2 * id + segment, padded with -1 to `width` tokens."""

    def __init__(self, width: int) -> None:
        self.width = width

    def __call__(self, corpus: Corpus, index_N: NDArray[np.integer]) -> NDArray[np.int32]:
        batch = corpus.batch(index_N)
        rows_NL = np.full((len(index_N), self.width), PADDING, dtype=np.int32)
        ids_NL = np.where(batch.mask_BL, 2 * batch.ids_BL + batch.segment_BL, PADDING)
        rows_NL[:, : ids_NL.shape[1]] = ids_NL
        return rows_NL

    def stack(self, parts: list[NDArray[np.int32]]) -> NDArray[np.int32]:
        return np.concatenate(parts)


def batch_of(rows_BL: NDArray[np.int32], pad_id: int) -> Batch:
    """Rows of `TokenInputs` as a batch, padded to the longest of them."""
    length = int((rows_BL != PADDING).sum(axis=1).max())
    rows_BL = rows_BL[:, :length]
    mask_BL = rows_BL != PADDING
    return Batch(
        ids_BL=np.where(mask_BL, rows_BL // 2, np.int32(pad_id)),
        mask_BL=mask_BL,
        eligible_BL=np.zeros_like(mask_BL),
        segment_BL=np.where(mask_BL, rows_BL % 2, 0).astype(np.int8),
    )


def fit_network(jobs: Sequence[Job], bench: Bench, study: Study, check: Check) -> list[Row]:
    """The outcomes of networks, one a job, on the check's share of the test texts."""
    return [_fitted(job, bench, study, check) for job in jobs]


def _fitted(job: Job, bench: Bench, study: Study, check: Check) -> Row:
    data = bench.training_set(job.arm, job.replicate, job.own_N, job.targets)
    seed = int(arm_generator(study, job).integers(2**31))
    with torch.random.fork_rng(devices=[]):
        model = build_model(check.model(study.teacher), bench.bank.task.labels, seed)
        torch.manual_seed(seed)  # dropout
        at_edge = _train(model, job, data, bench, study, check)
    chosen_T = spread(len(bench.test), check.test_size)
    logits_TC = _logits(model, bench.test[chosen_T], bench.bank.tokenizer.pad_token_id)
    return table_row(job, logits_TC, bench, at_edge, chosen_T)


def spread(total: int, count: int | None) -> NDArray[np.int64]:
    """Places of `count` of `total` texts, evenly apart, as a split may stand in its sources' order; (count,)."""
    return np.unique(np.linspace(0, total - 1, min(count or total, total)).round().astype(np.int64))


def _train(model: Any, job: Job, data: TrainingSet, bench: Bench, study: Study, check: Check) -> bool:
    """Train to the best of ten looks at validation; whether that was the last one."""
    pad_id = bench.bank.tokenizer.pad_token_id
    config = TrainConfig(steps=check.steps, batch_size=check.batch_size, learning_rate=check.learning_rate)
    optimizer = make_optimizer(model, config)
    held_V = spread(len(bench.validation), check.validation_size)
    target_VC = job.targets.evaluation("validation")[held_V]
    rng = arm_generator(study, job)
    rng.integers(2**31)
    row_TB = epochs(len(data.label_N), check.steps, check.batch_size, rng)
    size, more_TB = len(data.label_N), None
    if data.further % size:  # not every original has a copy
        more_TB = epochs(data.further, check.steps, check.batch_size, rng)
    elif data.further:
        more_TB = row_TB + size * rng.integers(data.further // size, size=row_TB.shape)
    best, best_state, best_step = np.inf, _state(model), 0
    every = max(1, check.steps // LOOKS)
    for step in range(check.steps):
        set_learning_rate(optimizer, learning_rate(config, step))
        model.train()
        optimizer.zero_grad()
        _loss(model, data, row_TB[step], None if more_TB is None else more_TB[step], study, pad_id).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if (step + 1) % every == 0 or step + 1 == check.steps:
            found = float(np.square(_logits(model, bench.validation[held_V], pad_id) - target_VC).mean())
            if found < best:
                best, best_state, best_step = found, _state(model), step + 1
    model.load_state_dict(best_state, strict=False)
    return best_step == check.steps


def _state(model: Any) -> dict[str, torch.Tensor]:
    """A copy of what is trained."""
    return {name: value.detach().clone() for name, value in model.named_parameters() if value.requires_grad}


def _loss(
    model: Any,
    data: TrainingSet,
    row_B: NDArray[np.int64],
    more_B: NDArray[np.int64] | None,
    study: Study,
    pad_id: int,
) -> torch.Tensor:
    """The loss of section 2 on a batch: originals, and as many copies where the arm has them."""
    rows = data.x[row_B] if more_B is None else np.concatenate([data.x[row_B], data.more[more_B]])
    output = model(**arguments(model, batch_of(rows, pad_id))).logits
    size, gamma = len(row_B), 1.0 if more_B is None else study.gamma
    label_B, target_BC = torch.from_numpy(data.label_N[row_B]), torch.from_numpy(data.target_NC[row_B])
    loss = gamma * half_loss(output[:size], label_B, target_BC, study.alpha) / size
    if more_B is not None:
        target_BC = torch.from_numpy(data.more_target_MC[more_B])
        loss = loss + (1 - gamma) * half_loss(output[size:], label_B, target_BC, 0.0) / size
    return loss


def _logits(model: Any, rows_NL: NDArray[np.int32], pad_id: int) -> NDArray[np.float32]:
    """Logits without a gradient, shape (N, C), in batches sorted by length."""
    model.eval()
    order = np.argsort((rows_NL != PADDING).sum(axis=1), kind="stable")
    output: NDArray[np.float32] | None = None
    with torch.inference_mode():
        for start in range(0, len(order), EVALUATED):
            place_B = order[start : start + EVALUATED]
            found_BC = model(**arguments(model, batch_of(rows_NL[place_B], pad_id))).logits.numpy()
            if output is None:
                output = np.empty((len(rows_NL), found_BC.shape[1]), dtype=np.float32)
            output[place_B] = found_BC
    assert output is not None, "no texts"
    return output
