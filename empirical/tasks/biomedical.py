"""Biomedical relations: GAD, ChemProt, DDI, AIMed, BioInfer, LLL with their two entities masked (section 6, Table 7).

Local formats: TSV files of masked sentences (as BioBERT and BLURB prepare them), JSON lines with entity spans, the
corpora's own XML (`empirical.tasks.corpus_xml`), and the hub's Parquet files in BigBio's two layouts (masked texts, and
the documents of `empirical.tasks.bigbio`). Masks keep a model from guessing by the names.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from empirical.paper import TABLE_7_SIZES
from empirical.tasks.bigbio import KB_COLUMNS, SCHEMA, sentence_pairs
from empirical.tasks.corpus_xml import read_corpus
from empirical.tasks.hub import open_split
from empirical.tasks.masking import Entity, mask_entities
from empirical.tasks.own_files import Row, build_split, read_rows
from empirical.tasks.spec import RawTask, Size, Split, TaskSpec
from theory.errors import InputError

logger = logging.getLogger(__name__)

_PROTEINS = ("@PROTEIN1$", "@PROTEIN2$")
_BINARY = ("no relation", "relation")
_CHEMPROT = ("no relation", "CPR:3", "CPR:4", "CPR:5", "CPR:6", "CPR:9")
_DDI = ("no relation", "advise", "effect", "int", "mechanism")
_NEGATIVE = ("0", "false", "negative", "ddi-false", "no relation", "none")
_POSITIVE = ("1", "true", "positive", "relation")
_MASK = re.compile(r"@[A-Za-z][A-Za-z0-9-]*\$")
COLUMNS = ("sentence", None, "label")
TEST_SHARE, TEST_KEY = 0.1, 20_242  # documents of a lone corpus file that become its test split


def _spec(name: str, title: str, labels: tuple[str, ...], licence: str, **more: Any) -> TaskSpec:
    train, test = TABLE_7_SIZES[name]
    return TaskSpec(
        name=name,
        title=title,
        family="biomedical",
        labels=labels,
        metric="accuracy" if name == "gad" else "micro-f1",
        licence=licence,
        train_size=Size(value=train, source="paper, Table 7"),
        test_size=Size(value=test, source="paper, Table 7"),
        **{"columns": COLUMNS, **more},
    )


_RELATED: dict[str, Any] = {"related_only": True, "note": "Table 7 counts related pairs only"}
_TEXTS = ("text", None, "labels")  # the columns of BigBio's masked texts


def _bigbio(name: str, config: str, *splits: str) -> dict[str, Any]:
    """Where BigBio's copy of a corpus is: on the branch of Parquet files, as the hub runs no script any more."""
    return {"hub": (f"bigbio/{name}", config), "hub_revision": "refs/convert/parquet", "splits": splits}


_GAD: dict[str, Any] = {
    **_bigbio("gad", "gad_blurb_bigbio_text", "train", "validation", "test"),
    "columns": _TEXTS,
    "note": "the hub's split is BLURB's, 4,261 + 535 + 534: with validation_size = 0 its validation split joins train, "
    "and 4,796 are Table 7's count",
}
_CHEMPROT_HUB = _bigbio("chemprot", "chemprot_bigbio_kb", "train", "validation", "test")
_DDI_HUB = _bigbio("ddi_corpus", "ddi_corpus_bigbio_kb", "train", "test")
_BIOINFER_HUB = _bigbio("bioinfer", "bioinfer_bigbio_kb", "train", "test")
BIOMEDICAL = {
    spec.name: spec
    for spec in (
        _spec("gad", "Gene and disease: related or not", _BINARY, "CC BY 4.0", **_GAD),
        _spec(
            "chemprot",
            "Chemical and protein: kind of relation",
            _CHEMPROT,
            "BioCreative VI terms",
            **_RELATED,
            **_CHEMPROT_HUB,
        ),
        _spec("ddi", "Drug-drug interactions: kind of interaction", _DDI, "CC BY-NC 4.0", **_RELATED, **_DDI_HUB),
        _spec("aimed", "Protein-protein interactions (AIMed)", _BINARY, "research use (University of Texas)"),
        _spec(
            "bioinfer",
            "Protein-protein interactions (BioInfer)",
            _BINARY,
            "research use (University of Turku)",
            **_BIOINFER_HUB,
        ),
        _spec("lll", "Gene interactions (LLL'05)", _BINARY, "research use (LLL challenge)"),
    )
}
MASKS: dict[str, tuple[str, str]] = {
    "gad": ("@GENE$", "@DISEASE$"),
    "chemprot": ("@CHEMICAL$", "@GENE$"),
    "ddi": ("@DRUG$", "@DRUG$"),
    "aimed": _PROTEINS,
    "bioinfer": _PROTEINS,
    "lll": _PROTEINS,
}


def read_biomedical(spec: TaskSpec, path: Path | None) -> RawTask:
    """A biomedical task from a local folder (train, test and perhaps dev as TSV, JSON lines, XML or the
    hub's Parquet files), one corpus file, or the hub.

    Raises InputError when there is none, with the line for sentences without masks and labels outside the task's.
    """
    if spec.hub is not None and (path is None or _is_parquet(path)):
        return _from_hub(spec, path)
    if path is None:
        allowed = "task.path: a folder with train and test as .tsv, .jsonl or .xml, or one corpus file in XML"
        raise InputError(f"task {spec.name}", "no data", allowed)
    if path.is_file():
        return _cut_by_document(spec, path)
    files = {split: _find(path, names) for split, names in _SPLITS.items()}
    for split in ("train", "test"):
        if files[split] is None:
            raise InputError(f"task {spec.name}", f"no {split} in {path}", "train and test as .tsv, .jsonl or .xml")
    parts = {split: _read(spec, file) for split, file in files.items() if file is not None}
    return RawTask(train=parts["train"], test=parts["test"], validation=parts.get("dev"), labels=spec.labels)


def _from_hub(spec: TaskSpec, folder: Path | None) -> RawTask:
    """BigBio's layouts on the hub or in a folder: masked texts with a list of one label each, or documents."""
    assert spec.hub is not None
    documents = spec.hub[1].endswith(SCHEMA)
    parts: dict[str, Split] = {}
    for name in spec.splits:
        data, where = open_split(spec, name, folder, KB_COLUMNS if documents else _TEXTS)
        place = Path(where) / name
        if documents:
            masks = MASKS[spec.name]
            found = (row for document in data for row in sentence_pairs(str(place), document, masks, spec.labels))
        else:
            found = (
                {"sentence": text, "label": label[0] if isinstance(label, list) and label else label}
                for text, label in zip(data["text"], data["labels"], strict=True)
            )
        rows = _canonical_labels(place, enumerate(found, start=1), spec.labels)
        parts[name] = build_split(place, rows, COLUMNS, spec.labels)[0]
    return RawTask(train=parts["train"], validation=parts.get("validation"), test=parts["test"], labels=spec.labels)


_SPLITS = {"train": ("train", "Train"), "dev": ("dev", "validation", "devel"), "test": ("test", "Test")}


def _is_parquet(path: Path) -> bool:
    """Whether a folder holds the hub's Parquet files and none of the task's own."""
    own = _find(path, _SPLITS["train"]) if path.is_dir() else path
    return (own is None or not any(own.glob("*.xml"))) and path.is_dir() and any(path.rglob("*.parquet"))


def _find(folder: Path, names: Sequence[str]) -> Path | None:
    for name in names:
        for suffix in (".tsv", ".jsonl", ".xml"):
            if (folder / (name + suffix)).is_file():
                return folder / (name + suffix)
        if (folder / name).is_dir():
            return folder / name
    return None


def _read(spec: TaskSpec, path: Path) -> Split:
    if path.is_dir() or path.suffix == ".xml":
        rows: Iterable[Row] = ((line, row) for line, row, _ in read_corpus(path, MASKS[spec.name]))
    elif path.suffix == ".jsonl":
        rows = _masked(path, spec)
    else:
        rows = _masked_tsv(path)
    return build_split(path, _canonical_labels(path, rows, spec.labels), COLUMNS, spec.labels)[0]


def _masked_tsv(path: Path) -> Iterator[Row]:
    """The rows of a TSV of masked sentences, with or without a header, with or without an index column."""
    head = path.read_text("utf-8-sig", errors="replace").split("\n", 1)[0].rstrip("\r").split("\t")
    named = "sentence" in head and "label" in head
    columns = None if named else {2: ("sentence", "label"), 3: ("index", "sentence", "label")}.get(len(head))
    if not named and columns is None:
        raise InputError(
            f"{path}:1", f"{len(head)} fields", "sentence and label, with or without a header and an index"
        )
    unmasked: list[int] = []
    count = 0
    for line, row in read_rows(path, quoted=False, header=columns):
        count += 1
        if not _MASK.search(str(row["sentence"])):
            unmasked.append(line)
        yield line, row
    if count and len(unmasked) == count:
        raise InputError(f"{path}:{unmasked[0]}", "a sentence without masked entities", "masks such as @GENE$")
    if unmasked:
        logger.warning(
            "%s: %d sentences without masked entities, the first on line %d", path, len(unmasked), unmasked[0]
        )


def _masked(path: Path, spec: TaskSpec) -> Iterator[Row]:
    """The rows of JSON lines `{"text", "entities": [{"start", "end"}, {...}], "label"}` with both entities masked.

    An entity may carry its `type` ("GENE-Y", "CHEMICAL"), which then decides its mask.
    """
    for line, row in read_rows(path):
        entities, text = row.get("entities"), row.get("text")
        if not isinstance(text, str) or not isinstance(entities, list) or len(entities) != 2:
            raise InputError(f"{path}:{line}", sorted(row), "text, label and two entities with start and end")
        try:
            masks = _masks_of([str(item.get("type", "")) for item in entities], MASKS[spec.name])
            spans = [Entity(pieces=((int(item["start"]), int(item["end"])),), mask=mask)
                     for item, mask in zip(entities, masks, strict=True)]  # fmt: skip
        except (AttributeError, KeyError, TypeError, ValueError):
            raise InputError(f"{path}:{line}", entities, "entities with whole numbers start and end") from None
        yield line, {"sentence": mask_entities(f"{path}:{line}", text, spans), "label": row.get("label")}


def _masks_of(kinds: Sequence[str], masks: tuple[str, str]) -> tuple[str, str]:
    """The masks of a pair of entities, swapped where their kinds say so ("GENE-Y" and "CHEMICAL"), else in order."""
    fits = [
        kind.upper().startswith(mask.strip("@$0123456789")) for kind, mask in zip(kinds, reversed(masks), strict=True)
    ]
    return (masks[1], masks[0]) if all(fits) else masks


def _canonical_labels(path: Path, rows: Iterable[Row], labels: Sequence[str]) -> Iterator[Row]:
    by_case = {label.lower(): label for label in labels}
    for line, row in rows:
        given = str(row["label"] if row.get("label") is not None else "").strip()
        plain = given.lower().removeprefix("ddi-")
        if given.lower() in _NEGATIVE or plain in _NEGATIVE:
            given = labels[0]
        elif plain in _POSITIVE and len(labels) == 2:
            given = labels[1]
        yield line, {**row, "label": by_case.get(plain, given)}


def _cut_by_document(spec: TaskSpec, path: Path) -> RawTask:
    """A lone corpus file: a tenth of its documents (the same whatever the seeds) is the test split."""
    if path.suffix != ".xml":
        raise InputError(f"task {spec.name}", str(path), "a corpus file in XML, or a folder with train and test")
    examples = list(read_corpus(path, MASKS[spec.name]))
    rows = _canonical_labels(path, ((line, row) for line, row, _ in examples), spec.labels)
    everything, labels = build_split(path, rows, COLUMNS, spec.labels)
    documents = sorted({document for _, _, document in examples})
    if len(documents) < 2:
        raise InputError(f"task {spec.name}", f"{len(documents)} document in {path}", "at least two documents")
    order = np.random.Generator(np.random.Philox(key=TEST_KEY)).permutation(len(documents))
    held = {documents[i] for i in order[: max(1, round(TEST_SHARE * len(documents)))]}
    in_test = np.array([document in held for _, _, document in examples])
    train, test = np.flatnonzero(~in_test), np.flatnonzero(in_test)
    return RawTask(train=everything.take(train), test=everything.take(test), labels=labels)
