"""A run's directory: its name, its configuration, its result, its curve (design: Results on disk)."""

from __future__ import annotations

import json
import logging
import platform
import re
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w
from numpy.typing import NDArray
from pydantic import ValidationError

from empirical.checkpoint import write_atomically
from empirical.config import RunConfig
from theory.errors import InputError

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
    """The configuration a run's directory was made with.

    Raises:
        InputError: there is none that can be read.
    """
    path = directory / "config.toml"
    try:
        import tomllib

        values = tomllib.loads(path.read_text("utf-8"))
        return RunConfig.model_validate(_with_none(values))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise InputError(str(path), str(error).splitlines()[0], "a run's configuration") from None


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
        raise InputError(str(directory), found, f"that of {expected}: move this folder away or use another results folder")
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
