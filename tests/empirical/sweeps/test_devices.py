"""Hours of a card that is not here: counted operations over its peak, no calibration, the same on every machine."""

from __future__ import annotations

import pytest

from empirical.sweeps import cost_model
from empirical.sweeps.definition import load_sweep
from empirical.sweeps.devices import CARD_SHARE, DEVICES, MEASURED_SHARE, device_of, layer_seconds
from empirical.sweeps.estimate import estimate_sweep
from theory.errors import InputError


def test_a_layer_takes_two_operations_a_weight_forward_and_thrice_that_in_training():
    card = DEVICES["a100"]
    forward, both = layer_seconds(card, 768, 3072)
    weights = 4 * 768**2 + 2 * 768 * 3072
    assert forward * card.peak * MEASURED_SHARE * CARD_SHARE == pytest.approx(2 * weights, rel=0.01)
    assert both == pytest.approx(3 * forward)
    assert layer_seconds(DEVICES["v100"], 768, 3072)[0] / forward == pytest.approx(312 / 125)
    assert layer_seconds(card, 150, 300, recurrent=True)[0] * card.operations_a_second == 2 * 8 * 150 * 450


def test_the_estimate_of_a_card_times_nothing_and_reads_no_data(monkeypatch):
    def refuse(*arguments, **options):
        raise AssertionError("asked this machine")

    monkeypatch.setattr(cost_model, "time_layer", refuse)
    monkeypatch.setattr(cost_model, "load_task", refuse)
    made = {name: estimate_sweep(load_sweep("table8"), device) for name, device in DEVICES.items()}
    assert made["h100"].device == "H100 80GB" and any("no card has been timed" in note for note in made["h100"].notes)
    assert made["v100"].seconds / made["h100"].seconds == pytest.approx(989 / 125)


def test_translation_is_priced_by_the_papers_own_minutes_and_once():
    """Without augmentation the first four pivots of 1 % of MNLI take 56 minutes on the paper's card (Table 1)."""
    runs = [run for run in load_sweep("figure3").runs if run.augment and run.augment.augmenter == "back-translation"]
    costs = cost_model.CostModel(DEVICES["v100"])
    four, again, eight, _ = [costs.translation(run) for run in runs]
    assert (four / 60, again, eight / 60) == (pytest.approx(56, rel=0.001), 0, pytest.approx(56, rel=0.001))


def test_too_little_memory_is_said():
    made = estimate_sweep(load_sweep("figure5"), device_of("V100"))
    assert made.notes and any("more than the card has" in note for note in made.notes) == (
        max(cell.gigabytes for cell in (*made.cells, *made.teachers)) > 16
    )


def test_an_unknown_card_is_named():
    with pytest.raises(InputError, match=r"b200.*a100"):
        device_of("b200")
