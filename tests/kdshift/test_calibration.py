"""The rules on given results: hardly ever wrong in their null worlds, and a power that grows with the effect."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from kdshift.calibration import calibrate, null_sources, powers
from kdshift.claim_rules import TOLERANCE, extreme_hurts, inverted_u
from kdshift.curve_sources import Sources, paper_source, text_source
from kdshift.notebook import default_results
from kdshift.source import Source
from tests import committed
from tests.kdshift import synthetic
from theory.errors import InputError
from theory.inference.calibrate import null_world
from theory.inference.curve import ShiftErrorCurve

BEST = {("distill", "knn", 200): 0.5, ("distill", "knn", 4000): 0.3, ("finetune", "knn", 200): 0.1,
        ("finetune", "knn", 4000): 0.1}  # fmt: skip

# What says that nothing happens, or that little is lost, is right where nothing depends on anything.
TRUE_OF_NOTHING = ("rule-of-thumb", "more-data-no-help-fine-tuning")


def false_support(found: Mapping[str, Any]) -> dict[tuple[str, str], float]:
    """What `calibrate` counted, (claim, source) -> share of null worlds in which the rule is wrong to say supported."""
    return {
        (claim, source): float(shares["supported"])
        for claim, row in found["rules"].items()
        if claim not in TRUE_OF_NOTHING
        for source, shares in row.items()
    }


@pytest.fixture(scope="module")
def sources() -> Sources:
    theory = Source(name="theory", command="")
    text = text_source(synthetic.text_frame(BEST, noise=0.004, replicates=3))
    return Sources(theory=theory, presets={}, text=text, paper=paper_source())


def test_a_null_world_keeps_the_shape_and_forgets_the_effect(sources: Sources) -> None:
    flat = null_sources(sources, np.random.default_rng(0))
    for key, curves in sources.text.curves.items():
        for before, after in zip(curves, flat.text.curves[key], strict=True):
            assert after.names == before.names and after.data_size == before.data_size
            assert np.ptp(after.error) < 0.03 and after.replicates.shape == before.replicates.shape
    spread = [np.ptp(null_sources(sources, np.random.default_rng(seed)).text()[0].error) for seed in range(20)]
    assert 0.002 < np.median(spread) < 0.015


def test_null_worlds_of_the_results_at_hand(sources: Sources) -> None:
    found = calibrate(sources, 8)
    assert found["worlds"] == 8 and found["rules"]["augmentation-helps"].keys() == {"text", "paper"}
    wrong = list(false_support(found).values())
    assert np.mean(wrong) <= 0.06 and max(wrong) <= 0.34
    assert not {"rule-of-thumb", "more-data-no-help-fine-tuning"} & {claim for claim, _ in false_support(found)}
    with pytest.raises(InputError, match="--calibrate"):
        calibrate(sources, 0)


def test_power_grows_with_the_effect(sources: Sources) -> None:
    small, large = (powers(sources, effect)["claims"]["kd-gains-more"]["text"] for effect in (0.002, 0.1))
    assert small["power"] < large["power"] and small["replicates"] == 3
    assert small["detectable"] == large["detectable"] > 0.002
    degrees = powers(sources, 0.01)["claims"]["kd-prefers-larger"]["text"]
    assert degrees["power"] is None and "degrees" in degrees["unit"] and degrees["detectable"] > 0
    assert large["replicates_needed"] <= small["replicates_needed"]
    with pytest.raises(InputError, match="--power"):
        powers(sources, 0.0)


def test_no_rule_is_wrong_too_often_on_the_committed_tables() -> None:
    """What `kdshift compare --calibrate` counted is compatible with 5 % of false support (one-sided, at 1 %)."""
    kept = json.loads((default_results() / "calibration" / "null-worlds.json").read_text(encoding="utf-8"))
    assert kept["level"] == 0.95
    for place, share in false_support(kept).items():
        assert binom.sf(round(share * kept["worlds"]) - 1, kept["worlds"], 0.05) > 0.01, place


@pytest.mark.parametrize("rule", [extreme_hurts, inverted_u])
def test_a_loss_of_half_a_point_is_not_called_negligible_with_the_noise_of_the_committed_students(rule) -> None:
    """Null worlds of kNN's distillation curves in which one degree is better than all others by the margin itself."""
    light, false = committed.sources().light, 0
    taught = [key for key in light.curves if key.supervision == "teacher" and key.variant == light.variant]
    for world in range(20):
        null = null_world({at: light.curves[key] for at, key in enumerate(taught)}, np.random.default_rng(world))
        best = dict(zip(taught, ([dipped(curve) for curve in group] for group in null.values()), strict=True))
        parts = replace(light, curves=best).parts().values()
        false += sum(rule(part).verdict == "negligible" for part in parts)
    assert false <= 3


def dipped(curve: ShiftErrorCurve) -> ShiftErrorCurve:
    """The curve with an error that is lower by the margin at 50 % alone."""
    dip_S = -TOLERANCE * (curve.shift == 0.5)
    replicates = None if curve.replicates is None else curve.replicates + dip_S
    return replace(curve, error=curve.error + dip_S, replicates=replicates)
