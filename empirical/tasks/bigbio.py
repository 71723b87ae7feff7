"""BigBio's documents as sentences with two masked entities: ChemProt, DDI and BioInfer from the hub's Parquet files.

The corpora of section 6, Table 7. A document lists passages, entities and relations; a classifier wants one sentence a
pair of entities. Sentences are cut here by a rule of punctuation, not by the tools that made the printed counts, so
sizes differ from Table 7's by the pairs that either loses at a sentence's end.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from empirical.tasks.masking import Entity, mask_entities

SCHEMA = "_bigbio_kb"  # how the hub's configurations of this layout end
KB_COLUMNS = ("passages", "entities", "relations")
SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[\"'(\[]*[A-Z0-9])|\n+")
# ChemProt's relation groups by the names that BigBio gives them; the others are not evaluated and count as none.
CHEMPROT_GROUPS = {
    "upregulator": "CPR:3",
    "downregulator": "CPR:4",
    "agonist": "CPR:5",
    "antagonist": "CPR:6",
    "substrate": "CPR:9",
}


def sentence_pairs(
    where: str, document: Mapping[str, Any], masks: tuple[str, str], labels: Sequence[str]
) -> Iterator[dict[str, object]]:
    """Rows (`sentence`, `label`) of a document: every pair of entities of the wanted kinds within one sentence.

    masks: of the two entities; where they name different kinds (a chemical and a gene) only such pairs are taken, in
    that order. labels: the task's, the first one for pairs without a relation. Raises InputError naming `where` for
    entities outside their text.
    """
    related = {frozenset((item["arg1_id"], item["arg2_id"])): str(item["type"]) for item in document["relations"]}
    for passage in document["passages"]:
        text, origin = passage["text"][0], passage["offsets"][0][0]
        for start, end in _sentences(text):
            inside = [
                (entity, pieces)
                for entity in document["entities"]
                if (pieces := _pieces(entity, origin + start, origin + end)) is not None
            ]
            for (first, first_at), (second, second_at) in _candidates(inside, masks):
                spans = [Entity(pieces=at, mask=mask) for at, mask in zip((first_at, second_at), masks, strict=True)]
                relation = related.get(frozenset((first["id"], second["id"])))
                yield {
                    "sentence": mask_entities(where, text[start:end], spans).strip(),
                    "label": labels[0] if relation is None else _label(relation, labels),
                }


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for gap in SENTENCE_END.finditer(text):
        yield start, gap.start()
        start = gap.end()
    yield start, len(text)


def _pieces(entity: Mapping[str, Any], start: int, end: int) -> tuple[tuple[int, int], ...] | None:
    """The entity's offsets within the sentence from `start` to `end`, or None if it does not lie inside it."""
    pieces = tuple((low - start, high - start) for low, high in entity["offsets"])
    return pieces if pieces and all(0 <= low < high <= end - start for low, high in pieces) else None


Placed = tuple[Mapping[str, Any], tuple[tuple[int, int], ...]]


def _candidates(inside: Sequence[Placed], masks: tuple[str, str]) -> Iterator[tuple[Placed, Placed]]:
    kinds = [mask.strip("@$0123456789") for mask in masks]
    if kinds[0] == kinds[1]:
        yield from itertools.combinations(inside, 2)
        return
    firsts, seconds = ([placed for placed in inside if placed[0]["type"].upper().startswith(kind)] for kind in kinds)
    yield from itertools.product(firsts, seconds)


def _label(relation: str, labels: Sequence[str]) -> str:
    """The task's label of a relation: its own name, its group's, "related" with two classes, else none."""
    if len(labels) == 2:
        return labels[1]
    name = CHEMPROT_GROUPS.get(relation.casefold(), relation).casefold()
    return next((label for label in labels if label.casefold() == name), labels[0])
