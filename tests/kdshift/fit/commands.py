"""The command line within a test, and one quick fit of a tiny task."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kdshift.cli import main
from tests.empirical import tiny_kd


def status_of(*arguments: str) -> int:
    """The exit status of a command that ends by itself."""
    with pytest.raises(SystemExit) as ended:
        main([*arguments])
    return int(ended.value.code or 0)


def run_verb(*arguments: str) -> None:
    """A command that must succeed, whether it returns or exits with 0."""
    try:
        main([*arguments])
    except SystemExit as ended:
        assert not ended.code, arguments


def quick_fit(folder: Path, *more: str) -> tuple[str, ...]:
    """The command of one quick fit in `folder`, whose texts and encoder are made where they are missing."""
    data = folder / "texts.csv"
    if not data.exists():
        tiny_kd.table(data, rows=96)
        tiny_kd.bert(folder / "bert", layers=2)
    options = ("--teacher", str(folder / "bert"), "--student", "static", "--degree", "0.3,0.6", "--minutes", "30")
    return ("fit", str(data), *options, "--max-length", "32", "--out", str(folder / "out"), *more)


def few_steps(patch: pytest.MonkeyPatch) -> None:
    """Students of few steps, until the patch is undone."""
    from kdshift.fit.shipping import RECIPES

    patch.setattr("kdshift.fit.degree_choice.STEPS", 80)
    patch.setitem(RECIPES, "static", RECIPES["static"].model_copy(update={"steps": 150}))


def facts_of(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "out" / "fit.json").read_text(encoding="utf-8")))
