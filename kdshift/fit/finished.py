"""The folder of a finished fit: written whole at the end, recognised by the next call.

DIR/model/  bag-of-words/  teacher/  predictions.csv  curve.csv  stages.csv  README.md  card.html  fit.json (last)
"""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from empirical.files import replacing, write_atomically
from kdshift.fit.card import write_cards
from kdshift.fit.exporting import EXPORTED
from kdshift.fit.fitting import Fit
from kdshift.fit.outcome import Outcome
from kdshift.fit.prediction import fit_facts
from theory.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


def finished(folder: Path, digest: str) -> dict[str, Any] | None:
    """What a finished fit of these texts and options said, or None."""
    try:
        facts = fit_facts(folder)
    except InputError:
        return None
    return facts if facts.get("digest") == digest and (folder / "model" / "config.json").exists() else None


def clear_finished(folder: Path) -> None:
    """A folder half replaced is not finished, and what was exported is of another student."""
    for name in ("fit.json", *EXPORTED):
        (folder / name).unlink(missing_ok=True)


def write_all(fit: Fit, outcome: Outcome) -> dict[str, Any]:
    """Write everything a user gets into the fit's folder, `fit.json` last; the work of the fit is then cleared away."""
    folder, work = fit.folder, fit.stages.folder
    clear_finished(folder)
    for name, source in (
        ("model", work / "model"),
        ("bag-of-words", work / "words"),
        ("teacher", work / "teacher-0" / "model"),
    ):
        with replacing(folder / name) as draft:
            shutil.copytree(source, draft)
            for file in draft.iterdir():
                file.chmod(file.stat().st_mode | 0o044)  # safetensors are written for their owner alone
    tables = {"predictions.csv": outcome.predictions, "curve.csv": outcome.curve, "stages.csv": outcome.stages}
    for name, table in tables.items():
        write_atomically(folder / name, as_csv(table))
    dropped = fit.own.dropped.sentence()
    facts = {
        **outcome.summary,
        "digest": fit.options.digest(fit.own.digest()),
        "max_length": fit.options.max_length,
        "columns": vars(fit.own.columns),
    }
    write_cards(folder, fit.own.name, outcome.summary, outcome.curve, dropped)
    write_atomically(folder / "fit.json", json.dumps(_plain(facts), indent=2) + "\n")
    shutil.rmtree(folder / "work", ignore_errors=True)
    return facts


def as_csv(table: pd.DataFrame) -> str:
    """The table as CSV, every text in quotes: pandas leaves a carriage return bare, and readers end a row there."""
    return table.to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC)


def _plain(value: Any) -> Any:
    from kdshift.cli.output import plain

    return plain(value)
