"""Text in, text out: what does not change is the original to the character; the verb `augment` as a user runs it."""

from __future__ import annotations

import io
import json
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from empirical.augment import make_augmenter
from empirical.augment.lines import augment_texts
from empirical.config import AugmentConfig
from empirical.models.minilm import minilm_path
from empirical.randomness import step_generator
from kdshift.cli import main

TEXTS = ["  How do you KNOW?  All this,\tis\u00a0naïve 😀 ", "Ünïted [SEP] don't #self-driving-cars 你好", "", "x"]


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(minilm_path())


@pytest.fixture(scope="module")
def augmenters(tokenizer):
    names = ("random", "synonym", "eda")
    return {name: make_augmenter(AugmentConfig(augmenter=name), tokenizer=tokenizer) for name in names}


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(st.text(max_size=60), min_size=1, max_size=4), limit=st.integers(4, 40))
def test_degree_zero_is_the_identity_on_any_text(tokenizer, augmenters, texts, limit):
    for augmenter in augmenters.values():
        rng = step_generator(0, 0, 1)
        results = augment_texts(augmenter, tokenizer, texts, texts[::-1], 0.0, rng, max_length=limit)
        assert [result.texts for result in results] == list(zip(texts, texts[::-1], strict=True))


@pytest.mark.parametrize("name", ["random", "synonym", "eda"])
def test_unchanged_parts_are_the_originals(tokenizer, augmenters, name):
    for step in range(10):
        results = augment_texts(
            augmenters[name], tokenizer, TEXTS, None, 0.3, step_generator(0, step, 1), max_length=64
        )
        for text, result in zip(TEXTS, results, strict=True):
            (parts,) = result.parts
            kept = [part.strip() for part, changed in parts if not changed and part.strip()]
            assert all(part in text for part in kept)
            if name != "eda":  # order is kept
                place = 0
                for part in kept:
                    place = text.index(part, place) + len(part)
            assert any(changed for _, changed in parts) or result.changed == 0 or name == "eda"


def test_replaced_tokens_stand_where_the_old_ones_stood(tokenizer, augmenters):
    def augmented(text, degree, step):
        rng = step_generator(0, step, 1)
        return augment_texts(augmenters["random"], tokenizer, [text], None, degree, rng, max_length=64)[0]

    words = ["one", ",", "TWO", "(", "three", ")"]
    for step in range(20):
        result = augmented("one, TWO (three)", 0.17, step)
        (parts,) = result.parts
        (new,) = [characters for characters, changed in parts if changed]
        assert (result.eligible, result.changed) == (6, 1)
        possible = ["".join([*words[:place], new, *words[place + 1 :]]) for place in range(6)]
        assert result.texts[0].replace(" ", "") in possible


def run_verb(monkeypatch, capsys, text, *options):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text if isinstance(text, bytes) else text.encode())))
    with pytest.raises(SystemExit) as exit_info:
        main(["empirical", "augment", *options])
    captured = capsys.readouterr()
    return exit_info.value.code or 0, captured.out, captured.err


def test_json_lines(monkeypatch, capsys):
    lines = "I do not know this film at all\tWhy?\nBB\tthe end\n"
    options = ("--augmenter", "random", "--degree", "0.5", "--seed", "3", "--json")
    status, out, _ = run_verb(monkeypatch, capsys, lines, *options)
    rows = [json.loads(line) for line in out.splitlines()]
    assert status == 0 and len(rows) == 2
    assert [row["original"] for row in rows] == lines.splitlines()
    for row in rows:
        assert set(row) == {"original", "augmented", "eligible", "changed", "degree"}
        assert row["augmented"].count("\t") == 1 and row["augmented"] != row["original"]
        assert row["degree"] == row["changed"] / row["eligible"]
        assert abs(row["changed"] - 0.5 * row["eligible"]) < 1
    assert run_verb(monkeypatch, capsys, lines, *options)[1] == out
    assert run_verb(monkeypatch, capsys, lines, *options[:4], "--seed", "4", "--json")[1] != out


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("a\n", ["--augmenter", "kn"], "--augmenter: found 'kn'"),
        ("a\n", ["--augmenter", "random", "--degree", "1.5"], "--degree: found 1.5; allowed: 0 to 1"),
        ("a\nb\tc\n", ["--augmenter", "random"], "line 2: found '2 fields'"),
        ("a\n", ["--augmenter", "ground-truth", "--held-out", "/nowhere/file"], "--held-out: found '/nowhere/file'"),
        ("a\n", ["--augmenter", "random", "--model", "/nowhere/model"], "/nowhere/model"),
    ],
)
def test_mistakes_are_one_line_and_status_2(monkeypatch, capsys, text, options, message):
    status, out, err = run_verb(monkeypatch, capsys, text, *options)
    assert status == 2 and out == ""
    assert message in err and err.count("\n") == 1


def test_bytes_that_are_not_utf8_are_told_by_line(monkeypatch, capsys):
    status, _, err = run_verb(monkeypatch, capsys, b"fine\nnot \xff fine\n", "--augmenter", "random")
    assert status == 2 and "line 2" in err and "UTF-8" in err and err.count("\n") == 1


def test_ground_truth_gives_each_held_out_line_once(monkeypatch, capsys, tmp_path):
    words = [f"{first} {second}" for first in "red green blue old new big".split() for second in map(str, range(100))]
    (tmp_path / "held_out").write_text("\n".join(words))
    options = ["--augmenter", "ground-truth", "--held-out", str(tmp_path / "held_out")]
    status, out, _ = run_verb(monkeypatch, capsys, "a line\n" * len(words), *options)
    assert status == 0 and sorted(out.splitlines()) == sorted(words)
    (tmp_path / "held_out").write_text("")
    status, out, err = run_verb(monkeypatch, capsys, "a line\n", *options)
    assert status == 2 and out == "" and "held-out" in err and err.count("\n") == 1
