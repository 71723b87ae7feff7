"""`kdshift ladder`: from the theorem's Gaussian to distilled text, one thing changed a rung."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from kdshift.cli.bank import Results, Source
from kdshift.cli.lists import WholeNumbers, Words
from kdshift.cli.output import Json, emit_json, emit_table

if TYPE_CHECKING:
    import pandas as pd

    from kdshift.ladder.folder import Ladder


STUDY = "curves-demo"


def ladder(
    preset: Source = STUDY,
    /,
    *,
    augmenter: Annotated[Words, Parameter(help="token shifts, of the study's")] = ("knn", "random"),
    data_size: Annotated[
        WholeNumbers | None, Parameter(help="of the study's; all up to 880 with two replicates unless given")
    ] = None,
    replicates: Annotated[int, Parameter(help="at most so many at a data size")] = 16,
    curves: Annotated[
        Path | None, Parameter(help="folder of a finished `empirical curves`: its students are the text rungs")
    ] = None,
    network: Annotated[str, Parameter(help="student of the last rung: static, or one that --curves has")] = "static",
    results: Results = Path("results"),
    out: Annotated[Path | None, Parameter(help="where table and figure go; RESULTS/ladder unless given")] = None,
    quick: Annotated[bool, Parameter(negative="", help="a first look in a minute: curves-quick, few features")] = False,
    json: Json = False,
) -> None:
    """Error against shift on seven rungs, from Gaussian points with Gaussian noise up to a network distilled on text.

    Every rung changes one thing. Where the best shift or the gain stops moving with the data size, the assumption that
    was given up there is the one that fails. The same command goes on where it was stopped.

    Example: `kdshift ladder --quick`. Text rungs are light students of `kdshift empirical curves`, fitted here unless
    --curves names a folder that has them. `curves-tweets` has more sizes, and a bank that takes far longer to make.
    """
    from kdshift.cli.bank import opened
    from kdshift.ladder.folder import climb, write

    began = time.perf_counter()
    if quick:
        preset = "curves-quick" if preset == STUDY else preset
    with opened(preset, results) as run:
        found = climb(run, augmenter, data_size, replicates, curves, network=network, quick=quick)
        if found is None:
            raise KeyboardInterrupt
        folder = results / "ladder" if out is None else out
        write(found, folder, Path(preset).stem, time.perf_counter() - began)
    if json:
        emit_json(_payload(found, folder, time.perf_counter() - began))
    else:
        _print(found, folder)


def _payload(found: Ladder, folder: Path, seconds: float) -> dict[str, object]:
    return {
        "dimension": found.facts["dimension"],
        "stand_in": found.facts["stand_in"],
        "rungs": found.frame.to_dict("records"),
        "moves": found.moves.to_dict("records"),
        "reading": list(found.sentences),
        "folder": str(folder),
        "seconds": round(seconds, 1),
    }


def _print(found: Ladder, folder: Path) -> None:
    """One row a rung and augmenter: best shift and share saved at each data size."""
    sizes = sorted(set(found.frame["data_size"]))
    rows = []
    for (augmenter, title), frame in found.frame.groupby(["augmenter", "title"], sort=False):
        by_size = frame.set_index("data_size")
        cells = [text for size in sizes for text in _cells(by_size, size)]
        rows.append([f"{title}, {augmenter}", *cells])
    columns = ["rung", *(name for size in sizes for name in (f"tau, n = {size}", "saves"))]
    note = "\n".join((*found.sentences, f"tau: measured where tokens are changed; 95 % intervals; {folder}"))
    emit_table("Best shift, and the share of the distance to the teacher that it saves", columns, rows, note)


def _cells(by_size: pd.DataFrame, size: int) -> tuple[str, str]:
    if size not in by_size.index:
        return "-", "-"
    row = by_size.loc[size]
    side = {"": "", "at least": ">= ", "at most": "<= "}[str(row["censored"])]
    return (
        f"{side}{row['best']:.2f} [{row['low']:.2f}, {row['high']:.2f}]",
        f"{row['share']:.1%} [{row['share_low']:.1%}, {row['share_high']:.1%}]",
    )
