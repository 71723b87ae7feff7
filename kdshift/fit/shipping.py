"""The student that ships: its kind chosen on validation under a wish for size or latency, and its twins for the score.

    kdshift fit reviews.csv --max-megabytes 20

Shapes: N texts, V token ids, D width of the embeddings, C classes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import softmax
from transformers import PreTrainedModel

from empirical.config import ModelConfig, TrainConfig
from empirical.models.classifier import arguments, build_model
from empirical.models.mean_embedding import MeanEmbeddingConfig, MeanEmbeddingForSequenceClassification
from empirical.randomness import Draws, step_generator
from empirical.tokens.codec import encode_batch
from empirical.tokens.corpus import Corpus
from kdshift.fit.learner import Learned, Material, learn, predict_logits
from kdshift.fit.options import Kind
from kdshift.fit.scoring import distance, log_loss
from theory.errors import InputError
from theory.progress_report import Progress

MEGABYTE = 1e6
EVALUATIONS, PATIENCE = 12, 4
RECIPES: dict[Kind, TrainConfig] = {
    "static": TrainConfig(steps=2400, batch_size=32, learning_rate=3e-3, weight_decay=0.01),
    "encoder": TrainConfig(steps=600, batch_size=32, learning_rate=3e-4),
    "bilstm": TrainConfig(steps=600, batch_size=32, learning_rate=2e-3),
}
TIMED_TEXTS = 40


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What the student may weigh (megabytes of float32 weights) and take (milliseconds a text, one at a time)."""

    megabytes: float | None = None
    milliseconds: float | None = None


@dataclass(kw_only=True)
class StudentMaker:
    """Builds and trains students of one kind for one set of texts.

    model: the encoder whose tokenizer, embeddings and first layers students take.
    """

    model: ModelConfig
    labels: tuple[str, ...]
    tokenizer: Any
    embeddings_VD: NDArray[np.float32]
    corpus: Corpus
    label_N: NDArray[np.int64]
    seed: int
    soft_only: bool
    wish: Wish
    kl: bool = False

    def build(self, kind: Kind) -> PreTrainedModel:
        """A fresh student.

        Raises:
            InputError: none of this kind is as small as was wished.
        """
        if kind == "static":
            return self._static()
        config = ModelConfig(
            name=self.model.name,
            architecture="encoder" if kind == "encoder" else "bilstm",
            layers=(0, 3) if kind == "encoder" else None,
        )
        return build_model(config, self.labels, self.seed)

    def _static(self) -> PreTrainedModel:
        """Frozen embeddings, standardised over the vocabulary; fewer principal directions where a size is wished."""
        table_VD = self.embeddings_VD
        hidden = 128
        if self.wish.megabytes is not None:
            room = int(self.wish.megabytes * MEGABYTE / 4 / (len(table_VD) + hidden)) - 4
            if room < 8:
                least = (len(table_VD) + hidden) * 12 * 4 / MEGABYTE
                raise InputError("--max-megabytes", self.wish.megabytes, f"at least {least:.1f} with this vocabulary")
            table_VD = _narrowed(table_VD, room)
        settings = MeanEmbeddingConfig(
            vocab_size=len(table_VD),
            embedding_size=table_VD.shape[1],
            hidden_size=hidden,
            pad_token_id=self.tokenizer.pad_token_id,
            id2label=dict(enumerate(self.labels)),
            label2id={label: index for index, label in enumerate(self.labels)},
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(step_generator(self.seed, 0, Draws.INITIAL_WEIGHTS).integers(2**62)))
            model = MeanEmbeddingForSequenceClassification(settings)
        # The mean of a text's L tokens varies less than a token does; sqrt(L) puts it back on the scale of one.
        scale = np.sqrt(max(1.0, float(self.corpus.length_N.mean()))) / (table_VD.std(axis=0) + 1e-6)
        with torch.no_grad():
            model.embedding.weight.copy_(torch.from_numpy((table_VD - table_VD.mean(axis=0)) * scale))
        model.embedding.weight.requires_grad_(False)
        return model

    def fits(self, kind: Kind) -> bool:
        """Whether a student of this kind is as small and fast as was wished."""
        try:
            model = self.build(kind)
        except InputError:
            return False
        small = self.wish.megabytes is None or megabytes(model) <= self.wish.megabytes
        texts = ["a text of ordinary length, as people write them when they are asked"] * TIMED_TEXTS
        milliseconds = self.wish.milliseconds
        return small and (milliseconds is None or latency(model, self.tokenizer, texts) <= milliseconds)

    def material(
        self,
        row_N: NDArray[np.int64],
        answer_NC: NDArray[np.float32],
        copies: tuple[Corpus, NDArray[np.int64], NDArray[np.float32]] | None,
    ) -> Material:
        """What a student trains on; copies of texts outside `row_N` and unanswered ones are never drawn."""
        given = {} if copies is None else dict(zip(("copies", "origin_P", "copy_answer_PC"), copies, strict=True))
        return Material(corpus=self.corpus, row_N=row_N, label_N=self.label_N, answer_NC=answer_NC, **given)  # type: ignore[arg-type]

    def train(
        self,
        kind: Kind,
        material: Material,
        held_N: NDArray[np.int64],
        seconds: float,
        folder: Path | None = None,
        progress: Progress | None = None,
        title: str = "student",
        steps: int | None = None,
    ) -> tuple[PreTrainedModel, Learned]:
        """A student of this kind, stopped early by its distance to the teacher on the validation texts `held_N`."""
        model = self.build(kind)
        recipe = RECIPES[kind]
        most = steps or max(recipe.steps, min(6 * recipe.steps, 3 * len(material.row_N) // recipe.batch_size))
        recipe = recipe.model_copy(
            update={
                "steps": most,
                "evaluate_every": max(1, most // EVALUATIONS),
                "alpha": 0.0 if self.soft_only else recipe.alpha,
                "distance": "kl" if self.kl else recipe.distance,
            }
        )
        assert material.answer_NC is not None, "a student learns from answers"
        target_MC = softmax(material.answer_NC[held_N], axis=1)

        def criterion(network: PreTrainedModel) -> float:
            return float(distance(softmax(predict_logits(network, self.corpus, held_N), axis=1), target_MC).mean())

        learned = learn(
            model, material, recipe, criterion, seed=self.seed, patience=PATIENCE, seconds=seconds, folder=folder,
            progress=progress, title=title,
        )  # fmt: skip
        return model, learned

    def value(self, model: PreTrainedModel, held_N: NDArray[np.int64], answer_NC: NDArray[np.float32]) -> float:
        """What decides between kinds: log loss on validation labels, or the distance to the teacher without labels."""
        p_MC = softmax(predict_logits(model, self.corpus, held_N), axis=1)
        if self.soft_only:
            return float(distance(p_MC, softmax(answer_NC[held_N], axis=1)).mean())
        return log_loss(p_MC, self.label_N[held_N])


def _narrowed(table_VD: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """The table's first principal directions."""
    if width >= table_VD.shape[1]:
        return table_VD
    centred_VD = table_VD - table_VD.mean(axis=0)
    _, vectors_DD = np.linalg.eigh(centred_VD.T @ centred_VD)
    return np.asarray(centred_VD @ vectors_DD[:, ::-1][:, :width], dtype=np.float32)


def megabytes(model: PreTrainedModel) -> float:
    """Size of a model's weights as they are saved, in millions of bytes."""
    size: int = sum(tensor.numel() * tensor.element_size() for tensor in model.state_dict().values())
    return size / MEGABYTE


def latency(model: PreTrainedModel, tokenizer: Any, texts: Sequence[str], max_length: int = 128) -> float:
    """Median milliseconds for one text alone, from characters to probabilities."""
    return float(np.median(latencies(one_text(model, tokenizer, max_length), texts)))


def one_text(model: PreTrainedModel, tokenizer: Any, max_length: int) -> Callable[[str], Any]:
    """A function from one text to its probabilities, as a server would call it."""
    model.eval()

    def run(text: str) -> Any:
        with torch.inference_mode():
            batch = encode_batch(tokenizer, [text], None, max_length)
            return torch.softmax(model(**arguments(model, batch)).logits, dim=1)

    return run


def latencies(run: Callable[[str], Any], texts: Sequence[str]) -> NDArray[np.float64]:
    """Milliseconds of each text, shape (N,), one at a time, after a few that warm up."""
    for text in texts[:3]:
        run(text)
    taken = []
    for text in texts:
        began = time.perf_counter()
        run(text)
        taken.append(1e3 * (time.perf_counter() - began))
    return np.array(taken)
