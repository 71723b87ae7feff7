"""Back-translation by a multilingual seq2seq model of transformers: NLLB-200 [4] and its like.

The paper's setting: `facebook/nllb-200-1.3B` through eight languages (section 3). Its weights are CC-BY-NC-4.0.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Literal

from empirical.augment.seq2seq_model import Seq2SeqModel
from theory.errors import InputError
from theory.progress_report import Progress

PAPER_MODEL = "facebook/nllb-200-1.3B"
PAPER_PIVOTS = ("ace_Arab", "fra_Latn", "hin_Deva", "jpn_Jpan", "rus_Cyrl", "shn_Mymr", "tha_Thai", "zho_Hans")
ENGLISH = "eng_Latn"
ALLOWED = "`apertium`, or a translation model that is on this machine or can be downloaded"


class Seq2Seq:
    """A translation model whose target language is forced as the first token of the output (NLLB, M2M-100, mBART).

    model: Hugging Face id or local directory.
    pivots: language codes, as the model's tokenizer spells them.
    decoding: `beam` (4 beams; the same answer for ever) or `sample` (depends on the seed; faster, more varied).
    english: the tokenizer's code for English.
    batch_size: texts translated at once, sorted by length.
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
        self._model, self._english, self._batch_size = Seq2SeqModel(model, "engine", ALLOWED), english, batch_size
        self._progress = progress
        self._lock = threading.Lock()

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
        _, tokenizer = self._model.load()
        first = tokenizer.convert_tokens_to_ids(target)
        if first is None or first == tokenizer.unk_token_id:
            raise InputError("pivots", target, f"languages that the tokenizer of {self._model.name} knows")
        tokenizer.src_lang = source
        options = {"do_sample": True, "num_beams": 1} if self.random else {"do_sample": False, "num_beams": 4}
        tokens = self._model.generate(texts, seed, forced_bos_token_id=first, **options)
        answers: list[str] = tokenizer.batch_decode(tokens, skip_special_tokens=True)
        return answers
