"""Tasks: nested subsets, splits that do not move, every known format in small, and the sizes the paper prints."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from empirical.config import TaskConfig
from empirical.paper import TABLE_7_SIZES
from empirical.tasks.load import TASKS, Split, Task, availability, load_task, subset_size, validation_size
from empirical.tasks.masking import Entity, mask_entities
from empirical.tasks.spec import Size
from theory.errors import InputError

DATA = Path(__file__).parents[1] / "data"


def made_up(count: int, stratified: bool = False) -> Task:
    labels = np.arange(count) % 7 % 3
    split = Split(text_a=[f"text {i}" for i in range(count)], text_b=None, labels=labels)
    return Task(name="x", labels=("a", "b", "c"), metric="accuracy", train=split, validation=split, test=split,
                stratified=stratified)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.integers(20, 400), st.integers(0, 2**32), st.floats(0.01, 1), st.floats(0.01, 1), st.booleans())
def test_subsets_are_nested_and_without_repeats(count, seed, one, other, stratified):
    task = made_up(count, stratified)
    small, large = (task.subset(share, seed) for share in sorted((one, other)))
    assert set(small) <= set(large)
    assert len(set(large)) == len(large) == subset_size(max(one, other), count)
    assert list(large[: len(small)]) == list(small)


def test_a_subset_depends_on_its_seed_and_on_nothing_else():
    task = made_up(300)
    assert list(task.subset(0.1, 5)) == list(made_up(300).subset(30, 5))
    assert set(task.subset(0.1, 5)) != set(task.subset(0.1, 6))
    assert sorted(task.subset(1, 5)) == sorted(task.subset(1.0, 5)) == list(range(300))


@pytest.mark.parametrize("seed", range(5))
def test_stratified_subsets_keep_the_shares_of_the_classes(seed):
    task = made_up(700, stratified=True)
    whole = np.bincount(task.train.labels) / 700
    for share in (0.02, 0.1, 0.5):
        chosen = task.subset(share, seed)
        assert np.all(np.abs(np.bincount(task.train.labels[chosen], minlength=3) - whole * len(chosen)) <= 1)


@pytest.mark.parametrize("size", [0, -0.1, 301, 2.5, float("nan")])
def test_impossible_subsets_are_refused(size):
    with pytest.raises(InputError, match="data_size"):
        made_up(300).subset(size, 0)


def test_validation_sizes():
    assert validation_size(None, 392_702) == 1000
    assert validation_size(None, 300) == 30
    assert validation_size(0.25, 300) == 75
    assert validation_size(0, 300) == 0
    with pytest.raises(InputError, match="validation_size"):
        validation_size(300, 300)


def test_tweets_are_clean_fixed_and_apart():
    task, other = load_task(TaskConfig()), load_task(TaskConfig(split_seed=1))
    assert len(task.test) == 4000 and len(task.validation) == 1000 and 20_000 < len(task.train) < 26_000
    assert task.labels == ("negative", "neutral", "positive") and set(task.train.labels) == {0, 1, 2}
    assert task.test.digest() == other.test.digest()
    assert task.train.digest() != other.train.digest()
    texts = [
        " ".join(text.casefold().split()) for split in (task.train, task.validation, task.test) for text in split.text_a
    ]
    assert len(set(texts)) == len(texts)
    assert not any(text.startswith("rt ") for text in texts)


PAIRS = ("mnli", "qnli", "qqp", "mrpc", "rte")


@pytest.mark.parametrize("name", [*PAIRS, "cola", "sst2"])
def test_glue_files_load_in_the_hubs_label_order(name, caplog):
    with caplog.at_level(logging.WARNING):
        task = load_task(TaskConfig(name=name, path=str(DATA / "glue" / name), validation_size=3))
    assert len(task.validation) == 3 and len(task.test) == 6
    assert (task.train.text_b is not None) == (name in PAIRS)
    assert "392,700" in caplog.text or "paper" in caplog.text or name == "sst2"
    first = (DATA / "glue" / name / ("dev_matched.tsv" if name == "mnli" else "dev.tsv")).read_text().splitlines()
    row = first[0 if name == "cola" else 1].split("\t")
    label = {"mrpc": row[0], "cola": row[1]}.get(name, row[-1])
    assert label in (task.labels[task.test.labels[0]], str(task.test.labels[0]))


def test_mnli_has_the_mismatched_split_and_quotes_mean_nothing():
    task = load_task(TaskConfig(name="mnli", path=str(DATA / "glue" / "mnli")))
    assert set(task.extra_tests) == {"mismatched"} and len(task.extra_tests["mismatched"]) == 6
    assert task.test.text_a[1] == 'He said "no" and left'
    assert task.test.text_b is not None and task.test.text_b[2] == 'A 6" ruler was lost'


def hub_files(folder: Path, names: list[str], order: list[str]) -> None:
    from datasets import ClassLabel, Dataset, Features, Value

    features = Features({"sentence": Value("string"), "label": ClassLabel(names=order), "idx": Value("int32")})
    for name in names:
        rows = {"sentence": [f"Text {i} of {name}" for i in range(10)], "label": [i % 2 for i in range(10)],
                "idx": list(range(10))}  # fmt: skip
        Dataset.from_dict(rows, features=features).to_parquet(folder / f"{name}-00000-of-00001.parquet")


def test_the_hubs_files_load_from_a_folder_and_a_foreign_label_order_is_refused(tmp_path):
    hub_files(tmp_path, ["train", "validation"], ["negative", "positive"])
    task = load_task(TaskConfig(name="sst2", path=str(tmp_path)))
    assert (
        len(task.test) == 10 and task.test.text_a[3] == "Text 3 of validation" and list(task.test.labels[:2]) == [0, 1]
    )
    hub_files(tmp_path, ["train", "validation"], ["positive", "negative"])
    with pytest.raises(InputError, match="label order"):
        load_task(TaskConfig(name="sst2", path=str(tmp_path)))


def test_known_tasks_that_are_not_here_say_what_is_missing(tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"task\.path"):
        load_task(TaskConfig(name="lll"))
    with pytest.raises(InputError, match="no train"):
        load_task(TaskConfig(name="qnli", path=str(tmp_path)))
    with pytest.raises(InputError, match="nearest: mnli"):
        load_task(TaskConfig(name="mnlii"))
    with pytest.raises(InputError, match=r"task\.path"):
        load_task(TaskConfig(name="qnli", path=str(tmp_path / "nowhere")))
    with pytest.raises(InputError, match="own columns"):
        load_task(TaskConfig(name="tweets", label="sentiment"))
    assert {availability(spec) != "" for spec in TASKS.values()} == {True}


def test_gad_with_and_without_headers_and_sizes_of_table_7(caplog):
    with caplog.at_level(logging.WARNING):
        task = load_task(TaskConfig(name="gad", path=str(DATA / "biomedical" / "gad")))
    assert len(task.train) == 18 and len(task.validation) == 2 and len(task.test) == 8
    assert list(task.test.labels) == [0, 1] * 4 and "@GENE$" in task.test.text_a[0]
    assert "4,796" in caplog.text and "534" in caplog.text


def test_chemprot_brings_its_validation_split_and_counts_related_pairs(caplog):
    with caplog.at_level(logging.WARNING):
        task = load_task(TaskConfig(name="chemprot", path=str(DATA / "biomedical" / "chemprot")))
    assert (len(task.train), len(task.validation), len(task.test)) == (18, 6, 6)
    assert task.labels[task.test.labels[0]] == "CPR:3" and task.labels[task.test.labels[5]] == "no relation"
    assert "20 related pairs in train" in caplog.text and task.metric == "micro-f1"
    macro = TaskConfig(name="chemprot", path=str(DATA / "biomedical" / "chemprot"), metric="f1")
    assert load_task(macro).metric == "f1"


def test_without_a_validation_split_the_whole_training_data_is_trained_on():
    glue = TaskConfig(name="rte", path=str(DATA / "glue" / "rte"))
    whole, cut = load_task(glue.model_copy(update={"validation_size": 0})), load_task(glue)
    assert len(whole.validation) == 0 and len(whole.train) == len(cut.train) + len(cut.validation)
    assert whole.test.digest() == cut.test.digest()
    chemprot = load_task(TaskConfig(name="chemprot", path=str(DATA / "biomedical" / "chemprot"), validation_size=0))
    assert (len(chemprot.train), len(chemprot.validation), len(chemprot.test)) == (24, 0, 6)


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


def test_the_torn_rows_of_qqps_own_file_are_skipped_and_counted(tmp_path, caplog):
    for name in ("train", "dev"):
        text = (DATA / "glue" / "qqp" / f"{name}.tsv").read_text()
        (tmp_path / f"{name}.tsv").write_text(text + ("99\t1\t2\ttorn in the mid\n" if name == "train" else ""))
    whole = load_task(TaskConfig(name="qqp", path=str(DATA / "glue" / "qqp"), validation_size=0))
    with caplog.at_level(logging.WARNING):
        torn = load_task(TaskConfig(name="qqp", path=str(tmp_path), validation_size=0))
    assert torn.train.digest() == whole.train.digest()
    assert "1 rows with another number of fields are skipped (lines " in caplog.text
    for name in ("train", "dev"):
        text = (DATA / "glue" / "rte" / f"{name}.tsv").read_text()
        (tmp_path / f"{name}.tsv").write_text(text + "torn\n")
    with pytest.raises(InputError, match="1 fields"):
        load_task(TaskConfig(name="rte", path=str(tmp_path)))


@pytest.mark.parametrize("folder", ["ddi", "ddi-json"])
def test_ddi_from_its_xml_and_from_json_lines(folder):
    task = load_task(TaskConfig(name="ddi", path=str(DATA / "biomedical" / folder)))
    assert all(text.count("@DRUG$") == 2 for text in task.test.text_a)
    assert "aspirin" not in " ".join(task.train.text_a).lower()
    kinds = {task.labels[label] for label in task.train.labels} | {task.labels[label] for label in task.test.labels}
    assert {"no relation", "advise", "effect"} <= kinds
    if folder == "ddi":
        assert task.test.text_a[0] == "@DRUG$ and @DRUG$ or topical  may interact."


def test_a_lone_corpus_is_cut_by_document_and_nested_names_share_a_mask():
    task = load_task(TaskConfig(name="lll", path=str(DATA / "biomedical" / "lll" / "LLL.xml"), validation_size=0))
    assert len(task.train) == 27 and len(task.test) == 3
    assert set(task.test.text_a) == {
        "@PROTEIN1$ binds @PROTEIN2$ and not gerE.",
        "@PROTEIN1$ binds sigF kinase and not @PROTEIN2$.",
        "SpoIIE binds @PROTEIN1-PROTEIN2$ and not gerE.",
    }
    assert sorted(task.test.labels) == [0, 0, 1]


def test_masks_outside_the_text_are_refused():
    with pytest.raises(InputError, match="file:3"):
        mask_entities("file:3", "short", [Entity(pieces=((2, 9),), mask="@GENE$")])


def test_biomedical_files_with_names_left_in_are_refused(tmp_path):
    for name in ("train", "test"):
        (tmp_path / f"{name}.tsv").write_text("TP53 causes gout\t1\nTP53 does nothing\t0\n")
    with pytest.raises(InputError, match=r"train\.tsv:1.*masks"):
        load_task(TaskConfig(name="gad", path=str(tmp_path)))


def test_sizes_as_the_paper_prints_them():
    assert TASKS["mnli"].train_size == Size(value=392_700, tolerance=50)
    exact = {"mnli": 392_702, "qnli": 104_743, "qqp": 363_846, "mrpc": 3_668, "rte": 2_490, "cola": 8_551}
    for name, count in exact.items():
        size = TASKS[name].train_size
        assert size is not None and size.fits(count) and not size.fits(round(count * 1.05))
    for name, (train, _) in TABLE_7_SIZES.items():
        size = TASKS[name].train_size
        assert size is not None and size.fits(train) and not size.fits(train + 1)
