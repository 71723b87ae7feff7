"""The joint law of error in shift and data size, for every source that has several data sizes.

kdshift compare --json        (key `laws`)
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from kdshift.curve_sources import MAIN_PRESET, Sources
from theory.errors import InputError
from theory.inference.law import fit_law


def fit_laws(sources: Sources) -> dict[str, dict[str, dict[str, Any]]]:
    """The laws by source and task (or truth, or student): `theory.inference.law.Law` as plain values.

    A task without two data sizes, or without two replicates or rows to hold one out, has none.
    """
    asked = {
        "theory": sources.theory,
        "simulation": sources.simulation(MAIN_PRESET),
        "text": sources.text,
        "text, distance": sources.light,
        "paper": sources.paper,
    }
    laws: dict[str, dict[str, dict[str, Any]]] = {}
    for name, source in asked.items():
        for task, part in source.parts().items():
            try:
                laws.setdefault(name, {})[task or name] = asdict(fit_law(part()))
            except InputError:
                continue
    return {name: found for name, found in laws.items() if found}
