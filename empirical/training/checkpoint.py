"""A run's state between two steps, written whole or not at all; nothing is pickled.

All randomness is counter-based, so weights, optimiser, curve and counters are everything there is to keep.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from theory.replacing import remove_abandoned, replacing

logger = logging.getLogger(__name__)


def model_tensors(model: nn.Module) -> dict[str, Tensor]:
    """A model's weights by name, each storage once (tied weights share one)."""
    seen: set[int] = set()
    tensors = {}
    for name, tensor in model.state_dict().items():
        if tensor.data_ptr() not in seen or tensor.numel() == 0:
            tensors[name] = tensor.detach().cpu().contiguous()
        seen.add(tensor.data_ptr())
    return tensors


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """An optimiser's state as named tensors and as plain numbers."""
    tensors: dict[str, Tensor] = {}
    numbers: dict[str, Any] = {}
    for index, state in optimizer.state_dict()["state"].items():
        for name, value in state.items():
            if isinstance(value, Tensor):
                tensors[f"{index}.{name}"] = value.detach().cpu().contiguous()
            else:
                numbers[f"{index}.{name}"] = value
    return tensors, numbers


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor], numbers: dict[str, Any]) -> None:
    """Give an optimiser the state that `optimizer_tensors` returned."""
    whole = optimizer.state_dict()
    whole["state"] = {}
    for key, value in [*tensors.items(), *numbers.items()]:
        index, _, name = key.partition(".")
        whole["state"].setdefault(int(index), {})[name] = value
    optimizer.load_state_dict(whole)


def save_checkpoint(folder: Path, step: int, parts: dict[str, dict[str, Tensor]], state: dict[str, Any]) -> None:
    """Write `parts` (safetensors files by name) and `state` (JSON) as the checkpoint of `step`; older ones go.

    The checkpoint's directory appears by one rename; its state holds the digests of its files.
    """
    final = folder / f"step-{step:08d}"
    with replacing(final) as draft:
        draft.mkdir()
        digests = {}
        for name, tensors in parts.items():
            save_file(tensors, draft / f"{name}.safetensors")
            digests[name] = _digest(draft / f"{name}.safetensors")
        (draft / "state.json").write_text(json.dumps({**state, "step": step, "digests": digests}), encoding="utf-8")
    for other in folder.glob("step-*"):
        if other.name < final.name:
            shutil.rmtree(other, ignore_errors=True)
    remove_abandoned(folder)


def load_checkpoint(folder: Path) -> tuple[dict[str, dict[str, Tensor]], dict[str, Any]] | None:
    """The parts and the state of the newest whole checkpoint, or None; damaged ones are named in the log and passed."""
    if not folder.is_dir():
        return None
    for path in sorted(folder.glob("step-*"), reverse=True):
        try:
            state = json.loads((path / "state.json").read_text("utf-8"))
            parts = {}
            for name, digest in state["digests"].items():
                file = path / f"{name}.safetensors"
                if _digest(file) != digest:
                    raise ValueError(f"{file.name} is not the file that was written")
                parts[name] = load_file(file)
            return parts, state
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            logger.warning("checkpoint %s is damaged (%s): it is not used", path, error)
    return None


def _digest(file: Path) -> str:
    with open(file, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
