"""`kdshift empirical augment | augmenters | showcase`: lines in, augmented lines out; what there is to choose from."""

from __future__ import annotations

import json as json_format
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

from cyclopts import Parameter
from cyclopts.types import NonNegativeInt

from kdshift.cli.augmenter_options import WHOLE_LINE, AugmenterOptions
from kdshift.cli.lists import named_value
from kdshift.cli.output import emit_json, emit_table
from theory.errors import InputError, unknown_name

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from empirical.augment.lines import AugmentedText
    from empirical.tokens.batch import Batch

CHUNK_LINES, CHUNK_CHARACTERS = 256, 100_000
DEFAULTS = AugmenterOptions()

Json = Annotated[bool, Parameter(negative="", help="print JSON")]
Seed = Annotated[NonNegativeInt, Parameter(help="seed of everything random")]
HeldOut = Annotated[Path | None, Parameter(help="ground-truth: file of held-out lines to draw from")]


def augment(
    *,
    augmenter: Annotated[str, Parameter(help="one of those that `kdshift empirical augmenters` lists")] = "knn",
    degree: Annotated[float, Parameter(help="share of eligible tokens that change, in [0, 1]")] = 0.3,
    seed: Seed = 0,
    held_out: HeldOut = None,
    options: AugmenterOptions = DEFAULTS,
    json: Annotated[bool, Parameter(negative="", help="print one JSON object a line")] = False,
) -> None:
    """Augment lines of standard input: one text a line, or a pair with a tab between its texts.

    Changed tokens are highlighted on a terminal. JSON lines hold original, augmented, eligible, changed and degree:
    how many tokens (for synonym and eda: words) could change, how many did, and their ratio.
    """
    from rich.console import Console

    from empirical.augment.catalogue import textless
    from empirical.augment.lines import augment_texts
    from empirical.config import ModelConfig
    from empirical.models.classifier import load_tokenizer
    from empirical.randomness import Draws, step_generator

    if textless(augmenter):
        raise InputError("--augmenter", augmenter, "one that makes texts (`kdshift empirical distill` takes it)")
    tokenizer, console = load_tokenizer(ModelConfig(name=options.model)), Console(highlight=False)
    tool = options.build(augmenter, degree, tokenizer, held_out=_held_out(held_out, tokenizer))
    if sys.stdin.isatty():
        sys.stderr.write("reading lines from the terminal; end with Ctrl-D\n")
    for number, (text_a, text_b) in enumerate(_chunks(sys.stdin.buffer, whole=tool.at_once)):
        rng = step_generator(seed, number, Draws.AUGMENTATION)
        results = augment_texts(tool, tokenizer, text_a, text_b, degree, rng, max_length=WHOLE_LINE)
        for result, *texts in zip(results, text_a, *([] if text_b is None else [text_b]), strict=True):
            if json:
                emit_json(_record(texts, result))
            elif console.is_terminal:
                _print_highlighted(console, result)
            else:
                sys.stdout.write("\t".join(result.texts) + "\n")


def augmenters(*, json: Json = False) -> None:
    """Every augmenter: what it does, what it needs, when its texts are made, what its degree counts."""
    from rich.markup import escape

    from empirical.augment.catalogue import CATALOGUE

    rows = [
        {
            "augmenter": entry.name,
            "does": entry.does,
            "made": "online" if entry.online else "offline",
            "degree counts": entry.counts,
            "needs": ", ".join(
                [*(OPTIONS_OF[need] for need in entry.needs), *([entry.install] if entry.install else [])]
            ),
        }
        for entry in CATALOGUE.values()
    ]
    if json:
        emit_json({"augmenters": rows})
        return
    note = "online: afresh at every step; offline: copies made once. Any of them goes with --selection."
    emit_table("Augmenters", list(rows[0]), [[escape(cell) for cell in row.values()] for row in rows], note)


def showcase(
    text: str,
    /,
    *,
    degree: Annotated[float, Parameter(help="share of eligible tokens that change, in [0, 1]")] = 0.3,
    others: Annotated[Path | None, Parameter(help="file of further lines, for augmenters that mix texts")] = None,
    seed: Seed = 0,
    options: AugmenterOptions = DEFAULTS,
    models: Annotated[
        list[str] | None,
        Parameter(consume_multiple=True, negative="", help="language models of single augmenters: mate-kd=DIR"),
    ] = None,
    out: Annotated[Path | None, Parameter(help="JSON file for the rows")] = None,
    json: Json = False,
) -> None:
    """Every augmenter on one sentence, changed tokens marked; what is missing here is said in its place."""
    from rich.console import Console

    from empirical.augment.catalogue import CATALOGUE
    from empirical.augment.showcase import showcase as shown_rows
    from empirical.config import ModelConfig
    from empirical.files import write_atomically
    from empirical.models.classifier import load_tokenizer

    tokenizer, console = load_tokenizer(ModelConfig(name=options.model)), Console(highlight=False)
    lines: list[str] = []
    if others is not None:
        with _opened(others, "--others") as stream:
            lines = next(_chunks(stream, whole=True), ([], None))[0]
    made_with = dict.fromkeys((name for name in CATALOGUE if name != "ground-truth"), options)
    for item in models or ():
        name, model = named_value(item, "--models", "augmenter=model")
        if name not in made_with:
            raise unknown_name("--models", name, made_with)
        made_with[name] = replace(options, language_model=model)
    builders = {name: partial(given.build, name, degree, tokenizer) for name, given in made_with.items()}
    rows = shown_rows(text, lines, builders, tokenizer, degree, seed=seed)
    found = {"text": text, "degree": degree, "rows": rows}
    if out is not None:
        write_atomically(out, json_format.dumps(found, indent=1, ensure_ascii=False) + "\n")
    if json:
        emit_json(found)
        return
    for row in rows:
        marked = [("".join(row["missing"]), "dim")] if "missing" in row else _styled(row["parts"])
        console.print(_line(row["augmenter"], marked), soft_wrap=True)


OPTIONS_OF = {
    "embeddings": "--model",
    "teacher": "--teacher DIR",
    "teacher-gradient": "--teacher DIR",
    "student": "--student DIR",
    "masked-model": "--language-model ID",
    "held-out": "--held-out FILE",
    "labels": "its label names",
    "examples": "labelled texts",
}


def _held_out(file: Path | None, tokenizer: Any) -> Batch | None:
    from empirical.tokens.codec import encode_batch

    if file is None:
        return None
    with _opened(file, "--held-out") as stream:
        text_a, text_b = next(_chunks(stream, whole=True), ([], None))
    return encode_batch(tokenizer, text_a, text_b, WHOLE_LINE)


def _opened(path: Path, argument: str) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(argument, str(path), f"a readable file ({error.strerror})") from None


def _chunks(stream: BinaryIO, whole: bool = False) -> Iterator[tuple[list[str], list[str] | None]]:
    """Lines in chunks (or all at once) as first and second texts; all of them pairs, or none."""
    lines: list[list[str]] = []
    characters, fields = 0, None
    for number, raw in enumerate(stream, start=1):
        try:
            line = raw.decode().removesuffix("\n").removesuffix("\r").split("\t")
        except UnicodeDecodeError as error:
            raise InputError(f"line {number}", raw[error.start : error.end], "UTF-8") from None
        fields = fields or min(len(line), 2)
        if len(line) != fields:
            raise InputError(f"line {number}", f"{len(line)} fields", f"{fields} (tab-separated), as in line 1")
        lines.append(line)
        characters += len(raw)
        if not whole and (len(lines) == CHUNK_LINES or characters > CHUNK_CHARACTERS):
            yield _columns(lines)
            lines, characters = [], 0
    if lines:
        yield _columns(lines)


def _columns(lines: Sequence[Sequence[str]]) -> tuple[list[str], list[str] | None]:
    return [line[0] for line in lines], [line[1] for line in lines] if len(lines[0]) == 2 else None


def _record(texts: Sequence[str], result: AugmentedText) -> dict[str, Any]:
    return {
        "original": "\t".join(texts),
        "augmented": "\t".join(result.texts),
        "eligible": result.eligible,
        "changed": result.changed,
        "degree": result.changed / max(1, result.eligible),
    }


def _print_highlighted(console: Console, result: AugmentedText) -> None:
    from rich.text import Text

    line = Text("\t").join(Text.assemble(*_styled(parts)) for parts in result.parts)
    console.print(line, soft_wrap=True)


def _styled(parts: Sequence[tuple[str, bool]]) -> list[tuple[str, str]]:
    return [(characters, "bold reverse" if changed else "") for characters, changed in parts]


def _line(name: str, marked: Sequence[tuple[str, str]]) -> Text:
    from rich.text import Text

    return Text.assemble((f"{name:<18}", "bold"), *marked)
