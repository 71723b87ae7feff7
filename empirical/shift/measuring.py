"""The measured semantic shift: every augmenter and degree on the theory's axis, tau (limitations section).

Command: `kdshift empirical shift --augmenter knn,random --degree 0.1,0.3,0.5 --task tweets`. The share of changed
tokens says little about how far a text moved. Here originals are embedded and whitened down to their intrinsic
dimension d, where they look like the theorem's N(0, I), and tau = E|x' - x|^2 / d is what the variance of the
local Gaussian would be.
Shape suffixes: N texts, D width of the representation, d intrinsic dimension, R bootstrap replicates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from empirical.augment import Augmenter
from empirical.metric import entropy
from empirical.randomness import Draws, step_generator
from empirical.shift.telling_apart import own_errors
from empirical.shift.whitening import Whitening, bootstrap_interval, effective_tau
from empirical.tokens.batch import Batch
from empirical.tokens.codec import encode_batch
from theory.progress_report import Progress

if TYPE_CHECKING:
    import pandas as pd

Encoder = Callable[[Batch], NDArray[np.float32]]
Floats = NDArray[np.float64]

CHUNK = 64


def measure_shift(
    text_a: Sequence[str],
    text_b: Sequence[str] | None,
    *,
    augmenters: Mapping[str, Augmenter],
    degrees: Sequence[float],
    tokenizer: Any,
    encode: Encoder,
    seed: int = 0,
    max_length: int = 128,
    dimension: int | None = None,
    sentence_encode: Encoder | None = None,
    teacher: Encoder | None = None,
    second_teacher: Encoder | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """The table of measured shifts: one row an augmenter and degree, the originals themselves first.

    text_a, text_b: N original texts or pairs.
    augmenters: by name; those that are made offline ignore the degree and get one row.
    encode: function from a batch to representations of shape (B, D) in which tau is measured.
    dimension: d of the whitening; None: TwoNN on the originals.
    sentence_encode: representation of the cosine; None: `encode`.
    teacher, second_teacher: functions from a batch to logits of shape (B, C).

    Columns: augmenter, degree (nominal; NaN for offline ones), realised_degree, changed (tokens or words a text),
    dimension, tau with tau_low and tau_high (95 %, bootstrap over texts), a_distance (proxy A-distance
    2(1 - 2 error) of a linear classifier on held-out texts, in [0, 2]) and a_distance_se, cosine, teacher_entropy
    (nats), disagreement (share of texts on which the second teacher's label differs), probability_gap (total
    variation between the two teachers), each of these with `_se`, texts, seed. What was not asked for is NaN.

    Raises:
        InputError: too few texts, or a dimension that they do not span.
    """
    import pandas as pd

    batch = encode_batch(tokenizer, text_a, text_b, max_length)
    probe = _Probe(encode, sentence_encode or encode, teacher, second_teacher)
    original = probe.of(batch)
    whiten = Whitening.of(original.x_ND, dimension)
    cells = [(name, degree) for name, augmenter in augmenters.items() for degree in _degrees(augmenter, degrees)]
    rows = [
        {
            "augmenter": "original",
            "degree": 0.0,
            "realised_degree": 0.0,
            "changed": 0.0,
            **_compared(original, original, whiten, seed),
        }
    ]
    for done, (name, degree) in enumerate(cells, start=1):
        # Common random numbers: every cell sees the generator of step 0.
        nominal = degree if np.isfinite(degree) else 1.0
        augmented = augmenters[name](batch, nominal, step_generator(seed, 0, Draws.AUGMENTATION))
        counts = {"realised_degree": augmented.degree, "changed": float(augmented.changed_B.mean())}
        measures = _compared(original, probe.of(augmented.batch), whiten, seed)
        rows.append({"augmenter": name, "degree": degree, **counts, **measures})
        if progress is not None:
            progress("shift", done, len(cells))
    return pd.DataFrame(rows).assign(texts=len(batch), seed=seed)


def _degrees(augmenter: Augmenter, degrees: Sequence[float]) -> Sequence[float]:
    return degrees if augmenter.online else [float("nan")]


@dataclass(frozen=True)
class _Seen:
    """What was computed of N texts."""

    x_ND: Floats
    sentence_ND: Floats
    logits_NC: Floats | None
    second_NC: Floats | None


@dataclass(frozen=True)
class _Probe:
    encode: Encoder
    sentence_encode: Encoder
    teacher: Encoder | None
    second: Encoder | None

    def of(self, batch: Batch) -> _Seen:
        x_ND = _in_chunks(self.encode, batch)
        same = self.sentence_encode is self.encode
        return _Seen(
            x_ND,
            x_ND if same else _in_chunks(self.sentence_encode, batch),
            None if self.teacher is None else _in_chunks(self.teacher, batch),
            None if self.second is None else _in_chunks(self.second, batch),
        )


def _in_chunks(function: Encoder, batch: Batch) -> Floats:
    """The function of all rows, batched by length so that padding costs little."""
    order_N = np.argsort(batch.mask_BL.sum(axis=1), kind="stable")
    parts = [function(batch.rows(order_N[start : start + CHUNK])) for start in range(0, len(batch), CHUNK)]
    return np.concatenate(parts).astype(np.float64)[np.argsort(order_N)]


def _compared(original: _Seen, new: _Seen, whiten: Whitening, seed: int) -> dict[str, float]:
    moved_N = effective_tau(original.x_ND, new.x_ND, whiten)
    low, high = bootstrap_interval(moved_N, step_generator(seed, 0, Draws.SHIFT_BOOTSTRAP))
    values: dict[str, float] = {"dimension": whiten.dimension, "tau": moved_N.mean(), "tau_low": low, "tau_high": high}
    values |= _mean("a_distance", 2 * (1 - 2 * own_errors(original.x_ND, new.x_ND, seed)))
    values["a_distance"] = float(np.clip(values["a_distance"], 0, 2))
    norms_N = np.linalg.norm(original.sentence_ND, axis=1) * np.linalg.norm(new.sentence_ND, axis=1)
    values |= _mean("cosine", (original.sentence_ND * new.sentence_ND).sum(axis=1) / np.maximum(norms_N, 1e-12))
    missing = np.full(1, np.nan)
    entropy_N = missing if new.logits_NC is None else entropy(new.logits_NC)
    values |= _mean("teacher_entropy", entropy_N)
    differs_N, gap_N = missing, missing
    if new.logits_NC is not None and new.second_NC is not None:
        differs_N, gap_N = _teachers_apart(new.logits_NC, new.second_NC)
    return values | _mean("disagreement", differs_N) | _mean("probability_gap", gap_N)


def _mean(name: str, values_N: Floats) -> dict[str, float]:
    se = values_N.std(ddof=1) / np.sqrt(len(values_N)) if len(values_N) > 1 else float("nan")
    return {name: float(values_N.mean()), f"{name}_se": float(se)}


def _teachers_apart(logits_NC: Floats, second_NC: Floats) -> tuple[Floats, Floats]:
    from scipy.special import softmax

    differs_N = (logits_NC.argmax(axis=1) != second_NC.argmax(axis=1)).astype(np.float64)
    return differs_N, np.abs(softmax(logits_NC, axis=1) - softmax(second_NC, axis=1)).sum(axis=1) / 2
