"""The finished table of a study, `curves.parquet`: its files, the names of its arms, what test texts add to its noise.

Read by all that scores or draws a table (`kdshift compare`, `kdshift report`), so it imports no network.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

TABLE, NOISE, MADE = "curves.parquet", "test-noise.json", "made.json"
CHECKS = "checks.parquet"  # networks on some cells: the same columns
NONE, TWICE, UNLABELLED = "none", "none-twice", "unlabelled"  # augmenters of the arms without augmentation
DISJOINT = -1  # in the column `split`, which numbers the cuts of a pool into halves: replicates that share no text
WHOLE, SAME = "whole", "same"  # teacher trained on the whole split, or on the student's own texts


def distilled(table: pd.DataFrame) -> pd.DataFrame:
    """The students of the whole split's teacher, on the number of copies that their size has of itself."""
    whole = (table["mode"] == "distill") & (table["teacher_arm"] == WHOLE)
    return table[whole & (table["amount"] == 0)]


def read_checks(folder: Path) -> pd.DataFrame | None:
    """The networks that check a study's light students, or None where it has none."""
    import pandas as pd

    return pd.read_parquet(folder / CHECKS) if (folder / CHECKS).is_file() else None


def read_noise(folder: Path) -> dict[str, dict[str, Any]]:
    """What the test texts add to the distances of each part of a finished study (see `study_run.covariance`)."""
    found: dict[str, dict[str, Any]] = json.loads((folder / NOISE).read_text("utf-8"))
    return found
