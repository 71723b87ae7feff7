"""A seq2seq model of transformers and its decoding: what back-translation and FlipDA's span filling share.

Half precision on a GPU, single on a CPU. Shape suffixes: B texts, S answers to each text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from empirical.weights import quiet_loading, safetensors_source
from theory.errors import InputError

MOST_TOKENS = 1024


class Seq2SeqModel:
    """An encoder-decoder model, loaded at the first question; the caller sees to it that one thread asks at a time.

    name: Hugging Face id or local directory. argument, allowed: what an error says where it is not to be had.
    """

    def __init__(self, name: str, argument: str, allowed: str) -> None:
        self.name, self._argument, self._allowed = name, argument, allowed
        self._loaded: tuple[Any, Any] | None = None

    def load(self) -> tuple[Any, Any]:
        """The model and its tokenizer.

        Raises:
            InputError: the model is not to be had.
        """
        if self._loaded is None:
            import torch
            from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

            cuda = torch.cuda.is_available()
            try:
                tokenizer = AutoTokenizer.from_pretrained(self.name)
                with quiet_loading():
                    model = AutoModelForSeq2SeqLM.from_pretrained(
                        safetensors_source(self.name),
                        dtype=torch.float16 if cuda else torch.float32,
                        use_safetensors=True,
                    )
            except (OSError, ValueError) as error:
                raise InputError(self._argument, self.name, self._allowed) from error
            self._loaded = model.to("cuda" if cuda else "cpu").eval(), tokenizer
        return self._loaded

    @property
    def limit(self) -> int:
        """Tokens that it reads and writes at most."""
        model, tokenizer = self.load()
        most = getattr(model.config, "max_position_embeddings", None) or 512
        return int(min(tokenizer.model_max_length, most, MOST_TOKENS))

    def generate(self, texts: Sequence[str], seed: int, **options: Any) -> Any:
        """Token ids of what it writes, a tensor of one row an answer (all of a text's answers together).

        options: those of transformers' `generate`; `max_length` None: twice the longest input and ten.
        """
        import torch

        model, tokenizer = self.load()
        encoded = tokenizer(list(texts), return_tensors="pt", padding=True, truncation=True, max_length=self.limit)
        encoded = {name: encoded[name].to(model.device) for name in ("input_ids", "attention_mask")}
        options.setdefault("max_length", min(self.limit, 2 * encoded["input_ids"].shape[1] + 10))
        devices = [model.device.index or 0] if model.device.type == "cuda" else []
        # Sampling reads torch's global generator: it is seeded inside a fork and put back after.
        with torch.inference_mode(), torch.random.fork_rng(devices=devices):
            torch.manual_seed(seed % 2**63)
            return model.generate(**encoded, **options)
