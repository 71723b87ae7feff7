"""MATE-KD's generator: a masked language model trained to fill gaps where student and teacher part (Rashid, ACL 2021).

Command: `kdshift empirical masked-lm --model MLM --teacher DIR --student DIR --out GENERATOR`, then
`kdshift empirical distill --augmenter mate-kd --language-model GENERATOR`.

The generator's words at masked places are Gumbel-softmax samples, one word forward and a mixture of embeddings
backward, so that the divergence of the student from the teacher has a gradient in the generator. The paper takes turns
between generator and student; here each turn is a command, and the student of one turn is fixed throughout.
Shape suffixes: B texts, L tokens, N masked places, V token ids, D embedding width.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from empirical.config import ModelConfig
from empirical.models.classifier import arguments, load_classifier, load_tokenizer
from empirical.tokens.batch import Batch
from empirical.tokens.codec import Codec
from empirical.training.loss import distance
from empirical.training.masked_lm import MaskedLoss, train_on_masks
from theory.errors import InputError
from theory.progress_report import Progress

TEMPERATURE = 1.0  # of the Gumbel-softmax


def gumbel_words(logits_NV: Tensor, closed_V: Tensor, rng: np.random.Generator) -> Tensor:
    """Straight-through Gumbel-softmax samples, one-hot of shape (N, V), never a closed token.

    closed_V: bool, tokens that may not be drawn. rng: the noise, drawn on the CPU.
    """
    noise = -np.log(-np.log(rng.random(tuple(logits_NV.shape)).clip(1e-12, 1 - 1e-12)))
    noisy_NV = logits_NV + torch.from_numpy(noise.astype(np.float32)).to(logits_NV.device)
    soft_NV = torch.softmax(noisy_NV.masked_fill(closed_V, -torch.inf) / TEMPERATURE, dim=1)
    hard_NV = F.one_hot(soft_NV.argmax(dim=1), logits_NV.shape[1]).to(soft_NV.dtype)
    return hard_NV + soft_NV - soft_NV.detach()


def gap(teacher: Any, student: Any, batch: Batch, place_BL: NDArray[np.bool_], words_NV: Tensor) -> Tensor:
    """KL(teacher || student) of texts with these words at the marked places, the mean over texts, a scalar."""
    outputs = [_logits(model, batch, place_BL, words_NV) for model in (teacher, student)]
    return distance(outputs[1], outputs[0], "kl").mean()


def _logits(model: Any, batch: Batch, place_BL: NDArray[np.bool_], words_NV: Tensor) -> Tensor:
    inputs = arguments(model, batch, words_NV.device)
    table_VD = model.get_input_embeddings().weight
    own_BLD = F.embedding(inputs.pop("input_ids"), table_VD)
    chosen = torch.from_numpy(place_BL).to(words_NV.device)
    new_ND = words_NV[:, : len(table_VD)] @ table_VD
    logits_BC: Tensor = model(inputs_embeds=own_BLD.masked_scatter(chosen[:, :, None], new_ND), **inputs).logits
    return logits_BC.float()


def train_generator(
    config: ModelConfig,
    teacher: str,
    student: str,
    text_a: Sequence[str],
    out: Path,
    *,
    degree: float = 0.3,
    steps: int = 100,
    batch_size: int = 32,
    learning_rate: float = 5e-5,
    max_length: int = 128,
    seed: int = 0,
    progress: Progress | None = None,
) -> tuple[float, float]:
    """Train a masked language model against a teacher and a student and write it, with its tokenizer, to `out`.

    config: the masked language model to begin with. teacher, student: directories of trained classifiers with the same
    tokenizer. degree: share of the eligible tokens that are masked.
    Returns the mean gap, in nats a text, of the first and of the last tenth of the steps.

    Raises:
        InputError: a model that is not to be had, another tokenizer, a classifier that takes no embeddings.
    """

    def loss_with(model: Any, tokenizer: Any) -> MaskedLoss:
        judges = [_judge(name, source, tokenizer, model.device) for name, source in _named(teacher, student)]
        closed_V = _closed(tokenizer, int(model.config.vocab_size), model.device)

        def loss(batch: Batch, place_BL: NDArray[np.bool_], logits_NV: Tensor, rng: np.random.Generator) -> Tensor:
            return -gap(judges[0], judges[1], batch, place_BL, gumbel_words(logits_NV, closed_V, rng))

        return loss

    losses = train_on_masks(
        config, text_a, out, loss_with, share=degree, steps=steps, batch_size=batch_size, learning_rate=learning_rate,
        max_length=max_length, seed=seed, progress=progress,
        allowed="a masked language model, whose tokenizer has a mask token",
    )  # fmt: skip
    tenth = max(1, len(losses) // 10)
    return -float(np.mean(losses[:tenth])), -float(np.mean(losses[-tenth:]))


def _named(teacher: str, student: str) -> tuple[tuple[str, str], ...]:
    return ("teacher", teacher), ("student", student)


def _judge(argument: str, source: str, tokenizer: Any, device: torch.device) -> Any:
    if load_tokenizer(ModelConfig(name=source)).get_vocab() != tokenizer.get_vocab():
        raise InputError(argument, source, "a classifier with the tokenizer of the masked language model")
    model = load_classifier(source)
    torch.nn.Module.to(model, device)
    return model.eval().requires_grad_(False)


def _closed(tokenizer: Any, size: int, device: torch.device) -> Tensor:
    closed_V = torch.ones(size, dtype=torch.bool)
    ordinary_V = Codec.of(tokenizer).vocabulary.ordinary_V
    closed_V[: len(ordinary_V)] = torch.from_numpy(~ordinary_V)
    return closed_V.to(device)
