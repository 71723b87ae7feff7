"""The XML of DDI and of the unified protein interaction corpora: sentences with entities and pairs.

One example a pair: its two entities masked, labelled by `type` (DDI's interactions) or by whether they interact.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from empirical.tasks.masking import Entity, mask_entities
from theory.errors import InputError


def read_corpus(path: Path, masks: tuple[str, str]) -> Iterator[tuple[int, dict[str, object], str]]:
    """Each pair's number in the corpus, its row (`sentence`, `label`) and its document.

    path: one file, or a folder of files read in the order of their names. Raises InputError for broken XML, and for
    entities whose offsets do not fit their text.
    """
    files = sorted(path.rglob("*.xml")) if path.is_dir() else [path]
    if not files:
        raise InputError("corpus", str(path), "a folder with .xml files")
    number = 0
    for file in files:
        try:
            root = ElementTree.parse(file).getroot()
        except ElementTree.ParseError as error:
            raise InputError(f"{file}:{error.position[0]}", error.msg, "well-formed XML") from None
        documents = [root] if root.tag == "document" else list(root.iter("document"))
        for document in documents:
            for sentence in document.iter("sentence"):
                for row in _pairs(file, sentence, masks):
                    number += 1
                    yield number, row, document.get("id", file.name)


def _pairs(file: Path, sentence: ElementTree.Element, masks: tuple[str, str]) -> Iterator[dict[str, object]]:
    text = sentence.get("text", "")
    where = f"{file}: sentence {sentence.get('id', '?')}"
    spans = {entity.get("id"): _pieces(where, text, entity) for entity in sentence.iter("entity")}
    for pair in sentence.iter("pair"):
        ends = pair.get("e1"), pair.get("e2")
        if not set(ends) <= set(spans):
            raise InputError(where, f"pair of {ends[0]} and {ends[1]}", "two of the sentence's entities")
        entities = [Entity(pieces=spans[end], mask=mask) for end, mask in zip(ends, masks, strict=True)]
        yield {"sentence": mask_entities(where, text, entities), "label": _label(where, pair)}


def _label(where: str, pair: ElementTree.Element) -> str:
    verdict = pair.get("ddi", pair.get("interaction"))
    if verdict is None or verdict.lower() not in ("true", "false"):
        raise InputError(where, f"pair with {sorted(pair.keys())}", "an attribute ddi or interaction, true or false")
    if verdict.lower() == "false":
        return "false"
    return pair.get("type", "true") if "ddi" in pair.keys() else "true"


def _pieces(where: str, text: str, entity: ElementTree.Element) -> tuple[tuple[int, int], ...]:
    """The entity's (start, end) offsets; corpora differ in whether the end is included, the entity's text decides."""
    raw = entity.get("charOffset", "")
    try:
        spans = [tuple(int(end) for end in piece.split("-")) for piece in raw.replace(";", ",").split(",")]
        first = [(start, end + 1) for start, end in spans]
        second = [(start, end) for start, end in spans]
    except ValueError:
        raise InputError(where, f"charOffset {raw!r}", "offsets such as 4-12, or 4-12,20-25") from None
    wanted = "".join(entity.get("text", "").split())
    for pieces in (first, second):
        if max(end for _, end in pieces) > len(text):
            continue  # a slice would end with the text and seem to fit
        found = [text[start:end] for start, end in pieces]
        if "".join("".join(found).split()) == wanted and all(part == part.strip() for part in found):
            return tuple(pieces)
    raise InputError(where, f"entity {entity.get('text')!r} at {raw}", "offsets that fit the sentence's text")
