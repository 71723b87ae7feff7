"""The committed tables of results and the verdicts on them, read once a process."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from kdshift.claims import Scores, score_all
from kdshift.curve_sources import Sources, load_sources

RESULTS = Path(__file__).parents[1] / "notebooks" / "results"


@cache
def sources() -> Sources:
    return load_sources(RESULTS)


@cache
def scores() -> Scores:
    return score_all(sources())
