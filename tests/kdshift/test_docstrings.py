"""What a stranger reads first: every public piece says what it is for, and arrays come with their shapes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("theory", "simulate", "empirical", "kdshift")
SHORT = 3  # statements up to which a property, or a method that a protocol or library describes, needs no words

ARRAY = re.compile(r"\b(NDArray|Floats|Tensor|ndarray|ArrayLike)\b")
NAMED = re.compile(r"dict\[str, [^,]*?\]\]?")  # arrays by name have no shape in common
# A shape: a suffix such as x_NC, a tuple such as (B, L) or (draws,), or words for it.
SHAPE = re.compile(
    r"_[A-Z][A-Za-z0-9]*\b|\(([A-Za-z0-9*.]+(, ?[A-Za-z0-9*.]+)+|[A-Za-z.]+,)\)"
    r"|[Ss]hape|broadcast|scalar|one-dimensional|one row"
)


Function = ast.FunctionDef | ast.AsyncFunctionDef


def public(path: Path) -> Iterator[tuple[str, Function | ast.ClassDef, bool]]:
    """Public classes, functions and methods of a file by dotted name, and whether each stands inside a class."""

    def walk(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, Function | ast.ClassDef, bool]]:
        for node in body:
            if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
                yield prefix + node.name, node, bool(prefix)
                if isinstance(node, ast.ClassDef):
                    yield from walk(node.body, f"{prefix}{node.name}.")

    yield from walk(ast.parse(path.read_text(encoding="utf-8")).body, "")


def modules() -> Iterator[tuple[str, Path]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield str(path.relative_to(ROOT)), path


def test_every_module_and_every_public_piece_has_a_docstring() -> None:
    silent = []
    for name, path in modules():
        if ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) is None:
            silent.append(name)
        for dotted, node, inside in public(path):
            short = inside and isinstance(node, Function) and len(node.body) <= SHORT
            if ast.get_docstring(node) is None and not short:
                silent.append(f"{name}:{node.lineno} {dotted}")
    assert not silent, "\n".join(silent)


def test_arrays_come_with_their_shapes() -> None:
    """In the argument's own name (x_NC), in the docstring, or once for all in the module's."""
    untold = []
    for name, path in modules():
        legend = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        if SHAPE.search(legend):
            continue
        for dotted, node, inside in public(path):
            if not isinstance(node, Function) or (inside and len(node.body) <= SHORT and not ast.get_docstring(node)):
                continue
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            types = [ast.unparse(found) for found in [node.returns, *(one.annotation for one in arguments)] if found]
            words = " ".join(one.arg for one in arguments) + " " + (ast.get_docstring(node) or "")
            if any(ARRAY.search(NAMED.sub("", found)) for found in types) and not SHAPE.search(words):
                untold.append(f"{name}:{node.lineno} {dotted}")
    assert not untold, "\n".join(untold)
