"""`kdshift fit`: your own texts, labelled or not, to a small classifier that ships."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from kdshift.cli.lists import Numbers, Words
from kdshift.cli.output import emit_json, emit_table
from theory.errors import InputError

if TYPE_CHECKING:
    from kdshift.fit.options import FitOptions
    from kdshift.fit.own_texts import OwnTexts


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class TextFiles:
    """What is read beside FILE, and which columns."""

    text: Annotated[str | None, Parameter(help="column of the text [text]")] = None
    text_b: Annotated[str | None, Parameter(help="column of the second text, for pairs")] = None
    label: Annotated[str | None, Parameter(help="column of the label [label]")] = None
    test: Annotated[Path | None, Parameter(help="file to score on; else a split, or cross-validation")] = None
    unlabelled: Annotated[Path | None, Parameter(help="file of texts without labels, for the teacher to answer")] = None
    labels: Annotated[Words | None, Parameter(help="label names, where no text is labelled")] = None


NO_TEXTS = TextFiles()


def fit(
    file: Annotated[Path | None, Parameter(help="CSV, TSV, JSONL or Parquet, or a folder with train and test")] = None,
    /,
    *,
    texts: TextFiles = NO_TEXTS,
    teacher: Annotated[
        str,
        Parameter(
            help="`minilm`, a hub id or folder to fine-tune; a file with p_LABEL columns; or http://host/v1#model"
        ),
    ] = "minilm",
    assistant: Annotated[str, Parameter(help="the encoder that learns an outside teacher's answers")] = "minilm",
    calls: Annotated[int | None, Parameter(help="most calls to an endpoint")] = None,
    tokens: Annotated[int | None, Parameter(help="most tokens to and from an endpoint")] = None,
    augmenter: Annotated[str, Parameter(help="knn, random, synonym or eda")] = "knn",
    degree: Annotated[Numbers | None, Parameter(help="degrees to try [0.1,0.2,0.4,0.6,0.8]")] = None,
    paid_degree: Annotated[
        Numbers | None, Parameter(help="degrees of copies that an endpoint answers for its assistant [none]")
    ] = None,
    student: Annotated[str, Parameter(help="static, encoder, bilstm, or auto: the best on validation")] = "auto",
    max_megabytes: Annotated[float | None, Parameter(help="what the student may weigh")] = None,
    max_milliseconds: Annotated[float | None, Parameter(help="what the student may take for one text")] = None,
    minutes: Annotated[float, Parameter(help="time to lay the work out in")] = 10.0,
    max_length: Annotated[int, Parameter(help="tokens a text (or pair) is cut to")] = 128,
    seed: Annotated[int, Parameter(help="seed of folds, students and copies")] = 0,
    out: Annotated[Path | None, Parameter(help="folder to write [NAME-fit]")] = None,
    json: Annotated[bool, Parameter(negative="", help="print one JSON object")] = False,
) -> None:
    """Baselines, teacher, the degree that pays, and a student to ship; the same command goes on where it was stopped.

    Example: `kdshift fit reviews.csv --text review --label stars`
    """
    from kdshift.fit.options import DEGREES, FitOptions

    options = FitOptions(
        teacher=teacher,
        assistant=assistant,
        augmenter=augmenter,
        degrees=tuple(degree) if degree else DEGREES,
        paid_degrees=tuple(paid_degree or ()),
        student=student,
        minutes=minutes,
        megabytes=max_megabytes,
        milliseconds=max_milliseconds,
        labels=tuple(texts.labels) if texts.labels else None,
        max_length=max_length,
        seed=seed,
    )
    named = file or texts.unlabelled
    if named is None:
        raise InputError("FILE", "nothing", "a file of labelled texts, or --unlabelled FILE with a --teacher")
    folder = out or Path(f"{named.stem}-fit")
    facts = _run(file, texts, options, folder, (calls, tokens))
    if json:
        emit_json(facts)
    else:
        _show(facts, folder)


def _run(
    file: Path | None, texts: TextFiles, options: FitOptions, folder: Path, budget: tuple[int | None, int | None]
) -> dict[str, Any]:
    from kdshift.cli.progress import shown
    from kdshift.fit.finished import finished, write_all
    from kdshift.fit.fitting import Fit
    from kdshift.fit.outcome import run_fit
    from kdshift.fit.outside import ask_outside

    def say(line: str) -> None:
        sys.stderr.write(line + "\n")

    own = None if file is None else _read(file, texts)
    if own is not None and (done := finished(folder, options.digest(own.digest()))) is not None:
        return done
    there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise InputError("--out", str(folder), "a folder that can be written")
    with shown() as progress:
        columns = (texts.text, texts.text_b)
        asked = ask_outside(own, texts.unlabelled, options, folder, columns, budget, progress)
        own = asked.own
        if own.dropped.sentence():
            say(own.dropped.sentence())
        if (done := finished(folder, options.digest(own.digest()))) is not None:
            return done
        fit = Fit(
            own=own,
            options=options,
            folder=folder,
            outside_NC=asked.answer_NC,
            agreement=asked.agreement,
            ask=asked.ask,
            progress=progress,
        )
        return write_all(fit, run_fit(fit, say=say))


def _read(file: Path, texts: TextFiles) -> OwnTexts:
    from kdshift.fit.own_texts import read_texts

    return read_texts(
        file, text=texts.text, text_b=texts.text_b, label=texts.label, test=texts.test, unlabelled=texts.unlabelled
    )


def _show(facts: dict[str, Any], folder: Path) -> None:
    rows = [
        (name.replace("_", " "), f"{score['accuracy']:.3f}", f"{score['low']:.3f} to {score['high']:.3f}", score["n"])
        for name, score in facts["scores"].items()
    ]
    emit_table(f"{facts['measure']}, by {facts['protocol']}", ("", facts["measure"], "95 % interval", "texts"), rows)
    sys.stdout.write(f"\n{facts['recommendation']['sentence']}\n")
    sys.stdout.write(f"\n{folder}/: model/ predictions.csv card.html README.md fit.json\n")
    words = facts.get("ship") == "bag_of_words"
    follow = " --model bag-of-words" if words else f"; kdshift export {folder} --onnx --int8"
    sys.stdout.write(f"next: kdshift predict {folder} new.csv{follow}\n")
