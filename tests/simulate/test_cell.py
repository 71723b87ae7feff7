"""Cells that differ in tau, supervision or amount alone share their random numbers."""

from __future__ import annotations

import torch

from simulate.cell import generate
from simulate.experiment_config import make_config


def test_tau_supervision_and_amount_share_their_random_numbers() -> None:
    config = make_config({"augmented_size": ["100", "300"], "data_size": 50, "test_size": 10})
    families = config.families()
    small = next(f for f in families if f.augmented_size == "100")
    large = next(f for f in families if f.augmented_size == "300")
    a, b = generate(config, small, range(2)), generate(config, large, range(2))
    assert torch.equal(a.original_Rnd, b.original_Rnd) and torch.equal(a.test_RQd, b.test_RQd)
    assert torch.equal(a.moves.move_Rmd, b.moves.move_Rmd[:, :100])
    assert torch.bincount(b.parent_Rm[0]).tolist() == [6] * 50
    moved = b.augmented([0.25, 1.0]) - b.original_Rnd[:, None, b.parent_Rm[0]]
    assert torch.allclose(2 * moved[:, 0], moved[:, 1], atol=1e-5)
