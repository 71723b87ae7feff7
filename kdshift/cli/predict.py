"""`kdshift predict` and `kdshift export`: the student of a fit at work, and as ONNX."""

from __future__ import annotations

import json as json_text
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from kdshift.cli.output import emit_json, emit_table
from theory.errors import InputError

Folder = Annotated[Path, Parameter(help="folder that kdshift fit has written")]


def predict(
    folder: Folder,
    file: Annotated[Path | None, Parameter(help="table or text file; else standard input, a text a line")] = None,
    /,
    *,
    text: Annotated[str | None, Parameter(help="column of the text [as in the fit]")] = None,
    text_b: Annotated[str | None, Parameter(help="column of the second text [as in the fit]")] = None,
    model: Annotated[
        Literal["student", "bag-of-words"], Parameter(help="which of the folder's classifiers")
    ] = "student",
    json: Annotated[bool, Parameter(negative="", help="print one JSON object a line")] = False,
) -> None:
    """Label and probability of every text, in order, tab-separated; or one JSON object a line.

    Example: `kdshift predict reviews-fit new.csv --json`
    """
    from kdshift.fit.prediction import fit_facts, load_shipped, predictions, read_lines

    columns = fit_facts(folder)["columns"]
    pairs = columns["text_b"] is not None
    if text_b is not None and not pairs:
        raise InputError("--text-b", text_b, f"none: {folder} was fitted on single texts")
    stdin = sys.stdin.buffer.read() if file is None else None
    text_a, second = read_lines(file, stdin, pairs, (text, text_b or columns["text_b"]), columns["text"])
    classifier = load_shipped(folder, model)
    for label, probability, p_C in predictions(classifier, text_a, second):
        if json:
            everything = dict(zip(classifier.labels, (round(float(p), 6) for p in p_C), strict=True))
            answer = {"label": label, "probability": round(probability, 6), "probabilities": everything}
            sys.stdout.write(json_text.dumps(answer, ensure_ascii=False) + "\n")
        else:
            sys.stdout.write(f"{label}\t{probability:.4f}\n")


def export(
    folder: Folder,
    /,
    *,
    onnx: Annotated[bool, Parameter(negative="", help="write model.onnx (float32)")] = False,
    int8: Annotated[bool, Parameter(negative="", help="also write model-int8.onnx (dynamic quantisation)")] = False,
    json: Annotated[bool, Parameter(negative="", help="print one JSON object")] = False,
) -> None:
    """The student as ONNX, its equality with the original measured, teacher, student and int8 side by side.

    Example: `kdshift export reviews-fit --onnx --int8`
    """
    from kdshift.fit.exporting import export_student

    if not onnx:
        raise InputError("export", "no --onnx", "--onnx, with --int8 if you like")
    facts = export_student(folder, int8=int8)
    if json:
        emit_json(facts)
        return
    columns = ("", "MB", "ms a text, median", "ms, 99 %", "accuracy", "95 % interval")
    rows = [
        (
            row["name"],
            f"{row['megabytes']:.1f}",
            f"{row['milliseconds']:.2f}",
            f"{row['milliseconds_p99']:.2f}",
            "-" if row["accuracy"] is None else f"{row['accuracy']:.3f}",
            "-" if row["accuracy"] is None else f"{row['low']:.3f} to {row['high']:.3f}",
        )
        for row in facts["models"]
    ]
    emit_table(f"exported to {folder}", columns, rows, facts["note"])
