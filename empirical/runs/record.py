"""A run's record in its folder: its configuration, its result, its curve, its predictions (design: Results on disk)."""

from __future__ import annotations

import json
import logging
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tomli_w
from numpy.typing import NDArray

from empirical.config import RunConfig, load_run
from empirical.files import write_atomically, write_frame
from empirical.runs.layout import RunFiles
from empirical.runs.result import RunResult
from theory.errors import InputError
from theory.settings_file import without_none

if TYPE_CHECKING:
    import torch

logger = logging.getLogger(__name__)

RECORDED = ("kdshift", "torch", "transformers", "tokenizers", "accelerate", "numpy")


def write_config(config: RunConfig, directory: Path) -> None:
    """Write `config.toml`, or check that the one that is there is of this run.

    Raises:
        InputError: the directory holds another configuration, or cannot be written.
    """
    path = RunFiles(directory).config
    if path.exists():
        if read_config(directory).digest() != config.digest():
            raise InputError(str(path), "another configuration", "the one this run was asked for; use another folder")
        return
    try:
        write_atomically(path, tomli_w.dumps(without_none(config.model_dump(mode="json"))))
    except OSError as error:
        raise InputError("results folder", str(directory), f"a folder that can be written ({error.strerror})") from None


def read_config(directory: Path) -> RunConfig:
    """The configuration a run's directory was made with; raises InputError if there is none that can be read."""
    return load_run(RunFiles(directory).config)


def read_result(directory: Path, config: RunConfig | None = None) -> RunResult | None:
    """A run's result, or None if it has none that is whole.

    Raises:
        InputError: the directory was made with another configuration than its name, or than `config`, says.
    """
    path = RunFiles(directory).result
    if not path.exists():
        return None
    expected = config.digest() if config is not None else read_config(directory).digest()
    try:
        result = RunResult.model_validate(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        logger.warning("%s is damaged (%s): the run counts as unfinished", path, reason)
        return None
    if result.config_digest != expected or not directory.name.endswith(result.config_digest):
        found = f"the result of configuration {result.config_digest}"
        raise InputError(
            str(directory), found, f"that of {expected}: move this folder away or use another results folder"
        )
    return result


def is_finished(directory: Path) -> bool:
    """Whether a run has its result (finished or failed) in this directory, made with the configuration beside it."""
    return read_result(Path(directory)) is not None


def write_result(result: RunResult, directory: Path) -> None:
    """Write `result.json`, the last of a run's files."""
    write_atomically(RunFiles(directory).result, json.dumps(result.record(), indent=1) + "\n")


def write_curve(curve: Sequence[tuple[int, str, str, float]], directory: Path) -> None:
    """Write `curve.parquet` (step, split, metric, value)."""
    import pandas as pd

    table = pd.DataFrame(list(curve), columns=["step", "split", "metric", "value"])
    write_frame(table.astype({"step": "int64", "value": "float64"}), RunFiles(directory).curve)


def write_predictions(
    outputs: Mapping[str, NDArray[np.float32]], labels: Mapping[str, NDArray[np.int64]], directory: Path
) -> None:
    """Write `predictions.parquet`: split, label and predicted class of every example, in its order.

    outputs: logits of shape (N, C) by split; labels: shape (N,).
    """
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
        write_frame(pd.concat(frames, ignore_index=True), RunFiles(directory).predictions)


def read_predictions(directory: Path, split: str = "test") -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(labels, predicted classes) of a finished run on a split, two int64 arrays of shape (N,).

    Raises:
        InputError: the run keeps none.
    """
    import pandas as pd

    path = RunFiles(directory).predictions
    if not path.is_file():
        raise InputError(str(path), "no file", "the predictions that a finished run leaves")
    table = pd.read_parquet(path)
    rows = table[table["split"] == split]
    return rows["label"].to_numpy(dtype=np.int64), rows["predicted"].to_numpy(dtype=np.int64)


def made_by(device: torch.device) -> dict[str, Any]:
    """What made a record: versions, machine, device."""
    import torch

    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or platform.machine()
    return {
        "versions": {"python": platform.python_version(), **{package: version(package) for package in RECORDED}},
        "device": f"{device.type} {name}".strip(),
        "threads": torch.get_num_threads(),
    }
