"""A whole ladder: climbed from a study, read, and kept in a folder that notebook and page read again.

kdshift ladder curves-tweets
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from empirical.bank.study import Study
from empirical.bank.study_table import TABLE as CURVES_TABLE
from empirical.bank.study_table import read_noise
from empirical.files import replacing, write_atomically, write_frame
from kdshift.ladder.ladder_figure import draw_ladder
from kdshift.ladder.ladder_reading import augmenters_of, ladder_frame, moves, sentence
from kdshift.ladder.rungs import LINEAR, LadderConfig, copies_of, replicates_of, trimmed
from theory.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from empirical.bank.study_run import StudyRun

TABLE, RUNGS_FILE, MOVES_FILE, NOISE, FACTS, READING = (
    "ladder.parquet", "rungs.parquet", "moves.parquet", "test-noise.json", "ladder.json", "reading.txt",
)  # fmt: skip
LARGEST = 880  # data size up to which a study's sizes are taken unless they are given


@dataclass(frozen=True, kw_only=True)
class Ladder:
    """A climbed ladder.

    table, noise: of `Climb.table`. facts: of `Climb.facts`. frame: of `ladder_frame`. moves: a row a rung and
    augmenter: does the best shift, does the gain fall with n. sentences: the reading, one an augmenter.
    """

    table: pd.DataFrame
    noise: dict[str, Any]
    facts: dict[str, Any]
    frame: pd.DataFrame
    moves: pd.DataFrame
    sentences: tuple[str, ...]


def climb(
    run: StudyRun,
    augmenters: Sequence[str],
    data_sizes: Sequence[int] | None,
    replicates: int,
    curves: Path | None,
    *,
    network: str = "static",
    quick: bool = False,
) -> Ladder | None:
    """The ladder on a study; None if it was stopped.

    curves: folder of a finished study whose students are the text rungs; None: they are fitted here, unless `run` is
    finished itself. network: the last rung's student (`static`, or one of that table's). Raises InputError for
    augmenters, sizes or a network that are not there.
    """
    from kdshift.ladder.climbing import Climb  # starts PyTorch, which reading a kept ladder need not

    features = (128, 256) if quick else (LadderConfig.features, LadderConfig.teacher_features)
    config = LadderConfig(
        augmenters=tuple(augmenters),
        data_sizes=_sizes(run.study, replicates) if data_sizes is None else tuple(data_sizes),
        replicates=replicates,
        network=network,
        features=features[0],
        teacher_features=features[1],
    )
    mine = replace(run, study=trimmed(run.study, config))
    if not mine.make_banks():
        return None
    told = _text(run, mine, config, curves)
    if told is None:
        return None
    text, noise = told
    folder = run.folder.parents[1] / "ladder" / "climbs" / f"{run.folder.name}-{config.digest()}"
    climbed = Climb(run=mine, config=config, folder=folder, text=text, noise=noise, progress=run.progress)
    table, whole_noise = climbed.table()
    return read_ladder(table, whole_noise, climbed.facts())


def _sizes(study: Study, replicates: int) -> tuple[int, ...]:
    """The study's sizes that the ladder takes of itself."""
    two = LadderConfig(replicates=replicates)
    fit = [size.data_size for size in study.sizes if replicates_of(study, size, two) >= 2]
    return tuple(size for size in fit if size <= LARGEST)


def _text(
    run: StudyRun, mine: StudyRun, config: LadderConfig, curves: Path | None
) -> tuple[pd.DataFrame, dict[str, Any]] | None:
    """The text rungs, read where a finished table has the ladder's copies, else fitted; None if that was stopped."""
    import pandas as pd

    from kdshift.ladder.climbing import text_rows

    source = curves or (run.folder if run.table is not None and LINEAR in set(run.table["student"]) else None)
    if source is not None and not (source / CURVES_TABLE).is_file():
        raise InputError("--curves", str(source), f"a folder of `kdshift empirical curves` with {CURVES_TABLE}")
    sizes = {size.data_size: size for size in run.study.sizes}
    finished = [
        size.data_size
        for size in mine.study.sizes
        if source is not None and copies_of(run.study, sizes[size.data_size]) == size.copies
    ]
    frames: list[pd.DataFrame] = []
    noise: dict[str, Any] = {}
    if source is not None and finished:
        frame, noise = text_rows(pd.read_parquet(source / CURVES_TABLE), read_noise(source), config, finished)
        frames.append(frame)
    rest = [size for size in mine.study.sizes if size.data_size not in finished]
    if rest:
        folder = run.folder.with_name(f"{run.folder.name}-ladder-{config.digest()}")
        fitted = replace(mine, study=mine.study.model_copy(update={"sizes": tuple(rest)}), folder=folder)
        table = fitted.run()
        if table is None:
            return None
        frame, more = text_rows(table, read_noise(folder), config, [size.data_size for size in rest])
        frames.append(frame)
        noise |= more
    return pd.concat(frames, ignore_index=True), noise


def read_ladder(table: pd.DataFrame, noise: dict[str, Any], facts: dict[str, Any]) -> Ladder:
    """A table of `Climb.table` with everything that is said of it."""
    import pandas as pd

    found = {augmenter: moves(table, noise, augmenter) for augmenter in augmenters_of(table)}
    return Ladder(
        table=table,
        noise=noise,
        facts=facts,
        frame=ladder_frame(table, noise),
        moves=pd.DataFrame([move.row for group in found.values() for move in group]),
        sentences=tuple(sentence(group) for group in found.values()),
    )


def write(found: Ladder, folder: Path, preset: str, seconds: float) -> None:
    """Keep a ladder: its tables, what it says, a figure an augmenter."""
    write_frame(found.table, folder / TABLE)
    write_frame(found.frame, folder / RUNGS_FILE)
    write_frame(found.moves, folder / MOVES_FILE)
    write_atomically(folder / NOISE, json.dumps(found.noise) + "\n")
    facts = {"preset": preset, **found.facts, "seconds": round(seconds, 1)}
    write_atomically(folder / FACTS, json.dumps(facts, indent=1) + "\n")
    write_atomically(folder / READING, "\n".join(found.sentences) + "\n")
    for augmenter in augmenters_of(found.table):
        with replacing(folder / f"{augmenter}.png") as draft:
            draw_ladder(found.table, found.noise, augmenter).savefig(draft, dpi=150)


def load_ladder(folder: Path) -> Ladder:
    """A ladder that `write` kept. Raises InputError where there is none."""
    import pandas as pd

    if not (folder / TABLE).is_file():
        raise InputError("ladder", str(folder), f"a folder of `kdshift ladder` with {TABLE}")
    return Ladder(
        table=pd.read_parquet(folder / TABLE),
        noise=json.loads((folder / NOISE).read_text("utf-8")),
        facts=json.loads((folder / FACTS).read_text("utf-8")),
        frame=pd.read_parquet(folder / RUNGS_FILE),
        moves=pd.read_parquet(folder / MOVES_FILE),
        sentences=tuple((folder / READING).read_text("utf-8").splitlines()),
    )
