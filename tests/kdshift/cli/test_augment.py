"""`kdshift empirical augment` as a user meets it: lines in, lines out, one line about what is wrong."""

from __future__ import annotations

import io
import json

import pytest

from empirical.augment.catalogue import CATALOGUE
from empirical.config import ModelConfig
from empirical.training.masked_lm import train_masked_model
from kdshift.cli.augment import augment, showcase
from kdshift.cli.augmenter_options import AugmenterOptions
from tests.empirical import tiny_kd
from theory.errors import InputError

LINES = ["bad1 word2  good3", "fair4 fair5", "Unknown! words?"]


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> str:
    return str(tiny_kd.bert(tmp_path_factory.mktemp("bert"), layers=1))


def told(monkeypatch, capsys, lines: list[str] | bytes, source: str, **values) -> str:
    data = lines if isinstance(lines, bytes) else "".join(f"{line}\n" for line in lines).encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    augment(options=AugmenterOptions(model=source, **values.pop("options", {})), **{"augmenter": "random", **values})
    return capsys.readouterr().out


def test_one_json_object_a_line_with_counts_that_add_up(monkeypatch, capsys, source):
    rows = [json.loads(line) for line in told(monkeypatch, capsys, LINES, source, degree=0.5, json=True).splitlines()]
    assert [row["original"] for row in rows] == LINES
    assert set(rows[0]) == {"original", "augmented", "eligible", "changed", "degree"}
    for row in rows[:2]:
        assert row["degree"] == row["changed"] / row["eligible"]
        differing = [a != b for a, b in zip(row["original"].split(), row["augmented"].split(), strict=True)]
        assert sum(differing) == row["changed"]


def test_lines_come_out_as_lines_and_by_seed(monkeypatch, capsys, source):
    one, again, other = (told(monkeypatch, capsys, LINES, source, degree=0.5, seed=seed) for seed in (0, 0, 1))
    assert one == again != other and one.count("\n") == len(LINES)
    assert told(monkeypatch, capsys, LINES, source, degree=0.0) == "".join(f"{line}\n" for line in LINES)
    assert told(monkeypatch, capsys, [], source) == ""


def test_pairs_stay_pairs(monkeypatch, capsys, source):
    out = told(monkeypatch, capsys, ["bad1 bad2\tgood1", "word1\tword2 word3"], source, degree=1.0)
    assert [line.count("\t") for line in out.splitlines()] == [1, 1]


def test_held_out_lines_are_what_ground_truth_draws_from(monkeypatch, capsys, source, tmp_path):
    (tmp_path / "held.txt").write_text("good1 good2\n")
    values = {"augmenter": "ground-truth", "held_out": tmp_path / "held.txt"}
    assert told(monkeypatch, capsys, LINES, source, **values) == "good1 good2\n" * 3


@pytest.mark.parametrize(
    ("lines", "values", "pattern"),
    [
        (["a\tb", "c"], {}, r"line 2: found '1 fields'; allowed: 2 \(tab-separated\)"),
        (b"fine\nnot \xff utf-8\n", {}, "line 2: found .*UTF-8"),
        (LINES, {"degree": 1.5}, "--degree: found 1.5; allowed: 0 to 1"),
        (LINES, {"augmenter": "kn"}, "nearest: knn"),
        (LINES, {"augmenter": "mixkd"}, "--augmenter: found 'mixkd'; allowed: one that makes texts"),
        (LINES, {"augmenter": "flipda"}, "--teacher DIR"),
        (LINES, {"augmenter": "mate-kd"}, "--language-model"),
    ],
)
def test_a_mistake_is_one_line(monkeypatch, capsys, source, lines, values, pattern):
    with pytest.raises(InputError, match=pattern) as error:
        told(monkeypatch, capsys, lines, source, **values)
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there_is_named(monkeypatch, capsys, source, tmp_path):
    with pytest.raises(InputError, match=r"--held-out: found .*nowhere"):
        told(monkeypatch, capsys, LINES, source, augmenter="ground-truth", held_out=tmp_path / "nowhere")


def test_the_showcase_gives_each_augmenter_the_model_that_is_named_for_it(monkeypatch, capsys, source, tmp_path):
    two = {name: CATALOGUE[name] for name in ("contextual", "contextual-insert")}
    monkeypatch.setattr("empirical.augment.catalogue.CATALOGUE", two)
    model = tmp_path / "masked"
    train_masked_model(ModelConfig(name=source), ["bad1 word1 good1"], model, steps=1)
    options = AugmenterOptions(model=str(model), neighbours=3)
    out = tmp_path / "rows.json"
    showcase("bad1 word1 good1", degree=0.4, options=options, models=[f"contextual={model}"], out=out, json=True)
    assert json.loads(capsys.readouterr().out) == json.loads(out.read_text())
    rows = {row["augmenter"]: row for row in json.loads(out.read_text())["rows"]}
    assert rows["contextual"]["changed"] > 0 and "--language-model" in rows["contextual-insert"]["missing"]
    for item, pattern in (
        (str(model), "--models: found .*augmenter=model"),
        (f"kn={model}", "--models: found .kn.; allowed: one of contextual"),
    ):
        with pytest.raises(InputError, match=pattern):
            showcase("bad1", options=options, models=[item])
