"""The finished table of a study, `curves.parquet`: its files, the names of its arms, what test texts add to its noise.

Read by all that scores or draws a table (`kdshift compare`, `kdshift report`), so it imports no network.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

TABLE, NOISE, MADE = "curves.parquet", "test-noise.json", "made.json"
NONE, TWICE, UNLABELLED = "none", "none-twice", "unlabelled"  # augmenters of the arms without augmentation
WHOLE, SAME = "whole", "same"  # teacher trained on the whole split, or on the student's own texts


def read_noise(folder: Path) -> dict[str, dict[str, Any]]:
    """What the test texts add to the distances of each part of a finished study (see `study_run.covariance`)."""
    found: dict[str, dict[str, Any]] = json.loads((folder / NOISE).read_text("utf-8"))
    return found
