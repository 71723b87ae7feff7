"""The numeric precision of teachers and students alike: what pays on a device, and how a forward pass is put in it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import torch

from theory.errors import InputError

BF16_FLAGS = {"avx512_bf16", "amx_bf16"}
DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def resolve_precision(asked: str, device: torch.device) -> str:
    """`fp32`, `bf16` or `fp16`: what `auto` means on `device`, or what was asked for.

    `auto` is bf16 on a GPU or processor with bf16 arithmetic of its own, and fp16 (with a scaled loss) on a GPU whose
    tensor cores know nothing newer (compute capability 7: the paper's V100); elsewhere emulation would only cost time.

    Raises:
        InputError: fp16 without a GPU.
    """
    if asked == "fp16" and device.type == "cpu":
        raise InputError("train.precision", asked, "fp32, bf16 or auto on a CPU; fp16 needs a GPU")
    if asked != "auto":
        return asked
    if device.type == "cuda":
        generation = torch.cuda.get_device_capability(device)[0]
        return "bf16" if generation >= 8 else "fp16" if generation == 7 else "fp32"
    return "bf16" if device.type == "cpu" and BF16_FLAGS & processor_flags() else "fp32"


def mixed(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """Within, matrix products are computed in `precision` (`fp32`: as they are); weights stay in float32."""
    return torch.autocast(device.type, DTYPES.get(precision), enabled=precision in DTYPES)


def gradient_scaler(device: torch.device, precision: str) -> torch.amp.GradScaler:
    """What keeps fp16's small gradients from vanishing; in other precisions it passes everything through."""
    return torch.amp.GradScaler(device.type, enabled=precision == "fp16")


def processor_flags() -> set[str]:
    """The instruction sets of this machine's processor (Linux; empty elsewhere)."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return set()
    line = next((line for line in text.splitlines() if line.startswith("flags")), "")
    return set(line.partition(":")[2].split())
