"""A fine-tuned teacher at work: in evaluation and inference mode, its labels in the task's order, its outputs kept.

Outputs are kept for original texts only, under the teacher's weights and the texts' token ids; augmented texts are
scored afresh at every step. Shapes: B texts, N texts of the training subset, C classes.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import PreTrainedModel

from empirical.metric import confusion
from empirical.models.classifier import arguments, weights_hash
from empirical.models.precision import mixed
from empirical.tokens.batch import Batch
from empirical.tokens.codec import tokenizer_key
from empirical.tokens.corpus import Corpus
from theory.errors import InputError
from theory.progress_report import Progress
from theory.replacing import replacing

logger = logging.getLogger(__name__)

CACHE_BATCH = 64  # texts scored at a time where the order is free
AUDIT_TEXTS = 512  # texts that audit a teacher whose label names say nothing


class Teacher:
    """A classifier that is only asked for logits.

    key: the name of the tokenizer it reads. hash: a name for its weights and the order of its outputs.
    column_C: for each class of the task, the teacher's own output that stands for it.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: Any,
        labels: Sequence[str],
        *,
        device: torch.device | str = "cpu",
        precision: str = "fp32",
    ) -> None:
        self.tokenizer, self.key = tokenizer, tokenizer_key(tokenizer)
        self.device = torch.device(device)
        self.precision = precision
        order = label_order(model, labels)
        self.named = order is not None
        self.column_C = list(range(len(labels))) if order is None else order
        self.model = model
        torch.nn.Module.to(self.model, self.device)
        self.model.train(False).requires_grad_(False)
        self.hash = hashlib.sha256(f"{weights_hash(model)}{self.column_C}".encode()).hexdigest()[:16]
        self.calls = 0

    def logits(self, batch: Batch) -> Tensor:
        """Logits of shape (B, C) in the task's label order, float32, on the teacher's device, outside any graph."""
        assert not self.model.training, "a teacher with dropout on gives noise for targets"
        self.calls += len(batch)
        with torch.inference_mode(), mixed(self.device, self.precision):
            output_BC: Tensor = self.model(**arguments(self.model, batch, self.device)).logits
        return output_BC.float().clone()[:, self.column_C]

    def numpy_logits(self, batch: Batch) -> NDArray[np.float32]:
        """The same as an array, for filters that look at the teacher's entropy."""
        return self.logits(batch).cpu().numpy()

    def kept_logits(
        self,
        corpus: Corpus,
        index_M: NDArray[np.int64],
        folder: Path | None = None,
        progress: Progress | None = None,
    ) -> Tensor:
        """Logits of these original texts, shape (N, C) with NaN in the rows of all others, computed once.

        They are scored in batches sorted by length, so that their last bits depend on the texts and the teacher alone.
        folder: where they are kept, under a name made of the teacher's hash, its precision and the token ids.
        """
        table_NC = torch.full((len(corpus), len(self.column_C)), torch.nan)
        file = None if folder is None else folder / f"{self.hash}-{self.precision}-{corpus.digest(index_M)}.safetensors"
        kept_MC = None if file is None else _read(file, (len(index_M), len(self.column_C)))
        if kept_MC is not None:
            table_NC[index_M] = kept_MC
            return table_NC.to(self.device)
        batches = corpus.by_length(index_M, CACHE_BATCH)
        for number, index_B in enumerate(batches):
            table_NC[index_B] = self.logits(corpus.batch(index_B)).cpu()
            if progress:
                progress("score originals", number + 1, len(batches))
        if file is not None:
            _write(file, table_NC[index_M])
        return table_NC.to(self.device)

    def confusion(self, corpus: Corpus, label_M: NDArray[np.int64]) -> NDArray[np.int64]:
        """Counts of shape (C, C), row the label, column the answer, on the first M texts."""
        predicted_M = np.empty(len(label_M), dtype=np.int64)
        for index_B in corpus.by_length(np.arange(len(label_M)), CACHE_BATCH):
            predicted_M[index_B] = self.logits(corpus.batch(index_B)).argmax(dim=1).cpu().numpy()
        return confusion(label_M, predicted_M, len(self.column_C))

    def audit(self, corpus: Corpus, label_N: NDArray[np.int64]) -> float:
        """Accuracy on (some of) these texts; a teacher whose nameless labels are in another order is refused.

        Raises:
            InputError: another assignment of the teacher's outputs to the classes fits far better.
        """
        from scipy.optimize import linear_sum_assignment

        index_N = np.arange(min(AUDIT_TEXTS, len(corpus)))
        count_CC = self.confusion(corpus, label_N[index_N])
        row_C, column_C = linear_sum_assignment(-count_CC)
        right, best = int(np.trace(count_CC)), int(count_CC[row_C, column_C].sum())
        if not self.named and best - right > 3 * np.sqrt(best) + 0.05 * len(index_N):
            found = f"{right / len(index_N):.0%} accuracy as they are, {best / len(index_N):.0%} as {column_C.tolist()}"
            raise InputError(
                "teacher's labels", found, "a teacher whose label names are the task's (config.json, id2label)"
            )
        return right / len(index_N)


def label_order(model: PreTrainedModel, labels: Sequence[str]) -> list[int] | None:
    """For each of the task's labels, the teacher's output that bears its name; None if its labels bear none.

    A permuted order is put right with a line in the log.

    Raises:
        InputError: another number of classes, or other names.
    """
    named: Mapping[Any, str] = model.config.id2label or {}
    names = [str(named.get(index)) for index in range(model.config.num_labels or 0)]
    if len(names) != len(labels):
        raise InputError("teacher's labels", names, f"the task's {len(labels)} classes: {', '.join(labels)}")
    if all(name.casefold() == f"label_{index}" for index, name in enumerate(names)):
        logger.warning("the teacher's labels have no names: their order is checked by its accuracy only")
        return None
    plain = [_plain(name) for name in names]
    wanted = [_plain(label) for label in labels]
    if sorted(plain) != sorted(wanted) or len(set(plain)) < len(plain):
        raise InputError("teacher's labels", names, f"the task's labels, in any order: {', '.join(labels)}")
    order = [plain.index(label) for label in wanted]
    if order != sorted(order):
        logger.warning("the teacher's labels %s are put into the task's order %s", names, list(labels))
    return order


def _plain(name: str) -> str:
    return "".join(character for character in str(name).casefold() if character.isalnum() or character in "+-")


def _read(file: Path, shape: tuple[int, int]) -> Tensor | None:
    """Kept outputs, or None where there are none that can be read (they are then computed again)."""
    if not file.exists():
        return None
    try:
        kept = load_file(file)["logits"]
    except (SafetensorError, OSError, KeyError) as error:
        logger.warning("%s cannot be read (%s); its outputs are computed again", file, error)
        return None
    return kept if kept.shape == shape and bool(torch.isfinite(kept).all()) else None


def _write(file: Path, logits_MC: Tensor) -> None:
    with replacing(file) as draft:
        save_file({"logits": logits_MC.contiguous()}, draft)
