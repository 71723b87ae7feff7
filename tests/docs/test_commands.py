"""Every `kdshift ...` line of the README and docs parses, names what exists, and has a test that runs its verb.

Nothing runs here: a line is held against the command line's own parser, its presets and augmenters against the known.
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import cyclopts
import pytest

from kdshift.cli import app
from theory.errors import InputError

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
GROUPS = ("theory", "simulate", "empirical")
PLACEHOLDERS = ("PRESET", "FILE.toml")
CLI = "tests/kdshift/cli/"
# Verb of the README and docs -> the test that runs it, or why none does: "hub", "GPU", "cluster".
RUN_BY = {
    "theory bounds": CLI + "test_theory.py::test_contract_of_bounds_with_everything_given",
    "theory audit": CLI + "test_theory.py::test_audit_formula_and_recommend",
    "theory formula": CLI + "test_theory.py::test_audit_formula_and_recommend",
    "theory recommend": CLI + "test_theory.py::test_audit_formula_and_recommend",
    "simulate run": CLI + "test_simulate.py::test_run_writes_table_figure_configuration_and_verdict",
    "simulate distance": CLI + "test_simulate.py::test_distance_has_the_contract_of_the_design",
    "empirical augment": "tests/empirical/augment/test_lines.py::test_json_lines",
    "empirical augmenters": CLI + "test_augmenter_options.py::test_every_augmenter_is_listed",
    "empirical bank": CLI + "test_empirical.py::test_a_bank_and_its_curves_from_the_command_line",
    "empirical cost": CLI + "test_shift_and_cost.py::test_cost_has_a_row_for_each_and_the_papers_table_beside_it",
    "empirical curves": CLI + "test_empirical.py::test_a_bank_and_its_curves_from_the_command_line",
    "empirical excess": CLI + "test_text_theory.py::test_excess_prints_curves_and_keeps_its_tables",
    "empirical distill": CLI + "test_distill.py::test_a_file_of_ten_lines_and_a_csv_are_enough_to_distil",
    "empirical finetune": CLI + "test_distill.py::test_fine_tuning_from_the_command_line",
    "empirical recommend": CLI + "test_advice.py::test_one_answer_from_a_file_of_ones_own",
    "empirical reproduce": CLI + "test_paper_protocol.py::test_the_page_is_printed_written_or_told_as_json",
    "empirical shift": "tests/empirical/shift/test_measuring.py::test_verb_measures_real_text",
    "empirical status": CLI + "test_sweep.py::test_a_file_of_ones_own_from_dry_run_to_table",
    "empirical sweep": CLI + "test_sweep.py::test_a_file_of_ones_own_from_dry_run_to_table",
    "empirical table": CLI + "test_sweep.py::test_a_file_of_ones_own_from_dry_run_to_table",
    "empirical tasks": CLI + "test_sweep.py::test_tasks_lists_sizes_and_licences",
    "empirical equal-seconds": CLI
    + "test_augmenter_contest.py::test_rows_for_every_entrant_and_size_and_nothing_is_fitted_twice",
    "empirical signals": CLI + "test_signals.py::test_the_ranking_is_kept_and_printed",
    "fit": "tests/kdshift/fit/test_fitting.py::test_a_stopped_fit_goes_on_where_it_stopped",
    "predict": "tests/kdshift/fit/test_prediction.py::test_predictions_are_the_models_and_transformers_loads_it",
    "export": "tests/kdshift/fit/test_exporting.py::test_the_export_says_what_each_version_weighs_takes_and_loses",
    "ladder": CLI + "test_ladder.py::test_json_is_one_object_and_the_folder_holds_the_ladder",
    "compare": CLI + "test_compare.py::test_compare_prints_one_json_object",
    "report": "tests/kdshift/test_report.py::test_the_verb_writes_the_site_and_says_where",
    "cite": "tests/kdshift/test_cite.py::test_the_verb_prints_what_its_results_used",
    "demo": "tests/kdshift/test_demo.py::test_the_demo_ends_with_a_page_that_opens_with_what_was_found",
}


class Line(NamedTuple):
    """A command as a page shows it; a mention names a verb in a sentence and need not be whole."""

    page: str
    text: str
    mention: bool

    @property
    def words(self) -> list[str]:
        return shlex.split(self.text, comments=True)[1:]


def lines_of(page: Path) -> Iterator[Line]:
    """The commands of a page: lines of its code blocks (after pipes and &&), and code within its sentences."""
    text = page.read_text("utf-8")
    for block in re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        for part in re.split(r"\n|\s&&\s|\s\|\s", block.replace("\\\n", " ")):
            if found := re.match(r"(?:\S*/)?(kdshift\s.*)", part.strip()):
                yield Line(page.name, found[1], mention=False)
    for code in re.findall(r"`(kdshift [^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)):
        yield Line(page.name, code.replace("\\|", "|"), mention=len(code.split()) <= 3)


LINES = [line for page in PAGES for line in lines_of(page)]


@cache
def verbs() -> dict[str, cyclopts.App]:
    """Every verb by its words after `kdshift`."""
    found = {}
    for name in app:
        if name.startswith("-"):
            continue
        known = app[name]
        inner = {f"{name} {verb}": known[verb] for verb in known if not verb.startswith("-")} if name in GROUPS else {}
        found |= inner or {name: known}
    return found


def verb_of(words: Sequence[str]) -> str:
    return " ".join(words[: 2 if words and words[0] in GROUPS else 1])


def parsed(words: Sequence[str]) -> dict[str, Any]:
    """The arguments that the command line would call the verb with, by name."""
    _, bound, _ = app.parse_args(list(words), exit_on_error=False, print_error=False)
    return bound.arguments


OF_A_BANK = ("empirical bank", "empirical curves", "empirical excess", "empirical terms", "ladder")


@cache
def known_presets(verb: str) -> Sequence[str]:
    from empirical.bank import study
    from empirical.sweeps import definition
    from simulate import experiment_config

    if verb.startswith("simulate"):
        return experiment_config.presets()
    return study.presets() if verb in OF_A_BANK else definition.preset_names()


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line.page}: {line.text}"[:90])
def test_a_line_parses(line: Line) -> None:
    from empirical.augment.catalogue import CATALOGUE

    words = line.words
    verb = verb_of(words)
    if line.mention and len(words) <= len(verb.split()):
        assert verb in verbs() or verb in GROUPS
        return
    assert verb in verbs()
    arguments = parsed(words)
    preset = arguments.get("preset", "PRESET")
    assert preset in PLACEHOLDERS or preset in known_presets(verb), f"{preset} is no preset of {verb}"
    named = arguments.get("augmenter", ())
    for name in (named,) if isinstance(named, str) else named:
        assert name in CATALOGUE, f"{name} is no augmenter"


def test_lines_are_found_in_blocks_sentences_and_tables(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "`kdshift fit` and `kdshift theory bounds -d 2`, not `Distiller`.\n| a | `kdshift cite` |\n"
        "```bash\ncd x && .venv/bin/kdshift demo  # all\necho a | kdshift empirical augment --degree 1\n"
        "kdshift report \\\n  --out site\nother kdshift\n```\n"
    )
    found = [" ".join(line.words) for line in lines_of(page)]
    assert found == ["demo", "empirical augment --degree 1", "report --out site", "fit", "theory bounds -d 2", "cite"]
    assert len(LINES) > 40


@pytest.mark.parametrize(
    "line",
    ["nothing", "theory bound", "theory bounds --dimensions 2", "theory bounds --dimension two", "export",
     "simulate distance --replicates many", "empirical sweep demo --workers some", "theory audit --step 1 --verbose"],
)  # fmt: skip
def test_a_line_that_the_command_line_refuses_does_not_parse(line: str) -> None:
    with pytest.raises((cyclopts.CycloptsError, InputError)):
        parsed(line.split())


def test_every_verb_of_the_pages_has_a_test_that_runs_it() -> None:
    used = {verb for line in LINES if (verb := verb_of(line.words)) not in GROUPS}
    assert used <= set(RUN_BY), f"no test is named for {sorted(used - set(RUN_BY))}"
    assert set(RUN_BY) <= set(verbs()), f"no such verb: {sorted(set(RUN_BY) - set(verbs()))}"


@pytest.mark.parametrize("verb", RUN_BY)
def test_a_named_test_exists_and_its_file_names_the_verb(verb: str) -> None:
    if RUN_BY[verb] in ("hub", "GPU", "cluster"):
        return
    path, name = RUN_BY[verb].split("::")
    assert (ROOT / path).is_file(), f"{verb}: no file {path}"
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert name.startswith("test_") and name in functions, f"{verb}: no {name} in {path}"
    called = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    words = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    verb, function = verb.split()[-1], verb.split()[-1].replace("-", "_")
    assert verb in words or {function, f"quick_{function}"} & called, f"{path} never says {verb}"
