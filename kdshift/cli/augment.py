"""`kdshift empirical augment | shift | cost`: lines of text in and out, how far they moved, how long it took."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

from cyclopts import Parameter
from cyclopts.types import NonNegativeInt, PositiveInt

from kdshift.cli.augmenter_options import WHOLE_LINE, AugmenterOptions
from kdshift.cli.lists import Numbers, Words, as_typed
from kdshift.cli.output import emit_json, emit_table
from theory.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from empirical.augment import Augmenter
    from empirical.augment.lines import AugmentedText
    from empirical.tasks.spec import Split
    from empirical.tokens.batch import Batch

CHUNK_LINES, CHUNK_CHARACTERS = 256, 100_000
DEFAULTS = AugmenterOptions()
EVERY_AUGMENTER = ("knn", "random", "synonym", "eda", "augpro-mix", "back-translation")

Json = Annotated[bool, Parameter(negative="", help="print JSON")]
Seed = Annotated[NonNegativeInt, Parameter(help="seed of everything random")]
Augmenters = Annotated[Words, Parameter(help="names with commas between them")]
HeldOut = Annotated[Path | None, Parameter(help="ground-truth: file of held-out lines to draw from")]
Texts = Annotated[PositiveInt, Parameter(help="texts drawn from the task's training split")]
TaskName = Annotated[str, Parameter(help="a known task, or a CSV, TSV, JSONL or Parquet file")]


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

    from empirical.augment.lines import augment_texts
    from empirical.config import ModelConfig
    from empirical.models.classifier import load_tokenizer
    from empirical.randomness import Draws, step_generator

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


def shift(
    *,
    augmenter: Augmenters = ("knn", "random", "synonym", "eda"),
    degree: Annotated[Numbers, Parameter(help="shares from 0 to 1 with commas between them")] = (0.1, 0.3, 0.5, 0.7),
    task: TaskName = "tweets",
    texts: Texts = 500,
    second_teacher: Annotated[str | None, Parameter(help="a teacher from another seed, for disagreement")] = None,
    dimension: Annotated[PositiveInt | None, Parameter(help="of the whitening; default: TwoNN's estimate")] = None,
    seed: Seed = 0,
    max_length: Annotated[PositiveInt, Parameter(help="tokens a text is cut to")] = 128,
    options: AugmenterOptions = DEFAULTS,
    out: Annotated[Path | None, Parameter(help="folder for shift.parquet and shift.png")] = None,
    json: Json = False,
) -> None:
    """Measure how far augmenters move texts: degree on the theory's axis, the effective tau.

    Originals are whitened down to their intrinsic dimension; tau is the mean squared move per dimension, with a 95 %
    bootstrap interval. Also: the proxy A-distance, the cosine of the embeddings, and with teachers their entropy and
    disagreement.
    """
    from empirical.config import ModelConfig, TaskConfig
    from empirical.models.classifier import load_tokenizer
    from empirical.models.encoder import load_encoder, pooled_encoder
    from empirical.shift import measure_shift, shift_figure
    from empirical.tasks.load import load_task
    from kdshift.cli.progress import shown

    if not all(0 <= share <= 1 for share in degree):
        raise InputError("--degree", as_typed(degree), "numbers from 0 to 1")
    if second_teacher is not None and options.teacher is None:
        raise InputError("--second-teacher", second_teacher, "only together with --teacher")
    loaded = load_task(TaskConfig(name=task, max_length=max_length))
    split = loaded.train.take(loaded.subset(min(texts, len(loaded.train)), seed))
    tokenizer = load_tokenizer(ModelConfig(name=options.model))
    tools = {name: options.build(name, 0, tokenizer, labels=loaded.labels, max_length=max_length) for name in augmenter}
    with shown() as progress:
        table = measure_shift(
            split.text_a,
            split.text_b,
            augmenters=tools,
            degrees=degree,
            tokenizer=tokenizer,
            encode=pooled_encoder(load_encoder(ModelConfig(name=options.model))),
            seed=seed,
            max_length=max_length,
            dimension=dimension,
            teacher=_teacher(options.teacher, loaded.labels, tokenizer),
            second_teacher=_teacher(second_teacher, loaded.labels, tokenizer),
            progress=progress,
        )
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        table.to_parquet(out / "shift.parquet", index=False)
        shift_figure(table).savefig(out / "shift.png", dpi=150)
    if json:
        emit_json({"task": task, "dimension": int(table["dimension"].iloc[0]), "rows": table.to_dict("records")})
        return
    columns = {
        "augmenter": table["augmenter"],
        "degree": table["degree"],
        "realised": table["realised_degree"],
        "tau": table["tau"],
        "95 %": [f"{low:.2f}–{high:.2f}" for low, high in zip(table["tau_low"], table["tau_high"], strict=True)],
        "A-distance": table["a_distance"],
        "cosine": table["cosine"],
    }
    if options.teacher is not None:
        columns |= {"entropy": table["teacher_entropy"]}
    if second_teacher is not None:
        columns |= {"disagree": table["disagreement"]}
    note = f"{len(split)} texts of {task}; intrinsic dimension {table['dimension'].iloc[0]} (TwoNN unless given)"
    emit_table("measured shift", list(columns), list(zip(*columns.values(), strict=True)), note)


def cost(
    *,
    augmenter: Augmenters = EVERY_AUGMENTER,
    degree: Annotated[float, Parameter(help="share of eligible tokens that change, in [0, 1]")] = 0.3,
    task: TaskName = "tweets",
    texts: Texts = 1000,
    seed: Seed = 0,
    max_length: Annotated[PositiveInt, Parameter(help="tokens a text is cut to")] = 128,
    options: AugmenterOptions = DEFAULTS,
    json: Json = False,
) -> None:
    """Time per augmented example of every augmenter on this machine (the paper's Table 1).

    Batches of 64 tokenised texts are augmented twice: the first round fills what is kept in memory (synonyms), the
    second is the steady state. Nothing is read from the disk's cache of translations.
    """
    from functools import partial

    from empirical.augment.cost import measure_cost, table_1
    from empirical.config import ModelConfig, TaskConfig
    from empirical.models.classifier import load_tokenizer
    from empirical.tasks.load import load_task
    from kdshift.cli.progress import shown

    tokenizer = load_tokenizer(ModelConfig(name=options.model))
    loaded = load_task(TaskConfig(name=task, max_length=max_length))
    split = loaded.train.take(loaded.subset(min(texts, len(loaded.train)), seed))
    texts_of = (tokenizer, split.text_a, split.text_b)
    rows: list[dict[str, Any]] = []
    with shown() as progress:
        for done, name in enumerate(augmenter, start=1):
            build = partial(_fresh, options, name, degree, tokenizer, loaded.labels, max_length, split)
            rows.append({"augmenter": name, **measure_cost(build, *texts_of, degree, seed=seed, max_length=max_length)})
            progress("cost", done, len(augmenter))
    paper = table_1({row["augmenter"]: row["steady_ms"] for row in rows})
    if json:
        emit_json({"task": task, "texts": len(split), "degree": degree, "rows": rows, "table_1": paper})
        return
    columns = {
        "augmenter": "augmenter",
        "start s": "start_seconds",
        "first ms": "first_ms",
        "steady ms": "steady_ms",
        "tokens/s": "tokens_per_second",
        "degree": "realised_degree",
    }
    if any(row["endpoint_tokens"] for row in rows):
        columns |= {"endpoint tokens": "endpoint_tokens"}
    note = "ms per augmented text, in the first round and after; start: tables, dictionaries, processes"
    title = f"time per augmented example, {len(split)} texts of {task}"
    emit_table(title, list(columns), [[row[column] for column in columns.values()] for row in rows], note)
    cells = [[f"{row['augmenter']} {row['amount']}", row["paper_minutes"], row["minutes"]] for row in paper]
    note = "minutes of augmentation for the 3,927 texts of 1 % of MNLI; the paper's on a V100, ground truth: ChatGPT's"
    emit_table("Table 1 beside this machine", ["", "paper", "here"], cells, note)


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


def _fresh(
    options: AugmenterOptions,
    name: str,
    degree: float,
    tokenizer: Any,
    labels: tuple[str, ...],
    max_length: int,
    split: Split,
    cache: Path,
) -> Augmenter:
    from empirical.augment.in_context import Examples

    shown = Examples(texts=tuple(split.text_a), label_N=split.labels, labels=labels) if split.text_b is None else None
    return options.build(name, degree, tokenizer, labels=labels, examples=shown, cache=cache, max_length=max_length)


def _held_out(file: Path | None, tokenizer: Any) -> Batch | None:
    from empirical.tokens.codec import encode_batch

    if file is None:
        return None
    with _opened(file) as stream:
        text_a, text_b = next(_chunks(stream, whole=True), ([], None))
    return encode_batch(tokenizer, text_a, text_b, WHOLE_LINE)


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError("--held-out", str(path), f"a readable file ({error.strerror})") from None


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

    line = Text("\t").join(
        Text.assemble(*((characters, "bold reverse" if changed else "") for characters, changed in parts))
        for parts in result.parts
    )
    console.print(line, soft_wrap=True)


def _teacher(source: str | None, labels: tuple[str, ...], tokenizer: Any) -> Any:
    if source is None:
        return None
    from empirical.config import ModelConfig
    from empirical.models.classifier import load_classifier, load_tokenizer
    from empirical.teachers.fine_tuned import Teacher

    own = load_tokenizer(ModelConfig(name=source))
    if own.get_vocab() != tokenizer.get_vocab():
        raise InputError("--teacher", source, "a teacher with the tokenizer of --model (give its directory there)")
    return Teacher(load_classifier(source), own, labels).numpy_logits
