"""How far the verdicts on given results can be trusted: their rate of false verdicts, and what they could have found.

kdshift compare --calibrate 400 --json
kdshift compare --power 0.01
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from kdshift.claim_rules import ASKED
from kdshift.claims import CLAIMS, SOURCES, score_all
from kdshift.curve_sources import Sources
from kdshift.source import Source
from theory.errors import InputError
from theory.inference.calibrate import detectable, null_world, power, units_to_decide
from theory.inference.contrast import LEVEL
from theory.inference.verdict import DECIDED
from theory.progress_report import Progress


def null_sources(sources: Sources, rng: np.random.Generator) -> Sources:
    """The same sources in a world where no error depends on anything; theory, a formula, has nothing to count."""

    def flat(source: Source) -> Source:
        keys = list(source.curves)
        world = null_world({at: source.curves[key] for at, key in enumerate(keys)}, rng)
        return replace(source, curves={key: world[at] for at, key in enumerate(keys)})

    return replace(
        sources,
        theory=replace(sources.theory, curves={}),
        presets={name: flat(source) for name, source in sources.presets.items() if name in ASKED},
        text=flat(sources.text),
        light=flat(sources.light),
        light_error=flat(sources.light_error),
        fresh=flat(sources.fresh),
        fresh_error=flat(sources.fresh_error),
        against_real=flat(sources.against_real),
        paper=flat(sources.paper),
    )


def calibrate(sources: Sources, worlds: int, *, seed: int = 0, progress: Progress | None = None) -> dict[str, Any]:
    """The share of null worlds in which each rule decides, by verdict, for each source that measures it.

    Claims of no effect and of a small regret are true in a null world: there `supported` is how often they are found,
    as is `negligible` everywhere.
    Raises InputError for fewer than one world.
    """
    if worlds < 1:
        raise InputError("--calibrate", worlds, "a whole number of worlds >= 1")
    counts: dict[str, dict[str, dict[str, int]]] = {}
    for world in range(worlds):
        rng = np.random.Generator(np.random.Philox(key=[seed, world]))
        for claim, row in score_all(null_sources(sources, rng)).items():
            for source in ("simulation", "text", "paper"):
                if claim == "theorem-1" or row[source].effect is None:
                    continue
                found = counts.setdefault(claim, {}).setdefault(source, dict.fromkeys(DECIDED, 0))
                if row[source].verdict in found:
                    found[row[source].verdict] += 1
        if progress is not None:
            progress("null worlds", world + 1, worlds)
    rules = {
        claim: {source: {word: count / worlds for word, count in found.items()} for source, found in row.items()}
        for claim, row in counts.items()
    }
    return {"worlds": worlds, "level": LEVEL, "rules": rules}


def powers(sources: Sources, effect: float) -> dict[str, Any]:
    """How often an effect of this size in error would be found with the results' own noise, claim by claim.

    `power` with the replicates there are, `replicates` (units of resampling, rows where there is one run a cell), and
    `replicates_needed` for 80 %; None for claims whose effect is no error. `detectable`: the effect, in the claim's
    own unit, that these replicates find with a power of 80 %. Raises InputError unless the effect is positive.
    """
    if not effect > 0:
        raise InputError("--power", effect, "a positive difference of errors, as 0.01")
    scored = score_all(sources)
    claims: dict[str, dict[str, dict[str, Any]]] = {}
    for claim in CLAIMS:
        for source in SOURCES:
            found = scored[claim.name][source]
            if found.se is None or not found.se > 0 or found.units < 2:
                continue
            error = "error" in found.unit
            claims.setdefault(claim.name, {})[source] = {
                "power": power(effect, found.se, found.units, found.looks) if error else None,
                "replicates": found.units,
                "replicates_needed": units_to_decide(effect, found.se, found.units, found.looks) if error else None,
                "detectable": detectable(found.se, found.units, found.looks),
                "unit": found.unit,
            }
    return {"effect": effect, "level": LEVEL, "claims": claims}
