"""What a fit says: scores with intervals, the recommendation, one sentence; `fit.json` and `predictions.csv` hold it.

Every number here can be counted again from `predictions.csv`. Shapes: N texts, C classes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import softmax

from kdshift.fit.degree_choice import DegreeCurve
from kdshift.fit.fitting import Fit
from kdshift.fit.folds import TEST
from kdshift.fit.paid_stage import PaidStage, stage_table
from kdshift.fit.scoring import Difference, Score, calibration_error, distance, log_loss
from kdshift.fit.shifting import Shifting
from kdshift.fit.shipping import latencies, megabytes
from kdshift.fit.student_stage import StudentStage, wished_kinds

TIMED_TEXTS = 100
NAMES = {name: name.replace("_", " ") for name in ("majority", "bag_of_words", "teacher", "assistant", "student")}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """summary: what `fit.json` holds. predictions: one row a scored text. curve: one row a degree.

    stages: the curves of the paid stage (where there is one) and of the free one.
    """

    summary: dict[str, Any]
    predictions: pd.DataFrame
    curve: pd.DataFrame
    stages: pd.DataFrame


def run_fit(fit: Fit, say: Callable[[str], None] = lambda line: None) -> Outcome:
    """Do everything of a fit that is not done yet, and say what came out, each result as soon as it is there."""
    if fit.options.megabytes is not None or fit.options.milliseconds is not None:
        wished_kinds(fit)
    everyone: dict[str, NDArray[Any]] = dict(fit.baselines())
    scored = fit.folds.rows(*fit.folds.scored)
    label_M = fit.folds.label_N[scored]

    def say_score(name: str, p_NC: NDArray[Any]) -> None:
        say(f"{NAMES[name]}: {Score.of(p_NC[scored].argmax(axis=1) == label_M).text()}")

    for name, p_NC in everyone.items():
        say_score(name, p_NC)
    paid = _paid(fit, say)
    answers = fit.answers()
    network_NC = softmax(own_answers(fit, answers).astype(np.float64), axis=1)
    say_score("teacher" if fit.outside_NC is None else "assistant", network_NC)
    shifting = Shifting(fit=fit, logits=answers)
    curve = shifting.curve()
    say(_said(curve.recommendation()))
    student_NC, known = StudentStage(fit=fit, shifting=shifting, degrees=shifting.degrees(curve)).run()
    teacher_NC = network_NC if fit.outside_NC is None else fit.outside()
    everyone |= {"teacher": teacher_NC, "student": student_NC}
    if fit.outside_NC is not None:
        everyone["assistant"] = network_NC
    summary = {
        **_judged(fit, scored, everyone, curve.recommendation(), _student(fit, known)),
        **({} if paid is None else {"paid_recommendation": paid.recommendation()}),
        **_closeness(everyone, scored, label_M),
        "texts": _texts(fit),
        "teacher": fit.options.teacher,
        "copies": shifting.affordable,
        "answer_choice": fit.stages.facts("answer_choice") or {},
        "seconds": fit.clock.spent,
    }
    return Outcome(
        summary=summary,
        predictions=_predictions(fit, scored, everyone),
        curve=_curve(curve, fit.options.augmenter),
        stages=stage_table(paid, curve),
    )


def _paid(fit: Fit, say: Callable[[str], None]) -> DegreeCurve | None:
    """The curve of the copies that an endpoint answers, where they were asked for; its teachers learn from the best."""
    if fit.ask is None or not fit.options.paid_degrees:
        return None
    stage = PaidStage(fit=fit, ask=fit.ask)
    paid = stage.curve()
    fit.teachers.paid = stage.chosen(paid)
    say(f"paid stage, {_said(paid.recommendation())}")
    return paid


def _judged(
    fit: Fit,
    scored: NDArray[np.int64],
    everyone: dict[str, NDArray[Any]],
    recommendation: dict[str, Any],
    student: dict[str, Any],
) -> dict[str, Any]:
    """Scores, what to ship and the recommendation with its sentence."""
    label_M = fit.folds.label_N[scored]
    right = {name: p_NC[scored].argmax(axis=1) == label_M for name, p_NC in everyone.items()}
    if fit.agreement:  # the teacher's agreement with itself says nothing
        del right["teacher"]
    scores = {name: Score.of(right_M) for name, right_M in right.items()}
    against = Difference.of(right["student"], right["bag_of_words"])
    text = sentence(recommendation, scores, student, against, agreement=fit.agreement)
    protocol = f"a test split of {len(scored)} texts"
    if fit.folds.cross_validated:
        protocol = f"cross-validation over {len(fit.folds.scored)} folds"
    return {
        "scores": {name: score.plain() for name, score in scores.items()},
        "measure": "agreement with the teacher" if fit.agreement else "accuracy",
        "protocol": protocol,
        "student_against_bag_of_words": vars(against),
        "ship": "bag_of_words" if against.high < 0 else "student",
        "recommendation": {**recommendation, "sentence": text},
        "student": student,
    }


def _closeness(
    everyone: dict[str, NDArray[Any]], scored: NDArray[np.int64], label_M: NDArray[np.int64]
) -> dict[str, Any]:
    """How close the student comes to its teacher, and how well probabilities are calibrated."""
    student_MC, teacher_MC = everyone["student"][scored], everyone["teacher"][scored]
    return {
        "fidelity": {
            "agreement": float((student_MC.argmax(1) == teacher_MC.argmax(1)).mean()),
            "distance": float(distance(student_MC, teacher_MC).mean()),
        },
        "calibration": {
            name: {
                "log_loss": log_loss(everyone[name][scored], label_M),
                "calibration_error": calibration_error(everyone[name][scored], label_M),
            }
            for name in ("bag_of_words", "teacher", "student")
        },
    }


def _texts(fit: Fit) -> dict[str, Any]:
    own = fit.own
    return {
        "labelled": len(own.train),
        "test": 0 if own.test is None else len(own.test),
        "unlabelled": 0 if own.unlabelled is None else len(own.unlabelled),
        "dropped": vars(own.dropped),
        "labels": list(own.labels),
    }


def _said(found: dict[str, Any]) -> str:
    return f"{found['augmenter']} {found['degree']:.0%}: {found['verdict']}"


def own_answers(fit: Fit, answers: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """For every scored text the logits of teachers that have not seen it, (N, C)."""
    output_NC = np.zeros((len(fit.texts), len(fit.own.labels)), dtype=np.float32)
    for fold in fit.folds.scored:
        rows = fit.folds.rows(fold)
        output_NC[rows] = fit.teachers.plan.targets(answers, fold)[rows]
    return output_NC


def _student(fit: Fit, known: dict[str, Any]) -> dict[str, Any]:
    from empirical.models.classifier import load_classifier
    from kdshift.fit.shipping import one_text

    model = load_classifier(str(fit.stages.folder / "model"))
    texts = (fit.texts.text_a * (1 + TIMED_TEXTS // len(fit.texts)))[:TIMED_TEXTS]
    taken = latencies(one_text(model, fit.tokenizer, fit.options.max_length), texts)
    return {
        "path": str(fit.folder / "model"),
        "kind": known["kind"],
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "megabytes": megabytes(model),
        "milliseconds_a_text": float(np.median(taken)),
        "milliseconds_p99": float(np.quantile(taken, 0.99)),
        **{name: known[name] for name in ("tried", "kinds_tried", "kinds_by_part", "degrees_by_part")},
    }


def sentence(
    found: dict[str, Any], scores: dict[str, Score], student: dict[str, Any], against: Difference, *, agreement: bool
) -> str:
    """The result in one sentence: whether shifting pays, how good the student is, whether a bag of words beats it."""
    gain = (
        f"distance to the teacher {100 * found['share']:.0f} % smaller "
        f"[{100 * found['low'] / found['distance_none']:.0f}, {100 * found['high'] / found['distance_none']:.0f}]"
    )
    if np.isfinite(found["points"]):  # there are labels to be right about
        gain += f", {found['points']:+.1f} points [{found['points_low']:.1f}, {found['points_high']:.1f}] over none"
    degree = f"{found['augmenter']} {100 * found['degree']:.0f} %"
    if found["verdict"] == "supported":
        first = f"{degree}: {gain}"
    elif found["verdict"] == "contradicted":
        first = "no augmentation: every degree moves the student away from its teacher"
    else:
        least = f"; the least distance was at {degree} ({gain})" if found["degree"] > 0 else ""
        first = f"no degree is distinguishable from none{least}"
    told = [name for name in ("student", "teacher", "assistant", "bag_of_words", "majority") if name in scores]
    words = [f"{NAMES[name]} {scores[name].text()}" for name in told]
    measure = " (agreement with the teacher)" if agreement else ""
    beaten = ""
    if against.high < 0:
        beaten = (
            f"; the student is beaten by the bag of words by {-against.points:.1f} points "
            f"[{-against.high:.1f}, {-against.low:.1f}]: ship that (kdshift predict DIR --model bag-of-words)"
        )
    elif against.low <= 0:
        beaten = f"; student and bag of words are not distinguishable ({against.points:+.1f} points)"
    size = f"{student['megabytes']:.0f} MB, {student['milliseconds_a_text']:.1f} ms a text"
    return f"{first}; {', '.join(words)}{measure}{beaten}; {size}"


def _predictions(fit: Fit, scored: NDArray[np.int64], everyone: dict[str, NDArray[Any]]) -> pd.DataFrame:
    labels = np.array(fit.own.labels)
    lines = [fit.own.line_N, *([] if fit.own.test_line_N is None else [fit.own.test_line_N])]
    train = len(fit.own.train)
    frame = pd.DataFrame({"line": np.concatenate(lines)[scored]})
    frame["file"] = np.where(scored < train, "train", "test")
    frame["fold"] = ["test" if fold == TEST else str(fold) for fold in fit.folds.fold_N[scored]]
    frame["text"] = [fit.texts.text_a[row] for row in scored]
    if fit.texts.text_b is not None:
        frame["text_b"] = [fit.texts.text_b[row] for row in scored]
    frame["label"] = labels[fit.folds.label_N[scored]]
    for name, p_NC in everyone.items():
        frame[name] = labels[p_NC[scored].argmax(axis=1)]
    for index, label in enumerate(labels):
        frame[f"p_{label}"] = everyone["student"][scored, index].round(6)
        frame[f"teacher_p_{label}"] = everyone["teacher"][scored, index].round(6)
    return frame


def _curve(curve: Any, augmenter: str) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "augmenter": augmenter,
                "degree": degree,
                "realised": curve.realised[column],
                "replicate": row,
                "distance": curve.distance[row, column],
                "accuracy": curve.accuracy[row, column],
            }
            for row in range(len(curve.distance))
            for column, degree in enumerate(curve.degrees)
        ]
    )
