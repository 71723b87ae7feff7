"""`kdshift export`: the student as ONNX, held against the original on the texts of `predictions.csv`.

Shapes: N texts, C classes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import softmax

from empirical.files import write_atomically
from empirical.models.onnx_export import OnnxClassifier, export_onnx, quantise
from empirical.tokens.codec import encode_batch
from empirical.tokens.corpus import Corpus, encode_corpus
from kdshift.fit.learner import predict_logits
from kdshift.fit.prediction import ShippedStudent, fit_facts
from kdshift.fit.scoring import Difference, Score
from kdshift.fit.shipping import MEGABYTE, latencies, megabytes, one_text
from theory.errors import InputError

PARITY = 1e-4
MOST_TEXTS, TIMED_TEXTS, AT_ONCE = 1_000, 100, 64


EXPORTED = ("model.onnx", "model-int8.onnx", "export.json")


def export_student(folder: Path, *, int8: bool) -> dict[str, Any]:
    """Write `model.onnx` (and `model-int8.onnx`) into a fit's folder; what they weigh, take and lose.

    The shipped student has seen most of the texts it is compared on here: the scores compare versions of one model,
    and say nothing of new texts.

    Raises:
        InputError: no finished fit, a model that cannot be exported, or one whose ONNX logits differ by more than 1e-4.
    """
    import json

    facts = fit_facts(folder)
    frame = pd.read_csv(folder / "predictions.csv", keep_default_na=False, dtype=str).head(MOST_TEXTS)
    text_a = frame["text"].tolist()
    text_b = frame["text_b"].tolist() if "text_b" in frame else None
    length = int(facts["max_length"])
    student = ShippedStudent.load(folder / "model", length)
    corpus = encode_corpus(student.tokenizer, text_a, text_b, length)
    label_N = np.array([student.labels.index(label) for label in frame["label"]])
    plain_NC = predict_logits(student.model, corpus)
    models = [_network("student, PyTorch", student, text_a, plain_NC, label_N)]
    if (folder / "teacher" / "config.json").exists():
        teacher = ShippedStudent.load(folder / "teacher", length)
        models.insert(0, _network("teacher, PyTorch", teacher, text_a, None, label_N))
    export_onnx(student.model, folder / EXPORTED[0])
    exact_NC, row = _onnx("student, ONNX fp32", folder / EXPORTED[0], student, corpus, text_a, label_N)
    gap = float(np.abs(exact_NC - plain_NC).max())
    if gap > PARITY:
        raise InputError("--onnx", f"logits {gap:.1e} apart", f"an export within {PARITY:.0e} of the original")
    models.append(row)
    loss: dict[str, Any] | None = None
    if int8:
        quantise(folder / EXPORTED[0], folder / EXPORTED[1])
        small_NC, row = _onnx("student, ONNX int8", folder / EXPORTED[1], student, corpus, text_a, label_N)
        models.append(row)
        right, same = small_NC.argmax(axis=1) == label_N, exact_NC.argmax(axis=1) == label_N
        loss = {
            **vars(Difference.of(right, same)),
            "agreement": float((small_NC.argmax(axis=1) == exact_NC.argmax(axis=1)).mean()),
            "largest_probability_gap": float(np.abs(softmax(small_NC, axis=1) - softmax(exact_NC, axis=1)).max()),
        }
    exported = {
        "models": models,
        "largest_logit_gap": gap,
        "int8": loss,
        "texts": len(text_a),
        "note": _note(gap, loss),
    }
    write_atomically(folder / EXPORTED[2], json.dumps(exported, indent=2) + "\n")
    return exported


def _note(gap: float, loss: dict[str, Any] | None) -> str:
    note = f"ONNX fp32 and PyTorch differ by {gap:.1e} in logits at most."
    if loss is not None:
        note += (
            f" int8 against fp32: {loss['points']:+.2f} points [{loss['low']:.2f}, {loss['high']:.2f}], "
            f"{100 * loss['agreement']:.1f} % equal labels."
        )
    return note + " The shipped student has seen most of these texts: the scores compare its versions only."


def _network(
    name: str, student: ShippedStudent, texts: list[str], logits_NC: NDArray[np.float32] | None, label_N: NDArray[Any]
) -> dict[str, Any]:
    run = one_text(student.model, student.tokenizer, student.max_length)
    return _row(name, megabytes(student.model), run, texts, logits_NC, label_N)


def _onnx(
    name: str, path: Path, student: ShippedStudent, corpus: Corpus, texts: list[str], label_N: NDArray[Any]
) -> tuple[NDArray[np.float32], dict[str, Any]]:
    session = OnnxClassifier(path)
    output_NC = np.empty((len(corpus), len(student.labels)), dtype=np.float32)
    for index_B in corpus.by_length(np.arange(len(corpus)), AT_ONCE):
        output_NC[index_B] = session.logits(corpus.batch(index_B))

    def run(text: str) -> Any:
        return session.logits(encode_batch(student.tokenizer, [text], None, student.max_length))

    return output_NC, _row(name, path.stat().st_size / MEGABYTE, run, texts, output_NC, label_N)


def _row(
    name: str,
    size: float,
    run: Callable[[str], Any],
    texts: list[str],
    logits_NC: NDArray[np.float32] | None,
    label_N: NDArray[Any],
) -> dict[str, Any]:
    taken = latencies(run, texts[:TIMED_TEXTS])
    score: dict[str, Any] = {"accuracy": None, "low": None, "high": None, "n": 0}
    if logits_NC is not None:
        score = dict(Score.of(logits_NC.argmax(axis=1) == label_N).plain())
    return {
        "name": name,
        "megabytes": size,
        "milliseconds": float(np.median(taken)),
        "milliseconds_p99": float(np.quantile(taken, 0.99)),
        **score,
    }
