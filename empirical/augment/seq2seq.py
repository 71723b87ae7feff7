"""Back-translation by a multilingual seq2seq model of transformers: NLLB-200 [4] and its like.

The paper's setting: `facebook/nllb-200-1.3B` through eight languages (section 3). Its weights are CC-BY-NC-4.0.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Literal

from empirical.weights import safetensors_source
from theory.errors import InputError
from theory.progress_report import Progress

PAPER_MODEL = "facebook/nllb-200-1.3B"
PAPER_PIVOTS = ("ace_Arab", "fra_Latn", "hin_Deva", "jpn_Jpan", "rus_Cyrl", "shn_Mymr", "tha_Thai", "zho_Hans")
ENGLISH = "eng_Latn"


class Seq2Seq:
    """A translation model whose target language is forced as the first token of the output (NLLB, M2M-100, mBART).

    model: Hugging Face id or local directory.
    pivots: language codes, as the model's tokenizer spells them.
    decoding: `beam` (4 beams; the same answer for ever) or `sample` (depends on the seed; faster, more varied).
    english: the tokenizer's code for English.
    batch_size: texts translated at once, sorted by length. Half precision on a GPU, single on a CPU.
    """

    def __init__(
        self,
        model: str = PAPER_MODEL,
        pivots: tuple[str, ...] = PAPER_PIVOTS,
        decoding: Literal["beam", "sample"] = "beam",
        english: str = ENGLISH,
        batch_size: int = 32,
        progress: Progress | None = None,
    ) -> None:
        self.name, self.pivots, self.random = f"{model} {decoding}", pivots, decoding == "sample"
        self._model_name, self._english, self._batch_size = model, english, batch_size
        self._progress = progress
        self._lock = threading.Lock()
        self._loaded: tuple[Any, Any] | None = None

    def round_trip(self, texts: Sequence[str], pivot: str, seed: int) -> list[str]:
        """English texts through `pivot` and back.

        Raises:
            InputError: the model is not to be had, or it does not know the language.
        """
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        results = [""] * len(texts)
        starts = range(0, len(texts), self._batch_size)
        with self._lock:
            for done, start in enumerate(starts, start=1):
                places = order[start : start + self._batch_size]
                there = self._translate([texts[place] for place in places], self._english, pivot, seed + 2 * start)
                back = self._translate(there, pivot, self._english, seed + 2 * start + 1)
                for place, text in zip(places, back, strict=True):
                    results[place] = text
                if self._progress is not None:
                    self._progress(f"back-translation, {pivot}", done, len(starts))
        return results

    def _translate(self, texts: list[str], source: str, target: str, seed: int) -> list[str]:
        import torch

        model, tokenizer = self._load()
        first = tokenizer.convert_tokens_to_ids(target)
        if first is None or first == tokenizer.unk_token_id:
            raise InputError("pivots", target, f"languages that the tokenizer of {self._model_name} knows")
        tokenizer.src_lang = source
        limit = min(tokenizer.model_max_length, getattr(model.config, "max_position_embeddings", None) or 512, 1024)
        encoded = tokenizer(texts, return_tensors="pt", padding=True, truncation=True, max_length=limit)
        encoded = {name: encoded[name].to(model.device) for name in ("input_ids", "attention_mask")}
        length = min(limit, 2 * encoded["input_ids"].shape[1] + 10)
        options = {"do_sample": True, "num_beams": 1} if self.random else {"do_sample": False, "num_beams": 4}
        devices = [model.device.index or 0] if model.device.type == "cuda" else []
        # Sampling reads torch's global generator: it is seeded inside a fork and put back after.
        with torch.inference_mode(), torch.random.fork_rng(devices=devices):
            torch.manual_seed(seed % 2**63)
            tokens = model.generate(**encoded, forced_bos_token_id=first, max_length=length, **options)
        answers: list[str] = tokenizer.batch_decode(tokens, skip_special_tokens=True)
        return answers

    def _load(self) -> tuple[Any, Any]:
        if self._loaded is None:
            import torch
            from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

            cuda = torch.cuda.is_available()
            try:
                tokenizer = AutoTokenizer.from_pretrained(self._model_name)
                model = AutoModelForSeq2SeqLM.from_pretrained(
                    safetensors_source(self._model_name),
                    dtype=torch.float16 if cuda else torch.float32,
                    use_safetensors=True,
                )
            except (OSError, ValueError) as error:
                allowed = "`apertium`, or a translation model that is on this machine or can be downloaded"
                raise InputError("engine", self._model_name, allowed) from error
            self._loaded = model.to("cuda" if cuda else "cpu").eval(), tokenizer
        return self._loaded
