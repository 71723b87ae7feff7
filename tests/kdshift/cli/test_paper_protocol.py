"""`kdshift empirical reproduce` as a user meets it: a page on standard output, in a file, or as one JSON object."""

from __future__ import annotations

import json

import pytest

from empirical.sweeps.definition import preset_names
from empirical.sweeps.reproduce import paper_presets
from kdshift.cli import main
from kdshift.cli.paper_protocol import reproduce
from theory.errors import InputError


def run(capsys, *options: str) -> tuple[int, str, str]:
    status = 0
    try:
        main(["empirical", "reproduce", *options])
    except SystemExit as ended:
        status = int(ended.code or 0)
    written = capsys.readouterr()
    return status, written.out, written.err


def test_the_page_is_printed_written_or_told_as_json(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("empirical.sweeps.reproduce.reproduce_page", lambda: "# The page\n")
    assert run(capsys) == (0, "# The page\n", "")
    assert run(capsys, "--write", str(tmp_path / "page.md")) == (0, "", "")
    assert (tmp_path / "page.md").read_text() == "# The page\n"
    status, out, _ = run(capsys, "--write", str(tmp_path / "again.md"), "--json")
    assert status == 0 and out.count("\n") == 1 and (tmp_path / "again.md").exists()
    presets = json.loads(out)["presets"]
    assert [row["preset"] for row in presets] == [sweep.name for sweep in paper_presets()]
    assert {row["preset"] for row in presets} <= set(preset_names())
    assert all(row["runs"] > 0 and row["repeats"] and isinstance(row["deviations"], list) for row in presets)


def test_a_file_that_cannot_be_written_is_one_line(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("empirical.sweeps.reproduce.reproduce_page", lambda: "# The page\n")
    with pytest.raises(InputError, match=r"write.*nowhere.*can be written"):
        reproduce(write=tmp_path / "nowhere" / "page.md")
    status, out, err = run(capsys, "--write", str(tmp_path))
    assert status == 2 and out == "" and err.count("\n") == 1 and "Traceback" not in err
