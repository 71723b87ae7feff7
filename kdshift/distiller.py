"""The Python door: distillation with shifted texts as a scikit-learn classifier, and a collator that shifts texts.

from kdshift import Distiller
Distiller(degree=0.4).fit(texts, probabilities).predict(["a new text"])
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from theory.errors import InputError

if TYPE_CHECKING:
    import torch

LEAST_PROBABILITY = 1e-6


class Distiller(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A small student of texts with labels or soft labels.

    degree: share of each text's tokens that copies change, in [0, 1]; 0 trains without copies.
    copies: augmented copies a text. model: whose tokenizer, embeddings and layers the student takes.
    student: `static`, `encoder` or `bilstm`. steps: the most; None: the kind's own. Copies take the soft label (or the
    label) of their text.
    """

    def __init__(
        self,
        degree: float = 0.4,
        augmenter: str = "knn",
        copies: int = 4,
        model: str = "minilm",
        student: str = "static",
        steps: int | None = None,
        max_length: int = 128,
        seed: int = 0,
    ) -> None:
        self.degree = degree
        self.augmenter = augmenter
        self.copies = copies
        self.model = model
        self.student = student
        self.steps = steps
        self.max_length = max_length
        self.seed = seed

    def fit(self, texts: Sequence[str], target: Any) -> Distiller:
        """Train on N texts.

        target: N labels, or probabilities of shape (N, C), whose classes are then named 0 to C - 1.

        Raises:
            InputError: targets that are no probabilities, another number of them, or a degree outside [0, 1].
        """
        from empirical.config import ModelConfig
        from empirical.models.classifier import embedding_matrix, load_tokenizer
        from empirical.tokens.corpus import encode_corpus
        from kdshift.fit.folds import held_back
        from kdshift.fit.shipping import StudentMaker, Wish

        if not 0 <= self.degree <= 1:
            raise InputError("degree", self.degree, "a share of the tokens from 0 to 1")
        soft_NC = self._soft(len(texts), target)
        config = ModelConfig.model_validate({"name": self.model})
        self.tokenizer_ = load_tokenizer(config)
        embeddings = embedding_matrix(config)
        corpus = encode_corpus(self.tokenizer_, list(texts), None, self.max_length)
        label_N = soft_NC.argmax(axis=1).astype(np.int64)
        answer_NC = np.log(soft_NC).astype(np.float32)
        maker = StudentMaker(
            model=config,
            labels=tuple(str(name) for name in self.classes_),
            tokenizer=self.tokenizer_,
            embeddings_VD=embeddings,
            corpus=corpus,
            label_N=label_N,
            seed=self.seed,
            soft_only=True,
            wish=Wish(),
            kl=True,
        )
        row_N, held_N = held_back(np.arange(len(texts)), label_N, 0.1, 1, self.seed)
        copies = self._copies(texts, label_N, embeddings, answer_NC) if self.degree > 0 else None
        kind: Any = self.student
        self.model_, self.learned_ = maker.train(
            kind, maker.material(row_N, answer_NC, copies), held_N, float("inf"), steps=self.steps
        )
        return self

    def _soft(self, count: int, target: Any) -> NDArray[np.float64]:
        """Targets as probabilities away from zero, (N, C); sets `classes_`."""
        array = np.asarray(target)
        if len(array) != count or array.ndim not in (1, 2):
            raise InputError("target", array.shape, f"{count} labels, or probabilities of shape ({count}, C)")
        if array.ndim == 1:
            self.classes_, index_N = np.unique(array, return_inverse=True)
            soft_NC = np.eye(len(self.classes_))[index_N]
        else:
            soft_NC = array.astype(np.float64)
            if (soft_NC < 0).any() or not np.allclose(soft_NC.sum(axis=1), 1, atol=0.02):
                raise InputError("target", "rows that do not add up to one", "probabilities")
            self.classes_ = np.arange(soft_NC.shape[1])
        soft_NC = np.maximum(soft_NC, LEAST_PROBABILITY)
        return np.asarray(soft_NC / soft_NC.sum(axis=1, keepdims=True))

    def _copies(
        self, texts: Sequence[str], label_N: NDArray[np.int64], embeddings: Any, answer_NC: NDArray[np.float32]
    ) -> Any:
        import tempfile
        from pathlib import Path

        from empirical.tasks.spec import Split
        from kdshift.fit.shifted_copies import CopyMaker

        with tempfile.TemporaryDirectory() as folder:
            made = CopyMaker(
                texts=Split(text_a=list(texts), text_b=None, labels=label_N),
                row_N=np.arange(len(texts)),
                labels=tuple(str(name) for name in self.classes_),
                tokenizer=self.tokenizer_,
                embeddings=embeddings if self.augmenter == "knn" else None,
                augmenter=self.augmenter,
                max_length=self.max_length,
                seed=self.seed,
                folder=Path(folder),
            ).make(self.degree, self.copies)
        return made.corpus, made.origin_P, answer_NC[made.origin_P]

    def predict_proba(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Probabilities, float32 of shape (N, C), columns in the order of `classes_`."""
        from scipy.special import softmax
        from sklearn.utils.validation import check_is_fitted

        from empirical.tokens.corpus import encode_corpus
        from kdshift.fit.learner import predict_logits

        check_is_fitted(self, "model_")
        corpus = encode_corpus(self.tokenizer_, list(texts), None, self.max_length)
        return np.asarray(softmax(predict_logits(self.model_, corpus), axis=1), dtype=np.float32)

    def predict(self, texts: Sequence[str]) -> NDArray[Any]:
        """The most probable class of each text."""
        return np.asarray(self.classes_[self.predict_proba(texts).argmax(axis=1)])


class AugmentingCollator:
    """Batches of texts for Hugging Face `Trainer`, shifted afresh at every step: ids as the command line makes them.

    Call t draws what step t of a run with this seed draws. Features hold `text` and perhaps `label`.
    """

    def __init__(self, tokenizer: Any, augmenter: Any, degree: float, *, max_length: int = 128, seed: int = 0) -> None:
        self.tokenizer, self.augmenter, self.degree = tokenizer, augmenter, degree
        self.max_length, self.seed, self.step = max_length, seed, 0

    def __call__(self, features: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
        """`input_ids`, `attention_mask` and `labels` (where there are any) of the shifted texts."""
        import torch

        from empirical.randomness import Draws, step_generator
        from empirical.tokens.codec import encode_batch

        batch = encode_batch(self.tokenizer, [feature["text"] for feature in features], None, self.max_length)
        rng = step_generator(self.seed, self.step, Draws.AUGMENTATION)
        self.step += 1
        made = self.augmenter(batch, self.degree, rng).batch
        tensors = {
            "input_ids": torch.from_numpy(made.ids_BL.astype(np.int64)),
            "attention_mask": torch.from_numpy(made.mask_BL.astype(np.int64)),
        }
        if all("label" in feature for feature in features):
            tensors["labels"] = torch.tensor([feature["label"] for feature in features])
        return tensors
