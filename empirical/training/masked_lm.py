"""A masked language model made from an encoder and raw texts, for contextual augmentation where no hub is at hand.

Command: `kdshift empirical masked-lm --task tweets --out DIR`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from empirical.augment.changed_tokens import select_tokens
from empirical.augment.masked_model import logits_at
from empirical.config import ModelConfig
from empirical.models.classifier import load_tokenizer, source_of
from empirical.randomness import Draws, step_generator
from empirical.tokens.batch import Batch
from empirical.tokens.corpus import encode_corpus
from empirical.weights import quiet_loading
from theory.errors import InputError
from theory.progress_report import Progress

# From a batch, its masked places (B, L), the logits there (N, V) and randomness to a loss, a scalar
MaskedLoss = Callable[[Batch, NDArray[np.bool_], Tensor, np.random.Generator], Tensor]
MASKED = 0.15  # share of the eligible tokens, as BERT was trained
WARM = 0.1  # share of the steps with a rising learning rate


def train_masked_model(
    config: ModelConfig,
    text_a: Sequence[str],
    out: Path,
    *,
    steps: int,
    batch_size: int = 32,
    learning_rate: float = 5e-4,
    max_length: int = 128,
    seed: int = 0,
    progress: Progress | None = None,
) -> float:
    """Train an encoder to fill masked tokens of these texts and write it, with its tokenizer, to `out`.

    config: whose encoder (and, if it has one, masked-LM head) to begin with; a missing head is fresh.
    Returns the mean loss of the last tenth of the steps, in nats a masked token.

    Raises:
        InputError: no such encoder, or a tokenizer without a mask token.
    """

    def loss_with(model: Any, tokenizer: Any) -> MaskedLoss:
        def loss(batch: Batch, place_BL: NDArray[np.bool_], logits_NV: Tensor, rng: np.random.Generator) -> Tensor:
            target_N = torch.from_numpy(batch.ids_BL[place_BL].astype(np.int64)).to(logits_NV.device)
            return torch.nn.functional.cross_entropy(logits_NV, target_N)

        return loss

    losses = train_on_masks(
        config, text_a, out, loss_with, share=MASKED, steps=steps, batch_size=batch_size, learning_rate=learning_rate,
        max_length=max_length, seed=seed, progress=progress, allowed="an encoder whose tokenizer has a mask token",
    )  # fmt: skip
    return float(np.mean(losses[-max(1, len(losses) // 10) :]))


def train_on_masks(
    config: ModelConfig,
    text_a: Sequence[str],
    out: Path,
    loss_with: Callable[[Any, Any], MaskedLoss],
    *,
    share: float,
    steps: int,
    batch_size: int,
    learning_rate: float,
    max_length: int,
    seed: int,
    progress: Progress | None,
    allowed: str,
) -> list[float]:
    """Train a masked language model on masked texts, write it with its tokenizer to `out`; the losses, in order.

    loss_with: function from model and tokenizer to the loss of a batch. share: of the eligible tokens that are masked.
    allowed: what a model has to be, for the error.

    Raises:
        InputError: no such model, or a tokenizer without a mask token.
    """
    tokenizer = load_tokenizer(config)
    if tokenizer.mask_token_id is None:
        raise InputError("model", config.name, allowed)
    corpus = encode_corpus(tokenizer, text_a, None, max_length)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(step_generator(seed, 0, Draws.INITIAL_WEIGHTS).integers(2**62)))
        model = fillable(source_of(config))
        loss = loss_with(model, tokenizer)

        def loss_of(step: int) -> Tensor | None:
            rng = step_generator(seed, step, Draws.ORDER)
            batch = corpus.batch(rng.integers(0, len(corpus), batch_size))
            place_BL = select_tokens(batch.eligible_BL, share, rng)
            if not place_BL.any():
                return None
            return loss(batch, place_BL, logits_at(model, batch, place_BL, tokenizer.mask_token_id), rng)

        losses = fit(model, loss_of, steps=steps, learning_rate=learning_rate, progress=progress)
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    return losses


def fit(
    model: torch.nn.Module,
    loss_of: Callable[[int], Tensor | None],
    *,
    steps: int,
    learning_rate: float,
    progress: Progress | None = None,
) -> list[float]:
    """Minimise the loss of each step, a scalar (None: the step is left out) by AdamW; the losses, in order."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / max(1.0, WARM * steps)) * (1 - step / steps)
    )
    losses: list[float] = []
    for step in range(steps):
        if (loss := loss_of(step)) is not None:
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            losses.append(float(loss.detach()))
        if progress is not None:
            progress("masked-lm", step + 1, steps)
    return losses


def fillable(source: str) -> Any:
    """The encoder with a masked-LM head on the GPU if there is one, in training mode."""
    from transformers import AutoModelForMaskedLM

    try:
        with quiet_loading():
            model = AutoModelForMaskedLM.from_pretrained(source, use_safetensors=True)
    except (OSError, ValueError, KeyError) as error:
        raise InputError("model", source, "`minilm`, or an encoder on this machine or on the hub") from error
    return model.to("cuda" if torch.cuda.is_available() else "cpu").train()
