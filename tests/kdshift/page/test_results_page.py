"""The page of a results directory: parts that were not run say how to make them, claims wear badges, facts stand."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import pytest

from empirical.runs.layout import run_directory, teachers_folder
from empirical.runs.record import write_config, write_result
from empirical.runs.result import RunResult
from kdshift.claims import CLAIMS, SOURCES, score_all
from kdshift.curve_sources import load_sources
from kdshift.page.document import Table
from kdshift.page.results_page import (
    MISSING,
    SYMBOLS,
    baselines,
    claims_table,
    curves_command,
    provenance,
    write_results_page,
)
from tests.empirical.tiny_kd import run
from theory.inference.verdict import Evidence


def scores(**by_source: Evidence) -> dict[str, dict[str, Evidence]]:
    missing = Evidence(verdict="not measured", note="kdshift simulate run inverted-u")
    return {claim.name: {source: by_source.get(source, missing) for source in SOURCES} for claim in CLAIMS}


def test_a_directory_without_results_has_a_page_that_says_how_to_make_them(tmp_path: Path) -> None:
    results, page = tmp_path / "results", tmp_path / "page.html"
    results.mkdir()
    sources = load_sources(results)
    answer = write_results_page(
        page, results, sources, score_all(sources), title="An <empty> one", facts=[("run time", "3 s")]
    )
    html = page.read_text("utf-8")
    assert html.count("Not measured here. Make it: ") == len(MISSING)
    assert all(command in html for command in MISSING.values())
    assert "An &lt;empty&gt; one" in html and list(answer.facts) == [("run time", "3 s")] and "run time" in html
    assert html.count('class="chart"') == 1, "the theory alone needs no results"
    assert "augmenters</legend>" not in html, "nothing to choose from"


def teacher(root: Path, folder: Path, seed: int, accuracy: float, status: str = "finished") -> None:
    config = run(folder, seed=seed)
    place = run_directory(config, teachers_folder(root))
    write_config(config, place)
    result = RunResult(config_digest=config.digest(), status=status, scores={"test": {"accuracy": accuracy, "n": 9}})
    write_result(result, place)


def test_facts_are_the_best_finished_teacher_and_the_bag_of_words(tmp_path: Path) -> None:
    root = tmp_path / "results"
    assert baselines(root) == []
    for seed, (accuracy, status) in enumerate([(0.71, "finished"), (0.745, "finished"), (0.99, "failed")]):
        teacher(root, tmp_path, seed, accuracy, status)
    (root / "curves").mkdir()
    (root / "curves" / "baselines.json").write_text(json.dumps({"bag_of_words": {"1000": 0.6213, "55": 0.5}}))
    assert baselines(root) == [
        ("the teacher's accuracy", "74.5 %"),
        ("bag of words, 1,000 gold labels", "62.1 %"),
        ("bag of words, 55 gold labels", "50.0 %"),
    ]
    (root / "curves" / "provenance.json").write_text(json.dumps({"teacher": {"accuracy_test": 0.8}}))
    assert baselines(root)[0] == ("the teacher's accuracy", "80.0 %")
    (root / "curves" / "provenance.json").write_text(json.dumps({"teacher": "a path"}))
    assert baselines(root)[0] == ("the teacher's accuracy", "74.5 %")


def test_the_curves_own_command_is_told_where_it_is_known(tmp_path: Path) -> None:
    assert curves_command(tmp_path) == MISSING["text"]
    (tmp_path / "provenance.json").write_text(json.dumps({"command": "kdshift empirical curves mine"}))
    assert curves_command(tmp_path) == "kdshift empirical curves mine"


def test_claims_stand_in_order_with_a_cell_a_source() -> None:
    table = claims_table(scores())
    assert isinstance(table, Table) and list(table.columns) == ["claim", *SOURCES]
    assert [row[0].text for row in table.rows] == [claim.statement for claim in CLAIMS]
    for row in table.rows:
        for cell in row[1:]:
            assert (cell.text, cell.style, cell.href) == (SYMBOLS["not measured"], "unmeasured", "")
            assert "kdshift simulate run" in cell.hint


@pytest.mark.parametrize(
    ("verdict", "effect", "text"),
    [
        ("supported", (0.02, 0.01, 0.03), "yes 0.02 [0.01, 0.03]"),
        ("contradicted", (-0.02, -0.03, -0.01), "no -0.02 [-0.03, -0.01]"),
        ("undecided", (0.0, -0.1, 0.1), "open 0 [-0.1, 0.1]"),
        ("supported", (0.5, 0.3, float("inf")), "yes at least 0.3"),
    ],
)
def test_a_badge_says_verdict_and_effect_and_leads_to_its_evidence(verdict, effect, text) -> None:
    number, low, high = effect
    found = Evidence(verdict=verdict, effect=number, low=low, high=high, unit="in error", note="by replicate")
    for row in claims_table(scores(**dict.fromkeys(SOURCES, found))).rows:
        for source, cell in zip(SOURCES, row[1:], strict=True):
            assert cell.text == text and cell.style == verdict
            assert cell.hint.endswith("in error; by replicate") and cell.hint.startswith(verdict)
            assert cell.href == ("" if source == "paper" else f"#{source}"), "the paper has no view here"


def test_provenance_names_the_versions_that_run() -> None:
    assert f"numpy {version('numpy')}" in provenance() and "Python 3" in provenance()
