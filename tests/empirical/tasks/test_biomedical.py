"""Biomedical relations in every format: masks, label names, splits and sizes; what has no masks is refused."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from empirical.config import TaskConfig
from empirical.paper import TABLE_7_SIZES
from empirical.tasks.biomedical import BIOMEDICAL, MASKS, read_biomedical
from empirical.tasks.load import TASKS, load_task
from theory.errors import InputError

FILES = Path(__file__).parents[1] / "data" / "biomedical"


def test_gad_with_and_without_headers_and_sizes_of_table_7(caplog):
    with caplog.at_level(logging.WARNING):
        task = load_task(TaskConfig(name="gad", path=str(FILES / "gad")))
    assert len(task.train) == 18 and len(task.validation) == 2 and len(task.test) == 8
    assert list(task.test.labels) == [0, 1] * 4 and "@GENE$" in task.test.text_a[0]
    assert "4,796" in caplog.text and "534" in caplog.text


def test_chemprot_brings_its_validation_split_and_counts_related_pairs(caplog):
    with caplog.at_level(logging.WARNING):
        task = load_task(TaskConfig(name="chemprot", path=str(FILES / "chemprot")))
    assert (len(task.train), len(task.validation), len(task.test)) == (18, 6, 6)
    assert task.labels[task.test.labels[0]] == "CPR:3" and task.labels[task.test.labels[5]] == "no relation"
    assert "20 related pairs in train" in caplog.text and task.metric == "micro-f1"
    macro = TaskConfig(name="chemprot", path=str(FILES / "chemprot"), metric="f1")
    assert load_task(macro).metric == "f1"


def test_masks_of_json_lines_follow_the_entities_kinds_not_their_order(tmp_path):
    row = {"text": "TP53 binds aspirin", "label": "CPR:3"}
    gene, drug = {"start": 0, "end": 4, "type": "GENE-Y"}, {"start": 11, "end": 18, "type": "CHEMICAL"}
    for name, entities in (("train", [gene, drug]), ("test", [drug, gene])):
        lines = [json.dumps({**row, "entities": entities}), json.dumps({**row, "entities": entities, "label": "none"})]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines))
    task = load_task(TaskConfig(name="chemprot", path=str(tmp_path), validation_size=0))
    assert task.train.text_a[0] == task.test.text_a[0] == "@GENE$ binds @CHEMICAL$"


def gad_branch(folder: Path) -> Path:
    """A copy of the hub's branch of Parquet files: the data set's script, and a folder a configuration and split."""
    (folder / "gad.py").write_text("raise RuntimeError('a script was run')\n")
    for config in ("gad_blurb_bigbio_text", "gad_fold0_source"):
        for split, count in (("train", 20), ("validation", 4), ("test", 6)):
            place = folder / config / split
            place.mkdir(parents=True)
            rows = [{"id": str(i), "document_id": str(i), "text": f"@GENE$ and @DISEASE$ in {split} {i}",
                     "labels": [str(i % 2)]} for i in range(count)]  # fmt: skip
            pd.DataFrame(rows if "text" in config else [{"sentence": "x"}]).to_parquet(place / "0000.parquet")
    return folder


@pytest.mark.parametrize("local", [False, True])
def test_gad_loads_from_the_branch_of_parquet_files(local, tmp_path, monkeypatch):
    """The configuration's name is not known there (datasets 5 finds `default` alone): it is a folder."""
    branch = str(gad_branch(tmp_path))
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    config = TaskConfig(name="gad", validation_size=0, path=branch if local else None)
    if not local:
        spec = TASKS["gad"]
        monkeypatch.setitem(TASKS, "gad", replace(spec, hub=(branch, spec.hub[1])))
    task = load_task(config)
    assert (len(task.train), len(task.validation), len(task.test)) == (24, 0, 6)
    assert task.train.text_a[23] == "@GENE$ and @DISEASE$ in validation 3" and list(task.test.labels[:2]) == [0, 1]


@pytest.mark.parametrize("folder", ["ddi", "ddi-json"])
def test_ddi_from_its_xml_and_from_json_lines(folder):
    task = load_task(TaskConfig(name="ddi", path=str(FILES / folder)))
    assert all(text.count("@DRUG$") == 2 for text in task.test.text_a)
    assert "aspirin" not in " ".join(task.train.text_a).lower()
    kinds = {task.labels[label] for label in task.train.labels} | {task.labels[label] for label in task.test.labels}
    assert {"no relation", "advise", "effect"} <= kinds
    if folder == "ddi":
        assert task.test.text_a[0] == "@DRUG$ and @DRUG$ or topical  may interact."


def test_a_lone_corpus_is_cut_by_document_and_nested_names_share_a_mask():
    task = load_task(TaskConfig(name="lll", path=str(FILES / "lll" / "LLL.xml"), validation_size=0))
    assert len(task.train) == 27 and len(task.test) == 3
    assert set(task.test.text_a) == {
        "@PROTEIN1$ binds @PROTEIN2$ and not gerE.",
        "@PROTEIN1$ binds sigF kinase and not @PROTEIN2$.",
        "SpoIIE binds @PROTEIN1-PROTEIN2$ and not gerE.",
    }
    assert sorted(task.test.labels) == [0, 0, 1]


def test_biomedical_files_with_names_left_in_are_refused(tmp_path):
    for name in ("train", "test"):
        (tmp_path / f"{name}.tsv").write_text("TP53 causes gout\t1\nTP53 does nothing\t0\n")
    with pytest.raises(InputError, match=r"train\.tsv:1.*masks"):
        load_task(TaskConfig(name="gad", path=str(tmp_path)))


def test_every_task_has_masks_a_metric_and_table_7s_sizes():
    assert set(BIOMEDICAL) == set(MASKS) == set(TABLE_7_SIZES)
    for name, spec in BIOMEDICAL.items():
        assert spec.labels[0] == "no relation" and spec.family == "biomedical"
        assert (spec.metric == "accuracy") == (name == "gad")
        assert (spec.train_size.value, spec.test_size.value) == TABLE_7_SIZES[name]


def gad(folder, train, test="A @GENE$ and @DISEASE$\t1\n", ending="tsv"):
    for name, text in (("train", train), ("test", test)):
        (folder / f"{name}.{ending}").write_text(text)
    return read_biomedical(BIOMEDICAL["gad"], folder)


@pytest.mark.parametrize("label", ["1", "true", "Positive", "RELATION", " relation "])
@pytest.mark.parametrize("none", ["0", "False", "negative", "no relation", "None"])
def test_labels_have_many_spellings(tmp_path, label, none):
    task = gad(tmp_path, f"A @GENE$ and @DISEASE$\t{label}\nB @GENE$ or @DISEASE$\t{none}\n")
    assert task.train.labels.tolist() == [1, 0]


@pytest.mark.parametrize("label", ["DDI-effect", "effect", "Effect"])
def test_interactions_are_named_with_and_without_their_prefix(tmp_path, label):
    for name in ("train", "test"):
        (tmp_path / f"{name}.tsv").write_text(f"@DRUG$ helps @DRUG$\t{label}\n@DRUG$ and @DRUG$\tDDI-false\n")
    task = read_biomedical(BIOMEDICAL["ddi"], tmp_path)
    assert [task.labels[label] for label in task.train.labels] == ["effect", "no relation"]


def test_a_header_in_any_order_and_further_columns_are_read(tmp_path):
    task = gad(tmp_path, "label\tsource\tsentence\n1\tx\tA @GENE$ and @DISEASE$\n")
    assert task.train.text_a == ["A @GENE$ and @DISEASE$"] and task.train.labels.tolist() == [1]


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ("a\tb\tc\td\n", r"train\.tsv:1.*4 fields.*with or without a header"),
        ("only @GENE$\n", r"train\.tsv:1.*1 fields"),
        ("A @GENE$ and @DISEASE$\tmaybe\n", r"train\.tsv:1.*'maybe'.*no relation, relation"),
        ("A @GENE$ and @DISEASE$\t\n", r"train\.tsv:1.*a label"),
    ],
)
def test_fields_and_labels_that_mean_nothing_are_refused_with_their_line(tmp_path, train, message):
    with pytest.raises(InputError, match=message):
        gad(tmp_path, train)


def test_a_few_sentences_without_masks_are_kept_and_told(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        task = gad(tmp_path, "A @GENE$ and @DISEASE$\t1\nB without\t0\nC without\t0\n")
    assert len(task.train) == 3 and "2 sentences without masked entities, the first on line 2" in caplog.text


@pytest.mark.parametrize(
    "entities",
    [None, [{"start": 0, "end": 4}], [{"start": 0}, {"start": 1, "end": 2}], [{"start": "x", "end": 4}] * 2, [1, 2],
     [{"start": 0, "end": 4}, {"start": 5, "end": 99}]],
)  # fmt: skip
def test_json_lines_without_two_sound_entities_are_refused_with_their_line(tmp_path, entities):
    good = {"text": "TP53 causes gout", "label": 1, "entities": [{"start": 0, "end": 4}, {"start": 12, "end": 16}]}
    lines = "\n".join(json.dumps(row) for row in (good, {**good, "entities": entities}))
    with pytest.raises(InputError, match=r"train\.jsonl:2"):
        gad(tmp_path, lines, test=json.dumps(good), ending="jsonl")
    assert gad(tmp_path, json.dumps(good), json.dumps(good), "jsonl").train.text_a == ["@GENE$ causes @DISEASE$"]


def test_data_that_are_not_there_are_named(tmp_path):
    with pytest.raises(InputError, match=r"task lll.*no data.*task\.path"):
        read_biomedical(BIOMEDICAL["lll"], None)
    (tmp_path / "train.tsv").write_text("A @PROTEIN1$ and @PROTEIN2$\t1\n")
    with pytest.raises(InputError, match="no test in"):
        read_biomedical(BIOMEDICAL["lll"], tmp_path)
    with pytest.raises(InputError, match="a corpus file in XML"):
        read_biomedical(BIOMEDICAL["lll"], tmp_path / "train.tsv")


def test_a_corpus_of_one_document_cannot_be_cut(tmp_path):
    text = (FILES / "lll" / "LLL.xml").read_text()
    first = text[: text.index("</document>")] + "</document></corpus>"
    (tmp_path / "one.xml").write_text(first)
    with pytest.raises(InputError, match="at least two documents"):
        read_biomedical(BIOMEDICAL["lll"], tmp_path / "one.xml")


def test_no_document_of_a_lone_corpus_stands_on_both_sides(tmp_path):
    """Each document has a sentence of its own, so that a text names its document."""
    documents = "".join(
        f'<document id="d{n}"><sentence id="s" text="GerE{n} hits SigK in {n}">'
        f'<entity id="a" charOffset="0-{len(f"GerE{n}")}" text="GerE{n}"/>'
        f'<entity id="b" charOffset="{len(f"GerE{n}") + 6}-{len(f"GerE{n}") + 10}" text="SigK"/>'
        '<pair e1="a" e2="b" interaction="True"/><pair e1="b" e2="a" interaction="False"/></sentence></document>'
        for n in range(40)
    )
    path = tmp_path / "corpus.xml"
    path.write_text(f"<corpus>{documents}</corpus>")
    one, again = (read_biomedical(BIOMEDICAL["lll"], path) for _ in range(2))
    sides = [{text.rsplit(" ", 1)[1] for text in split.text_a} for split in (one.train, one.test)]
    assert not sides[0] & sides[1] and (len(sides[0]), len(sides[1])) == (36, 4)
    assert one.test.digest() == again.test.digest()
