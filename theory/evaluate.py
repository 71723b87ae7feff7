"""Both theorems at one setting or over a grid of settings: what `kdshift theory bounds` prints and writes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from theory import printed, repaired, silence
from theory.setting import Floats

Columns = dict[str, Floats]


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Numbers by name, printed and repaired, all broadcast to one shape; NaN where nothing exists or was asked for."""

    setting: Columns
    printed: Columns
    repaired: Columns

    def one(self) -> dict[str, dict[str, Any]]:
        """The only setting as nested plain numbers, None where there is none (the JSON object of `theory bounds`)."""
        groups = {"setting": self.setting, "printed": self.printed, "repaired": self.repaired}
        plain = {group: {name: _plain(value) for name, value in found.items()} for group, found in groups.items()}
        repaired = _with_window(plain["repaired"])
        marks = {"vacuous": silence.vacuous(repaired), "silence": silence.of_bounds(plain["setting"], repaired)}
        return plain | {"repaired": repaired | marks}

    def columns(self) -> Columns:
        """The grid as flat columns, one row a setting: `setting` names, `printed_...`, `repaired_...`."""
        named = dict(self.setting)
        named |= {f"printed_{name}": value for name, value in self.printed.items()}
        named |= {f"repaired_{name}": value for name, value in self.repaired.items()}
        named["repaired_vacuous"] = np.where(
            np.isnan(self.repaired["l1_bound"]), np.nan, self.repaired["l1_bound"] >= 2
        )
        return {name: np.ravel(value) for name, value in named.items()}


def evaluate(
    *,
    dimension: Floats,
    epsilon: Floats,
    delta: Floats,
    tau: Floats | None = None,
    data_size: Floats | None = None,
) -> Bounds:
    """Theorem 1 as printed and the repaired theorem at settings that broadcast against each other.

    Without `tau`, the printed data size is taken at the printed limit of tau and the repaired bounds at `tau_star`.
    Without `data_size`, what needs one is NaN. Give the axes of a grid as arrays of shapes (D, 1, ...), (1, N, ...):
    each number is computed on the axes it depends on.
    """
    nothing = np.asarray(np.nan)
    required = _printed(dimension, epsilon, delta, tau, data_size)
    found = _repaired(dimension, epsilon, delta, tau, data_size)
    setting = {
        "dimension": dimension,
        "epsilon": epsilon,
        "delta": delta,
        "tau": nothing if tau is None else tau,
        "data_size": nothing if data_size is None else data_size,
    }
    shape = np.broadcast_shapes(*(np.shape(value) for value in (setting | found).values()))
    groups = [
        {name: np.broadcast_to(np.asarray(value), shape) for name, value in group.items()}
        for group in (setting, required, found)
    ]
    return Bounds(setting=groups[0], printed=groups[1], repaired=groups[2])


def _printed(d: Floats, epsilon: Floats, delta: Floats, tau: Floats | None, n: Floats | None) -> Columns:
    limit = printed.log_tau_limit(epsilon, d)
    log_tau = limit if tau is None else np.log(tau)
    required = printed.data_size_required(epsilon, delta, log_tau, d)
    unknown = np.asarray(np.nan)
    return {
        "x_u": printed.x_u(epsilon, d),
        "log_tau_limit": limit,
        "tau_limit": printed.tau_limit(epsilon, d),
        "data_size_required": required,
        "log_data_size_required": np.log(np.where(required > 0, required, np.nan)),
        "tau_condition": unknown if tau is None else np.asarray(printed.tau_condition(epsilon, log_tau, d)),
        "data_size_condition": unknown if n is None else np.asarray(n > required),
    }


def _repaired(d: Floats, epsilon: Floats, delta: Floats, tau: Floats | None, n: Floats | None) -> Columns:
    unknown = np.asarray(np.nan)
    names = (
        "tau bias deviation log_deviation mean_bound_simple mean_bound concentration l1_bound lower_bound "
        "data_size_required_simple log_data_size_required_simple data_size_required log_data_size_required "
        "data_size_necessary log_data_size_necessary data_size_smallest_simple log_data_size_smallest_simple "
        "tau_star_simple tau_star l1_bound_at_tau_star tau_window_low tau_window_high"
    ).split()
    found: dict[str, Floats] = dict.fromkeys(names, unknown)
    smallest, log_smallest, _ = repaired.data_size_smallest_simple(epsilon, delta, d)
    found |= {"data_size_smallest_simple": smallest, "log_data_size_smallest_simple": log_smallest}
    if n is not None:
        star = repaired.tau_star(n, d)
        low, high = repaired.tau_window(n, epsilon, delta, d)
        best = repaired.mean_bound(n, np.nan_to_num(star, nan=1.0), d) + repaired.concentration(n, delta)
        found |= {
            "concentration": repaired.concentration(n, delta),
            "tau_star_simple": repaired.tau_star_simple(n, d),
            "tau_star": star,
            "l1_bound_at_tau_star": np.where(np.isnan(star), np.nan, best),
            "tau_window_low": low,
            "tau_window_high": high,
        }
        tau = star if tau is None else tau
    if tau is None:
        return found
    given = np.isfinite(tau)
    safe = np.where(given, tau, 1.0)
    terms = _at_tau(d, epsilon, delta, safe, n)
    return found | {name: np.where(given, value, np.nan) for name, value in terms.items()}


def _at_tau(d: Floats, epsilon: Floats, delta: Floats, tau: Floats, n: Floats | None) -> dict[str, Floats]:
    terms = {
        "tau": tau,
        "bias": repaired.bias(tau, d),
        "data_size_required_simple": repaired.data_size_required_simple(epsilon, delta, tau, d),
        "log_data_size_required_simple": repaired.log_data_size_required_simple(epsilon, delta, tau, d),
        "data_size_required": repaired.data_size_required(epsilon, delta, tau, d),
        "log_data_size_required": repaired.log_data_size_required(epsilon, delta, tau, d),
        "data_size_necessary": repaired.data_size_necessary(epsilon, tau, d),
        "log_data_size_necessary": repaired.log_data_size_necessary(epsilon, tau, d),
    }
    if n is not None:
        mean = repaired.mean_bound(n, tau, d)
        terms |= {
            "deviation": repaired.deviation(n, tau, d),
            "log_deviation": repaired.log_deviation(n, tau, d),
            "mean_bound_simple": repaired.mean_bound_simple(n, tau, d),
            "mean_bound": mean,
            "l1_bound": mean + repaired.concentration(n, delta),
            "lower_bound": repaired.l1_lower_bound(n, tau, d),
        }
    return terms


def _with_window(record: dict[str, Any]) -> dict[str, Any]:
    low, high = record.pop("tau_window_low"), record.pop("tau_window_high")
    return record | {"tau_window": None if low is None else [low, high]}


def _plain(value: Floats) -> Any:
    item = value.item()
    if isinstance(item, bool):
        return item
    number = float(item)
    if not math.isfinite(number):
        return None
    return int(number) if number == math.floor(number) and abs(number) < 2**53 and abs(number) >= 1 else number
