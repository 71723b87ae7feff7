"""BigBio's documents: sentences found, pairs of the wanted kinds within one sentence, labels by name or group."""

from __future__ import annotations

import pandas as pd
import pytest

from empirical.config import TaskConfig
from empirical.tasks.bigbio import sentence_pairs
from empirical.tasks.biomedical import BIOMEDICAL, MASKS
from empirical.tasks.load import load_task


def kb_document(number: int, relation: str) -> dict[str, object]:
    title, text = "Aspirin binds COX1.", "In vitro (n = 3) naproxen hit COX2 and COX1. It did not hit TP53."
    offset = len(title) + 1

    def entity(name: str, kind: str, place: int) -> dict[str, object]:
        at = (title + " " + text).index(name, place)
        return {"id": f"{number}-{name}-{at}", "type": kind, "text": [name], "offsets": [[at, at + len(name)]]}

    entities = [entity("Aspirin", "CHEMICAL", 0), entity("COX1", "GENE-Y", 0), entity("naproxen", "CHEMICAL", 0),
                entity("COX2", "GENE-N", 0), entity("COX1", "GENE-Y", offset), entity("TP53", "GENE-Y", 0)]  # fmt: skip
    passages = [{"id": f"{number}-{i}", "type": "", "text": [part], "offsets": [[start, start + len(part)]]}
                for i, (start, part) in enumerate(((0, title), (offset, text)))]  # fmt: skip
    relations = [{"id": f"{number}-r", "type": relation, "arg1_id": entities[2]["id"], "arg2_id": entities[3]["id"]}]
    return {"id": str(number), "document_id": str(number), "passages": passages, "entities": entities,
            "relations": relations}  # fmt: skip


def test_bigbios_documents_become_sentences_with_two_masked_entities(tmp_path):
    for split in ("train", "validation", "test"):
        place = tmp_path / "chemprot_bigbio_kb" / split
        place.mkdir(parents=True)
        kinds = ("Downregulator", "CPR:3", "Cofactor")
        pd.DataFrame([kb_document(i, kind) for i, kind in enumerate(kinds)]).to_parquet(place / "0000.parquet")
    task = load_task(TaskConfig(name="chemprot", path=str(tmp_path)))
    assert task.test.text_a[:3] == ["@CHEMICAL$ binds @GENE$.", "In vitro (n = 3) @CHEMICAL$ hit @GENE$ and COX1.",
                                    "In vitro (n = 3) @CHEMICAL$ hit COX2 and @GENE$."]  # fmt: skip
    assert [task.labels[label] for label in task.test.labels] == [
        *("no relation", "CPR:4", "no relation"), *("no relation", "CPR:3", "no relation"), *["no relation"] * 3,
    ]  # fmt: skip


def document(text, names, related=(), kinds=None, relation="effect", origin=0):
    """A document of one passage that starts at `origin`; the entities are the first places of `names`."""
    entities = []
    for number, name in enumerate(names):
        at = origin + text.index(name)
        entities.append({"id": name, "type": (kinds or {}).get(name, "DRUG"), "offsets": [[at, at + len(name)]],
                         "number": number})  # fmt: skip
    relations = [{"type": relation, "arg1_id": one, "arg2_id": two} for one, two in related]
    return {"passages": [{"text": [text], "offsets": [[origin, origin + len(text)]]}], "entities": entities,
            "relations": relations}  # fmt: skip


def pairs(made, task="ddi"):
    return list(sentence_pairs("here", made, MASKS[task], BIOMEDICAL[task].labels))


def test_entities_of_one_kind_make_every_pair_once():
    rows = pairs(document("aspirin, warfarin, ibuprofen.", ["aspirin", "warfarin", "ibuprofen"]))
    assert [row["sentence"] for row in rows] == [
        "@DRUG$, @DRUG$, ibuprofen.", "@DRUG$, warfarin, @DRUG$.", "aspirin, @DRUG$, @DRUG$.",
    ]  # fmt: skip
    assert {row["label"] for row in rows} == {"no relation"}


@pytest.mark.parametrize("related", [("aspirin", "warfarin"), ("warfarin", "aspirin")])
def test_a_relation_holds_whichever_entity_comes_first(related):
    (row,) = pairs(document("aspirin meets warfarin.", ["aspirin", "warfarin"], [related]))
    assert row["label"] == "effect"


def test_entities_of_two_sentences_are_no_pair():
    assert pairs(document("First aspirin. Then warfarin.", ["aspirin", "warfarin"])) == []
    assert len(pairs(document("Of aspirin (cf. warfarin).", ["aspirin", "warfarin"]))) == 1
    assert pairs(document("aspirin\nwarfarin", ["aspirin", "warfarin"])) == []


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("a1 rose by 0.5 mg in b1.", 1),  # a decimal point ends nothing
        ("a1 rose. (Later b1 fell.)", 2),
        ("Is it a1? b1 is not.", 1),  # no capital follows
        ('a1 fell! "Quoted" b1.', 2),
        ("a1 et al. 12 of b1", 2),
    ],
)
def test_sentences_end_before_capitals_and_digits(text, sentences):
    assert len(pairs(document(text, ["a1", "b1"]))) == (1 if sentences == 1 else 0)


def test_offsets_count_from_the_documents_start():
    (row,) = pairs(document("aspirin meets warfarin.", ["aspirin", "warfarin"], origin=57))
    assert row["sentence"] == "@DRUG$ meets @DRUG$."


def test_two_kinds_are_taken_in_the_masks_order_and_others_not_at_all():
    kinds = {"TP53": "GENE-Y", "aspirin": "CHEMICAL", "gout": "DISEASE"}
    made = document("TP53, gout and aspirin.", list(kinds), [("TP53", "aspirin")], kinds, "Antagonist")
    assert pairs(made, "chemprot") == [{"sentence": "@GENE$, gout and @CHEMICAL$.", "label": "CPR:6"}]


@pytest.mark.parametrize(
    ("task", "relation", "label"),
    [("ddi", "MECHANISM", "mechanism"), ("ddi", "unheard of", "no relation"), ("bioinfer", "anything", "relation"),
     ("chemprot", "cpr:9", "CPR:9"), ("chemprot", "Upregulator", "CPR:3"), ("chemprot", "Cofactor", "no relation")],
)  # fmt: skip
def test_relations_become_labels_by_name_group_or_class(task, relation, label):
    kinds = {"aspirin": "CHEMICAL", "COX1": "GENE-N"} if task == "chemprot" else None
    made = document("aspirin hits COX1.", ["aspirin", "COX1"], [("aspirin", "COX1")], kinds, relation)
    assert [row["label"] for row in pairs(made, task)] == [label]


def test_a_discontinuous_entity_is_masked_at_its_first_piece_and_one_without_offsets_is_none():
    made = document("oral or topical steroids meet warfarin.", ["oral", "warfarin"])
    made["entities"][0]["offsets"].append([16, 24])
    assert [row["sentence"] for row in pairs(made)] == ["@DRUG$ or topical  meet @DRUG$."]
    made["entities"][0]["offsets"] = []
    assert pairs(made) == []


def test_an_entity_outside_its_passage_is_in_no_sentence():
    made = document("aspirin meets warfarin.", ["aspirin", "warfarin"])
    made["entities"][1]["offsets"] = [[14, 400]]
    assert pairs(made) == []
