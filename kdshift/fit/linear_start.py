"""A classifier's last layer set by logistic regression on its own inputs, before anything is fine-tuned.

Kumar et al. 2022 (2202.10054): fine-tuning from a fitted head distorts pretrained features less than from a random one;
and where time allows few steps, the start is most of the result. Shapes: N texts, M of them, H inputs, C classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import softmax
from torch import Tensor, nn
from transformers import PreTrainedModel

from empirical.tokens.corpus import Corpus
from kdshift.fit.learner import predict_logits
from kdshift.fit.scoring import log_loss

STRENGTHS = (3e-4, 1e-3, 3e-3, 1e-2)  # inverse penalties on standardised inputs


@dataclass(frozen=True, kw_only=True)
class Head:
    """A fitted last layer: weight_CH, bias_C."""

    weight_CH: NDArray[np.float32]
    bias_C: NDArray[np.float32]

    def put_into(self, model: PreTrainedModel) -> None:
        """Make it the last layer of `model`."""
        layer = last_layer(model)
        assert layer is not None and layer.bias is not None, "inputs were taken from it"
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(self.weight_CH))
            layer.bias.copy_(torch.from_numpy(self.bias_C))


def last_layer(model: PreTrainedModel) -> nn.Linear | None:
    """The linear layer that gives the classes, or None where there is none with a bias."""
    classes = int(model.config.num_labels or 0)
    found = [part for part in model.modules() if isinstance(part, nn.Linear) and part.out_features == classes]
    return found[-1] if found and found[-1].bias is not None else None


def inputs(model: PreTrainedModel, corpus: Corpus, row_M: NDArray[np.int64]) -> NDArray[np.float32] | None:
    """What the last layer is given for these texts, float32 of shape (M, H); None for a model without such a layer.

    The model's weights are left as they are; texts pass through it once, in evaluation mode.
    """
    layer = last_layer(model)
    if layer is None:
        return None
    seen: list[Tensor] = []
    handle = layer.register_forward_pre_hook(lambda _, given: seen.append(given[0].detach().float()))
    try:
        predict_logits(model, corpus, row_M)
    finally:
        handle.remove()
    if any(part.ndim != 2 for part in seen) or sum(map(len, seen)) != len(row_M):
        return None
    order = np.argsort(corpus.length_N[row_M], kind="stable")  # the order in which texts are scored
    output_MH = np.empty((len(row_M), seen[0].shape[1]), dtype=np.float32)
    output_MH[order] = torch.cat(seen).numpy()
    return output_MH


def fitted_head(
    x_NH: NDArray[np.float32],
    label_N: NDArray[np.int64],
    train_N: NDArray[np.int64],
    validation_N: NDArray[np.int64],
    classes: int,
) -> Head | None:
    """Logistic regression on training texts, its penalty chosen on validation; None where a class is missing."""
    from sklearn.linear_model import LogisticRegression

    if len(np.unique(label_N[train_N])) < classes:
        return None
    centre_H, scale_H = x_NH[train_N].mean(axis=0), x_NH[train_N].std(axis=0) + 1e-6
    z_NH = (x_NH - centre_H) / scale_H
    best: tuple[float, NDArray[np.float64], NDArray[np.float64]] | None = None
    for strength in STRENGTHS:
        model = LogisticRegression(C=strength, max_iter=300, tol=1e-3).fit(z_NH[train_N], label_N[train_N])
        weight_CH, bias_C = model.coef_, model.intercept_
        if classes == 2:  # scikit-learn keeps one row for two classes
            weight_CH, bias_C = np.vstack([-weight_CH, weight_CH]) / 2, np.concatenate([-bias_C, bias_C]) / 2
        loss = log_loss(softmax(z_NH[validation_N] @ weight_CH.T + bias_C, axis=1), label_N[validation_N])
        if best is None or loss < best[0]:
            best = (loss, weight_CH, bias_C)
    assert best is not None, "there are strengths"
    weight_CH = best[1] / scale_H
    return Head(weight_CH=weight_CH.astype(np.float32), bias_C=(best[2] - weight_CH @ centre_H).astype(np.float32))
