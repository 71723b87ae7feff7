"""Where the theory says nothing, in one sentence: `kdshift theory bounds` and `recommend` print it beside the numbers.

A bound on an L1 distance above 2, or on a risk above 1, is true of everything; a best tau may not exist, or lie beyond
what an augmenter can do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

L1_BOUNDS = ("deviation", "mean_bound_simple", "mean_bound", "l1_bound", "l1_bound_at_tau_star")
MOST_L1 = 2.0


def vacuous(repaired: Mapping[str, Any]) -> list[str]:
    """Names of the L1 bounds that are 2 or more (or beyond double precision) and so say nothing."""
    beyond = {name for name in L1_BOUNDS if repaired.get(name) is None and (repaired.get(f"log_{name}") or 0) > 1}
    return [name for name in L1_BOUNDS if name in beyond or (repaired.get(name) or 0.0) >= MOST_L1]


def of_bounds(setting: Mapping[str, Any], repaired: Mapping[str, Any]) -> str | None:
    """One sentence where the repaired theorem is silent at this setting, None where it speaks or was not asked."""
    n, d = setting["data_size"], setting["dimension"]
    if n is None:
        return None
    if repaired["tau_star"] is None:
        return f"The theory is silent: at d = {d} and n = {n} no tau brings the mean bound below 2, so none is best."
    if "l1_bound" in vacuous(repaired):
        better = f"; it speaks at its best tau {repaired['tau_star']:.4g}"
        if "l1_bound_at_tau_star" in vacuous(repaired):
            better = ", at the best tau as well"
        return (
            f"The theory is silent at tau = {repaired['tau']:.4g}: its L1 bound is 2 or more, true of anything{better}."
        )
    return None


def of_recommendation(
    *, data_size: float, dimension: int | None, tau_star: float | None, tau_reach: float | None, trust_radius: float
) -> str | None:
    """One sentence where the theory names no degree: no interior best tau, or one beyond the augmenter's reach.

    `tau_reach` is what changing every token adds (None: not measured).
    """
    if dimension is None:
        return None
    if tau_star is None:
        teacher = "right everywhere" if trust_radius == float("inf") else f"trusted within R = {trust_radius:g}"
        return (
            f"The theory is silent: at d = {dimension} and n = {data_size:.0f}, with a teacher {teacher}, the risk"
            " bound has no best tau between no shift and any shift, or stays above 1."
        )
    if tau_reach is not None and tau_star > tau_reach:
        return (
            f"The theory is silent about the degree: its best tau {tau_star:.3g} lies beyond this augmenter's reach"
            f" ({tau_reach:.3g}, every token changed)."
        )
    return None
