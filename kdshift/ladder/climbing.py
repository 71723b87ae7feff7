"""The ladder climbed: a table with a row a rung, shift, data size and replicate, each part kept as soon as it is there.

    kdshift ladder curves-tweets

A killed climb goes on with the first part that is missing. Text rungs are the study's own students (`empirical
curves`): read from its finished table where there is one, fitted by it otherwise.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.bank.kept_parts import kept_parts
from empirical.bank.light import BY_TEXT, Row
from empirical.bank.outcomes import outcomes, text_distances
from empirical.bank.pool import replicates
from empirical.bank.study import Size
from empirical.bank.study_run import StudyRun, covariance
from empirical.bank.study_table import NONE, distilled
from empirical.bank.summary import disjoint
from empirical.files import write_atomically
from kdshift.ladder.fourier_student import fit_features
from kdshift.ladder.point_world import Sample, World
from kdshift.ladder.rungs import LINEAR, LadderConfig, replicates_of
from theory.errors import InputError
from theory.progress_report import Progress

if TYPE_CHECKING:
    import pandas as pd

POINT_RUNGS = ("few", "gaussian", "embeddings", "tokens", "teacher")
COLUMNS = ["rung", "augmenter", "data_size", "shift", "tau", "replicate", "distance", "at_edge"]


@dataclass
class Climb:
    """One climb in its folder.

    run: the study, trimmed to the ladder's augmenters and sizes. text: rows of the text rungs, from `text_rows`.
    noise: what the test texts add to each of their curves (`study_run.covariance`).
    """

    run: StudyRun
    config: LadderConfig
    folder: Path
    text: pd.DataFrame
    noise: dict[str, Any]
    progress: Progress | None = None

    def table(self) -> tuple[pd.DataFrame, dict[str, Any]]:
        """All rows of the ladder, and for each rung and size what the test texts add."""
        import pandas as pd

        world, low = (World(run=self.run, config=self.config, low=few) for few in (False, True))
        work = [(rung, size) for rung in POINT_RUNGS for size in self.run.study.sizes]
        parts = [
            (self._file(rung, size), partial(self._measured, low if rung == "few" else world, rung, size))
            for rung, size in work
        ]
        frames = kept_parts(parts, "rungs of points", self.progress)
        notes = {
            f"{rung}-{size.data_size}": json.loads(self._file(rung, size).with_suffix(".json").read_text("utf-8"))
            for rung, size in work
        }
        whole = pd.concat([*frames, self._text(world)], ignore_index=True)
        return whole, {**{name: note["noise"] for name, note in notes.items()}, **self.noise}

    def _file(self, rung: str, size: Size) -> Path:
        return self.folder / "parts" / f"{rung}-{size.data_size}.parquet"

    def _measured(self, world: World, rung: str, size: Size) -> pd.DataFrame:
        import pandas as pd

        began = time.perf_counter()
        rows = list(_students(world, rung, size))
        frame = pd.DataFrame(rows).rename(columns={"degree": "shift"}).assign(rung=rung, data_size=size.data_size)
        frame["tau"] = frame["shift"]
        if rung in ("tokens", "teacher"):
            frame["tau"] = _tau(frame, world)
        note = {"noise": covariance(rows), "students": len(rows), "seconds": round(time.perf_counter() - began, 1)}
        write_atomically(self._file(rung, size).with_suffix(".json"), json.dumps(note))
        return frame[COLUMNS]

    def _text(self, world: World) -> pd.DataFrame:
        frame = self.text.copy()
        frame["tau"] = _tau(frame, world)
        return frame[COLUMNS]

    def facts(self) -> dict[str, Any]:
        """What the ladder stands on: d, and how much of the teacher's logits on test texts the stand-in explains."""
        world = World(run=self.run, config=self.config)
        size = self.run.study.sizes[-1]
        told = world.held_out("teacher", "test", size)
        said = world.stand_in(told.x_Nd)
        unexplained = float(
            np.square(said - told.target_NC).sum() / np.square(told.target_NC - told.target_NC.mean(0)).sum()
        )
        agreement = float((said.argmax(1) == told.target_NC.argmax(1)).mean())
        return {
            "dimension": world.dimension,
            "stand_in": {
                "explained": 1 - unexplained,
                "agreement": agreement,
                "distance": outcomes(said, told.target_NC, told.target_NC.argmax(1))["distance"],
            },
        }


def _students(world: World, rung: str, size: Size) -> Iterator[Row]:
    """One fitted student a shift and replicate, without shift first, as the study's light students write their rows."""
    gamma, study = world.run.study.gamma, world.run.study
    validation, test = (world.held_out(rung, name, size) for name in ("validation", "test"))
    subsets = replicates(size.pool or study.pool, size.data_size)[: replicates_of(study, size, world.config)]
    for number, own_N in enumerate(subsets):
        features = world.student_features(size.data_size, number)
        held_out = features(validation.x_Nd), validation.target_NC
        seen_test = features(test.x_Nd)
        own = world.originals(rung, size, number, own_N)
        own_features = features(own.x_Nd)
        count = len(own_N)
        arms: list[tuple[str, float, Sample | None]] = [(NONE, 0.0, None)]
        arms.extend(world.copies(rung, size, number, own_N, own))
        for augmenter, shift, copies in arms:
            x, target, weight = own_features, own.target_NC, np.full(count, 1 / count)
            if copies is not None:
                further = len(copies.x_Nd)
                x = np.concatenate([own_features, features(copies.x_Nd)])
                target = np.concatenate([target, copies.target_NC])
                weight = np.r_[gamma * weight, np.full(further, (1 - gamma) / further)]
            student = fit_features(x, target, weight, held_out)
            logits = student(seen_test)
            apart = text_distances(logits, test.target_NC)
            yield {
                "augmenter": augmenter,
                "degree": shift,
                "amount": 0.0,
                "replicate": number,
                "distance": float(apart.mean()),
                "at_edge": student.at_edge,
                BY_TEXT: {"distance": apart},
            }


def _tau(frame: pd.DataFrame, world: World) -> list[float]:
    """The measured tau of each row's augmenter and degree."""
    measured = world.measured_tau()
    return [measured[name, shift] for name, shift in zip(frame["augmenter"], frame["shift"], strict=True)]


def text_rows(
    table: pd.DataFrame, noise: dict[str, Any], config: LadderConfig, data_sizes: Sequence[int]
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The text rungs' rows at some sizes of a study's finished table, and their noise under the rungs' names.

    `ngrams` is the linear student, `network` the configuration's; of the study's own number of copies, in replicates
    that share no text. Raises InputError for a student that the table lacks.
    """
    import pandas as pd

    taught = disjoint(distilled(table))
    frames, found = [], {}
    for rung, student in (("ngrams", LINEAR), ("network", config.network)):
        known = taught.groupby("student")["data_size"].agg(set)
        if not set(data_sizes) <= known.get(student, set()):
            able = [str(name) for name, sizes in known.items() if set(data_sizes) <= sizes]
            raise InputError("network", student, f"a student with all data sizes {list(data_sizes)}: {', '.join(able)}")
        mine = taught[(taught["student"] == student) & taught["data_size"].isin(data_sizes)]
        mine = mine[mine["augmenter"].isin((NONE, *config.augmenters)) & (mine["replicate"] < config.replicates)]
        frames.append(mine.rename(columns={"degree": "shift"}).assign(rung=rung))
        for data_size in data_sizes:
            found[f"{rung}-{data_size}"] = noise[f"{student}-distill-{data_size}-whole"]
    return pd.concat(frames, ignore_index=True), found
