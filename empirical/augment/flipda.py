"""FlipDA: a T5 model fills masked words under the pattern of another label; the teacher keeps the best version.

Command: `kdshift empirical augment --augmenter flipda --language-model google-t5/t5-large --teacher DIR < lines.txt`.

Zhou et al. (ACL 2022): words are masked, the text stands in a pattern that names a label which it does not have, T5
fills the gaps to fit, and of several versions a classifier keeps the one it finds likest to that label. Here the
classifier is the teacher, whose answer then is the text's target. The degree is the share of words that are masked.
Shape suffixes: B texts, C classes, S versions of each text.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empirical.augment.changed_tokens import exact_counts
from empirical.augment.network import Scorer, score_in_parts
from empirical.augment.seq2seq_model import Seq2SeqModel
from empirical.augment.whole_texts import compared, texts_of
from empirical.tokens.batch import Augmented, Batch
from empirical.tokens.codec import encode_batch
from theory.errors import InputError

PAPER_MODEL = "google-t5/t5-large"
PATTERN = "{text} It is {label}."
SENTINELS = 100  # T5's
TOGETHER = 16  # texts whose versions are written at once
ALLOWED = f"a T5 model with its gap tokens (--language-model {PAPER_MODEL}), on this machine or to be downloaded"
WORD = re.compile(r"\S+")


@dataclass(frozen=True)
class Gapped:
    """A text (or a pair) with gaps: what stands between them, and what stood in them.

    pieces: for each text of the example the parts that stay, one more than it has gaps. lost: what each gap hides.
    """

    pieces: tuple[tuple[str, ...], ...]
    lost: tuple[tuple[str, ...], ...]

    @property
    def masked(self) -> str:
        """The text with T5's gap tokens, those of a pair counted on."""
        number, texts = 0, []
        for pieces in self.pieces:
            parts = [pieces[0]]
            for piece in pieces[1:]:
                parts += [f"<extra_id_{number}>", piece]
                number += 1
            texts.append("".join(parts))
        return " ".join(texts)

    def filled(self, fills: Sequence[str]) -> list[str]:
        """The texts with these fills, in order; a gap without one gets back what it hid."""
        answers, texts = iter(fills), []
        for pieces, lost in zip(self.pieces, self.lost, strict=True):
            gaps = [next(answers, "").strip() or hidden for hidden in lost]
            texts.append("".join([pieces[0], *(part for pair in zip(gaps, pieces[1:], strict=True) for part in pair)]))
        return texts


def gapped(texts: Sequence[str], degree: float, rng: np.random.Generator) -> Gapped:
    """Hide exactly the nominal share of the words of one example; neighbouring hidden words share a gap."""
    words = [list(WORD.finditer(text)) for text in texts]
    total = sum(map(len, words))
    count = int(exact_counts(np.array([total]), degree, rng)[0])
    hidden = set(rng.permutation(total)[:count].tolist())
    pieces, lost, number, gaps = [], [], 0, 0
    for text, found in zip(texts, words, strict=True):
        spans: list[list[int]] = []
        for word in found:
            if number in hidden:
                joins = bool(spans) and not text[spans[-1][1] : word.start()].strip()
                if joins:
                    spans[-1][1] = word.end()
                elif gaps < SENTINELS:
                    spans.append([word.start(), word.end()])
                    gaps += 1
            number += 1
        edges = [0, *(edge for span in spans for edge in span), len(text)]
        pieces.append(tuple(text[edges[at] : edges[at + 1]] for at in range(0, len(edges), 2)))
        lost.append(tuple(text[start:stop] for start, stop in spans))
    return Gapped(tuple(pieces), tuple(lost))


class SpanFiller:
    """A T5 model that fills the gaps of texts, by sampling.

    source: Hugging Face id or local directory.
    """

    def __init__(self, source: str | None = None) -> None:
        self.model = Seq2SeqModel(source or PAPER_MODEL, "language_model", ALLOWED)
        self._lock = threading.Lock()

    def fill(self, masked: Sequence[str], gaps: Sequence[int], versions: int, seed: int) -> list[list[list[str]]]:
        """For each text `versions` lists of fills, in the order of its gaps.

        Raises:
            InputError: the model is not to be had, or has no gap tokens.
        """
        with self._lock:
            _, tokenizer = self.model.load()
            marks = tokenizer.convert_tokens_to_ids([f"<extra_id_{number}>" for number in range(SENTINELS)])
            marks = [mark for mark in marks if mark not in (None, tokenizer.unk_token_id)]
            if len(marks) < max(1, *gaps):
                raise InputError("language_model", f"{self.model.name} ({len(marks)} gap tokens)", ALLOWED)
            answers: list[list[list[str]]] = []
            for start in range(0, len(masked), TOGETHER):
                part = slice(start, start + TOGETHER)
                # An answer begins with the first gap, as in T5's training.
                options = {"do_sample": True, "num_return_sequences": versions, "forced_bos_token_id": marks[0]}
                options["max_length"] = min(self.model.limit, 8 + 8 * max(gaps[part], default=1))
                rows = self.model.generate(masked[part], seed + start, **options).tolist()
                written = [self._fills(tokenizer, row, marks) for row in rows]
                answers += [written[at : at + versions] for at in range(0, len(written), versions)]
        return answers

    @staticmethod
    def _fills(tokenizer: Any, row: Sequence[int], marks: Sequence[int]) -> list[str]:
        """What stands behind each gap token of an answer, by the gap's number."""
        number_of = {mark: number for number, mark in enumerate(marks)}
        runs: dict[int, list[int]] = {}
        current: list[int] | None = None
        for token in row:
            if token in number_of:
                current = runs.setdefault(number_of[token], [])
            elif current is not None:
                current.append(token)
        last = max(runs, default=-1)
        return [tokenizer.decode(runs.get(number, []), skip_special_tokens=True) for number in range(last + 1)]


@dataclass(frozen=True)
class FlipDA:
    """Texts rewritten towards another label, of `candidates` versions the one the teacher finds likest to it.

    The label is drawn from those that the teacher does not give the original. The counts are tokens that are not found
    again, as with every augmenter that brings whole texts.

    labels: names of the classes, in the order of the teacher's logits. pattern: with {text} and {label}.
    tokenizer: of the batches. max_length: tokens a new text (or pair) is cut to.
    """

    filler: SpanFiller
    teacher: Scorer
    labels: tuple[str, ...]
    tokenizer: Any
    max_length: int
    pattern: str = PATTERN
    candidates: int = 4
    name: str = "flipda"
    online: bool = False
    at_once: bool = False

    def __call__(self, batch: Batch, degree: float, rng: np.random.Generator, *, copy: int = 0) -> Augmented:
        """One new text for each; where nothing is masked it is the original."""
        columns = texts_of(self.tokenizer, batch)
        target_B = self._targets(score_in_parts(self.teacher, batch), rng)
        holes = [gapped([column[row] for column in columns], degree, rng) for row in range(len(batch))]
        prompts = [
            self.pattern.format(text=hole.masked, label=self.labels[label])
            for hole, label in zip(holes, target_B.tolist(), strict=True)
        ]
        gaps = [sum(map(len, hole.lost)) for hole in holes]
        fills = self.filler.fill(prompts, gaps, self.candidates, int(rng.integers(0, 2**31)))
        versions = [
            self._encoded([hole.filled(answers[turn]) for hole, answers in zip(holes, fills, strict=True)])
            for turn in range(self.candidates)
        ]
        logits_SBC = np.stack([score_in_parts(self.teacher, version) for version in versions])
        row_B = np.arange(len(batch))
        best_B = _log_softmax(logits_SBC)[:, row_B, target_B].argmax(axis=0)
        chosen = [versions[best] for best in best_B.tolist()]
        texts = [[version.text_a[row], *([version.text_b[row]] if version.text_b else [])]
                 for row, version in enumerate(chosen)]  # fmt: skip
        logits_BC = np.asarray(logits_SBC[best_B, row_B], dtype=np.float32)
        return replace(compared(batch, self._encoded(texts)), logits_BC=logits_BC)

    def _targets(self, logits_BC: NDArray[np.floating], rng: np.random.Generator) -> NDArray[np.int64]:
        """For each text a label other than the teacher's, each as likely."""
        classes = logits_BC.shape[1]
        return np.asarray((logits_BC.argmax(axis=1) + rng.integers(1, classes, len(logits_BC))) % classes)

    def _encoded(self, texts: Sequence[Sequence[str]]) -> Batch:
        columns = [list(column) for column in zip(*texts, strict=True)]
        return encode_batch(self.tokenizer, columns[0], columns[1] if len(columns) > 1 else None, self.max_length)


def _log_softmax(logits_SBC: NDArray[np.floating]) -> NDArray[np.float64]:
    from scipy.special import log_softmax

    return np.asarray(log_softmax(logits_SBC, axis=2), dtype=np.float64)
