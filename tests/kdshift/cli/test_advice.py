"""`kdshift empirical recommend` as a user meets it: one answer, or one line on what is wrong."""

from __future__ import annotations

import json
import logging

import pytest

from kdshift.cli import main
from kdshift.cli.advice import told
from tests.empirical import tiny_kd

BAD = {
    "unknown task": (("--task", "tweet"), "tweets"),
    "unknown augmenter": (("--augmenter", "kn"), "knn"),
    "no degrees": (("--augmenter", "back-translation"), "random"),
    "data size": (("--data-size", "0"), "data-size"),
    "teacher steps": (("--teacher-steps", "-1"), "teacher-steps"),
    "pool": (("--pool", "5"), "pool"),
}


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    logging.getLogger().handlers.clear()
    with pytest.raises(SystemExit) as ended:
        main(["empirical", "recommend", *arguments])
        raise SystemExit(0)
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, captured.err


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_exit_status_2(capsys, tmp_path, case):
    arguments, message = BAD[case]
    code, out, errors = run(capsys, "--results", str(tmp_path), *arguments)
    assert code == 2 and out == "" and errors.count("\n") == 1 and message in errors


def test_one_answer_from_a_file_of_ones_own(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("empirical.recommend.DEGREES", (0.3, 0.7))
    tiny = tiny_kd.run(tmp_path)
    command = ["--task", tiny.task.name, "--teacher", tiny.teacher.name, "-n", "40", "--augmenter", "random",
               "--teacher-steps", "5", "--results", str(tmp_path / "out"), "--json"]  # fmt: skip
    code, out, _ = run(capsys, *command)
    first = json.loads(out)
    assert code == 0 and first["verdict"] in ("supported", "undecided", "contradicted") and 0 <= first["degree"] <= 1
    assert first["gain"]["low"] <= first["gain"]["value"] and first["asked"] > 0 and first["rule"] == 0.5
    assert first["exchange"]["replicates"] >= 8
    assert (first["worth"] is not None) == (first["verdict"] == "supported")
    assert first["next"].startswith("kdshift empirical distill --task")
    assert f"--degree {first['degree']:g}" in first["next"]
    code, out, _ = run(capsys, *command)
    second = json.loads(out)
    assert code == 0 and second["asked"] == 0
    changing = {"asked", "kept", "seconds"}
    assert {key: value for key, value in first.items() if key not in changing} == {
        key: value for key, value in second.items() if key not in changing
    }


def test_the_lines_say_what_was_measured():
    record = {"sentence": "knn at 50%: nearer", "data_size": 500, "pilot_size": 110, "rule": 0.5, "theory": None,
              "seconds": 61.2, "asked": 900, "kept": 4, "next": "kdshift empirical distill",
              "worth": None}  # fmt: skip
    text = told(record)
    assert text.startswith("knn at 50%: nearer.\n") and "at 110 texts; of 500" in text and "vacuous" in text
    assert "900 texts, 4 answers" in text and text.endswith("Next: kdshift empirical distill\n")
    assert "Measured at" not in told({**record, "pilot_size": 500, "theory": 0.7})
    assert "nearer.\nWorth 30 real ones." in told({**record, "worth": "Worth 30 real ones."})
