"""The measured semantic shift: every augmenter and degree on the theory's axis, tau (limitations section).

Command: `kdshift empirical shift --augmenter knn,random --degree 0.1,0.3,0.5 --task tweets`. The share of changed
tokens says little about how far a text moved. Here originals are embedded and whitened down to their intrinsic
dimension d, where they look like the theorem's N(0, I), and tau = E|x' - x|^2 / d is what the variance of the
local Gaussian would be.
Shape suffixes: N texts, D width of the representation, d intrinsic dimension, R bootstrap replicates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from empirical.augment import Augmenter
from empirical.metric import entropy
from empirical.randomness import Draws, step_generator
from empirical.tokens.batch import Batch
from empirical.tokens.codec import encode_batch
from theory.errors import InputError
from theory.progress_report import Progress

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

Encoder = Callable[[Batch], NDArray[np.float32]]
Floats = NDArray[np.float64]

CHUNK = 64
BOOTSTRAP = 1000
FOLDS = 5
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")


@dataclass(frozen=True)
class Whitening:
    """The linear map under which the originals have mean 0 and covariance I in their `dimension` leading directions."""

    mean_D: Floats
    map_Dd: Floats

    @property
    def dimension(self) -> int:
        return int(self.map_Dd.shape[1])

    @classmethod
    def of(cls, x_ND: Floats, dimension: int | None = None) -> Whitening:
        """Fit on the originals.

        x_ND: float array of shape (N, D).  dimension: d; None: `intrinsic_dimension(x_ND)`.

        Raises:
            InputError: the originals do not span that many directions.
        """
        d = intrinsic_dimension(x_ND) if dimension is None else dimension
        mean_D = x_ND.mean(axis=0)
        variance_D, vectors_DD = np.linalg.eigh(np.cov(x_ND - mean_D, rowvar=False))
        spanned = int((variance_D > variance_D[-1] * 1e-10).sum())
        if not 1 <= d <= spanned:
            raise InputError("dimension", d, f"1 to {spanned}, the directions that the originals span")
        return cls(mean_D, vectors_DD[:, ::-1][:, :d] / np.sqrt(variance_D[::-1][:d]))

    def __call__(self, x_ND: Floats) -> Floats:
        """Whitened coordinates, shape (N, d)."""
        return (x_ND - self.mean_D) @ self.map_Dd


def intrinsic_dimension(x_ND: Floats) -> int:
    """The intrinsic dimension of a cloud by scikit-dimension's TwoNN (Facco et al. 2017), rounded, 1 at least.

    x_ND: float array of shape (N, D); repeated rows are counted once.

    Raises:
        InputError: fewer than 20 distinct texts.
    """
    from skdim.id import TwoNN

    distinct_ND = np.unique(x_ND, axis=0)
    if len(distinct_ND) < 20:
        raise InputError("texts", f"{len(distinct_ND)} distinct ones", "20 or more for an intrinsic dimension")
    found: int = round(float(TwoNN().fit(distinct_ND).dimension_))
    return int(np.clip(found, 1, min(x_ND.shape[1], len(distinct_ND) - 1)))


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
    values |= _mean("a_distance", 2 * (1 - 2 * _held_out_errors(original.x_ND, new.x_ND, seed)))
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


def effective_tau(x_ND: Floats, new_ND: Floats, whiten: Whitening) -> Floats:
    """|x' - x|^2 / d of each text in whitened coordinates, shape (N,); its mean is the effective tau.

    Under the theorem's x' ~ N(x, tau I) that mean is tau.
    """
    tau_N: Floats = np.square(whiten(new_ND) - whiten(x_ND)).sum(axis=1) / whiten.dimension
    return tau_N


def bootstrap_interval(values_N: Floats, rng: np.random.Generator, level: float = 0.95) -> tuple[float, float]:
    """Percentile bootstrap interval of a mean over texts."""
    from scipy.stats import bootstrap

    settings: dict[str, Any] = {"method": "percentile", "n_resamples": BOOTSTRAP, "vectorized": True}
    found = bootstrap((values_N,), np.mean, confidence_level=level, rng=rng, **settings).confidence_interval
    return float(found.low), float(found.high)


def _mean(name: str, values_N: Floats) -> dict[str, float]:
    se = values_N.std(ddof=1) / np.sqrt(len(values_N)) if len(values_N) > 1 else float("nan")
    return {name: float(values_N.mean()), f"{name}_se": float(se)}


def _held_out_errors(x_ND: Floats, new_ND: Floats, seed: int) -> Floats:
    """For each text, the share of {original, augmented} that a classifier trained on other texts mistakes.

    The two versions of a text are always on the same side of a split, so that no classifier has seen its twin.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    count = len(x_ND)
    both, label = np.concatenate([x_ND, new_ND]), np.repeat([0, 1], count)
    if np.array_equal(x_ND, new_ND):
        return np.full(count, 0.5)
    group = np.tile(step_generator(seed, 0, Draws.SHIFT_TEXTS).permutation(count), 2)
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=300))
    predicted = cross_val_predict(classifier, both, label, groups=group, cv=GroupKFold(FOLDS))
    error_N: Floats = (predicted != label).reshape(2, count).mean(axis=0)
    return error_N


def _teachers_apart(logits_NC: Floats, second_NC: Floats) -> tuple[Floats, Floats]:
    from scipy.special import softmax

    differs_N = (logits_NC.argmax(axis=1) != second_NC.argmax(axis=1)).astype(np.float64)
    return differs_N, np.abs(softmax(logits_NC, axis=1) - softmax(second_NC, axis=1)).sum(axis=1) / 2


def shift_figure(table: pd.DataFrame) -> Figure:
    """The table as a figure: tau against the realised degree, then A-distance and teacher entropy against tau.

    table: from `measure_shift`. The third panel is left out where no teacher was asked. Bars are 95 % intervals.
    """
    from matplotlib.figure import Figure

    panels = [("realised_degree", "tau"), ("tau", "a_distance")]
    if table["teacher_entropy"].notna().any():
        panels.append(("tau", "teacher_entropy"))
    figure = Figure(figsize=(4.6 * len(panels), 4.0), layout="constrained")
    for axes, (across, up) in zip(figure.subplots(1, len(panels)), panels, strict=True):
        for place, (name, rows) in enumerate(_curves(table)):
            style = {"color": COLOURS[place % 7], "marker": MARKERS[place % 7], "linestyle": "-", "capsize": 2}
            axes.errorbar(rows[across], rows[up], yerr=_bars(rows, up), label=name, markersize=5, **style)
        axes.set(xlabel=LABELS[across], ylabel=LABELS[up])
        if up == "teacher_entropy":
            axes.axhline(table[up].iloc[0], color="grey", linestyle=":", label="originals")
        axes.grid(alpha=0.3)
    figure.axes[0].legend(frameon=False)
    return figure


LABELS = {
    "realised_degree": "realised degree (share of eligible tokens)",
    "tau": "effective tau (variance, whitened)",
    "a_distance": "proxy A-distance",
    "teacher_entropy": "teacher's entropy (nats)",
}


def _curves(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    for name, rows in table[table["augmenter"] != "original"].groupby("augmenter", sort=False):
        yield str(name), rows.sort_values("realised_degree")


def _bars(rows: pd.DataFrame, column: str) -> Any:
    if column == "tau":
        return np.stack([rows["tau"] - rows["tau_low"], rows["tau_high"] - rows["tau"]])
    return 1.96 * rows[f"{column}_se"]
