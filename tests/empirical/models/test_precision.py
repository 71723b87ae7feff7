"""Precision: what `auto` means where, and that mixed passes are mixed and nothing else is."""

from __future__ import annotations

import pytest
import torch

from empirical.models import precision as room
from empirical.models.precision import gradient_scaler, mixed, resolve_precision
from theory.errors import InputError

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("flags", "precision"),
    [({"avx2"}, "fp32"), ({"avx512f", "avx512bw"}, "fp32"), ({"avx512_bf16"}, "bf16"), ({"amx_bf16"}, "bf16")],
)
def test_auto_is_bf16_only_where_the_processor_has_it(monkeypatch, flags, precision):
    monkeypatch.setattr(room, "processor_flags", lambda: flags)
    assert resolve_precision("auto", torch.device("cpu")) == precision
    assert resolve_precision("bf16", torch.device("cpu")) == "bf16"


@pytest.mark.parametrize(("capability", "precision"), [((6, 1), "fp32"), ((7, 0), "fp16"), ((7, 5), "fp16"),
                                                     ((8, 0), "bf16"), ((9, 0), "bf16")])  # fmt: skip
def test_auto_uses_the_tensor_cores_that_a_gpu_has(monkeypatch, capability, precision):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert resolve_precision("auto", torch.device("cuda")) == precision


def test_fp16_needs_a_gpu():
    with pytest.raises(InputError, match="fp16 needs a GPU"):
        resolve_precision("fp16", torch.device("cpu"))


@pytest.mark.parametrize(("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_products_are_computed_in_the_precision_and_weights_stay_as_they_are(precision, dtype):
    layer, x_BD = torch.nn.Linear(4, 3), torch.ones(2, 4)
    with mixed(CPU, precision):
        y_BC = layer(x_BD)
    assert y_BC.dtype == dtype and layer.weight.dtype == torch.float32 and layer(x_BD).dtype == torch.float32
    y_BC.float().sum().backward()
    torch.testing.assert_close(layer.weight.grad, torch.full((3, 4), 2.0))


def test_without_fp16_the_scaler_passes_everything_through():
    weight = torch.nn.Parameter(torch.tensor([2.0]))
    optimizer, scaler = torch.optim.SGD([weight], lr=0.5), gradient_scaler(CPU, "bf16")
    scaler.scale((3 * weight).sum()).backward()
    assert weight.grad.item() == 3
    scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()
    assert weight.item() == 0.5 and scaler.state_dict() == {}
