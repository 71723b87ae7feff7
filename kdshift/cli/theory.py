"""`kdshift theory ...`: bounds, audit, formula, recommend."""

from __future__ import annotations

import cyclopts

app = cyclopts.App(name="theory", help="Theorem 1 as printed, its audit, and the one that holds.")


@app.command
def bounds(*, dimension: int = 2) -> None:
    """x"""
    print(dimension)
