"""A classifier as ONNX: float32 through `torch.onnx`, int8 by ONNX Runtime's dynamic quantisation, equality measured.

    kdshift export reviews-fit --onnx --int8

Shapes: B texts, L tokens, C classes.
"""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import PreTrainedModel

from empirical.models.classifier import takes_segments
from empirical.tokens.batch import Batch
from theory.errors import InputError, missing_extra

NAMES = ("input_ids", "attention_mask", "token_type_ids")


class _Logits(nn.Module):
    """A classifier that takes and gives bare tensors."""

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, *tensors: Tensor) -> Tensor:
        logits: Tensor = self.model(**dict(zip(NAMES, tensors, strict=False))).logits
        return logits


def export_onnx(model: PreTrainedModel, path: Path) -> None:
    """Write `model` to `path` for any batch and any length up to the model's own.

    Raises:
        InputError: the packages of the extra `onnx` are not installed, or the model cannot be traced for all of them.
    """
    for package in ("onnx", "onnxscript"):
        try:
            __import__(package)
        except ImportError:
            raise missing_extra(package, "onnx") from None
    model = model.float().eval()
    names = NAMES[: 3 if takes_segments(model) else 2]
    example = (
        torch.randint(1, min(100, int(model.config.vocab_size)), (2, 9)),
        torch.ones(2, 9, dtype=torch.long),
        torch.zeros(2, 9, dtype=torch.long),
    )
    batch, length = torch.export.Dim("batch"), torch.export.Dim("length", max=_longest(model))
    shapes: dict[str, Any] = {
        "dynamic_shapes": (tuple({0: batch, 1: length} for _ in names),), "dynamo": True, "external_data": False,
    }  # fmt: skip
    if any(isinstance(module, nn.LSTM) for module in model.modules()):  # torch.export fixes an LSTM's batch and length
        shapes = {"dynamic_axes": {name: {0: "batch", 1: "length"} for name in names}, "dynamo": False}
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with _quiet():
            torch.onnx.export(
                _Logits(model).eval(),
                example[: len(names)],
                str(path),
                input_names=list(names),
                output_names=["logits"],
                **shapes,
            )
            _check_shapes(path)
    except Exception as error:  # the exporter has many kinds
        raise InputError("--onnx", type(model).__name__, f"a model that torch.onnx can trace ({error})"[:300]) from None


def _check_shapes(path: Path) -> None:
    """Raise ValueError where an exported model takes one batch or one length only, which no exporter says aloud."""
    import onnx

    for given in onnx.load(str(path), load_external_data=False).graph.input:
        if not all(size.dim_param for size in given.type.tensor_type.shape.dim):
            raise ValueError(f"{given.name} has a fixed shape")


def _longest(model: PreTrainedModel) -> int:
    return min(512, int(getattr(model.config, "max_position_embeddings", 0) or 512))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporters' own reports, which go to standard output and to the root's and torch's loggers."""
    levels = {logger: logger.level for logger in (logging.getLogger("torch.onnx"), logging.getLogger())}
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        for logger in levels:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in levels.items():
                logger.setLevel(level)


def quantise(source: Path, path: Path) -> None:
    """Write the int8 version of an ONNX model: weights in a byte, activations as they come."""
    try:
        from onnxruntime.quantization import QuantType, quantize_dynamic
    except ImportError:
        raise missing_extra("onnxruntime", "onnx") from None
    with _quiet():
        quantize_dynamic(str(source), str(path), weight_type=QuantType.QInt8)


class OnnxClassifier:
    """An exported model under ONNX Runtime. threads: of one pass; None: the machine's cores."""

    def __init__(self, path: Path, *, threads: int | None = None) -> None:
        try:
            import onnxruntime
        except ImportError:
            raise missing_extra("onnxruntime", "onnx") from None
        onnxruntime.set_default_logger_severity(3)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        self.session: Any = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.names = [entry.name for entry in self.session.get_inputs()]

    def logits(self, batch: Batch) -> NDArray[np.float32]:
        """Logits, float32 of shape (B, C)."""
        given = {
            "input_ids": batch.ids_BL.astype(np.int64),
            "attention_mask": batch.mask_BL.astype(np.int64),
            "token_type_ids": batch.segment_BL.astype(np.int64),
        }
        (logits_BC,) = self.session.run(["logits"], {name: given[name] for name in self.names})
        return np.asarray(logits_BC, dtype=np.float32)
