"""Teachers that are no network of ours: a file of probabilities, or a language model behind an endpoint.

Their answers to all texts are asked once and kept as they are given (`temperature` says how they are calibrated).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from empirical.endpoint import Budget, Endpoint
from empirical.tasks.spec import Split
from empirical.teachers.language_model import LanguageModelTeacher
from empirical.teachers.probabilities import ProbabilityFile
from kdshift.fit.options import FitOptions
from kdshift.fit.own_texts import LEAST_OF_A_CLASS, LEAST_TEXTS, Columns, Dropped, OwnTexts, read_unlabelled
from theory.errors import InputError
from theory.progress_report import Progress

logger = logging.getLogger(__name__)

ASKED_AT_ONCE = 32

Outside = ProbabilityFile | LanguageModelTeacher


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What an outside teacher was asked.

    own: the texts. answer_NC: its log-probabilities of all of them, or None. agreement: whether its answers are all the
    labels there are. ask: how it is asked about further texts.
    """

    own: OwnTexts
    answer_NC: NDArray[np.float32] | None = None
    agreement: bool = False
    ask: Callable[[Sequence[str], Sequence[str] | None], NDArray[np.float32]] | None = None


def ask_outside(
    own: OwnTexts | None,
    unlabelled: Path | None,
    options: FitOptions,
    folder: Path,
    columns: tuple[str | None, str | None],
    budget: tuple[int | None, int | None],
    progress: Progress | None = None,
) -> Asked:
    """The texts with an outside teacher's log-probabilities of all of them, (N, C).

    Without an outside teacher the texts come back as they are, with None.

    Raises:
        InputError: no labels and no such teacher; a teacher whose labels are not the texts', or who answers nothing.
    """
    if not options.outside:
        if own is None:
            raise InputError(
                "--teacher", options.teacher, "an endpoint or a file of probabilities where no text is labelled"
            )
        return Asked(own=own)
    labels = own.labels if own is not None else options.labels
    teacher = _outside(options, labels, columns, budget, folder)
    agreement = own is None
    if own is None:
        assert unlabelled is not None, "there is a file of some kind"
        own = _without_labels(unlabelled, columns, teacher.labels)
    parts = [part for part in (own.train, own.test, own.unlabelled) if part is not None]
    text_a = [text for part in parts for text in part.text_a]
    text_b = None if own.train.text_b is None else [text for part in parts for text in part.text_b or ()]
    answer_NC = _asked(teacher, text_a, text_b, progress)
    known_N = np.asarray(np.isfinite(answer_NC).all(axis=1))
    if not known_N.all():
        own, answer_NC = _answered_only(own, answer_NC, known_N, teacher.name)
    if agreement:
        own = _named_by_teacher(own, answer_NC)
    title = "answers to paid copies"
    return Asked(
        own=own,
        answer_NC=answer_NC,
        agreement=agreement,
        ask=lambda first, second: _asked(teacher, first, second, progress, title),
    )


def _outside(
    options: FitOptions,
    labels: tuple[str, ...] | None,
    columns: tuple[str | None, str | None],
    budget: tuple[int | None, int | None],
    folder: Path,
) -> Outside:
    if "://" not in options.teacher:
        path = Path(options.teacher)
        if not path.exists():
            raise InputError("--teacher", options.teacher, "an existing file with a text and p_<label> columns")
        return ProbabilityFile.read(path, columns[0], columns[1], labels)
    if labels is None:
        raise InputError("--labels", "nothing", "the names of the classes, such as --labels negative,positive")
    endpoint = Endpoint.parse(options.teacher, Budget(calls=budget[0], tokens=budget[1]))
    return LanguageModelTeacher(endpoint=endpoint, labels=labels, folder=folder / "work" / "endpoint")


def _asked(
    teacher: Outside,
    text_a: Sequence[str],
    text_b: Sequence[str] | None,
    progress: Progress | None,
    title: str = "answers of the outside teacher",
) -> NDArray[np.float32]:
    parts = []
    for start in range(0, len(text_a), ASKED_AT_ONCE):
        stop = start + ASKED_AT_ONCE
        parts.append(teacher.ask(text_a[start:stop], None if text_b is None else text_b[start:stop]))
        if progress:
            progress(title, min(stop, len(text_a)), len(text_a))
    if isinstance(teacher, LanguageModelTeacher):
        logger.info("%s: %.1f %% of its mass on no class", teacher.name, 100 * teacher.missing)
    return np.concatenate(parts)


def _without_labels(path: Path, columns: tuple[str | None, str | None], labels: tuple[str, ...]) -> OwnTexts:
    """Texts of an unlabelled file in the place of training texts; their labels come from the teacher."""
    split, rows = read_unlabelled(path, columns[0], columns[1])
    if len(split) < LEAST_TEXTS:
        raise InputError(str(path), f"{len(split)} texts", f"at least {LEAST_TEXTS} different ones")
    return OwnTexts(
        name=path.stem,
        labels=labels,
        train=split,
        line_N=np.array([line for line, _ in rows], dtype=np.int64),
        test=None,
        test_line_N=None,
        unlabelled=None,
        columns=Columns(text=columns[0] or "text", text_b=columns[1], label=None),
        dropped=Dropped(),
    )


def _answered_only(
    own: OwnTexts, answer_NC: NDArray[np.float32], known_N: NDArray[np.bool_], name: str
) -> tuple[OwnTexts, NDArray[np.float32]]:
    """Unlabelled texts without an answer are left out; labelled ones must all have one, as scores compare with it."""
    labelled = len(own.train) + (0 if own.test is None else len(own.test))
    without_file = own.columns.label is None
    if not without_file and not known_N[:labelled].all():
        found = f"answers to {int(known_N[:labelled].sum())} of {labelled} labelled texts"
        raise InputError(
            f"--teacher {name}", found, "an answer to every labelled text (texts are matched as they stand)"
        )
    if not known_N.any():
        raise InputError(f"--teacher {name}", "no answer to any text", "texts that stand in that file as they do here")
    logger.warning("%d texts without an answer of %s are left out", int((~known_N).sum()), name)
    if without_file:
        kept = np.flatnonzero(known_N)
        return replace(own, train=own.train.take(kept), line_N=own.line_N[kept]), answer_NC[kept]
    assert own.unlabelled is not None, "all labelled texts have answers"
    kept = np.flatnonzero(known_N[labelled:])
    rest: Split | None = own.unlabelled.take(kept) if len(kept) else None
    return replace(own, unlabelled=rest), answer_NC[known_N]


def _named_by_teacher(own: OwnTexts, answer_NC: NDArray[np.float32]) -> OwnTexts:
    """The texts with the teacher's own classes for labels: every score is then agreement with the teacher."""
    label_N = answer_NC.argmax(axis=1).astype(np.int64)
    count_C = np.bincount(label_N, minlength=len(own.labels))
    if (count_C >= LEAST_OF_A_CLASS).sum() < 2 or len(label_N) < LEAST_TEXTS:
        found = ", ".join(f"{label} {count}" for label, count in zip(own.labels, count_C.tolist(), strict=True))
        raise InputError("--teacher", f"answers {found}", f"at least {LEAST_OF_A_CLASS} texts in each of two classes")
    split = own.train
    return replace(own, train=Split(text_a=split.text_a, text_b=split.text_b, labels=label_N))
