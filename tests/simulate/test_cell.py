"""One block of replicates: what its cells share, and what is measured."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from simulate.cell import MEASURES, generate, parents_of, simulate_block
from simulate.experiment_config import make_config


def test_tau_supervision_and_amount_share_their_random_numbers() -> None:
    config = make_config({"augmented_size": ["100", "300"], "data_size": 50, "test_size": 10})
    families = config.families()
    small = next(f for f in families if f.augmented_size == "100")
    large = next(f for f in families if f.augmented_size == "300")
    a, b = generate(config, small, range(2)), generate(config, large, range(2))
    assert torch.equal(a.original_Rnd, b.original_Rnd) and torch.equal(a.test_RQd, b.test_RQd)
    assert torch.equal(a.moves.move_Rmd, b.moves.move_Rmd[:, :100])
    assert torch.equal(a.parent_Rm, b.parent_Rm[:, :100])
    moved = b.augmented([0.25, 1.0]) - parents_of(b.original_Rnd, b.parent_Rm)[:, None]
    assert torch.allclose(2 * moved[:, 0], moved[:, 1], atol=1e-5)


def test_iid_parents_are_drawn_and_dealt_ones_come_in_turn() -> None:
    dealt, iid = (
        generate(config, config.families()[0], range(2))
        for config in (
            make_config({"data_size": 50, "augmented_size": "300", "test_size": 4, "parents": parents})
            for parents in ("dealt", "iid")
        )
    )
    assert torch.equal(dealt.original_Rnd, iid.original_Rnd)
    assert torch.bincount(dealt.parent_Rm[0]).tolist() == [6] * 50
    counts = torch.bincount(iid.parent_Rm[0], minlength=50).numpy()
    assert stats.chisquare(counts).pvalue > 1e-3 and counts.std() > 1
    assert not torch.equal(iid.parent_Rm[0], iid.parent_Rm[1])


SMALL = {"dimension": 2, "data_size": 20, "augmented_size": "4x", "test_size": 64, "held_out_size": 50}


def test_parents_are_drawn_unless_dealing_is_asked_for() -> None:
    assert make_config(SMALL).parents == "iid"


def test_a_block_measures_every_tau_and_is_its_replicates_alone() -> None:
    config = make_config({**SMALL, "tau": [0.0, 0.1, 1.0], "students": {"features": 16}})
    family = config.families()[0]
    together, alone = simulate_block(config, family, 0, 3), simulate_block(config, family, 2, 3)
    assert set(together) == set(MEASURES) and together["error"].shape == (3, 3)
    for name in MEASURES:
        np.testing.assert_allclose(together[name][2], alone[name][0], atol=2e-5)
    assert (together["squared_error"] <= together["error"]).all() and (together["error"] <= 1).all()


def test_without_augmented_data_parents_and_moves_do_not_matter() -> None:
    """tau = 0: the student of 20 originals, whichever parents were drawn and however many examples."""
    settings = ({"parents": "iid"}, {"parents": "dealt"}, {"augmented_size": "8x"}, {"kernel": "heavy_tailed"})
    configs = [make_config({**SMALL, "tau": [0.0], "penalty": "1e-3", **setting}) for setting in settings]
    errors = [simulate_block(config, config.families()[0], 0, 2)["error"] for config in configs]
    for error in errors[1:]:
        np.testing.assert_allclose(error, errors[0], atol=1e-5)


def test_a_student_that_diverges_is_an_error_not_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    from simulate import cell

    def lost(*unused: object, **settings: object) -> object:
        return lambda examples, test_RQd, rngs, held_out: torch.full((1, 1, test_RQd.shape[1]), float("nan"))

    monkeypatch.setattr(cell, "build_student", lost)
    config = make_config({**SMALL, "tau": [0.1]})
    with pytest.raises(FloatingPointError, match="diverged"):
        simulate_block(config, config.families()[0], 0, 1)
