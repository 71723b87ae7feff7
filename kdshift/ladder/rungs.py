"""The rungs of the ladder from the theorem's world to distilled text: what each one changes, and what is tried on it.

    kdshift ladder curves-tweets

Every rung has the same data sizes, replicates, copies of a text and outcome: the mean distance |h - g| to its teacher
on held-out originals. Up to `teacher`, points are whitened mean embeddings of texts (or normal draws in their place)
and students are ridge regressions on random Fourier features, as in `simulate`; from `ngrams` on, students read text.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from empirical.bank.study import Size, Study
from theory.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Rung:
    """One rung: its name in tables, its title for people, the assumption of the theorem that it gives up."""

    name: str
    title: str
    gives_up: str


RUNGS = (
    Rung(name="few", title="Gaussian x in 5 dimensions", gives_up="nothing: where the theorem's bound says something"),
    Rung(name="gaussian", title="Gaussian x, Gaussian shift", gives_up="that x has few dimensions"),
    Rung(name="embeddings", title="real embeddings, Gaussian shift", gives_up="that x is Gaussian"),
    Rung(name="tokens", title="real embeddings, token shift", gives_up="that the shift is Gaussian noise around x"),
    Rung(name="teacher", title="... answered by the text's teacher", gives_up="that the answer is a function of x"),
    Rung(name="ngrams", title="text, ridge on n-grams", gives_up="that the student sees no more than x"),
    Rung(name="network", title="text, a trained network", gives_up="that the student is a convex fit"),
)
LINEAR = "linear"  # the student of the rung `ngrams`
GAUSSIAN = ("few", "gaussian")  # of drawn points
GAUSSIAN_SHIFT = (*GAUSSIAN, "embeddings")  # shifted by tau; the others by the share of tokens


@dataclass(frozen=True, kw_only=True)
class LadderConfig:
    """What is tried on every rung.

    augmenters: token shifts, of the study's. data_sizes: of the study's, with at least two replicates each.
    replicates: at most so many at a size. tau: Gaussian shifts, variances. features: of the Fourier students.
    teacher_features: of the stand-in that answers for the teacher where texts are points. bandwidth: in units of the
    median distance of two points. low_dimension: d of the first rung. network: the study's student of the last rung.
    """

    augmenters: tuple[str, ...] = ("knn", "random")
    data_sizes: tuple[int, ...] = (55, 220, 880)
    replicates: int = 16
    tau: tuple[float, ...] = (0.003, 0.01, 0.03, 0.1, 0.2, 0.4, 0.7, 1.0, 1.5, 2.5)
    features: int = 384
    teacher_features: int = 1536
    bandwidth: float = 0.5
    low_dimension: int = 5
    network: str = "static"
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("replicates", 2), ("features", 2), ("teacher_features", 2)):
            if getattr(self, name) < least:
                raise InputError(name, getattr(self, name), f"a whole number >= {least}")
        if not self.tau or min(self.tau) <= 0:
            raise InputError("tau", list(self.tau), "variances > 0")

    def digest(self) -> str:
        """Names everything here that decides numbers."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:12]


def trimmed(study: Study, config: LadderConfig) -> Study:
    """The study with the ladder's augmenters and sizes alone, without controls and copied labels, with linear students.

    All sizes get the same number of copies of a text, the least that one of them has: what moves with n is n. Raises
    InputError for an augmenter or a data size that it does not have, or a size with a single replicate.
    """
    shifts = tuple(study.shift_of(name) for name in config.augmenters)
    sizes = {size.data_size: size for size in study.sizes if replicates_of(study, size, config) >= 2}
    for data_size in config.data_sizes:
        if data_size not in sizes:
            allowed = f"sizes of the study with at least two replicates: {', '.join(map(str, sizes))}"
            raise InputError("data_size", data_size, allowed)
    chosen = [sizes[data_size] for data_size in config.data_sizes]
    copies = min(copies_of(study, size) for size in chosen)
    update = {
        "students": tuple(dict.fromkeys((LINEAR, *study.students))),
        "shifts": shifts,
        "sizes": tuple(size.model_copy(update={"copies": copies}) for size in chosen),
        "unlabelled": (),
        "equal_compute": False,
        "finetune": (),
        "same_teacher": (),
        "amounts": (),
        "checks": (),
    }
    return study.model_copy(update=update)


def replicates_of(study: Study, size: Size, config: LadderConfig) -> int:
    """How many disjoint subsets of a size the ladder takes."""
    return min((size.pool or study.pool) // size.data_size, config.replicates)


def copies_of(study: Study, size: Size) -> int:
    """Augmented copies of a text at a size."""
    return size.copies or study.copies
