"""From files to settings: one wording of mistakes, and "none" for what TOML lacks."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, Field, field_validator

from theory.errors import InputError
from theory.settings_file import merged, parse_toml, read_toml, validated, with_none, without_none


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    steps: int = Field(3, ge=1)


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    inner: Inner = Inner()
    colour: str = "red"

    @field_validator("colour")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in ("red", "blue"):
            raise InputError("colour", value, "red or blue")
        return value


def test_values_become_settings_and_mistakes_name_place_field_and_value() -> None:
    assert validated(Outer, {"inner": {"steps": 5}}).inner.steps == 5
    for values, message in (
        ({"inner": {"steps": 0}}, r"^mine\.toml: inner\.steps: found 0; .*greater than or equal to 1"),
        ({"inner": {"stepz": 1}}, r"^mine\.toml: inner\.stepz: found 1"),
        ({"colour": "green"}, r"^mine\.toml: colour: found 'green'; allowed: red or blue$"),
    ):
        with pytest.raises(InputError, match=message):
            validated(Outer, values, "mine.toml")
    with pytest.raises(InputError, match=r"^inner\.steps: found 0"):
        validated(Outer, {"inner": {"steps": 0}})


def test_files_that_are_no_toml_are_told_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("a = 1\nb = ?")
    with pytest.raises(InputError, match=r"mine\.toml.*line 2"):
        read_toml(path, "run")
    with pytest.raises(InputError, match=r"^run: .*nowhere\.toml.*No such file"):
        read_toml(tmp_path / "nowhere.toml", "run")
    path.write_bytes(b"a = '\xff'")
    with pytest.raises(InputError, match="readable TOML"):
        read_toml(path, "run")
    assert parse_toml("a = 1", "preset x") == {"a": 1}


def test_tables_are_merged_and_everything_else_replaced() -> None:
    base = {"a": {"b": 1, "c": {"d": 2}}, "e": [1, 2], "f": {"g": 1}}
    over = {"a": {"c": {"h": 3}}, "e": [3], "f": None}
    assert merged(base, over) == {"a": {"b": 1, "c": {"d": 2, "h": 3}}, "e": [3], "f": None}
    assert base == {"a": {"b": 1, "c": {"d": 2}}, "e": [1, 2], "f": {"g": 1}}, "the base was changed"
    assert merged({"f": None}, {"f": {"g": 2}}) == {"f": {"g": 2}}


def test_none_goes_to_toml_and_back_but_not_within_lists() -> None:
    values = {"layers": None, "labels": ["none", "some"], "inner": {"clip": None, "steps": 3}}
    assert without_none(values)["layers"] == "none" and with_none(without_none(values)) == values


def test_what_is_missing_and_what_is_unknown_are_said_so() -> None:
    class Point(BaseModel):
        model_config = ConfigDict(extra="forbid")
        x: float
        y: float = 0.0

    with pytest.raises(InputError, match="x: found 'nothing'; allowed: a value: it has no default"):
        validated(Point, {"y": 1.0})
    with pytest.raises(InputError, match="z: found 3; allowed: no setting of that name, but x, y"):
        validated(Point, {"x": 1.0, "z": 3})
