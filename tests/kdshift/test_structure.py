"""The house: imports only downwards, no torch above need, a command line that starts as fast as its imports."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.timing import best_seconds

ROOT = Path(__file__).parents[2]
FLOOR = {"theory": 0, "simulate": 1, "empirical": 1, "kdshift": 2}
MODULES = [path for package in FLOOR for path in sorted((ROOT / package).rglob("*.py"))]


def imported(path: Path) -> set[str]:
    """Names of all modules a file imports, wherever in the file, relative imports left out."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_downwards(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    for name in imported(path):
        other = name.split(".")[0]
        if other in FLOOR and other != package:
            assert FLOOR[other] < FLOOR[package], f"{path.name} imports {name}"
        if package == "theory":
            assert other not in ("torch", "transformers"), f"{path.name} imports {name}"


ROOMS = (
    "config paper metric randomness files weights endpoint tokens tasks augment models teachers training bank runs"
    " sweeps tables shift recommend"
).split()  # of empirical/, lowest first (a room imports only rooms before it)


def test_rooms_of_empirical_import_only_rooms_before_them() -> None:
    for path in sorted((ROOT / "empirical").rglob("*.py")):
        room = path.relative_to(ROOT / "empirical").parts[0].removesuffix(".py")
        if room == "__init__":
            continue
        assert room in ROOMS, f"{path.relative_to(ROOT)} lies in no room"
        for name in imported(path):
            parts = name.split(".")
            if parts[0] == "empirical" and len(parts) > 1 and parts[1] != room:
                assert ROOMS.index(parts[1]) < ROOMS.index(room), f"{path.relative_to(ROOT)} imports {name}"


def test_a_module_name_stands_once_in_the_tree() -> None:
    seen: dict[str, Path] = {}
    for path in MODULES:
        if path.stem not in ("__init__", "__main__"):
            assert path.stem not in seen, f"{path} and {seen[path.stem]} bear one name"
            seen[path.stem] = path


def test_no_package_exports_a_name_that_one_of_its_modules_bears() -> None:
    # `package.name` would be either of the two, by the order of imports; the docs would describe it twice.
    for path in MODULES:
        if path.stem == "__init__":
            beside = {other.stem for other in path.parent.glob("*.py")}
            package = ".".join(path.parent.relative_to(ROOT).parts)
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ImportFrom) and node.module != package:
                    names = {alias.asname or alias.name for alias in node.names}
                    assert not names & beside, f"{path.relative_to(ROOT)}: {names & beside}"


def test_every_module_has_its_test_file() -> None:
    """`tests/<package>/<room>/test_<module>.py` tests `<package>/<room>/<module>.py`; there is no exception."""
    paths = [path.relative_to(ROOT) for path in MODULES if path.stem not in ("__init__", "__main__")]
    bare = [str(path) for path in paths if not (ROOT / "tests" / path.parent / f"test_{path.stem}.py").is_file()]
    assert not bare, f"without a test file: {bare}"


def modules_after(code: str) -> set[str]:
    """Top-level modules loaded in a fresh interpreter after `code`."""
    tail = "; import sys; print(*sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code + tail], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_theory_imports_nothing_heavy() -> None:
    assert not modules_after("import theory") & {"torch", "matplotlib", "pandas", "transformers", "sympy"}


LIGHT_VERBS = (["--help"], ["theory", "bounds", "--dimension", "2", "--json"])


def processor_seconds(command: list[str]) -> float:
    """User and system seconds of the command's process, the least of three starts."""
    return best_seconds(
        lambda: subprocess.run(command, capture_output=True, check=True), 3, lambda: sum(os.times()[2:4])
    )


@pytest.mark.parametrize("arguments", LIGHT_VERBS)
def test_light_verbs_leave_the_heavy_packages_alone(arguments: list[str]) -> None:
    code = f"from kdshift.cli import main\ntry: main({arguments!r})\nexcept SystemExit: pass\nimport sys"
    assert not modules_after(code) & {"torch", "transformers", "pandas", "matplotlib", "sympy", "sklearn", "joblib"}


def test_light_verbs_start_as_fast_as_their_imports() -> None:
    # A slow or busy machine stretches both sides alike, so no number of seconds is asked for.
    imports = "import cyclopts, rich.console, numpy, scipy.special, scipy.optimize"
    floor = processor_seconds([sys.executable, "-c", imports])
    for arguments in LIGHT_VERBS:
        assert processor_seconds([sys.executable, "-m", "kdshift", *arguments]) < 1.7 * floor, arguments


def test_a_mistake_is_one_line_and_status_two() -> None:
    for arguments in (["theory", "bounds", "--dimension", "x"], ["theory", "nothing"], ["demo", "--nothing"]):
        done = subprocess.run([sys.executable, "-m", "kdshift", *arguments], capture_output=True, text=True)
        assert done.returncode == 2, arguments
        assert done.stdout == ""
        assert len(done.stderr.strip().splitlines()) == 1 and done.stderr.startswith("kdshift: ")
