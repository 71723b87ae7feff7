"""Tables made in parts, each kept as soon as it is there: a killed run goes on with the first missing one.

Serves `kdshift empirical excess | terms` and `kdshift ladder`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from empirical.files import write_frame
from theory.progress_report import Progress

if TYPE_CHECKING:
    import pandas as pd


def kept_parts(
    work: Sequence[tuple[Path, Callable[[], pd.DataFrame | Iterable[dict[str, Any]]]]],
    label: str,
    progress: Progress | None = None,
) -> list[pd.DataFrame]:
    """The tables of all parts, in order; those whose file is not there yet are made.

    work: each part's file and what makes its table, or that table's rows. label: of the progress, a step a part.
    """
    import pandas as pd

    frames = []
    for done, (path, make) in enumerate(work):
        if progress is not None:
            progress(label, done, len(work))
        if not path.exists():
            write_frame(pd.DataFrame(make()), path)
        frames.append(pd.read_parquet(path))
    if progress is not None:
        progress(label, len(work), len(work))
    return frames
