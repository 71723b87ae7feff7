"""The showcase: every augmenter's row adds up to its text, what is missing is said, marks are safe HTML."""

from __future__ import annotations

import pytest

from empirical.augment import make_augmenter
from empirical.augment.showcase import as_html, showcase
from empirical.config import AugmentConfig
from tests.empirical.three_tokenizers import tokenizer_of
from theory.errors import InputError

TEXT = "The house <b>is</b> red & the garden green"


@pytest.fixture(scope="module")
def rows():
    tokenizer = tokenizer_of("minilm")

    def missing():
        raise InputError("teacher", None, "a directory")

    builders = {
        "random": lambda: make_augmenter(AugmentConfig(augmenter="random"), tokenizer=tokenizer),
        "flip": missing,
        "mixkd": missing,
    }
    return showcase(TEXT, ["one more text"], builders, tokenizer, 0.4)


def test_a_row_is_its_text_in_parts(rows):
    (row,) = [row for row in rows if row["augmenter"] == "random"]
    assert row["changed"] == pytest.approx(0.4 * row["eligible"], abs=1)
    assert sum(changed for _, changed in row["parts"]) == row["changed"]


def test_what_cannot_be_shown_is_said(rows):
    said = {row["augmenter"]: row["missing"] for row in rows if "missing" in row}
    assert said["flip"] == "teacher: found None; allowed: a directory" and "no text" in said["mixkd"]


def test_html_marks_changes_and_escapes_texts(rows):
    page = as_html(TEXT, rows)
    assert "&lt;b&gt;is&lt;/b&gt; red &amp; the garden" in page and "<b>is</b> red" not in page
    (row,) = [row for row in rows if row["augmenter"] == "random"]
    assert page.count("<b><u>") == sum(changed for _, changed in row["parts"])
