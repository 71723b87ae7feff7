"""The committed tables of results and the verdicts on them, as `docs/fill.py` reads them, once a process."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"

sys.path.insert(0, str(DOCS))
fill = importlib.import_module("fill")
sys.path.remove(str(DOCS))

RESULTS: Path = fill.RESULTS
sources, scores = fill.sources, fill.scored
