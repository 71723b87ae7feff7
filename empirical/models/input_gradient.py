"""A classifier's logits and the gradient of any combination of them by its input embeddings.

Serves the augmenters that move along the slope: `kdshift empirical augment --augmenter flip --teacher DIR`.
Shape suffixes: B texts, L tokens, C classes, D embedding width, V token ids.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedModel

from empirical.models.classifier import arguments
from empirical.tokens.batch import Batch


class InputGradient:
    """A classifier in evaluation mode that also tells which way its outputs move with its token embeddings.

    model: any classifier here; its parameters stop asking for gradients.
    columns: for each class of the task, the model's output that stands for it; None: in order.
    count: called with the number of texts at every pass, for whoever keeps accounts.
    score: answers where no gradient is asked for (a teacher with a precision of its own); None: the model itself.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        columns: Sequence[int] | None = None,
        count: Callable[[int], None] = lambda texts: None,
        score: Callable[[Batch], NDArray[np.float32]] | None = None,
    ) -> None:
        self._model = model.eval().requires_grad_(False)
        self._columns, self._count, self._score = columns, count, score

    @property
    def embeddings_VD(self) -> NDArray[np.float32]:
        """The model's input embeddings, float32 of shape (V, D)."""
        weight_VD = self._model.get_input_embeddings().weight
        return np.asarray(weight_VD.detach().float().cpu().numpy(), dtype=np.float32)

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the classes as the model keeps them, in the order of the logits."""
        names = self._model.config.id2label
        return tuple(str(names[column]) for column in self._columns or range(len(names)))

    def __call__(self, batch: Batch) -> NDArray[np.float32]:
        """Logits, float32 of shape (B, C), in the task's label order."""
        self._count(len(batch))
        if self._score is not None:
            return self._score(batch)
        with torch.inference_mode():
            return self._array(self._logits(batch))

    def pull_back(
        self, batch: Batch, weight: Callable[[NDArray[np.float32]], NDArray[np.float32]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits of shape (B, C) and the gradient of their weighted sum by the embeddings, shape (B, L, D).

        weight: function from the logits to the weights of the sum, both of shape (B, C).
        """
        self._count(len(batch))
        kept: list[torch.Tensor] = []

        def keep(module: torch.nn.Module, given: object, output_BLD: torch.Tensor) -> torch.Tensor:
            kept.append(output_BLD.detach().requires_grad_(True))
            return kept[-1]

        handle = self._model.get_input_embeddings().register_forward_hook(keep)
        try:
            with torch.enable_grad():
                logits_BC = self._logits(batch)
                values_BC = self._array(logits_BC)
                total = (logits_BC * torch.from_numpy(weight(values_BC)).to(logits_BC.device)).sum()
                (slope_BLD,) = torch.autograd.grad(total, kept[:1])
        finally:
            handle.remove()
        return values_BC, self._array(slope_BLD)

    def _logits(self, batch: Batch) -> torch.Tensor:
        logits_BC: torch.Tensor = self._model(**arguments(self._model, batch, self._model.device)).logits.float()
        return logits_BC if self._columns is None else logits_BC[:, list(self._columns)]

    @staticmethod
    def _array(tensor: torch.Tensor) -> NDArray[np.float32]:
        return np.asarray(tensor.detach().float().cpu().numpy(), dtype=np.float32)
