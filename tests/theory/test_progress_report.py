"""Progress has one protocol on every floor: whoever takes a `progress` takes this one, and calls it by position."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

from theory.progress_report import Progress

ROOT = Path(__file__).parents[2]


def taken() -> Iterator[tuple[str, str]]:
    """Where a function takes an argument `progress`, and the annotation it has there."""
    for package in ("theory", "simulate", "empirical", "kdshift"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.FunctionDef):
                    for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
                        if argument.arg == "progress":
                            where = f"{path.relative_to(ROOT)}: {node.name}"
                            yield where, "" if argument.annotation is None else ast.unparse(argument.annotation)


def test_everyone_takes_the_same_protocol() -> None:
    found = dict(taken())
    assert len(found) > 20
    others = {where: shown for where, shown in found.items() if shown not in ("Progress", "Progress | None")}
    assert not others, others


def test_it_is_called_with_a_stage_what_is_done_and_what_there_is() -> None:
    _, *parameters = inspect.signature(Progress.__call__).parameters.values()
    assert [parameter.name for parameter in parameters] == ["label", "done", "total"]
    assert {parameter.kind for parameter in parameters} == {inspect.Parameter.POSITIONAL_ONLY}
