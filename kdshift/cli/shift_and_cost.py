"""`kdshift empirical shift | cost`: how far augmenters move a task's texts, and how long they take."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from cyclopts.types import NonNegativeInt, PositiveInt

from kdshift.cli.augmenter_options import AugmenterOptions, check_names
from kdshift.cli.lists import Numbers, Words, as_typed
from kdshift.cli.output import Json, emit_json, emit_table
from theory.errors import InputError
from theory.replacing import write_frame

if TYPE_CHECKING:
    import pandas as pd

    from empirical.augment import Augmenter
    from empirical.tasks.spec import Split

DEFAULTS = AugmenterOptions()
EVERY_AUGMENTER = ("knn", "random", "synonym", "eda", "augpro-mix", "back-translation")

Seed = Annotated[NonNegativeInt, Parameter(help="seed of everything random")]
Augmenters = Annotated[Words, Parameter(help="names with commas between them")]
Texts = Annotated[PositiveInt, Parameter(help="texts drawn from the task's training split")]
TaskName = Annotated[str, Parameter(help="a known task, or a CSV, TSV, JSONL or Parquet file")]


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
    check_names(augmenter)
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
        write_frame(table, out / "shift.parquet")
        shift_figure(table).savefig(out / "shift.png", dpi=150)
    if json:
        dimension = int(table["dimension"].iloc[0])
        return emit_json({"task": task, "dimension": dimension, "rows": table.to_dict("records")})
    optional = {"entropy": "teacher_entropy"} if options.teacher is not None else {}
    if second_teacher is not None:
        optional["disagree"] = "disagreement"
    _show_shift(table, optional, f"{len(split)} texts of {task}")


def _show_shift(table: pd.DataFrame, optional: dict[str, str], texts: str) -> None:
    """The measured shift as a table; optional: title and column of what only teachers can say."""
    columns = {
        "augmenter": table["augmenter"],
        "degree": table["degree"],
        "realised": table["realised_degree"],
        "tau": table["tau"],
        "95 %": [f"{low:.2f}–{high:.2f}" for low, high in zip(table["tau_low"], table["tau_high"], strict=True)],
        "A-distance": table["a_distance"],
        "cosine": table["cosine"],
    }
    columns |= {title: table[column] for title, column in optional.items()}
    note = f"{texts}; intrinsic dimension {table['dimension'].iloc[0]} (TwoNN unless given)"
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

    check_names(augmenter)
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
        "core ms": "core_ms",
        "tokens/s": "tokens_per_second",
        "degree": "realised_degree",
    }
    if any(row["endpoint_tokens"] for row in rows):
        columns |= {"endpoint tokens": "endpoint_tokens"}
    note = "ms per augmented text, in the first round and after (core: of processor time); start: tables, dictionaries"
    title = f"time per augmented example, {len(split)} texts of {task}"
    emit_table(title, list(columns), [[row[column] for column in columns.values()] for row in rows], note)
    cells = [[f"{row['augmenter']} {row['amount']}", row["paper_minutes"], row["minutes"]] for row in paper]
    note = "minutes of augmentation for the 3,927 texts of 1 % of MNLI; the paper's on a V100, ground truth: ChatGPT's"
    emit_table("Table 1 beside this machine", ["", "paper", "here"], cells, note)


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
