"""From TOML files and plain values to validated settings, with one wording of what is wrong (exit status 2).

Pydantic is imported where it is used only, so that the theory's verbs start without it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from theory.errors import InputError

if TYPE_CHECKING:
    from pydantic import BaseModel

    Model = TypeVar("Model", bound=BaseModel)


def read_toml(path: Path, argument: str) -> dict[str, Any]:
    """The values of a TOML file.

    Raises:
        InputError: naming `argument`, a file that cannot be read; naming the file and line, what is no TOML.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(argument, str(path), f"a readable TOML file ({error})") from None
    return parse_toml(text, str(path))


def parse_toml(text: str, where: str) -> dict[str, Any]:
    """The values of a TOML text; raises InputError naming `where` it is from if it is none."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(where, str(error), "a TOML file") from None


def validated(model: type[Model], values: Mapping[str, Any], where: str = "") -> Model:
    """These values as a pydantic model.

    Raises:
        InputError: naming `where` the values are from and the first field that is wrong, with its value and what is
            allowed; an InputError that a validator raised keeps its own words.
    """
    from pydantic import ValidationError

    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
    place = f"{where}: " if where else ""
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, InputError):
        raise InputError(f"{place}{cause.argument}", cause.found, cause.allowed)
    field = ".".join(str(part) for part in first["loc"])
    if first["type"] == "missing":
        raise InputError(f"{place}{field}", "nothing", "a value: it has no default")
    if first["type"] == "extra_forbidden":
        known = ", ".join(model.model_fields) if len(first["loc"]) == 1 else "the settings that its help lists"
        raise InputError(f"{place}{field}", first.get("input"), f"no setting of that name, but {known}")
    raise InputError(f"{place}{field}", first.get("input"), first["msg"])


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with the values of `over`, table by table."""
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        if isinstance(value, Mapping):
            value = merged(old if isinstance(old, Mapping) else {}, value)
        result[key] = value
    return result


def with_none(value: Any) -> Any:
    """TOML has no null: the word "none" stands for None, in tables of tables too, but not within lists."""
    if isinstance(value, Mapping):
        return {key: with_none(item) for key, item in value.items()}
    return None if value == "none" else value


def without_none(value: Any) -> Any:
    """The inverse of `with_none`, for values that are to be written as TOML."""
    if isinstance(value, Mapping):
        return {key: without_none(item) for key, item in value.items()}
    return "none" if value is None else value
