"""`kdshift compare`: one object or tables, null worlds, power, and mistakes in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kdshift import claims
from kdshift.cli import main
from kdshift.cli.compare import _calibrate, _power, compare
from kdshift.curve_sources import Sources, load_sources, paper_source, text_source
from kdshift.source import Source
from tests.kdshift import synthetic
from theory.errors import InputError

AS_CLAIMED = {
    ("distill", "knn", 200): 0.5, ("distill", "knn", 4000): 0.3, ("distill", "random", 200): 0.2,
    ("finetune", "knn", 200): 0.1, ("finetune", "knn", 4000): 0.1,
}  # fmt: skip


@pytest.fixture(scope="module")
def sources() -> Sources:
    theory = Source(name="theory", command="")
    text = text_source(synthetic.text_frame(AS_CLAIMED, noise=0.004, replicates=3))
    return Sources(theory=theory, presets={}, text=text, paper=paper_source())


def ran(*arguments: str) -> int:
    """The exit status of the command line, in this process."""
    try:
        main([*arguments])
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def test_compare_prints_one_json_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    synthetic.write_text(tmp_path, synthetic.text_frame(AS_CLAIMED))
    assert ran("compare", "--results", str(tmp_path), "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    by_name = {claim["name"]: claim for claim in printed["claims"]}
    expected = claims.score_all(load_sources(tmp_path))["random-peaks-earlier"]["text"]
    assert by_name["random-peaks-earlier"]["sources"]["text"]["effect"] == pytest.approx(expected.effect)
    assert "text" in printed["laws"]


def test_compare_names_a_results_directory_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert ran("compare", "--results", "/nowhere") == 2
    told = capsys.readouterr()
    assert "--results" in told.err and len(told.err.splitlines()) == 1 and told.out == ""


@pytest.mark.parametrize("verb", ["compare", "report"])
def test_a_directory_without_tables_is_refused(verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran(verb, "--results", str(tmp_path)) == 2
    told = capsys.readouterr()
    assert "--results" in told.err and len(told.err.splitlines()) == 1 and told.out == ""


@pytest.mark.parametrize("name", ["nodir/x.png", "x.xyz"])
def test_a_figure_that_cannot_be_drawn_is_refused(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ran("compare", "--figure", str(tmp_path / name)) == 2
    told = capsys.readouterr()
    assert "--figure" in told.err and len(told.err.splitlines()) == 1 and told.out == ""


def test_the_command_prints_one_object_and_tells_its_worlds_apart(
    sources: Sources, capsys: pytest.CaptureFixture[str]
) -> None:
    _calibrate(sources, 2, json=True)
    output = capsys.readouterr()
    assert json.loads(output.out)["worlds"] == 2 and output.out.count("\n") == 1
    assert output.err.startswith("null worlds: ")


def test_power_is_one_object(sources: Sources, capsys: pytest.CaptureFixture[str]) -> None:
    _power(sources, 0.01, json=True)
    printed = json.loads(capsys.readouterr().out)
    assert printed["effect"] == 0.01 and 0 <= printed["claims"]["augmentation-helps"]["text"]["power"] <= 1


def test_markdown_tables_and_the_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    synthetic.write_text(tmp_path, synthetic.text_frame(AS_CLAIMED))
    figure = tmp_path / "side.png"
    compare(results=tmp_path, markdown=True, figure=figure)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "| claim | theory | simulation | text | paper |" and figure.stat().st_size > 1000
    assert len(lines) == len(claims.CLAIMS) + 4
    compare(results=tmp_path)
    printed = capsys.readouterr().out
    assert all(claim.name in printed for claim in claims.CLAIMS) and "supported: the 95%" in printed


def test_the_numbers_asked_for_must_make_sense(tmp_path: Path) -> None:
    synthetic.write_text(tmp_path, synthetic.text_frame(AS_CLAIMED))
    with pytest.raises(InputError, match="--calibrate"):
        compare(results=tmp_path, calibrate=0)
    with pytest.raises(InputError, match="--power"):
        compare(results=tmp_path, power=-0.1)
