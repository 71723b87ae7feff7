"""The Python door: distillation with shifted texts as a scikit-learn classifier, and a collator that shifts texts.

from kdshift import Distiller
Distiller(degree="auto").fit(texts, probabilities).predict(["a new text"])
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from theory.errors import InputError

if TYPE_CHECKING:
    import torch

    from empirical.tokens.corpus import Corpus
    from kdshift.fit.shifted_copies import ShiftedCopies

    MakeCopies = Callable[[float], tuple[ShiftedCopies, NDArray[np.float32]]]

LEAST_PROBABILITY = 1e-6
LEAST_OF_LIGHT = 0.02  # light students learn logits by their squares, which a certain label would send far away


class Distiller(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A small student of texts with labels or soft labels.

    degree: share of each text's tokens that copies change, in [0, 1]; 0 trains without copies; `auto`: light students
    say which (`degree_`), and by how much it is better than none (`recommendation_`).
    teacher: who answers for the copies, anything with `predict_proba(texts)` whose columns stand in the order of
    `classes_`; None: copies take the soft label (or the label) of their text.
    copies: augmented copies a text. model: whose tokenizer, embeddings and layers the student takes.
    student: `static`, `encoder` or `bilstm`. steps: the most; None: the kind's own.
    """

    def __init__(
        self,
        degree: float | str = 0.4,
        augmenter: str = "knn",
        copies: int = 4,
        model: str = "minilm",
        student: str = "static",
        steps: int | None = None,
        max_length: int = 128,
        seed: int = 0,
        teacher: Any = None,
    ) -> None:
        self.degree = degree
        self.augmenter = augmenter
        self.copies = copies
        self.model = model
        self.student = student
        self.steps = steps
        self.max_length = max_length
        self.seed = seed
        self.teacher = teacher

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

        if self.degree != "auto" and not (isinstance(self.degree, (int, float)) and 0 <= self.degree <= 1):
            raise InputError("degree", self.degree, "a share of the tokens from 0 to 1, or auto")
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
        with tempfile.TemporaryDirectory() as folder:
            make = self._copies(texts, label_N, embeddings, answer_NC, Path(folder))
            self.degree_ = self._chosen(corpus, label_N, embeddings, soft_NC, make)
            copies = make(self.degree_) if self.degree_ > 0 else None
        given = None if copies is None else (copies[0].corpus, copies[0].origin_P, copies[1])
        kind: Any = self.student
        self.model_, self.learned_ = maker.train(
            kind, maker.material(row_N, answer_NC, given), held_N, float("inf"), steps=self.steps
        )
        return self

    def _chosen(
        self,
        corpus: Corpus,
        label_N: NDArray[np.int64],
        embeddings: Any,
        soft_NC: NDArray[np.float64],
        make: MakeCopies,
    ) -> float:
        """The degree asked for, or the one whose light students come nearest to the targets of texts left out."""
        if self.degree != "auto":
            return float(self.degree)
        from kdshift.fit.degree_choice import CopiesAt, LightStudents, Replicate, measure
        from kdshift.fit.folds import FOLDS, held_back, stratified
        from kdshift.fit.options import DEGREES

        bounded_NC = np.log(np.maximum(soft_NC, LEAST_OF_LIGHT)).astype(np.float32)
        fold_N = stratified(label_N, FOLDS, self.seed)
        replicates = []
        for fold in range(FOLDS):
            row_N, held_N = held_back(np.flatnonzero(fold_N != fold), label_N, 0.1, 1, self.seed)
            scored_N = np.flatnonzero(fold_N == fold)
            replicates.append(
                Replicate(row_N=row_N, held_N=held_N, scored_N=scored_N, answer_NC=bounded_NC, apart=None, seed=fold)
            )

        def at(degree: float) -> Callable[[], CopiesAt]:
            def made() -> CopiesAt:
                copies, answer_PC = make(degree)
                bounded_PC = np.maximum(answer_PC, np.float32(np.log(LEAST_OF_LIGHT)))
                return CopiesAt(
                    corpus=copies.corpus,
                    origin_P=copies.origin_P,
                    answer_RPC=[bounded_PC] * FOLDS,
                    realised=copies.realised,
                )

            return made

        light = LightStudents(corpus, embeddings, label_N, replicates)
        self.recommendation_ = measure(
            light, self.augmenter, {degree: at(degree) for degree in DEGREES}
        ).recommendation()
        return float(self.recommendation_["degree"])

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
        self,
        texts: Sequence[str],
        label_N: NDArray[np.int64],
        embeddings: Any,
        answer_NC: NDArray[np.float32],
        folder: Path,
    ) -> MakeCopies:
        """From a degree to copies with what they should be: the teacher's answers, or those of their texts."""
        from empirical.tasks.spec import Split
        from kdshift.fit.shifted_copies import CopyMaker

        maker = CopyMaker(
            texts=Split(text_a=list(texts), text_b=None, labels=label_N),
            row_N=np.arange(len(texts)),
            labels=tuple(str(name) for name in self.classes_),
            tokenizer=self.tokenizer_,
            embeddings=embeddings if self.augmenter == "knn" else None,
            augmenter=self.augmenter,
            max_length=self.max_length,
            seed=self.seed,
            folder=folder,
        )

        def make(degree: float) -> tuple[ShiftedCopies, NDArray[np.float32]]:
            copies = maker.make(degree, self.copies)
            return copies, answer_NC[copies.origin_P] if self.teacher is None else self._answers(copies.corpus)

        return make

    def _answers(self, copies: Corpus) -> NDArray[np.float32]:
        """The teacher's log-probabilities of the copies, written out as text."""
        from empirical.tokens.codec import decode_batch

        written = decode_batch(self.tokenizer_, copies.batch(np.arange(len(copies))))[0]
        p_PC = np.asarray(self.teacher.predict_proba(written), dtype=np.float64)
        if p_PC.shape != (len(written), len(self.classes_)):
            raise InputError(
                "teacher", f"probabilities of shape {p_PC.shape}", f"({len(written)}, {len(self.classes_)})"
            )
        return np.log(np.maximum(p_PC, LEAST_PROBABILITY)).astype(np.float32)

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
