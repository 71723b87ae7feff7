"""The hub's Parquet files: every layout of a folder is found, label order, labels and columns are checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from empirical.config import TaskConfig
from empirical.tasks.glue import GLUE
from empirical.tasks.hub import open_split, read_hub
from empirical.tasks.load import load_task
from theory.errors import InputError


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


SST2, ORDER = GLUE["sst2"], ["negative", "positive"]


@pytest.mark.parametrize("layout", ["{0}-00000-of-00001.parquet", "{0}/0000.parquet", "sst2/{0}.parquet",
                                    "sst2/{0}/part.parquet"])  # fmt: skip
def test_every_layout_of_a_folder_is_found(tmp_path, layout):
    made = tmp_path / "made"
    made.mkdir()
    hub_files(made, ["train", "validation"], ORDER)
    for name in ("train", "validation"):
        place = tmp_path / "set" / layout.format(name)
        place.parent.mkdir(parents=True, exist_ok=True)
        (made / f"{name}-00000-of-00001.parquet").rename(place)
    train, validation = read_hub(SST2, tmp_path / "set")
    assert train.text_a == [f"Text {i} of train" for i in range(10)] and validation.labels.tolist() == [0, 1] * 5
    assert train.text_b is None


def test_several_files_of_a_split_are_read_in_the_order_of_their_names(tmp_path):
    import pandas as pd

    for number in (1, 0):
        frame = pd.DataFrame({"sentence": [f"part {number}"], "label": [number]})
        frame.to_parquet(tmp_path / f"train-0000{number}-of-00002.parquet")
    data, _ = open_split(SST2, "train", tmp_path)
    assert list(data["sentence"]) == ["part 0", "part 1"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"sentence": ["a", "b"], "label": [0, 2]}, "label 2 in row 2 of train.*0 to 1"),
        ({"sentence": ["a"], "label": [-1]}, "label -1 in row 1"),  # GLUE's hidden test labels
        ({"sentence": ["a"], "mood": [1]}, "no column 'label'.*sentence, mood"),
        ({"text": ["a"], "label": [1]}, "no column 'sentence'"),
    ],
)
def test_wrong_labels_and_columns_are_refused(tmp_path, rows, message):
    import pandas as pd

    pd.DataFrame(rows).to_parquet(tmp_path / "train.parquet")
    with pytest.raises(InputError, match=message):
        read_hub(SST2, tmp_path)


def test_a_missing_split_and_an_unreachable_hub_are_one_line(tmp_path, monkeypatch):
    hub_files(tmp_path, ["train"], ORDER)
    with pytest.raises(InputError, match=r"no validation\*\.parquet"):
        read_hub(SST2, tmp_path)
    (tmp_path / "train-00000-of-00001.parquet").write_text("no Parquet")
    with pytest.raises(InputError, match="cannot be read"):
        open_split(SST2, "train", tmp_path)
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    with pytest.raises(InputError, match=r"nyu-mll/glue/sst2 cannot be read.*task\.path") as told:
        open_split(SST2, "train", None)
    assert "\n" not in str(told.value)
