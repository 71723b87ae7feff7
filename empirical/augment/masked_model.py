"""A masked language model that proposes tokens for marked places (BERT's head, by hub id or directory).

`kdshift empirical masked-lm --task tweets` makes one for the embedded tokenizer, where no hub can be reached.
Shape suffixes: B texts, L tokens, N marked places, V token ids, K proposals.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empirical.tokens.batch import Batch
from empirical.tokens.codec import Codec
from empirical.weights import quiet_loading
from theory.errors import InputError

PART = {"cpu": 8, "cuda": 64}  # texts of like length in one forward pass: what more of them add is padding
ALLOWED = (
    "a masked language model with its head and the tokenizer of the texts: --language-model "
    "google-bert/bert-base-uncased, or one made by `kdshift empirical masked-lm`"
)


class MaskedModel:
    """A masked language model, loaded at the first question; any thread may ask.

    source: Hugging Face id or local directory. tokenizer: of the batches; the model must read the same ids.
    """

    def __init__(self, source: str | None, tokenizer: Any) -> None:
        if source is None:
            raise InputError("language_model", None, ALLOWED)
        self._source, self._tokenizer = source, tokenizer
        self._lock = threading.Lock()
        self._loaded: Any = None

    def propose(
        self,
        batch: Batch,
        place_BL: NDArray[np.bool_],
        refused_N: NDArray[np.integer] | None,
        count: int,
        rng: np.random.Generator,
        allowed_V: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.int32]:
        """For each marked place one of the `count` likeliest tokens, as likely as the model finds it among them.

        All marked places are masked together, in one forward pass. Returns int32 of shape (N,), row-major.
        refused_N: a token for each place that it must not get (its own).
        allowed_V: bool array of shape (V,), tokens that may be proposed; None: all ordinary ones.

        Raises:
            InputError: the model is not to be had, lacks its head, or reads other ids.
        """
        import torch

        with self._lock:
            model, mask_id = self._load()
        ordinary_V = Codec.of(self._tokenizer).vocabulary.ordinary_V if allowed_V is None else allowed_V
        row_N = np.nonzero(place_BL)[0]
        uniform_N, answer_N = rng.random(len(row_N)), np.zeros(len(row_N), dtype=np.int32)
        wanted = np.unique(row_N)
        by_length = wanted[np.argsort(batch.mask_BL[wanted].sum(axis=1), kind="stable")]
        size = PART[model.device.type]
        for start in range(0, len(by_length), size):
            rows = np.sort(by_length[start : start + size])
            part_N = np.isin(row_N, rows)
            own_N = None if refused_N is None else refused_N[part_N]
            with torch.inference_mode():
                logits_NV = logits_at(model, batch.rows(rows), place_BL[rows], mask_id)
                answer_N[part_N] = _drawn(logits_NV, ordinary_V, own_N, count, uniform_N[part_N])
        return answer_N

    def _load(self) -> tuple[Any, int]:
        if self._loaded is None:
            import torch
            from transformers import AutoModelForMaskedLM, AutoTokenizer

            try:
                own = AutoTokenizer.from_pretrained(self._source, use_fast=True)
                options = {"use_safetensors": True, "output_loading_info": True}
                with quiet_loading():
                    model, info = AutoModelForMaskedLM.from_pretrained(self._source, **options)
            except (OSError, ValueError, KeyError) as error:
                raise InputError("language_model", self._source, ALLOWED) from error
            if info["missing_keys"]:
                raise InputError("language_model", f"{self._source} without its masked-LM head", ALLOWED)
            if own.mask_token_id is None or own.get_vocab() != self._tokenizer.get_vocab():
                raise InputError("language_model", f"{self._source}, which reads other tokens", ALLOWED)
            device = "cuda" if torch.cuda.is_available() else "cpu"
            self._loaded = model.to(device).eval().requires_grad_(False), int(own.mask_token_id)
        loaded: tuple[Any, int] = self._loaded
        return loaded


def logits_at(model: Any, batch: Batch, place_BL: NDArray[np.bool_], mask_id: int) -> Any:
    """A model's logits at the marked places, all masked, shape (N, V); its head never sees the other tokens.

    place_BL: bool array of shape (B, L), at least as wide as the batch. mask_id: the mask's token id.
    Returns a float32 tensor on the model's device, part of a graph where gradients are asked for.
    """
    import torch

    place_BL = place_BL[:, : batch.ids_BL.shape[1]]
    inputs = {
        "input_ids": torch.from_numpy(np.where(place_BL, mask_id, batch.ids_BL).astype(np.int64)),
        "attention_mask": torch.from_numpy(batch.mask_BL.astype(np.int64)),
    }
    if getattr(model.config, "type_vocab_size", 0) > 1:
        inputs["token_type_ids"] = torch.from_numpy(batch.segment_BL.astype(np.int64))
    chosen = torch.from_numpy(place_BL).to(model.device)
    handle = model.get_output_embeddings().register_forward_pre_hook(lambda module, given: (given[0][chosen],))
    try:
        return model(**{name: tensor.to(model.device) for name, tensor in inputs.items()}).logits.float()
    finally:
        handle.remove()


def _drawn(
    logits_NV: Any,
    allowed_V: NDArray[np.bool_],
    refused_N: NDArray[np.integer] | None,
    count: int,
    uniform_N: NDArray[np.float64],
) -> NDArray[np.int32]:
    """One token for each place, drawn from the `count` likeliest that are allowed; the logits are overwritten."""
    import torch

    closed_V = torch.ones(logits_NV.shape[1], dtype=torch.bool)
    closed_V[: len(allowed_V)] = torch.from_numpy(~allowed_V)
    logits_NV[:, closed_V.nonzero()[:, 0].to(logits_NV.device)] = -torch.inf
    if refused_N is not None:
        column_N1 = torch.from_numpy(refused_N.astype(np.int64))[:, None].to(logits_NV.device)
        logits_NV.scatter_(1, column_N1, -torch.inf)
    best = torch.topk(logits_NV, count, dim=1)
    share_NK = torch.softmax(best.values.double(), dim=1).cumsum(dim=1).cpu().numpy()
    place_N1 = (share_NK < uniform_N[:, None]).sum(axis=1).clip(max=count - 1)[:, None]
    drawn_N: NDArray[np.int32] = np.take_along_axis(best.indices.cpu().numpy(), place_N1, axis=1)[:, 0].astype(np.int32)
    return drawn_N
