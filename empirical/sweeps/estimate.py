"""What a sweep will cost on this machine: time and memory cell by cell, from a calibration of a few seconds.

    kdshift empirical sweep table2-mnli --dry-run [--device h100]

One layer of each kind and width in the sweep is timed, forward and with its backward pass; a run's cost is its tokens
times its layers, and Apertium's time where texts are translated. Rough (data loading, short batches and other programs
are left out), right to a factor of about two.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import torch

from empirical.config import RunConfig
from empirical.runs.run import teacher_run
from empirical.sweeps.cost_model import CostModel
from empirical.sweeps.definition import Sweep
from empirical.sweeps.devices import CARD_SHARE, MEASURED_SHARE, Device
from empirical.sweeps.results import amount_label, model_label
from empirical.training.cohort import cohort_key, uses_teacher


@dataclass(frozen=True, kw_only=True)
class CellEstimate:
    """A cell's runs, their seconds one after the other, and the most memory one of them takes."""

    label: str
    runs: int
    seconds: float
    gigabytes: float


@dataclass(frozen=True, kw_only=True)
class SweepEstimate:
    """seconds: of everything one after the other on one device, teachers included."""

    preset: str
    runs: int
    cells: tuple[CellEstimate, ...]
    teachers: tuple[CellEstimate, ...]
    tasks: tuple[str, ...]
    device: str
    seconds: float
    notes: tuple[str, ...]

    def summary(self) -> dict[str, Any]:
        """The JSON object of `sweep --dry-run --json`."""
        return {
            "preset": self.preset,
            "cells": len(self.cells),
            "runs": self.runs,
            "teachers": [teacher.label for teacher in self.teachers],
            "tasks": list(self.tasks),
            "seconds_estimated": self.seconds,
            "device": self.device,
            "estimates": [vars(cell) for cell in (*self.teachers, *self.cells)],
            "notes": list(self.notes),
        }


def estimate_sweep(sweep: Sweep, device: Device | None = None) -> SweepEstimate:
    """Cells, runs and teachers of a sweep with the time and memory each takes here, or on a card that is not here.

    device: the card, whose hours follow from its maker's peak figure; None: this machine, timed for a few seconds.
    Raises InputError for bad files.
    """
    costs = CostModel(device)
    sharing = Counter(cohort_key(run) for run in sweep.runs)
    cells = [
        CellEstimate(
            label=_label(runs[0]),
            runs=len(runs),
            seconds=sum(costs.seconds(run, sharing[cohort_key(run)]) for run in runs),
            gigabytes=costs.gigabytes(runs[0], sharing[cohort_key(runs[0])]),
        )
        for runs in sweep.cells().values()
    ]
    trained = {
        teacher_run(run).digest(): teacher_run(run)
        for run in sweep.runs
        if uses_teacher(run) and run.teacher_train is not None
    }
    teachers = [
        CellEstimate(
            label=f"{model_label(run.student)} on {run.task.name}",
            runs=1,
            seconds=costs.seconds(run, 1),
            gigabytes=costs.gigabytes(run, 1),
        )
        for run in trained.values()
    ]
    if device is not None:
        share = f"{MEASURED_SHARE * CARD_SHARE:.0%} of {device.peak / 1e12:g} TFLOP/s"
        costs.notes[f"an estimate: no card has been timed, {share} are assumed"] = None
        if (most := max(cell.gigabytes for cell in (*cells, *teachers))) > device.gigabytes:
            note = f"{most:.0f} GB are more than the card has: accumulate, or train fewer rates side by side"
            costs.notes[note] = None
    return SweepEstimate(
        preset=sweep.name,
        runs=len(sweep.runs),
        cells=tuple(cells),
        teachers=tuple(teachers),
        tasks=tuple(dict.fromkeys(run.task.name for run in sweep.runs)),
        device=device.name if device is not None else "GPU" if torch.cuda.is_available() else "CPU",
        seconds=sum(cell.seconds for cell in (*cells, *teachers)),
        notes=tuple(costs.notes),
    )


def _label(run: RunConfig) -> str:
    size = f"{run.data_size:.0%}" if run.data_size <= 1 else f"{run.data_size} examples"
    shift = "0 %"
    if run.augment is not None:
        shift = f"{run.augment.augmenter} {run.augment.degree:.0%} {amount_label(run)}"
    return f"{run.task.name}, {run.mode}, {model_label(run.student)}, {size}, {shift}".replace("%,", " %,")
