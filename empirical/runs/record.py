"""A run's directory: its name, its configuration, its result, its curve (design: Results on disk)."""

from __future__ import annotations

import json
import logging
import platform
import re
import tomllib
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w
from numpy.typing import NDArray
from pydantic import ValidationError

from empirical.config import AUGMENTERS, RunConfig
from empirical.files import write_atomically
from theory.errors import InputError, unknown_name

logger = logging.getLogger(__name__)

RECORDED = ("kdshift", "torch", "transformers", "tokenizers", "accelerate", "numpy")


def slug(text: str) -> str:
    """`text` as one harmless part of a path: lower-case letters, digits, dots, plus and dashes."""
    return re.sub(r"[^a-z0-9.+]+", "-", text.casefold()).strip("-.") or "x"


def model_slug(name: str, layers: Sequence[int] | None, architecture: str, fresh: bool) -> str:
    """A model's short name: `minilm.0.3`, `bilstm-minilm`, `fresh-bert-base-uncased`."""
    short = Path(name).name or name
    if layers is not None:
        short += "." + ".".join(map(str, layers))
    return "-".join(part for part in ("fresh" * fresh, architecture.replace("encoder", ""), short) if part)


def run_directory(config: RunConfig, root: Path) -> Path:
    """Where a run lives under `root`: a readable slug and the digest of its configuration."""
    size = f"{config.data_size:g}"
    augment = config.augment
    shift = "plain"
    if augment is not None:
        copies = "" if augment.copies is None else f"x{augment.copies}"
        shift = f"{augment.augmenter}{copies}-{augment.degree:g}"
    student = config.student
    parts = (
        Path(config.task.name).stem if "/" in config.task.name else config.task.name,
        config.mode,
        f"n{size}",
        shift,
        model_slug(student.name, student.layers, student.architecture, student.fresh),
        f"lr{config.train.learning_rate:g}",
        f"s{config.seed}.{config.data_seed}",
    )
    return Path(root) / f"{slug('-'.join(parts))[:120]}-{config.digest()}"


def write_config(config: RunConfig, directory: Path) -> None:
    """Write `config.toml`, or check that the one that is there is of this run.

    Raises:
        InputError: the directory holds another configuration, or cannot be written.
    """
    path = directory / "config.toml"
    if path.exists():
        if read_config(directory).digest() != config.digest():
            raise InputError(str(path), "another configuration", "the one this run was asked for; use another folder")
        return
    try:
        write_atomically(path, tomli_w.dumps(_without_none(config.model_dump(mode="json"))))
    except OSError as error:
        raise InputError("results folder", str(directory), f"a folder that can be written ({error.strerror})") from None


def read_config(directory: Path) -> RunConfig:
    """The configuration a run's directory was made with; raises InputError if there is none that can be read."""
    return load_run(directory / "config.toml")


def load_run(path: Path, base: Mapping[str, Any] | None = None, over: Mapping[str, Any] | None = None) -> RunConfig:
    """The run that a TOML file describes: `RunConfig`'s fields and tables, all optional; `"none"` stands for no value.

    base, over: values for what the file leaves open, and values that take precedence, laid out as in the file.
    A degree of 0 means no augmented data.

    Raises:
        InputError: no such file, no TOML, or a field or value that does not exist, by its name.
    """
    try:
        values = _with_none(tomllib.loads(Path(path).read_text("utf-8")))
    except OSError as error:
        raise InputError("run", str(path), f"a readable TOML file ({error.strerror})") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(str(path), str(error), "a TOML file") from None
    return run_of(merged(merged(base or {}, values), over or {}), str(path))


def run_of(values: Mapping[str, Any], where: str) -> RunConfig:
    """The run of these values; raises InputError naming `where` and the field that is wrong."""
    values = dict(values)
    augment = values.get("augment")
    if isinstance(augment, Mapping) and (augment.get("degree") == 0 or augment.get("augmenter", "") is None):
        values["augment"] = None
    try:
        config = RunConfig.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{where}: {field}", first.get("input"), first["msg"]) from None
    if config.augment is not None and config.augment.augmenter not in AUGMENTERS:
        raise unknown_name("augmenter", config.augment.augmenter, AUGMENTERS)
    return config


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with the values of `over`, table by table."""
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        result[key] = merged(old if isinstance(old, Mapping) else {}, value) if isinstance(value, Mapping) else value
    return result


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(item) if item is not None else "none" for key, item in value.items()}
    return [_without_none(item) for item in value] if isinstance(value, list) else value


def _with_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: None if item == "none" else _with_none(item) for key, item in value.items()}
    return value


def read_result(directory: Path, config: RunConfig | None = None) -> dict[str, Any] | None:
    """A run's result, or None if it has none that is whole.

    Raises:
        InputError: the directory was made with another configuration than its name, or than `config`, says.
    """
    path = directory / "result.json"
    if not path.exists():
        return None
    expected = config.digest() if config is not None else read_config(directory).digest()
    try:
        result = json.loads(path.read_text("utf-8"))
        digest = result["config_digest"]
        result["status"], result["test"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        logger.warning("%s is damaged (%s): the run counts as unfinished", path, error)
        return None
    if digest != expected or not directory.name.endswith(digest):
        found = f"the result of configuration {digest}"
        raise InputError(
            str(directory), found, f"that of {expected}: move this folder away or use another results folder"
        )
    return result


def is_finished(directory: Path) -> bool:
    """Whether a run has its result (finished or failed) in this directory, made with the configuration beside it."""
    return read_result(Path(directory)) is not None


def write_curve(curve: Sequence[tuple[int, str, str, float]], directory: Path) -> None:
    """Write `curve.parquet` (step, split, metric, value)."""
    import pandas as pd

    table = pd.DataFrame(list(curve), columns=["step", "split", "metric", "value"])
    _write_parquet(table.astype({"step": "int64", "value": "float64"}), directory / "curve.parquet")


def write_predictions(
    outputs: dict[str, NDArray[np.float32]], labels: dict[str, NDArray[np.int64]], directory: Path
) -> None:
    """Write `predictions.parquet`: split, label and predicted class of every example, in the split's order."""
    import pandas as pd

    frames = [
        pd.DataFrame(
            {
                "split": pd.Categorical([split] * len(output_NC), categories=list(outputs)),
                "label": labels[split].astype(np.int16),
                "predicted": output_NC.argmax(axis=1).astype(np.int16),
            }
        )
        for split, output_NC in outputs.items()
    ]
    if frames:
        _write_parquet(pd.concat(frames, ignore_index=True), directory / "predictions.parquet")


def _write_parquet(table: Any, path: Path) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    table.to_parquet(temporary, index=False)
    temporary.replace(path)


def write_result(result: dict[str, Any], directory: Path) -> None:
    """Write `result.json`, the last of a run's files, by an atomic rename."""
    write_atomically(directory / "result.json", json.dumps(result, indent=1) + "\n")


def made_by(device: Any) -> dict[str, Any]:
    """What made a record: versions, machine, device."""
    import torch

    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or platform.machine()
    return {
        "versions": {"python": platform.python_version(), **{package: version(package) for package in RECORDED}},
        "device": f"{device.type} {name}".strip(),
        "threads": torch.get_num_threads(),
    }
